"""The inner loop of `overlap`, compiled.

Input: two contrasts and a motion. Output: sums over each block of the overlap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.compiled import njit

Image = NDArray[np.float32]

# Columns of the sums of a block: pixels; squares of both contrasts and their product; the normal
# matrix of a displacement and its right side; its first moments, for the place of the block.
PIXELS, PRE2, POST2, PRODUCT, XX, XY, YY, GX, GY, MX, MY = range(11)


@njit()
def sum_blocks(
    pre: Image,
    pre_valid: BoolArray,
    post: Image,
    post_valid: BoolArray,
    motion: FloatArray,
    factor: float,
    variance: float,
    side: int,
    sums: FloatArray,
) -> None:
    """Write the sums of each block of `side` pixels of the first contrast, (rows, columns, 11).

    A pixel x of the first contrast is compared with `factor` times the second at
    (a x - b y + tx, b x + a y + ty). Both slopes together make the step of second order
    (Malis, IEEE ICRA 2004, 1843); differences far above their variance lose weight.
    """
    a, b, tx, ty = motion[0], motion[1], motion[2], motion[3]
    rows, columns = pre.shape
    last_y, last_x = post.shape[0] - 1, post.shape[1] - 1
    sums[:] = 0.0
    for y in range(1, rows - 1):
        for x in range(1, columns - 1):
            if not pre_valid[y, x]:
                continue
            px, py = a * x - b * y + tx, b * x + a * y + ty
            if px < 0.0 or py < 0.0 or px >= last_x or py >= last_y:
                continue
            ix, iy = int(px), int(py)
            if not (
                post_valid[iy, ix]
                and post_valid[iy, ix + 1]
                and post_valid[iy + 1, ix]
                and post_valid[iy + 1, ix + 1]
            ):
                continue
            fx, fy = px - ix, py - iy
            p00, p01 = post[iy, ix], post[iy, ix + 1]
            p10, p11 = post[iy + 1, ix], post[iy + 1, ix + 1]
            there = (1 - fy) * ((1 - fx) * p00 + fx * p01) + fy * ((1 - fx) * p10 + fx * p11)
            slope_x = (1 - fy) * (p01 - p00) + fy * (p11 - p10)
            slope_y = (1 - fx) * (p10 - p00) + fx * (p11 - p01)
            here = pre[y, x]
            gx = 0.25 * (pre[y, x + 1] - pre[y, x - 1])
            gx += 0.5 * factor * (a * slope_x + b * slope_y)
            gy = 0.25 * (pre[y + 1, x] - pre[y - 1, x])
            gy += 0.5 * factor * (a * slope_y - b * slope_x)
            off = here - factor * there
            weight = 1.0 / (1.0 + off * off / variance)
            one = sums[y // side, x // side]
            one[PIXELS] += 1.0
            one[PRE2] += here * here
            one[POST2] += there * there
            one[PRODUCT] += here * there
            xx, yy = weight * gx * gx, weight * gy * gy
            one[XX] += xx
            one[XY] += weight * gx * gy
            one[YY] += yy
            one[GX] += weight * gx * off
            one[GY] += weight * gy * off
            one[MX] += (xx + yy) * x
            one[MY] += (xx + yy) * y
