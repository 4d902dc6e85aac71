"""Measure apertures and their rings in the frames of a block, as compiled kernels.

Frames of a nanocrystal are taken sixteen at a time, as the lanes of a tile: each frame's ring is
gathered into one lane, and the medians of all lanes are found together.

Input: a block of frames, places and their drift. Output: counts, and what the skew of the
background is computed from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from blinkpair.compiled import njit
from blinkpair.photometry.medians import LANES, ROWS, integer_medians, median


@intrinsic
def _prefetch(typing: Any, pixels: Any, index: Any) -> Any:
    """Ask for a pixel before it is used: a kernel waits for memory more than it computes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), byte)
        builder.call(prefetch, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(pixels, index), generate


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
    # How far a pixel of the ring is from the nanocrystal's own, in the memory and at most.
    step = np.empty((last - first, ring.shape[1]), np.int64)
    reach = side = int(np.floor(half + 1))
    for k in range(first, last):
        for i in range(n_ring[k]):
            reach = max(reach, abs(ring[k, i, 0]), abs(ring[k, i, 1]))
            step[k - first, i] = ring[k, i, 1] * width + ring[k, i, 0]
    edge = 2 * side + 1  # of the square of pixels that the aperture may cut
    near = np.empty(edge**2 * LANES, block.dtype)
    tile = np.empty((ring.shape[1] // ROWS + 1, ROWS * LANES), block.dtype)
    flat = tile.reshape(-1)
    values = np.empty(ring.shape[1], block.dtype)
    centre = np.empty(2 * LANES)
    own = np.empty(2 * LANES)
    n = np.zeros(LANES, np.int64)
    place = np.empty(LANES, np.int64)
    frame = np.empty(LANES, np.int64)
    span = np.empty(2 * LANES, np.int64)
    limit = np.empty(2 * LANES, block.dtype)
    tally = np.empty(2 * LANES, np.int16)
    sums = np.full(LANES, zero)
    counts = np.empty(LANES)
    medians = np.empty(LANES)
    work = np.empty(edge * LANES)
    centre[:] = own[:] = 0
    near[:] = 0
    k, f = first, m
    for item in range(first * m, last * m, LANES):
        used = min(LANES, last * m - item)
        rows = 0
        for j in range(used):
            f -= 1
            if f < 0:
                k, f = k + 1, m - 1
            place[j], frame[j] = k, f
            x = xy[k, 0] + drift[f, 0]
            y = xy[k, 1] + drift[f, 1]
            cx = int(np.floor(x + 0.5))
            cy = int(np.floor(y + 0.5))
            centre[j], centre[LANES + j] = x, y
            own[j], own[LANES + j] = cx, cy
            start = chosen[f] * height * width
            n[j] = n_ring[k]
            if k + 1 < last:
                ahead_x = int(xy[k + 1, 0] + drift[f, 0])
                ahead_y = int(xy[k + 1, 1] + drift[f, 1])
                if reach <= ahead_x < width - reach and reach <= ahead_y < height - reach:
                    ahead = start + ahead_y * width + ahead_x
                    for row in range(-reach, reach + 1):
                        _prefetch(pixels, np.uint64(ahead + row * width - reach))
                        _prefetch(pixels, np.uint64(ahead + row * width + reach))
            if reach <= cx < width - reach and reach <= cy < height - reach:
                middle = start + cy * width + cx
                at = j
                for row in range(-side, side + 1):
                    for i in range(edge):
                        near[np.uint64(at)] = pixels[np.uint64(middle + row * width - side + i)]
                        at += LANES
                steps = step[k - first]
                for i in range(n[j]):
                    # Unsigned: an index that may be negative costs a comparison a pixel.
                    flat[np.uint64(i * LANES + j)] = pixels[np.uint64(middle + steps[i])]
            else:
                at = j
                for row in range(cy - side, cy + side + 1):
                    for column in range(cx - side, cx + side + 1):
                        inside = 0 <= column < width and 0 <= row < height
                        near[at] = pixels[start + row * width + column] if inside else 0
                        at += LANES
                n[j] = 0
                for i in range(n_ring[k]):
                    column = cx + ring[k, i, 0]
                    row = cy + ring[k, i, 1]
                    if 0 <= column < width and 0 <= row < height:
                        flat[n[j] * LANES + j] = pixels[start + row * width + column]
                        n[j] += 1
            rows = max(rows, n[j])
            margin = (guess[k, 1] - guess[k, 0]) // 4 + 1
            span[j] = max(guess[k, 0] - margin, smallest + 1)
            span[LANES + j] = min(guess[k, 1] + margin, largest)
        _aperture_sums(near, centre, own, side, half, work, counts)
        if area > 0:
            groups = (rows + ROWS - 1) // ROWS
            n[used:] = 0
            for j in range(LANES):
                for i in range(n[j], groups * ROWS):
                    flat[i * LANES + j] = largest
                if n[j] == 0:
                    span[j] = span[LANES + j] = largest
            _add_rows(tile, groups, zero, sums)
            if floating:
                for j in range(used):
                    for i in range(n[j]):
                        values[i] = flat[i * LANES + j]
                    medians[j] = median(values[: n[j]]) if n[j] else 0.0
            else:
                integer_medians(tile, groups, n, smallest, span, limit, tally, medians)
        for j in range(used):
            target, at = place[j], frame[j]
            if area > 0:
                if n[j] == 0:  # the ring is out of view
                    counts[j] = np.nan
                else:
                    counts[j] -= area * medians[j]
                    mean = (sums[j] - (groups * ROWS - n[j]) * largest) / n[j]
                    if np.isfinite(mean - medians[j]):
                        skew[target] += mean - medians[j]
                        n_skew[target] += 1
                    if not floating:
                        _remember(guess, target, np.int64(np.floor(medians[j])), at == m - 1)
            traces[order[target], at] = counts[j]


@njit(nogil=True, inline="always")
def _aperture_sums(
    near: Any, centre: Any, own: Any, side: int, half: float, work: Any, sums: Any
) -> None:
    """Fill `sums` (LANES,) with those of square apertures, whose edges cut pixels by area.

    Parameters
    ----------
    near : ((2 * side + 1)**2 * LANES,)
        The pixels around each lane's own one, row by row; 0 outside the sensor.
    centre, own : (2 * LANES,) float64
        Column of the aperture's centre and of the lane's own pixel, then their rows.
    work : ((2 * side + 1) * LANES,) float64
    """
    edge = 2 * side + 1
    for column in range(edge):
        for j in range(LANES):
            pixel = own[j] + (column - side)
            work[column * LANES + j] = max(
                0.0, min(pixel + 0.5, centre[j] + half) - max(pixel - 0.5, centre[j] - half)
            )
    sums[:] = 0
    for row in range(edge):
        some = near[row * edge * LANES : (row + 1) * edge * LANES]
        for j in range(LANES):
            line = 0.0
            for column in range(edge):
                line += work[column * LANES + j] * some[column * LANES + j]
            pixel = own[LANES + j] + (row - side)
            low, high = centre[LANES + j] - half, centre[LANES + j] + half
            sums[j] += line * max(0.0, min(pixel + 0.5, high) - max(pixel - 0.5, low))


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
