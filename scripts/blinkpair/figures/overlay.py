"""Images and matches of a field, prepared for figures and the page.

No measurement uses them.

Input: camera images, positions of both epochs, the transform between them. Output: images from 0
to 1, positions and residuals in the pixels before annealing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from blinkpair.arrays import BoolArray, FloatArray

BACKGROUND_SIGMA_PX = 30.0  # of the light's unevenness, taken off brightfield for display only


def no_image() -> FloatArray:
    """Return an empty image, for one that could not be read."""
    return np.empty((0, 0))


def fill_missing(image: ArrayLike) -> FloatArray:
    """Give pixels that the drift took out of view the median of the others."""
    pixels = np.asarray(image, dtype=float)
    known = np.isfinite(pixels)
    return np.where(known, pixels, np.median(pixels[known]) if known.any() else 0.0)


def even_light(image: FloatArray) -> FloatArray:
    """Take the slow unevenness of the light off a brightfield image; 0 to 1, mid-grey 0.5."""
    if not image.size:
        return image
    flat = image - ndimage.gaussian_filter(image, BACKGROUND_SIGMA_PX)
    span = float(np.percentile(np.abs(flat), 99.5)) or 1.0
    return np.asarray(np.clip(0.5 + 0.5 * flat / span, 0, 1))


def match_contrast(pre: FloatArray, post: FloatArray) -> tuple[FloatArray, bool]:
    """Give the image after the contrast of the one before; both evened, 0 to 1.

    Microspheres turn from bright to dark with focus; with equal contrast they can be compared.

    Returns
    -------
    image, inverted : (y, x) array, bool
        The image after, and whether it was inverted.
    """
    inverted = _is_dark(pre) != _is_dark(post)
    return (1 - post if inverted else post), inverted


def _is_dark(image: FloatArray) -> bool:
    """Return whether the microspheres of an evened image are darker than its background."""
    return bool(np.sum((image - 0.5) ** 3) < 0)


def map_back(xy: ArrayLike, to_post: ArrayLike) -> FloatArray:
    """Bring positions after, (n, 2), to the pixels before; `to_post` leads the other way."""
    from skimage.transform import SimilarityTransform

    return np.asarray(SimilarityTransform(np.asarray(to_post, dtype=float)).inverse(xy))


def residuals(
    pre_xy: FloatArray, post_xy: FloatArray, pairs: NDArray[np.intp], to_post: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Give the matched positions before, and by how much after lies off them when brought back.

    Parameters
    ----------
    pre_xy, post_xy : (n, 2) array
        Positions before and after, in px of their own epoch.
    pairs : (m, 2) int array
        Rows before and after of the matched ones.
    to_post : (3, 3) array
        From pixels before to pixels after.

    Returns
    -------
    before, residual : (m, 2) array
        In px before.
    """
    before = pre_xy[pairs[:, 0]]
    return before, map_back(post_xy[pairs[:, 1]], to_post) - before


def warped_back(
    image: FloatArray, to_post: ArrayLike, shape: tuple[int, int]
) -> tuple[FloatArray, BoolArray]:
    """Lay an image after onto the pixels before, by straight lines between pixels.

    Parameters
    ----------
    image : (y, x) array
        Of after.
    to_post : (3, 3) array
        From pixels before to pixels after.
    shape : tuple of int
        (y, x) of the image before.

    Returns
    -------
    image, seen : (y, x) arrays
        The image, 0 where the sensor did not see the place after; and where it did.
    """
    from skimage.transform import SimilarityTransform, warp

    transform = SimilarityTransform(np.asarray(to_post, dtype=float))
    back = warp(image, transform, output_shape=shape, order=1, cval=np.nan)
    seen = np.isfinite(back)
    return np.where(seen, back, 0.0), seen
