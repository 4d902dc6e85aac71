"""Dwell times in the rows of the table: fits, lines, and events that noise makes."""

import numpy as np
import pytest

from blinkpair.blinking.run_lengths import events_to_fit, run_lengths
from blinkpair.dwell_fits.fits import fit_dwell_times
from blinkpair.dwell_fits.result import DwellFit, LawFit
from blinkpair.epochs import EPOCHS
from blinkpair.simulate.blinking import DwellLaw, on_time_per_frame
from tests.helpers.blinking_field import EXPOSURE_S, FRAMES, analyse
from tests.helpers.states import NOISE


def test_a_row_is_the_fit_of_its_own_states(field, found, by_model):
    intensity, _ = field
    events = run_lengths(by_model.states["pre"])
    for on, name in ((True, "on"), (False, "off")):
        durations, censored = events_to_fit(events, 0, state=on)
        fit = fit_dwell_times(
            durations,
            exposure_s=EXPOSURE_S,
            window_frames=FRAMES,
            censored=censored,
            min_events=50,
            short_events="camera",
        )
        assert by_model.table[f"alpha_{name}_pre"][0] == fit.alpha
        assert by_model.table[f"n_{name}_events_pre"][0] == len(durations)
    assert (found.states["pre"] == (intensity["pre"] > 100)).all()


def law_of(row, which, t):
    """P(t) per second from the columns of a row."""
    tau_s = row[f"tau_{which}_pre_s"]
    cut_off = t / tau_s if np.isfinite(tau_s) else 0.0
    short = row[f"short_{which}_pre_s"] / t
    exponent = row[f"log_amplitude_{which}_pre"] + short - cut_off
    return np.exp(exponent) * t ** -row[f"alpha_{which}_pre"]


@pytest.mark.parametrize("method", ["maximum_likelihood", "least_squares"])
def test_the_columns_draw_the_law_through_the_points(field, by_model, method):
    out = by_model
    if method != "maximum_likelihood":
        out = analyse(*field, dwell_times={"method": method}, threshold={"method": "hmm"})
    table, events = out.table, run_lengths(out.states["pre"])
    for on, which in ((True, "on"), (False, "off")):
        durations, censored = events_to_fit(events, 0, state=on)
        fit = fit_dwell_times(
            durations,
            exposure_s=EXPOSURE_S,
            window_frames=FRAMES,
            censored=censored,
            min_events=50,
            method=method,
            short_events="camera",
        )
        row = table.loc[0]
        start = int(row[f"fitted_from_frames_{which}_pre"])
        assert start == fit.fitted_from_frames
        t = EXPOSURE_S * np.arange(start, 200)
        assert law_of(row, which, t) == pytest.approx(fit.density(t), rel=1e-9)
        if method == "least_squares":
            continue  # biased by its nature
        # As many complete events as the law has within 200 frames, to four standard deviations.
        expected = (~censored).sum() * EXPOSURE_S * law_of(row, which, t).sum()
        counted = ((durations >= start) & (durations < 200) & ~censored).sum()
        assert counted == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_without_a_fit_there_is_no_line(found):
    for row in (1, 3, 4):
        for name in ("log_amplitude_on_pre", "short_on_pre_s", "fitted_from_frames_on_pre"):
            assert np.isnan(found.table.loc[row, name])


@pytest.mark.parametrize("model", ["power_law", "truncated_power_law", "undecided"])
def test_what_relaxes_short_events_is_part_of_the_line(model):
    pure = LawFit(alpha=1.6, tau_s=np.inf, short=-0.4, log_amplitude=-0.3)
    cut = LawFit(alpha=1.2, tau_s=0.7, short=0.2, log_amplitude=-0.9)
    law = cut if model == "truncated_power_law" else pure
    tau_s = law.tau_s if np.isfinite(law.tau_s) else np.nan
    laws = {"power_law": pure, "truncated_power_law": cut}
    fit = DwellFit(model, tau_s=tau_s, exposure_s=0.03, **laws)
    t = 0.03 * np.array([1.0, 2.5, 90.0])
    drawn = np.exp(fit.log_amplitude + fit.short_s / t - t / law.tau_s) * t**-law.alpha
    assert drawn == pytest.approx(fit.density(t), rel=1e-12)


