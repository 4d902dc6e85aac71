"""Densities of the counts of frames that are off, lit in part, and on.

Counts are gamma (Pearson III) distributed where electron multiplication or few photons skew them,
else normal. Any part of a partly lit frame is equally likely:
its counts are spread evenly between two levels, blurred by the noise there. A thin uniform floor
limits the effect of one outlier.

Input: counts and levels. Output: densities, and the share of a partly lit frame that was lit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.compiled import njit

FLOOR = 1e-4  # weight of the uniform floor
_TABLE = 512  # counts at which the densities are tabulated
_REACH = 8.0  # the table reaches to so many spreads below off and above on
_PART, _MOST_PARTS = 0.1, 16  # of the logarithm of the light
_FAR, _ENDS = 8.0, 6.5  # standard deviations
_LEAST_SKEWNESS = 0.02  # smaller ones are taken as none
_ROOT2 = math.sqrt(2.0)
_ROOT2PI = math.sqrt(2.0 * math.pi)
# Places in the vector of levels, and columns of the densities.
OFF_LEVEL, OFF_NOISE, ON_LEVEL, ON_SIGMA, GREY_LEVEL, GREY_SIGMA = range(6)
OFF, PARTLY, ON, GREY, PARTLY_GREY = range(5)


class NoiseCourse(NamedTuple):
    """How the noise changes through the movie, in counts that were divided by the light's course.

    `part` (frames,) is the row of `factors` (parts, 2) of each frame, and these are what the
    standard deviation of off counts and the variance that a signal adds are there, against the
    whole movie's. Without a course both are one throughout.
    """

    part: NDArray[np.uint8]
    factors: FloatArray

    @classmethod
    def of(cls, light: FloatArray, power: float) -> NoiseCourse:
        """Return that of counts divided by `light`, (frames,); noise goes with its power -`power`.

        Off noise does so that a camera or a background makes; of a signal, which the light makes,
        it is shot noise.
        """
        depth = np.log(light)
        parts = min(int(np.ceil(np.ptp(depth) / _PART)), _MOST_PARTS)
        if parts < 2:
            return cls.constant(len(light))
        edges = np.linspace(depth.min(), depth.max(), parts + 1)
        part = np.searchsorted(edges[1:-1], depth)
        middle = np.exp(0.5 * (edges[1:] + edges[:-1]))
        off = middle**-power
        off /= np.sqrt((off[part] ** 2).mean())
        return cls(part.astype(np.uint8), np.column_stack([off, 1.0 / middle]))

    @classmethod
    def constant(cls, frames: int) -> NoiseCourse:
        """Return that of a noise which does not change."""
        return cls(np.zeros(frames, np.uint8), np.ones((1, 2)))

    def among(self, frames: BoolArray) -> NoiseCourse:
        """Return that of chosen frames."""
        return NoiseCourse(self.part[frames], self.factors)

    def scale(self, levels: FloatArray, place: int) -> FloatArray:
        """Return the spread at a place of `levels` in every frame, against it, (frames,)."""
        own = np.array([at_factors(levels, factors)[place] for factors in self.factors])
        return np.asarray((own / levels[place])[self.part])


@njit()
def at_factors(levels: FloatArray, factors: FloatArray) -> FloatArray:
    """Return the levels with the spreads of one part of a `NoiseCourse`."""
    changed = levels.copy()
    if factors[0] == 1.0 and factors[1] == 1.0:
        return changed
    noise = levels[OFF_NOISE] ** 2
    changed[OFF_NOISE] *= factors[0]
    for place in range(ON_SIGMA, len(levels), 2):
        signal = max(levels[place] ** 2 - noise, 0.0) * factors[1]
        changed[place] = math.sqrt(noise * factors[0] ** 2 + signal)
    return changed


@njit()
def log_scale(skewness: float) -> float:
    """Return the logarithm of the factor that normalises `skewed`; slow, so done once."""
    if skewness < _LEAST_SKEWNESS:
        return -math.log(_ROOT2PI)
    shape = 4.0 / skewness**2
    return 0.5 * math.log(shape) - math.lgamma(shape)


@njit()
def skewed(z: float, skewness: float, scale: float) -> float:
    """Return the density of a gamma distribution of mean 0 and variance 1; normal without skew.

    It is 0 so far out that it would be below 1e-11.
    """
    if not -_FAR < z < _FAR * (1.0 + skewness):
        return 0.0
    if skewness < _LEAST_SKEWNESS:
        return math.exp(scale - 0.5 * z * z)
    shape = 4.0 / skewness**2
    y = shape + z * math.sqrt(shape)
    return math.exp(scale + (shape - 1.0) * math.log(y) - y) if y > 0.0 else 0.0


@njit()
def share_below(z: float) -> float:
    """Return the share of a normal distribution below z standard deviations, to nine digits."""
    if abs(z) > _ENDS:
        return 1.0 if z > 0.0 else 0.0
    return 0.5 * (1.0 + math.erf(z / _ROOT2))


@njit()
def partly_density(x: float, low: float, high: float, low_sigma: float, high_sigma: float) -> float:
    """Return the density of counts spread evenly from one level to another, and blurred.

    Of levels that have become one it is the normal density.
    """
    if high <= low:
        return math.exp(-0.5 * ((x - low) / low_sigma) ** 2) / (_ROOT2PI * low_sigma)
    above_low = share_below((x - low) / low_sigma)
    above_high = share_below((x - high) / high_sigma)
    return max(above_low - above_high, 0.0) / (high - low)


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
    inside = share_below(b) - share_below(a)
    if inside <= 1e-9:
        nearer = 1.0 if share > 0.5 else 0.0
        return nearer, 0.0, nearer
    at_a = math.exp(-0.5 * a * a) / _ROOT2PI
    at_b = math.exp(-0.5 * b * b) / _ROOT2PI
    shift = (at_a - at_b) / inside
    variance = spread**2 * (1.0 + (a * at_a - b * at_b) / inside - shift**2)
    over_half = (share_below(b) - share_below((0.5 - share) / spread)) / inside
    mean = min(max(share + spread * shift, 0.0), 1.0)
    return mean, min(max(variance, 0.0), 1.0 / 12.0), min(max(over_half, 0.0), 1.0)


@njit()
def floor_density(x: FloatArray) -> float:
    """Return the density of the uniform floor between the lowest and the highest counts."""
    lowest = highest = x[0]
    for counts in x:
        lowest, highest = min(lowest, counts), max(highest, counts)
    return FLOOR / max(highest - lowest, 1e-300)


@njit()
def _table_of(levels: FloatArray) -> tuple[float, float]:
    """Return the first counts and the step of a table: all here varies slowly with the counts."""
    low = levels[OFF_LEVEL] - _REACH * levels[OFF_NOISE]
    return low, (levels[ON_LEVEL] + _REACH * levels[ON_SIGMA] - low) / (_TABLE - 1)


@njit()
def _density_table(
    levels: FloatArray, skewness: tuple[float, float], floor: float, table: FloatArray
) -> None:
    """Fill a table (counts, columns) of densities."""
    low, step = _table_of(levels)
    off_level, noise, on_level, sigma = levels[0], levels[1], levels[2], levels[3]
    off_scale, on_scale = log_scale(skewness[0]), log_scale(skewness[1])
    for k in range(_TABLE):
        c = low + k * step
        table[k, OFF] = skewed((c - off_level) / noise, skewness[0], off_scale) / noise + floor
        table[k, PARTLY] = partly_density(c, off_level, on_level, noise, sigma) + floor
        table[k, ON] = skewed((c - on_level) / sigma, skewness[1], on_scale) / sigma + floor
        if table.shape[1] > 3:
            grey_level, grey_sigma = levels[GREY_LEVEL], levels[GREY_SIGMA]
            grey_z = (c - grey_level) / grey_sigma
            table[k, GREY] = skewed(grey_z, skewness[1], on_scale) / grey_sigma + floor
            bright = partly_density(c, grey_level, on_level, grey_sigma, sigma)
            table[k, PARTLY_GREY] = bright + floor


@njit()
def densities(
    x: FloatArray,
    levels: FloatArray,
    skewness: tuple[float, float],
    part: NDArray[np.uint8],
    factors: FloatArray,
) -> FloatArray:
    """Return densities (frames, 3 or with a grey level 5).

    `skewness` is that of off and of on; `part` and `factors` are those of a `NoiseCourse`.
    """
    n, parts = len(x), len(factors)
    floor = floor_density(x)
    columns = 5 if len(levels) > GREY_LEVEL else 3
    tables = np.empty((parts, _TABLE, columns))
    reach = np.empty((parts, 2))
    for m in range(parts):
        own = at_factors(levels, factors[m])
        reach[m, 0], reach[m, 1] = _table_of(own)
        _density_table(own, skewness, floor, tables[m])
    density = np.empty((n, columns))
    for t in range(n):
        m = part[t]
        place = (x[t] - reach[m, 0]) / reach[m, 1]
        if place <= 0.0 or place >= _TABLE - 1:
            for s in range(columns):
                density[t, s] = floor
            if place > 0.0:  # brighter than anything that is off
                density[t, ON] = 2.0 * floor
            continue
        k = int(place)
        w = place - k
        for s in range(columns):
            density[t, s] = (1.0 - w) * tables[m, k, s] + w * tables[m, k + 1, s]
    return density


@njit()
def lit_shares(
    x: FloatArray, levels: FloatArray, part: NDArray[np.uint8], factors: FloatArray
) -> FloatArray:
    """Return `lit_share` of every frame, (frames, 3); `part` and `factors` of a `NoiseCourse`."""
    parts = len(factors)
    tables = np.empty((parts, _TABLE, 3))
    reach = np.empty((parts, 2))
    for m in range(parts):
        own = at_factors(levels, factors[m])
        reach[m, 0], reach[m, 1] = _table_of(own)
        for k in range(_TABLE):
            counts = reach[m, 0] + k * reach[m, 1]
            tables[m, k, 0], tables[m, k, 1], tables[m, k, 2] = lit_share(counts, own)
    lit = np.zeros((len(x), 3))
    for t in range(len(x)):
        m = part[t]
        place = (x[t] - reach[m, 0]) / reach[m, 1]
        if place >= _TABLE - 1:
            lit[t, 0] = lit[t, 2] = 1.0
        elif place > 0.0:
            k = int(place)
            w = place - k
            for s in range(3):
                lit[t, s] = (1.0 - w) * tables[m, k, s] + w * tables[m, k + 1, s]
    return lit
