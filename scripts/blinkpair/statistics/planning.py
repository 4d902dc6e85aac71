"""How many fields an experiment needs: its intervals and power, by experiments drawn at random.

The same model as that of the intervals (`design_effects`): field f has the mean y_f of n
nanocrystals, normal about the true change with variance s^2 (1 / n + theta); s is the standard
deviation within fields, theta the ratio of the variances between and within. Experiments are drawn
from it and evaluated as a run does, so that power and width are those of the report's intervals.

Input: a change, its scatter and how much fields differ. Output: power and width for numbers of
fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError
from blinkpair.statistics.design_effects import Codes
from blinkpair.statistics.intervals import pooled_fractions, pooled_means

_TRIALS = 400  # a power of 0.8 within 0.04


@dataclass(frozen=True)
class Plan:
    """What is expected of an experiment.

    Attributes
    ----------
    change : float
        True mean change of the on-fraction, 0 to 1 (0.05 is 5 points).
    scatter : float
        Standard deviation of the change between nanocrystals of one field.
    design_effect : float
        Variance of a field's mean over that of as many independent nanocrystals; 1 where fields do
        not differ.
    share : float
        A population's share of n, 0 to 1.
    nanocrystals : int
        That count in n, in each field.
    treatments : int
        Treatments, the control included, with as many fields each: how much fields differ is
        learned from all of them but the control.
    confidence : float
        Of the intervals.
    """

    change: float = 0.05
    scatter: float = 0.3
    design_effect: float = 2.0
    share: float = 0.1
    nanocrystals: int = 100
    treatments: int = 1
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what no experiment has."""
        checks = {
            "change": -1 < self.change < 1,
            "scatter": 0 < self.scatter <= 1,
            "design_effect": 1 <= self.design_effect <= self.nanocrystals,
            "share": 0 < self.share < 1,
            "nanocrystals": self.nanocrystals >= 2,
            "treatments": self.treatments >= 1,
            "confidence": 0.5 <= self.confidence < 1,
        }
        for name, good in checks.items():
            if not good:
                raise InputError(
                    f"{name} is {getattr(self, name)}, which no experiment has",
                    "changes, scatter and shares are fractions: 0.05 is 5 points; a design effect "
                    "lies between 1 and the number of nanocrystals of a field",
                )


def expected_power(plan: Plan, fields: Sequence[int], *, seed: int = 1) -> pd.DataFrame:
    """Return power and width of the intervals for several numbers of fields a treatment.

    Parameters
    ----------
    plan : Plan
    fields : sequence of int
        Numbers of fields.
    seed : int
        Of the experiments that are drawn.

    Returns
    -------
    DataFrame
        `fields`, `nanocrystals` (of a treatment), `power` (share of experiments whose interval of
        the mean change leaves out zero), `half_width_change` and `half_width_share`: medians of
        half the interval's length.
    """
    rng = np.random.default_rng(seed)
    settings: Any = {"confidence": plan.confidence, "control_last": plan.treatments > 1}
    rows = []
    for n_fields in fields:
        codes = [np.repeat(np.arange(n_fields), plan.nanocrystals)] * plan.treatments
        found, changes, shares = 0, [], []
        for _ in range(_TRIALS):
            drawn = [_deviations(plan, own, rng) for own in codes]
            means = pooled_means(
                [plan.change + plan.scatter * one for one in drawn],
                codes,
                **settings,
            )
            found += not means[0].low <= 0 <= means[0].high
            changes.append((means[0].high - means[0].low) / 2)
            flags = [(one > ndtri(1 - plan.share)).astype(float) for one in drawn]
            share = pooled_fractions(flags, codes, **settings)[0]
            shares.append((share.high - share.low) / 2)
        rows.append(
            {
                "fields": n_fields,
                "nanocrystals": codes[0].size,
                "power": found / _TRIALS,
                "half_width_change": float(np.median(changes)),
                "half_width_share": float(np.median(shares)),
            }
        )
    return pd.DataFrame(rows)


def _deviations(plan: Plan, codes: Codes, rng: np.random.Generator) -> FloatArray:
    """Return a standard normal number a nanocrystal, correlated within fields."""
    rho = (plan.design_effect - 1) / (plan.nanocrystals - 1)
    common = rng.normal(0, np.sqrt(rho), int(codes.max()) + 1)[codes]
    deviations: FloatArray = common + rng.normal(0, np.sqrt(1 - rho), codes.size)
    return deviations
