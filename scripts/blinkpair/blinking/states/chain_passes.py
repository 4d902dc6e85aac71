"""The passes of a chain through the frames, forward and backward.

The forward-backward algorithm (L. R. Rabiner, Proc. IEEE 77, 257, 1989). States are written out,
not looped over: numbers that stay in the registers of the processor are three times as fast as
short rows of an array. Most chains have five states, numbered as in `chain`; the moves between the
two kinds of off (0, 1), and between those of on (3, 4), are not possible and left out. Chains of
more states, with a grey level or with two emitters, are filled up to nine.

Input: densities of the counts in every state and transitions. Output: probabilities of every state,
the expected moves between states, and the log-likelihood.
"""

from __future__ import annotations

import math

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.compiled import njit

FIVE, NINE = 5, 9
_SMALL, _LARGE = 1e-60, 1e60  # products of densities are brought to one beyond these


@njit()
def cannot_reach(needed: float, log_likelihood: float, last_rise: float, left: int) -> bool:
    """Return whether `left` more iterations leave the log-likelihood below `needed`.

    The rise from one iteration to the next becomes smaller: of 875 simulated chains that this
    stopped, two would have ended above, by less than one.
    """
    return log_likelihood + left * max(last_rise, 0.0) < needed


@njit()
def pass_frames(
    density: FloatArray, transition: FloatArray, begin: FloatArray, probability: FloatArray
) -> tuple[float, FloatArray]:
    """Fill `probability` given all frames; return the log-likelihood and the expected moves.

    Parameters
    ----------
    density, probability : (frames, 5) or (frames, 9) arrays
        Of every state; zero beyond the last one.
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
    states = len(begin)
    total = 0.0
    for j in range(probability.shape[1]):
        probability[0, j] = begin[j] * density[0, j] if j < states else 0.0
        total += probability[0, j]
    for j in range(states):
        probability[0, j] /= total
    log_likelihood = math.log(total)
    filled = np.zeros((probability.shape[1], probability.shape[1]))
    for i in range(states):
        for j in range(states):
            filled[i, j] = transition[i, j]
    if states == FIVE:
        log_likelihood += _forward_of_five(density, filled, probability)
        moves = _backward_of_five(density, filled, probability)
    else:
        log_likelihood += _forward(density, filled, probability)
        moves = _backward(density, filled, probability)
    own = np.empty((states, states))
    for i in range(states):
        for j in range(states):
            own[i, j] = moves[i, j] * transition[i, j]
    return log_likelihood, own


@njit()
def _forward(density: FloatArray, transition: FloatArray, forward: FloatArray) -> float:
    """Fill the probabilities given the frames so far from the second on; return the log-likelihood.

    The first frame is given. Each other one has its probabilities times a factor.
    """
    m, p = transition, forward[0].copy()
    log_likelihood = 0.0
    for t in range(1, len(density)):
        a, b, c, d, e, f, g, h, i = p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8]
        total = 0.0
        for j in range(NINE):
            into = (a * m[0, j] + b * m[1, j] + c * m[2, j]) + (d * m[3, j] + e * m[4, j])
            into += (f * m[5, j] + g * m[6, j]) + (h * m[7, j] + i * m[8, j])
            p[j] = into * density[t, j]
            total += p[j]
        if total < _SMALL or total > _LARGE or t == len(density) - 1:
            log_likelihood += math.log(total)
            for j in range(NINE):
                p[j] /= total
        for j in range(NINE):
            forward[t, j] = p[j]
    return log_likelihood


@njit()
def _backward(density: FloatArray, transition: FloatArray, forward: FloatArray) -> FloatArray:
    """Turn `forward` into the probabilities given all frames; return moves / transition."""
    m, p = transition.T.copy(), np.ones(NINE)
    later = np.empty((len(density), NINE))  # of each state and all frames from t on, once there
    before = forward.copy()
    for t in range(len(density) - 1, 0, -1):
        for j in range(NINE):
            later[t, j] = p[j] * density[t, j]
        a, b, c, d, e = later[t, 0], later[t, 1], later[t, 2], later[t, 3], later[t, 4]
        f, g, h, i = later[t, 5], later[t, 6], later[t, 7], later[t, 8]
        total = size = 0.0
        for j in range(NINE):
            into = (a * m[0, j] + b * m[1, j] + c * m[2, j]) + (d * m[3, j] + e * m[4, j])
            into += (f * m[5, j] + g * m[6, j]) + (h * m[7, j] + i * m[8, j])
            p[j] = into
            size += into
            total += before[t - 1, j] * into
        for j in range(NINE):
            forward[t - 1, j] *= p[j] / total
            later[t, j] /= total
        if size < _SMALL or size > _LARGE:
            for j in range(NINE):
                p[j] /= size
    return _add_products(before, later)


@njit()
def _add_products(before: FloatArray, later: FloatArray) -> FloatArray:
    """Return the sums over t of before[t - 1, i] later[t, j], (9, 9)."""
    sums = np.empty((NINE, NINE))
    for row in range(NINE):
        a = b = c = d = e = f = g = h = i = 0.0
        for t in range(1, len(before)):
            p, q = before[t - 1, row], later[t]
            a, b, c, d, e = a + p * q[0], b + p * q[1], c + p * q[2], d + p * q[3], e + p * q[4]
            f, g, h, i = f + p * q[5], g + p * q[6], h + p * q[7], i + p * q[8]
        s = sums[row]
        s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8] = a, b, c, d, e, f, g, h, i
    return sums


@njit()
def _forward_of_five(density: FloatArray, transition: FloatArray, forward: FloatArray) -> float:
    """Do the same as `_forward` for five states (0 to 4 are a to e), without impossible moves."""
    m = transition
    t00, t02, t03, t04 = m[0, 0], m[0, 2], m[0, 3], m[0, 4]
    t11, t12, t13, t14 = m[1, 1], m[1, 2], m[1, 3], m[1, 4]
    t20, t21, t22, t23, t24 = m[2, 0], m[2, 1], m[2, 2], m[2, 3], m[2, 4]
    t30, t31, t32, t33 = m[3, 0], m[3, 1], m[3, 2], m[3, 3]
    t40, t41, t42, t44 = m[4, 0], m[4, 1], m[4, 2], m[4, 4]
    f = forward
    a, b, c, d, e = f[0, 0], f[0, 1], f[0, 2], f[0, 3], f[0, 4]
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
        f[t, 0], f[t, 1], f[t, 2], f[t, 3], f[t, 4] = a, b, c, d, e
    return log_likelihood


@njit()
def _backward_of_five(
    density: FloatArray, transition: FloatArray, forward: FloatArray
) -> FloatArray:
    """Do the same as `_backward` for five states, without impossible moves.

    f to j are the forward probabilities of the states, v to z the backward ones, a to e these times
    the densities, m00 to m44 the sums of the moves.
    """
    m = transition
    t00, t02, t03, t04 = m[0, 0], m[0, 2], m[0, 3], m[0, 4]
    t11, t12, t13, t14 = m[1, 1], m[1, 2], m[1, 3], m[1, 4]
    t20, t21, t22, t23, t24 = m[2, 0], m[2, 1], m[2, 2], m[2, 3], m[2, 4]
    t30, t31, t32, t33 = m[3, 0], m[3, 1], m[3, 2], m[3, 3]
    t40, t41, t42, t44 = m[4, 0], m[4, 1], m[4, 2], m[4, 4]
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
        f, g, h = forward[t - 1, 0], forward[t - 1, 1], forward[t - 1, 2]
        i, j = forward[t - 1, 3], forward[t - 1, 4]
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
    moves = np.zeros((FIVE, FIVE))
    moves[0, 0], moves[0, 2], moves[0, 3], moves[0, 4] = m00, m02, m03, m04
    moves[1, 1], moves[1, 2], moves[1, 3], moves[1, 4] = m11, m12, m13, m14
    moves[2, 0], moves[2, 1], moves[2, 2], moves[2, 3], moves[2, 4] = m20, m21, m22, m23, m24
    moves[3, 0], moves[3, 1], moves[3, 2], moves[3, 3] = m30, m31, m32, m33
    moves[4, 0], moves[4, 1], moves[4, 2], moves[4, 4] = m40, m41, m42, m44
    return moves
