"""What an image shows of its microspheres together: their size, and whether they are round.

Input: an image and the microspheres found in it. Output: the diameter of their image, a remark
where it contradicts the diameter in the settings, and how far their centres may be off alike.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import ndimage

from blinkpair.arrays import FloatArray

# Radius, in given diameters, within which the mean image of the microspheres is measured, and the
# width of its rim, which holds none of it.
REACH, RIM = 2.5, 0.5
FEWEST, MOST = 3, 200
# Share of the power within the radius that is reported, and standard errors it has to exceed.
WITHIN, SURE = 0.9, 3.0
# Measured diameter over the true one, with the rings: 0.96 to 2.2 (real and simulated images, in
# and out of focus). Beyond these a setting is off by more than a factor of 0.6 or 1.6.
LEAST, LARGEST = 0.6, 2.2 * 1.6
# Median roundness below which the light comes from one side, and the offset that all centres of an
# image may then have, in diameters: of 40 simulated images, up to 1.27.
ROUND, LARGEST_OFFSET = 0.885, 1.3


def image_diameter_px(image: ArrayLike, xy: FloatArray, diameter_px: float) -> float | None:
    """Return the diameter of the image of a microsphere, rings included, in pixels.

    It is that of the disc with the same share of its power within the same radius, from the median
    image of all microspheres; None where fewer than three are far enough from the border, or where
    that image is no more than its noise.

    Parameters
    ----------
    image : array_like (rows, columns)
    xy : ndarray (n, 2)
        Centres in pixels, the clearest first.
    diameter_px : float
        Diameter as given.
    """
    pixels = np.asarray(image, dtype=float)
    half = int(np.ceil(REACH * diameter_px))
    room = np.array(pixels.shape[::-1]) - 1 - half
    xy = xy[((xy >= half) & (xy <= room)).all(axis=1)][:MOST]
    if len(xy) < FEWEST:
        return None
    axis = np.arange(-half, half + 1.0)
    offsets = np.stack(np.meshgrid(axis, axis, indexing="ij"))
    distance = np.hypot(*offsets)
    at = offsets[:, None] + xy[:, ::-1].T[:, :, None, None]
    patches = ndimage.map_coordinates(pixels, at, order=1)
    rim = (distance > half - RIM * diameter_px) & (distance <= half)
    patches -= np.median(patches[:, rim], axis=1)[:, None, None]
    typical = np.median(patches, axis=0)
    order = np.argsort(distance, axis=None)
    order = order[distance.flat[order] <= half]
    beyond = typical[rim] ** 2
    power = np.maximum.accumulate(np.cumsum(typical.flat[order] ** 2 - beyond.mean()))
    # The level subtracted from every pixel has the error of the rim's mean.
    if power[-1] <= SURE * len(order) * beyond.std() / np.sqrt(rim.sum()):
        return None
    radius = distance.flat[order][np.searchsorted(power, WITHIN * power[-1])]
    return float(2 * radius / np.sqrt(WITHIN))


def size_remark(measured_px: float | None, diameter_px: float) -> str:
    """Return a remark where the measured diameter contradicts the given one; '' elsewhere."""
    if measured_px is None or LEAST < measured_px / diameter_px < LARGEST:
        return ""
    return (
        f"the microspheres are {measured_px:.1f} px across with their rings, the settings give "
        f"{diameter_px:.1f} px: check microspheres.diameter_um and pixel_size_um"
    )


def common_offset_px(microspheres: pd.DataFrame, diameter_px: float) -> float:
    """Return how far all centres of an image may be off alike: 0 where the spheres are round.

    Under light from one side the image of a sphere out of focus lies beside the sphere.
    """
    roundness = float(microspheres["roundness"].median())
    return LARGEST_OFFSET * diameter_px if roundness < ROUND else 0.0
