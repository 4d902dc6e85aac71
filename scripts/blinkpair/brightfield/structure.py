"""The places of an image that show contrast, and how much of it the spheres found there explain.

Input: an image, its noise, the size of what is looked for and what was found. Output: the places,
and the share of their power that is explained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.brightfield.radial_evidence import flatten
from blinkpair.brightfield.radial_match import distance_to

# Contrast at a place, over the noise of a pixel, from which it is compared.
LEAST_CONTRAST = 1.5


def contrast_places(
    flat: FloatArray, noise: FloatArray, diameter_px: float
) -> tuple[IntArray, FloatArray]:
    """Return the places (n, 2) of local contrast in a flattened image and their contrasts (n,).

    The strongest is the first.
    """
    contrast = np.sqrt(ndimage.gaussian_filter(flat**2, diameter_px / 3))
    size = 2 * max(1, round(diameter_px / 4)) + 1
    peak = contrast == ndimage.maximum_filter(contrast, size=size)
    rows, columns = np.nonzero(peak & (contrast > LEAST_CONTRAST * noise))
    order = np.argsort(-contrast[rows, columns], kind="stable")
    return np.stack([columns, rows], axis=1)[order], contrast[rows, columns][order]


@dataclass(frozen=True)
class Structure:
    """The places of local contrast of an image.

    `places` (n, 2) and `power` (n,), the squares of their contrasts; a place within `reach_px` of
    a sphere is explained by it.
    """

    places: IntArray
    power: FloatArray
    reach_px: float

    @classmethod
    def of(cls, pixels: FloatArray, noise: FloatArray, diameter_px: float) -> Structure:
        """Return the structure of an image at the scale of a diameter."""
        places, contrast = contrast_places(flatten(pixels, diameter_px), noise, diameter_px)
        return cls(places, contrast**2, diameter_px)

    def explained(self, table: pd.DataFrame) -> tuple[int, float]:
        """Return how many places no sphere explains, and the share of power the others have."""
        # A large image of texture has tens of thousands.
        known = (
            distance_to(self.places.astype(float), table[["x", "y"]].to_numpy()) <= self.reach_px
        )
        share = float(self.power[known].sum() / max(self.power.sum(), 1e-300))
        return int((~known).sum()), share
