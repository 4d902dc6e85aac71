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
from scipy.ndimage import median_filter
from scipy.special import ndtr

from blinkpair.arrays import BoolArray, FloatArray

_LEAST_PAIRS = 10
_CLIPPED = 6.0  # standard deviations of the differences: cosmic rays
# Of events t^-1.5 without a shortest one <s> / <s^2> is 3 over the longest share that is not seen;
# with a shortest one it is less.
_OF_LARGEST = 3.0
_HIDDEN_NOISES = 2.5  # of that share (as in `short_events`), up to half a frame
_SKEWED = 0.6  # of that share: <s^3> / <s^2>
_LOCAL_FRAMES = 31  # slower changes of the level do not count (as in `short_events`)
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


def fast_variance(x: FloatArray, chosen: BoolArray) -> tuple[float, float]:
    """Return the variance of frames that are next to each other, and its standard error.

    Half the mean square of their differences (von Neumann): its relative variance is 3 over the
    number of pairs. nan and infinity where there are few.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    chosen : (frames,) bool array
        The frames of one state.
    """
    difference = np.diff(x)[chosen[1:] & chosen[:-1]]
    if len(difference) < _LEAST_PAIRS:
        return np.nan, np.inf
    low, high = np.quantile(difference, (0.16, 0.84))
    reach = _CLIPPED * 0.5 * (high - low)
    variance = 0.5 * float((np.clip(difference, -reach, reach) ** 2).mean())
    return variance, float(np.sqrt(3.0 / len(difference))) * variance


def skewed_variance(
    x: FloatArray, chosen: BoolArray, span: float, camera: float
) -> tuple[float, float]:
    """Return the variance that is switching's by the skewness, and its standard error.

    Events of shares s up to h lower single frames, and add a third cumulant of -<s^3> / <s^2> of
    their variance: 0.6 h for t^-1.5. A level that fluctuates from frame to frame does so to both
    sides. In squares of the distance of the levels; nan and infinity where there are few frames.

    Parameters
    ----------
    x : (frames,) array
        Counts of the frames on, of which the median over the next ones is taken off.
    chosen : (frames,) bool array
        Those whose neighbours are on, too.
    span, camera : float
        Distance of the levels, counts; third cumulant of the camera's noise, counts^3.
    """
    n = int(chosen.sum())
    if n < _LEAST_PAIRS:
        return np.nan, np.inf
    y = ((x - median_filter(x, min(_LOCAL_FRAMES, len(x)), mode="nearest")) / span)[chosen]
    sigma = float(y.std())
    y = np.clip(y - y.mean(), -_CLIPPED * sigma, _CLIPPED * sigma)
    each = _SKEWED * min(_HIDDEN_NOISES * sigma, 0.5)
    variance = (camera / span**3 - float(((y - y.mean()) ** 3).mean())) / each
    return variance, float(np.sqrt(6.0 / n)) * sigma**3 / each


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
