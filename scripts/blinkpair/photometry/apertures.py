"""Check apertures against the sensor and against bad pixels, without a movie.

Input: positions, drift and the sensor. Output: which apertures stay inside, which are clear.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray

# In `excluded_because`: no aperture on the sensor in one epoch, hence no counts.
OUT_OF_VIEW = ("outside", "edge")


def reach_px(aperture_px: float) -> float:
    """Return half the width of the aperture, pixels."""
    return aperture_px / 2


def aperture_stays_inside(
    xy: FloatArray, drift: FloatArray, shape: tuple[int, int], *, aperture_px: float
) -> BoolArray:
    """Return whether the aperture of each nanocrystal stays on the sensor at any drift.

    Parameters
    ----------
    xy : (n, 2) float
    drift : (frames, 2) float
    shape : tuple of int
        Rows and columns of the sensor.
    """
    half = reach_px(aperture_px)
    low = xy + drift.min(axis=0) - half
    high = xy + drift.max(axis=0) + half
    height, width = shape
    return np.asarray(
        (low >= -0.5).all(axis=1) & (high[:, 0] <= width - 0.5) & (high[:, 1] <= height - 0.5)
    )


def aperture_is_clear(
    xy: FloatArray, drift: FloatArray, pixels: FloatArray, *, aperture_px: float
) -> BoolArray:
    """Return whether the aperture of each nanocrystal is clear of some pixels at any drift.

    Parameters
    ----------
    xy : (n, 2) float
    drift : (frames, 2) float
    pixels : (m, 2)
        Column and row of each.
    """
    reach = reach_px(aperture_px) + 0.5  # to the edge of a pixel
    low = xy + drift.min(axis=0) - reach
    high = xy + drift.max(axis=0) + reach
    inside = (pixels > low[:, None]) & (pixels < high[:, None])
    return np.asarray(~inside.all(axis=2).any(axis=1))
