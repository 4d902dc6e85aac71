"""First levels of two emitters in one spot, from the distribution of the counts.

A mixture of off, of either emitter alone, of both, and of frames lit in part is fitted to the
histogram of the counts, with every pair of steps on a grid.

Input: counts of one trace. Output: the likeliest pairs of steps.
"""

from __future__ import annotations

import math

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.blinking.states.emissions import FLOOR, log_scale, partly_density, skewed
from blinkpair.blinking.states.levels import Trace
from blinkpair.compiled import njit

_BINS, _GRID = 64, 18
_TAIL, _BRIGHTEST = 0.001, 0.995  # quantiles of the counts: the histogram's ends, the highest level
_LEAST_STEP = 1.0  # noises
_ITERATIONS = 6  # of the shares; levels are fixed


def first_steps(trace: Trace, n: int) -> list[tuple[float, float]]:
    """Return up to n pairs of steps above off, in counts: the highest maxima of the likelihood."""
    x, off = trace.x, trace.off
    low, brightest, high = np.quantile(x, (_TAIL, _BRIGHTEST, 1.0 - _TAIL))
    least = _LEAST_STEP * off.noise
    highest = max(float(brightest) - trace.first.off_level, 2.0 * least)
    steps = np.linspace(least, highest, _GRID)
    count, edges = np.histogram(x, bins=_BINS, range=(low, max(high, low + off.noise)))
    fit = _fits(
        0.5 * (edges[1:] + edges[:-1]),
        count.astype(np.float64),
        (trace.first.off_level, off.noise),
        trace.excess,
        trace.skewness,
        steps,
        FLOOR / (edges[-1] - edges[0]),
    )
    # A maximum is as likely as its eight neighbours on the grid, or likelier.
    around = np.pad(fit, 1, constant_values=-np.inf)
    neighbours = [
        around[1 + i : 1 + i + _GRID, 1 + j : 1 + j + _GRID]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if i or j
    ]
    peaks = np.argwhere(np.isfinite(fit) & (fit >= np.max(neighbours, axis=0)))
    order = np.argsort([-fit[i, j] for i, j in peaks], kind="stable")
    return [(float(steps[i]), float(steps[j])) for i, j in peaks[order[:n]]]


@njit()
def _fits(
    centre: FloatArray,
    count: FloatArray,
    off: tuple[float, float],
    excess: float,
    skewness: tuple[float, float],
    steps: FloatArray,
    floor: float,
) -> FloatArray:
    """Return the log-likelihood of each pair of steps, (steps, steps); -inf below the diagonal.

    `count` frames have counts near `centre` (bins,). The five shares of off, either emitter, both
    and partly lit frames are found by expectation maximisation.
    """
    off_scale, on_scale = log_scale(skewness[0]), log_scale(skewness[1])
    n, m = len(centre), len(steps)
    # Levels lie up to half a step of the grid beside it.
    blur = 0.25 * (steps[1] - steps[0]) ** 2
    fit = np.full((m, m), -np.inf)
    density, share, new = np.empty((n, 5)), np.empty(5), np.empty(5)
    for i in range(n):
        density[i, 0] = skewed((centre[i] - off[0]) / off[1], skewness[0], off_scale) / off[1]
    for a in range(m):
        for b in range(a, m):
            both = steps[a] + steps[b]
            top = math.sqrt(off[1] ** 2 + excess * both)
            for k, step in ((1, steps[a]), (2, steps[b]), (3, both)):
                sigma = math.sqrt(off[1] ** 2 + excess * step + blur)
                for i in range(n):
                    z = (centre[i] - off[0] - step) / sigma
                    density[i, k] = skewed(z, skewness[1], on_scale) / sigma
            for i in range(n):
                density[i, 4] = partly_density(centre[i], off[0], off[0] + both, off[1], top)
            share[:] = 0.2
            for _ in range(_ITERATIONS):
                new[:] = 1.0
                fit[a, b] = 0.0
                for i in range(n):
                    whole = floor
                    for k in range(5):
                        whole += share[k] * density[i, k]
                    fit[a, b] += count[i] * math.log(whole)
                    for k in range(5):
                        new[k] += count[i] * share[k] * density[i, k] / whole
                total = new.sum()
                for k in range(5):
                    share[k] = new[k] / total
    return fit
