"""Stretches of switching within frames, in nanocrystals that are slow for most of the time."""

import numpy as np

from tests.blinking.test_fast_switching import counts_of, exponential, lit_traces
from tests.helpers.states import noise_counts, states_by, telegraph

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


def test_a_flash_over_the_field_does_not_end_the_analysis():
    """One frame with the lamp still on: its counts are far above every nanocrystal's on level."""
    rng = np.random.default_rng(2)
    on = np.stack([telegraph(rng, 0.5, 10, 200) for _ in range(12)])
    counts = 300.0 * on + noise_counts(rng, on.shape)
    counts[:6, 0], counts[6:, 0] = 8000.0, -4000.0
    found = states_by("hmm", counts)
    error = np.abs(found.on_fractions - on.mean(axis=1))
    assert (error < np.maximum(1.96 * found.on_fractions_se, 0.02)).all()
