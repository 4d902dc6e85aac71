"""Any number of events shows how likely a cut-off within 1 s is."""

import numpy as np
import pytest

from blinkpair.dwell_fits.cut_off_ratio import CERTAIN, ratio_of_cut_off
from blinkpair.dwell_fits.events import count_events
from tests.helpers.dwell_times import WINDOW, draw


def ratio(durations, cut=None):
    return ratio_of_cut_off(count_events(durations, cut, WINDOW), exposure_s=0.02).log_ratio


def test_events_of_many_seconds_exclude_a_cut_off_though_they_are_too_few_to_fit():
    # Three events of 6 s and longer have exp(-18) of the probability with a cut-off of 1 s.
    assert ratio([1, 300, 500, 700]) < -10
    assert ratio([WINDOW], [True]) == -CERTAIN  # on throughout


@pytest.mark.parametrize("durations", [[], [1], [1, 1, 1, 1]])
def test_events_without_a_long_one_show_nothing(durations):
    assert ratio(durations) == 0.0


def test_the_ratio_is_that_of_the_likelihoods_averaged_over_alpha():
    """Fifty events of 3 to 50 frames, by the laws' own sums over a range of alpha."""
    durations = np.repeat([3, 5, 8, 12, 20, 50], [20, 12, 8, 5, 4, 1])
    t = np.arange(3, 30_000.0)
    alphas = np.arange(0.02, 6, 0.04)
    beyond = 30_000 ** (1 - alphas[alphas > 1]) / (alphas[alphas > 1] - 1)
    prior = -((alphas - 1.5) ** 2) / 2

    def averaged(rate):
        sums = np.array([np.sum(t**-a * np.exp(-rate * t)) for a in alphas])
        if rate == 0:
            sums[alphas > 1] += beyond
            sums[alphas <= 1] = np.inf
        logs = -alphas * np.log(durations).sum() - rate * durations.sum() - 50 * np.log(sums)
        return np.logaddexp.reduce(logs + prior)

    gains = [averaged(0.02 * 2**k) - averaged(0.0) for k in range(5)]
    # The shift of the shortest events, which is free within about a frame, changes it by less.
    assert ratio([1, *durations]) == pytest.approx(np.log(np.mean(np.exp(gains))), abs=0.7)


def test_five_hundred_events_show_which_law_they_are_of():
    rng = np.random.default_rng(61)
    truncated = np.array([ratio(draw(rng, 1.4, 500, 11)) for _ in range(50)])
    pure = np.array([ratio(draw(rng, 1.6, 500)) for _ in range(50)])
    assert np.median(truncated) > 5
    assert np.median(pure) == -CERTAIN
    assert np.sum(truncated < 0) <= 2
    assert np.sum(pure > 0) <= 2
