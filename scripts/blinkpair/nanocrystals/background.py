"""The smooth background of an image and the noise around it.

Detection and drift use it; photometry has an annulus of its own around every nanocrystal.

Input: an image of sparse nanocrystals. Output: its background and its local noise, each from robust
statistics in the cells of a coarse mesh, interpolated.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray

CELL_PX = 24  # many times a nanocrystal's image, much smaller than the illumination profile


def background_and_noise(
    image: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return median and robust standard deviation on a mesh, interpolated to every pixel.

    Parameters
    ----------
    image : (y, x) float
        NaN marks pixels to leave out.

    Returns
    -------
    background, noise : (y, x) float32
        `noise` is 1.4826 times the median absolute deviation, the standard deviation of a
        Gaussian; half the pixels may belong to nanocrystals.
    """
    height, width = image.shape
    rows, columns = max(1, round(height / CELL_PX)), max(1, round(width / CELL_PX))
    # Cells of equal size; up to a cell's width less one pixel is left out at the far edges.
    cell_height, cell_width = height // rows, width // columns
    cells = image[: rows * cell_height, : columns * cell_width]
    cells = cells.reshape(rows, cell_height, columns, cell_width).transpose(0, 2, 1, 3)
    values = cells.reshape(rows, columns, -1)
    middle = _median_of(values)
    spread = 1.4826 * _median_of(np.abs(values - middle[..., None]))
    to_rows = _weights(height, rows, cell_height)
    to_columns = _weights(width, columns, cell_width)
    background, noise = (
        (to_rows @ fill_missing(mesh) @ to_columns.T).astype(np.float32)
        for mesh in (middle, spread)
    )
    return background, noise


def _median_of(values: NDArray[np.floating]) -> FloatArray:
    """Return the median over the last axis without NaN; NaN where there is nothing else."""
    if np.isfinite(values).all():
        return np.median(values, axis=-1).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an empty cell is filled in below
        return np.nanmedian(values, axis=-1).astype(np.float64)


def fill_missing(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return values with the median of the known ones in place of what is not finite; 0 if none."""
    known = np.isfinite(values)
    return np.where(known, values, np.median(values[known]) if known.any() else 0.0)


def _weights(length: int, cells: int, cell_px: int) -> FloatArray:
    """Return the (length, cells) weights of linear interpolation between the cells' centres."""
    place = (np.arange(length) - (cell_px - 1) / 2) / cell_px
    return np.clip(1 - np.abs(np.clip(place, 0, cells - 1)[:, None] - np.arange(cells)), 0, None)
