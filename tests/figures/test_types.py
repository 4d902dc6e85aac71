"""Figures of blinking types, dwell times and photostability: their content and texts."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from blinkpair.blinking.on_fractions import classify
from blinkpair.dwell_fits.fits import fit_dwell_times
from blinkpair.dwell_fits.histograms import log_binned_density
from blinkpair.epochs import EPOCHS
from blinkpair.figures import dwell_times, panels, style, types
from blinkpair.figures.dwell_examples import DwellExample, DwellTimes
from blinkpair.labels import CLASS_NAMES
from blinkpair.populations import blinking_types, type_states
from blinkpair.populations.pooled_dwell_times import pool_densities, pool_fits
from blinkpair.populations.pools import pool_durations
from blinkpair.populations.type_states import type_groups
from blinkpair.statistics.intervals import StatisticsSettings
from tests.helpers.figures import assert_text_inside, words

A, B = types.TRUNCATED, types.PURE
FIVE = (60, 70, 100, 120, "control")


def nanocrystals(labels=(100, "control"), n=120, seed=1, kinds=(0.2, 0.5, 0.1, 0.1, 0.1)):
    rng = np.random.default_rng(seed)
    parts = []
    for label in labels:
        before, after = rng.uniform(0, 1, (2, n))
        part = pd.DataFrame(
            {
                "field": [f"{label}_{i % 2}" for i in range(n)],
                "temperature_c": label,
                "nc_id": np.arange(n),
                "analysed": True,
                "on_fraction_pre": before,
                "on_fraction_post": after,
                "population": classify(before, after),
            }
        )
        for epoch in EPOCHS:
            part[f"blinking_{epoch}"] = rng.choice(type_states.TYPES, n, p=kinds)
            part[f"alpha_on_{epoch}"] = rng.normal(1.6, 0.2, n)
            part[f"tau_on_{epoch}_s"] = 0.2
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def durations(labels=(100,), n=400, exposure_s=0.02):
    rng = np.random.default_rng(2)
    parts = []
    for label in labels:
        for epoch in EPOCHS:
            for state in ("on", "off"):
                events = np.minimum(np.floor(rng.random(n) ** (-1 / 0.6)), 20_000).astype(int)
                frames, counts = np.unique(events, return_counts=True)
                parts.append(
                    pd.DataFrame(
                        {
                            "field": f"{label}_{exposure_s}",
                            "temperature_c": label,
                            "epoch": epoch,
                            "state": state,
                            "subset": 0,
                            "duration_frames": frames,
                            "n_events": counts,
                            "n_cut_by_end": 0,
                            "exposure_s": exposure_s,
                            "window_frames": 20_000,
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True)


def classes(labels=(100,), counts=(112, 11, 0, 10)):
    """The paper's 133 nanocrystals of Fig. 5, before and after."""
    n = sum(counts)
    row = {"n": n}
    for name, count in zip(CLASS_NAMES, counts, strict=True):
        share = count / n if n else np.nan
        row |= {f"n_{name}": count, f"fraction_{name}": share}
        row |= {f"fraction_{name}_low": 0.9 * share, f"fraction_{name}_high": share}
    keys = [{"temperature_c": t, "epoch": e} for t in labels for e in EPOCHS]
    return pd.DataFrame([key | row for key in keys])


def example(label="type A to B: f1, 3 (100 °C)"):
    events = np.minimum(np.floor(np.random.default_rng(3).random(300) ** -1.6), 900).astype(int)
    fit = fit_dwell_times(
        events, exposure_s=0.02, window_frames=20_000, censored=np.zeros(300, bool)
    )
    own = DwellTimes(log_binned_density(events, exposure_s=0.02), fit)
    return DwellExample(label, {(e, s): own for e in EPOCHS for s in ("on", "off")})


def every_figure(labels, **more):
    table = nanocrystals(labels, **more)
    events = durations(labels)
    return [
        types.delta_by_type(type_groups(table), note="simulated"),
        types.alpha_by_change(
            type_groups(table),
            blinking_types.alpha_by_change(type_groups(table), StatisticsSettings()),
        ),
        types.type_transitions(
            blinking_types.type_transitions(type_groups(table), StatisticsSettings())
        ),
        panels.fractions_by_epoch(
            blinking_types.summarise_types(type_groups(table), StatisticsSettings()),
            types.EMISSIVE_NAMES,
            of_what="emissive",
        ),
        dwell_times.pooled_dwell_times(
            pool_densities(pool_durations([events])), pool_fits(pool_durations([events]))
        ),
        dwell_times.example_dwell_times([example()]),
        panels.fractions_by_epoch(classes(labels), CLASS_NAMES, of_what="n"),
    ]


def plain(text):
    """Return a text on one line, with ordinary spaces."""
    return " ".join(text.split())


def filled(axes):
    """Return the heights of the filled histograms of a panel, in the order drawn."""
    steps = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
    return [patch.get_data().values for patch in steps if patch.get_fill()]


