"""The exact medians of sixteen sets of about a hundred values each, as compiled kernels.

A tile holds value i of sixteen sets side by side, so that one vector instruction compares a value
of each set. Integers are not sorted but counted: halving the range in which the medians lie finds
them in a few passes. That range is known nearly, because a background is almost that of the frame
before; where it proves wrong, it is found anew, so that a guess has an effect on the time only.

Input: tiles of values of the rings. Output: their medians.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blinkpair.compiled import njit

LANES = 16  # sets of a tile: 16-bit values fill a vector of 256 bits
ROWS = 8  # rows of a tile are taken so many at a time


@njit(nogil=True, inline="always")
def _count(tile: Any, groups: int, limit: Any, counts: Any) -> None:
    """Count the values of each lane that are at most its limit."""
    for j in range(LANES):
        counts[j] = 0
    for g in range(groups):
        rows = tile[g]
        for j in range(LANES):
            most = limit[j]
            counts[j] += (
                (rows[j] <= most)
                + (rows[LANES + j] <= most)
                + (rows[2 * LANES + j] <= most)
                + (rows[3 * LANES + j] <= most)
                + (rows[4 * LANES + j] <= most)
                + (rows[5 * LANES + j] <= most)
                + (rows[6 * LANES + j] <= most)
                + (rows[7 * LANES + j] <= most)
            )


@njit(nogil=True)
def integer_medians(
    tile: Any,
    groups: int,
    n: Any,
    smallest: int,
    low: Any,
    high: Any,
    limit: Any,
    below: Any,
    medians: Any,
) -> None:
    """Fill `medians` (LANES,) float64 with the median of the n (LANES,) values of each lane.

    Parameters
    ----------
    tile : (groups or more, ROWS * LANES) integers
        Value i of lane j is at [i // ROWS, i % ROWS * LANES + j]; what a lane does not fill in the
        first `groups` rows holds the largest number of its type.
    smallest : int
        The smallest number of the type.
    low, high : (LANES,) int64
        A guess between which values each median lies, `low` above `smallest`; both are changed.
    limit : (2, LANES) of the type of the values
    below : (2, LANES) int16
        Like `limit`, memory to work in.
    """
    counts, under = below[0], below[1]
    for j in range(LANES):
        limit[0, j] = high[j]
        limit[1, j] = low[j] - 1
    _count(tile, groups, limit[0], counts)
    _count(tile, groups, limit[1], under)
    missed = False
    for j in range(LANES):
        # The upper middle value has rank n // 2; of no values the median is not asked.
        missed |= (counts[j] <= n[j] // 2 or under[j] > n[j] // 2) and n[j] > 0
    if missed:
        for j in range(LANES):
            low[j] = high[j] = tile[0, j]
            under[j] = 0
        for g in range(groups):
            for u in range(ROWS):
                for j in range(LANES):
                    low[j] = min(low[j], np.int64(tile[g, u * LANES + j]))
                    high[j] = max(high[j], np.int64(tile[g, u * LANES + j]))
    searching = True
    while searching:
        for j in range(LANES):
            limit[0, j] = (low[j] + high[j]) >> 1
        _count(tile, groups, limit[0], counts)
        searching = False
        for j in range(LANES):
            if low[j] < high[j]:
                if counts[j] > n[j] // 2:
                    high[j] = (low[j] + high[j]) >> 1
                else:
                    low[j] = ((low[j] + high[j]) >> 1) + 1
                    under[j] = counts[j]
                searching |= low[j] < high[j]
    for j in range(LANES):
        limit[0, j] = low[j]
    _largest_below(tile, groups, limit[0], smallest, limit[1])
    for j in range(LANES):
        # The lower middle value has rank n / 2 - 1: it is below only if n / 2 values are.
        apart = n[j] % 2 == 0 and under[j] == n[j] // 2
        lower = np.float64(limit[1, j]) if apart else np.float64(low[j])
        medians[j] = 0.5 * (lower + np.float64(low[j]))


@njit(nogil=True, inline="always")
def _largest_below(tile: Any, groups: int, limit: Any, smallest: int, largest: Any) -> None:
    """Find the largest value of each lane below its limit; `smallest` if there is none."""
    for j in range(LANES):
        largest[j] = smallest
    for g in range(groups):
        rows = tile[g]
        for j in range(LANES):
            found = largest[j]
            for u in range(ROWS):
                value = rows[u * LANES + j]
                found = max(found, value if value < limit[j] else found)
            largest[j] = found


@njit(nogil=True)
def median(values: Any) -> float:
    """Return the exact median of floating-point values, which are reordered."""
    n = values.size
    rank = n // 2
    upper = np.float64(_select(values, n, rank))
    lower = upper
    if n % 2 == 0:
        lower = np.float64(values[0])
        for i in range(1, rank):
            lower = max(lower, np.float64(values[i]))
    return 0.5 * (lower + upper)


@njit(nogil=True)
def _select(values: Any, n: int, k: int) -> Any:
    """Return rank k of the first n values; smaller ones end before it (Hoare's quickselect)."""
    low = 0
    high = n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i = low
        j = high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return values[k]
