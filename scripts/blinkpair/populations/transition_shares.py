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
from typing import NamedTuple

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.populations.type_shares import share_estimate
from blinkpair.populations.type_states import PURE, TRUNCATED
from blinkpair.statistics.design_effects import Codes, DesignEffect, pooled_effects
from blinkpair.statistics.intervals import UNDEFINED, Estimate

PAIRS = tuple((before, after) for before in (TRUNCATED, PURE) for after in (TRUNCATED, PURE))
UNKNOWN = Estimate(float("nan"), *UNDEFINED, float("nan"))
_IS_A = np.array([[name == TRUNCATED for name in pair] for pair in PAIRS], dtype=np.float64)
_STEP = 0.1  # of the logarithm of a ratio
_ITERATIONS, _SETTLED = 500, 1e-6

# Of the share in all, and of the share in those of the same type before.
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
    groups = [_kinds(*logs) for logs in zip(before, after, strict=True)]
    shares = [own.likeliest() for own in groups]
    each = [_probabilities(*own) for own in zip(before, after, shares, strict=True)]
    effects = [
        pooled_effects([own[:, k] for own in each], fields, control_last=control_last)
        for k in range(len(PAIRS))
    ]
    return [
        _estimates(own, share, [of_pair[g][0] for of_pair in effects], confidence)
        for g, (own, share) in enumerate(zip(groups, shares, strict=True))
    ]


class _Kinds(NamedTuple):
    """Likelihood of each pair over the largest, (m, 4), and how many nanocrystals have it, (m,)."""

    likelihoods: FloatArray
    counts: FloatArray

    @property
    def n(self) -> float:
        """Nanocrystals."""
        return float(self.counts.sum())

    def log_likelihood(self, share: FloatArray) -> float:
        with np.errstate(divide="ignore"):
            return float(self.counts @ np.log(self.likelihoods @ share))

    def likeliest(
        self, hold: Callable[[FloatArray], FloatArray] = lambda share: share
    ) -> FloatArray:
        """Return the shares of the highest likelihood, (4,), of those that `hold` returns."""
        share = hold(np.full(len(PAIRS), 1.0 / len(PAIRS)))
        for _ in range(_ITERATIONS if self.n else 0):
            each = self.counts @ (self.likelihoods / (self.likelihoods @ share)[:, None])
            last, share = share, hold(share * each / self.n)
            if np.abs(last - share).max() < _SETTLED:
                break
        return share


def _kinds(before: FloatArray, after: FloatArray) -> _Kinds:
    """Count the nanocrystals by their ratios, which matter to 5 %."""
    logs = np.stack([before, after], axis=1)
    logs, counts = np.unique(np.round(logs / _STEP) * _STEP, axis=0, return_counts=True)
    logs = logs @ _IS_A.T
    logs -= logs.max(axis=1, keepdims=True, initial=-np.inf)
    return _Kinds(np.exp(logs), counts.astype(np.float64))


def _probabilities(before: FloatArray, after: FloatArray, share: FloatArray) -> FloatArray:
    """Return the probability of each pair for each nanocrystal, (n, 4)."""
    logs = np.stack([before, after], axis=1) @ _IS_A.T
    weights = share * np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def _estimates(
    own: _Kinds, share: FloatArray, effects: list[DesignEffect], confidence: float
) -> PairEstimates:
    if not own.n or np.all(own.likelihoods == 1.0):
        return dict.fromkeys(PAIRS, (UNKNOWN, UNKNOWN))
    found: PairEstimates = {}
    for k, pair in enumerate(PAIRS):
        other = k ^ 1  # the same type before, the other after
        rest = np.arange(len(PAIRS)) != k

        def of_share(value: float, k: int = k, rest: BoolArray = rest) -> float:
            def hold(share: FloatArray) -> FloatArray:
                total = share[rest].sum()
                scale = (1.0 - value) / total if total > 0 else 0.0
                return np.where(rest, share * scale, value)

            return own.log_likelihood(own.likeliest(hold))

        def of_part(value: float, k: int = k, other: int = other) -> float:
            def hold(share: FloatArray) -> FloatArray:
                held = share.copy()
                held[[k, other]] = (share[k] + share[other]) * np.array([value, 1.0 - value])
                return held

            return own.log_likelihood(own.likeliest(hold))

        of_before = UNKNOWN
        total = float(share[k] + share[other])
        if total * own.n > 0.5:
            part = float(share[k]) / total
            of_before = share_estimate(part, of_part, own.n * total, effects[k], confidence)
        of_all = share_estimate(float(share[k]), of_share, own.n, effects[k], confidence)
        found[pair] = of_all, of_before
    return found
