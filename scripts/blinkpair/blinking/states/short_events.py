"""Time in events shorter than a frame, which the chain of states does not see.

An off event of a fifth of a frame dims one frame by a fifth; where that is about the noise, the
frame is taken for on. Durations follow power laws down to a shortest one, so such events may be
many. The counts of frames between two on ones are a mixture of frames that were on throughout and
of dimmed ones, whose shares of off time are those that the law of off durations makes. The dimmed
frames that stand out of the noise give the amplitude, and the law the time in those that do not.
Flashes between two off frames are treated alike; they hold light, which the empty place limits.

Which law is right is seen in many traces rather than in one (`event_laws`): here every law of a
small set is fitted. The probability of an event in a frame is integrated over, evenly on a
logarithmic scale, so that counts which decide nothing leave a wide distribution.

Input: counts and the chain of one trace. Output: time in short events under each law, its variance,
and how well the law agrees with the counts.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.states.emissions import FLOOR, log_scale, skewed
from blinkpair.blinking.states.event_laws import LAWS
from blinkpair.blinking.states.event_runs import Runs
from blinkpair.compiled import njit

_NODES = 10  # shares of a frame at which a law is evaluated
_BINS = 48
_HIDDEN = np.array([0.03, 0.06, 0.12, 0.2, 0.3, 0.4, 0.5])  # shares that are taken for none
_HIDDEN_NOISES = 2.5  # where the chain's densities of whole and of partly lit frames cross
# Levels fluctuate with a memory, and noise is not exactly as in the model: two frames are the
# evidence that one independent frame would be.
_FRAME_WEIGHT = 0.5
_LOCAL_FRAMES = 31  # median of so many frames of the state: levels that fluctuate do not count
_LEAST_FRAMES = 30
# The density of frames with an event is kept while place and width change by less, widths.
_SAME = 1e-3
_ITERATIONS = 1  # each rate begins where the one before it ended
# Probabilities of a short event in a frame, from the highest: from the lowest, the noise would be
# widened first, and would hold the events.
_RATES = np.append(np.geomspace(0.7, 3e-4, 14), 0.0)
# Runs of one frame: so many limit the rate of events, as far as it is known at the distance of the
# rates above; and how many others there are, made by noise.
_MOST_SINGLE, _SINGLE_BY_CHANCE = 8.0, 0.5
_TABLE = 1024  # of the density of the noise
_TABLE_REACH = 8.0  # standard deviations
_TABLE_STEP = 2.0 * _TABLE_REACH / (_TABLE - 1)


class State(NamedTuple):
    """A state that short events interrupt.

    `frames` (frames,) bool are those in it; `span` the counts of the other state less those of this
    one, negative where that is off; `sigma` and `far_sigma` the noise in this state and in the
    other; `skewness` that of the counts in this state; `least_sigma` the noise without events and
    `least_sigma_se` its relative error: what exceeds it is events, as far as that is known. `scale`
    (frames,) is the noise of each frame against that.
    """

    frames: BoolArray
    span: float
    sigma: float
    far_sigma: float
    skewness: float
    least_sigma: float
    least_sigma_se: float
    scale: FloatArray


class ShortEvents(NamedTuple):
    """What the counts of one state of one trace make of every law in `LAWS`.

    `between` (frames,) are the frames that lie between two of the state. `time` and `variance`
    (laws,) are mean and variance of the time in short events in those of them that are in the
    state, and in hidden parts beside others, frames and frames^2; `fit` is the logarithm of the
    probability of the counts.
    """

    between: BoolArray
    fit: FloatArray
    time: FloatArray
    variance: FloatArray


def _shares(
    hidden: float,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return shares of a frame that short events fill, their widths, and each law's weights.

    Of durations t with a density of t^-a above the shortest, and beginnings at any time, in frames
    whose neighbours have less than `hidden` of the event: s^-a (1 - s) of those within the frame,
    twice the number of those from s to s + hidden for the parts s of those that begin or end in it,
    and those of one frame and more that fill it. The fourth array is the time in the hidden parts
    of events whose other part is seen, in frames, for each event in such frames; the last the
    number of frames with events for each event of t^-a a frame, at t of one frame.
    """
    edges = (np.arange(_NODES + 1) / _NODES) ** 2
    fine = (np.arange(1000) + 0.5) / 1000
    node = np.searchsorted(edges, fine) - 1
    beyond = fine * 2 * hidden  # of one frame
    weights, shares = np.empty((len(LAWS), _NODES)), np.empty((len(LAWS), _NODES))
    beside, total = np.empty(len(LAWS)), np.empty(len(LAWS))
    for k, (alpha, shortest) in enumerate(LAWS):
        longer, shorter = (
            np.maximum(t, shortest) ** (1 - alpha) / (alpha - 1) for t in (fine, fine + hidden)
        )
        density = 2 * (longer - shorter) + (fine > shortest) * fine**-alpha * (1 - fine)
        weights[k] = np.bincount(node, density, _NODES)
        shares[k] = np.bincount(node, density * fine, _NODES)
        filled = (1 + beyond) ** -alpha * np.minimum(beyond, 2 * hidden - beyond)
        upto = np.clip(shorter - 1 / (alpha - 1), 0, None)
        beside[k] = (2 * fine * upto)[fine < hidden].sum() / weights[k].sum()
        weights[k, -1] += filled.sum() * 2 * hidden
        shares[k, -1] += filled.sum() * 2 * hidden
        total[k] = weights[k].sum() / len(fine)
    shares /= np.maximum(weights, 1e-300)
    return shares, np.diff(edges), weights / weights.sum(axis=1, keepdims=True), beside, total


