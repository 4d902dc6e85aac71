"""Figures show what the tables hold, and the same figure gives the same bytes."""

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import Rectangle, StepPatch

import blinkpair
from blinkpair.blinking.on_fractions import classify
from blinkpair.figures import changes, field_pl, registration, sensitivity, style, traces
from blinkpair.populations.sensitivity import sensitivity_table
from blinkpair.populations.table import summarise_populations
from tests.helpers.figures import assert_text_inside, words

SCRIPTS = str(Path(blinkpair.__file__).parents[1])


def nanocrystals(labels=(70, "control"), n=40, seed=1):
    rng = np.random.default_rng(seed)
    parts = []
    for label in labels:
        before, after = rng.uniform(0, 1, (2, n))
        parts.append(
            pd.DataFrame(
                {
                    "field": [f"{label}_{i % 2}" for i in range(n)],
                    "temperature_c": label,
                    "analysed": True,
                    "on_fraction_pre": before,
                    "on_fraction_post": after,
                    "population": classify(before, after),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def heights(axes):
    return [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]


def test_histogram_holds_every_nanocrystal_of_n_and_none_else():
    table = nanocrystals(labels=(70,))
    table.loc[0, ["on_fraction_pre", "on_fraction_post"]] = [1.0, 0.0]  # the two outer edges
    table.loc[1, ["on_fraction_pre", "on_fraction_post"]] = [0.0, 1.0]
    table.loc[2, ["on_fraction_pre", "on_fraction_post"]] = [0.0, 0.0]  # dark in both
    table.loc[3, "analysed"] = False
    table["population"] = classify(
        table["on_fraction_pre"], table["on_fraction_post"], analysed=table["analysed"]
    )
    figure = changes.delta_histograms(table, summarise_populations(table))
    assert sum(heights(figure.axes[0])) == pytest.approx(100)


def test_histogram_states_n_and_mean_and_shows_the_control_in_every_panel():
    table = nanocrystals(labels=(70, 100, "control"))
    summary = summarise_populations(table)
    figure = changes.delta_histograms(table, summary, note="simulated")
    assert len(figure.axes) == 2
    for ax, (_, row) in zip(figure.axes, summary.iterrows(), strict=False):
        assert any(isinstance(patch, StepPatch) for patch in ax.patches)
        title = ax.get_title(loc="left")
        assert f"n = {row['n']} in 2 fields" in title
        assert style.points(row["mean_delta"]) in title
    assert "simulated" in words(figure)


def test_scatter_counts_are_those_of_the_populations():
    table = nanocrystals(labels=(70,))
    figure = changes.before_after_scatter(table, 0.10)
    row = summarise_populations(table).iloc[0]
    texts = [text.get_text() for text in figure.axes[0].texts]
    counts = [text for text in texts if text[0].isdigit() and "°C" not in text]
    names = ("became_emissive", "became_dark", "emissive")
    shares = [f"{row[f'n_{p}']} ({100 * row[f'fraction_{p}']:.0f} %)" for p in names]
    assert counts == [*shares, str(row["n_dark"])]
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["became emissive", "became dark", "emissive in both", "dark in both"]
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in dots) == row["n"] + row["n_dark"]


def test_temperatures_are_placed_in_order_whatever_the_rows_order():
    table = nanocrystals(labels=("control", 120, 70))
    figure = changes.population_fractions(summarise_populations(table))
    names = [label.get_text().split("\n")[0] for label in figure.axes[0].get_xticklabels()]
    assert names == ["70 °C", "120 °C", "control"]


@pytest.mark.parametrize("n", [0, 1])
def test_no_or_one_nanocrystal_is_drawn_and_stated(n):
    table = nanocrystals(labels=(70,), n=3)
    table["population"] = ["emissive"] * n + [""] * (3 - n)
    table["analysed"] = table["population"] != ""
    summary = summarise_populations(table)
    drawn = [
        changes.delta_histograms(table, summary),
        changes.before_after_scatter(table),
        changes.population_fractions(summary),
    ]
    assert all(f"n = {n}" in words(figure) for figure in drawn)


def test_trace_states_the_share_of_frames_above_its_threshold():
    before = np.array([[0, 150, 150, np.nan, 0.0]])
    after = np.array([[150.0, 150, 150, 250]])
    figure = traces.example_traces(before, after, [[100, 200]], 0.02, ["f1 / 3"])
    assert "before: on 50.0 %" in words(figure)
    assert "after: on 25.0 %" in words(figure)
    assert figure.axes[1].get_xlim()[1] == pytest.approx(4 * 0.02)
    assert "no nanocrystals" in words(traces.example_traces([], [], 100, 0.02, []))


def test_integrated_pl_is_relative_to_its_start():
    time_s = np.arange(0, 400, 1.0)
    curve = pd.DataFrame({"field": "f", "temperature_c": 120, "epoch": "pre", "time_s": time_s})
    curve["integrated_pl"] = 30 * (1 - time_s / 798)
    dark = curve.assign(epoch="post", integrated_pl=0.0)
    kept = pd.DataFrame({"temperature_c": ["120"] * 2, "epoch": ["pre", "post"]})
    kept = kept.assign(kept=[0.503, np.nan], kept_low=[0.45, np.nan], kept_high=[0.56, np.nan])
    figure = field_pl.integrated_pl(pd.concat([curve, dark]), kept)
    assert "before: 50 % (45–56) kept" in words(figure)
    assert "after: " not in words(figure)  # nothing can be kept of no light
    assert "ends of movies" not in words(figure)
    unequal = kept.assign(shortest_movie_s=100.0, longest_movie_s=400.0)
    assert "ends of movies of 100 to 400 s" in words(field_pl.integrated_pl(curve, unequal))
    line, reference, *_ = figure.axes[0].lines
    # The first ten seconds, 0 to 9, are 100 % on average.
    assert np.mean(line.get_ydata()[:10]) == pytest.approx(100)
    assert reference.get_ydata()[0] == 100
    assert "no PL" in words(field_pl.integrated_pl(dark, kept))


def test_sensitivity_is_drawn_at_the_nearest_setting_of_the_table():
    table = nanocrystals(labels=(70,))
    pre, post = table["on_fraction_pre"].to_numpy(), table["on_fraction_post"].to_numpy()
    grid = [
        table.assign(threshold_counts=c, on_fraction_pre=pre**c, on_fraction_post=post**c)
        for c in (0.5, 1.0, 2.0)
    ]
    found = sensitivity_table(grid, dark_cutoffs=(0.05, 0.12, 0.3))
    figure = sensitivity.sensitivity_figure(found, threshold_counts=1.0, dark_cutoff=0.10)
    line = figure.axes[0].lines[1]  # became emissive; the first marks the setting
    expected = found[found["dark_cutoff"] == 0.12]["fraction_became_emissive"]
    np.testing.assert_allclose(line.get_ydata(), 100 * expected)


def test_sensitivity_marks_the_threshold_of_the_fixed_method_alone():
    table = nanocrystals(labels=(70,))
    found = sensitivity_table([table.assign(threshold_counts=c) for c in (50.0, 100.0)])
    summary = summarise_populations(table)
    for method, marked in (("fixed", 1), ("noise", 0)):
        figure = sensitivity.sensitivity_figure(found, populations=summary, method=method)
        lines = [line.get_xydata() for line in figure.axes[0].lines if line.get_ls() == "--"]
        upright = [xy for xy in lines if xy[0, 0] == xy[1, 0]]
        level = {round(float(xy[0, 1]), 6) for xy in lines if xy[0, 1] == xy[1, 1]}
        assert len(upright) == marked
        shares = [100 * summary[f"fraction_{p}"].iloc[0] for p in changes.COUNTED]
        assert level == {round(share, 6) for share in shares}
        assert ("with method noise" in words(figure)) == (method == "noise")


def test_a_control_of_another_length_is_not_drawn_over_the_others():
    table = nanocrystals(labels=(70, "control"))
    summary = summarise_populations(table)
    for seconds, steps in ((6.0, 1), (72.0, 0)):
        control = summary["temperature_c"].astype(str) == "control"
        ends = {
            f"{end}_movie_s": np.where(control, seconds, 6.0) for end in ("shortest", "longest")
        }
        figure = changes.delta_histograms(table, summary.assign(**ends))
        drawn = [p for p in figure.axes[0].patches if isinstance(p, StepPatch)]
        assert len(drawn) == steps
        assert ("movies last 72 s, not 6 s" in " ".join(words(figure).split())) == (not steps)


def test_an_experiment_without_nanocrystals_is_drawn():
    fields = pd.DataFrame({"field": ["a"], "temperature_c": ["70"], "status": ["failed"]})
    none = nanocrystals().iloc[:0]
    summary = summarise_populations(none, fields)
    grid = sensitivity_table([none.assign(threshold_counts=100.0)])
    drawn = [
        changes.delta_histograms(none, summary),
        changes.before_after_scatter(none),
        changes.population_fractions(summary),
        sensitivity.sensitivity_figure(grid),
    ]
    for figure in drawn:
        figure.draw_without_rendering()
    assert all("no nanocrystals" in words(figure) or "n = 0" in words(figure) for figure in drawn)


def test_the_same_figure_gives_the_same_bytes_and_300_dots_an_inch(tmp_path, field):
    def draw():
        trace = np.random.default_rng(2).normal(0, 50, (1, 2000))
        return [
            traces.example_traces(trace, trace, 100, 0.02, ["f1 / 3"]),
            registration.registration_check(**field),
        ]

    for i, figures in enumerate(zip(draw(), draw(), strict=True)):
        written = [style.save_figure(f, tmp_path / f"{i}.{k}") for k, f in enumerate(figures)]
        for first, second in zip(*written, strict=True):
            assert first.read_bytes() == second.read_bytes()
        svg, pdf, png = written[0]
        assert svg.name == f"{i}.0.svg"  # a dot in a field's name is no suffix
        assert b"Date" not in pdf.read_bytes()
        inches = imread(png).shape[1] / 300
        assert inches == pytest.approx(figures[0].get_figwidth(), abs=1 / 300)


def test_another_process_writes_the_same_bytes(tmp_path):
    """Python's order of sets and the time of day have no effect."""
    code = (
        "import sys; from blinkpair.figures import style;"
        "figure = style.styled(style.new_figure)(85, 50, note='simulated');"
        "figure.subplots().set_title('fields: α, τ and 10 °C', fontweight='bold');"
        "style.save_figure(figure, sys.argv[1])"
    )
    for seed in "12":
        environment = {"PYTHONPATH": SCRIPTS, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed}
        command = [sys.executable, "-c", code, str(tmp_path / seed)]
        subprocess.run(command, check=True, env=environment)
    for kind in ("svg", "pdf", "png"):
        assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes()


def test_letters_of_a_pdf_are_embedded_as_truetype(tmp_path):
    figure = style.styled(style.new_figure)(85, 50)
    figure.subplots().set_title("change in on-fraction")
    pdf = style.save_figure(figure, tmp_path / "a")[1].read_bytes()
    assert b"/CIDFontType2" in pdf
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_all_files_of_a_figure_have_their_panels_in_the_same_place(tmp_path):
    """Letters are measured a little differently for each; the layout is that of the pixels."""
    summary = summarise_populations(nanocrystals())
    pixels, every = (changes.population_fractions(summary) for _ in range(2))
    with mpl.rc_context(dict(style.STYLE)):
        pixels.savefig(tmp_path / "pixels.png")
    style.save_figure(every, tmp_path / "every")
    for one, other in zip(pixels.axes, every.axes, strict=True):
        assert one.get_position().bounds == other.get_position().bounds
    assert every.get_layout_engine() is not None


def test_the_style_sheet_serves_a_users_own_figure():
    with mpl.rc_context():
        mpl.style.use(str(style.STYLE_SHEET))
        assert {key: mpl.rcParams[key] for key in style.STYLE} == dict(style.STYLE)
        assert mpl.rcParams["figure.figsize"][0] * 25.4 == pytest.approx(85, abs=0.1)


def test_settings_of_the_caller_have_no_effect_and_stay(tmp_path):
    before = style.new_figure(80, 50)
    first = style.save_figure(before, tmp_path / "a")[0].read_bytes()
    with mpl.rc_context({"svg.hashsalt": None, "font.size": 20}):
        mine = dict(mpl.rcParams)
        second = style.save_figure(before, tmp_path / "b")[0].read_bytes()
        assert dict(mpl.rcParams) == mine
    assert first == second


def test_pyplot_is_never_imported():
    code = (
        "import importlib, pkgutil, sys; from blinkpair import figures\n"
        "for module in pkgutil.iter_modules(figures.__path__):\n"
        "    importlib.import_module(f'blinkpair.figures.{module.name}')\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": SCRIPTS})


def test_population_colours_are_distinguished():
    """Any two differ by 50 of 255 in red, green or blue."""
    colours = [
        np.array([int(to_hex(c)[i : i + 2], 16) for i in (1, 3, 5)])
        for c in style.POPULATION_COLOURS.values()
    ]
    for i, first in enumerate(colours):
        for second in colours[i + 1 :]:
            assert np.abs(first - second).max() > 50


@pytest.mark.parametrize("labels", [(70,), (70, "control"), (70, 100, 120, "control")], ids=len)
def test_figures_are_a_column_wide_and_hold_their_text(labels):
    table = nanocrystals(labels=labels, n=400)
    summary = summarise_populations(table)
    drawn: list[Figure] = [
        changes.delta_histograms(table, summary),
        changes.before_after_scatter(table),
        changes.population_fractions(summary),
    ]
    for figure in drawn:
        assert_text_inside(figure)
