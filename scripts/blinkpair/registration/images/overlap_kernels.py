"""The inner loops of `overlap`, compiled.

Input: two contrasts and a motion. Output: sums over each block of the overlap, and the motion
after Gauss-Newton steps.
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


@njit(nogil=True, fastmath=True)
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
    (Malis, IEEE ICRA 2004, 1843); differences far above their variance lose weight. Slopes are
    central differences, interpolated as the values are: those of a pixel's own two neighbours
    share its noise, which would draw a motion of whole pixels half a pixel off.
    """
    a, b, tx, ty = motion[0], motion[1], motion[2], motion[3]
    rows, columns = pre.shape
    last_y, last_x = post.shape[0] - 1, post.shape[1] - 1
    least = 1.0 / variance
    sums[:] = 0.0
    for y in range(1, rows - 1):
        for first in range(0, columns, side):
            # Numbers of their own, not elements of an array: they stay in registers.
            n = pre2 = post2 = product = xx = xy = yy = rx = ry = mx = my = 0.0
            for x in range(max(first, 1), min(first + side, columns - 1)):
                if not pre_valid[y, x]:
                    continue
                px, py = a * x - b * y + tx, b * x + a * y + ty
                if px < 1.0 or py < 1.0 or px >= last_x - 1 or py >= last_y - 1:
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
                above = (1 - fx) * (p01 - post[iy, ix - 1]) + fx * (post[iy, ix + 2] - p00)
                below = (1 - fx) * (p11 - post[iy + 1, ix - 1]) + fx * (post[iy + 1, ix + 2] - p10)
                slope_x = 0.5 * ((1 - fy) * above + fy * below)
                left = (1 - fy) * (p10 - post[iy - 1, ix]) + fy * (post[iy + 2, ix] - p00)
                right = (1 - fy) * (p11 - post[iy - 1, ix + 1]) + fy * (post[iy + 2, ix + 1] - p01)
                slope_y = 0.5 * ((1 - fx) * left + fx * right)
                here = pre[y, x]
                gx = 0.25 * (pre[y, x + 1] - pre[y, x - 1])
                gx += 0.5 * factor * (a * slope_x + b * slope_y)
                gy = 0.25 * (pre[y + 1, x] - pre[y - 1, x])
                gy += 0.5 * factor * (a * slope_y - b * slope_x)
                off = here - factor * there
                weight = 1.0 / (1.0 + off * off * least)
                wx, wy = weight * gx, weight * gy
                n += 1.0
                pre2 += here * here
                post2 += there * there
                product += here * there
                xx += wx * gx
                xy += wx * gy
                yy += wy * gy
                rx += wx * off
                ry += wy * off
                power = wx * gx + wy * gy
                mx += power * x
                my += power * y
            block = sums[y // side, first // side]
            block[PIXELS] += n
            block[PRE2] += pre2
            block[POST2] += post2
            block[PRODUCT] += product
            block[XX] += xx
            block[XY] += xy
            block[YY] += yy
            block[GX] += rx
            block[GY] += ry
            block[MX] += mx
            block[MY] += my


@njit(nogil=True)
def refine_motion(
    pre: Image,
    pre_valid: BoolArray,
    post: Image,
    post_valid: BoolArray,
    motion: FloatArray,
    similarity: bool,
    spread: float,
    robust: float,
    side: int,
    steps: int,
    largest: float,
    smallest: float,
    sums: FloatArray,
) -> bool:
    """Take Gauss-Newton steps; `motion` and `sums`, those of its blocks, are written.

    Parameters
    ----------
    pre, pre_valid, post, post_valid, motion, side, sums
        As in `sum_blocks`.
    similarity
        Whether the scale is free.
    spread
        Variance of the differences before the first step.
    robust
        Differences of so many standard deviations have half of the weight.
    steps, largest, smallest
        Number of steps, the largest of one in pixels, and that of the last one.

    Returns
    -------
    bool
        False where the overlap is too small to compare.
    """
    factor, variance = 1.0, spread * robust**2 + 1e-12
    for step in range(steps + 1):
        sum_blocks(pre, pre_valid, post, post_valid, motion, factor, variance, side, sums)
        pixels = pre2 = post2 = product = 0.0
        used = 0
        for row in range(sums.shape[0]):
            for column in range(sums.shape[1]):
                block = sums[row, column]
                if block[XX] > 0 and block[YY] > 0:
                    used += 1
                    pixels += block[PIXELS]
                    pre2 += block[PRE2]
                    post2 += block[POST2]
                    product += block[PRODUCT]
        if used < 2 or not pre2 * post2 > 0:
            return False
        if step == steps:
            break
        factor = product / post2
        variance = robust**2 * (pre2 - factor * product) / pixels + 1e-12
        size = _step(sums, motion, similarity, largest)
        if step and size < smallest:
            # Less far than matters from the motion of the sums.
            break
    return True


@njit(nogil=True)
def _step(sums: FloatArray, motion: FloatArray, similarity: bool, largest: float) -> float:
    """Write the motion after one step, and return the size of the step in pixels."""
    total = power_x = power_y = squares = 0.0
    for row in range(sums.shape[0]):
        for column in range(sums.shape[1]):
            block = sums[row, column]
            if block[XX] > 0 and block[YY] > 0:
                power = block[XX] + block[YY]
                total += power
                power_x += block[MX]
                power_y += block[MY]
                squares += (block[MX] ** 2 + block[MY] ** 2) / power
    cx, cy = power_x / total, power_y / total
    radius = np.sqrt(max(squares / total - cx * cx - cy * cy, 0.0)) + 1e-9
    free = 4 if similarity else 3
    matrix, right = np.zeros((free, free)), np.zeros(free)
    along_x, along_y = np.zeros(free), np.zeros(free)
    along_x[0] = along_y[1] = 1.0
    for row in range(sums.shape[0]):
        for column in range(sums.shape[1]):
            block = sums[row, column]
            if not (block[XX] > 0 and block[YY] > 0):
                continue
            power = block[XX] + block[YY]
            x, y = (block[MX] / power - cx) / radius, (block[MY] / power - cy) / radius
            along_x[2], along_y[2] = -y, x
            if similarity:
                along_x[3], along_y[3] = x, y
            for i in range(free):
                to_x = along_x[i] * block[XX] + along_y[i] * block[XY]
                to_y = along_x[i] * block[XY] + along_y[i] * block[YY]
                right[i] += along_x[i] * block[GX] + along_y[i] * block[GY]
                for k in range(free):
                    matrix[i, k] += to_x * along_x[k] + to_y * along_y[k]
    ridge = 1e-6 * np.trace(matrix)
    for i in range(free):
        matrix[i, i] += ridge
    step = np.linalg.solve(matrix, right)
    size = float(np.sqrt((step**2).sum()))
    step *= min(1.0, largest / max(size, 1e-12))
    # Places as complex numbers: a turn and a growth about the centre, then the motion so far.
    growth = 1.0 + step[3] / radius if similarity else 1.0
    turn = growth * np.exp(1j * (step[2] / radius))
    before = complex(motion[0], motion[1])
    centre = complex(cx, cy)
    moved = before * (centre + complex(step[0], step[1]) - turn * centre)
    after = before * turn
    motion[0], motion[1] = after.real, after.imag
    motion[2] += moved.real
    motion[3] += moved.imag
    return size
