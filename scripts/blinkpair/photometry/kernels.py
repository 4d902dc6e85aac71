"""Measure apertures and their rings in the frames of a block, as compiled kernels.

A frame is measured from top to bottom before the next one: it stays in the processor's cache, and
nanocrystals beside each other share what was fetched.

Input: a block of frames, places and their drift. Output: counts, and what the skew of the
background is computed from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.compiled import njit
from blinkpair.photometry.lanes import TILE, WORDS, copy_ring, prefetch, total
from blinkpair.photometry.medians import integer_median, median
from blinkpair.photometry.ring import RING_REACH, ring_offsets

_COLUMN, _ROW = ring_offsets().T.copy()
_AHEAD = 3  # the pixels of so many nanocrystals further on are asked for


class Places(NamedTuple):
    """What is measured, and what is remembered of it from block to block.

    Attributes
    ----------
    xy : (n, 2) float64
        Positions at the first frame, from top to bottom.
    row : (n,) int64
        Row of each in the traces.
    ring : (n, 4) uint64
        Bit i is set where pixel i around the nanocrystal's own one is in the ring.
    n_ring : (n,) int64
        Pixels of the ring; 0 for no background.
    guess : (n, 2) int64
        The median of the frame before, and 16 times the mean change from frame to frame.
    skew, n_skew : (n,) float64
        Sum of the differences of mean and median of the ring, and in how many frames.
    """

    xy: FloatArray
    row: IntArray
    ring: NDArray[np.uint64]
    n_ring: IntArray
    guess: IntArray
    skew: FloatArray
    n_skew: FloatArray


@njit(nogil=True)
def measure_places(
    first: int,
    last: int,
    block: Any,
    chosen: Any,
    drift: Any,
    places: Places,
    width_px: float,
    smallest: int,
    bits: int,
    traces: Any,
) -> None:
    """Fill the traces of places first to last.

    Parameters
    ----------
    block : (frames, y, x) array
    chosen : (m,) int64
        The frames to measure. The last is taken first, so that sums over the blocks of a movie
        that is read from its end do not depend on their size.
    drift : (m, 2) float64
    places : Places
    width_px : float
        Of the square aperture.
    smallest, bits : int
        Of the type of the pixels; bits are 0 for pixels that are sorted, not counted.
    traces : (n, m) float32
    """
    height, width = block.shape[1:]
    pixels = block.reshape(-1)
    xy, ring = places.xy, places.ring
    tile = np.zeros(TILE, block.dtype)
    values = np.empty(TILE, block.dtype)
    words = np.empty(WORDS, np.uint64)
    shares = np.empty(int(width_px) + 2)
    for f in range(len(chosen) - 1, -1, -1):
        start = chosen[f] * height * width
        for k in range(first, last):
            if k + _AHEAD < last:
                _ask_for(pixels, start, height, width, xy[k + _AHEAD, 0] + drift[f, 0], xy[k + _AHEAD, 1] + drift[f, 1])
            x, y = xy[k, 0] + drift[f, 0], xy[k, 1] + drift[f, 1]
            counts = _aperture_sum(pixels, start, height, width, x, y, width_px / 2, shares)
            n = places.n_ring[k]
            if n > 0:
                column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
                for i in range(WORDS):
                    words[i] = ring[k, i]
                if _inside(column, row, height, width):
                    copy_ring(pixels, start + row * width + column, width, tile)
                else:
                    n = _cut_ring(pixels, start, height, width, column, row, tile, words)
                if n == 0:  # the ring is out of view
                    counts = np.nan
                else:
                    before, spread = places.guess[k, 0], places.guess[k, 1]
                    middle, mean, upper = _middle_and_mean(tile, words, n, before, spread, smallest, bits, values)
                    counts -= width_px**2 * middle
                    places.guess[k, 0] = upper
                    places.guess[k, 1] = spread + abs(upper - before) - (spread >> 4)
                    if np.isfinite(mean - middle):
                        places.skew[k] += mean - middle
                        places.n_skew[k] += 1
            traces[places.row[k], f] = counts


@njit(nogil=True)
def _inside(column: int, row: int, height: int, width: int) -> bool:
    """Return whether the ring around a pixel is on the sensor."""
    across = RING_REACH <= column < width - RING_REACH
    return across and RING_REACH <= row < height - RING_REACH


@njit(nogil=True)
def _ask_for(pixels: Any, start: int, height: int, width: int, x: float, y: float) -> None:
    if _inside(int(x), int(y), height, width):
        at = start + (int(y) - RING_REACH) * width + int(x)
        for _ in range(2 * RING_REACH + 1):
            prefetch(pixels, np.uint64(at - RING_REACH))
            prefetch(pixels, np.uint64(at + RING_REACH))
            at += width


def _middle_and_mean(tile, words, n, before, spread, smallest, bits, values):
    raise NotImplementedError


@overload(_middle_and_mean, inline="never", jit_options={"nogil": True})
def _of_type(tile, words, n, before, spread, smallest, bits, values):
    if isinstance(tile.dtype, types.Integer) and tile.dtype.bitwidth <= 32:
        def counted(tile, words, n, before, spread, smallest, bits, values):
            quarterings = 2
            while (2 << (2 * quarterings)) < spread and 2 * quarterings < bits:
                quarterings += 1
            middle, upper = integer_median(tile, words, n, smallest, bits, before, quarterings)
            return middle, total(tile, words) / n, upper
        return counted

    def ordered(tile, words, n, before, spread, smallest, bits, values):
        added = 0 * tile[0]
        n = 0
        for i in range(TILE):
            if (words[i >> 6] >> np.uint64(i & 63)) & np.uint64(1):
                values[n] = tile[i]
                added += tile[i]
                n += 1
        return median(values[:n]), added / n, 0
    return ordered


@njit(nogil=True)
def _cut_ring(
    pixels: Any, start: int, height: int, width: int, column: int, row: int, tile: Any, words: Any
) -> int:
    """Fill a tile at the edge of a frame, and the bits of its ring that are on the sensor."""
    n = 0
    for i in range(len(_COLUMN)):
        x, y = column + _COLUMN[i], row + _ROW[i]
        bit = np.uint64(1) << np.uint64(i & 63)
        if 0 <= x < width and 0 <= y < height:
            tile[i] = pixels[start + y * width + x]
            n += words[i >> 6] & bit != 0
        else:
            words[i >> 6] &= ~bit
    return n


@njit(nogil=True)
def _aperture_sum(
    pixels: Any, start: int, height: int, width: int, x: float, y: float, half: float, shares: Any
) -> float:
    """Return the sum of a square aperture, whose edges cut pixels by area; 0 off the sensor."""
    left, right = int(np.floor(x - half + 0.5)), int(np.floor(x + half + 0.5))
    left, right = max(left, 0), min(right, width - 1)
    for column in range(left, right + 1):
        share = min(column + 0.5, x + half) - max(column - 0.5, x - half)
        shares[np.uint64(column - left)] = max(0.0, share)
    counts = 0.0
    top, bottom = int(np.floor(y - half + 0.5)), int(np.floor(y + half + 0.5))
    for row in range(max(top, 0), min(bottom, height - 1) + 1):
        line = 0.0
        at = start + row * width + left
        for i in range(right + 1 - left):
            line += shares[np.uint64(i)] * pixels[np.uint64(at + i)]
        counts += line * max(0.0, min(row + 0.5, y + half) - max(row - 0.5, y - half))
    return counts
