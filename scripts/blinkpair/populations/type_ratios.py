"""Likelihood ratio of type A over type B of each nanocrystal, with alpha as its group has it.

`dwell_fits.cut_off_ratio` compares the laws for any alpha near 1.5. Few events do not distinguish a
steep law from a cut-off; a hundred nanocrystals show how steep their laws are. Alpha is therefore
normal within each type, with the means and deviations that make the events of all most likely
(empirical Bayes; B. Efron, Large-Scale Inference, 2010; by the EM algorithm). A few nanocrystals
change little of what is assumed before: 1.5 +- 0.3.

Input: ratios and alpha of the nanocrystals of a group. Output: their ratios by the laws of the
group, and alpha of its type B.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.dwell_fits.cut_off_ratio import CERTAIN, PRIOR_ALPHA, PRIOR_ALPHA_SD

# What is assumed of alpha within a type before, and how many nanocrystals count as much as that.
_SD = 0.3
_WORTH_OF_MEAN, _WORTH_OF_SD = 1.0, 5.0
_FIRST_SHARE = 0.3  # of type A, where the iterations begin
_ITERATIONS, _SETTLED = 200, 1e-6  # largest change of the share, of a mean or of a variance


class GroupRatios(NamedTuple):
    """Natural logarithms of the ratios of a group (n,), and the mean alpha of its type B.

    `alpha_b` is nan where alpha of no nanocrystal is known.
    """

    logs: FloatArray
    alpha_b: float


class _Law(NamedTuple):
    """Mean and variance of alpha within a type."""

    mean: float = PRIOR_ALPHA
    variance: float = _SD**2


def ratios_within_group(ratios: FloatArray) -> GroupRatios:
    """Return the ratios of one group by its own laws, and its alpha of type B.

    Parameters
    ----------
    ratios : ndarray, shape (n, 5)
        Columns of `type_states.RATIO`. A nan ratio is 0 in the result; where alpha is nan, the
        ratio remains as it is.
    """
    logs = np.where(np.isfinite(ratios[:, 0]), ratios[:, 0], 0.0)
    known = np.isfinite(ratios).all(axis=1)
    if not known.any():
        return GroupRatios(logs, float("nan"))
    logs[known], alpha_b = _by_own_laws(logs[known], ratios[known, 1:])
    return GroupRatios(logs, alpha_b)


def _by_own_laws(logs: FloatArray, alphas: FloatArray) -> tuple[FloatArray, float]:
    """Return the log ratios (n,) by the laws of the group, and the mean alpha without a cut-off.

    The EM algorithm: the probabilities of type A by the laws of either type, then these laws by the
    probabilities, in turn.

    Parameters
    ----------
    logs : ndarray, shape (n,)
        Log ratios with alpha as it is assumed before the events.
    alphas : ndarray, shape (n, 4)
        Mean and deviation of alpha without a cut-off, and with one.
    """
    pure, truncated = _Law(), _Law()
    share = _FIRST_SHARE
    found = logs
    for _ in range(_ITERATIONS):
        of_pure, alpha_pure, spread_pure = _reweighted(alphas[:, :2], pure)
        of_truncated, alpha_truncated, spread_truncated = _reweighted(alphas[:, 2:], truncated)
        found = np.clip(logs + of_truncated - of_pure, -CERTAIN, CERTAIN)
        odds = share / max(1.0 - share, 1e-12) * np.exp(found)
        is_a = odds / (1.0 + odds)
        last = np.array([share, *pure, *truncated])
        share = float(is_a.mean())
        pure = _law(alpha_pure, spread_pure, 1.0 - is_a)
        truncated = _law(alpha_truncated, spread_truncated, is_a)
        if np.abs(last - [share, *pure, *truncated]).max() < _SETTLED:
            break
    return found, pure.mean


def _reweighted(alphas: FloatArray, law: _Law) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return by how much ln of the mean likelihood changes; mean and variance of alpha, (n,) each.

    Alpha of each nanocrystal is normal, with mean and deviation in `alphas` (n, 2), where
    `PRIOR_ALPHA` +- `PRIOR_ALPHA_SD` was assumed before its events; now `law` is. The new density
    is the old one times the ratio of the two normal densities assumed before. Its precision is
    positive, because no deviation in `alphas` and no law is wider than `PRIOR_ALPHA_SD`.
    """
    alpha, own, before = alphas[:, 0], alphas[:, 1] ** 2, PRIOR_ALPHA_SD**2
    precision = 1.0 / own + 1.0 / law.variance - 1.0 / before
    mean = (alpha / own + law.mean / law.variance - PRIOR_ALPHA / before) / precision
    squares = alpha**2 / own + law.mean**2 / law.variance - PRIOR_ALPHA**2 / before
    change = precision * mean**2 - squares - np.log(own * law.variance * precision / before)
    return 0.5 * change, mean, 1.0 / precision


def _law(alpha: FloatArray, spread: FloatArray, weights: FloatArray) -> _Law:
    """Return the law of nanocrystals with means and variances of alpha and weights, (n,) each."""
    total = float(weights.sum())
    mean = (float(weights @ alpha) + _WORTH_OF_MEAN * PRIOR_ALPHA) / (total + _WORTH_OF_MEAN)
    squares = float(weights @ ((alpha - mean) ** 2 + spread))
    variance = (squares + _WORTH_OF_SD * _SD**2) / (total + _WORTH_OF_SD)
    return _Law(mean, min(variance, PRIOR_ALPHA_SD**2))
