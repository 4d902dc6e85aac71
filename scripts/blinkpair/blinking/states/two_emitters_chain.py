"""The hidden Markov chain of two emitters that blink independently of each other.

It is a factorial chain (Z. Ghahramani and M. I. Jordan, Machine Learning 29, 245, 1997). Each
emitter is off (0), lit in part of the frame (1) or on (2), with transitions of its own. A state of
the trace is one of the nine pairs, with the number 3 a + b where the first emitter is in a and the
second in b. The signals of both add up. A level scatters by the camera's noise and by a share of
itself (flicker) that is the same for all levels.

Input: counts, first steps. Output: steps, spreads, and the probability of every state.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.blinking.states.chain import LEAST_BEGIN, TOLERANCE, learn_row
from blinkpair.blinking.states.chain_passes import cannot_reach, pass_frames
from blinkpair.blinking.states.emissions import (
    floor_density,
    log_scale,
    share_below,
    skewed,
)
from blinkpair.blinking.states.learning import ON_FRAMES
from blinkpair.blinking.states.levels import Known, Trace
from blinkpair.compiled import njit

BOTH, PARTLY_BOTH = 8, 4  # both on, both lit in part
ALONE, PARTLY_ALONE = (6, 2), (3, 1)  # the first, the second, while the other one is off
ON = (2, 5, 6, 7, 8)  # at least one is on throughout the frame
# Share of a frame in which at least one of two is on that are both lit in part: the mean of the
# larger of two random shares, as of parts that overlap. Parts at independent times have 3/4.
PARTLY_BOTH_SHARE = 2.0 / 3.0
_LEVELS = (*ALONE, BOTH)  # the states that show `steps`
_LEAST_STEP = 0.5  # noises
_MOST_FLICKER = 0.12  # of a level, standard deviation
_TABLE, _REACH = 512, 8.0  # counts at which densities are tabulated, spreads beyond the levels
# First guess of the transitions of one emitter: off, lit in part, on.
_TRANSITION = np.array([[0.94, 0.04, 0.02], [0.45, 0.10, 0.45], [0.02, 0.04, 0.94]])


class TwoEmitters(NamedTuple):
    """What was learnt of a trace.

    `off` is level and noise of off; `steps` above off and `spreads` are those of the first emitter
    alone, of the second alone and of both, counts. `transitions` (2, 3, 3) are those of each
    emitter, `begin` (9,) the probabilities of the first frame; `density` and `probability`
    (frames, 9) are those of each state. `partly` (frames, 2) is the share of a frame in which the
    first, the second was on, were it lit in part and the other one off.
    """

    off: FloatArray
    steps: FloatArray
    spreads: FloatArray
    transitions: FloatArray
    begin: FloatArray
    density: FloatArray
    probability: FloatArray
    partly: FloatArray
    log_likelihood: float


def first_guess(trace: Trace, first: float, second: float) -> TwoEmitters:
    """Return two emitters with first steps above off, in counts, from which `learn` begins."""
    steps = np.array([first, second, first + second])
    frames = len(trace.x)
    return TwoEmitters(
        np.array([trace.first.off_level, trace.off.noise]),
        steps,
        np.sqrt(trace.off.noise**2 + trace.excess * steps),
        np.stack([_TRANSITION, _TRANSITION]),
        np.full(9, 1.0 / 9.0),
        np.empty((frames, 9)),
        np.empty((frames, 9)),
        np.empty((frames, 2)),
        -np.inf,
    )


def learn(trace: Trace, near: TwoEmitters, iterations: int, needed: float = -np.inf) -> TwoEmitters:
    """Return two emitters learnt in so many iterations from `near`, whose arrays change.

    Learning ends where their log-likelihood `cannot_reach` what is needed.
    """
    known = trace.known(on_frames=ON_FRAMES)
    fit = _learn(trace.x, *near[:-1], known, trace.skewness, *trace.course, iterations, needed)
    return near._replace(log_likelihood=fit)


@njit()
def _learn(
    x: FloatArray,
    off: FloatArray,
    steps: FloatArray,
    spreads: FloatArray,
    transitions: FloatArray,
    begin: FloatArray,
    density: FloatArray,
    probability: FloatArray,
    partly: FloatArray,
    known: Known,
    skewness: tuple[float, float],
    part: NDArray[np.uint8],
    factors: FloatArray,
    iterations: int,
    needed: float,
) -> float:
    """Learn the fields of a `TwoEmitters` in place (Baum-Welch); return the log-likelihood."""
    row = np.empty(3)
    fit, before = 0.0, -np.inf
    for iteration in range(iterations + 1):
        _densities(x, off, steps, spreads, skewness, part, factors, density, partly)
        fit, moves = pass_frames(density, both_transitions(transitions), begin, probability)
        left = iterations - iteration
        if left == 0 or cannot_reach(needed, fit, fit - before, left):
            break
        before = fit
        change = _learn_levels(x, probability, off, steps, spreads, known)
        each = moves_of_each(moves)
        for e in range(2):
            for i in range(3):
                learn_row(each[e, i], _TRANSITION[i], row)
                for j in range(3):
                    change = max(change, abs(row[j] - transitions[e, i, j]))
                    transitions[e, i, j] = row[j]
        total = 0.0
        for s in range(9):
            begin[s] = max(probability[0, s], LEAST_BEGIN)
            total += begin[s]
        for s in range(9):
            begin[s] /= total
        if change < TOLERANCE:
            break
    return fit


@njit()
def _fill_table(
    table: FloatArray,
    low: float,
    step: float,
    level: FloatArray,
    sigma: FloatArray,
    skewness: tuple[float, float],
    floor: float,
) -> None:
    """Fill a table of equidistant counts with the densities of all states and the lit shares.

    The columns of `table` (counts, 11) are the nine states and `TwoEmitters.partly`. `level` and
    `sigma` (4,) are those of off, of the first, of the second and of both emitters.
    """
    off_scale, on_scale = log_scale(skewness[0]), log_scale(skewness[1])
    whole = ((0, 0), (6, 1), (2, 2), (8, 3))  # state and its level
    parts = ((3, 0, 1), (1, 0, 2), (5, 2, 3), (7, 1, 3), (4, 0, 3))  # state between two levels
    above = np.empty(4)
    for k in range(len(table)):
        c = low + k * step
        for state, at in whole:
            z = (c - level[at]) / sigma[at]
            skew, scale = (skewness[0], off_scale) if at == 0 else (skewness[1], on_scale)
            table[k, state] = skewed(z, skew, scale) / sigma[at] + floor
            above[at] = share_below(z)
        for state, a, b in parts:  # as `partly_density`
            table[k, state] = max(above[a] - above[b], 0.0) / (level[b] - level[a]) + floor
        for emitter in range(2):
            share = (c - level[0]) / (level[1 + emitter] - level[0])
            table[k, 9 + emitter] = min(max(share, 0.0), 1.0)


@njit()
def _densities(
    x: FloatArray,
    off: FloatArray,
    steps: FloatArray,
    spreads: FloatArray,
    skewness: tuple[float, float],
    part: NDArray[np.uint8],
    factors: FloatArray,
    density: FloatArray,
    partly: FloatArray,
) -> None:
    """Fill `density` and `partly` of a `TwoEmitters`."""
    floor = floor_density(x)
    low = off[0] - _REACH * off[1]
    step = (off[0] + steps[2] + _REACH * spreads[2] - low) / (_TABLE - 1)
    tables = np.empty((len(factors), _TABLE, 11))
    level, sigma = np.empty(4), np.empty(4)
    for m in range(len(factors)):
        level[0], sigma[0] = off[0], off[1] * factors[m, 0]
        for k in range(3):
            signal = max(spreads[k] ** 2 - off[1] ** 2, 0.0) * factors[m, 1]
            level[k + 1], sigma[k + 1] = off[0] + steps[k], math.sqrt(sigma[0] ** 2 + signal)
        _fill_table(tables[m], low, step, level, sigma, skewness, floor)
    for t in range(len(x)):
        place = (x[t] - low) / step
        if place <= 0.0 or place >= _TABLE - 1:
            bright = place > 0.0  # than anything that is off
            for s in range(9):
                density[t, s] = floor
            density[t, BOTH] = 2.0 * floor if bright else floor
            partly[t, 0] = partly[t, 1] = 1.0 if bright else 0.0
            continue
        k = int(place)
        w = place - k
        table = tables[part[t]]
        for s in range(9):
            density[t, s] = (1.0 - w) * table[k, s] + w * table[k + 1, s]
        for e in range(2):
            partly[t, e] = (1.0 - w) * table[k, 9 + e] + w * table[k + 1, 9 + e]


@njit()
def both_transitions(transitions: FloatArray) -> FloatArray:
    """Return the transitions of the nine states (9, 9), from those of each emitter."""
    first, second = transitions
    both = np.empty((9, 9))
    for i in range(9):
        for j in range(9):
            both[i, j] = first[i // 3, j // 3] * second[i % 3, j % 3]
    return both


@njit()
def moves_of_each(moves: FloatArray) -> FloatArray:
    """Return the moves of each emitter (2, 3, 3), from those of the nine states."""
    each = np.zeros((2, 3, 3))
    for i in range(9):
        for j in range(9):
            each[0, i // 3, j // 3] += moves[i, j]
            each[1, i % 3, j % 3] += moves[i, j]
    return each


@njit()
def _learn_levels(
    x: FloatArray,
    probability: FloatArray,
    off: FloatArray,
    steps: FloatArray,
    spreads: FloatArray,
    known: Known,
) -> float:
    """Learn off, steps and spreads in place; return the largest change of a step, in noises."""
    weight, moment, v, y, relative = np.empty((5, 3))
    for k in range(3):  # not arrays at once, which take long to compile
        weight[k], moment[k] = known.on_frames, known.on_frames * (off[0] + steps[k])
    off_weight, off_moment = known.level_frames, known.level_frames * known.level
    for t in range(len(x)):
        off_weight += probability[t, 0]
        off_moment += probability[t, 0] * x[t]
        for k in range(3):
            weight[k] += probability[t, _LEVELS[k]]
            moment[k] += probability[t, _LEVELS[k]] * x[t]
    off[0] = min(max(off_moment / off_weight, known.low), known.high)
    # Weighted least squares of two steps: y[0] and y[1] measure each, y[2] their sum.
    for k in range(3):
        v[k], y[k] = weight[k] / spreads[k] ** 2, moment[k] / weight[k] - off[0]
    determinant = v[0] * v[1] + v[2] * (v[0] + v[1])
    first = (v[0] * y[0] * (v[1] + v[2]) + v[1] * v[2] * (y[2] - y[1])) / determinant
    second = (v[1] * y[1] * (v[0] + v[2]) + v[0] * v[2] * (y[2] - y[0])) / determinant
    change = max(abs(first - steps[0]), abs(second - steps[1])) / off[1]
    steps[0], steps[1] = max(first, _LEAST_STEP * off[1]), max(second, _LEAST_STEP * off[1])
    steps[2] = steps[0] + steps[1]
    square = known.noise_frames * known.noise**2
    off_weight += known.noise_frames - known.level_frames
    flicker = flicker_weight = 0.0
    for k in range(3):
        relative[k] = (steps[k] / spreads[k] ** 2) ** 2
        flicker_weight += known.on_frames * relative[k] * steps[k] ** 2
    for t in range(len(x)):
        square += probability[t, 0] * (x[t] - off[0]) ** 2
        for k in range(3):
            p = probability[t, _LEVELS[k]] * relative[k]
            camera = off[1] ** 2 + known.excess * steps[k]
            flicker += p * ((x[t] - off[0] - steps[k]) ** 2 - camera)
            flicker_weight += p * steps[k] ** 2
    noise = math.sqrt(square / off_weight)
    off[1] = min(max(noise, known.low_noise), known.high_noise)
    flicker = min(max(flicker / flicker_weight, 0.0), _MOST_FLICKER**2)
    for k in range(3):
        camera = off[1] ** 2 + known.excess * steps[k]
        spreads[k] = math.sqrt(camera + flicker * steps[k] ** 2)
    return change
