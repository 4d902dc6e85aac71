"""Figures, report and summary of thousands of fields: densities, bands, and the first rows."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from blinkpair.blinking.on_fractions import classify
from blinkpair.epochs import EPOCHS
from blinkpair.figures import changes, field_pl
from blinkpair.figures.style import EPOCH_COLOURS, POPULATION_COLOURS
from blinkpair.report import language, page, tables
from blinkpair.report.terminal import MOST_NAMED, _fields, exit_summary
from tests.helpers.figures import words
from tests.helpers.report_run import a_run


def on_fractions(n):
    rng = np.random.default_rng(1)
    before, after = rng.uniform(0, 1, (2, n))
    return pd.DataFrame(
        {
            "temperature_c": "70",
            "on_fraction_pre": before,
            "on_fraction_post": after,
            "population": classify(before, after),
        }
    )


def test_more_nanocrystals_than_dots_can_show_are_shaded():
    """Each square of 1 x 1 points that holds one is shaded, in its population's colour."""
    few = changes.before_after_scatter(on_fractions(500))
    assert not few.axes[0].images
    table = on_fractions(changes.MOST_DOTS + 1)
    many = changes.before_after_scatter(table)
    assert "1 × 1 points" in words(many)
    assert "1 × 1 points" not in words(few)
    (ax,) = many.axes
    assert max(len(line.get_xdata()) for line in ax.lines) == 2  # the diagonal and the cutoffs
    images = {tuple(image.get_array()[0, 0, :3]): image.get_array() for image in ax.images}
    for name, colour in POPULATION_COLOURS.items():
        own = table[table["population"] == name]
        shaded = images[to_rgb(colour)][..., 3]
        row, column = (
            np.minimum(100 * own[f"on_fraction_{epoch}"], 99).astype(int)
            for epoch in ("post", "pre")
        )
        assert (shaded[row, column] >= 0.2).all()
        assert (shaded > 0).sum() == len(set(zip(row, column, strict=True)))


def light(n_fields):
    """Fields that fall in a straight line to between 0 and 100 % of their start."""
    time_s = np.arange(0.5, 100)

    def counts(place):
        return (50.0 + place) * (1 - place / (n_fields - 1) * time_s / 100)

    parts = [
        pd.DataFrame(
            {
                "field": f"f{place}",
                "temperature_c": "70",
                "epoch": epoch,
                "time_s": time_s,
                "integrated_pl": 50.0
                + place
                - (50.0 + place) * (place / (n_fields - 1)) * time_s / 100,
            }
        )
        for place in range(n_fields)
        for epoch in EPOCHS
    ]
    return pd.concat(parts, ignore_index=True)


def test_more_fields_than_lines_can_show_are_a_median_and_bands():
    kept = pd.DataFrame(columns=["temperature_c", "epoch", "kept", "kept_low", "kept_high"])
    few = field_pl.integrated_pl(light(4), kept, reference_s=1.0)
    assert len(few.axes[0].lines) == 4 * 2 + 1
    n_fields = field_pl.MOST_LINES // 2 + 1
    many = field_pl.integrated_pl(light(n_fields), kept, reference_s=1.0)
    (ax,) = many.axes
    assert "nine tenths" in words(many)
    assert len(ax.lines) == 2 + 1
    assert len(ax.collections) == 2 * 2
    assert [line.get_color() for line in ax.lines[:2]] == list(EPOCH_COLOURS.values())
    # The middle field falls to half, at 99.5 s to 100 - 49.75 points, of a start at 0.5 s.
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(100 * (1 - 0.4975) / (1 - 0.0025))
    band = ax.collections[0].get_paths()[0].vertices
    last = band[band[:, 0] == band[:, 0].max(), 1]
    # Nine tenths of the fields end between 100 and 0 %, but for a twentieth at either side.
    assert (last.min(), last.max()) == pytest.approx((5, 95), abs=1.0)


