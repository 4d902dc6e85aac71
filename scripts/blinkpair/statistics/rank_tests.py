"""Rank tests of changes and of groups, defined for the small and the empty ones as well.

Input: one value a nanocrystal, taken as independent of each other. Output: p values, two-sided.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray

# Changes of whole frames: equal ones may differ in the last digit, and would have different ranks.
_EQUAL_TO = 9  # decimal places


def signed_rank(delta: FloatArray) -> float:
    """Return the p value of Wilcoxon's signed rank test of changes.

    Parameters
    ----------
    delta : ndarray, shape (n,)
        Changes.

    Returns
    -------
    float
        1 where nothing changed; NaN for n = 0.
    """
    from scipy import stats  # half a second to import, and few steps need it

    delta = np.round(delta, _EQUAL_TO)
    if delta.size == 0:
        return float("nan")
    return float(stats.wilcoxon(delta).pvalue) if np.any(delta != 0) else 1.0


def rank_sum(first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """Return the result of Mann and Whitney's test of two groups.

    Parameters
    ----------
    first, second : ndarray, shapes (n1,) and (n2,)
        Their values.

    Returns
    -------
    p_value : float
        Exact where scipy does so (a group of at most 8, no equal values), else normal.
    probability_first_larger : float
        That a value of the first is larger than one of the second, half for equal ones:
        U / (n1 n2).

    Both are NaN where a group is empty.
    """
    from scipy import stats

    first, second = np.round(first, _EQUAL_TO), np.round(second, _EQUAL_TO)
    if not first.size or not second.size:
        return float("nan"), float("nan")
    if np.ptp(np.concatenate([first, second])) == 0:
        return 1.0, 0.5  # nothing to rank
    found = stats.mannwhitneyu(first, second, alternative="two-sided")
    return float(found.pvalue), float(found.statistic) / (first.size * second.size)
