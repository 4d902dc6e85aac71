"""A pure power law is not called truncated, a truncated one is, and other laws are neither."""

import numpy as np
import pytest

from blinkpair.dwell_fits.events import count_events
from blinkpair.dwell_fits.fits import fit_counted_events, fit_dwell_times
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.dwell_fits.short_events import Treatments
from tests.helpers.dwell_times import SETTINGS, WINDOW, draw, draw_continuous


@pytest.mark.parametrize(("alpha", "n"), [(1.2, 200), (1.5, 50), (1.8, 200), (2.2, 100)])
def test_a_pure_power_law_is_called_truncated_in_one_draw_of_twenty_at_most(alpha, n):
    rng = np.random.default_rng(11)
    fits = [fit_dwell_times(draw(rng, alpha, n), **SETTINGS) for _ in range(200)]
    # Level 5 %; 10 % is 3.2 binomial standard deviations (1.54 %) above it. The half
    # chi-square alone gives 8-11 % at these numbers of events.
    assert np.mean([f.model == "truncated_power_law" for f in fits]) <= 0.10


def test_few_events_of_a_steep_law_keep_the_level_by_the_correction():
    rng = np.random.default_rng(33)
    fits = [fit_dwell_times(draw(rng, 2.2, 100), **SETTINGS) for _ in range(600)]
    # 5 % and 3.5 binomial standard deviations of 0.9 %; the root of the ratio taken for normal
    # calls 10 % truncated.
    assert np.mean([f.model == "truncated_power_law" for f in fits]) < 0.081
    assert np.mean([f.p_value_half_chi_square < 0.05 for f in fits]) > 0.081


def test_pure_power_laws_with_enough_events_are_power_laws():
    rng = np.random.default_rng(12)
    fits = [fit_dwell_times(draw(rng, 1.6, 500), **SETTINGS) for _ in range(100)]
    assert sum(f.model == "power_law" for f in fits) >= 88  # 95 less 3 binomial sd of 2.2


@pytest.mark.parametrize("tau_frames", [10, 25, 50])
def test_truncated_power_laws_are_recognised_and_tau_comes_back(tau_frames):
    rng = np.random.default_rng(13)
    fits = [fit_dwell_times(draw(rng, 1.5, 300, tau_frames), **SETTINGS) for _ in range(60)]
    found = [f for f in fits if f.model == "truncated_power_law"]
    assert len(found) >= 56  # measured 97-100 % at 200 events
    tau_s = tau_frames * 0.02
    assert np.median([f.tau_s for f in found]) == pytest.approx(tau_s, rel=0.25)
    inside = np.mean([f.tau_low_s < tau_s < f.tau_high_s for f in found])
    assert inside >= 0.86  # 95 % less 3 binomial sd of 2.8 %


def test_few_events_of_a_steep_law_are_undecided():
    rng = np.random.default_rng(15)
    # At alpha = 2.2, the longest of 50 events lasts 50^(1 / 1.2) = 26 frames: half a second
    # holds no evidence on truncation at one.
    pure = [fit_dwell_times(draw(rng, 2.2, 50), **SETTINGS).model for _ in range(50)]
    assert pure.count("undecided") > 35


def test_a_truncation_is_seldom_called_a_power_law():
    rng = np.random.default_rng(16)
    # Truncated at the time of interest itself, the least favourable of those to be excluded.
    fits = [fit_dwell_times(draw(rng, 1.8, 100, 50), **SETTINGS) for _ in range(100)]
    assert sum(f.model == "power_law" for f in fits) <= 11  # 5 % and 3 binomial sd of 2.2


def test_how_time_was_cut_to_frames_does_not_make_a_truncation():
    rng = np.random.default_rng(17)
    for cut in (np.ceil, np.rint):
        samples = [cut(draw_continuous(rng, 1.5, 500, 1.0)).astype(int) for _ in range(60)]
        trusting = [fit_dwell_times(d, **SETTINGS, short_events="trust") for d in samples]
        fits = [fit_dwell_times(d, **SETTINGS) for d in samples]
        # Frames cut from continuous time hold too few of the shortest events: a law that
        # trusts them is 0.12-0.15 flat and fits better with a truncation in 55-100 % of draws.
        assert np.mean([f.p_value_half_chi_square < 0.05 for f in trusting]) > 0.4
        assert np.mean([f.model == "truncated_power_law" for f in fits]) < 0.15
        assert abs(np.mean([f.power_law.alpha for f in fits]) - 1.5) < 0.06


