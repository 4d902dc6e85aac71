"""Switching faster than the frames: what it does to levels, and how it shows.

A nanocrystal that switches many times within a frame shows an average of on and off. Where it does
so for long, the averages look like a level of their own; where off events only interrupt an on
state, the on level comes out too low. The mean of the counts cannot decide it: time on and on level
appear in it as a product. The scatter of the counts can. Events that are independent of each other,
of shares s of a frame, lower the mean by their rate times <s> and add their rate times <s^2> to the
variance (compound Poisson), from frame to frame, and what lasts does not: half the mean square of
the difference of neighbouring frames, less the camera's noise, is what switching adds.

Input: counts and levels of traces. Output: variance that switching adds, how likely a grey level is
one, and the error of on levels.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from blinkpair.arrays import BoolArray, FloatArray

_LEAST_PAIRS = 10
_CLIPPED = 6.0  # standard deviations of the differences: cosmic rays
# Of events t^-1.5 without a shortest one <s> / <s^2> is 3 over the longest share that is not seen;
# with a shortest one it is less.
_OF_LARGEST = 3.0
_HIDDEN_NOISES = 2.5  # of that share (as in `short_events`), up to half a frame
_OF_BURSTS = 10.0  # root mean square of 1 / (2 T) over these T
_CLEAR_ERRORS = 2.0  # a variance within so many of its errors may be none
_SHORTEST = 0.02  # frames: what switches faster is a level (as in `short_events`)
# Variances that switching may add, in squares of the distance of the levels, and how they may be
# distributed in a field, (distributions, variances): some at zero, others exponentially.
_VARIANCES = np.append(0.0, np.geomspace(2e-4, 0.3, 30))
_EXPONENTIAL = np.stack(
    [np.exp(-_VARIANCES[1:] / scale) * _VARIANCES[1:] for scale in np.geomspace(5e-4, 0.1, 12)]
)
_EXPONENTIAL /= _EXPONENTIAL.sum(axis=1, keepdims=True)
_USUAL = np.concatenate(
    [
        np.column_stack([np.full(len(_EXPONENTIAL), none), (1.0 - none) * _EXPONENTIAL])
        for none in (0.02, 0.25, 0.5, 0.75, 0.98)
    ]
)


def fast_variance(x: FloatArray, weight: BoolArray | FloatArray) -> tuple[float, float]:
    """Return the variance of frames that are next to each other, and its standard error.

    Half the mean square of their differences (von Neumann): its relative variance is 3 over the
    number of pairs. nan and infinity where there are few.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    weight : (frames,) array
        Which frames belong to one state, or the probability that they do. Those with more than 1/2
        are a choice of similar counts where states overlap, and differ by less than the state does.
    """
    pair = np.asarray(weight[1:], np.float64) * weight[:-1]
    pairs = float(pair.sum())
    if pairs < _LEAST_PAIRS:
        return np.nan, np.inf
    difference, pair = np.diff(x)[pair > 0.0], pair[pair > 0.0]
    low, high = np.quantile(difference, (0.16, 0.84), weights=pair, method="inverted_cdf")
    reach = _CLIPPED * 0.5 * (high - low)
    variance = 0.5 * float(pair @ np.clip(difference, -reach, reach) ** 2) / pairs
    return variance, float(np.sqrt(3.0 / pairs)) * variance


def probability_of_level(share: float, added: float, error: float) -> float:
    """Return how likely counts between off and on are a level, not an average of both.

    Parameters
    ----------
    share : float
        Place between off (0) and on (1).
    added, error : float
        Variance beyond the camera's and its standard error, in squares of the distance of the
        levels. Switching with a correlation time T, in frames, adds 2 T share (1 - share) to an
        average over a frame, where T is half the mean length of events that are alike. A level
        adds less than events of a fiftieth of a frame, switching anything from there on.
    """
    most = share * (1.0 - share)  # of whole frames
    least = _SHORTEST * most
    below, between, above = ndtr((np.array([0.0, least, most]) - max(added, 0.0)) / error)
    level = (between - below) / least
    switching = (above - between) / (most - least)
    return float(level / (level + switching))


def unexplained_shift(added: float, error: float, spread: float, in_dims: float) -> float:
    """Return how far the on level may be too low, in units of itself: root mean square.

    From the variance that short events do not explain. Switching with a correlation time of T
    frames, which lowers the level by a share d, adds about 2 T d (1 - d): T is anything from a
    fiftieth of a frame to a half, evenly on a logarithmic scale, as in bursts.

    Parameters
    ----------
    added, error, spread : float
        As in `square_of_shifts`.
    in_dims : float
        Share of the time on that is in dims by the laws of short events. Those of t^-1.5 up to
        h frames add h / 3 of it.
    """
    if not np.isfinite(error):
        return 0.0
    explained = max(in_dims, 0.0) * min(_HIDDEN_NOISES * spread, 0.5) / _OF_LARGEST
    return _OF_BURSTS * max(added - explained - _CLEAR_ERRORS * error, 0.0)


def square_of_shifts(added: FloatArray, error: FloatArray, spread: FloatArray) -> FloatArray:
    """Return the mean square of how far each on level is too low, in squares of itself, (n,).

    A trace shows its variance v roughly; all of a field show what is usual there: a share of the
    traces without any, and an exponential distribution, both of all sizes and weighed by how well
    they agree with the field. The shift lies between 0 and v <s> / <s^2>, evenly distributed.

    Parameters
    ----------
    added, error : (n,) arrays
        Variance of the on counts beyond the camera's and its standard error, in squares of the
        distance of the levels; nan and infinity where not known.
    spread : (n,) array
        Standard deviation of the on counts in units of the distance.
    """
    known = np.isfinite(error)
    z = (np.where(known, added, 0.0)[:, None] - _VARIANCES) / error[:, None]
    likelihood = np.exp(-0.5 * (z**2 - (z**2).min(axis=1, keepdims=True)))
    agreement = np.log(likelihood @ _USUAL.T + 1e-300)  # (n, distributions)
    weight = agreement.sum(axis=0)
    weight = np.exp(weight - weight.max())
    variance = (weight / np.exp(agreement)) @ _USUAL * likelihood / weight.sum()
    most = _VARIANCES * (_OF_LARGEST / np.minimum(_HIDDEN_NOISES * spread, 0.5))[:, None]
    return np.asarray((variance * np.minimum(most, 1.0) ** 2).sum(axis=1) / 3.0)
