"""The report's tables: what stands in their cells and under them."""

import numpy as np
import pandas as pd
import pytest

from blinkpair.labels import EXCLUSIONS, POPULATION_NAMES
from blinkpair.populations.table import BY_FIELDS
from blinkpair.report import cells, tables, verdicts
from blinkpair.run.provenance import NO_CHECKSUM, PACKAGES


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.007, "+0.7"), (-0.0726, "−7.3"), (0.0004, "0.0"), (-0.0004, "0.0"), (np.nan, "–")],
)
def test_points_have_a_sign_unless_they_are_nothing(value, text):
    assert cells.signed_points(value) == text


def test_a_tiny_p_value_is_an_upper_limit():
    assert cells.p_value(3e-9) == "< 0.0001"
    assert cells.p_value(0.0098) == "0.0098"
    assert cells.p_value(np.nan) == "–"


def test_populations_are_set_with_counts_shares_and_intervals():
    row = {"temperature_c": "100", "n_fields": 2, "n_fields_failed": 1, "n": 10, "n_dark": 3}
    row |= {"n_excluded": 4, "expected_chance_pairs": 0.5, "n_left_out": 3}
    row |= {"n_left_out_became_emissive": 0, "n_left_out_became_dark": 2, "n_left_out_emissive": 0}
    row |= {"n_left_out_dark": 1, "mean_delta_with_left_out": -0.123}
    row |= {"p_mean_delta": 0.25, "p_became_emissive_minus_dark": 0.5, "n_nanocrystals": 10}
    for name, n in (("became_emissive", 2), ("became_dark", 0), ("emissive", 8)):
        row |= {f"n_{name}": n, f"fraction_{name}": n / 10}
        row |= {f"fraction_{name}_low": 0.0, f"fraction_{name}_high": 0.31}
    for name in ("mean_delta", "median_delta", "mean_delta_minus_control"):
        row |= {name: -0.01, f"{name}_low": -0.02, f"{name}_high": np.nan}
    for name, low in (("became_emissive", 0.004), ("became_dark", -0.196)):
        difference = f"fraction_{name}_minus_control"
        row |= {difference: low + 0.1, f"{difference}_low": low, f"{difference}_high": low + 0.2}
    for name in ("mean_delta", "fraction_became_emissive", "fraction_became_dark"):
        row |= {f"{name}_independent_low": 0.1, f"{name}_independent_high": 0.2}
    row["interval_method"] = BY_FIELDS
    empty = row | {"temperature_c": "120", "n": 0, "interval_method": ""}
    table = tables.populations(pd.DataFrame([row, empty]), 0.9)
    cells = {name: cell for name, cell, _ in table.rows}
    assert table.header == ["", "100 °C", "120 °C"]
    assert cells["fields (refused)"] == "2 (1)"
    assert cells["became emissive"] == "2, 20 % (0 to 31)"
    assert cells["became dark"] == "0 (0 to 31 %)"
    assert cells["of these left out by hand"] == "3"
    assert cells["they would be"] == "2 became dark, 1 dark in both"
    assert cells["mean change with them, points"] == "−12.3"
    assert cells["mean change, points"] == "−1.0"  # half an interval is none
    assert cells["became emissive minus control’s, points"] == "+10.4 (+0.4 to +20.4)"
    assert cells["became dark minus control’s, points"] == "−9.6 (−19.6 to +0.4)"
    assert cells["accidental pairs, at most"] == "1"  # a limit is rounded up
    # A row without nanocrystals has no intervals, and no word for what they rest on.
    assert "In brackets 90 % intervals, which allow for" in table.note
    assert "without a correction for the number of treatments" in table.note
    # Without a control there is no line of differences from it.
    alone = pd.DataFrame([row]).assign(mean_delta_minus_control=np.nan)
    assert not any("control" in name for name, _ in tables.populations(alone, 0.9).rows)


def test_verdicts_are_set_with_what_became_of_them_and_refused_ones_first():
    row = {"field": "f1", "nc_id": 7, "x_pre": 1.5, "y_pre": 2, "verdict": "cluster", "why": ""}
    row |= {"by": "MD", "date": "2024-06-30", "outcome": "left_out", "reason": "its number was 7"}
    row |= {"nc_id_found": 9, "population_left_out": "became_dark"}
    lost = row | {"outcome": "refused", "reason": "no nanocrystal", "nc_id_found": pd.NA}
    found = pd.DataFrame([row, lost | {"population_left_out": ""}])
    table = verdicts.verdict_table(found, 200)
    assert table.rows == [
        ["f1 7", "cluster", "–", "MD, 2024-06-30", "REFUSED: no nanocrystal", "–"],
        ["f1 9", "cluster", "–", "MD, 2024-06-30", "left out: its number was 7", "became dark"],
    ]
    assert verdicts.refused(found) == ["f1, nanocrystal 7 at (1.5, 2): no nanocrystal"]
    assert "Shown are the first 1;" in verdicts.verdict_table(found, 1).note


