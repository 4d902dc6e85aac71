"""The hidden Markov chain of one trace: what is learnt from the counts.

States 0 to 4 are off (short- and long-lived), lit in part, on (short- and long-lived); with a grey
level two more, grey and between grey and on. Levels, spreads and transitions are learnt by
Baum-Welch; the off level and its noise are held by what is known of them beforehand, like counts
that were seen before.

Input: counts, first levels. Output: levels, transitions, and probabilities of every frame.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.blinking.states.emissions import (
    GREY,
    GREY_LEVEL,
    OFF,
    OFF_LEVEL,
    OFF_NOISE,
    ON,
    ON_LEVEL,
    ON_SIGMA,
    PARTLY,
    PARTLY_GREY,
    at_factors,
    densities,
    lit_shares,
)
from blinkpair.compiled import njit

ITERATIONS = 10
_TOLERANCE = 1e-3  # change of a transition probability or of a level in units of noise
_GUESS_FRAMES = 2.0  # weight of the first guess of the transitions against what is learnt
_STAY_BORDER = 0.75  # between the short- and the long-lived kind, a frame
# A state's row is where it goes in the next frame. The kinds of off, and of on, do not turn into
# each other: that would make one event of two.
_TRANSITION = np.array(
    [
        [0.40, 0.00, 0.30, 0.18, 0.12],
        [0.00, 0.95, 0.025, 0.015, 0.010],
        [0.27, 0.18, 0.10, 0.27, 0.18],
        [0.18, 0.12, 0.30, 0.40, 0.00],
        [0.015, 0.010, 0.025, 0.00, 0.95],
    ]
)
_EMISSION = np.array([OFF, OFF, PARTLY, ON, ON])
_GREY_EMISSION = np.append(_EMISSION, [GREY, PARTLY_GREY])


class Chain(NamedTuple):
    """What was learnt of one trace.

    `levels` as in `emissions`; `transition` from row to column; `begin` of the first frame;
    `emission` the column of the densities of each state; `probability` (frames, columns) of what
    a frame is, `over_half` (frames,) that it was on for more than half; `lit` (frames,) the share
    of it that was on; `partly` the time lit in partly lit frames, and the sum of its variances;
    `share` of the frames in each state; `log_likelihood`.
    """

    levels: FloatArray
    transition: FloatArray
    begin: FloatArray
    emission: IntArray
    probability: FloatArray
    over_half: FloatArray
    lit: FloatArray
    partly: FloatArray
    share: FloatArray
    log_likelihood: float


def first_guess(on_share: float, grey: bool) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return transitions, probabilities of the first frame, and the emission of each state."""
    on = min(max(on_share, 0.01), 0.99)
    begin = np.array([0.5 * (1 - on), 0.5 * (1 - on), 0.0, 0.5 * on, 0.5 * on])
    if not grey:
        return _TRANSITION.copy(), begin, _EMISSION
    transition = np.zeros((7, 7))
    transition[:5, :5] = 0.97 * _TRANSITION
    transition[:5, 5], transition[:5, 6] = 0.02, 0.01
    # From off to on a frame is lit in part, not one between grey and on.
    transition[:2, 6] = 0.0
    transition[:2] /= 0.99
    transition[5] = [0.005, 0.005, 0.02, 0.005, 0.01, 0.93, 0.025]
    transition[6] = [0.0, 0.0, 0.0, 0.2, 0.25, 0.5, 0.05]
    return transition, np.append(begin * 0.9, [0.1, 0.0]), _GREY_EMISSION


