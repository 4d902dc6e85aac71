"""The pixels of a simulated sCMOS camera, each with an amplifier of its own.

Input: how much the pixels differ. Output: maps of offset, gain, read noise, telegraph noise and
dark counts; they belong to the camera and are the same in every field and epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ScmosSpread:
    """How the pixels of a camera differ.

    Attributes
    ----------
    offset_counts : float
        Standard deviation of the offset.
    gain : float
        Relative standard deviation of the gain.
    read_noise : float
        Standard deviation of the logarithm of the read noise, which has a long tail.
    warm_share, warm_counts : float
        Share of the pixels with a dark current, and its mean in counts a frame (exponential).
    telegraph_share, telegraph_counts : float
        Share of the pixels whose offset jumps between two levels, and the mean distance of the two
        in counts (exponential).
    telegraph_frames : int
        Longest time after which such a pixel draws its level anew; log-uniform from one frame.
    seed : int
        Of the camera.
    """

    offset_counts: float = 2.0
    gain: float = 0.01
    read_noise: float = 0.35
    warm_share: float = 0.03
    warm_counts: float = 15.0
    telegraph_share: float = 0.01
    telegraph_counts: float = 30.0
    telegraph_frames: int = 300
    seed: int = 30


class ScmosPixels(NamedTuple):
    """Maps (y, x) of a camera; `telegraph_frames` is 0 for pixels without two levels."""

    offset_counts: NDArray[np.float32]
    gain: NDArray[np.float32]
    read_noise_counts: NDArray[np.float32]
    telegraph_counts: NDArray[np.float32]
    telegraph_frames: NDArray[np.int64]
    dark_counts: NDArray[np.float32]


@lru_cache(maxsize=2)
def scmos_pixels(
    spread: ScmosSpread,
    shape: tuple[int, int],
    offset_counts: float,
    gain: float,
    read_noise_counts: float,
) -> ScmosPixels:
    """Return the maps of a camera with this median offset, gain and read noise."""
    rng = np.random.default_rng(spread.seed)
    warm = rng.random(shape) < spread.warm_share
    telegraph = rng.random(shape) < spread.telegraph_share
    longest = np.log(spread.telegraph_frames + 1)
    frames = np.exp(rng.uniform(0, longest, shape)).astype(np.int64)
    offset = rng.normal(offset_counts, spread.offset_counts, shape)
    own_gain = gain * rng.normal(1, spread.gain, shape)
    read_noise = read_noise_counts * rng.lognormal(0, spread.read_noise, shape)
    step = rng.exponential(spread.telegraph_counts, shape)
    dark = np.where(warm, rng.exponential(spread.warm_counts, shape), 0)
    return ScmosPixels(
        offset.astype(np.float32),
        own_gain.astype(np.float32),
        read_noise.astype(np.float32),
        step.astype(np.float32),
        np.where(telegraph, frames, 0),
        dark.astype(np.float32),
    )
