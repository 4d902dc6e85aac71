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
# Correlation times of switching, twice and in frames: anything from here to a frame, evenly on a
# logarithmic scale. What switches faster is a level, of the same fraction of the time.
_SHORTEST = 0.02
_TIMES = np.geomspace(_SHORTEST, 1.0, 60)
_LARGEST_SHIFT = 0.5  # of the on level: one that is more often off within frames is no on level
# Variances that switching may add, in squares of the distance of the levels, and how they may be
# distributed in a field, (distributions, variances): all at zero; some at zero, others
# exponentially.
_VARIANCES = np.append(0.0, np.geomspace(2e-4, 0.3, 30))
_EXPONENTIAL = np.stack(
    [np.exp(-_VARIANCES[1:] / scale) * _VARIANCES[1:] for scale in np.geomspace(5e-4, 0.1, 12)]
)
_EXPONENTIAL /= _EXPONENTIAL.sum(axis=1, keepdims=True)
_USUAL = np.concatenate(
    [
        np.eye(1, len(_VARIANCES)),
        *(
            np.column_stack([np.full(len(_EXPONENTIAL), none), (1.0 - none) * _EXPONENTIAL])
            for none in (0.02, 0.25, 0.5, 0.75, 0.98)
        ),
    ]
)
# In most fields none switches within frames often: ten to one, before their traces are looked at.
_PRIOR = np.full(len(_USUAL), 0.1 / (len(_USUAL) - 1))
_PRIOR[0] = 0.9
# A level that flickers adds variance, too, and is not too low: one is as likely as the other.
_SQUARE_OF_SHIFT = 0.5 * (
    (np.minimum(_VARIANCES[:, None] / _TIMES, _LARGEST_SHIFT) ** 2).mean(axis=1)
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
        adds less than events of a fiftieth of a frame, switching anything from there on, evenly
        on a logarithmic scale.
    """
    by_time = _TIMES * share * (1.0 - share)
    below, above = ndtr((np.array([0.0, by_time[0]]) - max(added, 0.0)) / error)
    level = (above - below) / by_time[0]
    z = (by_time - max(added, 0.0)) / error
    switching = float(np.exp(-0.5 * z**2).mean()) / (error * np.sqrt(2.0 * np.pi))
    return float(level / (level + switching))


def square_of_shifts(added: FloatArray, error: FloatArray) -> FloatArray:
    """Return the mean square of how far each on level is too low, in squares of itself, (n,).

    A trace shows its variance v roughly; all of a field show what is usual there: none at all, or a
    share of the traces without any and an exponential distribution, of all sizes, weighed by how
    well they agree with the field. Switching with a correlation time T, in frames, that lowers the
    level by a share d adds about 2 T d to the variance; T is not known (`_TIMES`).

    Parameters
    ----------
    added, error : (n,) arrays
        Variance of the on counts beyond the camera's and beyond that of short events, and its
        standard error, in squares of the distance of the levels; nan and infinity where not known.
    """
    known = np.isfinite(error)
    z = (np.where(known, added, 0.0)[:, None] - _VARIANCES) / error[:, None]
    likelihood = np.exp(-0.5 * (z**2 - (z**2).min(axis=1, keepdims=True)))
    agreement = np.log(likelihood @ _USUAL.T + 1e-300)  # (n, distributions)
    weight = agreement.sum(axis=0) + np.log(_PRIOR)
    weight = np.exp(weight - weight.max())
    variance = (weight / np.exp(agreement)) @ _USUAL * likelihood / weight.sum()
    return np.asarray(variance @ _SQUARE_OF_SHIFT)
