"""Estimate the shares of types A and B, of all nanocrystals instead of those with a verdict.

Verdicts are lost for a reason: type B has long events, and therefore often too few for a fit, which
type A seldom has. Of the verdicts alone, type A would be too frequent; of all nanocrystals, type B
would be too rare. Here every nanocrystal has one of two types: with a cut-off within 1 s (A) or
without (B). The share p of type A is the one that makes all their events most likely,

    product of (p r_i + 1 - p),  r_i = likelihood with a cut-off over that without
                                 (`type_ratios`).

Where the ratios leave no doubt, p is the counted share; a nanocrystal whose events show nothing
changes nothing.

The interval is that of a fraction (`statistics.intervals`) of fewer nanocrystals: of as many as
would have its end, were they independent, where the likelihood ratio has it. It allows for fields
that differ as those of the other fractions do. An end is 0 or 1 where the likelihood ratio does not
reject this share.

Input: ratios and fields of the nanocrystals of some groups. Output: an estimate a group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.special import ndtri

from blinkpair.arrays import FloatArray
from blinkpair.statistics.design_effects import Codes, DesignEffect, pooled_effects
from blinkpair.statistics.intervals import UNDEFINED, Estimate, fraction_interval

_HALVINGS = 50  # of the range of p, to 1e-15
_HALVINGS_OF_END = 12  # of where an end of the interval is, to 1/4,000


def pooled_type_shares(
    log_ratios: Sequence[FloatArray],
    fields: Sequence[Codes],
    *,
    confidence: float = 0.95,
    control_last: bool = False,
) -> tuple[list[Estimate], list[Estimate]]:
    """Return the shares of types A and B in each of several groups, which sum to 1.

    Parameters
    ----------
    log_ratios : sequence of ndarray, shapes (n,)
        Natural logarithms of r_i; nan where it is not known.
    fields : sequence of ndarray of int
        Fields of the same nanocrystals, from `design_effects.field_codes`.
    confidence, control_last
        As in `intervals.pooled_fractions`.
    """
    logs = [np.where(np.isfinite(own), own, 0.0) for own in log_ratios]
    shares = [_likeliest_share(own) for own in logs]
    # The probability of type A of each nanocrystal; their mean is the share.
    each = [_probabilities(own, share) for own, share in zip(logs, shares, strict=True)]
    effects = pooled_effects(each, fields, control_last=control_last)
    estimates = []
    for own, share, (effect, _) in zip(logs, shares, effects, strict=True):
        if not own.any():
            estimates.append(Estimate(float("nan"), *UNDEFINED, float("nan")))
            continue
        log_likelihood = partial(_log_likelihood, own)
        estimates.append(share_estimate(share, log_likelihood, own.size, effect, confidence))
    return estimates, [
        Estimate(1.0 - one.value, 1.0 - one.high, 1.0 - one.low, one.design_effect)
        for one in estimates
    ]


def _log_likelihood(log_ratios: FloatArray, share: float) -> float:
    """Return the log-likelihood of a share of type A, up to a constant."""
    return float(np.sum(np.log(share * np.exp(log_ratios) + (1.0 - share))))


def _likeliest_share(log_ratios: FloatArray) -> float:
    """Return the share of type A of the highest likelihood; its logarithm is concave in it."""
    excess = np.expm1(log_ratios)

    def slope(share: float) -> float:
        return float(np.sum(excess / (share * excess + 1.0)))

    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return low


def _probabilities(log_ratios: FloatArray, share: float) -> FloatArray:
    """Return the probability of type A of each nanocrystal, (n,)."""
    ratios = np.exp(log_ratios)
    return np.asarray(share * ratios / (share * ratios + 1.0 - share), dtype=np.float64)


def share_estimate(
    share: float,
    log_likelihood: Callable[[float], float],
    n_most: float,
    effect: DesignEffect,
    confidence: float,
) -> Estimate:
    """Return the likeliest share with its interval.

    At the end u of the interval of the likelihood ratio, Wilson's interval of n independent
    nanocrystals ends if n = z^2 u (1 - u) / (u - share)^2.

    Parameters
    ----------
    share : float
    log_likelihood : callable
        Of any share, at its highest in all else.
    n_most : float
        Nanocrystals that the share is of; n is not larger.
    effect : DesignEffect
    confidence : float
    """
    z = float(ndtri(0.5 + confidence / 2))
    least = log_likelihood(share) - z**2 / 2
    ends = []
    for side, last in enumerate((0.0, 1.0)):
        if log_likelihood(last) > least:
            ends.append(last)
            continue
        inside, outside = share, last
        for _ in range(_HALVINGS_OF_END):
            middle = (inside + outside) / 2
            possible = log_likelihood(middle) > least
            inside, outside = (middle, outside) if possible else (inside, middle)
        n = min(z**2 * middle * (1.0 - middle) / (middle - share) ** 2, n_most)
        ends.append(fraction_interval(share, n, effect, confidence=confidence)[side])
    return Estimate(share, ends[0], ends[1], effect.median)
