"""Simulated counts, at nanocrystals and at empty places, and states by a method's name."""

from __future__ import annotations

import numpy as np

from blinkpair.blinking.off_levels import estimate_off_levels
from blinkpair.blinking.states.registry import assign_states
from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings

NOISE = 40.0


def noise_counts(
    rng: np.random.Generator, shape: tuple[int, ...], *, skewness: float = 0.0, noise: float = NOISE
) -> np.ndarray:
    """Draw the noise of the off level, normal or gamma distributed."""
    if not skewness:
        return noise * rng.normal(size=shape)
    k = 4 / skewness**2
    return noise * (rng.gamma(k, size=shape) - k) / np.sqrt(k)


def empty_counts(
    n: int, *, skewness: float = 0.0, noise: float = NOISE, offset: float = 0.0, frames: int = 2000
) -> np.ndarray:
    """Draw the counts at the empty places beside n nanocrystals, (n, frames) float32."""
    rng = np.random.default_rng([n, frames])
    drawn = noise_counts(rng, (n, frames), skewness=skewness, noise=noise)
    return (offset + drawn).astype(np.float32)


def telegraph(
    rng: np.random.Generator, on_fraction: float, block: int = 20, frames: int = 20_000
) -> np.ndarray:
    """Draw states that last whole blocks of frames, (frames,) bool."""
    blocks = rng.random(frames // block) < on_fraction
    return np.repeat(blocks, block)


def counts(
    rng: np.random.Generator, lit: np.ndarray, on: float = 500.0, skewness: float = 0.0
) -> np.ndarray:
    """Draw the counts of an EMCCD where frames are `lit` 0..1, with `on` counts at 1."""
    noise = noise_counts(rng, lit.shape, skewness=skewness)
    shot = rng.normal(size=lit.shape) * np.sqrt(2 * on * lit)
    return (on * lit + noise + shot).astype(np.float32)


def states_by(
    method: str, traces: np.ndarray, empty: np.ndarray | None = None, **settings: float
) -> AssignedStates:
    """Return the states of (n, frames) counts as the workflow assigns them.

    `empty` are the counts at the empty places; by default of normal noise of 40 counts.
    """
    own = ThresholdSettings(method, **settings)
    empty = empty_counts(len(traces)) if empty is None else empty
    return assign_states(traces, own, estimate_off_levels(empty))
