"""Estimate the shares of A to A, A to B, B to A and B to B, of all emissive before and after.

Counted transitions need a verdict before and one after, which type B seldom gets twice. Here every
nanocrystal that is emissive in both movies is of one of the four kinds. Their shares w are those
that make all events most likely,

    product of (w_AA r_i s_i + w_AB r_i + w_BA s_i + w_BB),

r_i and s_i the likelihood with a cut-off over that without, before and after (`type_ratios`), by
the EM algorithm. Intervals are those of `type_shares`, with the other shares at their likeliest.

Input: ratios and fields of the nanocrystals of some groups. Output: estimates of each group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.populations.type_shares import share_estimate
from blinkpair.populations.type_states import PURE, TRUNCATED
from blinkpair.statistics.design_effects import Codes, DesignEffect, pooled_effects
from blinkpair.statistics.intervals import UNDEFINED, Estimate

PAIRS = tuple((before, after) for before in (TRUNCATED, PURE) for after in (TRUNCATED, PURE))
UNKNOWN = Estimate(float("nan"), *UNDEFINED, float("nan"))
_IS_A = np.array([[name == TRUNCATED for name in pair] for pair in PAIRS], dtype=np.float64)
_STEP = 0.1  # of the logarithm of a ratio: ratios within 5 % are taken as equal, which is faster
_ITERATIONS, _SETTLED = 500, 1e-6  # of the EM algorithm; largest change of a share
_LEAST_BEFORE = 0.5  # nanocrystals of a type before; of fewer there is no share to estimate

# Of each pair: its share of all, and of the nanocrystals with the same type before.
PairEstimates = dict[tuple[str, str], tuple[Estimate, Estimate]]


def pooled_transition_shares(
    before: Sequence[FloatArray],
    after: Sequence[FloatArray],
    fields: Sequence[Codes],
    *,
    confidence: float = 0.95,
    control_last: bool = False,
) -> list[PairEstimates]:
    """Return the estimates of the four pairs of types in each of several groups.

    Parameters
    ----------
    before, after : sequence of ndarray, shapes (n,)
        Natural logarithms of r_i and s_i of nanocrystals that are emissive in both movies; 0 where
        nothing is known.
    fields : sequence of ndarray of int
        Fields of the same nanocrystals, from `design_effects.field_codes`.
    confidence, control_last
        As in `intervals.pooled_fractions`.
    """
    groups = [_CountedRatios.of(*logs) for logs in zip(before, after, strict=True)]
    shares = [own.likeliest_shares() for own in groups]
    each = [_probabilities(*own) for own in zip(before, after, shares, strict=True)]
    effects = [
        pooled_effects([own[:, k] for own in each], fields, control_last=control_last)
        for k in range(len(PAIRS))
    ]
    return [
        _estimates(own, share, [of_pair[g][0] for of_pair in effects], confidence)
        for g, (own, share) in enumerate(zip(groups, shares, strict=True))
    ]


class _CountedRatios(NamedTuple):
    """Nanocrystals, counted by their ratios.

    `likelihoods` (m, 4) has those of each pair over the largest of the four, `counts` (m,) how many
    nanocrystals have them.
    """

    likelihoods: FloatArray
    counts: FloatArray

    @classmethod
    def of(cls, before: FloatArray, after: FloatArray) -> _CountedRatios:
        """Return those of nanocrystals with these log ratios, (n,) each."""
        logs = np.stack([before, after], axis=1)
        logs, counts = np.unique(np.round(logs / _STEP) * _STEP, axis=0, return_counts=True)
        return cls(_pair_likelihoods(logs), counts.astype(np.float64))

    @property
    def n(self) -> float:
        """Number of nanocrystals."""
        return float(self.counts.sum())

    def log_likelihood(self, shares: FloatArray) -> float:
        """Return the log-likelihood of shares of the pairs, (4,), up to a constant."""
        with np.errstate(divide="ignore"):
            return float(self.counts @ np.log(self.likelihoods @ shares))

    def likeliest_shares(
        self, constrained: Callable[[FloatArray], FloatArray] = lambda shares: shares
    ) -> FloatArray:
        """Return the shares of the highest likelihood, (4,), among those `constrained` returns."""
        shares = constrained(np.full(len(PAIRS), 1.0 / len(PAIRS)))
        for _ in range(_ITERATIONS if self.n else 0):
            each = self.counts @ (self.likelihoods / (self.likelihoods @ shares)[:, None])
            last, shares = shares, constrained(shares * each / self.n)
            if np.abs(last - shares).max() < _SETTLED:
                break
        return shares

    def profile(self, value: float, constraint: Callable[[FloatArray, float], FloatArray]) -> float:
        """Return the highest log-likelihood of shares under a constraint to a value."""
        return self.log_likelihood(self.likeliest_shares(lambda shares: constraint(shares, value)))


def _pair_likelihoods(logs: FloatArray) -> FloatArray:
    """Return the likelihoods of the pairs over the largest, (n, 4), from log ratios (n, 2)."""
    of_pairs = logs @ _IS_A.T
    return np.asarray(np.exp(of_pairs - of_pairs.max(axis=1, keepdims=True, initial=-np.inf)))


def _probabilities(before: FloatArray, after: FloatArray, shares: FloatArray) -> FloatArray:
    """Return the probability of each pair for each nanocrystal, (n, 4)."""
    weights = shares * _pair_likelihoods(np.stack([before, after], axis=1))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def _with_share(shares: FloatArray, value: float, k: int) -> FloatArray:
    """Return shares (4,) of which the k-th is `value`, the others in the proportions given."""
    others = np.arange(len(PAIRS)) != k
    total = shares[others].sum()
    scale = (1.0 - value) / total if total > 0 else 0.0
    return np.where(others, shares * scale, value)


def _with_part(shares: FloatArray, value: float, k: int, other: int) -> FloatArray:
    """Return shares (4,) of which the k-th is `value` times the sum of it and the `other`."""
    changed = shares.copy()
    changed[[k, other]] = (shares[k] + shares[other]) * np.array([value, 1.0 - value])
    return changed


def _estimates(
    own: _CountedRatios, shares: FloatArray, effects: list[DesignEffect], confidence: float
) -> PairEstimates:
    """Return the estimates of one group, from its likeliest shares (4,)."""
    if not own.n or np.all(own.likelihoods == 1.0):  # no nanocrystal, or no event that shows a type
        return dict.fromkeys(PAIRS, (UNKNOWN, UNKNOWN))
    found: PairEstimates = {}
    for k, (before, after) in enumerate(PAIRS):
        share = float(shares[k])
        of_share = partial(own.profile, constraint=partial(_with_share, k=k))
        of_all = share_estimate(share, of_share, own.n, effects[k], confidence)
        other = PAIRS.index((before, PURE if after == TRUNCATED else TRUNCATED))
        share_before = share + float(shares[other])
        of_before = UNKNOWN
        if share_before * own.n > _LEAST_BEFORE:
            of_part = partial(own.profile, constraint=partial(_with_part, k=k, other=other))
            of_before = share_estimate(
                share / share_before, of_part, share_before * own.n, effects[k], confidence
            )
        found[before, after] = of_all, of_before
    return found
