"""Refine on/off states with a hidden Markov model, one nanocrystal at a time.

Off frames are normal (gamma where the field's noise is skewed), on frames normal with their own
spread. A nanocrystal that switches during a frame is on for a part of it: such a partly lit frame
is a state of its own, any part being equally likely, and it counts as on where more than half of
it was. So a short event that fills half a frame is neither smoothed away nor invented. A thin
uniform floor over the range of the trace limits the effect of one outlier.

Off and on come in two kinds, short-lived and long-lived, alike in counts: two exponentials are a
fair approximation of a power law over the durations that matter. A single one describes the average
event, and erases most events, which are short.

Levels, spreads and transitions are learnt from the trace (Baum-Welch), from the threshold's
states: no random start. A frame is on where its posterior probability is above one half.

It is own code, because it needs such emissions and kinds, and a check for traces of one state,
and because hmmlearn takes some 0.3 s for a trace of 20,000 frames, ten times as long.

Input: counts, first states from a threshold, and the off levels of that threshold. Output: refined
states, the counts that make a single frame on, and which traces were modelled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.off_levels import OffLevels
from blinkpair.blinking.on_fractions import on_fraction
from blinkpair.blinking.states import noise
from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.compiled import njit

_ITERATIONS = 12
_TOLERANCE = 1e-3  # change of a transition probability or of a level in units of noise
_FLOOR = 1e-4  # weight of the uniform floor of the emissions
_SHORT_OFF, _LONG_OFF, _PARTLY, _SHORT_ON, _LONG_ON = range(5)
_N_STATES = 5
# First guess of the transitions; a state's row is where it goes in the next frame. The kinds of
# off, and of on, do not turn into each other: that would make one event of two.
_START = np.array(
    [
        [0.40, 0.00, 0.30, 0.18, 0.12],
        [0.00, 0.95, 0.025, 0.015, 0.010],
        [0.27, 0.18, 0.10, 0.27, 0.18],
        [0.18, 0.12, 0.30, 0.40, 0.00],
        [0.015, 0.010, 0.025, 0.00, 0.95],
    ]
)
_GUESS_FRAMES = 2.0  # weight of the first guess against what is learnt
_STAY_BORDER = 0.75  # between the two kinds, a frame
_TABLE = 2048  # counts at which the emissions are tabulated
_REACH = 8.0  # the table reaches to so many spreads below off and above on
_MIN_FRAMES = 5  # in each state, for a second state to exist
_MIN_SEPARATION = 3.0  # of the levels, in off noise
_GREY_SHARE = 0.01  # of all frames, that a model of two levels may leave out


class _Model(NamedTuple):
    """The model of one trace: probability of 'on' of each frame, and what was learnt."""

    posterior: FloatArray
    mean: FloatArray  # of off and on, counts
    sigma: FloatArray
    transition: FloatArray  # from row to column
    share: FloatArray  # of the frames in each state


def assign(
    counts: NDArray[np.float32], settings: ThresholdSettings, off: OffLevels
) -> AssignedStates:
    """Return the states of the model; where a trace has no two levels, those of 'noise'."""
    first = noise.assign(counts, settings, off)
    states, levels, modelled, lit, lit_se = refine_states(counts, first.states, off)
    thresholds = np.where(modelled, levels, first.thresholds_counts)
    source = np.where(modelled, "hmm", first.source)
    fraction = np.where(modelled, lit, on_fraction(states, counts))
    return AssignedStates(states, thresholds, source, fraction, np.where(modelled, lit_se, 0.0))


def refine_states(
    traces: NDArray[np.float32], states: BoolArray, off: OffLevels
) -> tuple[BoolArray, FloatArray, BoolArray, FloatArray, FloatArray]:
    """Return refined states of every trace that has two.

    Parameters
    ----------
    traces : (n, frames) array
        Counts.
    states : (n, frames) bool array
        First states.
    off : OffLevels
        Off level and noise of each.

    Returns
    -------
    states : (n, frames) bool array
        Refined, or the first ones where `modelled` is False.
    levels : (n,) array
        Counts above which a single frame between two off ones is likelier on than off; nan where
        not modelled.
    modelled : (n,) bool array
        False where a trace shows no second state, or two do not describe it.
    lit, lit_se : (n,) arrays
        Expected share of the time on, and its standard error if frames were independent.
    """
    refined = states.copy()
    levels, lit, lit_se = np.full((3, len(traces)), np.nan)
    for i, (trace, first) in enumerate(zip(traces, states, strict=True)):
        x = np.ascontiguousarray(trace, dtype=np.float64)
        if off.source[i] == "none" or not np.isfinite(x).all() or not off.noise_counts[i] > 0:
            continue
        seen = first
        if first.sum() < _MIN_FRAMES:
            # On may lie below a threshold many noises above off: two groups of counts, if there
            # are two, and what is only noise does not pass the separation required below.
            seen = _upper_group(x)
        if not _MIN_FRAMES <= seen.sum() <= len(seen) - _MIN_FRAMES:
            continue
        mean, sigma = _start(x, seen, off, i)
        # Where the levels are close, a threshold many noises above off has lost half of on.
        start = seen | (x > mean.mean())
        if not _MIN_FRAMES <= int(start.sum()) <= len(start) - _MIN_FRAMES:
            continue
        model = _Model(*_posterior_on(x, start, mean, sigma, off.skewness))
        if not model.mean[1] - model.mean[0] >= _MIN_SEPARATION * model.sigma[0]:
            continue
        on = model.posterior > 0.5
        if not _MIN_FRAMES <= int(on.sum()) <= len(on) - _MIN_FRAMES:
            continue
        # Three frames in a row between the levels are a level of their own (a grey state, a
        # nanocrystal that dims), which is not in the model: it would call them off.
        grey = first & ~on
        if (grey[:-2] & grey[1:-1] & grey[2:]).mean() > _GREY_SHARE:
            continue
        refined[i] = on
        levels[i] = _crossing(model, off.skewness)
        p = np.clip(model.posterior, 0.0, 1.0)
        lit[i] = p.mean()
        lit_se[i] = np.sqrt((p * (1.0 - p)).sum()) / len(p)
    return refined, levels, np.isfinite(levels), lit, lit_se


def _upper_group(x: FloatArray) -> BoolArray:
    """Return which counts are in the upper of two groups (two-means, from the middle)."""
    border = 0.5 * float(x.min() + x.max())
    for _ in range(50):
        upper = x > border
        if not upper.any() or upper.all():
            break
        moved = 0.5 * float(x[upper].mean() + x[~upper].mean())
        if moved == border:
            break
        border = moved
    return np.asarray(x > border)


def _start(
    x: FloatArray, first: BoolArray, off: OffLevels, i: int
) -> tuple[FloatArray, FloatArray]:
    on = x[first]
    level = float(np.median(on))
    spread = 1.4826 * float(np.median(np.abs(on - level)))
    noise = float(off.noise_counts[i])
    return np.array([float(off.level_counts[i]), level]), np.array([noise, max(spread, noise)])


def _crossing(model: _Model, skewness: float) -> float:
    """Return the counts above which a frame between two off ones is likelier on than off."""
    x = np.linspace(model.mean[0], model.mean[1], 400)
    density, lit = _emissions(x, model.mean, model.sigma, skewness, 0.0)
    off = model.share[:_PARTLY] / max(model.share[:_PARTLY].sum(), 1e-300)
    through = (off @ model.transition[:_PARTLY]) * model.transition[:, :_PARTLY].sum(axis=1)
    weighed = density * np.array([through[:2].sum(), through[2], through[3:].sum()])
    p_on = weighed[:, 2] + weighed[:, 1] * lit
    above = p_on > 0.5 * weighed.sum(axis=1)
    return float(x[int(np.argmax(above))]) if above.any() else float(model.mean[1])


@njit()
def _emissions(
    x: FloatArray, mean: FloatArray, sigma: FloatArray, skewness: float, floor: float
) -> tuple[FloatArray, FloatArray]:
    """Return densities of off, partly lit and on; probability that a partly lit one is half lit."""
    n = len(x)
    density = np.empty((n, 3))
    lit = np.empty(n)
    span = mean[1] - mean[0]
    middle = 0.5 * (mean[0] + mean[1])
    root2 = np.sqrt(2.0)
    amplitude = 1.0 / (sigma * np.sqrt(2.0 * np.pi))
    shape = 4.0 / max(skewness, 0.02) ** 2
    log_gamma = 0.5 * np.log(shape) - math.lgamma(shape) - np.log(sigma[0])
    for t in range(n):
        z = (x[t] - mean[0]) / sigma[0]
        if skewness < 0.02:
            off = amplitude[0] * np.exp(-0.5 * z * z)
        else:
            y = shape + z * np.sqrt(shape)
            off = np.exp(log_gamma + (shape - 1.0) * np.log(y) - y) if y > 0.0 else 0.0
        z = (x[t] - mean[1]) / sigma[1]
        on = amplitude[1] * np.exp(-0.5 * z * z)
        # The even spread between the levels, blurred by the noise there.
        e_off = 0.5 * math.erf((x[t] - mean[0]) / (root2 * sigma[0]))
        e_mid = 0.5 * math.erf((x[t] - middle) / (root2 * 0.5 * (sigma[0] + sigma[1])))
        e_on = 0.5 * math.erf((x[t] - mean[1]) / (root2 * sigma[1]))
        partly = max(e_off - e_on, 0.0)
        density[t, 0] = off + floor
        density[t, 1] = partly / span + floor
        density[t, 2] = on + floor
        # Beyond both levels, where nothing is partly lit, the nearer one decides.
        nearer = 1.0 if x[t] > middle else 0.0
        lit[t] = min(max((e_mid - e_on) / partly, 0.0), 1.0) if partly > 1e-12 else nearer
    return density, lit


@njit()
def _posterior_on(
    x: FloatArray,
    first: BoolArray,
    mean: FloatArray,
    sigma: FloatArray,
    skewness: float,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the fields of `_Model`, learnt by Baum-Welch."""
    n = len(x)
    floor = _FLOOR / max(x.max() - x.min(), 1e-300)
    least_sigma = 0.5 * sigma[0]
    emission = np.array([0, 0, 1, 2, 2])
    transition = _START.copy()
    start_on = min(max(first.mean(), 0.01), 0.99)
    begin = np.array(
        [0.5 * (1 - start_on), 0.5 * (1 - start_on), 0.0, 0.5 * start_on, 0.5 * start_on]
    )
    f = np.empty(_N_STATES)
    b = np.empty(_N_STATES)
    d = np.empty(_N_STATES)
    before = np.empty(_N_STATES)
    grid = np.empty(_TABLE)
    density = np.empty((n, 3))
    lit = np.empty(n)
    forward = np.empty((n, _N_STATES))
    gamma = np.empty((n, 3))
    posterior = np.empty(n)
    for iteration in range(_ITERATIONS + 1):
        # All vary slowly with the counts: a table of them, then a linear look-up a frame.
        low = mean[0] - _REACH * sigma[0]
        step = (mean[1] + _REACH * sigma[1] - low) / (_TABLE - 1)
        for k in range(_TABLE):
            grid[k] = low + k * step
        on_grid, lit_on_grid = _emissions(grid, mean, sigma, skewness, floor)
        for t in range(n):
            place = (x[t] - low) / step
            if place <= 0.0 or place >= _TABLE - 1:
                density[t, :] = floor
                lit[t] = 0.0 if place <= 0.0 else 1.0
                continue
            k = int(place)
            w = place - k
            for s in range(3):
                density[t, s] = (1.0 - w) * on_grid[k, s] + w * on_grid[k + 1, s]
            lit[t] = (1.0 - w) * lit_on_grid[k] + w * lit_on_grid[k + 1]
        # Forward, each frame normalised to one.
        for t in range(n):
            total = 0.0
            for j in range(_N_STATES):
                p = begin[j]
                if t > 0:
                    p = 0.0
                    for i in range(_N_STATES):
                        p += before[i] * transition[i, j]
                f[j] = p * density[t, emission[j]]
                total += f[j]
            for j in range(_N_STATES):
                before[j] = f[j] / total
                forward[t, j] = before[j]
        # Backward, with the sums Baum-Welch needs.
        moves = np.zeros((_N_STATES, _N_STATES))
        for j in range(_N_STATES):
            b[j] = 1.0
        for t in range(n - 1, -1, -1):
            total = 0.0
            for j in range(_N_STATES):
                total += forward[t, j] * b[j]
            gamma[t, :] = 0.0
            for j in range(_N_STATES):
                gamma[t, emission[j]] += forward[t, j] * b[j] / total
            posterior[t] = gamma[t, 2] + gamma[t, 1] * lit[t]
            if t == 0:
                break
            for j in range(_N_STATES):
                d[j] = density[t, emission[j]] * b[j]
            total = 0.0
            for i in range(_N_STATES):
                b[i] = 0.0
                for j in range(_N_STATES):
                    b[i] += transition[i, j] * d[j]
                total += forward[t - 1, i] * b[i]
            for i in range(_N_STATES):
                for j in range(_N_STATES):
                    moves[i, j] += forward[t - 1, i] * transition[i, j] * d[j] / total
                b[i] /= total
        if iteration == _ITERATIONS:
            break
        change = 0.0
        for side in range(2):
            column = 2 * side  # whole frames off, whole frames on
            weight = 0.0
            moment = 0.0
            for t in range(n):
                weight += gamma[t, column]
                moment += gamma[t, column] * x[t]
            if weight < 1.0:
                continue
            new_mean = moment / weight
            square = 0.0
            for t in range(n):
                square += gamma[t, column] * (x[t] - new_mean) ** 2
            change = max(change, abs(new_mean - mean[side]) / sigma[0])
            mean[side] = new_mean
            sigma[side] = max(np.sqrt(square / weight), least_sigma)
        if mean[1] <= mean[0]:
            break
        for i in range(_N_STATES):
            # The first guess keeps a kind that is not there from dividing by zero.
            row = moves[i] + _GUESS_FRAMES * _START[i]
            row /= row.sum()
            if i != _PARTLY:
                short = i in (_SHORT_OFF, _SHORT_ON)
                stay = min(row[i], _STAY_BORDER) if short else max(row[i], _STAY_BORDER)
                leave = 1.0 - row[i]
                row *= (1.0 - stay) / leave
                row[i] = stay
            change = max(change, np.abs(row - transition[i]).max())
            transition[i] = row
        at_start = gamma[0]
        for j in range(_N_STATES):
            begin[j] = max(at_start[emission[j]], 0.01) * (1.0 if j == _PARTLY else 0.5)
        begin /= begin.sum()
        if change < _TOLERANCE:
            break
    share = np.zeros(_N_STATES)
    for i in range(_N_STATES):
        share[i] = moves[i].sum() / max(n - 1, 1)
    return posterior, mean, sigma, transition, share
