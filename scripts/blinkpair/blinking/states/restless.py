"""Stretches in which a nanocrystal switches within frames, and the time on in them by the light.

Some nanocrystals switch slowly for most of the time, and many times a frame in between. The laws of
short events (`short_events`) are those of a whole trace, and see little of it: in such a stretch
nearly every frame is lit in part, and the chain takes an average of on and off for a level that is
a bit lower. Neighbouring frames show the stretches: they differ by more than the camera's noise.
There the time on is the light over the on level, which is that of frames lit throughout: the upper
edge of the counts, above which only noise makes any.

Input: a trace and its chain. Output: by how much the light makes the time on shorter.
"""

from __future__ import annotations

import math

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.levels import Trace
from blinkpair.compiled import njit

_WINDOW = 24  # frames: a stretch
_LEAST_PAIRS = 6  # of neighbours within a stretch
_ERRORS = 3.0  # above the camera's variance: that of n pairs is known to sqrt(3 / n)
_LEAST_SHARE = 0.01  # of the frames in such stretches: fewer change little
_LEAST_FRAMES = 40  # lit: fewer do not show an upper edge
# Counts, in units of the step, of which the distribution is fitted.
_LOWEST, _HIGHEST, _BINS = 0.3, 1.5, 30
# Levels that are tried, in units of the one that the chain found, and how finely around the best.
_LEVELS = np.arange(-0.06, 0.25, 0.04) + 1.0
_FINE = np.array([-0.02, -0.01, 0.01, 0.02])
# Densities of the lit shares of frames lit in part, a s^(a - 1): even, and rising towards
# the level.
_NODES = 12
_SHARES = (np.arange(_NODES) + 0.5) / _NODES
_RISING = np.stack([_SHARES ** (a - 1.0) for a in (1.0, 2.0, 4.0)])
_RISING /= _RISING.sum(axis=1, keepdims=True)
_ITERATIONS = 12
_ROOT_2PI = 2.5066


def time_less_by_light(trace: Trace, result: chain.Chain) -> float:
    """Return by how many frames the time on is shorter by the light, in stretches of switching.

    Frames at their ends, which have an off frame beside them, are left to the chain.
    """
    levels = result.levels
    off, noise, on = levels[: emissions.ON_SIGMA]
    lit = result.probability[:, emissions.OFF] < 0.5
    enclosed = np.zeros_like(lit)
    enclosed[1:-1] = lit[1:-1] & lit[:-2] & lit[2:]
    if enclosed.sum() < _LEAST_FRAMES:
        return 0.0
    inside = enclosed & _restless(trace, enclosed, off, noise)
    if inside.mean() < _LEAST_SHARE:
        return 0.0
    y = (trace.x - off) / (on - off)
    low, high = _LOWEST, max(_HIGHEST, float(y[enclosed].max()))
    count, edges = np.histogram(y[enclosed], bins=_BINS, range=(low, high))
    filled = count > 0
    if not filled.any():  # a level of single frames, as of a flash, far above all others
        return 0.0
    counts = 0.5 * (edges[1:] + edges[:-1])[filled], count[filled].astype(np.float64)
    model = noise / (on - off), trace.excess / (on - off), trace.skewness[1]
    level = _LEVELS[int(np.argmax(_edge_fit(*counts, _LEVELS, *model, _SHARES, _RISING)))]
    fine = np.append(level, level + _FINE)
    level = fine[int(np.argmax(_edge_fit(*counts, fine, *model, _SHARES, _RISING)))]
    return float(result.lit[inside].sum() - y[inside].sum() / level)


def _restless(trace: Trace, enclosed: BoolArray, off: float, noise: float) -> BoolArray:
    """Return the frames of stretches whose neighbours differ by more than noise, (frames,) bool."""
    x, pairs = trace.x, enclosed[1:] & enclosed[:-1]
    off_noise, signal = trace.course.factors[trace.course.part[1:]].T
    light = np.maximum(0.5 * (x[1:] + x[:-1]) - off, 0.0)
    camera = (noise * off_noise) ** 2 + trace.excess * signal * light
    stretch = np.arange(len(x)) // _WINDOW
    n, differing, expected = (
        np.bincount(stretch[1:], pairs * v, int(stretch[-1]) + 1)
        for v in (1.0, 0.5 * np.diff(x) ** 2, camera)
    )
    limit = 1.0 + _ERRORS * np.sqrt(3.0 / np.maximum(n, 1.0))
    return np.asarray(((differing > limit * expected) & (n >= _LEAST_PAIRS))[stretch])


@njit()
def _edge_fit(
    y: FloatArray,
    count: FloatArray,
    levels: FloatArray,
    noise: float,
    excess: float,
    skewness: float,
    shares: FloatArray,
    rising: FloatArray,
) -> FloatArray:
    """Return the log-likelihood of counts under each on level.

    The counts `y` are a mixture of frames lit throughout and of those lit in part, whose shares are
    distributed as in `rising`, in unknown proportions.
    """
    kinds = 1 + len(rising)
    fit = np.zeros(len(levels))
    scale = emissions.log_scale(skewness)
    density = np.empty((kinds, len(y)))
    weight = np.empty(kinds)
    new = np.empty(kinds)
    for k in range(len(levels)):
        density[:] = emissions.FLOOR
        sigma = math.sqrt(noise**2 + excess * levels[k])
        for i in range(len(y)):
            density[0, i] += emissions.skewed((y[i] - levels[k]) / sigma, skewness, scale) / sigma
        for s in range(len(shares)):
            place = shares[s] * levels[k]
            sigma = math.sqrt(noise**2 + excess * place)
            for i in range(len(y)):
                z = (y[i] - place) / sigma
                p = math.exp(-0.5 * z * z) / (sigma * _ROOT_2PI)
                for r in range(kinds - 1):
                    density[1 + r, i] += rising[r, s] * p
        weight[:] = 0.4 / (kinds - 1)
        weight[0] = 0.6
        for iteration in range(_ITERATIONS + 1):
            fit[k] = 0.0
            new[:] = 0.0
            for i in range(len(y)):
                whole = 0.0
                for r in range(kinds):
                    whole += weight[r] * density[r, i]
                fit[k] += count[i] * math.log(whole)
                for r in range(kinds):
                    new[r] += count[i] * weight[r] * density[r, i] / whole
            if iteration < _ITERATIONS:
                total = 0.0
                for r in range(kinds):
                    total += new[r]
                for r in range(kinds):  # sums of arrays take long to compile
                    weight[r] = new[r] / total
    return fit
