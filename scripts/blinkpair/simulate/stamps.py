"""Small parts of an image that are drawn finer than the pixels.

Input: the image's shape and a place in it. Output: the slice around it, the distances of its
sub-pixels from the place, and their means over the pixels.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray


def stamp_window(
    shape: tuple[int, int], centre_xy: FloatArray, reach_px: float, subpixels: int
) -> tuple[tuple[slice, slice], FloatArray, FloatArray] | None:
    """Slice around a centre and the offsets dx, dy of the sub-pixels in it; None if all outside."""
    low = np.floor(centre_xy - reach_px).astype(int)
    high = np.ceil(centre_xy + reach_px).astype(int) + 1
    x0, y0 = np.maximum(low, 0)
    x1, y1 = min(high[0], shape[1]), min(high[1], shape[0])
    if x0 >= x1 or y0 >= y1:
        return None
    sub = (np.arange(subpixels) + 0.5) / subpixels - 0.5
    xs = (np.arange(x0, x1)[:, None] + sub).ravel() - centre_xy[0]
    ys = (np.arange(y0, y1)[:, None] + sub).ravel() - centre_xy[1]
    dx, dy = np.meshgrid(xs, ys)
    return (slice(y0, y1), slice(x0, x1)), dx, dy


def over_pixels(values: FloatArray, subpixels: int) -> FloatArray:
    """Return the mean of the sub-pixels of each pixel."""
    rows, columns = values.shape
    blocks = values.reshape(rows // subpixels, subpixels, columns // subpixels, subpixels)
    return np.asarray(blocks.mean(axis=(1, 3)))
