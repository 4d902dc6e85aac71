"""Runs of one frame and of a few, and how many of them each law of short events makes.

An event of about a frame is seen as a single frame of the other state, in any noise in which states
are seen at all. Their number limits that of shorter events. Their number against that of longer
runs shows whether events go on below a frame: those of t^-1.5 down to a tenth of a frame make 2.4
times as many runs of one frame as of two, those from a frame up, or exponential ones, as many.

Input: the states of one trace. Output: numbers of runs, and what each law expects of them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, xlogy

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.event_laws import LAWS

# For each law the numbers of those that runs do not distinguish from it: of the same exponent, and
# with events shorter than a frame where it has such.
_ALIKE = [[j for j, b in enumerate(LAWS) if (b[0], b[1] < 1) == (a, s < 1)] for a, s in LAWS]
_LONGEST_RUN = 4  # frames
_SHORTEST = 0.02  # frames, as in `LAWS`
_DURATIONS, _PHASES = 240, 12  # durations and beginnings within a frame over which laws are summed
_SHARES = 400  # lit shares of a frame that are tried
# Expected runs are tabulated for these: the share of a frame from which one alone is seen, and the
# noise in units of the distance of the levels.
_SEEN = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
_NOISE = np.array([0.03, 0.06, 0.1, 0.15, 0.2, 0.27, 0.35])
_TEMPER = 0.5  # runs join, and are cut by noise: two are the evidence that one should be
_MOST_RUNS = 100.0  # more are no more evidence: no law is exactly right
_MANY_RUNS = 20.0  # from so many on, the trace counts fully for the field
_LEAST_SHARE = 1e-3  # added to every share: noise makes runs that a law does not


class Runs(NamedTuple):
    """Runs that interrupt one state of a trace.

    `number` (3,) of one frame, of two, and of three or four; `expected` (laws, 3) the same for one
    event of t^-alpha a frame, at t of one frame; `seen` from `seen_share`.
    """

    number: FloatArray
    expected: FloatArray
    seen: float

    def log_laws(self) -> FloatArray:
        """Return the logarithm of the probability of each law, (laws,).

        Runs show whether events go on below a frame, not how far: laws of one exponent that do are
        alike.
        """
        total = self.number.sum()
        shares = self.expected / self.expected.sum(axis=1, keepdims=True) + _LEAST_SHARE
        weight = _TEMPER * min(1.0, _MOST_RUNS / max(total, 1.0))
        fit = weight * xlogy(self.number, shares).sum(axis=1)
        return np.array([fit[alike].max() for alike in _ALIKE])

    def use(self) -> float:
        """Return how much the trace counts for the field, 0..1."""
        return float(min(self.number.sum() / _MANY_RUNS, 1.0))


def find_runs(
    result: chain.Chain, skewness: tuple[float, float], column: int, state: BoolArray
) -> Runs:
    """Return the runs that interrupt the state of `column`, (frames,) bool."""
    edges = np.flatnonzero(np.diff(state)) + 1
    lengths = np.diff(edges)
    starts = ~state[edges[:-1]] if len(edges) else np.zeros(0, bool)
    binned = np.bincount(np.minimum(lengths[starts], _LONGEST_RUN + 1), minlength=6)
    number = np.array([binned[1], binned[2], binned[3] + binned[4]], np.float64)
    levels = result.levels
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    noise = 0.5 * (levels[emissions.OFF_NOISE] + levels[emissions.ON_SIGMA]) / span
    seen = seen_share(result, skewness, column)
    nearest = _SEEN[np.argmin(np.abs(_SEEN - seen))], _NOISE[np.argmin(np.abs(_NOISE - noise))]
    return Runs(number, _expected(*map(float, nearest)), seen)


def seen_share(result: chain.Chain, skewness: tuple[float, float], column: int) -> float:
    """Return the share of a frame from which an event alone is likelier than none, 0..1.

    The event interrupts the state of `column`, which is off or on.
    """
    levels = result.levels
    shares = np.linspace(0.0, 1.0, _SHARES)
    lit = shares if column == emissions.OFF else 1.0 - shares
    x = (1.0 - lit) * levels[emissions.OFF_LEVEL] + lit * levels[emissions.ON_LEVEL]
    steady = emissions.NoiseCourse.constant(len(x))
    density = emissions.densities(x, levels, skewness, *steady)
    over_half = emissions.lit_shares(x, levels, *steady)[:, 2:]
    emission = result.emission
    inside, partly = emission == column, emission == emissions.PARTLY
    begin = result.share[inside] / max(result.share[inside].sum(), 1e-300)
    through = (begin @ result.transition[inside]) * result.transition[:, inside].sum(axis=1)
    weighed = density[:, emission] * through
    most = over_half if column == emissions.OFF else 1.0 - over_half
    part = np.where(inside, 0.0, np.where(partly, most, 1.0))
    above = (weighed * part).sum(axis=1) > 0.5 * weighed.sum(axis=1)
    return float(shares[int(np.argmax(above))]) if above.any() else 1.0


@cache
def _expected(seen: float, noise: float) -> FloatArray:
    """Return the runs of one event of t^-alpha a frame that begins at any time, (laws, 3).

    A frame alone is seen if it is filled from `seen` on, and one beside another from a half on.
    """
    t = np.geomspace(_SHORTEST, _LONGEST_RUN + 2.0, _DURATIONS)
    begins = (np.arange(_PHASES) + 0.5)[None, :, None] / _PHASES
    frame = np.arange(_LONGEST_RUN + 3)
    filled = np.minimum(begins + t[:, None, None], frame + 1) - np.maximum(begins, frame)
    filled = np.sort(np.clip(filled, 0.0, 1.0), axis=-1)[..., ::-1]
    length = np.zeros((_DURATIONS, _PHASES, _LONGEST_RUN + 4))  # probability of each
    length[..., 1] = 1.0 - np.prod(1.0 - ndtr((filled - seen) / noise) * (filled > 0), axis=-1)
    for share in np.moveaxis(filled[..., 1:], -1, 0):
        longer = (ndtr((share - 0.5) / noise) * (share > 0))[..., None]
        moved = longer * length[..., :-1]
        length *= 1.0 - longer
        length[..., 1:] += moved
    mean = length.mean(axis=1)
    runs = np.stack([mean[:, 1], mean[:, 2], mean[:, 3] + mean[:, 4]], axis=1)
    density = np.array([np.where(t >= shortest, t**-alpha, 0.0) for alpha, shortest in LAWS])
    return np.asarray((density * np.gradient(t)) @ runs)
