"""Whether a fit describes its data.

Input: a fit. Output: a p value.
"""

from __future__ import annotations

import numpy as np

from blinkpair.ensemble.fitting import Fit


def goodness(one: Fit) -> float:
    """Return the p value of the fit: of the size of its residuals, or of their order.

    Counts: Pearson's chi-square, neighbouring channels joined until each has ten expected photons.
    Other values, whose scatter is not known beforehand: the product of neighbouring residuals,
    which is 0 on average if they are independent, in units of its standard error. One-sided.
    """
    from scipy.special import chdtrc, ndtr

    if not one.is_poisson:
        products = one.residuals[1:] * one.residuals[:-1]
        error = float(np.sqrt(np.sum(products**2)))
        return float(ndtr(-products.sum() / error)) if error > 0 else float("nan")
    bins = np.floor((np.cumsum(one.fitted) - one.fitted) / 10.0).astype(int)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    expected = np.add.reduceat(one.fitted, starts)
    seen = np.add.reduceat(one.data, starts)
    free = expected.size - one.parameters.size
    chi = float(np.sum((seen - expected) ** 2 / expected))
    return float(chdtrc(free, chi)) if free > 0 else float("nan")
