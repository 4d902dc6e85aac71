"""Measure apertures and their rings in the frames of a block, as compiled kernels.

A frame is measured from top to bottom before the next one, so that places beside each other share
what the processor fetched from memory. Places are taken in groups: what one of them waits for does
not hold up the others.

Input: a block of frames, places and their drift. Output: counts, and what the skew of the
background is computed from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.compiled import njit
from blinkpair.photometry.lanes import WORDS, prefetch
from blinkpair.photometry.medians import GROUP, measure_rings, new_rings
from blinkpair.photometry.ring import RING_REACH, copy_ring, ring_offsets

_COLUMNS, _ROWS = ring_offsets().T.copy()


class Places(NamedTuple):
    """What is measured, and what is remembered of it from block to block.

    Attributes
    ----------
    xy : (n, 2) float64
        Positions at the first frame, pixels, from top to bottom.
    row : (n,) int64
        Row of each in the traces.
    usable : (n, 2) uint64
        Their bits are set where pixels of the ring are clear of other nanocrystals.
    n_usable : (n,) int64
        How many are.
    guess : (n, 2) int64
        The median of the frame before, and 16 times the mean change from frame to frame.
    skew, n_skew : (n,) float64
        Sum of the differences of mean and median of the ring, and in how many frames.
    """

    xy: FloatArray
    row: IntArray
    usable: NDArray[np.uint64]
    n_usable: IntArray
    guess: IntArray
    skew: FloatArray
    n_skew: FloatArray


class Photometry(NamedTuple):
    """How places are measured.

    Attributes
    ----------
    aperture_px : float
        Width of the square aperture.
    background : bool
        Whether the median of the ring is taken off.
    smallest, bits : int
        The smallest number of the type of the pixels, and its bits; both None for types whose
        rings are sorted: floating-point ones, and integers of 64 bits.
    """

    aperture_px: float
    background: bool
    smallest: int | None
    bits: int | None


class _Frame(NamedTuple):
    """The number of a frame's first pixel in its block, and its shape."""

    start: int
    height: int
    width: int


@njit(nogil=True)
def measure_places(
    first: int,
    last: int,
    block: Any,
    chosen: Any,
    drift: Any,
    how: Photometry,
    places: Places,
    traces: Any,
    begin: int,
) -> None:
    """Fill columns of the traces of places first to last.

    Parameters
    ----------
    block : (frames, y, x) array
    chosen : (m,) int64
        The frames to measure. The last is taken first, so that sums over the blocks of a movie
        that is read from its end do not depend on their size.
    drift : (m, 2) float64
    how : Photometry
    places : Places
        `guess`, `skew` and `n_skew` are brought up to date.
    traces : (n, all frames) float32
        The whole array: numba would compile another kernel for a part of it.
    begin : int
        Column of the first of the frames that are measured.
    """
    height, width = block.shape[1:]
    pixels = block.reshape(-1)
    # Taken out of the tuples once: each time costs a count of references.
    xy, row_of, usable, n_usable, guess, skew, n_skew = places
    rings = new_rings(pixels)
    tiles, words, n, middle = rings.pixels, rings.words, rings.n, rings.guess
    medians, means = rings.median, rings.mean
    shares = np.empty(int(how.aperture_px) + 2)
    counts = np.empty(GROUP)
    for f in range(len(chosen) - 1, -1, -1):
        frame = _Frame(chosen[f] * height * width, height, width)
        for start in range(first, last, GROUP):
            used = min(GROUP, last - start)
            spread = np.int64(0)  # a literal has `measure_rings` compiled once more
            for g in range(used):
                k = start + g
                x, y = xy[k, 0] + drift[f, 0], xy[k, 1] + drift[f, 1]
                if k + GROUP < last:
                    ahead_x, ahead_y = (
                        xy[k + GROUP, 0] + drift[f, 0],
                        xy[k + GROUP, 1] + drift[f, 1],
                    )
                    _ask_for(pixels, frame, ahead_x, ahead_y)
                counts[g] = _aperture_sum(pixels, frame, x, y, how.aperture_px / 2, shares)
                for i in range(WORDS):
                    words[g, i] = usable[k, i]
                column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
                if _is_inside(frame, column, row):
                    n[g] = n_usable[k]
                    at = frame.start + row * width + column
                    copy_ring(pixels, at, width, tiles, g)
                else:
                    n[g] = _cut_ring(pixels, frame, column, row, tiles, words, g)
                middle[g] = guess[k, 0]
                spread = max(spread, guess[k, 1])
            if how.background:
                measure_rings(rings, used, spread, how.smallest, how.bits)
                for g in range(used):
                    k = start + g
                    counts[g] -= how.aperture_px**2 * medians[g]
                    if n[g] > 0:
                        guess[k, 1] += abs(middle[g] - guess[k, 0]) - (guess[k, 1] >> 4)
                        guess[k, 0] = middle[g]
                    if np.isfinite(means[g] - medians[g]):
                        skew[k] += means[g] - medians[g]
                        n_skew[k] += 1
            for g in range(used):
                traces[row_of[start + g], begin + f] = counts[g]


