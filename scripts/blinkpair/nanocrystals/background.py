"""The smooth background of an image and the noise around it.

Detection and drift use it; photometry has an annulus of its own around every nanocrystal.

Input: an image of sparse nanocrystals. Output: its background and its local noise, each from robust
statistics in the cells of a coarse mesh, interpolated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray

CELL_PX = 24  # many times a nanocrystal's image, much smaller than the illumination profile
# Straight lines between the cells miss the curvature of a laser spot; the second pass takes away
# most of what the first one leaves.
PASSES = 2


def background_and_noise(
    image: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the smooth background of an image and its noise, at every pixel.

    The background is the median of each cell of a mesh, on straight lines through the centres of
    the cells and beyond. The noise is measured on what is left without the background: a slope of
    the light within a cell is no noise.

    Parameters
    ----------
    image : (y, x) float

    Returns
    -------
    background, noise : (y, x) float32
        `noise` is 1.4826 times the median absolute deviation, the standard deviation of a
        Gaussian; half the pixels may belong to nanocrystals.
    """
    image = np.asarray(image, np.float32)
    (rows, height), (columns, width) = (_cells(length) for length in image.shape)

    def cells_of(values: NDArray[np.float32]) -> NDArray[np.float32]:
        cells = np.lib.stride_tricks.sliding_window_view(values, (height, width))
        return cells[rows[:, None], columns].reshape(len(rows), len(columns), -1)

    def at_pixels(mesh: NDArray[np.float32], *, beyond: bool) -> NDArray[np.float32]:
        down = _weights(image.shape[0], rows + (height - 1) / 2, beyond=beyond)
        across = _weights(image.shape[1], columns + (width - 1) / 2, beyond=beyond)
        return np.asarray(down @ mesh @ across.T, np.float32)

    rest = image
    for _ in range(PASSES):
        rest = rest - at_pixels(np.median(cells_of(rest), axis=-1), beyond=True)
    values = cells_of(rest)
    deviation = np.abs(values - np.median(values, axis=-1, keepdims=True))
    # A line that falls could end below zero: beyond the outer centres the noise stays the same.
    noise = at_pixels(1.4826 * np.median(deviation, axis=-1), beyond=False)
    return image - rest, noise


def _cells(length: int) -> tuple[IntArray, int]:
    """Return the first pixel of each cell along an axis, and their size; some overlap by a few."""
    n = max(1, round(length / CELL_PX))
    size = -(-length // n)
    return np.rint(np.linspace(0, length - size, n)).astype(np.int64), size


def _weights(length: int, centres: NDArray[np.floating], *, beyond: bool) -> FloatArray:
    """Return the (length, cells) weights of linear interpolation between the cells' centres.

    With `beyond` the outer lines are continued to the edges; else the outer values are.
    """
    weights = np.zeros((length, len(centres)))
    if len(centres) == 1:
        return weights + 1
    pixel = np.arange(length)
    left = np.clip(np.searchsorted(centres, pixel) - 1, 0, len(centres) - 2)
    share = (pixel - centres[left]) / np.diff(centres)[left]
    share = share if beyond else np.clip(share, 0, 1)
    weights[pixel, left] = 1 - share
    weights[pixel, left + 1] = share
    return weights
