"""The exact median of a few hundred values, as a compiled kernel.

Input: values of a ring of pixels. Output: their median.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blinkpair.compiled import njit


@njit(nogil=True)
def median(values: Any, integer: bool) -> float:
    """Return the exact median; floating-point values are reordered.

    Integers are not sorted but counted: halving the range from the smallest to the largest finds
    the one of rank n / 2 in a dozen passes, each of which the compiler turns into a few vector
    instructions, in a third of the time.
    """
    n = values.size
    rank = n // 2
    if not integer:
        upper = np.float64(_select(values, n, rank))
        lower = upper
        if n % 2 == 0:
            lower = np.float64(values[0])
            for i in range(1, rank):
                lower = max(lower, np.float64(values[i]))
        return 0.5 * (lower + upper)
    low = high = int(values[0])
    for i in range(n):
        low = min(low, int(values[i]))
        high = max(high, int(values[i]))
    while low < high:
        middle = (low + high) // 2
        at_most = 0
        for i in range(n):
            at_most += int(values[i]) <= middle
        if at_most > rank:
            high = middle
        else:
            low = middle + 1
    if n % 2 == 1:
        return np.float64(low)
    below = 0
    largest_below = -(2**62)
    for i in range(n):
        # A choice instead of a branch: the compiler makes vector instructions of it.
        is_below = int(values[i]) < low
        below += is_below
        largest_below = max(largest_below, int(values[i]) if is_below else -(2**62))
    # The lower middle value has rank n / 2 - 1: it is below only if n / 2 values are.
    lower_middle = largest_below if below == rank else low
    return 0.5 * (np.float64(lower_middle) + np.float64(low))


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