def test_events_that_noise_cuts_are_not_truncated_by_it():
    """Pure power laws of which false frames cut every 40th frame: the pieces end exponentially.

    At the level of 5 % six of 40 and more have a chance of 1.4 %; without the rate nearly all are
    called truncated.
    """
    rng = np.random.default_rng(53)
    called = {0.0: 0, 1 / 40: 0}
    for _ in range(40):
        t = np.minimum(rng.zipf(1.5, 100), WINDOW)
        ends = np.concatenate([[0], np.cumsum(t)])
        cuts = np.flatnonzero(rng.random(ends[-1]) < 1 / 40)
        pieces = np.diff(np.union1d(ends, cuts))
        events = count_events(pieces[pieces <= WINDOW], None, WINDOW)
        for rate in called:
            fit = fit_counted_events(
                events,
                exposure_s=0.02,
                window_frames=WINDOW,
                settings=DwellTimeSettings(),
                cut_rate=rate,
            )
            called[rate] += fit.p_value < 0.05
    assert called[0.0] >= 36
    assert called[1 / 40] <= 5


@pytest.mark.parametrize(
    ("alpha", "tau", "n"),
    [(1.5, np.inf, 2000), (1.8, np.inf, 200), (1.5, 25, 200), (1.2, 10, 2000)],
)
def test_the_test_of_fit_rejects_one_in_twenty_of_either_law(alpha, tau, n):
    # 400 draws: 5 % has a standard deviation of 1.1 %; 4 to 5.5 % were measured of 2,500 each.
    rng = np.random.default_rng([32, n])
    fits = [fit_dwell_times(draw(rng, alpha, n, tau), **SETTINGS) for _ in range(400)]
    assert 0.015 < np.mean([f.model == "neither" for f in fits]) < 0.085
    assert all((f.model == "neither") == (f.p_value_fit < 0.05) for f in fits)


@pytest.mark.parametrize("alpha", [1.2, 2.2])
def test_fifty_events_are_rejected_as_often_as_many(alpha):
    # 1,500 draws: a standard deviation of 0.56 %; uncorrected, 7 % of alpha 2.2 were.
    rng = np.random.default_rng([34, round(10 * alpha)])
    p = [
        Treatments.of(
            count_events(draw(rng, alpha, 50), None, WINDOW), WINDOW, relax=True
        ).p_value_fit()
        for _ in range(1500)
    ]
    assert 0.035 < np.mean(np.array(p) < 0.05) < 0.063


@pytest.mark.parametrize("fast", [2.5, 5, 25])
def test_two_exponentials_a_decade_apart_are_neither_law(fast):
    # 91, 94 and 99 % were measured of 800 each.
    rng = np.random.default_rng(33)
    mean = np.where(rng.random((100, 500)) < 0.5, fast, 10 * fast)
    fits = [fit_dwell_times(d, **SETTINGS) for d in np.ceil(rng.exponential(mean)).clip(1, WINDOW)]
    assert np.mean([f.model == "neither" for f in fits]) > 0.8
    # Whatever the verdict, what is drawn is the law that fits better, here the truncated one.
    assert all(np.isfinite(f.tau_s) and f.law is f.truncated_power_law for f in fits)
    assert all("test of fit" in f.reason for f in fits if f.model == "neither")


def test_a_cut_off_of_the_order_of_the_window_is_no_type():
    # A pure law that ends at a quarter of the window: clearly no pure one, and not type A.
    rng = np.random.default_rng(31)
    fits = [fit_dwell_times(draw(rng, 1.4, 1000, window=5000), **SETTINGS) for _ in range(40)]
    assert np.mean([f.p_value_half_chi_square < 0.05 for f in fits]) > 0.8
    # The test of fit rejects some, for good reason: the law ends at once, not exponentially.
    assert all(f.model in ("power_law", "neither") for f in fits)
    assert np.mean([f.model == "power_law" for f in fits]) > 0.7
    assert any("too long to separate" in f.reason for f in fits)


def test_durations_that_do_not_get_rarer_are_no_power_law():
    rng = np.random.default_rng(0)
    durations = rng.integers(1, 1001, 500)
    fit = fit_dwell_times(durations, exposure_s=0.02, window_frames=1000)
    assert fit.model == "neither"
    assert "alpha is not positive" in fit.reason