def test_false_events_are_those_of_the_off_frames_noise(field, found):
    intensity, _ = field
    # Dark: 0.62 % of 20,000 frames lie above 2.5 sigma, each with two below beside it.
    expected = FRAMES * 0.00621 * (1 - 0.00621) ** 2
    counted = run_lengths(intensity["pre"][3] > 100)["state"].sum()
    reported = found.table["expected_false_on_events_pre"][3]
    # The noise is known to 1 %: 5 % of it here.
    assert reported == pytest.approx(expected, rel=0.15)
    assert reported == pytest.approx(counted, abs=4 * np.sqrt(counted))
    assert found.table["expected_false_on_events_pre"][4] == 0.0  # never off


def test_there_is_no_verdict_where_noise_makes_most_of_the_events():
    """Counts of 130 when on, 2.5 noises of 40 above off: noise makes half of the events.

    The second is the same at 500 counts. Truth: pure power laws.
    """
    rng = np.random.default_rng(4)
    law = DwellLaw(1.7, 0.04, 40.0)
    lit = on_time_per_frame(rng, law, law, frames=FRAMES, exposure_s=EXPOSURE_S)
    counts = np.stack([130 * lit, 500 * lit]) + NOISE * rng.normal(size=(2, FRAMES))
    intensity = dict.fromkeys(EPOCHS, counts.astype("f4"))
    out = analyse(intensity, np.full(2, True))
    weak, bright = out.table.iloc[0], out.table.iloc[1]
    for which, suffix in (("on", ""), ("off", "_off")):
        share = weak["expected_false_on_events_pre"] / weak[f"n_{which}_events_pre"]
        assert share > 0.4
        assert weak[f"blinking{suffix}_pre"] == "undecided"
        said = f"noise makes {100 * share:.0f} % of the {which} events: no verdict"
        assert weak[f"reason_{which}_pre"] == said
        assert bright[f"blinking{suffix}_pre"] != "undecided"
        assert np.isfinite(weak[f"alpha_{which}_pre"])  # of the curve
    # Nor are its events among those of many.
    own = out.durations[(out.durations["epoch"] == "pre") & (out.durations["state"] == "on")]
    assert own[["n_events", "n_cut_by_end"]].to_numpy().sum() == bright["n_on_events_pre"]


def test_durations_are_counted_over_the_emissive_of_the_populations(found):
    table, durations = found.table, found.durations
    for epoch, emissive in (("pre", [0, 2, 4]), ("post", [0, 4])):
        own = durations[durations["epoch"] == epoch]
        for state in ("on", "off"):
            rows = own[own["state"] == state]
            total = rows["n_events"].sum() + rows["n_cut_by_end"].sum()
            assert total == table.loc[emissive, f"n_{state}_events_{epoch}"].sum()
    assert (durations["window_frames"] == FRAMES).all()
    assert durations["duration_frames"].max() < FRAMES  # always on is cut at both ends


def test_straight_lines_are_an_option_of_the_fits(field):
    table = analyse(*field, dwell_times={"method": "least_squares"}).table
    assert table["alpha_on_pre"][0] != pytest.approx(1.7, abs=1e-3)
    assert table["blinking_pre"][0] in ("power_law", "truncated_power_law")
    # Where an F test stands in for the likelihood ratio nothing is undecided.
    assert "undecided" not in table["blinking_pre"].tolist()


def test_why_there_is_no_verdict_is_stated(found):
    assert found.table.loc[3, "reason_on_pre"] == "dark"
    # A dark one has its events counted all the same: those of the noise.
    assert found.table.loc[3, "n_on_events_pre"] > 50
    assert "fewer than min_events" in found.table.loc[4, "reason_on_pre"]


def test_a_type_that_noise_makes_has_a_remark():
    rng = np.random.default_rng(6)
    # Always on but for a tenth of the time, 180 counts with 50 of noise: 5 % of the frames that are
    # on are below 100, and cut an event each.
    on = np.ones((40, 5000))
    for row in on:
        for start in rng.integers(0, 5000, 25):
            row[start : start + rng.integers(5, 40)] = 0
    counts = {
        epoch: (level * on + rng.normal(0, np.where(on > 0, 50, 35))).astype(np.float32)
        for epoch, level in (("pre", 180), ("post", 500))
    }
    found = analyse(counts, np.full(40, True)).table
    fitted = found["blinking_pre"] != "not_fitted"
    assert fitted.sum() > 30
    assert found.loc[fitted, "reason_on_pre"].str.contains("noise makes").all()
    assert not found["reason_on_post"].str.contains("noise makes").any()