@njit()
def learn(
    x: FloatArray,
    levels: FloatArray,
    off: FloatArray,
    transition: FloatArray,
    begin: FloatArray,
    emission: IntArray,
    skewness: tuple[float, float],
    part: NDArray[np.uint8],
    factors: FloatArray,
    iterations: int,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, float]:
    """Learn levels, transitions and the beginning in place (Baum-Welch).

    `off` holds the expected off level and noise, the number of frames that each is worth, the
    lowest and highest value of each, the number of frames that the first on level is worth, the
    variance that the camera adds to a signal of one count, and the number of frames that the spread
    which follows from it is worth. `part` and `factors` are those of an
    `emissions.NoiseCourse`.

    Returns
    -------
    probability, over_half, lit, partly, share, log_likelihood
        As in `Chain`.
    """
    n, states = len(x), len(emission)
    grey = states > 5
    guess = transition.copy()
    forward = np.empty((n, states))
    probability = np.empty((n, 5 if grey else 3))
    over_half = np.empty(n)
    on_share = np.empty(n)
    partly = np.zeros(2)
    f = np.empty(states)
    b = np.empty(states)
    d = np.empty(states)
    before = np.empty(states)
    moves = np.zeros((states, states))
    row = np.empty(states)
    log_likelihood = 0.0
    for iteration in range(iterations + 1):
        density = densities(x, levels, skewness, part, factors)
        # Forward, each frame normalised to one.
        log_likelihood = 0.0
        product = 1.0
        for t in range(n):
            total = 0.0
            for j in range(states):
                p = begin[j]
                if t > 0:
                    p = 0.0
                    for i in range(states):
                        p += before[i] * transition[i, j]
                f[j] = p * density[t, emission[j]]
                total += f[j]
            scale = 1.0 / total
            for j in range(states):
                before[j] = f[j] * scale
                forward[t, j] = before[j]
            product *= total
            if product < 1e-200 or product > 1e200:
                log_likelihood += math.log(product)
                product = 1.0
        log_likelihood += math.log(product)
        # Backward, with the sums Baum-Welch needs.
        moves[:] = 0.0
        b[:] = 1.0
        for t in range(n - 1, -1, -1):
            total = 0.0
            for j in range(states):
                total += forward[t, j] * b[j]
            scale = 1.0 / total
            probability[t, :] = 0.0
            for j in range(states):
                probability[t, emission[j]] += forward[t, j] * b[j] * scale
            if t == 0:
                break
            for j in range(states):
                d[j] = density[t, emission[j]] * b[j]
            total = 0.0
            for i in range(states):
                b[i] = 0.0
                for j in range(states):
                    b[i] += transition[i, j] * d[j]
                total += forward[t - 1, i] * b[i]
            scale = 1.0 / total
            for i in range(states):
                p = forward[t - 1, i] * scale
                for j in range(states):
                    moves[i, j] += p * d[j]
                b[i] *= scale
        for i in range(states):
            for j in range(states):
                moves[i, j] *= transition[i, j]
        if iteration == iterations:
            break
        change = _learn_levels(x, probability, levels, off, part, factors)
        if grey and not levels[OFF_LEVEL] < levels[GREY_LEVEL] < levels[ON_LEVEL]:
            break
        for i in range(states):
            # The first guess keeps a kind that is not there from dividing by zero.
            total = 0.0
            for j in range(states):
                row[j] = moves[i, j] + _GUESS_FRAMES * guess[i, j]
                total += row[j]
            for j in range(states):
                row[j] /= total
            if emission[i] == OFF or emission[i] == ON:
                short = i == 0 or i == 3
                stay = min(row[i], _STAY_BORDER) if short else max(row[i], _STAY_BORDER)
                left = (1.0 - stay) / (1.0 - row[i])
                for j in range(states):
                    row[j] *= left
                row[i] = stay
            for j in range(states):  # a row at once compiles numba's check of shapes
                change = max(change, abs(row[j] - transition[i, j]))
                transition[i, j] = row[j]
        for j in range(states):
            kinds = 0.5 if emission[j] == OFF or emission[j] == ON else 1.0
            begin[j] = max(probability[0, emission[j]], 0.01) * kinds
        begin /= begin.sum()
        if change < _TOLERANCE:
            break
    lit = lit_shares(x, levels, part, factors)
    for t in range(n):
        over_half[t] = probability[t, ON] + probability[t, PARTLY] * lit[t, 2]
        partly[0] += probability[t, PARTLY] * lit[t, 0]
        partly[1] += probability[t, PARTLY] * lit[t, 1]
        on_share[t] = probability[t, ON] + probability[t, PARTLY] * lit[t, 0]
        if grey:
            over_half[t] += probability[t, GREY] + probability[t, PARTLY_GREY]
            on_share[t] += probability[t, GREY] + probability[t, PARTLY_GREY]
    share = np.empty(states)
    for i in range(states):
        share[i] = moves[i].sum() / max(n - 1, 1)
    return probability, over_half, on_share, partly, share, log_likelihood


@njit()
def _learn_levels(
    x: FloatArray,
    probability: FloatArray,
    levels: FloatArray,
    off: FloatArray,
    part: NDArray[np.uint8],
    factors: FloatArray,
) -> float:
    """Learn the levels and spreads in place; return the largest change of a level, in noises."""
    change = 0.0
    own = np.empty(len(factors))
    for column in range(probability.shape[1]):
        if column in (PARTLY, PARTLY_GREY):
            continue
        # Column and place of the level: off 0 and 0, on 2 and 2, grey 3 and 4.
        at = GREY_LEVEL if column == GREY else column
        # Frames of more noise weigh less.
        for m in range(len(factors)):
            own[m] = (levels[at + 1] / at_factors(levels, factors[m])[at + 1]) ** 2
        weight = known = moment = square = 0.0
        for t in range(len(x)):
            p = probability[t, column] * own[part[t]]
            weight += probability[t, column]
            known += p
            moment += p * x[t]
        if column == OFF:
            new = (moment + off[2] * off[0]) / (known + off[2])
            new = min(max(new, off[4]), off[5])
        else:
            moment += off[8] * levels[at]
            new = moment / (known + off[8])
            new = max(new, levels[OFF_LEVEL] + 0.5 * levels[OFF_NOISE])
        for t in range(len(x)):
            square += probability[t, column] * own[part[t]] * (x[t] - new) ** 2
        change = max(change, abs(new - levels[at]) / levels[OFF_NOISE])
        levels[at] = new
        if column == OFF:
            noise = math.sqrt((square + off[3] * off[1] ** 2) / (weight + off[3]))
            levels[OFF_NOISE] = min(max(noise, off[6]), off[7])
        else:
            camera = math.sqrt(levels[OFF_NOISE] ** 2 + off[9] * (new - levels[OFF_LEVEL]))
            square += off[8] * levels[at + 1] ** 2 + off[10] * camera**2
            spread = math.sqrt(square / (weight + off[8] + off[10]))
            levels[at + 1] = max(spread, camera)
            if column == GREY:  # a level of its own, no band of partly lit frames
                levels[at + 1] = min(levels[at + 1], max(levels[ON_SIGMA], camera))
    return change
