"""Distributions of an EMCCD's output at a given light, as tables sampled in one step.

Almost all pixels of a movie show the background alone; drawing their electrons and multiplication
one by one would take ten times as long. The tables hold the exact distribution, tails included.

Input: expected counts and the camera. Output: alias tables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray

OUTCOMES = 512  # camera values a table holds, from `MARGIN` below the offset
MARGIN = 32
FINE = 4  # steps a count in the convolution with the read noise
MAX_COUNTS = 150.0  # above this the tail would not fit
LEVELS = 96


class AliasTables(NamedTuple):
    """Walker's alias tables, one a level of light.

    `threshold` (levels, 512) uint32 and `alias` (levels, 512) int16: an outcome drawn evenly is
    kept if 32 random bits are below its threshold, and else replaced by its alias. `level` and
    `fraction` (y, x) give the two levels between which each pixel lies; the fraction is in 2^-23.
    """

    threshold: NDArray[np.uint32]
    alias: NDArray[np.int16]
    level: NDArray[np.int16]
    fraction: NDArray[np.int32]


def distribution(expected_counts: float, gain: float, read_noise: float) -> FloatArray:
    """Return the probabilities of the camera values from `MARGIN` below to 480 above the offset.

    Poisson electrons with mean m, each multiplied to an exponential of mean `gain`:
    p(s) = sqrt(m / (s g)) exp(-m - s / g) I1(2 sqrt(m s / g)), and no electron at all with
    exp(-m) (Basden, Haniff & Mackay 2003, MNRAS 345, 985); then Gaussian read noise.
    """
    from scipy.special import ive, ndtr

    electrons = expected_counts / gain
    s = (np.arange((OUTCOMES - MARGIN) * FINE) + 0.5) / FINE
    signal = np.zeros(s.size + 1)
    if electrons > 0:
        x = 2 * np.sqrt(electrons * s / gain)
        # I1 scaled by exp(-x), so that nothing overflows.
        bessel = ive(1, x) * np.exp(x - electrons - s / gain)
        signal[1:] = np.sqrt(electrons / (s * gain)) * bessel / FINE
    signal[0] = np.exp(-electrons)
    # Steps of 1 / FINE, whose edges lie on whole and half counts. Pixels without an electron are
    # exactly at zero, the edge of a step; the others are taken to be at the middle of theirs.
    reach = MARGIN * FINE
    steps = np.arange(-reach, reach)
    if read_noise > 0:
        at_zero = np.diff(ndtr(np.append(steps, reach) / FINE / read_noise))
        at_middle = np.diff(ndtr((np.append(steps, reach) - 0.5) / FINE / read_noise))
    else:
        at_zero = at_middle = (steps == 0).astype(float)
    fine = np.convolve(signal[1:], at_middle)
    fine[: at_zero.size] += at_zero * signal[0]
    # The camera rounds: value v collects v - 1/2 to v + 1/2.
    centred = np.concatenate([np.zeros(FINE // 2), fine])
    rounded = centred[: OUTCOMES * FINE].reshape(OUTCOMES, FINE).sum(axis=1)
    return np.asarray(rounded / rounded.sum())


def alias_tables(background: FloatArray, gain: float, read_noise: float) -> AliasTables:
    """Return tables for every pixel of a background of expected counts.

    A pixel between two levels draws from either, in proportion: mean and shape are kept, the
    variance grows by less than a thousandth.
    """
    # Even in the square root, in which shot noise is even.
    top = float(np.sqrt(min(background.max(), MAX_COUNTS)))
    roots = np.linspace(0.0, max(top, 1e-3), LEVELS)
    place = np.clip(np.sqrt(np.clip(background, 0, MAX_COUNTS)) / roots[1], 0, LEVELS - 1 - 1e-6)
    level = np.floor(place).astype(np.int16)
    low, high = roots[level] ** 2, roots[level + 1] ** 2
    fraction = (np.clip((background - low) / (high - low), 0, 1) * 2**23).astype(np.int32)
    tables = [_alias(distribution(root**2, gain, read_noise)) for root in roots]
    return AliasTables(
        np.stack([t for t, _ in tables]), np.stack([a for _, a in tables]), level, fraction
    )


def _alias(p: FloatArray) -> tuple[NDArray[np.uint32], NDArray[np.int16]]:
    """Build one table (Vose 1991, IEEE Trans. Software Eng. 17, 972)."""
    scaled = p * OUTCOMES
    alias = np.arange(OUTCOMES, dtype=np.int16)
    keep = np.ones(OUTCOMES)
    small = [i for i in range(OUTCOMES) if scaled[i] < 1]
    large = [i for i in range(OUTCOMES) if scaled[i] >= 1]
    while small and large:
        i, j = small.pop(), large[-1]
        keep[i], alias[i] = scaled[i], j
        scaled[j] -= 1 - scaled[i]
        if scaled[j] < 1:
            small.append(large.pop())
    return (keep * (2**32 - 1)).astype(np.uint32), alias
