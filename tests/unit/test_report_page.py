"""The report's page: its tables, its histogram, and text that stays text."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from blinkpair import launch
from blinkpair.files import lines_of_fields
from blinkpair.report import page, tables


def nanocrystals(deltas: dict[str, list[float]], population: str = "emissive") -> pd.DataFrame:
    rows = [
        {"temperature_c": name, "delta_on_fraction": delta, "population": population}
        for name, own in deltas.items()
        for delta in own
    ]
    return pd.DataFrame(rows)


def test_a_change_on_an_edge_belongs_to_the_bin_above_it():
    # 0.15 and 0.35 in binary are a little off 15 and 35 points; the file means the edge itself.
    edges = np.arange(-20, 21) / 20
    counts = page.histogram(nanocrystals({"70": list(edges)}))["70"]["emissive"]
    assert counts == [1] * 39 + [2]  # the last bin holds 95 and 100 points


def test_only_the_populations_that_n_counts_are_in_the_histogram():
    table = pd.concat([nanocrystals({"70": [0.0]}), nanocrystals({"70": [0.0]}, "dark")])
    assert sum(map(sum, page.histogram(table)["70"].values())) == 1


def test_json_in_a_script_element_cannot_end_it():
    evil = "</script><script>alert(1)</script><!-- & \u2028"
    text = page.as_script_data({"name": evil, "none": float("nan"), "n": np.int64(3)})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"name": evil, "none": None, "n": 3}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.007, "+0.7"), (-0.0726, "−7.3"), (0.0004, "0.0"), (-0.0004, "0.0"), (np.nan, "–")],
)
def test_points_have_a_sign_unless_they_are_nothing(value, text):
    assert tables.signed_points(value) == text


def test_a_tiny_p_value_is_an_upper_limit():
    assert tables.p_value(3e-9) == "< 0.0001"
    assert tables.p_value(0.0098) == "0.0098"
    assert tables.p_value(np.nan) == "–"


def test_populations_are_set_with_counts_shares_and_intervals():
    row = {"temperature_c": "100", "n_fields": 2, "n_fields_failed": 1, "n": 10, "n_dark": 3}
    row |= {"n_excluded": 4, "p_mcnemar": 0.5, "p_wilcoxon": 0.25, "expected_chance_pairs": 0.5}
    for name, n in (("became_emissive", 2), ("became_dark", 0), ("emissive", 8)):
        row |= {f"n_{name}": n, f"fraction_{name}": n / 10}
        row |= {f"fraction_{name}_low": 0.0, f"fraction_{name}_high": 0.31}
    for name in ("mean_delta", "median_delta", "mean_delta_minus_control"):
        row |= {name: -0.01, f"{name}_low": -0.02, f"{name}_high": np.nan}
    row["interval_method"] = "fields"
    table = tables.populations(pd.DataFrame([row]), 0.9)
    cells = dict(table.rows)
    assert table.header == ["", "100 °C"]
    assert cells["fields (refused)"] == "2 (1)"
    assert cells["became emissive"] == "2, 20 % (0 to 31)"
    assert cells["became dark"] == "0 (0 to 31 %)"
    assert cells["mean change, points"] == "−1.0"  # half an interval is none
    assert "90 % intervals (fields)" in table.note


def test_refused_fields_stand_first_with_their_reason():
    table = pd.DataFrame(
        {
            "field": ["a", "b"],
            "temperature_c": ["70", "control"],
            "status": ["ok", "failed"],
            "reason": ["", "no microspheres"],
            "evidence": ["microspheres", ""],
            **{name: [1.0, np.nan] for name in ("rotation_deg", "rms_px", "tre_px", "n_pairs")},
            **{f"n_{what}_matched": [5.0, np.nan] for what in ("microspheres", "nanocrystals")},
            "expected_chance_pairs": [0.2, np.nan],
        }
    )
    rows = tables.fields(table).rows
    assert rows[0][:3] == ["b", "control", "REFUSED: no microspheres"]
    assert rows[1][0] == "a"
    assert len({len(row) for row in rows}) == 1


def test_what_was_left_out_is_counted_by_reason_and_temperature():
    table = pd.DataFrame(
        {
            "temperature_c": ["70", "70", "control"],
            "excluded_because": ["", "crowded", "edge"],
        }
    )
    counted = tables.excluded(table)
    assert counted.header == ["", "70 °C", "control"]
    assert [row[1:] for row in counted.rows] == [["1", "0"], ["0", "1"], ["1", "0"]]


def test_lines_of_a_field_are_those_of_the_file(tmp_path):
    path = tmp_path / "table.csv"
    kept = 'b,"two\nlines",1\n'
    path.write_bytes(("field,note,x\na,,2\n" + kept + "ab,b,3\nb,,4\n").encode())
    assert lines_of_fields(path, ["b"]) == "field,note,x\n" + kept + "b,,4\n"


def test_fields_to_show_are_taken_in_turns_from_the_temperatures():
    sheet = pd.DataFrame({"temperature_c": ["70"] * 3 + ["100"] * 2}, index=list("abcde"))
    assert launch.fields_to_show(sheet, 3) == ["a", "b", "d"]
    assert launch.fields_to_show(sheet, 4) == ["a", "b", "d", "e"]
    assert launch.fields_to_show(sheet, 99) == list("abcde")
    assert launch.fields_to_show(sheet, 0) == []


@pytest.mark.parametrize(
    ("samples", "banner", "note"),
    [
        (["Simulated ", "simulated"], "These data are simulated.", "simulated"),
        (["slip 3", "simulated"], "Some of the fields are simulated: b.", "partly simulated"),
        (["slip 3", ""], "", ""),
    ],
)
def test_simulated_fields_are_called_so_and_no_others(samples, banner, note):
    sheet = pd.DataFrame({"field": ["a", "b"], "sample": samples})
    assert page._banner(sheet) == banner
    assert launch.figure_note(sheet) == note