def test_what_is_left_out_is_a_sentence_of_its_treatment():
    row = {"temperature_c": "100", "n_left_out": 0, "mean_delta": -0.117}
    row |= dict.fromkeys([f"n_left_out_{name}" for name in POPULATION_NAMES], 0)
    row["mean_delta_with_left_out"] = np.nan
    assert verdicts.by_treatment(pd.DataFrame([row])) == []
    row |= {"n_left_out": 2, "n_left_out_became_emissive": 2, "mean_delta_with_left_out": -0.09}
    assert verdicts.by_treatment(pd.DataFrame([row])) == [
        "At 100 °C, 2 nanocrystals are left out by hand (2 became emissive); with them the mean "
        "change would be −9.0 instead of −11.7 points."
    ]


def a_field(name, **changed):
    row = {"field": name, "temperature_c": "70", "status": "ok", "reason": ""}
    row |= {"evidence": "microspheres and nanocrystals", "chance_alignments": 2e-9}
    row |= {"rotation_deg": 171.0, "rms_px": 0.05, "tre_px": 0.03, "n_pairs": 1023}
    row |= {"n_microspheres_matched": 5, "n_nanocrystals_matched": 200}
    return row | {"expected_chance_pairs": 10.33} | changed


def by_column(table):
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


def test_refused_fields_stand_first_and_their_reasons_are_listed():
    numbers = ["rotation_deg", "rms_px", "tre_px", "n_pairs", "n_microspheres_matched"]
    gone = dict.fromkeys([*numbers, "n_nanocrystals_matched"], np.nan)
    refused = a_field("b", temperature_c="control", status="failed", reason="too few", **gone)
    rows = tables.fields(pd.DataFrame([a_field("a"), refused])).rows
    assert rows[0][:3] == ["b", "control", "REFUSED"]
    assert tables.refused(pd.DataFrame([a_field("a"), refused])).rows == [["b", "too few"]]
    assert rows[1][0] == "a"
    assert len({len(row) for row in rows}) == 1


def test_remarks_on_fields_in_the_numbers_are_listed():
    rows = [
        a_field("a"),
        a_field("b", reason="dim; late"),
        a_field("c", status="failed", reason="lost"),
    ]
    assert tables.to_check(pd.DataFrame(rows)).rows == [["b", "dim\nlate"]]
    assert tables.to_check(pd.DataFrame(rows[:1])).rows == []
    many = tables.to_check(pd.DataFrame([a_field(f"f{k}", reason="dim") for k in range(21)]))
    assert len(many.rows) == 20
    assert "first 20 of 21 fields" in many.note


def test_a_field_has_its_chance_alignments_and_accidental_pairs():
    table = tables.fields(pd.DataFrame([a_field("a"), a_field("b", chance_alignments=0.00021)]))
    assert [row["accidental alignments expected"] for row in by_column(table)] == [
        "< 0.0001",
        "0.00021",
    ]
    assert by_column(table)[0]["accidental pairs"] == "at most 11 of 1023"
    assert by_column(table)[0]["turned by, °"] == "171.00"


@pytest.mark.parametrize(
    ("evidence", "chance", "said"),
    [
        ("microspheres", 1e-5, "5"),
        ("microspheres together with nanocrystals", 1e-5, "5"),
        ("nanocrystals", 1e-5, "–"),
        ("brightfield images and nanocrystals", 1e-5, "–"),
        ("landmarks", np.nan, "–"),  # five landmarks
        ("landmarks and nanocrystals", 1e-5, "5"),  # refined on microspheres
    ],
)
def test_only_microspheres_are_counted_as_such(evidence, chance, said):
    field = a_field("a", evidence=evidence, chance_alignments=chance)
    assert by_column(tables.fields(pd.DataFrame([field])))[0]["microspheres matched"] == said


@pytest.mark.parametrize(
    ("samples", "names"),
    [
        (["simulated", "simulated"], ["a", "b"]),
        (["chip 3", " Simulated"], ["a", "b (simulated)"]),
        (["chip 3", ""], ["a", "b"]),
    ],
)
def test_simulated_fields_are_marked_where_others_are_not(samples, names):
    table = pd.DataFrame([a_field("a"), a_field("b")])
    marked = tables.fields(table.assign(sample=samples))
    assert [row[0] for row in marked.rows] == names
    assert [row[0] for row in tables.fields(table).rows] == ["a", "b"]


