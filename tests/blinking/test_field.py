"""From counts to the rows of the table, on simulated traces whose states are known."""

import numpy as np
import pandas as pd
import pytest

from blinkpair import files
from blinkpair.blinking.field import BlinkingSettings, analyse_nanocrystals
from blinkpair.blinking.run_lengths import events_to_fit, run_lengths
from blinkpair.dwell_fits.fits import fit_dwell_times
from blinkpair.dwell_fits.result import DwellFit, LawFit
from blinkpair.epochs import EPOCHS
from blinkpair.figures import examples
from blinkpair.inputs.settings import load_settings
from blinkpair.photometry.traces import epoch_dataset, join_epochs
from blinkpair.simulate.blinking import DwellLaw, on_time_per_frame
from tests.helpers.states import empty_counts

FRAMES, EXPOSURE_S, NOISE = 20_000, 0.02, 40.0
SETTINGS = load_settings({})


def analyse(intensity, analysed, light=None, noise=NOISE, because=None, **changed):
    n = len(analysed)
    places = pd.DataFrame({"nc_id": np.arange(n) + 10, "analysed": analysed})
    if because is not None:
        places["excluded_because"] = because
    settings = SETTINGS | {
        k: SETTINGS[k] | changed.get(k, {}) for k in ("threshold", "dwell_times")
    }
    return analyse_nanocrystals(
        places,
        places["nc_id"].to_numpy(),
        intensity,
        {epoch: empty_counts(n, noise=noise) for epoch in EPOCHS},
        exposure_s=EXPOSURE_S,
        settings=BlinkingSettings.of(settings),
        light=light,
    )


@pytest.fixture(scope="module")
def field():
    """Two that blink (one not analysed), one that goes off for good, one dark, one always on."""
    rng = np.random.default_rng(1)
    law, off = DwellLaw(1.7, 0.02, 40.0), DwellLaw(1.7, 0.04, 20.0)
    lit = np.zeros((5, FRAMES))
    for row in (0, 1, 2):
        lit[row] = on_time_per_frame(rng, law, off, frames=FRAMES, exposure_s=EXPOSURE_S)
    lit[4] = 1.0
    after = lit.copy()
    after[2] = 0.0
    intensity = {}
    for epoch, part in (("pre", lit), ("post", after)):
        shot = np.sqrt(1000 * part) * rng.normal(size=part.shape)
        intensity[epoch] = (500 * part + NOISE * rng.normal(size=part.shape) + shot).astype("f4")
    return intensity, np.array([True, False, True, True, True])


@pytest.fixture(scope="module")
def found(field):
    return analyse(*field)


def test_rows_state_what_happened(found):
    table = found.table
    assert table["nc_id"].tolist() == [10, 11, 12, 13, 14]
    assert table["population"].tolist() == ["emissive", "", "became_dark", "dark", "emissive"]
    assert table["blinking_pre"].tolist()[1:] == [
        "not_fitted",  # not analysed
        table["blinking_pre"][2],
        "not_fitted",  # dark
        "not_fitted",  # never off: no events
    ]
    assert {table["blinking_pre"][0], table["blinking_pre"][2]} <= {
        "power_law",
        "truncated_power_law",
    }
    assert table["blinking_post"][2] == "not_fitted"
    assert table["photostability_pre"][1] == "not_tested"
    assert table["photostability_post"][2] == "not_tested"
    assert table["photostability_pre"][4] == "stable"


