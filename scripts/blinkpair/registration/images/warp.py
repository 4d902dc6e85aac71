"""An image on the pixels of another, compiled: the search turns each image hundreds of times.

Input: an image and a linear map of places. Output: the image at these places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.compiled import njit

Image = NDArray[np.float32]


def warped(image: Image, matrix: FloatArray, shape: tuple[int, ...]) -> Image:
    """Return an image at the places to which a matrix takes pixels, zero outside of the image.

    Parameters
    ----------
    image
        (rows, columns).
    matrix
        3x3 from pixels (x, y) of the result to those of the image.
    shape
        Rows and columns of the result.
    """
    result = np.zeros(shape, np.float32)
    _warp(image, matrix[0], matrix[1], result)
    return result


@njit(nogil=True)
def _warp(image: Image, to_x: FloatArray, to_y: FloatArray, result: Image) -> None:
    """Write bilinear interpolations."""
    last_y, last_x = image.shape[0] - 1, image.shape[1] - 1
    rows, columns = result.shape
    for y in range(rows):
        for x in range(columns):
            px = to_x[0] * x + to_x[1] * y + to_x[2]
            py = to_y[0] * x + to_y[1] * y + to_y[2]
            if px < 0.0 or py < 0.0 or px > last_x or py > last_y:
                continue
            # The last row and column lie between themselves and those before.
            ix, iy = min(int(px), last_x - 1), min(int(py), last_y - 1)
            fx, fy = np.float32(px - ix), np.float32(py - iy)
            upper = image[iy, ix] + fx * (image[iy, ix + 1] - image[iy, ix])
            lower = image[iy + 1, ix] + fx * (image[iy + 1, ix + 1] - image[iy + 1, ix])
            result[y, x] = upper + fy * (lower - upper)
