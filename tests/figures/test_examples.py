"""Which nanocrystals are shown as examples, and the captions beside figures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blinkpair import files
from blinkpair.epochs import EPOCHS
from blinkpair.figures import examples, style, traces
from blinkpair.figures.captions import caption_text
from blinkpair.photometry.traces import epoch_dataset, join_epochs
from tests.helpers.figures import words

CAPTIONS = Path(__file__).parents[2] / "workflow/report/figures"


def called(n_dark, n=200):
    """n stable nanocrystals at 120 °C, of which some go dark before."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"field": "f1", "nc_id": np.arange(n), "temperature_c": 120})
    for epoch in EPOCHS:
        table[f"on_fraction_{epoch}"] = rng.uniform(0.2, 0.9, n)
        table[f"photostability_{epoch}"] = "stable"
        for test in ("on_level", "off_fraction"):
            table[f"p_{test}_{epoch}"] = rng.uniform(0.1, 1, n)
            table[f"{test}_change_{epoch}"] = 0.0
    dark = np.arange(n) < n_dark
    table.loc[dark, "photostability_pre"] = "going_dark"
    table.loc[dark, "p_off_fraction_pre"] = np.linspace(0.02, 0.002, n_dark)
    table.loc[dark, "off_fraction_change_pre"] = 0.31
    return table


def test_what_chance_explains_has_no_example():
    # A test at 5 % calls 1.25 % of 400 going dark without any trend: five, seldom more than ten.
    few, left_out = examples.choose_by_photostability(called(5))
    assert list(few["label"].str.split(":").str[0]) == ["stable before"]
    assert "going dark 5 of 400 (chance: up to 1" in left_out
    many, left_out = examples.choose_by_photostability(called(30))
    assert "going dark" not in left_out
    row = many.iloc[1]
    assert row["nc_id"] == 29  # the smallest p
    assert row["remark"] == "off-fraction +31 points, p = 0.002"
    assert (row["trend"], row["trend_epoch"]) == ("off_fraction", "pre")


def test_a_trend_is_drawn_over_its_trace_and_what_is_left_out_stands_below():
    trace = np.where(np.arange(240) < 120, 200.0, 0.0)[None]
    trend = traces.ShownTrend("pre", "off_fraction", "off-fraction +31 points, p = 0.002")
    figure = traces.example_traces(
        trace, trace, 100, 0.02, ["f1, 3"], trends=[trend], left_out="dimming 3 of 400"
    )
    shares = [line.get_ydata() for line in figure.axes[0].lines if len(line.get_ydata()) == 12]
    np.testing.assert_allclose(shares, [[1.0] * 6 + [0.0] * 6])
    assert "before: on 50.0 %; off-fraction +31 points, p = 0.002" in words(figure)
    assert "dimming 3 of 400" in words(figure)
    nothing = traces.example_traces([], [], 100, 0.02, [], left_out="dimming 3 of 400")
    assert "dimming 3 of 400" in words(nothing)


def test_examples_keep_each_fields_own_exposure(tmp_path):
    paths = {}
    for field, exposure_s in (("a", 0.02), ("b", 0.04)):
        rows = pd.DataFrame(
            {"nc_id": [0], "x_pre": 1.0, "y_pre": 1.0, "x_post": 1.0, "y_post": 1.0}
        )
        epochs = [
            epoch_dataset(np.ones((1, 9), "f4"), rows, epoch=epoch, exposure_s=exposure_s)
            for epoch in EPOCHS
        ]
        states = {epoch: np.ones((1, 9), bool) for epoch in EPOCHS}
        paths[field] = str(tmp_path / f"{field}.nc")
        files.write_netcdf(join_epochs(*epochs, states, field), paths[field])
    chosen = pd.DataFrame({"field": ["a", "b"], "nc_id": 0, "label": ["a", "b"]})
    for epoch in EPOCHS:
        chosen[f"threshold_counts_{epoch}"] = 100.0
        chosen[f"on_fraction_{epoch}"] = 1.0
    assert examples.read_traces(chosen, paths).exposure_s.tolist() == [0.02, 0.04]


def test_examples_of_photostability_are_the_clearest():
    rows = pd.DataFrame(
        {
            "field": "f",
            "temperature_c": 120,
            "nc_id": range(4),
            "photostability_pre": ["going_dark", "going_dark", "stable", "not_tested"],
            "photostability_post": ["stable", "not_tested", "brightening", "not_tested"],
            "p_on_level_pre": [0.5, 0.9, 0.5, np.nan],
            "p_off_fraction_pre": [1e-3, 1e-5, 0.5, np.nan],
            "p_on_level_post": [0.5, np.nan, 1e-4, np.nan],
            "p_off_fraction_post": [0.5, np.nan, 0.5, np.nan],
            **{f"{test}_change_{e}": 0.3 for test in ("on_level", "off_fraction") for e in EPOCHS},
            "on_fraction_pre": [0.2, 0.3, 0.4, 0.0],
            "on_fraction_post": [0.2, 0.0, 0.4, 0.0],
        }
    )
    chosen, left_out = examples.choose_by_photostability(rows)
    # Two of three go dark, which chance makes of one in a hundred; one of five is no more.
    assert chosen["label"].tolist() == ["stable before: f, 2", "going dark before: f, 1"]
    assert "brightening 1 of 5" in left_out
    none, left_out = examples.choose_by_photostability(rows.iloc[:0])
    assert none.empty
    assert left_out == ""


@pytest.mark.parametrize("path", sorted(CAPTIONS.glob("*.rst")), ids=lambda path: path.stem)
def test_every_caption_is_plain_text(path):
    params = {"note": "simulated", "dark_cutoff": 0.1, "reference_s": 10.0}
    text = caption_text(path.read_text("utf-8"), field="f_1", **params)
    assert text.startswith("Simulated data.\n\n")
    assert not any(mark in text for mark in ("{", "}", "**", "``"))
    assert "Simulated" not in caption_text(path.read_text("utf-8"), **params | {"note": ""})


@pytest.mark.parametrize(
    ("pixel_size_um", "width_px", "text"),
    [(0.16, 512, "10 µm"), (0.16, 100, "2 µm"), (np.nan, 512, "100 px"), (0.1, 30, "0.5 µm")],
)
def test_a_scale_bar_has_a_round_length_of_at_most_a_fifth(pixel_size_um, width_px, text):
    figure = style.new_figure(85, 85)
    axes = figure.subplots()
    style.scale_bar(axes, pixel_size_um, width_px)
    assert text in words(figure)
    ends = axes.lines[0].get_xdata()
    value, unit = text.split()
    in_px = float(value) / (pixel_size_um if unit == "µm" else 1)
    assert (ends[1] - ends[0]) * width_px == pytest.approx(in_px)
    assert in_px <= 0.2 * width_px
