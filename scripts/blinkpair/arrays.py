"""Types of arrays, and which points lie near which.

Input: points as (n, 2) arrays of x and y. Output: the rows of the points within a radius.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def neighbours(xy: FloatArray, others: FloatArray, radius_px: float) -> Iterator[IntArray]:
    """Yield for each point the rows of `others` within a radius, itself included.

    Points are compared one row at a time: a field has a few hundred of them, for which that is
    faster than loading a search tree.
    """
    for point in xy:
        distance2 = ((others - point) ** 2).sum(axis=1)
        yield np.flatnonzero(distance2 <= radius_px**2)