@njit(nogil=True)
def _is_inside(frame: _Frame, column: int, row: int) -> bool:
    """Return whether the ring around a pixel is on the sensor."""
    across = RING_REACH <= column < frame.width - RING_REACH
    return across and RING_REACH <= row < frame.height - RING_REACH


@njit(nogil=True)
def _ask_for(pixels: Any, frame: _Frame, x: float, y: float) -> None:
    """Have the pixels around a place fetched that is measured soon."""
    if _is_inside(frame, int(x), int(y)):
        at = frame.start + (int(y) - RING_REACH) * frame.width + int(x)
        for _ in range(2 * RING_REACH + 1):
            prefetch(pixels, at - RING_REACH)
            prefetch(pixels, at + RING_REACH)
            at += frame.width


@njit(nogil=True)
def _cut_ring(
    pixels: Any, frame: _Frame, column: int, row: int, tiles: Any, words: Any, g: int
) -> int:
    """Copy a ring at the edge of the sensor; return how many of its usable pixels are there."""
    n = 0
    for i in range(len(_COLUMNS)):
        x, y = column + _COLUMNS[i], row + _ROWS[i]
        bit = np.uint64(1) << np.uint64(i & 63)
        if 0 <= x < frame.width and 0 <= y < frame.height:
            tiles[g, i] = pixels[frame.start + y * frame.width + x]
            n += words[g, i >> 6] & bit != 0
        else:
            words[g, i >> 6] &= ~bit
    return n


@njit(nogil=True)
def _aperture_sum(
    pixels: Any, frame: _Frame, x: float, y: float, half: float, shares: Any
) -> float:
    """Return the sum of a square aperture, whose edges cut pixels by area; 0 off the sensor."""
    left = max(int(np.floor(x - half + 0.5)), 0)
    right = min(int(np.floor(x + half + 0.5)), frame.width - 1)
    top = max(int(np.floor(y - half + 0.5)), 0)
    bottom = min(int(np.floor(y + half + 0.5)), frame.height - 1)
    columns = right + 1 - left
    for i in range(columns):
        pixel = left + i
        share = min(pixel + 0.5, x + half) - max(pixel - 0.5, x - half)
        shares[np.uint64(i)] = max(0.0, share)
    counts = 0.0
    for row in range(top, bottom + 1):
        line = 0.0
        at = frame.start + row * frame.width + left
        for i in range(columns):
            # Unsigned: an index that may be negative costs a comparison a pixel.
            line += shares[np.uint64(i)] * pixels[np.uint64(at + i)]
        counts += line * max(0.0, min(row + 0.5, y + half) - max(row - 0.5, y - half))
    return counts
