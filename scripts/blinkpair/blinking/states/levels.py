"""First levels of a trace, from the distribution of its counts.

The off level is known beforehand, from places without a nanocrystal; the on level is not. A mixture
of off, partly lit and on frames is fitted to the histogram of the counts, from several on levels,
and the likeliest is kept. How much likelier it is than no on frames at all is the evidence for a
second level; the same fit of places without a nanocrystal shows how much of that noise alone makes.

Input: counts of one trace and its off level. Output: the levels from which the model starts, and
the evidence for the upper one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.blinking.states.emissions import (
    FLOOR,
    NoiseCourse,
    log_scale,
    partly_density,
    skewed,
)
from blinkpair.compiled import njit

_BINS_PER_NOISE = 4
_MAX_BINS = 2048
_ITERATIONS = 60
_CONVERGED = 1e-3  # of the log-likelihood
_SAME = 0.01  # noises, and of the frames
_ABOVE_OFF = 2.0  # noises: frames above this give the on levels to start from
_STARTS = (0.05, 0.3, 0.6, 0.9)  # their quantiles
_LEAST_STEP = 1.0  # noises between the levels
_DEFAULT_STEP = 4.0  # noises, where no frame is above
_NOISE_RANGE = 3.0  # of its error: how far the off noise may lie from that of the empty place


class OffPrior(NamedTuple):
    """What is known of a trace's off level before the trace is looked at.

    `level` lies within `low` and `high`, normally distributed with the standard deviation
    `level_se`; `noise_se` is relative; else counts.
    """

    level: float
    level_se: float
    noise: float
    noise_se: float
    low: float
    high: float
    skewness: float


class FirstLevels(NamedTuple):
    """Levels of the mixture; `gain` is its log-likelihood above that of off frames alone."""

    gain: float
    off_level: float
    on_level: float
    on_sigma: float
    on_share: float


class Known(NamedTuple):
    """What is known of the levels of a chain before they are learnt, for compiled functions.

    Off is expected at `level` with `noise`, each as if seen in `level_frames` and `noise_frames`
    frames, and within `low` to `high` and `low_noise` to `high_noise`, counts. `excess` is the
    variance that the camera adds to a signal of one count. A first level above off counts as seen
    in `on_frames` frames, and a spread that follows from the camera as in `spread_frames`.
    """

    level: float
    noise: float
    level_frames: float
    noise_frames: float
    low: float
    high: float
    low_noise: float
    high_noise: float
    excess: float
    on_frames: float
    spread_frames: float


class Trace(NamedTuple):
    """Finite counts of one trace, what is known of its off level, and its first levels.

    `skewness` is that of off and of on counts; `field_step` the median on level of the field above
    off, in noises, and `field_spread` the standard deviation of its logarithm; `excess` the
    variance of the signal over its mean, counts, which is the camera's, and `excess_confirmed`
    whether the field's traces agree on it; `course` is how the noise changes through the movie.
    """

    x: FloatArray
    off: OffPrior
    first: FirstLevels
    course: NoiseCourse
    skewness: tuple[float, float] = (0.0, 0.0)
    field_step: float = 8.0
    field_spread: float = 1.0
    excess: float = 0.0
    excess_confirmed: bool = True

    def known(self, *, on_frames: float, camera_spread: bool = False) -> Known:
        """Return what is known of the levels, for a first on level worth `on_frames` frames.

        With `camera_spread` the spread of on is drawn to the camera's noise, which is known as well
        as that of off.
        """
        off = self.off
        noise_frames = 0.5 / off.noise_se**2
        return Known(
            level=off.level,
            noise=off.noise,
            level_frames=(off.noise / off.level_se) ** 2,
            noise_frames=noise_frames,
            low=off.low,
            high=off.high,
            low_noise=off.noise * max(1.0 - _NOISE_RANGE * off.noise_se, 0.5),
            high_noise=off.noise * (1.0 + _NOISE_RANGE * off.noise_se),
            excess=self.excess,
            on_frames=on_frames,
            spread_frames=noise_frames if camera_spread else 0.0,
        )


def first_levels(x: FloatArray, off: OffPrior) -> FirstLevels:
    """Return the levels of a mixture of off, partly lit and on frames.

    Parameters
    ----------
    x : (frames,) array
        Finite counts.
    off : OffPrior
    """
    low, high = x.min() - off.noise, x.max() + off.noise
    bins = int(min(np.ceil((high - low) / off.noise * _BINS_PER_NOISE), _MAX_BINS))
    count, edges = np.histogram(x, bins=bins, range=(low, high))
    filled = count > 0
    centre = 0.5 * (edges[1:] + edges[:-1])
    above = x[x > off.level + _ABOVE_OFF * off.noise]
    starts = np.quantile(above, _STARTS) if len(above) >= len(_STARTS) else np.zeros(0)
    middle = np.median(x)
    if middle > off.level + 0.5 * _ABOVE_OFF * off.noise:
        starts = np.append(starts, middle)
    if not len(starts):
        starts = np.array([off.level + _DEFAULT_STEP * off.noise])
    weight = (off.noise / off.level_se) ** 2
    return FirstLevels(
        *_mixture(
            centre[filled],
            count[filled].astype(np.float64),
            FLOOR / (high - low),
            np.array([off.level, off.noise, off.low, off.high, weight, 0.5 / off.noise_se**2]),
            off.skewness,
            starts,
        )
    )


@njit()
def _mixture(
    centre: FloatArray,
    count: FloatArray,
    floor: float,
    off: FloatArray,
    skewness: float,
    starts: FloatArray,
) -> tuple[float, float, float, float, float]:
    """Return the fields of `FirstLevels` (expectation maximisation from each start)."""
    n = len(centre)
    total = moment = square = 0.0
    for i in range(n):
        total += count[i]
        moment += count[i] * centre[i]
    off_scale, on_scale = log_scale(skewness), log_scale(0.0)
    level, prior_noise, low, high = off[0], off[1], off[2], off[3]
    weight, noise_weight = off[4], off[5]
    alone = min(max((moment + weight * level) / (total + weight), low), high)
    for i in range(n):
        square += count[i] * (centre[i] - alone) ** 2
    square += noise_weight * prior_noise**2
    noise = math.sqrt(square / (total + noise_weight))
    without = -0.5 * noise_weight * (noise / prior_noise - 1.0) ** 2
    for i in range(n):
        without += count[i] * math.log(
            skewed((centre[i] - alone) / noise, skewness, off_scale) / noise + floor
        )
    best = (-1e300, level, level, noise, 0.0)
    for start in starts:
        noise = prior_noise
        off_level, on_level, sigma = level, start, 1.2 * noise
        share_off, share_partly, share_on = 0.45, 0.1, 0.45
        before = -1e300
        for _ in range(_ITERATIONS):
            found = -0.5 * noise_weight * (noise / prior_noise - 1.0) ** 2
            sum_off = x_off = x2_off = sum_partly = sum_on = x_on = x2_on = 0.0
            for i in range(n):
                x = centre[i]
                a = share_off / noise * skewed((x - off_level) / noise, skewness, off_scale)
                b = share_partly * partly_density(x, off_level, on_level, noise, sigma)
                c = share_on / sigma * skewed((x - on_level) / sigma, 0.0, on_scale)
                whole = a + b + c + floor
                found += count[i] * math.log(whole)
                part = count[i] / whole
                sum_off += a * part
                x_off += a * part * x
                x2_off += a * part * x * x
                sum_partly += b * part
                sum_on += c * part
                x_on += c * part * x
                x2_on += c * part * x * x
            if sum_on > 1e-3:
                mean = x_on / sum_on
                sigma = max(math.sqrt(max(x2_on / sum_on - mean * mean, 0.0)), noise)
                on_level = max(mean, off_level + _LEAST_STEP * noise)
            off_level = min(max((x_off + weight * level) / (sum_off + weight), low), high)
            square = x2_off - 2.0 * off_level * x_off + sum_off * off_level**2
            square += noise_weight * prior_noise**2
            noise = math.sqrt(square / (sum_off + noise_weight))
            share_off = (sum_off + 0.1) / (total + 0.3)
            share_partly = (sum_partly + 0.1) / (total + 0.3)
            share_on = (sum_on + 0.1) / (total + 0.3)
            if found - before < _CONVERGED:
                break
            before = found
            apart = abs(on_level - best[2]) + abs(sigma - best[3])
            if apart < _SAME * noise and abs(share_on - best[4]) < _SAME:
                break  # an earlier start led there, too
        if found - without > best[0]:
            best = (found - without, off_level, on_level, sigma, share_on)
    return best
