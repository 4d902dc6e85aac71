"""The exact median and the mean of the pixels of rings, as compiled kernels.

Integers are not sorted but counted: halving the range in which a median lies finds it in a few
counts. That range is known nearly, because a background is almost that of the frame before; where
it proves wrong, the range of the type is taken, so that a guess has an effect on the time only.

Each halving waits for the count before it, so the rings of a group are halved side by side.

Input: a group of rings. Output: their medians and means.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.compiled import njit
from blinkpair.photometry.lanes import TILE, WORDS, add_pixels, count_at_most, largest_below

GROUP = 16


class Rings(NamedTuple):
    """The rings of a group of places in one frame.

    Attributes
    ----------
    pixels : (GROUP, TILE) array
    words : (GROUP, WORDS) uint64
        Their bits are set where a pixel is usable.
    n : (GROUP,) int64
        How many pixels are.
    guess : (GROUP,) int64
        About the median; then the upper middle pixel itself, where pixels are counted.
    below : (GROUP,) int64
        How many pixels are below that one.
    median, mean : (GROUP,) float64
        nan where no pixel is usable.
    """

    pixels: NDArray[Any]
    words: NDArray[np.uint64]
    n: IntArray
    guess: IntArray
    below: IntArray
    median: FloatArray
    mean: FloatArray


@njit(nogil=True)
def new_rings(pixels: Any) -> Rings:
    """Return memory for the rings of a group; `pixels` are of the type that it will hold."""
    return Rings(
        np.zeros((GROUP, TILE), pixels.dtype),
        np.zeros((GROUP, WORDS), np.uint64),
        np.zeros(GROUP, np.int64),
        np.zeros(GROUP, np.int64),
        np.zeros(GROUP, np.int64),
        np.full(GROUP, np.nan),
        np.full(GROUP, np.nan),
    )


@njit(nogil=True)
def measure_rings(rings: Rings, used: int, spread: int, smallest: Any, bits: Any) -> None:
    """Fill median and mean of the first `used` rings of a group.

    Parameters
    ----------
    spread : int
        16 times how far off a guess is in the mean. Within three times that distance a median is
        looked for first.
    smallest, bits : int or None
        The smallest number of the type of the pixels, and its bits; None where they are sorted.
    """
    # Taken out of the tuple once, because each access counts references.
    pixels, words, n, guess, below, medians, means = rings
    # One of the branches is compiled: numba leaves out what a None excludes.
    if smallest is None:
        for g in range(used):
            if n[g] == 0:
                medians[g] = means[g] = np.nan
            else:
                medians[g], means[g] = _sort(pixels, words, g, n[g])
    else:
        halvings = 3
        while 8 << halvings < 3 * spread and halvings < bits:
            halvings += 1
        _find_upper(pixels, words, n, guess, below, used, smallest, bits, halvings)
        for g in range(used):
            if n[g] == 0:
                medians[g] = means[g] = np.nan
                continue
            # The lower middle pixel has rank n / 2 - 1: it is below only if n / 2 pixels are.
            upper = guess[g]
            lower = largest_below(pixels, words, g, upper, smallest)
            lower = lower if n[g] & 1 == 0 and below[g] == n[g] >> 1 else upper
            medians[g] = 0.5 * (np.float64(lower) + np.float64(upper))
            means[g] = add_pixels(pixels, words, g) / n[g]


@njit(nogil=True)
def _find_upper(
    pixels: Any,
    words: Any,
    n: Any,
    guess: Any,
    below: Any,
    used: int,
    smallest: int,
    bits: int,
    halvings: int,
) -> None:
    """Find the upper middle pixels, which have rank n // 2, at first near their guesses."""
    width = 1 << halvings
    highest = smallest + (1 << bits) - width
    start = np.empty(GROUP, np.int64)
    for g in range(used):
        start[g] = guess[g] = max(smallest, min(guess[g] - (width >> 1), highest))
        below[g] = 0
    for i in range(halvings - 1, -1, -1):
        for g in range(used):
            _halve(pixels, words, n, guess, below, g, 1 << i)
    for g in range(used):
        # At an end of the range, it may lie beyond it.
        first, last = start[g], start[g] + width - 1
        if ((guess[g] == first and first > smallest) or guess[g] == last) and n[g] > 0:
            guess[g] = smallest
            below[g] = 0
            for i in range(bits - 1, -1, -1):
                _halve(pixels, words, n, guess, below, g, 1 << i)


@njit(nogil=True)
def _halve(pixels: Any, words: Any, n: Any, guess: Any, below: Any, g: int, step: int) -> None:
    """Raise a guess by `step` if the upper middle pixel of its ring is that much above it."""
    count = count_at_most(pixels, words, g, guess[g] + step - 1)
    # Selections, not branches, because a processor cannot predict these.
    above = count <= n[g] >> 1
    guess[g] += step if above else 0
    below[g] = count if above else below[g]


@njit(nogil=True)
def _sort(pixels: Any, words: Any, g: int, n: int) -> tuple[float, float]:
    """Return median and mean of a ring that is not counted."""
    values = np.empty(n, pixels.dtype)
    added = 0 * pixels[g, 0]
    n = 0
    for i in range(TILE):
        if (words[g, i >> 6] >> np.uint64(i & 63)) & np.uint64(1):
            values[n] = pixels[g, i]
            added += values[n]
            n += 1
    return median(values), added / n


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
