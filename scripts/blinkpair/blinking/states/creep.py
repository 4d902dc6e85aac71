"""On levels that change through the movie: bleaching, a lamp that dims or flickers, a level of jumps.

The counts of frames that are surely on are averaged in short stretches. Their means are taken as
those of a level that walks at random (the local level model: Harvey 1989, Forecasting, Structural
Time Series Models and the Kalman Filter, section 2.1); how far it walks is what makes the means
likeliest, and the level in each stretch is what all of them make likeliest. Counts are brought to a
constant level; those near the off level stay as they are.

Input: counts and the levels of the chain. Output: the counts with a constant on level.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.states.emissions import OFF_LEVEL, OFF_NOISE, ON_LEVEL
from blinkpair.compiled import njit

_STRETCH_FRAMES = 12  # on, in a stretch
_MIN_STRETCHES = 3
_MAX_STRETCHES = 400
_SURELY_ON = 0.3  # of the step: three frames in a row above are on, also where the level is low
_OF_COURSE = 0.5  # the same, of the course that was found
_SURELY_NOISES = 2.5  # three frames in a row of noise alone: 1 in 4 million
_LEAST_STEP = 5.0  # noises between the levels: with less, off and on overlap where on is dim
_GAIN = 8.0  # of the log-likelihood by a level that walks
_LEAST_CREEP = 0.02  # of the on level: standard deviation
_NEAR_OFF = 3.0  # noises above off: counts below stay as they are
_MOST_FACTOR = 4.0
# Variance of a stretch mean against that of independent frames; variance of the walk from one frame
# to the next, in squares of the on level.
_SCATTER = np.geomspace(1.0, 16.0, 5)
_WALK = np.append(0.0, np.geomspace(1e-8, 1e-2, 13))


class Constant(NamedTuple):
    """Counts with a constant on level, and the logarithm of how far they were compressed."""

    x: FloatArray
    log_slopes: float


def level_course(x: FloatArray, levels: FloatArray) -> FloatArray | None:
    """Return the on level in every frame relative to its mean, (frames,); None where constant.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    levels : (4 or 6,) array
        As in `emissions`.
    """
    step = levels[ON_LEVEL] - levels[OFF_LEVEL]
    if step < _LEAST_STEP * levels[OFF_NOISE]:
        return None
    above = (x - levels[OFF_LEVEL]) / step
    least = _SURELY_NOISES * levels[OFF_NOISE] / step
    course = _course(above, above > max(least, _SURELY_ON))
    if course is None:
        return None
    again = _course(above, above > np.maximum(least, _OF_COURSE * course))
    return course if again is None else again


def _course(above: FloatArray, chosen: BoolArray) -> FloatArray | None:
    """Return the course by the middle ones of three chosen frames in a row."""
    on = np.flatnonzero(chosen[1:-1] & chosen[:-2] & chosen[2:]) + 1
    n = min(len(on) // _STRETCH_FRAMES, _MAX_STRETCHES)
    if n < _MIN_STRETCHES:
        return None
    edges = np.linspace(0, len(on), n + 1).astype(int)
    frames = np.diff(edges)
    counts = above[on]
    mean = np.add.reduceat(counts, edges[:-1]) / frames
    place = np.add.reduceat(on, edges[:-1]) / frames
    pairs = np.diff(counts)[np.diff(on) == 1]
    if len(pairs) < _STRETCH_FRAMES:
        return None
    low, high = np.quantile(pairs, (0.16, 0.84))
    error = (0.5 * (high - low)) ** 2 / 2.0 / frames
    best, level = _walk(place, mean, error, _SCATTER, _WALK)
    constant, _ = _walk(place, mean, error, _SCATTER, _WALK[:1])
    if best - constant < _GAIN or level.std() < _LEAST_CREEP * level.mean():
        return None
    course = np.interp(np.arange(len(above)), place, level / np.average(level, weights=frames))
    return np.asarray(np.clip(course, 1.0 / _MOST_FACTOR, _MOST_FACTOR))


@njit()
def _walk(
    place: FloatArray, mean: FloatArray, error: FloatArray, scatter: FloatArray, walk: FloatArray
) -> tuple[float, FloatArray]:
    """Return the log-likelihood of the likeliest walk, and its level at each place."""
    n = len(mean)
    best = -1e300
    level = mean.copy()
    m, p = np.empty(n), np.empty(n)
    for s in scatter:
        for q in walk:
            found = 0.0
            m[0], p[0] = mean[0], s * error[0]
            for k in range(1, n):
                before = p[k - 1] + q * (place[k] - place[k - 1])
                total = before + s * error[k]
                off = mean[k] - m[k - 1]
                found -= 0.5 * (off * off / total + np.log(total))
                m[k] = m[k - 1] + before / total * off
                p[k] = before * s * error[k] / total
            if found > best:
                best = found
                level[n - 1] = m[n - 1]
                for k in range(n - 2, -1, -1):
                    more = q * (place[k + 1] - place[k])
                    level[k] = m[k] + p[k] / (p[k] + more) * (level[k + 1] - m[k])
    return best, level


def constant_level(x: FloatArray, course: FloatArray, levels: FloatArray) -> Constant:
    """Return counts whose on level is the same throughout; the off level and its noise stay."""
    step = levels[ON_LEVEL] - levels[OFF_LEVEL]
    near = np.minimum(_NEAR_OFF * levels[OFF_NOISE], 0.5 * course * step)
    over = x - levels[OFF_LEVEL] - near
    slope = np.where(over > 0.0, (step - near) / (course * step - near), 1.0)
    return Constant(x + over * (slope - 1.0), float(np.log(slope).sum()))
