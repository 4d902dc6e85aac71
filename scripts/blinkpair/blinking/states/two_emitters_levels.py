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
    and partly lit frames are found by expectation maximisation. `steps` are equidistant, so that
    the sums of two of them are few.
    """
    off_scale, on_scale = log_scale(skewness[0]), log_scale(skewness[1])
    n, m = len(centre), len(steps)
    between = steps[1] - steps[0]
    # Levels lie up to half a step of the grid beside it.
    blur = 0.25 * between**2
    of_off, alone = np.empty(n), np.empty((m, n))
    both, partly = np.empty((2 * m - 1, n)), np.empty((2 * m - 1, n))
    for i in range(n):
        of_off[i] = skewed((centre[i] - off[0]) / off[1], skewness[0], off_scale) / off[1]
    for k in range(2 * m - 1):
        total = 2.0 * steps[0] + k * between
        top = math.sqrt(off[1] ** 2 + excess * total)
        for step, density in ((steps[min(k, m - 1)], alone[min(k, m - 1)]), (total, both[k])):
            sigma = math.sqrt(off[1] ** 2 + excess * step + blur)
            for i in range(n):
                z = (centre[i] - off[0] - step) / sigma
                density[i] = skewed(z, skewness[1], on_scale) / sigma
        for i in range(n):
            partly[k, i] = partly_density(centre[i], off[0], off[0] + total, off[1], top)
    fit = np.full((m, m), -np.inf)
    whole = np.empty(n)
    for a in range(m):
        for b in range(a, m):
            columns = (of_off, alone[a], alone[b], both[a + b], partly[a + b])
            _learn_shares(count, *columns, floor, whole)
            fit[a, b] = 0.0
            for i in range(n):
                fit[a, b] += count[i] * math.log(whole[i])
    return fit


@njit(fastmath={"reassoc"})
def _learn_shares(
    count: FloatArray,
    d0: FloatArray,
    d1: FloatArray,
    d2: FloatArray,
    d3: FloatArray,
    d4: FloatArray,
    floor: float,
    whole: FloatArray,
) -> None:
    """Fill the density (bins,) of a mixture of five densities, of which the shares are learnt."""
    s0 = s1 = s2 = s3 = s4 = 0.2
    for _ in range(_ITERATIONS):
        n0 = n1 = n2 = n3 = n4 = 0.0
        for i in range(len(count)):
            whole[i] = floor + s0 * d0[i] + s1 * d1[i] + s2 * d2[i] + s3 * d3[i] + s4 * d4[i]
            part = count[i] / whole[i]
            n0 += part * d0[i]
            n1 += part * d1[i]
            n2 += part * d2[i]
            n3 += part * d3[i]
            n4 += part * d4[i]
        n0, n1, n2 = 1.0 + s0 * n0, 1.0 + s1 * n1, 1.0 + s2 * n2
        n3, n4 = 1.0 + s3 * n3, 1.0 + s4 * n4
        total = n0 + n1 + n2 + n3 + n4
        s0, s1, s2, s3, s4 = n0 / total, n1 / total, n2 / total, n3 / total, n4 / total
