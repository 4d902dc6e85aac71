"""Mean images of a field for Fiji: before, after, and after laid onto before.

Input: the mean images of both epochs and the transform between them. Output: TIFF files.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import ArrayLike

from blinkpair.arrays import FloatArray
from blinkpair.figures.overlay import fill_missing, warped_back


def mean_images(pre: FloatArray, post: FloatArray, matrix: ArrayLike) -> dict[str, bytes]:
    """Return the images as TIFF, 32-bit counts.

    Parameters
    ----------
    pre, post : (y, x) array
        Mean counts of the movies.
    matrix : (3, 3) array
        From pixels before to pixels after.

    Returns
    -------
    dict
        `mean_pre`, `mean_post`, and `mean_post_onto_pre`: after, brought to the pixels before by
        straight lines between pixels, NaN where the sensor did not see the place.
    """
    back, seen = warped_back(fill_missing(post), matrix, (pre.shape[0], pre.shape[1]))
    images = {
        "mean_pre": pre,
        "mean_post": post,
        "mean_post_onto_pre": np.where(seen, back, np.nan),
    }
    return {name: _tiff(image) for name, image in images.items()}


def _tiff(image: FloatArray) -> bytes:
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, np.asarray(image, np.float32), imagej=True, metadata={"axes": "YX"})
    return file.getvalue()
