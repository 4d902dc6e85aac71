"""Any number of events shows how likely a cut-off within 1 s is."""

import numpy as np
import pytest

from blinkpair.dwell_fits.cut_off_ratio import CERTAIN, log_ratio_of_cut_off
from blinkpair.dwell_fits.events import count_events
from blinkpair.populations.type_shares import pooled_type_shares
from tests.helpers.dwell_times import WINDOW, draw


def ratio(durations, cut=None):
    return log_ratio_of_cut_off(count_events(durations, cut, WINDOW), exposure_s=0.02)


def test_events_of_many_seconds_exclude_a_cut_off_though_they_are_too_few_to_fit():
    # Three events of 6 s and longer have exp(-18) of the probability with a cut-off of 1 s.
    assert ratio([1, 300, 500, 700]) < -10
    assert ratio([WINDOW], [True]) == -CERTAIN  # on throughout


@pytest.mark.parametrize("durations", [[], [1], [1, 1, 1, 1]])
def test_events_without_a_long_one_show_nothing(durations):
    assert ratio(durations) == 0.0


def test_the_ratio_is_that_of_the_likelihoods():
    """Ten events of 50 frames and one of 400, by the laws' own sums over a range of alpha."""
    durations = np.repeat([50, 400], [10, 1])
    t = np.arange(2, 30_000.0)
    alphas = np.arange(0.1, 3, 0.1)
    beyond = 30_000 ** (1 - alphas[alphas > 1]) / (alphas[alphas > 1] - 1)

    def highest(rate):
        sums = np.array([np.sum(t**-a * np.exp(-rate * t)) for a in alphas])
        if rate == 0:
            sums[alphas > 1] += beyond
            sums[alphas <= 1] = np.inf
        logs = -alphas * np.log(durations).sum() - rate * durations.sum() - 11 * np.log(sums)
        return logs.max()

    gains = [highest(0.02 * 2**k) - highest(0.0) for k in range(5)]
    # The shift of the shortest events, which is free within about a frame, changes it by less.
    assert ratio([1, *durations]) == pytest.approx(np.log(np.mean(np.exp(gains))), abs=1)


def test_five_hundred_events_show_which_law_they_are_of():
    rng = np.random.default_rng(61)
    truncated = np.array([ratio(draw(rng, 1.4, 500, 11)) for _ in range(50)])
    pure = np.array([ratio(draw(rng, 1.6, 500)) for _ in range(50)])
    assert np.median(truncated) > 5
    assert np.median(pure) == -CERTAIN
    assert np.sum(truncated < 0) <= 2
    assert np.sum(pure > 0) <= 2


def test_steep_laws_of_few_events_are_not_taken_for_a_cut_off():
    """Of alpha 2.2, 100 events last for half a second at most: they show little, and no cut-off."""
    rng = np.random.default_rng(63)
    ratios = [ratio(draw(rng, 2.2, 100)) for _ in range(80)]
    (a,), _ = pooled_type_shares([np.array(ratios)], [np.arange(80) % 4])
    assert a.value < 0.1


def test_noise_that_cuts_events_is_no_cut_off():
    rng = np.random.default_rng(62)
    ends = np.cumsum(np.minimum(draw(rng, 1.5, 400), 2000))
    cuts = np.flatnonzero(rng.random(ends[-1]) < 1 / 40)
    pieces = count_events(np.diff(np.union1d(np.append(0, ends), cuts)), None, WINDOW)
    assert log_ratio_of_cut_off(pieces, exposure_s=0.02) > 5
    assert log_ratio_of_cut_off(pieces, exposure_s=0.02, cut_rate=1 / 40) < 0
