"""The exact median of the pixels of a ring, as compiled kernels.

Integers are not sorted but counted: halving the range in which the median lies finds it in a few
counts. That range is known nearly, because a background is almost that of the frame before; where
it proves wrong, the range of the type is taken, so that a guess has an effect on the time only.

Input: tiles of pixels and the bits of those that count; for floating-point pixels, their values.
Output: medians.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blinkpair.compiled import njit
from blinkpair.photometry.lanes import count_at_most, largest_below


@njit(nogil=True)
def _search(tile: Any, words: Any, rank: int, low: int, quarterings: int) -> tuple[int, int]:
    """Return the smallest number that more than `rank` pixels do not exceed, from `low` upwards.

    It is looked for in 4**quarterings numbers. Returned, too, is how many pixels are below it, if
    it is not the first of them. Three counts do not wait for each other, as those of halvings do,
    and choices by arithmetic need not be foreseen by the processor.
    """
    below = 0
    for i in range(quarterings - 1, -1, -1):
        quarter = 1 << (2 * i)
        first = count_at_most(tile, words, low + quarter - 1)
        second = count_at_most(tile, words, low + 2 * quarter - 1)
        third = count_at_most(tile, words, low + 3 * quarter - 1)
        low += quarter * ((first <= rank) + (second <= rank) + (third <= rank))
        below = first if first <= rank else below
        below = second if second <= rank else below
        below = third if third <= rank else below
    return low, below


@njit(nogil=True)
def integer_median(
    tile: Any, words: Any, n: int, smallest: int, bits: int, guess: int, quarterings: int
) -> tuple[float, int]:
    """Return the median of the n > 0 pixels that count, and the upper middle one of them.

    Parameters
    ----------
    tile : (128,) integers
    words : (2,) uint64
        Their bits are set where a pixel counts.
    smallest, bits : int
        Smallest number of the type of the pixels, and its bits.
    guess, quarterings : int
        The upper middle pixel is looked for in 4**quarterings numbers around the guess first.
    """
    rank = n >> 1
    width = 1 << (2 * quarterings)
    low = max(smallest, min(guess - (width >> 1), smallest + (1 << bits) - width))
    upper, below = _search(tile, words, rank, low, quarterings)
    # At an end of the range, the number may lie beyond it.
    at_end = (upper == low and low > smallest) or upper == low + width - 1
    if at_end and 2 * quarterings < bits:
        upper, below = _search(tile, words, rank, smallest, bits >> 1)
    # The lower middle pixel has rank n / 2 - 1: it is below only if n / 2 pixels are.
    lower = largest_below(tile, words, upper, smallest)
    lower = lower if n & 1 == 0 and below == rank else upper
    return 0.5 * (np.float64(lower) + np.float64(upper)), upper


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
