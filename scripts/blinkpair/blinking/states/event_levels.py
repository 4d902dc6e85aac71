"""Events at a level of their own, between off and on.

Some nanocrystals are dimmer in some events than in others, at a level that differs from event to
event. The chain has no state for such an event: its frames are lit in part for it, one after the
other, although the nanocrystal is on in all of them. Frames of fast switching are lit in part one
after the other, too, but then their counts differ by more than noise. Each row of such frames is
judged by how well its counts agree, and all rows of a trace together show how often rows are levels
in it.

Input: a trace and its chain. Output: by how much the time on is longer, and how well that is known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, ndtr

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.blinking.states import chain, emissions

_LEAST_ROW = 5  # frames: the first and the last may be lit in part, three others show a level
# Levels that are tried, in units of the on level: what is dimmer is as likely dirt or a neighbour.
_LEVELS = np.linspace(0.3, 1.0, 15)
_MEANS = np.linspace(0.05, 1.0, 20)  # the same of averages over fast switching
_LIT_IN_PART = 0.1  # of the frames of an event at a level, which is off for a part of them
# Standard deviations of the shares that fast switching makes; or all shares are equally likely,
# which is as likely as both.
_SWITCHING = (0.1, 0.2)
_MOST_EVIDENCE = 20.0  # of one row, logarithm
# Shares of the rows that are levels: none in so many of the traces, else any.
_NONE = 0.8
_SHARES = np.append(0.0, (np.arange(20) + 0.5) / 20)[:, None]
# Of the time in rows: as much may be in events that are too short for one.
_SHORTER = 0.5
_LEAST_DENSITY = 1e-4  # of outliers


class EventLevels(NamedTuple):
    """What events at a level of their own add to the time on.

    `time` and `variance` are in frames and frames^2; `share` is that of rows which are
    levels, 0..1.
    """

    time: float
    variance: float
    share: float


def event_levels(x: FloatArray, result: chain.Chain) -> EventLevels:
    """Return what rows of frames between the levels add, were they levels.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    result : Chain
    """
    levels = result.levels
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    y = (x - levels[emissions.OFF_LEVEL]) / span
    noise, sigma = levels[emissions.OFF_NOISE] / span, levels[emissions.ON_SIGMA] / span
    between = result.probability[:, emissions.PARTLY] > 0.5
    edges = np.flatnonzero(np.diff(between, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= _LEAST_ROW
    starts, ends = starts[long], ends[long]
    if not len(starts):
        return EventLevels(0.0, 0.0, 0.0)
    length = ends - starts - 2
    first = np.cumsum(length) - length  # of the inner frames of each row among those of all rows
    inner = np.arange(length.sum()) + np.repeat(starts + 1 - first, length)
    evidence, mean, full = _rows(y[inner], first, noise, sigma)
    evidence = np.clip(evidence, -_MOST_EVIDENCE, _MOST_EVIDENCE)
    # The first and the last frame of an event that begins or ends within it.
    outer = sum(np.clip(y[frame] / mean, 0.0, 1.0) for frame in (starts, ends - 1))
    lit = np.add.reduceat(result.lit[inner], first) + result.lit[starts] + result.lit[ends - 1]
    change = full + outer - lit
    of_level = _SHARES * np.exp(evidence)
    either = of_level + 1.0 - _SHARES  # (shares, rows)
    log_weight = np.log(either).sum(axis=1)
    weight = np.exp(log_weight - log_weight.max())
    weight[0] *= (len(_SHARES) - 1) * _NONE / (1.0 - _NONE)
    weight /= weight.sum()
    probability = of_level / either
    times = probability @ change
    squares = times**2 + (probability * (1.0 - probability)) @ change**2
    time = float(weight @ times)
    variance = float(weight @ squares) - time**2 + (_SHORTER * time) ** 2
    return EventLevels(time, variance, float(weight @ _SHARES[:, 0]))


def _rows(
    y: FloatArray, first: IntArray, noise: float, sigma: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return for each row the evidence of a level, that level, and the time on at it in frames.

    `y` (frames,) are the counts of all rows in units of the distance of the levels; those of a row
    begin at `first`.
    """

    def of_rows(density: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat(np.log(density + _LEAST_DENSITY), first))

    def variance(level: FloatArray) -> FloatArray:
        return np.asarray(noise**2 + level * (sigma**2 - noise**2))

    spread = np.sqrt(variance(_LEVELS))
    whole = (1.0 - _LIT_IN_PART) * _normal(y[:, None] - _LEVELS, spread)
    in_part = _LIT_IN_PART * (ndtr(y / noise)[:, None] - ndtr((y[:, None] - _LEVELS) / spread))
    density = whole + np.maximum(in_part, 0.0) / _LEVELS
    of_level = of_rows(density)  # (rows, levels)
    apart = y[:, None] - _MEANS
    means = [of_rows(_normal(apart, np.sqrt(variance(_MEANS) + s**2))) for s in _SWITCHING]
    even = of_rows(np.maximum(ndtr(y / noise) - ndtr((y - 1.0) / sigma), 0.0))
    switching = logsumexp([*(_log_mean(fit) for fit in means), even, even], axis=0) - np.log(4.0)
    best = np.argmax(of_level, axis=1)
    at = np.repeat(best, np.diff(np.append(first, len(y))))
    frame = np.arange(len(y))
    at_level = whole[frame, at] / (density[frame, at] + _LEAST_DENSITY)
    time = at_level + (1.0 - at_level) * np.clip(y / _LEVELS[at], 0.0, 1.0)
    return _log_mean(of_level) - switching, _LEVELS[best], np.add.reduceat(time, first)


def _log_mean(fit: FloatArray) -> FloatArray:
    """Return the logarithm of the mean over the columns, (rows,)."""
    return np.asarray(logsumexp(fit, axis=1) - np.log(fit.shape[1]))


def _normal(apart: FloatArray, spread: FloatArray) -> FloatArray:
    """Return the density of normal counts so far from their mean."""
    return np.asarray(np.exp(-0.5 * (apart / spread) ** 2) / (spread * np.sqrt(2.0 * np.pi)))
