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
from scipy.special import expit, logsumexp

from blinkpair.arrays import FloatArray
from blinkpair.blinking.states import chain, emissions

_LEAST_ROW = 4  # frames: the first and the last may be lit in part, two others show a level
_DIMMEST = 0.3  # of the on level: what is dimmer is as likely dirt or a neighbour
# Standard deviations of shares that fast switching may make; that of even shares is 0.29.
_SWITCHING = np.array([0.05, 0.1, 0.2])[:, None]
_MOST_EVIDENCE = 20.0  # of one row, logarithm
_ITERATIONS = 30
_KNOWN_BEFORE = 1.0  # rows that count as much as the share of one half assumed before
# Of the time in rows: as much may be in events that are too short for one.
_SHORTER = 0.5


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
    sums = np.cumsum(np.column_stack([y, y**2, result.lit]), axis=0)
    inner = sums[ends - 2] - sums[starts]
    n = ends - starts - 2
    mean = inner[:, 0] / np.maximum(n, 1)
    squares = inner[:, 1] - n * mean**2
    bright = mean > _DIMMEST
    if not bright.any():
        return EventLevels(0.0, 0.0, 0.0)
    starts, ends, n, mean, squares = (v[bright] for v in (starts, ends, n, mean, squares))
    variance = noise**2 + np.minimum(mean, 1.0) * (sigma**2 - noise**2)
    switching = logsumexp(_log_density(n, squares, variance + _SWITCHING**2), axis=0)
    evidence = _log_density(n, squares, variance) - switching + np.log(len(_SWITCHING))
    probability, share = _mixture(np.clip(evidence, -_MOST_EVIDENCE, _MOST_EVIDENCE))
    # The first and the last frame of an event that begins or ends within it.
    outer = sum(np.clip(y[frame] / mean, 0.0, 1.0) for frame in (starts, ends - 1))
    lit = sums[ends - 1, 2] - sums[starts, 2] + result.lit[starts]
    change = n + outer - lit
    time = float(probability @ change)
    unsure = float((probability * (1.0 - probability)) @ change**2)
    # How often rows are levels is known from so many rows.
    unsure += share * (1.0 - share) / (len(n) + 3.0) * float(change.sum()) ** 2
    return EventLevels(time, unsure + (_SHORTER * time) ** 2, share)


def _log_density(n: FloatArray, squares: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the log-density of n normal counts whose squares about their mean sum to `squares`."""
    return np.asarray(-0.5 * ((n - 1) * np.log(2.0 * np.pi * variance) + squares / variance))


def _mixture(evidence: FloatArray) -> tuple[FloatArray, float]:
    """Return the probability that each row is a level, and the share of such rows."""
    share = 0.5
    probability = np.full(len(evidence), share)
    for _ in range(_ITERATIONS):
        probability = expit(evidence + np.log(share / (1.0 - share)))
        share = float(probability.sum() + 0.5 * _KNOWN_BEFORE) / (len(evidence) + _KNOWN_BEFORE)
    return probability, share