def test_histograms_hold_every_nanocrystal_of_the_type_and_of_all():
    table = nanocrystals(labels=(100,))
    states = type_states.blinking_states(table)
    figure = types.delta_by_type(type_groups(table))
    for ax, name, letter in zip(figure.axes, (A, B), "AB", strict=True):
        every, own = filled(ax)
        assert [every.sum(), own.sum()] == pytest.approx([100, 100])
        delta = states.loc[states["type_pre"] == name, "delta"]
        assert f"type {letter}, n = {len(delta)}" in ax.get_title(loc="left")
        assert f"median {style.points(delta.median())}" in ax.get_title(loc="left")
        assert own[10:].sum() == pytest.approx(100 * np.mean(delta >= 0))
    assert f"all n = {len(states)}" in words(figure)


def test_few_nanocrystals_are_a_tick_each():
    table = nanocrystals(labels=(100,))
    table.loc[np.flatnonzero(table["blinking_pre"] == A)[4:], "blinking_pre"] = B
    n = int((type_states.blinking_states(table)["type_pre"] == A).sum())
    ax = types.delta_by_type(type_groups(table)).axes[0]
    ticks = [line for line in ax.lines if line.get_marker() == "|"]
    assert [len(line.get_xdata()) for line in ticks] == [n]
    assert len(filled(ax)) == 1


def test_alpha_is_of_the_type_b_that_changed_much_on_common_bins():
    table = nanocrystals(labels=(70, 100))
    summary = blinking_types.alpha_by_change(type_groups(table))
    figure = types.alpha_by_change(type_groups(table), summary)
    text = words(figure)
    for _, row in summary.iterrows():
        assert f"gained, n = {row['n_gained']}, median {row['median_alpha_gained']:.2f}" in text
        assert f"lost, n = {row['n_lost']}, median {row['median_alpha_lost']:.2f}" in text
        assert f"α lost) = {100 * row['probability_gained_larger']:.0f} %" in text
    assert "gained more than 20 points" in text
    steps = [patch.get_data() for ax in figure.axes for patch in ax.patches]
    assert all(np.array_equal(step.edges, steps[0].edges) for step in steps)
    assert [step.values.sum() for step in steps] == pytest.approx([100] * 4)


def test_matrix_shows_the_count_and_the_share_of_the_row():
    table = nanocrystals(labels=(100,))
    transitions = blinking_types.type_transitions(type_groups(table))
    figure = types.type_transitions(transitions)
    cells = [text.get_text() for text in figure.axes[0].texts]
    shown = {(i, j): cells[6 * i + j] for i in range(6) for j in range(6)}
    row = transitions[(transitions["type_pre"] == A) & (transitions["type_post"] == B)].iloc[0]
    assert shown[0, 1] == f"{row['n']}\n{100 * row['fraction_of_pre']:.0f} %"
    assert shown[5, 5] == "–"  # dark in both is no part of n
    counts = [int(cell.split("\n")[0]) for place, cell in shown.items() if place != (5, 5)]
    assert sum(counts) == transitions["n"].sum()
    transitions.loc[row.name, "share_of_both"] = 0.066
    assert "estimated %: A→B 7" in words(types.type_transitions(transitions))


def test_counts_stand_below_the_classes():
    figure = panels.fractions_by_epoch(classes(), CLASS_NAMES, of_what="n")
    (ax,) = figure.axes
    below = [t.get_text() for t in ax.texts if t.get_text().isdigit()]
    assert below == ["112", "11", "0", "10"] * 2
    assert "n: 133 before, 133 after" in words(figure)
    table = blinking_types.summarise_types(type_groups(nanocrystals(labels=(100,))))
    n = table["n"].tolist()
    assert f"emissive: {n[0]} before, {n[1]} after" in words(
        panels.fractions_by_epoch(table, types.EMISSIVE_NAMES, of_what="emissive")
    )


def test_pooled_law_is_drawn_over_its_points():
    events = durations(n=4000)
    figure = dwell_times.pooled_dwell_times(
        pool_densities(pool_durations([events])), pool_fits(pool_durations([events]))
    )
    assert len(figure.axes) == 2
    assert {"a", "b"} <= set(words(figure).split("\n"))  # the panels' letters
    for ax in figure.axes:
        # Before and after are the same events, and have one law.
        [law] = [line for line in ax.lines if len(line.get_xdata()) == 200]
        points = [line for line in ax.lines if line.get_marker() == "o"]
        assert len(points) == 2
        for seen in points:
            # The line begins after the shortest duration.
            drawn = seen.get_xdata() >= 0.99 * law.get_xdata()[0]
            t, p = (np.asarray(values)[drawn] for values in seen.get_data())
            at = np.interp(np.log(t[:8]), np.log(law.get_xdata()), np.log(law.get_ydata()))
            # 4,000 events: one bin holds 50 at least, the law's mean over it is not its middle.
            assert np.abs(at - np.log(p[:8])).max() < 0.5
    assert "on events: 4 000 before, 4 000 after" in words(figure)
    for row in pool_fits(pool_durations([events])).to_dict("records"):
        assert f"α = {dwell_times.with_error(row['alpha'], row['alpha_se'])}" in words(figure)


