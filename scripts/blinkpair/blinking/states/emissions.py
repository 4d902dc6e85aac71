"""Densities of the counts of frames that are off, lit in part, and on.

Counts are gamma (Pearson III) distributed where electron multiplication or few photons skew them,
else normal. Any part of a partly lit frame is equally likely:
its counts are spread evenly between two levels, blurred by the noise there. A thin uniform floor
limits the effect of one outlier.

Input: counts and levels. Output: densities, and the share of a partly lit frame that was lit.
"""

from __future__ import annotations

import math

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.compiled import njit

FLOOR = 1e-4  # weight of the uniform floor
_TABLE = 512  # counts at which the densities are tabulated
_REACH = 8.0  # the table reaches to so many spreads below off and above on
_LEAST_SKEWNESS = 0.02  # smaller ones are taken as none
_ROOT2 = math.sqrt(2.0)
_ROOT2PI = math.sqrt(2.0 * math.pi)
# Places in the vector of levels, and columns of the densities.
OFF_LEVEL, OFF_NOISE, ON_LEVEL, ON_SIGMA, GREY_LEVEL, GREY_SIGMA = range(6)
OFF, PARTLY, ON, GREY, PARTLY_GREY = range(5)


@njit()
def log_scale(skewness: float) -> float:
    """Return the logarithm of the factor that normalises `skewed`; slow, so done once."""
    if skewness < _LEAST_SKEWNESS:
        return -math.log(_ROOT2PI)
    shape = 4.0 / skewness**2
    return 0.5 * math.log(shape) - math.lgamma(shape)


@njit()
def skewed(z: float, skewness: float, scale: float) -> float:
    """Return the density of a gamma distribution of mean 0 and variance 1; normal without skew."""
    if skewness < _LEAST_SKEWNESS:
        return math.exp(scale - 0.5 * z * z)
    shape = 4.0 / skewness**2
    y = shape + z * math.sqrt(shape)
    return math.exp(scale + (shape - 1.0) * math.log(y) - y) if y > 0.0 else 0.0


@njit()
def partly_density(x: float, low: float, high: float, low_sigma: float, high_sigma: float) -> float:
    """Return the density of counts spread evenly from one level to another, and blurred."""
    above_low = math.erf((x - low) / (_ROOT2 * low_sigma))
    above_high = math.erf((x - high) / (_ROOT2 * high_sigma))
    return max(0.5 * (above_low - above_high), 0.0) / (high - low)


@njit()
def _below(z: float) -> float:
    return 0.5 * math.erfc(-z / _ROOT2)


@njit()
def lit_share(x: float, levels: FloatArray) -> tuple[float, float, float]:
    """Return what is known of the lit share of a partly lit frame with counts `x`.

    Returns
    -------
    mean, variance, over_half
        Of a normal distribution about (x - off) / (on - off), cut to 0..1; the probability that it
        is above one half.
    """
    span = levels[ON_LEVEL] - levels[OFF_LEVEL]
    share = (x - levels[OFF_LEVEL]) / span
    spread = math.sqrt(0.5 * (levels[OFF_NOISE] ** 2 + levels[ON_SIGMA] ** 2)) / span
    a, b = -share / spread, (1.0 - share) / spread
    inside = _below(b) - _below(a)
    if inside <= 1e-9:
        nearer = 1.0 if share > 0.5 else 0.0
        return nearer, 0.0, nearer
    at_a = math.exp(-0.5 * a * a) / _ROOT2PI
    at_b = math.exp(-0.5 * b * b) / _ROOT2PI
    shift = (at_a - at_b) / inside
    variance = spread**2 * (1.0 + (a * at_a - b * at_b) / inside - shift**2)
    over_half = (_below(b) - _below((0.5 - share) / spread)) / inside
    mean = min(max(share + spread * shift, 0.0), 1.0)
    return mean, min(max(variance, 0.0), 1.0 / 12.0), min(max(over_half, 0.0), 1.0)


@njit()
def _table_of(levels: FloatArray) -> tuple[float, float]:
    """Return the first counts and the step of a table: all here varies slowly with the counts."""
    low = levels[OFF_LEVEL] - _REACH * levels[OFF_NOISE]
    return low, (levels[ON_LEVEL] + _REACH * levels[ON_SIGMA] - low) / (_TABLE - 1)


@njit()
def densities(
    x: FloatArray, levels: FloatArray, skewness: tuple[float, float], grey: bool
) -> FloatArray:
    """Return densities (frames, 3 or with a grey level 5); `skewness` is that of off and of on."""
    n = len(x)
    floor = FLOOR / max(x.max() - x.min(), 1e-300)
    columns = 5 if grey else 3
    low, step = _table_of(levels)
    table = np.empty((_TABLE, columns))
    off_level, noise, on_level, sigma = levels[0], levels[1], levels[2], levels[3]
    off_scale, on_scale = log_scale(skewness[0]), log_scale(skewness[1])
    for k in range(_TABLE):
        c = low + k * step
        table[k, OFF] = skewed((c - off_level) / noise, skewness[0], off_scale) / noise + floor
        table[k, PARTLY] = partly_density(c, off_level, on_level, noise, sigma) + floor
        table[k, ON] = skewed((c - on_level) / sigma, skewness[1], on_scale) / sigma + floor
        if grey:
            grey_level, grey_sigma = levels[GREY_LEVEL], levels[GREY_SIGMA]
            grey_z = (c - grey_level) / grey_sigma
            table[k, GREY] = skewed(grey_z, skewness[1], on_scale) / grey_sigma + floor
            bright = partly_density(c, grey_level, on_level, grey_sigma, sigma)
            table[k, PARTLY_GREY] = bright + floor
    density = np.empty((n, columns))
    for t in range(n):
        place = (x[t] - low) / step
        if place <= 0.0 or place >= _TABLE - 1:
            density[t, :] = floor
            if place > 0.0:  # brighter than anything that is off
                density[t, ON] = 2.0 * floor
            continue
        k = int(place)
        w = place - k
        for s in range(columns):
            density[t, s] = (1.0 - w) * table[k, s] + w * table[k + 1, s]
    return density


@njit()
def lit_shares(x: FloatArray, levels: FloatArray) -> FloatArray:
    """Return `lit_share` of every frame, (frames, 3)."""
    low, step = _table_of(levels)
    table = np.empty((_TABLE, 3))
    for k in range(_TABLE):
        table[k, 0], table[k, 1], table[k, 2] = lit_share(low + k * step, levels)
    lit = np.zeros((len(x), 3))
    for t in range(len(x)):
        place = (x[t] - low) / step
        if place >= _TABLE - 1:
            lit[t, 0] = lit[t, 2] = 1.0
        elif place > 0.0:
            k = int(place)
            w = place - k
            for s in range(3):
                lit[t, s] = (1.0 - w) * table[k, s] + w * table[k + 1, s]
    return lit
