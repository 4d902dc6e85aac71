"""Mean and variance of the time on under a hidden Markov chain, exact.

The probabilities of single frames give the mean alone: frames are not independent of each other.

Input: counts and a chain of one emitter, or the densities of any chain. Output: mean and variance
of the time on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.blinking.states.emissions import OFF, PARTLY, densities, lit_shares
from blinkpair.compiled import njit


@njit()
def expected_time(
    x: FloatArray,
    levels: FloatArray,
    transition: FloatArray,
    begin: FloatArray,
    emission: IntArray,
    skewness: tuple[float, float],
    part: NDArray[np.uint8],
    factors: FloatArray,
) -> tuple[float, float, float]:
    """Return mean and variance of the time on in frames, and the log-likelihood; exact.

    Forward through the frames go, for each state, the mean and the mean square of the time on so
    far, given that state and the counts so far. `part` and `factors` are those of an
    `emissions.NoiseCourse`.
    """
    n, states = len(x), len(emission)
    by_column = densities(x, levels, skewness, part, factors)
    shares = lit_shares(x, levels, part, factors)
    density = np.empty((n, states))
    lit, lit_variance = np.zeros((n, states)), np.zeros((n, states))
    for t in range(n):
        for j in range(states):
            density[t, j] = by_column[t, emission[j]]
            if emission[j] == PARTLY:
                lit[t, j], lit_variance[t, j] = shares[t, 0], shares[t, 1]
            elif emission[j] != OFF:
                lit[t, j] = 1.0
    return moments_of_time(density, lit, lit_variance, transition, begin)


@njit()
def moments_of_time(
    density: FloatArray,
    lit: FloatArray,
    lit_variance: FloatArray,
    transition: FloatArray,
    begin: FloatArray,
) -> tuple[float, float, float]:
    """Return mean and variance of the time on in frames, and the log-likelihood, of any chain.

    `density` (frames, states) is that of the counts; `lit` and `lit_variance`, of the same shape,
    are mean and variance of the share of a frame that each state is on.
    """
    n, states = density.shape
    p = np.empty(states)
    new_p = np.empty(states)
    mean = np.zeros(states)
    square = np.zeros(states)
    new_mean = np.empty(states)
    new_square = np.empty(states)
    log_likelihood = 0.0
    for t in range(n):
        total = 0.0
        for j in range(states):
            into = m = s = 0.0
            if t == 0:
                into = begin[j]
            else:
                for i in range(states):
                    w = p[i] * transition[i, j]
                    into += w
                    m += w * mean[i]
                    s += w * square[i]
            if into > 0.0:
                m /= into
                s /= into
            new_mean[j] = m + lit[t, j]
            new_square[j] = s + 2.0 * m * lit[t, j] + lit[t, j] ** 2 + lit_variance[t, j]
            new_p[j] = into * density[t, j]
            total += new_p[j]
        log_likelihood += math.log(total)
        for j in range(states):
            p[j] = new_p[j] / total
            mean[j] = new_mean[j]
            square[j] = new_square[j]
    result = of_square = 0.0
    for j in range(states):
        result += p[j] * mean[j]
        of_square += p[j] * square[j]
    return result, max(of_square - result**2, 0.0), log_likelihood
