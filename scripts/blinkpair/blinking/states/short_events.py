"""Time in events shorter than a frame, which the chain of states does not see.

An off event of a fifth of a frame dims one frame by a fifth; where that is about the noise, the
frame is taken for on. Such events are the more frequent the shorter they are: over the durations of
interest both kinds follow power laws of exponents near 1.5. So the counts of frames between two on
ones are a mixture of frames that were on throughout and of dimmed ones, whose shares of off time
are those that a power law makes. The dimmed frames that stand out of the noise give the amplitude,
and the law gives the time in those that do not. Flashes between two off frames are treated alike.

The probability of an event in a frame is integrated over, evenly on a logarithmic scale, so that
counts which decide nothing leave a wide distribution.

Input: counts and the chain of one trace. Output: time in short events, and its variance.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import median_filter

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.states.emissions import FLOOR, log_scale, skewed
from blinkpair.compiled import njit

_SHORTEST = 0.05  # of a frame: what is shorter cannot be distinguished from another level
_NODES = 8  # shares of a frame at which the law is evaluated
_BINS = 64
_LOCAL_FRAMES = 31  # median of so many frames of the state: levels that fluctuate do not count
_LEAST_FRAMES = 30
_ITERATIONS = 2  # each rate begins where the one before it ended
# Probabilities of a short event in a frame.
_RATES = np.append(0.0, np.geomspace(1e-4, 0.2, 12))


def _law() -> tuple[FloatArray, FloatArray]:
    """Return shares of a frame that short events fill, and the probability of each.

    Of durations t with a density of t^-1.5 and beginnings at any time: events of s that lie within
    the frame, s^-1.5 (1 - s), and the parts s of longer ones that begin or end in it,
    4 (s^-0.5 - 1).
    """
    edges = np.geomspace(_SHORTEST, 1.0, _NODES + 1)
    share = np.sqrt(edges[1:] * edges[:-1])
    weight = (share**-1.5 * (1 - share) + 4 * (share**-0.5 - 1)) * np.diff(edges)
    return share, weight / weight.sum()


_SHARES, _WEIGHTS = _law()


def short_events(
    x: FloatArray, in_state: BoolArray, span: float, sigma: float, far_sigma: float, skewness: float
) -> tuple[BoolArray, float, float]:
    """Return which frames lie between two of a state, and the time in short events within them.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    in_state : (frames,) bool array
        Frames in the state that the events interrupt.
    span : float
        Counts of the other state less those of this one: negative where that is off.
    sigma, far_sigma : float
        Noise in this state and in the other one, counts.
    skewness : float
        Of the counts in this state.

    Returns
    -------
    between : (frames,) bool array
    mean, variance : float
        Of the sum of the shares of these frames that lie in short events, frames and frames^2.
    """
    between = np.zeros_like(in_state)
    between[1:-1] = in_state[:-2] & in_state[2:]
    if between.sum() < _LEAST_FRAMES:
        return np.zeros_like(in_state), 0.0, 0.0
    frames = np.flatnonzero(in_state)
    local = median_filter(x[frames], min(_LOCAL_FRAMES, len(frames)), mode="nearest")
    nearest = np.minimum(np.searchsorted(frames, np.flatnonzero(between)), len(frames) - 1)
    noise, far = sigma / abs(span), far_sigma / abs(span)
    y = np.clip((x[between] - local[nearest]) / span, -6 * noise, 1 + 4 * far)
    count, edges = np.histogram(y, bins=_BINS)
    filled = count > 0
    return between, *_integrate(
        (0.5 * (edges[1:] + edges[:-1]))[filled],
        count[filled].astype(np.float64),
        noise,
        far,
        math.copysign(1.0, span),
        skewness,
        _SHARES,
        _WEIGHTS,
        _RATES,
    )


@njit()
def _integrate(
    y: FloatArray,
    count: FloatArray,
    noise: float,
    far: float,
    sign: float,
    skewness: float,
    shares: FloatArray,
    weights: FloatArray,
    rates: FloatArray,
) -> tuple[float, float]:
    """Return mean and variance of the time, over all rates of events."""
    bins, nodes = len(y), len(shares)
    floor = FLOOR / (y[-1] - y[0] + noise)
    scale = log_scale(skewness)
    fit = np.empty(len(rates))
    time = np.empty(len(rates))
    within = np.empty(len(rates))
    event = np.empty((bins, 3))  # density of frames with an event, its share and the square of that
    place, sigma = 0.0, noise
    for k in range(len(rates)):
        rate = rates[k]
        for iteration in range(_ITERATIONS + 1):
            event[:] = 0.0
            for s in range(nodes):
                spread = math.sqrt(sigma**2 + shares[s] * max(far**2 - noise**2, -0.9 * sigma**2))
                for i in range(bins):
                    z = (y[i] - place - shares[s]) / spread
                    p = weights[s] * skewed(sign * z, skewness, scale) / spread
                    event[i, 0] += p
                    event[i, 1] += p * shares[s]
                    event[i, 2] += p * shares[s] ** 2
            total = moment = square = 0.0
            fit[k] = time[k] = within[k] = 0.0
            for i in range(bins):
                clear = skewed(sign * (y[i] - place) / sigma, skewness, scale) / sigma
                whole = (1.0 - rate) * clear + rate * event[i, 0] + floor
                part = count[i] * (1.0 - rate) * clear / whole
                total += part
                moment += part * y[i]
                square += part * y[i] ** 2
                fit[k] += count[i] * math.log(whole)
                mean = rate * event[i, 1] / whole
                time[k] += count[i] * mean
                within[k] += count[i] * (rate * event[i, 2] / whole - mean**2)
            if iteration < _ITERATIONS and total > 1.0:
                place = moment / total
                sigma = max(math.sqrt(max(square / total - place**2, 0.0)), 0.5 * noise)
    p = np.exp(fit - fit.max())
    p /= p.sum()
    mean = (p * time).sum()
    return mean, (p * (within + time**2)).sum() - mean**2
