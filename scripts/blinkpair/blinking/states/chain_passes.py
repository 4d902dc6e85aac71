"""The passes of a chain through the frames, forward and backward.

Most chains have five states. Theirs is written out state by state, without the moves from one kind
of off, or of on, into the other, which are not possible: numbers that stay in the registers of the
processor are three times as fast as loops over short rows of an array. With a grey level there are
seven states and the loops.

Input: densities of the counts in every state and transitions. Output: probabilities of every state,
the expected moves between states, and the log-likelihood.
"""

from __future__ import annotations

import math

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.compiled import njit

FIVE = 5
_SMALL, _LARGE = 1e-60, 1e60  # products of densities are brought to one beyond these


@njit()
def pass_frames(
    density: FloatArray, transition: FloatArray, begin: FloatArray, probability: FloatArray
) -> tuple[float, FloatArray]:
    """Fill `probability` given all frames; return the log-likelihood and the expected moves.

    Parameters
    ----------
    density, probability : (frames, states) arrays
    transition : (states, states) array
        From row to column.
    begin : (states,) array
        Probabilities of the first frame, before its counts are known.

    Returns
    -------
    log_likelihood : float
    moves : (states, states) array
        Numbers of frames from which a state turns into each other one.
    """
    log_likelihood, p = 0.0, np.empty(len(begin))
    total = 0.0
    for j in range(len(begin)):
        p[j] = begin[j] * density[0, j]
        total += p[j]
    for j in range(len(begin)):
        probability[0, j] = p[j] / total
    log_likelihood = math.log(total)
    if len(begin) == FIVE:
        log_likelihood += _forward_of_five(density, transition, probability)
        moves = _backward_of_five(density, transition, probability)
    else:
        log_likelihood += _forward(density, transition, probability)
        moves = _backward(density, transition, probability)
    return log_likelihood, moves * transition


@njit()
def _forward(density: FloatArray, transition: FloatArray, forward: FloatArray) -> float:
    """Fill the probabilities given the frames so far from the second on; return the log-likelihood.

    The first frame is given.
    """
    n, states = forward.shape
    log_likelihood = 0.0
    for t in range(1, n):
        total = 0.0
        for j in range(states):
            p = 0.0
            for i in range(states):
                p += forward[t - 1, i] * transition[i, j]
            forward[t, j] = p * density[t, j]
            total += forward[t, j]
        for j in range(states):
            forward[t, j] /= total
        log_likelihood += math.log(total)
    return log_likelihood


@njit()
def _backward(density: FloatArray, transition: FloatArray, forward: FloatArray) -> FloatArray:
    """Turn `forward` into the probabilities given all frames; return moves / transition."""
    n, states = forward.shape
    moves = np.zeros((states, states))
    b, d = np.ones(states), np.empty(states)
    for t in range(n - 1, 0, -1):
        for j in range(states):
            d[j] = density[t, j] * b[j]
        total = 0.0
        for i in range(states):
            b[i] = 0.0
            for j in range(states):
                b[i] += transition[i, j] * d[j]
            total += forward[t - 1, i] * b[i]
        for i in range(states):
            p = forward[t - 1, i] / total
            for j in range(states):
                moves[i, j] += p * d[j]
            b[i] /= total
            forward[t - 1, i] *= b[i]
    return moves


@njit()
def _forward_of_five(density: FloatArray, transition: FloatArray, forward: FloatArray) -> float:
    """Do the same as `_forward`, but that each frame has the probabilities times a factor."""
    t00, _, t02, t03, t04 = transition[0]
    _, t11, t12, t13, t14 = transition[1]
    t20, t21, t22, t23, t24 = transition[2]
    t30, t31, t32, t33, _ = transition[3]
    t40, t41, t42, _, t44 = transition[4]
    a, b, c, d, e = forward[0]
    log_likelihood = 0.0
    for t in range(1, len(density)):
        a, b, c, d, e = (
            ((a * t00 + c * t20) + (d * t30 + e * t40)) * density[t, 0],
            ((b * t11 + c * t21) + (d * t31 + e * t41)) * density[t, 1],
            ((a * t02 + b * t12) + (d * t32 + e * t42) + c * t22) * density[t, 2],
            ((a * t03 + b * t13) + (c * t23 + d * t33)) * density[t, 3],
            ((a * t04 + b * t14) + (c * t24 + e * t44)) * density[t, 4],
        )
        total = (a + b) + (d + e) + c
        if total < _SMALL or total > _LARGE or t == len(density) - 1:
            log_likelihood += math.log(total)
            a, b, c, d, e = a / total, b / total, c / total, d / total, e / total
        forward[t, 0], forward[t, 1], forward[t, 2] = a, b, c
        forward[t, 3], forward[t, 4] = d, e
    return log_likelihood


@njit()
def _backward_of_five(
    density: FloatArray, transition: FloatArray, forward: FloatArray
) -> FloatArray:
    """Do the same as `_backward`."""
    t00, _, t02, t03, t04 = transition[0]
    _, t11, t12, t13, t14 = transition[1]
    t20, t21, t22, t23, t24 = transition[2]
    t30, t31, t32, t33, _ = transition[3]
    t40, t41, t42, _, t44 = transition[4]
    m00 = m02 = m03 = m04 = m11 = m12 = m13 = m14 = m30 = m31 = m32 = m33 = 0.0
    m20 = m21 = m22 = m23 = m24 = m40 = m41 = m42 = m44 = 0.0
    v = w = x = y = z = 1.0
    for t in range(len(density) - 1, 0, -1):
        a, b, c = v * density[t, 0], w * density[t, 1], x * density[t, 2]
        d, e = y * density[t, 3], z * density[t, 4]
        v = (a * t00 + c * t02) + (d * t03 + e * t04)
        w = (b * t11 + c * t12) + (d * t13 + e * t14)
        x = (a * t20 + b * t21) + (d * t23 + e * t24) + c * t22
        y = (a * t30 + b * t31) + (c * t32 + d * t33)
        z = (a * t40 + b * t41) + (c * t42 + e * t44)
        f, g, h, i, j = forward[t - 1]
        total = (f * v + g * w) + (i * y + j * z) + h * x
        f, g, h, i, j = f / total, g / total, h / total, i / total, j / total
        m00, m02, m03, m04 = m00 + f * a, m02 + f * c, m03 + f * d, m04 + f * e
        m11, m12, m13, m14 = m11 + g * b, m12 + g * c, m13 + g * d, m14 + g * e
        m20, m21, m23, m24 = m20 + h * a, m21 + h * b, m23 + h * d, m24 + h * e
        m30, m31, m32, m33 = m30 + i * a, m31 + i * b, m32 + i * c, m33 + i * d
        m40, m41, m42, m44 = m40 + j * a, m41 + j * b, m42 + j * c, m44 + j * e
        m22 += h * c
        forward[t - 1, 0], forward[t - 1, 1], forward[t - 1, 2] = f * v, g * w, h * x
        forward[t - 1, 3], forward[t - 1, 4] = i * y, j * z
        size = (v + w) + (y + z) + x
        if size < _SMALL or size > _LARGE:
            v, w, x, y, z = v / size, w / size, x / size, y / size, z / size
    return np.array(
        [
            [m00, 0.0, m02, m03, m04],
            [0.0, m11, m12, m13, m14],
            [m20, m21, m22, m23, m24],
            [m30, m31, m32, m33, 0.0],
            [m40, m41, m42, 0.0, m44],
        ]
    )
