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
def _count(tile: Any, groups: int, limit: Any, tally: Any, at: int) -> None:
    """Count the values of each lane that are at most its limit, into tally[at : at + LANES]."""
    for j in range(LANES):
        tally[at + j] = 0
    for g in range(groups):
        rows = tile[g]
        for j in range(LANES):
            most = limit[at + j]
            tally[at + j] += (
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
    tile: Any, groups: int, n: Any, smallest: int, span: Any, limit: Any, tally: Any, medians: Any
) -> None:
    """Fill `medians` (LANES,) float64 with the median of the n (LANES,) values of each lane.

    Parameters
    ----------
    tile : (groups or more, ROWS * LANES) integers
        Value i of lane j is at [i // ROWS, i % ROWS * LANES + j]; what a lane does not fill in the
        first `groups` rows holds the largest number of its type.
    smallest : int
        The smallest number of the type.
    span : (2 * LANES,) int64
        A guess between which values each median lies: the lower ones, which are above `smallest`,
        then the upper ones. It is changed.
    limit, tally : (2 * LANES,) of the type of the values, and int16
        Memory to work in. Lanes of all kinds are in few arrays: of more, the compiler could not
        show that they are apart, and would make no vector instructions.
    """
    for j in range(LANES):
        limit[j] = span[LANES + j]
        limit[LANES + j] = span[j] - 1
    _count(tile, groups, limit, tally, 0)
    _count(tile, groups, limit, tally, LANES)
    missed = False
    for j in range(LANES):
        # The upper middle value has rank n // 2; of no values no median is needed.
        rank = n[j] >> 1
        missed |= ((tally[j] <= rank) | (tally[LANES + j] > rank)) & (n[j] > 0)
    if missed:
        for j in range(LANES):
            span[j] = span[LANES + j] = tile[0, j]
            tally[LANES + j] = 0
        for g in range(groups):
            for u in range(ROWS):
                for j in range(LANES):
                    value = np.int64(tile[g, u * LANES + j])
                    span[j] = min(span[j], value)
                    span[LANES + j] = max(span[LANES + j], value)
    searching = True
    while searching:
        for j in range(LANES):
            limit[j] = (span[j] + span[LANES + j]) >> 1
        _count(tile, groups, limit, tally, 0)
        searching = False
        for j in range(LANES):
            # Choices instead of branches: the compiler makes vector instructions of them.
            low, high = span[j], span[LANES + j]
            middle = (low + high) >> 1
            lower = (tally[j] > n[j] >> 1) | (low == high)
            high = min(high, middle) if lower else high
            low = low if lower else middle + 1
            tally[LANES + j] = tally[LANES + j] if lower else tally[j]
            span[j], span[LANES + j] = low, high
            searching |= low < high
    for j in range(LANES):
        limit[j] = span[j]
        limit[LANES + j] = smallest
    for g in range(groups):  # the largest value below the median
        rows = tile[g]
        for j in range(LANES):
            largest = limit[LANES + j]
            for u in range(ROWS):
                value = rows[u * LANES + j]
                largest = max(largest, value if value < limit[j] else largest)
            limit[LANES + j] = largest
    for j in range(LANES):
        # The lower middle value has rank n / 2 - 1: it is below only if n / 2 values are.
        apart = (n[j] & 1 == 0) & (tally[LANES + j] == n[j] >> 1)
        lower_middle = np.float64(limit[LANES + j] if apart else limit[j])
        medians[j] = 0.5 * (lower_middle + np.float64(limit[j]))


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