_BY_HIDDEN = [_shares(hidden) for hidden in _HIDDEN]


def short_events(
    x: FloatArray,
    state: State,
    empty: tuple[float, float] = (0.0, np.inf),
    runs: tuple[Runs, float] | None = None,
) -> ShortEvents:
    """Return the time in short events under each law.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    state : State
        The one that the events interrupt.
    empty : (float, float)
        Mean counts of a frame of the state without events, and its standard error: what the mean
        exceeds it by is light of events. Default: not known.
    runs : (Runs, float)
        Runs that interrupt the state, and the weight of those of one frame, 0..1: shorter events
        are as many as these and the law make them. Default: not known.
    """
    frames_in = state.frames
    between = np.zeros_like(frames_in)
    between[1:-1] = frames_in[:-2] & frames_in[2:]
    n = int(between.sum())
    none = np.zeros(len(LAWS))
    if n < _LEAST_FRAMES:
        return ShortEvents(np.zeros_like(frames_in), none, none, none)
    frames = np.flatnonzero(frames_in)
    local = median_filter(x[frames], min(_LOCAL_FRAMES, len(frames)), mode="nearest")
    nearest = np.minimum(np.searchsorted(frames, np.flatnonzero(between)), len(frames) - 1)
    span = abs(state.span)
    noise, far, start = (s / span for s in (state.sigma, state.far_sigma, state.least_sigma))
    # Brought to one noise: events of frames of more noise are smaller then, and of others larger.
    even = 1.0 / state.scale[between]
    y = (x[between] - local[nearest]) / state.span * (even / even.mean())
    y = np.clip(y, -6 * noise, 1 + 4 * far)
    count, edges = np.histogram(y, bins=_BINS)
    unseen, _ = np.histogram(y[frames_in[between]], bins=edges)
    filled = count > 0
    *shares, total = _BY_HIDDEN[int(np.argmin(np.abs(_HIDDEN - _HIDDEN_NOISES * noise)))]
    single, per_rate, weight = 0.0, np.zeros(len(LAWS)), 0.0
    if runs is not None:
        single, per_rate = float(runs[0].number[0]), n * runs[0].expected[:, 0] / total
        weight = runs[1] * min(1.0, _MOST_SINGLE / max(single, 1.0))
    found = _integrate(
        (0.5 * (edges[1:] + edges[:-1]))[filled],
        count[filled].astype(np.float64),
        unseen[filled].astype(np.float64),
        np.array([noise, far, np.sign(state.span), state.skewness, start, state.least_sigma_se]),
        (n * (float(x[between].mean()) - empty[0]) / state.span, n * empty[1] / span),
        *shares,
        _RATES,
        (single, weight),
        per_rate,
    )
    return ShortEvents(between, *found)


@njit()
def _tabulated(table: FloatArray, z: float) -> float:
    """Return a density that is tabulated in steps of `_TABLE_STEP`; zero beyond the table."""
    place = (z + _TABLE_REACH) / _TABLE_STEP
    if not 0.0 <= place < _TABLE - 1:
        return 0.0
    at = int(place)
    return float(table[at] + (place - at) * (table[at + 1] - table[at]))


