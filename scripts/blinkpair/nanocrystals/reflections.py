"""Detect second images of the nanocrystals, as of a reflection or of a second colour channel.

A reflection shows all nanocrystals again, displaced and dimmed alike. Such a spot blinks as a
nanocrystal does. It does not turn with the sample: the place is dark in the other epoch, and the
spot would be counted as a nanocrystal that became dark, or emissive. An image splitter puts two
channels side by side, and the part of the frame with the second one shows no other nanocrystals:
those that turn into it would be counted as dark.

Input: places and counts of the nanocrystals of a movie. Output: which of them are second images,
and their displacement and brightness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.errors import InputError

MIN_CORRELATION = 0.8  # of the counts of a nanocrystal and of its second image
FEWEST = 3  # second images at one displacement
SAME_PX = 1.0
# Closer candidates share their light, or are one nanocrystal found twice.
NEAREST_PX = 4.0
MAX_SHARE = 1.25  # of the brightness of the first image; 1, and noise, in a splitter of two halves
# Above this share it is open which of the two images is the nanocrystal's.
MAX_REFLECTED_SHARE = 0.5
# Probability of so few other nanocrystals where the second images lie; below it this part of the
# frame is a second channel.
MIN_PROBABILITY = 1e-3
SAME_SHARE = 1.5  # ratio of the shares of two second images
# Expected number of displacements found by chance in a movie.
MAX_CHANCE = 1e-3


@dataclass(frozen=True)
class Reflection:
    """Second images of the nanocrystals of a movie.

    Attributes
    ----------
    images : (n,) bool
        The candidates that are second images.
    displacement_px : (2,) float
        Of each from the first image.
    share : float
        Its brightness, of that of the first image.
    side_by_side : bool
        Whether the part of the frame where they can lie shows too few other nanocrystals.
    """

    images: BoolArray
    displacement_px: FloatArray
    share: float
    side_by_side: bool

    def refuse_twice(self, name: str) -> None:
        """Refuse a movie in which the nanocrystals cannot be separated from second images.

        Parameters
        ----------
        name : str
            Of the movie, for messages.

        Raises
        ------
        InputError
        """
        x, y = self.displacement_px
        where = f"{x:.0f} px in x and {y:.0f} px in y away and {100 * self.share:.2g} % as bright"
        crop = "crop both movies and both brightfield images to the same channel"
        if self.side_by_side:
            raise InputError(
                f"the movie shows the nanocrystals twice, side by side, {where}, as an image "
                "splitter does with two colours: those that turn into the other part would be "
                "counted as dark",
                crop,
                place=name,
            )
        if self.share > MAX_REFLECTED_SHARE:
            raise InputError(
                f"the movie shows the nanocrystals twice, {where}: each would be counted twice",
                f"remove what doubles the image (a prism); if these are two channels, {crop}",
                place=name,
            )

    def remark(self) -> str:
        """Return the sentence for the field's `reason`."""
        x, y = self.displacement_px
        return (
            f"{self.images.sum()} spots are second images of nanocrystals, {x:.0f} px in x and "
            f"{y:.0f} px in y from them and {100 * self.share:.2g} % as bright (a reflection in "
            "the optics): they were left out, fainter ones may be left, and counts of nanocrystals "
            "under such images are too large: tilt or change the filter"
        )


def find_reflection(xy: FloatArray, amplitude: FloatArray) -> Reflection | None:
    """Return the second images, None where there are none.

    Parameters
    ----------
    xy : (n, 2) float
    amplitude : (n, S) float
        Counts of each candidate in each stretch of the movie.

    Notes
    -----
    Pairs are looked for whose counts rise and fall together, the second one not brighter. The
    largest number of them at one displacement is compared with a Poisson distribution of all such
    pairs. Displacements of two places in the field are nowhere denser than in proportion to one
    over the area of the field.
    """
    if len(xy) < 2 * FEWEST or amplitude.shape[1] < 5:
        return None
    power = np.maximum((amplitude**2).sum(axis=1), 1e-12)
    share = amplitude @ amplitude.T / power[:, None]  # of the second from the first
    changes = amplitude - amplitude.mean(axis=1, keepdims=True)
    size = np.maximum(np.sqrt((changes**2).sum(axis=1)), 1e-12)
    alike = (changes / size[:, None]) @ (changes / size[:, None]).T > MIN_CORRELATION
    alike &= np.hypot(*(xy - xy[:, None]).transpose(2, 0, 1)) > NEAREST_PX
    first, second = np.nonzero(alike & (share > 0) & (share < MAX_SHARE))
    if len(first) < FEWEST:
        return None
    shift, level = xy[second] - xy[first], share[first, second]
    near = np.hypot(*(shift[:, None] - shift).transpose(2, 0, 1)) < SAME_PX
    near &= np.abs(np.log(level[:, None] / level)) < np.log(SAME_SHARE)
    middle = int(np.argmax(near.sum(axis=1)))
    together = near[middle]
    count = len({int(s) for s in second[together]})
    if count < FEWEST or _chance(count, len(first), xy) > MAX_CHANCE:
        return None
    displacement, usual = np.median(shift[together], axis=0), float(np.median(level[together]))
    # Of a nanocrystal that is always on the counts show nothing; the place and the share do.
    apart = np.hypot(*(xy - xy[:, None] - displacement).transpose(2, 0, 1)) < SAME_PX
    as_bright = (share > usual / SAME_SHARE) & (share < usual * SAME_SHARE)
    images = (apart & as_bright).any(axis=0)
    return Reflection(images, displacement, usual, _is_channel(images, xy, displacement))


def _is_channel(images: BoolArray, xy: FloatArray, displacement: FloatArray) -> bool:
    """Return whether too few other nanocrystals lie where the second images can lie."""
    from scipy.special import bdtr

    low, high = xy.min(axis=0), xy.max(axis=0)
    there = ((xy - displacement >= low) & (xy - displacement <= high)).all(axis=1)
    share = float(np.prod(1 - np.abs(displacement) / (high - low)))
    others = int((~images).sum())
    return bool(bdtr(int((~images & there).sum()), others, share) < MIN_PROBABILITY)


def _chance(count: int, pairs: int, xy: FloatArray) -> float:
    """Return the expected number of displacements that so many of the pairs share by chance."""
    from scipy.special import gammainc

    area = max(float(np.prod(np.ptp(xy, axis=0))), 1.0)
    return float(pairs * gammainc(count - 1, pairs * np.pi * SAME_PX**2 / area))