def test_what_is_left_out_by_hand_is_in_no_number_and_has_the_population_it_would_be_in(field):
    intensity, _ = field
    judged = np.array([False, False, True, True, False])
    by_hand = np.where(judged, "by_hand", "")
    out = analyse(intensity, ~judged, because=by_hand)
    whole = analyse(intensity, np.full(5, True), because="")
    for name in ("population", "population_fixed", "population_best"):
        assert (out.table[name] == whole.table[name].where(~judged, "")).all()
    would_be = whole.table["population"].where(judged, "")
    assert out.table["population_left_out"].tolist() == would_be.tolist()
    assert would_be[judged].tolist() == ["became_dark", "dark"]
    assert (whole.table["population_left_out"] == "").all()
    assert out.table["excluded_because"].tolist() == by_hand.tolist()
    assert out.table["blinking_pre"][2] == "not_fitted"
    assert out.durations["n_events"].sum() < whole.durations["n_events"].sum()


def test_what_cannot_be_determined_is_not_counted_as_left_out_by_hand(field):
    intensity, _ = field
    unsure = {epoch: counts.copy() for epoch, counts in intensity.items()}
    rng = np.random.default_rng(3)
    unsure["pre"][0] = 60 * (rng.random(FRAMES) < 0.5) + NOISE * rng.normal(size=FRAMES)
    out = analyse(
        unsure,
        np.array([False, True, True, True, True]),
        because=["by_hand", "", "", "", ""],
        threshold={"method": "hmm"},
    ).table
    assert out["excluded_because"].tolist() == ["undetermined", "", "", "", ""]
    assert (out["population_left_out"] == "").all()


def test_a_row_is_the_fit_of_its_own_states(field, found):
    intensity, _ = field
    out = analyse(*field, threshold={"method": "hmm"})  # noise makes no events
    events = run_lengths(out.states["pre"])
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
        assert out.table[f"alpha_{name}_pre"][0] == fit.alpha
        assert out.table[f"n_{name}_events_pre"][0] == len(durations)
    assert (found.states["pre"] == (intensity["pre"] > 100)).all()


def law_of(row, which, t):
    """P(t) per second from the columns of a row."""
    tau_s = row[f"tau_{which}_pre_s"]
    cut_off = t / tau_s if np.isfinite(tau_s) else 0.0
    short = row[f"short_{which}_pre_s"] / t
    exponent = row[f"log_amplitude_{which}_pre"] + short - cut_off
    return np.exp(exponent) * t ** -row[f"alpha_{which}_pre"]


@pytest.mark.parametrize("method", ["maximum_likelihood", "least_squares"])
def test_the_columns_draw_the_law_through_the_points(field, method):
    intensity, analysed = field
    by_model = {"method": "hmm"}  # noise makes no events
    out = analyse(intensity, analysed, dwell_times={"method": method}, threshold=by_model)
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


def test_counts_when_on_are_the_mean_of_the_on_frames(field, found):
    counts = field[0]["pre"]
    for row in (0, 4):
        expected = counts[row][counts[row] > 100].astype(float).mean()
        assert found.table["counts_when_on_pre"][row] == pytest.approx(expected, rel=1e-6)
    # Always on: 500, known to the noise of 51 over the root of 20,000.
    assert found.table["counts_when_on_pre"][4] == pytest.approx(500, abs=1.5)


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


def test_the_integrated_light_is_that_of_the_analysed(field, found):
    intensity, analysed = field
    curve = found.integrated_pl[found.integrated_pl["epoch"] == "post"]
    assert len(curve) == 400
    total = intensity["post"][analysed].astype(float).sum(axis=0).mean()
    assert curve["integrated_pl"].mean() == pytest.approx(total, rel=1e-5)


def test_straight_lines_are_an_option_of_the_fits(field):
    table = analyse(*field, dwell_times={"method": "least_squares"}).table
    assert table["alpha_on_pre"][0] != pytest.approx(1.7, abs=1e-3)
    assert table["blinking_pre"][0] in ("power_law", "truncated_power_law")
    # Where an F test stands in for the likelihood ratio nothing is undecided.
    assert "undecided" not in table["blinking_pre"].tolist()


