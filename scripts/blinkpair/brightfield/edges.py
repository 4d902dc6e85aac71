"""Straight edges of an image: where its contrast has one direction.

Edges, scratches, fibres and shaded bands are long and fit along themselves in many ways; spheres
do not.

Input: an image without its uneven light. Output: how straight its contrast is around each pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def straightness(band: NDArray[Any], width_px: float) -> NDArray[Any]:
    """Return 1 along a straight edge, 0 where contrast has no direction; (rows, columns).

    The measure is c^2 with the coherence c of the structure tensor.

    Parameters
    ----------
    band
        (rows, columns) contrast.
    width_px
        Standard deviation of the Gaussian within which the direction is measured.
    """
    along_y, along_x = (np.asarray(one) for one in np.gradient(band))
    xx, yy, xy = (
        ndimage.gaussian_filter(product, width_px, mode="reflect", truncate=3.0)
        for product in (along_x**2, along_y**2, along_x * along_y)
    )
    anisotropy = (xx - yy) ** 2 + 4 * xy**2
    return np.asarray(anisotropy / np.maximum((xx + yy) ** 2, 1e-30))
