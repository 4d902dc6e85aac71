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
from blinkpair.blinking.states.chain_passes import FIVE, NINE, cannot_reach, pass_frames
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
from blinkpair.blinking.states.levels import Known
from blinkpair.compiled import njit

ITERATIONS = 10
TWO_LEVEL_STATES = FIVE
TOLERANCE = 1e-3  # change of a transition probability or of a level in units of noise
LEAST_BEGIN = 0.01  # probability of a state in the first frame: none is impossible
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
    known: Known,
    transition: FloatArray,
    begin: FloatArray,
    emission: IntArray,
    skewness: tuple[float, float],
    part: NDArray[np.uint8],
    factors: FloatArray,
    iterations: int,
    needed: float,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, float]:
    """Learn levels, transitions and the beginning in place (Baum-Welch).

    `part` and `factors` are those of an `emissions.NoiseCourse`; `needed` is as in `cannot_reach`;
    all else is as in `Chain`.

    Returns
    -------
    probability, over_half, lit, partly, share, log_likelihood
        As in `Chain`.
    """
    n, states = len(x), len(emission)
    grey = states > TWO_LEVEL_STATES
    guess = transition.copy()
    width = NINE if grey else FIVE
    density, by_state = np.zeros((n, width)), np.empty((n, width))
    sums = np.empty((len(factors), 3, states))
    before = -np.inf
    for iteration in range(iterations + 1):
        by_column = densities(x, levels, skewness, part, factors)
        for t in range(n):
            for j in range(states):
                density[t, j] = by_column[t, emission[j]]
        log_likelihood, moves = pass_frames(density, transition, begin, by_state)
        left = iterations - iteration
        if left == 0 or cannot_reach(needed, log_likelihood, log_likelihood - before, left):
            break
        before = log_likelihood
        _add_up(x, known.level, part, by_state, sums)
        change = _learn_levels(sums, emission, levels, known, factors)
        if grey and not levels[OFF_LEVEL] < levels[GREY_LEVEL] < levels[ON_LEVEL]:
            break
        change = max(change, _learn_transitions(moves, guess, emission, transition))
        total = 0.0
        for j in range(states):
            alike = 0.0
            for i in range(states):
                alike += by_state[0, i] * (emission[i] == emission[j])
            kinds = 0.5 if emission[j] == OFF or emission[j] == ON else 1.0
            begin[j] = max(alike, LEAST_BEGIN) * kinds
            total += begin[j]
        for j in range(states):
            begin[j] /= total
        if change < TOLERANCE:
            break
    probability = np.zeros((n, by_column.shape[1]))
    for t in range(n):
        for j in range(states):
            probability[t, emission[j]] += by_state[t, j]
    over_half, on_share, partly = _time_on(probability, lit_shares(x, levels, part, factors))
    share = np.empty(states)
    for i in range(states):
        share[i] = 0.0
        for j in range(states):
            share[i] += moves[i, j]
        share[i] /= max(n - 1, 1)
    return probability, over_half, on_share, partly, share, log_likelihood


@njit()
def _add_up(
    x: FloatArray,
    origin: float,
    part: NDArray[np.uint8],
    by_state: FloatArray,
    sums: FloatArray,
) -> None:
    """Fill `sums` (parts, 3, states), one row of each part of a `NoiseCourse`.

    They are those of the probability of a state, of it times the counts above `origin`, and of it
    times their square.
    """
    for m in range(len(sums)):
        for j in range(sums.shape[2]):
            sums[m, 0, j] = sums[m, 1, j] = sums[m, 2, j] = 0.0
    for t in range(len(x)):
        own, above = sums[part[t]], x[t] - origin
        for j in range(sums.shape[2]):
            p = by_state[t, j]
            own[0, j] += p
            own[1, j] += p * above
            own[2, j] += p * above * above