def many_fields(n, n_refused):
    table, *_ = a_run(fields_each=n // 2, n=3, refused=[f"70_{i}" for i in range(n_refused)])
    columns = ["n_nanocrystals_matched", "chance_alignments", "rms_px"]
    return table.assign(**dict.fromkeys(columns, 1.0))


def test_a_table_of_many_fields_shows_the_first_and_states_it():
    table = many_fields(2 * tables.MOST_ROWS, 7)
    shown = tables.fields(table[::-1])
    assert len(shown.rows) == tables.MOST_ROWS
    assert [row[2].startswith("REFUSED") for row in shown.rows[:8]] == [True] * 7 + [False]
    assert shown.note.startswith("Shown are the first 200 of 400 fields, refused ones first")
    assert not tables.fields(table[: tables.MOST_ROWS]).note.startswith("Shown")


def test_a_table_of_many_inputs_shows_the_first_and_states_it():
    entry = {"bytes": 1, "checksum": "0"}
    inputs = {f"{i}.tif": entry for i in range(12_000)}
    shown = tables.inputs({"inputs": inputs, "checksum": "sha256"})
    assert len(shown.rows) == tables.MOST_ROWS
    assert f"200 of 12{language.THIN}000 files; all are in provenance.json" in shown.note


def test_a_sentence_names_some_of_many():
    names = [f"f{i}" for i in range(25)]
    assert language.some_of(names[:20]) == names[:20]
    assert language.some_of(names) == [*names[:20], "5 more"]
    sheet = pd.DataFrame({"field": names, "sample": ["simulated"] * 24 + ["slip 3"]})
    assert page._banner(sheet).endswith("f18, f19, 4 more.")


def test_the_terminal_names_some_of_the_refused():
    table = many_fields(200, 50)
    lines = _fields(table)
    assert lines[0] == "150 of 200 fields registered."
    assert len(lines) == 1 + MOST_NAMED + 1
    assert lines[-1] == "  and 30 more: see fields.csv"
    assert _fields(many_fields(200, 20))[-1] == "  refused: 70_19: too few"


@pytest.mark.parametrize(("refused", "status"), [(0, 0), (1, 11), (57, 67), (110, 120), (500, 120)])
def test_the_exit_status_states_how_many_fields_were_refused(tmp_path, refused, status):
    table = pd.DataFrame({"field": [f"f{i}" for i in range(600)], "evidence": "none"})
    table["status"] = ["failed"] * refused + ["ok"] * (600 - refused)
    table["reason"] = "too few"
    table.to_csv(tmp_path / "fields.csv", index=False)
    text, ended = exit_summary(tmp_path)
    assert ended == status
    verb = "was" if refused == 1 else "were"
    first = f"{refused} of 600 fields {verb} refused" if refused else "600 of 600 fields registered"
    assert text.startswith(first)


def test_the_last_lines_count_the_types_that_noise_leaves_undecided(tmp_path):
    fields = pd.DataFrame({"field": ["a"], "status": "ok", "reason": "", "evidence": "none"})
    fields.to_csv(tmp_path / "fields.csv", index=False)
    types = pd.DataFrame({"n": [60, 40], "n_undecided_for_noise": [9, 3]})
    types.assign(median_false_event_share=[0.39, 0.2]).to_csv(tmp_path / "types.csv", index=False)
    text, _ = exit_summary(tmp_path)
    assert "Noise alone makes up to 39 % of the on-events" in text
    assert "12 of 100 blinking types are undecided for noise" in text


def test_the_last_lines_name_the_fields_whose_focus_crept_or_is_not_known(tmp_path):
    table = pd.DataFrame({"field": ["a", "b", "c", "d"], "status": "ok", "evidence": "none"})
    table["reason"] = ""
    table["light_change_pre"], table["light_change_post"] = [0.0, 0.69, None, 0.03], 0.0
    table.to_csv(tmp_path / "fields.csv", index=False)
    text, _ = exit_summary(tmp_path)
    assert "which changed by up to:\n  b: 69 %\nToo few bright nanocrystals" in text
    assert text.endswith("whether the focus held:\n  c")


def test_the_last_lines_name_registered_fields_that_are_to_be_checked(tmp_path):
    table = pd.DataFrame({"field": ["a", "b"], "status": "ok", "evidence": "none"})
    table["reason"] = ["", "post movie: 7 of 2000 frames do not show what the others do"]
    table.to_csv(tmp_path / "fields.csv", index=False)
    text, _ = exit_summary(tmp_path)
    assert "  to check: b: post movie: 7 of 2000 frames" in text
    assert "check: a" not in text


def test_the_last_lines_name_results_of_fields_that_the_sheet_no_longer_has(tmp_path):
    for name in ("a", "b", "former"):
        (tmp_path / "fields" / name).mkdir(parents=True)
    table = pd.DataFrame({"field": ["a", "b"], "status": "ok", "evidence": "none", "reason": ""})
    table.to_csv(tmp_path / "fields.csv", index=False)
    text, _ = exit_summary(tmp_path)
    assert "in no number, as no row of the sheet is theirs:\n  former" in text
    (tmp_path / "fields" / "former").rmdir()
    assert "no row of the sheet" not in exit_summary(tmp_path)[0]


def test_the_last_lines_of_a_run_in_which_every_field_was_refused(tmp_path):
    # As the steps write them then: a row of a treatment without a field, tables without a row.
    refused = {"field": "a", "status": "failed", "evidence": "none", "reason": "the light was off"}
    shares = dict.fromkeys(["fraction_became_emissive", "fraction_became_dark"], np.nan)
    change = dict.fromkeys(["mean_delta", "mean_delta_low", "mean_delta_high"], np.nan)
    none = dict.fromkeys(["n_fields", "n", "n_became_emissive", "n_became_dark"], 0)
    pd.DataFrame([refused]).to_csv(tmp_path / "fields.csv", index=False)
    populations = pd.DataFrame([{"temperature_c": 100} | none | shares | change])
    populations.to_csv(tmp_path / "populations.csv", index=False)
    pd.DataFrame(columns=["temperature_c", "epoch"]).to_csv(tmp_path / "types.csv", index=False)
    text, ended = exit_summary(tmp_path)
    assert ended == 11
    assert text.startswith("1 of 1 fields was refused and is in")
    assert "the light was off" in text
    assert "not known" in text
    assert "nan" not in text


def test_a_run_of_a_part_ends_without_a_word(tmp_path):
    assert exit_summary(tmp_path) == ("", 0)


def test_the_last_lines_name_fields_in_which_many_are_undetermined(tmp_path):
    fields = pd.DataFrame(
        {
            "field": ["dim", "bright", "dark"],
            "status": "ok",
            "reason": "",
            "evidence": "microspheres",
            "undetermined_share": [0.3, 0.25, np.nan],
        }
    )
    fields.to_csv(tmp_path / "fields.csv", index=False)
    text, ended = exit_summary(tmp_path)
    assert ended == 0
    assert "undetermined: dim: 30 % of its nanocrystals are excluded" in text
    assert "bright:" not in text
    assert "dark:" not in text
