"""Two means over samples that have some of their units in common.

Input: values and units of both samples. Output: the correlation of their means.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray, IntArray

MIN_COMMON = 10  # units that show how their values correlate


def correlation_of_means(
    first: FloatArray, first_units: IntArray, second: FloatArray, second_units: IntArray
) -> float:
    """Return the correlation of the means of two samples.

    Independent units contribute nothing; of n and m values those of c units in both contribute
    r c / sqrt(n m), with the correlation r of the values of these units.

    Parameters
    ----------
    first, second : (n,), (m,) float
    first_units, second_units : (n,), (m,) int
        What each value belongs to. Of several values of a unit in one sample the mean is used.
    """
    of_units = [
        pd.Series(values).groupby(units).mean()
        for values, units in ((first, first_units), (second, second_units))
    ]
    common = pd.concat(of_units, axis=1, join="inner").to_numpy()
    if len(common) < MIN_COMMON or not common.std(axis=0).all():
        return 0.0
    r = float(np.corrcoef(common.T)[0, 1])
    return r * len(common) / float(np.sqrt(len(of_units[0]) * len(of_units[1])))
