"""Events shorter than a frame: the time that their law gives where they are not seen."""

import numpy as np
import pytest

from blinkpair.blinking.field import MAX_SE
from blinkpair.blinking.states.event_laws import LAWS, law_weights
from blinkpair.blinking.states.short_events import State, short_events
from blinkpair.simulate.blinking import DwellLaw, trajectory_with_on_fraction
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


def state(frames, span, sigma, far_sigma):
    known = {"skewness": 0.0, "least_sigma": sigma, "least_sigma_se": 0.05}
    return State(frames, span, sigma, far_sigma, **known, scale=np.ones(len(frames)))


def mean_time(events):
    """Time and its standard error, the laws weighed by this trace alone."""
    laws = law_weights(events.fit[None], np.ones(1))[0]
    time = laws @ events.time
    return time, np.sqrt(laws @ (events.variance + (events.time - time) ** 2))


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.1])
def test_the_law_gives_the_time_in_dims(rate):
    rng = np.random.default_rng(5)
    time = dims(rng, rate, 0.05)
    sigma = 0.1  # of the distance of the levels: dims of 0.05 to 0.2 are in the noise
    x = 1.0 - time + sigma * rng.normal(size=FRAMES)
    on = x > 0.75  # what is dimmer is seen
    found, se = mean_time(short_events(x, state(on, -1.0, sigma, sigma)))
    assert found == pytest.approx(time[on].sum(), abs=3 * se + 2)
    assert se < 0.008 * FRAMES


def test_slow_fluctuations_of_the_level_are_no_dims():
    rng = np.random.default_rng(6)
    x = 1.0 + 0.15 * np.sin(np.arange(FRAMES) / 200) + 0.1 * rng.normal(size=FRAMES)
    found, _ = mean_time(short_events(x, state(np.ones(FRAMES, bool), -1.0, 0.15, 0.1)))
    assert found < 0.004 * FRAMES


def test_flashes_hold_no_more_light_than_the_off_frames():
    rng = np.random.default_rng(8)
    time = dims(rng, 0.05, 0.3)
    x = time + 0.2 * rng.normal(size=FRAMES)
    off = state(x < 0.5, 1.0, 0.2, 0.2)
    shortest = np.array([law[1] for law in LAWS])
    free = short_events(x, off)
    # An empty place that is known to 0.002 of the on level, and one that is 0.05 darker.
    limited, lighter = (short_events(x, off, (level, 0.002)) for level in (0.0, -0.05))
    tiny = shortest == 0.02
    assert (free.time[tiny] > 1.5 * time[x < 0.5].sum()).all()  # what the law alone would give
    assert (limited.time[tiny] < 0.8 * free.time[tiny]).all()
    assert mean_time(limited)[0] == pytest.approx(time[x < 0.5].sum(), abs=0.005 * FRAMES)
    assert mean_time(lighter)[0] > mean_time(limited)[0] + 0.02 * FRAMES


@pytest.mark.parametrize("shortest", [0.2, 0.5])
def test_the_traces_of_a_field_show_the_law_that_one_does_not(shortest):
    rng = np.random.default_rng(9)
    sigma, frames = 0.1, 1000
    fit = []
    for _ in range(30):
        x = 1.0 - dims(rng, 0.05, shortest, frames) + sigma * rng.normal(size=frames)
        fit.append(short_events(x, state(x > 0.75, -1.0, sigma, sigma)).fit)
    fit = np.array(fit)
    near = np.array([0.5 <= law[1] / shortest <= 2.0 for law in LAWS])
    alone = np.mean([law_weights(one[None], np.ones(1))[0][near].sum() for one in fit])
    together = law_weights(fit, np.ones(len(fit)))[:, near].sum(axis=1).mean()
    assert together > 0.8
    assert together > 0.5 + 0.5 * alone  # half of what one leaves open
    # One that shows nothing has the law of the field.
    nothing = law_weights(np.vstack([fit, np.zeros(len(LAWS))]), np.append(np.ones(30), 0.0))
    assert nothing[-1, near].sum() > 0.75


def test_off_events_below_a_frame_are_in_the_on_fraction_or_its_error():
    rng = np.random.default_rng(7)
    lit = 1.0 - np.stack([dims(rng, 0.15, s, 2000) for s in (0.02, 0.05, 0.1) for _ in range(6)])
    lit[:, :300] = 0.0
    electrons = rng.poisson(600 * lit / 5)  # behind a multiplying register, 5 counts each
    counts = 5 * np.where(electrons > 0, rng.gamma(np.maximum(electrons, 1)), 0)
    counts = counts + 40 * rng.normal(size=lit.shape)
    found = states_by("hmm", counts.astype(np.float32))
    error = found.on_fractions - lit.mean(axis=1)
    # Taken for on, these frames would add 0.02 to 0.04.
    assert abs(error.mean()) < 0.012
    # Of 18; 95 % are 17. Several events fall into one frame here, which the laws do not know.
    assert (np.abs(error) <= 1.96 * found.on_fractions_se).sum() >= 13
    assert np.abs(error).max() < 0.04


def test_many_events_of_a_frame_and_less_are_not_undetermined():
    rng = np.random.default_rng(10)
    law = DwellLaw(2.2, 0.005, 4.0)  # from a quarter of a frame
    kind = {"frames": 1000, "exposure_s": 0.02, "off_t_min_s": 0.02}
    wanted = rng.uniform(0.2, 0.8, 40)
    lit = np.stack([trajectory_with_on_fraction(rng, f, law, **kind) for f in wanted])
    counts = 480 * lit + 40 * rng.normal(size=lit.shape)
    found = states_by("hmm", counts.astype(np.float32))
    error = found.on_fractions - lit.mean(axis=1)
    known = found.on_fractions_se <= MAX_SE
    assert (~known).sum() <= 2  # of 40
    # Six have so few whole frames off that one wide on level fits their counts nearly as well.
    assert np.abs(error[known]).max() < 0.05
    assert abs(error[known].mean()) < 0.01  # -0.006 to -0.009 in eight such fields
    # 95 % are 38; three standard deviations below are 34.
    assert (np.abs(error) <= 1.96 * found.on_fractions_se).sum() >= 34
