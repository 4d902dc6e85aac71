"""Tails of the binomial distribution, as logarithms.

Input: a number out of n, and the probability of one. Output: the logarithm of the tail.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc


def log_tail(k: float, n: float, p: float) -> float:
    """Return the logarithm of P(X >= k) of a binomial; of its upper bound where it underflows.

    The bound is that of Hoeffding (JASA 58, 13, 1963).
    """
    if k <= 0 or n <= 0:
        return 0.0
    share = k / n
    tail = float(betainc(k, n - k + 1, p)) if k <= n else 0.0
    exact = float(np.log(tail)) if tail > 0 else -np.inf
    if share <= p or (np.isfinite(exact) and exact > -500):
        return exact
    rest = (1 - share) * np.log((1 - share) / (1 - p)) if share < 1 else 0.0
    return float(-n * (share * np.log(share / p) + rest))