@njit()
def _with_event(
    y: FloatArray,
    place: float,
    sigma: float,
    more: float,
    shares: FloatArray,
    weights: FloatArray,
    widths: FloatArray,
    table: FloatArray,
    event: FloatArray,
) -> None:
    """Fill `event` (bins, 3): density of frames with an event, its share, the square of that."""
    for i in range(len(y)):
        event[i, 0] = event[i, 1] = event[i, 2] = 0.0
    for s in range(len(widths)):
        share, weight, within = shares[s], weights[s], widths[s] ** 2 / 12.0
        if weight == 0.0:
            continue
        inverse = 1.0 / math.sqrt(sigma**2 + share * max(more, -0.9 * sigma**2) + within)
        square = share**2 + within
        for i in range(len(y)):
            p = weight * inverse * _tabulated(table, (y[i] - place - share) * inverse)
            event[i, 0] += p
            event[i, 1] += p * share
            event[i, 2] += p * square


@njit()
def _integrate(
    y: FloatArray,
    count: FloatArray,
    unseen: FloatArray,
    noise: FloatArray,
    light: tuple[float, float],
    shares: FloatArray,
    widths: FloatArray,
    weights: FloatArray,
    beside: FloatArray,
    rates: FloatArray,
    single: tuple[float, float],
    per_rate: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return fit, mean and variance of the time of each law, over all rates of events.

    `count` and `unseen` are the frames with counts `y`, all and those in the state. `noise` holds
    that of this and of the other state, the sign of the events, the skewness, the noise without
    events and its relative error; `light` the time that the mean counts show, and its standard
    error; `single` the number of runs of one frame and its weight, `per_rate` (laws,) how many are
    expected for each unit of the rate.
    """
    bins, laws = len(y), len(weights)
    frames = 0.0
    for i in range(bins):
        frames += count[i]
    own, far, sign, skewness, start, start_se = noise
    floor = FLOOR / (y[-1] - y[0] + own)
    scale = log_scale(skewness)
    table = np.empty(_TABLE)
    for k in range(_TABLE):
        table[k] = skewed(sign * (k * _TABLE_STEP - _TABLE_REACH), skewness, scale)
    result = np.empty((3, laws))
    fit = np.empty(len(rates))
    time = np.empty(len(rates))
    within = np.empty(len(rates))
    event = np.empty((bins, 3))  # density of frames with an event, its share and the square of that
    for law in range(laws):
        place, sigma = 0.0, start
        at_place, at_sigma = np.inf, 0.0  # of the frames with an event
        of_law = shares[law], weights[law], widths
        for k in range(len(rates)):
            rate = rates[k]
            for iteration in range(_ITERATIONS + 1):
                moved = abs(place - at_place) + abs(sigma - at_sigma)
                if moved > _SAME * sigma:
                    at_place, at_sigma = place, sigma
                    _with_event(y, place, sigma, far**2 - own**2, *of_law, table, event)
                total = moment = square = all_time = 0.0
                fit[k] = time[k] = within[k] = 0.0
                for i in range(bins):
                    clear = _tabulated(table, (y[i] - place) / sigma) / sigma
                    whole = (1.0 - rate) * clear + rate * event[i, 0] + floor
                    if iteration < _ITERATIONS:
                        part = count[i] * (1.0 - rate) * clear / whole
                        total += part
                        moment += part * y[i]
                        square += part * y[i] ** 2
                        continue
                    fit[k] += _FRAME_WEIGHT * count[i] * math.log(whole)
                    mean = rate * event[i, 1] / whole
                    all_time += count[i] * mean
                    time[k] += unseen[i] * mean
                    within[k] += unseen[i] * (rate * event[i, 2] / whole - mean**2)
                time[k] += rate * beside[law] * frames
                if iteration < _ITERATIONS and total > 1.0:
                    place = moment / total
                    sigma = max(math.sqrt(max(square / total - place**2, 0.0)), 0.5 * own)
            fit[k] -= 0.5 * ((light[0] - all_time) / light[1]) ** 2
            fit[k] -= 0.5 * (max((sigma / start) ** 2 - 1.0, 0.0) / (2.0 * start_se)) ** 2
        for k in range(len(rates)):
            expected = rates[k] * per_rate[law] + _SINGLE_BY_CHANCE
            fit[k] += single[1] * (single[0] * math.log(expected) - expected)
        highest = fit[0]
        for k in range(len(rates)):
            highest = max(highest, fit[k])
        # Written out: sums and maxima of arrays take long to compile.
        whole = mean = square = 0.0
        for k in range(len(rates)):
            whole += math.exp(fit[k] - highest)
        for k in range(len(rates)):
            p = math.exp(fit[k] - highest) / whole
            mean += p * time[k]
            square += p * (within[k] + time[k] ** 2)
        result[0, law] = highest + math.log(whole / len(rates))
        result[1, law], result[2, law] = mean, square - mean**2
    return result[0], result[1], result[2]
