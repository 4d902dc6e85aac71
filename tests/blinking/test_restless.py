"""Stretches of switching within frames, in nanocrystals that are slow for most of the time."""

import numpy as np

from tests.blinking.test_fast_switching import counts_of, exponential, lit_traces
from tests.helpers.states import states_by

FRAMES, NANOCRYSTALS, FAST = 1500, 20, 8
PERIOD, STRETCH = 200, 60  # frames


def test_the_light_gives_the_time_on_in_stretches_of_fast_switching():
    rng = np.random.default_rng(2)
    lit = lit_traces(rng, NANOCRYSTALS, exponential(rng, 15.0, 15.0), FRAMES)
    fast = lit_traces(rng, NANOCRYSTALS, exponential(rng, 0.6, 0.2), FRAMES)
    begin = rng.integers(0, PERIOD, (NANOCRYSTALS, 1))
    stretch = (np.arange(FRAMES) + begin) % PERIOD < STRETCH
    stretch[FAST:] = False
    lit = np.where(stretch, fast, lit)
    found = states_by("hmm", counts_of(rng, lit, 14.0, excess=5.0))
    error = np.abs(found.on_fractions - lit.mean(axis=1))
    # By the laws of the whole trace the error is 0.0096, and two of eight intervals do not hold.
    assert np.sqrt((error[:FAST] ** 2).mean()) < 0.008
    assert (error[:FAST] < 1.96 * found.on_fractions_se[:FAST]).all()
    assert np.sqrt((error[FAST:] ** 2).mean()) < 0.003
