"""Where apertures reach: geometry that needs no movie.

In: positions, drift and the sensor. Out: which apertures stay inside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def reach_px(aperture_px: float) -> float:
    """Half the width of the aperture: how far it reaches from the nanocrystal, pixels."""
    return aperture_px / 2


def aperture_stays_inside(
    xy: FloatArray, drift: FloatArray, shape: tuple[int, int], *, aperture_px: float
) -> NDArray[np.bool_]:
    """Whether the aperture of each nanocrystal stays on the sensor at any drift.

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
