"""Light that swings within a second is followed; steady, fading and stepping light is not its."""

import numpy as np
import pytest

from blinkpair.blinking.states.flicker import frame_light
from blinkpair.simulate.blinking import DwellLaw, trajectory_with_on_fraction
from tests.helpers.states import NOISE, states_by

FRAMES, N = 1000, 30
TIME = np.arange(FRAMES)
ON_NOISES = 12.0


@pytest.fixture(scope="module")
def lit():
    rng = np.random.default_rng(1)
    law = DwellLaw(1.6, 0.04, 4.0)
    shares = np.linspace(0.05, 0.95, N)
    return np.stack(
        [trajectory_with_on_fraction(rng, f, law, frames=FRAMES, exposure_s=0.02) for f in shares]
    )


def traces(lit, light, seed=2):
    """Counts at nanocrystals and at empty places; the light makes the noise of both."""
    rng = np.random.default_rng(seed)
    on = ON_NOISES * NOISE * np.exp(0.3 * rng.normal(size=(N, 1)))
    signal = on * lit * light
    noise = np.sqrt(NOISE**2 * light + 10.0 * signal)
    empty = NOISE * np.sqrt(light) * rng.normal(size=lit.shape)
    counts = signal + noise * rng.normal(size=lit.shape)
    return counts.astype(np.float32), empty.astype(np.float32)


@pytest.mark.parametrize("frames", [5.3, 37.0])
def test_on_fractions_do_not_depend_on_light_that_swings(lit, frames):
    light = 1.0 + 0.5 * np.sin(2 * np.pi * TIME / frames)
    found = states_by("hmm", *traces(lit, light))
    error = found.on_fractions - lit.mean(axis=1)
    # What is asked of levels of eight noises and more in steady light.
    assert np.sqrt((error**2).mean()) < 0.010
    # 95 % of 30 are 28.5; three standard deviations below are 25.
    assert (np.abs(error) <= 1.96 * found.on_fractions_se).sum() >= 25


def test_the_light_is_known_frame_by_frame(lit):
    light = 1.0 + 0.5 * np.sin(2 * np.pi * TIME / 37.0)
    counts, _ = traces(lit, light)
    levels = [np.array([0.0, NOISE, on, NOISE]) for on in ON_NOISES * NOISE * np.ones(N)]
    found = frame_light(list(zip(counts.astype(float), levels, strict=True)))
    assert found is not None
    # Some 15 are on, each with 12 % of noise: 3 %, and twice that where the light is low.
    assert (found / light).std() < 0.06


@pytest.mark.parametrize(
    "light",
    [np.ones(FRAMES), np.linspace(1.3, 0.7, FRAMES), np.where(TIME < 500, 1.3, 0.7)],
    ids=["steady", "fading", "step"],
)
def test_steady_and_slow_light_does_not_swing(lit, light):
    counts, _ = traces(lit, light)
    levels = [np.array([0.0, NOISE, on, NOISE]) for on in ON_NOISES * NOISE * np.ones(N)]
    assert frame_light(list(zip(counts.astype(float), levels, strict=True))) is None
