"""On times below a frame: no frame shows the on level, and those of the field stand in for it."""

import numpy as np
import pytest

from blinkpair.blinking.field import MAX_SE
from tests.helpers.states import NOISE, empty_counts, states_by

FRAMES, STEADY, FLASHING = 1500, 24, 12
ON_NOISES, LEVEL_SPREAD = 12.0, 0.25


def lit_by(rng, draw_on, mean_off):
    """Share of each frame on; times in frames, those off exponential."""
    n = 4 * FRAMES
    times = np.stack([rng.exponential(mean_off, n), draw_on(n)], axis=1)
    edges = np.concatenate([[0.0], np.cumsum(times.ravel())])
    time_on = np.concatenate([[0.0], np.cumsum((times * [0, 1]).ravel())])
    return np.diff(np.interp(np.arange(FRAMES + 1.0), edges, time_on))


def field(seed, longest, shortest=0.2, dim=1.0):
    """Return what is found of a field, and the shares of the frames on.

    The last ones are on for `shortest` to 1 of `longest` frames, at `dim` of the others' level.
    """
    rng = np.random.default_rng(seed)
    lit = [lit_by(rng, lambda n: rng.exponential(12.0, n), 20.0) for _ in range(STEADY)]
    for _ in range(FLASHING):
        lit.append(lit_by(rng, lambda n: rng.uniform(shortest, 1.0, n) * longest, 3.0))
    lit = np.array(lit)
    on = ON_NOISES * NOISE * np.exp(LEVEL_SPREAD * rng.normal(size=(len(lit), 1)))
    on[STEADY:] *= dim
    traces = on * lit + NOISE * rng.normal(size=lit.shape)
    found = states_by("hmm", traces.astype(np.float32), empty_counts(len(lit)))
    return found, lit.mean(axis=1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_flashes_below_a_frame_are_not_taken_for_longer_ones_in_silence(seed):
    found, true = field(seed, longest=0.5)
    flashing = slice(STEADY, None)
    error, se = (found.on_fractions - true)[flashing], found.on_fractions_se[flashing]
    # Mean parts of a frame are less than half of the level: on-fractions would be over twice 0.09.
    assert abs(error.mean()) < 0.25 * true[flashing].mean()
    # 95 % of 12 are 11.4; with a spread of the field's levels of one quarter, two may be missed.
    assert (np.abs(error) <= 1.96 * se).sum() >= FLASHING - 2


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_levels_that_frames_show_are_kept(seed):
    found, true = field(seed, longest=3.0)
    known = found.on_fractions_se <= MAX_SE
    error = (found.on_fractions - true)[known]
    assert np.sqrt((error**2).mean()) < 0.01
    # Levels that lie far below those of the field may be means of parts: at most one or two of 36.
    assert known.sum() >= len(true) - 2


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_a_level_that_enclosed_frames_show_does_not_depend_on_those_of_the_field(seed):
    """On for 2.5 to 5 frames, two or more of them lit throughout, at 0.7 of the field's level."""
    found, true = field(seed, longest=5.0, shortest=0.5, dim=0.7)
    dim = slice(STEADY, None)
    error = (found.on_fractions - true)[dim]
    assert (found.on_fractions_se[dim] <= MAX_SE).all()  # 0.07 to 0.17 with the field's levels
    assert np.sqrt((error**2).mean()) < 0.015


@pytest.mark.parametrize("seed", [10, 11, 12])
def test_neighbouring_frames_that_are_alike_show_a_level_in_the_noise(seed):
    """On for 3.5 frames on average, at 3.3 noises of off: no frame shows the level by itself."""
    rng = np.random.default_rng(seed)
    lit = np.array([lit_by(rng, lambda n: rng.exponential(3.5, n), 5.0) for _ in range(STEADY)])
    on = 3.3 * NOISE * np.exp(0.5 * LEVEL_SPREAD * rng.normal(size=(len(lit), 1)))
    traces = on * lit + NOISE * rng.normal(size=lit.shape)
    found = states_by("hmm", traces.astype(np.float32), empty_counts(len(lit)))
    # With the levels of the field instead of its own 0.044 to 0.065, and 2 to 18 of them.
    assert np.quantile(found.on_fractions_se, 0.9) < 0.035
    assert (found.on_fractions_se > MAX_SE).sum() <= 1
    error = found.on_fractions - lit.mean(axis=1)
    assert np.sqrt((error**2).mean()) < 0.015
