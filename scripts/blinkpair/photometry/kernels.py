"""Measure apertures and their rings in the frames of a block, as compiled kernels.

Frames of a nanocrystal are taken sixteen at a time, as the lanes of a tile: each frame's ring is
gathered into one lane, and the medians of all lanes are found together.

Input: a block of frames, places and their drift. Output: counts, and what the skew of the
background is computed from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blinkpair.compiled import njit
from blinkpair.photometry.medians import LANES, ROWS, integer_medians, median


@njit(nogil=True)
def measure_places(
    first: int,
    last: int,
    block: Any,
    chosen: Any,
    xy: Any,
    drift: Any,
    half: float,
    area: float,
    ring: Any,
    n_ring: Any,
    smallest: int,
    largest: int,
    guess: Any,
    skew: Any,
    n_skew: Any,
    order: Any,
    traces: Any,
) -> None:
    """Fill the traces of places first to last.

    Parameters
    ----------
    block : (frames, y, x) array
    chosen : (m,) int64
        The frames to measure. The last is taken first, so that sums over the blocks of a movie
        that is read from its end do not depend on their size.
    xy : (n, 2) float64
    drift : (m, 2) float64
    half : float
        Half the width of the aperture, pixels.
    area : float
        Of the aperture, pixels; 0 if no background is to be taken off.
    ring : (n, r, 2) int64
        Column and row of the usable ring pixels from the nanocrystal's own pixel; the first
        `n_ring` (n,) are usable.
    smallest, largest : int
        Of the type of the pixels; both 0 for floating-point ones.
    guess : (n, 2) int64
        The range of the last medians of each place; the first above the second where there is none.
    skew, n_skew : (n,) float64
        Sum of the differences of mean and median of the ring, and in how many frames.
    order : (n,) int64
        Row of each place in `traces` (n, m) float32.
    """
    height, width = block.shape[1:]
    pixels = block.reshape(-1)
    zero = 0 * pixels[0]  # a sum of integers is one: exact, and vectorised
    floating = smallest == largest
    m = len(chosen)
    # A pixel of the ring by its distance in the memory; how far the ring extends.
    step = np.empty((last - first, ring.shape[1]), np.int64)
    reach = 0
    for k in range(first, last):
        for i in range(n_ring[k]):
            reach = max(reach, abs(ring[k, i, 0]), abs(ring[k, i, 1]))
            step[k - first, i] = ring[k, i, 1] * width + ring[k, i, 0]
    tile = np.empty((ring.shape[1] // ROWS + 1, ROWS * LANES), block.dtype)
    flat = tile.reshape(-1)
    values = np.empty(ring.shape[1], block.dtype)
    limit = np.empty((2, LANES), block.dtype)
    below = np.empty((2, LANES), np.int16)
    low = np.empty(LANES, np.int64)
    high = np.empty(LANES, np.int64)
    n = np.empty(LANES, np.int64)
    counts = np.empty(LANES)
    medians = np.empty(LANES)
    means = np.empty(LANES)
    sums = np.full(LANES, zero)
    weights = np.empty((2, int(2 * half) + 3))
    for item in range(first * m, last * m, LANES):
        used = min(LANES, last * m - item)
        rows = 0
        for j in range(used):
            k = (item + j) // m
            f = m - 1 - (item + j) % m
            x = xy[k, 0] + drift[f, 0]
            y = xy[k, 1] + drift[f, 1]
            start = chosen[f] * height * width
            counts[j] = _aperture_sum(pixels, start, height, width, x, y, half, weights)
            if area == 0:
                continue
            cx = int(np.floor(x + 0.5))
            cy = int(np.floor(y + 0.5))
            n[j] = n_ring[k]
            if reach <= cx < width - reach and reach <= cy < height - reach:
                steps = step[k - first]
                centre = start + cy * width + cx
                for i in range(n[j]):
                    # Unsigned: an index that may be negative costs a comparison a pixel.
                    flat[np.uint64(i * LANES + j)] = pixels[np.uint64(centre + steps[i])]
            else:
                n[j] = 0
                for i in range(n_ring[k]):
                    column = cx + ring[k, i, 0]
                    row = cy + ring[k, i, 1]
                    if 0 <= column < width and 0 <= row < height:
                        flat[n[j] * LANES + j] = pixels[start + row * width + column]
                        n[j] += 1
            rows = max(rows, n[j])
            margin = (guess[k, 1] - guess[k, 0]) // 4 + 1
            low[j] = max(guess[k, 0] - margin, smallest + 1)
            high[j] = min(guess[k, 1] + margin, largest)
        if area > 0:
            groups = (rows + ROWS - 1) // ROWS
            for j in range(used, LANES):
                n[j] = 0
            for j in range(LANES):
                for i in range(n[j], groups * ROWS):
                    flat[i * LANES + j] = largest
                if n[j] == 0:
                    low[j] = high[j] = largest
            _add_rows(tile, groups, zero, sums)
            for j in range(used):
                means[j] = (sums[j] - (groups * ROWS - n[j]) * largest) / max(n[j], 1)
            if floating:
                for j in range(used):
                    for i in range(n[j]):
                        values[i] = flat[i * LANES + j]
                    medians[j] = median(values[: n[j]]) if n[j] else 0.0
            else:
                integer_medians(
                    tile, groups, n, smallest, low, high, limit, below, medians
                )
        for j in range(used):
            k = (item + j) // m
            f = m - 1 - (item + j) % m
            if area > 0:
                if n[j] == 0:  # the ring is out of view
                    counts[j] = np.nan
                else:
                    counts[j] -= area * medians[j]
                    difference = means[j] - medians[j]
                    if np.isfinite(difference):
                        skew[k] += difference
                        n_skew[k] += 1
                    if not floating:
                        _remember(guess, k, np.int64(np.floor(medians[j])), f == m - 1)
            traces[order[k], f] = counts[j]


@njit(nogil=True, inline="always")
def _aperture_sum(
    pixels: Any, start: int, height: int, width: int, x: float, y: float, half: float, weights: Any
) -> float:
    """Return the sum of the pixels of a frame in a square, those it cuts by the area inside."""
    left = max(int(np.floor(x - half + 0.5)), 0)
    right = min(int(np.floor(x + half + 0.5)), width - 1)
    top = max(int(np.floor(y - half + 0.5)), 0)
    bottom = min(int(np.floor(y + half + 0.5)), height - 1)
    for column in range(left, right + 1):
        weights[0, column - left] = max(
            0.0, min(column + 0.5, x + half) - max(column - 0.5, x - half)
        )
    for row in range(top, bottom + 1):
        weights[1, row - top] = max(0.0, min(row + 0.5, y + half) - max(row - 0.5, y - half))
    total = 0.0
    for row in range(top, bottom + 1):
        line = 0.0
        place = start + row * width
        for column in range(left, right + 1):
            line += weights[0, column - left] * pixels[np.uint64(place + column)]
        total += weights[1, row - top] * line
    return total


@njit(nogil=True, inline="always")
def _add_rows(tile: Any, groups: int, zero: Any, sums: Any) -> None:
    """Fill `sums` (LANES,) with the sums of the lanes, in order."""
    for j in range(LANES):
        sums[j] = zero
    for g in range(groups):
        rows = tile[g]
        for j in range(LANES):
            added = sums[j]
            for u in range(ROWS):
                added += rows[u * LANES + j]
            sums[j] = added


@njit(nogil=True, inline="always")
def _remember(guess: Any, k: int, value: int, is_first: bool) -> None:
    """Extend the range of the last medians by one; the first of a block shrinks it before."""
    if guess[k, 0] > guess[k, 1]:
        guess[k, 0] = guess[k, 1] = value
    elif is_first:
        margin = (guess[k, 1] - guess[k, 0]) // 8
        guess[k, 0] += margin
        guess[k, 1] -= margin
    guess[k, 0] = min(guess[k, 0], value)
    guess[k, 1] = max(guess[k, 1], value)