@njit()
def learn_row(moves: FloatArray, guess: FloatArray, row: FloatArray) -> None:
    """Fill the probabilities (states,) of where a state goes, from its moves and a first guess."""
    total = 0.0
    for j in range(len(row)):
        # The first guess keeps a kind that is not there from dividing by zero.
        row[j] = moves[j] + _GUESS_FRAMES * guess[j]
        total += row[j]
    for j in range(len(row)):
        row[j] /= total


@njit()
def _learn_transitions(
    moves: FloatArray, guess: FloatArray, emission: IntArray, transition: FloatArray
) -> float:
    """Learn the transitions in place; return their largest change."""
    states = len(emission)
    row = np.empty(states)
    change = 0.0
    for i in range(states):
        learn_row(moves[i], guess[i], row)
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
    return change


@njit()
def _time_on(probability: FloatArray, lit: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return `over_half`, `lit` and `partly` of a `Chain`, from `emissions.lit_shares`."""
    n = len(probability)
    over_half, on_share, partly = np.empty(n), np.empty(n), np.zeros(2)
    for t in range(n):
        over_half[t] = probability[t, ON] + probability[t, PARTLY] * lit[t, 2]
        partly[0] += probability[t, PARTLY] * lit[t, 0]
        partly[1] += probability[t, PARTLY] * lit[t, 1]
        on_share[t] = probability[t, ON] + probability[t, PARTLY] * lit[t, 0]
        if probability.shape[1] > GREY:
            over_half[t] += probability[t, GREY] + probability[t, PARTLY_GREY]
            on_share[t] += probability[t, GREY] + probability[t, PARTLY_GREY]
    return over_half, on_share, partly


@njit()
def _learn_levels(
    sums: FloatArray, emission: IntArray, levels: FloatArray, known: Known, factors: FloatArray
) -> float:
    """Learn the levels and spreads in place; return the largest change of a level, in noises.

    `sums` are those of `_add_up`, of counts above `known.level`.
    """
    change = 0.0
    for column in (OFF, ON, GREY):
        # Column and place of the level: off 0 and 0, on 2 and 2, grey 3 and 4.
        at = GREY_LEVEL if column == GREY else column
        if at >= len(levels):
            break
        weight = seen = above = squares = 0.0
        for m in range(len(factors)):
            # Frames of more noise weigh less.
            own = (levels[at + 1] / at_factors(levels, factors[m])[at + 1]) ** 2
            for j in range(len(emission)):
                if emission[j] == column:
                    weight += sums[m, 0, j]
                    seen += own * sums[m, 0, j]
                    above += own * sums[m, 1, j]
                    squares += own * sums[m, 2, j]
        moment = above + seen * known.level
        if column == OFF:
            weighed = moment + known.level_frames * known.level
            new = weighed / (seen + known.level_frames)
            new = min(max(new, known.low), known.high)
        else:
            moment += known.on_frames * levels[at]
            new = moment / (seen + known.on_frames)
            new = max(new, levels[OFF_LEVEL] + 0.5 * levels[OFF_NOISE])
        shift = new - known.level
        square = max(squares - 2.0 * shift * above + shift**2 * seen, 0.0)
        change = max(change, abs(new - levels[at]) / levels[OFF_NOISE])
        levels[at] = new
        if column == OFF:
            square += known.noise_frames * known.noise**2
            noise = math.sqrt(square / (weight + known.noise_frames))
            levels[OFF_NOISE] = min(max(noise, known.low_noise), known.high_noise)
        else:
            signal = known.excess * (new - levels[OFF_LEVEL])
            camera = math.sqrt(levels[OFF_NOISE] ** 2 + signal)
            square += known.on_frames * levels[at + 1] ** 2 + known.spread_frames * camera**2
            frames = weight + known.on_frames + known.spread_frames
            spread = math.sqrt(square / frames)
            levels[at + 1] = max(spread, camera)
            if column == GREY:  # a level of its own, no band of partly lit frames
                levels[at + 1] = min(levels[at + 1], max(levels[ON_SIGMA], camera))
    return change
