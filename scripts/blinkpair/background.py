"""The smooth background of an image and the noise around it.

In: an image of sparse spots. Out: its background and its local noise, each from robust
statistics in the cells of a coarse mesh, interpolated. Detection and drift measure spots
against it; photometry does not (it has an annulus of its own around every nanocrystal).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CELL_PX = 24  # many times the spots' size, much smaller than the illumination profile


def background_and_noise(
    image: NDArray[np.floating], cell_px: int = CELL_PX
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Median and robust standard deviation on a mesh, interpolated to every pixel.

    Parameters
    ----------
    image : (y, x) float
        NaN marks pixels to leave out.
    cell_px : int
        Width of a mesh cell.

    Returns
    -------
    background, noise : (y, x) float32
        `noise` is 1.4826 times the median absolute deviation, the standard deviation of a
        Gaussian; half the pixels may belong to spots.
    """
    from scipy.ndimage import map_coordinates

    height, width = image.shape
    rows = _cell_edges(height, cell_px)
    columns = _cell_edges(width, cell_px)
    median = np.empty((len(rows) - 1, len(columns) - 1))
    spread = np.empty_like(median)
    for i in range(len(rows) - 1):
        for j in range(len(columns) - 1):
            cell = image[rows[i] : rows[i + 1], columns[j] : columns[j + 1]].ravel()
            cell = cell[np.isfinite(cell)]
            median[i, j] = np.median(cell) if cell.size else np.nan
            spread[i, j] = 1.4826 * np.median(np.abs(cell - median[i, j])) if cell.size else np.nan
    for mesh in (median, spread):
        empty = ~np.isfinite(mesh)
        mesh[empty] = np.median(mesh[~empty]) if not empty.all() else 0.0
    y = (np.arange(height) + 0.5) / height * (len(rows) - 1) - 0.5
    x = (np.arange(width) + 0.5) / width * (len(columns) - 1) - 0.5
    grid = np.meshgrid(y, x, indexing="ij")
    background = map_coordinates(median, grid, order=1, mode="nearest", output=np.float32)
    noise = map_coordinates(spread, grid, order=1, mode="nearest", output=np.float32)
    return background, noise


def _cell_edges(length: int, cell_px: int) -> NDArray[np.int64]:
    return np.linspace(0, length, max(1, round(length / cell_px)) + 1).astype(np.int64)
