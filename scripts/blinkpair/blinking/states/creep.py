"""On levels that creep: bleaching, a lamp that dims, a focus that drifts.

The on counts of one trace are averaged in stretches of the movie; where these means scatter by more
than their errors, a parabola through them is the course of the on level, and the counts are brought
to a common one. Counts near the off level stay as they are.

Input: counts, which frames were on, and the levels of the chain. Output: the counts with a constant
on level.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.states.emissions import OFF_LEVEL, OFF_NOISE, ON_LEVEL

_STRETCHES = 8
_MIN_ON_FRAMES = 20  # in a stretch that is used
_MIN_STRETCHES = 3
_MEMORY_FRAMES = 3.0  # fluctuations of the on level last longer than a frame
_SIGNIFICANT = (3.0, 10.0)  # chi-square above this for each stretch, and this in all
_LEAST_CREEP = 0.04  # of the on level: standard deviation of the stretches
_LEAST_STEP = 5.0  # noises between the levels: with less, off and on overlap where on is dim
_NEAR_OFF = 1.5  # noises above off: counts below stay as they are
_MOST_FACTOR = 3.0


def level_course(x: FloatArray, on: BoolArray, levels: FloatArray) -> FloatArray | None:
    """Return the on level in every frame relative to its mean, (frames,); None where constant.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    on : (frames,) bool array
        Whole frames on.
    levels : (4 or 6,) array
        As in `emissions`.
    """
    off_level, step = levels[OFF_LEVEL], levels[ON_LEVEL] - levels[OFF_LEVEL]
    if step < _LEAST_STEP * levels[OFF_NOISE]:
        return None
    edges = np.linspace(0, len(x), _STRETCHES + 1).astype(int)
    found = []
    for first, last in pairwise(edges):
        counts = x[first:last][on[first:last]]
        if len(counts) >= _MIN_ON_FRAMES:
            error = float(counts.std()) * np.sqrt(_MEMORY_FRAMES / len(counts))
            found.append((0.5 * (first + last), counts.mean() - off_level, max(error, 1e-9 * step)))
    if len(found) < _MIN_STRETCHES:
        return None
    place, level, error = np.array(found).T
    mean = float(np.average(level, weights=error**-2))
    scatter = float((((level - mean) / error) ** 2).sum())
    if (
        scatter < _SIGNIFICANT[0] * len(level) + _SIGNIFICANT[1]
        or level.std() < _LEAST_CREEP * mean
    ):
        return None
    curve = np.polynomial.Polynomial.fit(place, level, min(2, len(level) - 2), w=1.0 / error)
    # Not beyond the stretches that were seen.
    course = curve(np.clip(np.arange(len(x)), place[0], place[-1])) / step
    return np.asarray(np.clip(course, 1.0 / _MOST_FACTOR, _MOST_FACTOR))


def constant_level(x: FloatArray, course: FloatArray, levels: FloatArray) -> FloatArray:
    """Return counts whose on level is the same throughout; the off level and its noise stay."""
    noise = levels[OFF_NOISE]
    above = x - levels[OFF_LEVEL]
    full = 0.4 * float(course.min()) * (levels[ON_LEVEL] - levels[OFF_LEVEL])
    weight = np.clip((above - _NEAR_OFF * noise) / max(full - _NEAR_OFF * noise, noise), 0.0, 1.0)
    return np.asarray(x + above * (1.0 / course - 1.0) * weight)
