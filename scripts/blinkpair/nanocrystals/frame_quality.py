"""Refuse a movie whose frames would give wrong numbers, or report what is odd about it.

Input: the projections of a movie. Output: remarks, or an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.errors import InputError
from blinkpair.movie.formats.selection import MoviePath
from blinkpair.nanocrystals.altered_frames import MAX_TEXT_PIXELS, check_altered, text_pixels
from blinkpair.nanocrystals.detection import find_constant_pixels
from blinkpair.nanocrystals.odd_frames import MAX_ODD_SHARE, repeated

if TYPE_CHECKING:
    from blinkpair.nanocrystals.projections import Projections


# Of the pixel values of a movie. Hot pixels and the peaks of bright nanocrystals are fewer, and
# their states do not depend on it. Cameras saturate at the top of 12 or 14 bits in files of 16, or
# below it by an offset that was subtracted: whatever the value, the share at it is the evidence.
MAX_SATURATED_SHARE = 0.01
# Larger shares are reported: nanocrystals are cut off, whose counts are too small then. Of 180
# simulated movies without saturation (gains 1 to 300, 50 to 400 frames) all were below 1e-5.
NOTED_SATURATED_SHARE = 1e-4
# A movie of fewer counts than this between its darkest pixel and its largest value is one of
# single photons: many of its values are the largest.
FEW_COUNTS = 16
# Of the pixel values at the smallest of all: noise that nothing cut off has few of them. A movie of
# single photons has many, and a noise of a few counts at most.
MAX_CUT_OFF_SHARE, FEW_COUNTS_OF_NOISE = 0.01, 3.0
# Of the pixels of a frame. A dead column of a camera is 0.2 %, and kept out of the apertures.
MAX_CONSTANT_SHARE = 0.01
# Stretches of a movie that are there again elsewhere in it, as where its parts overlap: at least so
# many frames, and twice as many as would be equal by this chance.
FEWEST_AGAIN, CHANCE_AGAIN = 5, 1e-6
# Swings of the light within a tenth of a movie, root mean square and relative, that are reported:
# the states follow slower ones only, and take dark moments of a bright nanocrystal for off.
MAX_FLICKER = 0.10
LARGEST_SWING = 0.5  # in log(light), of a frame


def frames_again(frame_mean: FloatArray, roughness: FloatArray) -> BoolArray:
    """Return which frames repeat an earlier stretch of the movie, as where its parts overlap.

    Single frames have the same two numbers by chance; a stretch of them has not.

    Parameters
    ----------
    frame_mean, roughness : (frames,) float
    """
    again = np.zeros(len(frame_mean), bool)
    _, key, n = np.unique(frame_mean + 1j * roughness, return_inverse=True, return_counts=True)
    alike = float(np.sum((n / n.sum()) ** 2))
    needed = 2 * np.log(len(key) ** 2 / CHANCE_AGAIN) / -np.log(min(alike, 1 - 1e-9))
    length = max(FEWEST_AGAIN, int(np.ceil(min(needed, len(key)))))
    if len(key) <= length:
        return again
    # One number of 64 bits for each stretch, another one for nearly every other stretch.
    weights = np.random.default_rng(0).integers(2**63, size=length, dtype=np.uint64)
    stretch = np.convolve(key.ravel().astype(np.uint64), weights, "valid")
    _, first, which = np.unique(stretch, return_index=True, return_inverse=True)
    starts = np.arange(len(stretch))
    # Of a frame that stands still `repeated` decides.
    moves = ~repeated(frame_mean, roughness)[starts]
    for start in starts[(first[which.ravel()] + length <= starts) & moves]:
        again[start : start + length] = True
    return again


def _note_again(projections: Projections, name: str) -> list[str]:
    """Report frames that are there twice; refuse the movie if they are too many."""
    again = frames_again(projections.frame_mean, projections.roughness)
    if not again.any():
        return []
    what = (
        f"{again.sum()} of {len(again)} frames, the first of them frame {int(np.argmax(again))}, "
        "are there a second time: parts of the movie overlap, or one holds a copy of the frames of "
        "another"
    )
    if again.mean() <= MAX_ODD_SHARE:
        return [what]
    raise InputError(what, "join the parts without the frames that are in two of them", place=name)


def light_flicker(roughness: FloatArray) -> float:
    """Return how far the light swings within a tenth of the movie, root mean square and relative.

    Shot noise goes with the root of the light, so that its relative change is twice that of the
    roughness; at least so much, as the read-out's noise does not change. The products of
    neighbouring frames are free of noise; swings of fewer than five frames are lost with it. Light
    that bleaches within moments as the movie begins is limited to what it can add.

    Parameters
    ----------
    roughness : (frames,) float
    """
    from scipy.ndimage import uniform_filter1d

    light = 2 * np.log(np.maximum(roughness, 1e-9))
    swing = light - uniform_filter1d(light, max(len(light) // 10, 1))
    swing = np.clip(swing, -LARGEST_SWING, LARGEST_SWING)
    products = swing[1:] * swing[:-1]
    return float(np.sqrt(max(products.mean(), 0.0))) if len(products) else 0.0


def _note_flicker(roughness: FloatArray) -> list[str]:
    flicker = light_flicker(roughness)
    if flicker <= MAX_FLICKER:
        return []
    return [
        f"the noise of the background shows that the light swings by {100 * flicker:.0f} % (root "
        "mean square) within moments: nanocrystals that are on may count as off when it is weak; "
        "the hidden Markov model follows it where at least five are on at a time"
    ]


def is_saturated(projections: Projections, odd_share: float = 0.0) -> bool:
    """Return whether too many pixel values are equal to the largest one.

    Parameters
    ----------
    projections : Projections
    odd_share : float
        Share of the frames that do not show the sample. Below the top of the file's range, a share
        of values that these alone can have is their fault.
    """
    if projections.saturated_fraction <= MAX_SATURATED_SHARE:
        return False
    if projections.largest == projections.range_top:
        return True
    counts = projections.largest - float(projections.mean.min())
    return counts >= FEW_COUNTS and projections.saturated_fraction > odd_share


def _note_saturation(
    projections: Projections, odd_share: float, constant_pixels: IntArray
) -> list[str]:
    """Report that some values are cut off, but for those of pixels that always are."""
    columns, rows = constant_pixels.T
    always = projections.mean[0, rows, columns] == np.float32(projections.largest)
    share = projections.saturated_fraction - always.sum() / projections.mean[0].size
    counts = projections.largest - float(projections.mean.min())
    if share <= max(NOTED_SATURATED_SHARE, odd_share) or counts < FEW_COUNTS:
        return []
    return [
        f"{100 * share:.2g} % of its pixel values are at {projections.largest:g}, the largest of "
        "all: bright nanocrystals are cut off there, so that their counts and the integrated PL "
        "are too small, while on and off are measured"
    ]


def _note_cut_off(projections: Projections, constant_share: float) -> list[str]:
    """Report that the background's noise was cut off, as by a subtraction of the offset."""
    share = projections.lowest_fraction - constant_share
    if (
        share <= MAX_CUT_OFF_SHARE
        or np.isinf(projections.range_top)
        or np.median(projections.roughness) <= FEW_COUNTS_OF_NOISE
    ):
        return []
    return [
        f"{100 * share:.0f} % of its pixel values are at {projections.lowest:g}, the smallest of "
        "all: the noise of the background was cut off there (an offset was subtracted, or the "
        "camera's is too small), and counts are too small by as much as it raised the background"
    ]


