"""Why two images do not match, where another pair of them would.

A camera that was flipped, or binned, between the epochs leaves two images that share nothing under
any rotation. Where the mirror image or wider pixels match, as strictly as images are accepted, the
reason of the refusal names this; the field stays refused.

Input: two images and a failed registration of them. Output: the registration with its reason.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from skimage.measure import block_reduce

from blinkpair.registration.images.decision import (
    BY_CHANCE,
    NOTHING_SHARED,
    ImageRegistration,
)

MIRRORED = "the images match as mirror images: is one of them flipped?"
BINNED = (
    "the images match if the pixels {} are twice as wide as those {}: is one of them binned, or "
    "was the magnification changed?"
)
BINNING = 2

Register = Callable[[npt.ArrayLike, npt.ArrayLike, float], ImageRegistration]


def explained(
    found: ImageRegistration,
    register: Register,
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    diameter_px: float,
) -> ImageRegistration:
    """Return a failed registration, with the reason where a mirror image or wider pixels match.

    Parameters
    ----------
    found
        Registration of the images as they are; returned as it is unless nothing matches in it.
    register
        Returns the registration of two images and a diameter.
    pre, post, diameter_px
        As in `register_images`.
    """
    if found.status == "ok" or not found.reason.startswith((BY_CHANCE, NOTHING_SHARED)):
        return found
    before, after = (np.asarray(image, np.float64) for image in (pre, post))
    smaller = diameter_px / BINNING
    # The binned ones have a quarter of the pixels.
    for reason, one, other, diameter in (
        (BINNED.format("after", "before"), _binned(before), after, smaller),
        (BINNED.format("before", "after"), before, _binned(after), smaller),
        (MIRRORED, before, after[:, ::-1], diameter_px),
    ):
        if register(one, other, diameter).status == "ok":
            return ImageRegistration.failed(reason, found.chance_alignments)
    return found


def _binned(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    rows, columns = (n // BINNING * BINNING for n in image.shape)
    return np.asarray(block_reduce(image[:rows, :columns], BINNING, np.mean))
