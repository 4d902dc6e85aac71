"""Events shorter than a frame: the time that their law gives where they are not seen."""

import numpy as np
import pytest

from blinkpair.blinking.states.short_events import short_events
from tests.helpers.states import states_by

FRAMES = 4000


def dims(rng, rate, shortest, n=FRAMES):
    """Share of each frame in events of t^-1.5, from `shortest` to one frame; `rate` a frame."""
    starts = np.flatnonzero(rng.random(n) < rate) + rng.random()
    u = rng.random(len(starts))
    ends = starts + (shortest**-0.5 + u * (1 - shortest**-0.5)) ** -2
    time = np.zeros(n)
    for start, end in zip(starts, ends, strict=True):
        for frame in range(int(start), min(int(end) + 1, n)):
            time[frame] += max(min(end, frame + 1) - max(start, frame), 0.0)
    return np.minimum(time, 1.0)


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.1])
def test_the_law_gives_the_time_in_dims(rate):
    rng = np.random.default_rng(5)
    time = dims(rng, rate, 0.05)
    sigma = 0.1  # of the distance of the levels: dims of 0.05 to 0.2 are in the noise
    x = 1.0 - time + sigma * rng.normal(size=FRAMES)
    between, mean, variance = short_events(x, time < 0.5, -1.0, sigma, sigma, 0.0)
    assert mean == pytest.approx(time[between].sum(), abs=3 * np.sqrt(variance) + 2)
    assert np.sqrt(variance) < 0.004 * FRAMES


def test_slow_fluctuations_of_the_level_are_no_dims():
    rng = np.random.default_rng(6)
    x = 1.0 + 0.15 * np.sin(np.arange(FRAMES) / 200) + 0.1 * rng.normal(size=FRAMES)
    _, mean, _ = short_events(x, np.ones(FRAMES, bool), -1.0, 0.15, 0.1, 0.0)
    assert mean < 0.004 * FRAMES


def test_off_events_below_a_frame_are_in_the_on_fraction_or_its_error():
    rng = np.random.default_rng(7)
    lit = 1.0 - np.stack([dims(rng, 0.15, s, 2000) for s in (0.02, 0.05, 0.1) for _ in range(6)])
    lit[:, :300] = 0.0
    counts = 600 * lit + 40 * rng.normal(size=lit.shape)
    counts += np.sqrt(10 * 600 * lit) * rng.normal(size=lit.shape)
    found = states_by("hmm", counts.astype(np.float32))
    error = found.on_fractions - lit.mean(axis=1)
    # Taken for on, these frames would add 0.02 to 0.04.
    assert abs(error.mean()) < 0.012
    assert (np.abs(error) <= 1.96 * found.on_fractions_se).sum() >= 15  # of 18; 95 % are 17