def test_what_was_not_measured_is_in_no_population(field):
    intensity, analysed = field
    lost = {epoch: counts.copy() for epoch, counts in intensity.items()}
    lost["post"][0] = np.nan
    lost["post"][4, ::2] = np.nan
    table = analyse(lost, analysed).table
    assert np.isnan(table["on_fraction_post"][0])
    assert table["population"][0] == ""
    assert table["on_fraction_post"][4] == pytest.approx(1.0, abs=1e-3)


def test_a_row_that_is_not_analysed_has_measurements_and_no_verdicts(found):
    row = found.table.loc[1]
    assert np.isfinite(row["on_fraction_pre"])
    assert row["threshold_from_pre"] == "fixed"
    assert row["n_on_events_pre"] > 50
    for name in ("alpha_on_pre", "p_off_fraction_post", "tau_off_pre_s"):
        assert np.isnan(row[name])
    assert row["reason_on_pre"] == "not analysed"


def test_why_there_is_no_verdict_is_stated(found):
    assert found.table.loc[3, "reason_on_pre"] == "dark"
    # A dark one has its events counted all the same: those of the noise.
    assert found.table.loc[3, "n_on_events_pre"] > 50
    assert "fewer than min_events" in found.table.loc[4, "reason_on_pre"]


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


def test_no_nanocrystals_make_no_rows():
    nothing = {epoch: np.empty((0, 0), np.float32) for epoch in EPOCHS}
    result = analyse(nothing, np.zeros(0, bool))
    assert result.table.empty
    assert "photostability_post" in result.table
    assert result.durations.empty


def test_examples_of_photostability_are_the_clearest(found):
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


@pytest.mark.parametrize(
    ("gain", "method", "counted"), [(1, "fixed", 4), (3, "fixed", 0), (3, "hmm", 4)]
)
def test_a_threshold_within_the_noise_counts_nothing(field, gain, method, counted):
    # Noise of 40 counts, 120 with three times the gain: 1.5 times that is above the threshold.
    intensity, analysed = field
    few = {epoch: gain * counts[:, :2000] for epoch, counts in intensity.items()}
    table = analyse(few, analysed, noise=gain * NOISE, threshold={"method": method}).table
    assert table["analysed"].sum() == counted
    if not counted:
        assert table["excluded_because"].tolist() == ["noisy", np.nan, "noisy", "noisy", "noisy"]
        assert (table["population"] == "").all()


def test_a_creeping_focus_changes_the_papers_recipe_only_where_it_is_to_be_followed():
    """Two whose on level falls from 300 to 60 counts, of which every frame on is known."""
    rng = np.random.default_rng(8)
    law, off = DwellLaw(1.7, 0.02, 4.0), DwellLaw(1.7, 0.04, 4.0)
    lit = np.stack(
        [on_time_per_frame(rng, law, off, frames=4000, exposure_s=EXPOSURE_S) for _ in range(2)]
    ).round()
    light = np.geomspace(5, 1, 4000)
    light /= light.mean()
    counts = (150 * lit * light + 10 * rng.normal(size=lit.shape)).astype("f4")
    intensity, analysed = dict.fromkeys(EPOCHS, counts), np.array([True, True])
    true = lit.mean(axis=1)
    unknown = analyse(intensity, analysed).table
    by_epoch = dict.fromkeys(EPOCHS, light)
    followed = analyse(intensity, analysed, by_epoch).table
    with_fixed = analyse(
        intensity, analysed, by_epoch, threshold={"fixed_follows_focus": True}
    ).table
    fixed = "on_fraction_pre_fixed"
    assert followed[fixed].tolist() == unknown[fixed].tolist()
    # On is below 100 counts in the last third of the movie.
    assert (followed[fixed] < 0.8 * true).all()
    for table, column in ((followed, "on_fraction_pre_best"), (with_fixed, fixed)):
        # An off frame of 10 counts reaches 100 where it counts nine times at the end of the movie:
        # never; the rest is counted exactly.
        assert table[column].to_numpy() == pytest.approx(true, abs=0.01)


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