def test_excluded_nanocrystals_are_counted_by_reason_and_temperature():
    table = pd.DataFrame(
        {
            "temperature_c": ["70", "70", "control"],
            "excluded_because": ["", "crowded", "edge"],
            "analysed": [True, False, False],
            "two_emitters_pre": ["False", "True", ""],
            "two_emitters_post": ["False", "False", ""],
        }
    )
    counted = tables.excluded(table)
    assert counted.header == ["", "70 °C", "control"]
    assert [row[1:] for row in counted.rows] == [["1", "0"], ["0", "1"], ["1", "0"]]
    assert counted.note == ""


def test_two_emitters_in_one_spot_are_counted_among_the_analysed():
    table = pd.DataFrame(
        {
            "temperature_c": ["70", "70", "70", "control"],
            "excluded_because": ["", "", "crowded", ""],
            "analysed": [True, True, False, True],
            "two_emitters_pre": ["False", "False", "True", "False"],
            "two_emitters_post": ["True", "False", "True", "False"],
        }
    )
    counted = tables.excluded(table)
    assert counted.rows[:2] == [
        ["analysed", "2", "1"],
        ["analysed, two emitters in one spot", "1", "0"],
    ]
    assert "not excluded" in counted.note


def test_a_reason_without_words_is_counted_under_its_own_name():
    table = pd.DataFrame(
        {
            "temperature_c": "70",
            "excluded_because": ["too_bright", "edge"],
            "analysed": False,
            "two_emitters_pre": "False",
            "two_emitters_post": "False",
        }
    )
    rows = tables.excluded(table).rows
    assert [row[0] for row in rows] == [EXCLUSIONS["edge"].reason, "too bright"]
    assert [row[1] for row in rows] == ["1", "1"]


def test_ordinary_numbers_have_no_exponent():
    assert [cells.number(v, 6) for v in (1250, 1023, 123.4)] == ["1250", "1023", "123.4"]
    assert [cells.number(v) for v in (123456.0, 0.339, np.nan, None)] == [
        "123456",
        "0.339",
        "–",
        "–",
    ]
    row = {"temperature_c": "70", "threshold_counts": 1250.0, "dark_cutoff": 0.125, "n": 200}
    for name, n in (("became_emissive", 1), ("became_dark", 0), ("emissive", 199)):
        row |= {f"n_{name}": n, f"fraction_{name}": n / 200}
    set_cells = tables.sensitivity(pd.DataFrame([row | {"mean_delta": -0.01}])).rows[0]
    assert set_cells == ["70 °C", "1250", "12.5 %", "200", "1, < 1 %", "0", "199, > 99 %", "−1.0"]


def test_a_share_is_nothing_or_all_only_where_it_is():
    shares = [cells.percent(v) for v in (0.0, 0.004, 0.006, 0.994, 0.996, 1.0, np.nan)]
    assert shares == ["0 %", "< 1 %", "1 %", "99 %", "> 99 %", "100 %", "–"]


def test_inputs_are_listed_with_what_is_known_of_them():
    entries = {"a.tif": {"bytes": 10_500_000, "checksum": None}}
    shown = tables.inputs({"inputs": entries, "checksum": NO_CHECKSUM})
    assert shown.rows == [["a.tif", "10 500 000", "–"]]
    assert shown.note == "Checksum: none was taken (provenance: checksums: false)."


def test_the_report_was_made_with_the_packages_it_names():
    assert {"plotly", "jinja2", "numpy"} <= set(PACKAGES)
    provenance = {"versions": dict.fromkeys(PACKAGES, "1"), "commit": None}
    rows = dict(tables.versions(provenance).rows)
    assert rows["plotly"] == "1"
    assert rows["commit of blinkpair"] == "not known"


def test_a_figure_and_a_table_round_a_change_to_the_same_text():
    from blinkpair.figures import style

    values = [*(np.arange(-2000, 2000, 5) / 20_000), -0.0145, np.mean([-0.014, -0.015])]
    assert [style.points(v) for v in values] == [cells.signed_points(v) for v in values]


def test_an_upper_limit_is_rounded_up_and_small_numbers_keep_their_zeros():
    assert [cells.upper_limit(v) for v in (0, 0.2, 4.5, 12.0, 12.3)] == ["0", "1", "5", "12", "13"]
    assert [cells.p_value(p) for p in (0.7, 0.05, 0.996, 0.0071, 1.0)] == (
        ["0.70", "0.050", "1.0", "0.0071", "1.0"]
    )