def test_each_exposure_has_its_column():
    events = pd.concat([durations(), durations(exposure_s=0.05)])
    figure = dwell_times.pooled_dwell_times(
        pool_densities(pool_durations([events])), pool_fits(pool_durations([events]))
    )
    assert len(figure.axes) == 4
    assert "100 °C, 50 ms frames" in words(figure)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.523, 0.031, "1.52(3)"),
        (1.523, 0.0096, "1.52(1)"),
        (1.52, 0.3, "1.5(3)"),
        (1.52, np.nan, "1.52"),
        (12.3, 2.2, "12(2)"),
    ],
)
def test_error_stands_in_the_last_digit(value, error, text):
    assert dwell_times.with_error(value, error) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.2234, "0.22"), (4.98, "5.0"), (44.1, "44"), (1234.0, "1200"), (np.inf, "∞")],
)
def test_seconds_have_two_digits_and_no_exponent(value, text):
    assert dwell_times.seconds(value) == text


def test_an_example_shows_what_was_found():
    figure = dwell_times.example_dwell_times([example()])
    assert "type A to B: f1, 3 (100 °C)" in words(figure)
    assert "on events: 300 before, 300 after" in words(figure)
    only = DwellExample("one epoch", {("pre", "on"): example().dwell_times["pre", "on"]})
    assert "no events" in words(dwell_times.example_dwell_times([only]))


def test_nothing_is_drawn_and_stated():
    none = nanocrystals().iloc[:0]
    events = durations().iloc[:0]
    drawn = [
        types.delta_by_type(type_groups(none)),
        types.alpha_by_change(type_groups(none), blinking_types.alpha_by_change(type_groups(none))),
        types.type_transitions(blinking_types.type_transitions(type_groups(none))),
        panels.fractions_by_epoch(
            blinking_types.summarise_types(type_groups(none)),
            types.EMISSIVE_NAMES,
            of_what="emissive",
        ),
        dwell_times.pooled_dwell_times(
            pool_densities(pool_durations([events])), pool_fits(pool_durations([events]))
        ),
        panels.fractions_by_epoch(classes().iloc[:0], CLASS_NAMES, of_what="n"),
    ]
    assert "enough events for a fit" in words(dwell_times.example_dwell_times([]))
    for figure in drawn:
        figure.draw_without_rendering()
        assert "no nanocrystals" in words(figure)


@pytest.mark.parametrize("n", [0, 120])
def test_a_temperature_without_types_has_a_line_in_place_of_a_panel(n):
    table = nanocrystals(labels=(70, 100))
    others = (table["temperature_c"] == 100).to_numpy()
    if n:
        table.loc[others, ["blinking_pre", "blinking_post"]] = "not_fitted"
    else:
        table.loc[others, "analysed"] = False
    groups = type_groups(table)
    n = len(groups[1].rows)  # without the dark in both
    summary = blinking_types.alpha_by_change(groups)
    for figure in (types.delta_by_type(groups), types.alpha_by_change(groups, summary)):
        assert len(figure.axes) == 2
        assert f"no panel: 100 °C (n = {n}); none of type" in plain(words(figure))
    transitions = blinking_types.type_transitions(groups)
    shares = blinking_types.summarise_types(groups)
    drawn = panels.fractions_by_epoch(
        shares, types.EMISSIVE_NAMES, of_what="emissive", none="not_fitted", empty="none emissive"
    )
    if n:
        assert "all not fitted" in plain(words(types.type_transitions(transitions)))
        assert "all not fitted" in plain(words(drawn))
        assert len(drawn.axes) == 1
    else:
        assert "none emissive" in words(drawn)


def test_where_nothing_was_fitted_there_is_no_law():
    events = durations(n=10)
    figure = dwell_times.pooled_dwell_times(
        pool_densities(pool_durations([events])), pool_fits(pool_durations([events]))
    )
    assert words(figure).count("not fitted") == 4
    assert "α" not in words(figure)
    bare = nanocrystals(labels=(100,), kinds=(0, 0, 0, 0, 1))
    assert "none of type A or B before" in plain(words(types.delta_by_type(type_groups(bare))))


@pytest.mark.parametrize("labels", [(70, 100, 120, "control"), FIVE], ids=len)
def test_text_stays_inside_the_figure_and_its_own_panel(labels):
    drawn: list[Figure] = every_figure(labels)
    for figure in drawn:
        assert_text_inside(figure)
        # What is written in and above a panel ends before the next panel begins.
        for ax in figure.axes:
            begin = ax.get_window_extent().x0
            row = ax.get_subplotspec().rowspan
            starts = [
                other.get_window_extent().x0
                for other in figure.axes
                if other.get_subplotspec().rowspan == row
            ]
            limit = min((x for x in starts if x > begin), default=figure.bbox.width)
            for text in (ax.title, ax._left_title, *ax.texts):
                if text.get_text():
                    assert text.get_window_extent().x1 <= limit + 1, text.get_text()
