"""The ring around a nanocrystal whose pixels give the background.

Input: a frame and a place in it. Output: the pixels of the ring, in a tile (`lanes`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from blinkpair.arrays import IntArray
from blinkpair.photometry.lanes import TILE

# The ring begins where even a PSF of 1.1 px has ended and holds about 100 pixels, so that its
# median adds little noise (aperture_px^2 x 1.25 sigma / 10).
RING_INNER_PX = 4.5
RING_OUTER_PX = 7.3
RING_REACH = int(RING_OUTER_PX)


def ring_offsets() -> IntArray:
    """Return (r, 2) column and row of the pixels from the nanocrystal's own one, row by row."""
    dy, dx = np.mgrid[-RING_REACH : RING_REACH + 1, -RING_REACH : RING_REACH + 1]
    radius = np.hypot(dx, dy)
    ring = (radius >= RING_INNER_PX) & (radius <= RING_OUTER_PX)
    return np.column_stack([dx[ring], dy[ring]]).astype(np.int64)


def ring_runs() -> list[tuple[int, int, int]]:
    """Return column and row of the first pixel and the length of each run of pixels in a row."""
    ring = ring_offsets()
    breaks = np.flatnonzero((np.diff(ring[:, 0]) != 1) | (np.diff(ring[:, 1]) != 0)) + 1
    runs = np.split(ring, breaks)
    return [(int(run[0, 0]), int(run[0, 1]), len(run)) for run in runs]


_RUNS = ring_runs()


@intrinsic
def copy_ring(typing: Any, pixels: Any, middle: Any, width: Any, tiles: Any, k: Any) -> Any:
    """Copy the ring around the pixel number `middle` of a frame into a tile, row by row.

    The ring is on the sensor. What is read beyond the end of a run, 7 pixels at most, is in the
    frame, too: a whole row follows the runs of 9 and 11 pixels, and those of the last row are 5.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = signature.args[0].dtype
        source = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        target = context.make_array(signature.args[3])(context, builder, arguments[3]).data
        done = builder.mul(arguments[4], ir.IntType(64)(TILE))
        for column, row, length in _RUNS:
            # A vector of 4, 8 or 16 pixels, the end of which the next one overwrites.
            lanes = max(4, 1 << (length - 1).bit_length())
            vector = ir.VectorType(context.get_value_type(dtype), lanes).as_pointer()
            number = ir.IntType(64)
            at = builder.add(builder.mul(arguments[2], number(row)), number(column))
            place = builder.gep(source, [builder.add(arguments[1], at)])
            run = builder.load(builder.bitcast(place, vector))
            run.align = dtype.bitwidth // 8
            copy = builder.store(run, builder.bitcast(builder.gep(target, [done]), vector))
            copy.align = dtype.bitwidth // 8
            done = builder.add(done, number(length))
        return context.get_dummy_value()

    return types.void(pixels, types.int64, types.int64, tiles, types.int64), generate
