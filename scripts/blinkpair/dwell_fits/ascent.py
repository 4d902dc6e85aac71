"""Maximise the log-likelihood of a dwell-time law by Newton's method, compiled.

It is compiled, because one nanocrystal takes a dozen maximisations on arrays of a hundred numbers,
for which calls of numpy take longer than the arithmetic.

Input: the sufficient statistics of the events and the nodes of the normalising sums, as laid out
by `laws.DwellLikelihood`. Output: the maximum, its height and its curvature.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.compiled import njit

_MAX_ITERATIONS = 60
_CONVERGED = 1e-10  # gain of log-likelihood still to be had
_NOTHING = 45.0  # exp(-45) of a sum is below its rounding error
_ALPHA_RANGE = (-10.0, 30.0)  # keeps Newton finite; far outside anything physical


@njit(fastmath={"reassoc"})  # sums of a hundred products, in any order: several at a time
def log_likelihood(
    theta: FloatArray,
    statistics: FloatArray,
    log_weight: FloatArray,
    starts: IntArray,
    omega: FloatArray,
    sums: FloatArray,
    short_sd: float,
) -> tuple[float, FloatArray, FloatArray]:
    """Return value, gradient and Hessian of theta . sums + sum_g omega_g log Z_g(theta).

    Every normalising sum Z_g goes from a node of its own to the last one, so one pass from the
    last node to the first makes all of them.

    Parameters
    ----------
    theta : (k,) array
        Natural parameters: of log t, t, 1 / t, and of what else is in the law.
    statistics : (k, nodes) array
        The statistics at the nodes, whose durations ascend.
    log_weight : (nodes,) array
        Log weights of the nodes.
    starts : (g,) array
        First node of each normalising sum, ascending.
    omega : (g,) array
        How often each log Z_g enters.
    sums : (k,) array
        Sums of the statistics over the complete events.
    short_sd : float
        Standard deviation of a normal prior of theta[2] about zero.
    """
    k, end = statistics.shape
    value = 0.0
    gradient = sums.copy()
    hessian = np.zeros((k, k))
    terms = log_weight.copy()
    for a in range(k):
        value += theta[a] * sums[a]
        for j in range(end):
            terms[j] += theta[a] * statistics[a, j]
    weighted = np.empty(end)
    # Sums from a node on, over exp(top): of the terms, and of them times one or two statistics.
    top, z = -np.inf, 0.0
    first, second = np.zeros(k), np.zeros((k, k))
    for g in range(len(starts) - 1, -1, -1):
        start = starts[g]
        highest = top
        for j in range(start, end):
            highest = max(highest, terms[j])
        smaller = np.exp(top - highest)
        z *= smaller
        for a in range(k):
            first[a] *= smaller
            for b in range(a + 1):
                second[a, b] *= smaller
        top = highest
        # Far behind a cut-off even the squares of the durations add nothing.
        while end > start and terms[end - 1] + 2.0 * statistics[0, end - 1] < top - _NOTHING:
            end -= 1
        for j in range(start, end):
            terms[j] = np.exp(terms[j] - top)
            z += terms[j]
        for a in range(k):
            for j in range(start, end):
                weighted[j] = terms[j] * statistics[a, j]
                first[a] += weighted[j]
            for b in range(a + 1):
                total = 0.0
                for j in range(start, end):
                    total += weighted[j] * statistics[b, j]
                second[a, b] += total
        end = start
        value += omega[g] * (top + np.log(z))
        for a in range(k):
            mean = first[a] / z
            gradient[a] += omega[g] * mean
            for b in range(a + 1):
                hessian[a, b] += omega[g] * (second[a, b] - mean * first[b]) / z
    for a in range(k):
        for b in range(a):
            hessian[b, a] = hessian[a, b]
    value -= 0.5 * (theta[2] / short_sd) ** 2
    gradient[2] -= theta[2] / short_sd**2
    hessian[2, 2] -= 1.0 / short_sd**2
    return value, gradient, hessian


@njit()
def _newton_step(hessian: FloatArray, gradient: FloatArray, active: BoolArray) -> FloatArray:
    """Return the solution of (damping - H) step = gradient in the active parameters, by Cholesky.

    The damping is zero wherever -H is positive definite. With cut events it may not be, far from
    the maximum.
    """
    n = len(gradient)
    step = np.zeros(n)
    scale = 0.0
    for a in range(n):
        if active[a]:
            scale = max(scale, abs(hessian[a, a]))
    damping = 0.0
    lower = np.zeros((n, n))
    for _ in range(60):
        positive = True
        for a in range(n):
            for b in range(a + 1):
                if not (active[a] and active[b]):
                    lower[a, b] = 1.0 if a == b else 0.0
                    continue
                total = -hessian[a, b] + (damping if a == b else 0.0)
                for c in range(b):
                    total -= lower[a, c] * lower[b, c]
                if a == b:
                    if total <= 1e-13 * abs(hessian[a, a]) or total <= 0.0:
                        positive = False
                        break
                    lower[a, a] = np.sqrt(total)
                else:
                    lower[a, b] = total / lower[b, b]
            if not positive:
                break
        if positive:
            break
        damping = max(4.0 * damping, 1e-10 * scale, 1e-300)
    for a in range(n):
        if active[a]:
            total = gradient[a]
            for c in range(a):
                total -= lower[a, c] * step[c]
            step[a] = total / lower[a, a]
    for a in range(n - 1, -1, -1):
        if active[a]:
            total = step[a]
            for c in range(a + 1, n):
                total -= lower[c, a] * step[c]
            step[a] = total / lower[a, a]
    return step


@njit()
def maximise_likelihood(
    theta: FloatArray,
    free: BoolArray,
    statistics: FloatArray,
    log_weight: FloatArray,
    starts: IntArray,
    omega: FloatArray,
    sums: FloatArray,
    short_sd: float,
) -> tuple[FloatArray, float, FloatArray]:
    """Return the maximum over the free natural parameters, theta[1] <= 0 (a cut-off, not a growth).

    A Newton step is halved until the value rises. Without cut events the function is concave, and
    the one maximum is reached from any start.

    Returns
    -------
    theta, value, hessian
        At the maximum.
    """
    value, gradient, hessian = log_likelihood(
        theta, statistics, log_weight, starts, omega, sums, short_sd
    )
    for _ in range(_MAX_ITERATIONS):
        active = free.copy()
        if free[1] and theta[1] >= 0.0 and gradient[1] >= 0.0:
            active[1] = False  # the likelihood falls inward from the boundary
        step = _newton_step(hessian, gradient, active)
        largest = 1.0
        for a in range(len(theta)):
            if a != 1:
                largest = max(largest, abs(step[a]))
        step /= largest
        slope = 0.0
        for a in range(len(theta)):
            slope += gradient[a] * step[a]
        if slope < _CONVERGED:
            break
        while True:
            trial = theta + step
            if free[1]:
                trial[1] = min(trial[1], 0.0)
            trial[0] = min(max(trial[0], -_ALPHA_RANGE[1]), -_ALPHA_RANGE[0])
            new_value, gradient, hessian = log_likelihood(
                trial, statistics, log_weight, starts, omega, sums, short_sd
            )
            if new_value >= value or slope < 1e-2 * _CONVERGED:
                break
            step *= 0.5
            slope *= 0.5
        gain = new_value - value
        theta, value = trial, new_value
        if gain < _CONVERGED:
            break
    return theta, value, hessian
