"""Types of arrays, and what several packages compute: runs, a parabola's top, near points.

Input: arrays. Output: beginnings of runs; an offset; rows of the points within a radius.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def begins(values: NDArray[Any]) -> BoolArray:
    """Return where a run of equal values begins; (n,) for (n,) values."""
    first = np.ones(values.shape, dtype=bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return first


def row_runs(values: NDArray[Any]) -> tuple[IntArray, IntArray, IntArray, NDArray[Any]]:
    """Return row, first column, length and value of every run of a (rows, columns) array."""
    columns = max(values.shape[-1], 1)
    flat = np.ascontiguousarray(values).ravel()
    first = begins(flat)
    first[::columns] = True
    start = np.flatnonzero(first)
    row, column = np.divmod(start, columns)
    return row, column, np.diff(start, append=flat.size), flat[start]


def vertex(low: float, middle: float, high: float) -> float:
    """Return the offset of the maximum of the parabola through three points at -1, 0 and 1.

    0 where the three have no maximum.
    """
    return float(vertices(*(np.asarray(value, float) for value in (low, middle, high))))


def vertices(low: NDArray[Any], middle: NDArray[Any], high: NDArray[Any]) -> FloatArray:
    """Return `vertex` of every element of three arrays of one shape."""
    curvature = low - 2.0 * middle + high
    top = curvature < 0
    return np.where(top, 0.5 * (low - high) / np.where(top, curvature, -1.0), 0.0)


def neighbours(xy: FloatArray, others: FloatArray, radius_px: float) -> Iterator[IntArray]:
    """Yield for each point the rows of `others` within a radius, itself included.

    Points are compared one row at a time: a field has a few hundred of them, for which that is
    faster than loading a search tree.
    """
    for point in xy:
        distance2 = ((others - point) ** 2).sum(axis=1)
        yield np.flatnonzero(distance2 <= radius_px**2)
