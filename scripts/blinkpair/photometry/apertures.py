"""Check apertures against the sensor and against bad pixels, without a movie.

Input: positions, drift and the sensor. Output: which apertures stay inside, which are clear.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray, neighbours

# An empty place lies so far from any nanocrystal, where a PSF of 1.1 px has ended, and at most so
# far from its own: the background is then nearly the same.
EMPTY_FROM_PX = 5.5
EMPTY_UP_TO_PX = 16.0
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


def empty_places(
    xy: FloatArray,
    others: FloatArray,
    drift: FloatArray,
    shape: tuple[int, int],
    *,
    aperture_px: float,
) -> FloatArray:
    """Return a place without a nanocrystal near each nanocrystal, (n, 2); nan where there is none.

    It is the nearest one at whole pixels from the nanocrystal: an aperture cuts the pixels there in
    the same way, so that its noise is the same.

    Parameters
    ----------
    xy : (n, 2) float
        Nanocrystals.
    others : (m, 2) float
        All known nanocrystals, these included.
    drift : (frames, 2) float
    shape : tuple of int
        Rows and columns of the sensor.
    """
    reach = int(EMPTY_UP_TO_PX)
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    away = np.hypot(dx, dy)
    chosen = (away >= EMPTY_FROM_PX) & (away <= EMPTY_UP_TO_PX)
    steps = np.column_stack([dx[chosen], dy[chosen]])[np.argsort(away[chosen], kind="stable")]
    found = np.full((len(xy), 2), np.nan)
    for k, near in enumerate(neighbours(xy, others, EMPTY_UP_TO_PX + EMPTY_FROM_PX)):
        places = xy[k] + steps
        apart = np.hypot(*(places[:, None] - others[near][None]).transpose(2, 0, 1))
        clear = (apart >= EMPTY_FROM_PX).all(axis=1)
        clear &= aperture_stays_inside(places, drift, shape, aperture_px=aperture_px)
        if clear.any():
            found[k] = places[int(np.argmax(clear))]
    return found