def check_frames(projections: Projections, name: str) -> list[str]:
    """Refuse a movie that shows the sample in too few of its frames.

    Parameters
    ----------
    projections : Projections
    name : str
        Of the movie, for messages.

    Returns
    -------
    list of str
        What is odd about it without spoiling the numbers.

    Raises
    ------
    InputError
        If more than `MAX_ODD_SHARE` of the frames are odd, or there twice, more than
        `MAX_SATURATED_SHARE` of the pixel values are equal to the largest, more than
        `MAX_CONSTANT_SHARE` of the pixels never change, or an empty border moves.
    """
    odd = projections.odd
    if is_saturated(projections, float(odd.mean())):
        raise InputError(
            f"{100 * projections.saturated_fraction:.0f} % of its pixel values are saturated (at "
            f"{projections.largest:g}, the largest of all): counts are cut off there",
            "record with less gain or light, or export without a limit of the display range",
            place=name,
        )
    if odd.all():
        raise InputError(
            "its frames are all the same, or each is there several times in a row: no camera "
            "films so",
            "is this a still image saved as a movie, or was the movie stretched?",
            place=name,
        )
    pixels = find_constant_pixels(projections)
    constant = len(pixels) / projections.mean[0].size
    if constant > MAX_CONSTANT_SHARE:
        raise InputError(
            f"{100 * constant:.0f} % of its pixels never change: a part of the sensor was not "
            "read, the movie was padded, or its background was cut off at a number",
            "use the frames as the camera recorded them",
            place=name,
        )
    notes = check_altered(projections.moving_border_share, projections.noise_memory, name)
    few_odd = odd.sum() <= MAX_ODD_SHARE * len(odd)
    if few_odd and text_pixels(projections.mean, projections.variance) > MAX_TEXT_PIXELS:
        raise InputError(
            "text that changes is written into its frames (the time or the number of each): it "
            "stays where it is while the sample drifts, and looks like nanocrystals",
            "export the frames without annotations, as the camera recorded them",
            place=name,
        )
    notes += _note_again(projections, name)
    notes += _note_saturation(projections, float(odd.mean()), pixels)
    notes += _note_flicker(projections.roughness[~odd])
    notes += _note_cut_off(projections, constant)
    if not odd.any():
        return notes
    first, n, frames = int(np.argmax(odd)), int(odd.sum()), len(odd)
    what = (
        f"{n} of {frames} frames, the first of them frame {first}, do not show what the others do "
        "(shutter closed, other light, saturated, or the same frame again and again)"
    )
    if few_odd:
        return [f"{what}: they are left out", *notes]
    beginning = (
        f", or use the beginning: '::frames={first}' behind the paths of both movies"
        if first
        else ""
    )
    if odd[:n].all():  # a shutter that opened after the camera had started
        n += MoviePath.parse(name).selection.skip
        beginning = f", or leave these out: '::skip={n}' behind the paths of both movies"
    raise InputError(
        what,
        "look at the mean of each frame (in ImageJ: Stacks > Plot Z-axis Profile); record "
        f"it again{beginning}",
        place=name,
    )
