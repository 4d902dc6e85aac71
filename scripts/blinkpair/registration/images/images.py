"""Register two brightfield images as wholes, or refuse.

Where single microspheres do not decide (sheets, clusters, too small, too blurred, light from one
side), all that the images show is evidence. All rotations and shifts are compared, the best are
refined on the whole overlap, the best of these are compared tile by tile, and one is accepted or
refused. Where spheres lie in a lattice, all alignments that it repeats are compared.

Input: two brightfield images and the diameter of a microsphere. Output: the transform from pre to
post pixels with its error and chance level, or the reason why there is none; and the peak over
the rotations with its rivals, for a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from blinkpair.arrays import FloatArray
from blinkpair.cores import on_two_threads
from blinkpair.errors import InputError
from blinkpair.registration.acceptance import MAX_ERROR_PX
from blinkpair.registration.images.contrast import Contrast, contrast_of, static_places
from blinkpair.registration.images.decision import (
    BY_CHANCE,
    NOTHING_SHARED,
    ImageRegistration,
    decide,
)
from blinkpair.registration.images.evidence import ImageEvidence
from blinkpair.registration.images.lattice import lattice_of
from blinkpair.registration.images.location import Alignment, locate
from blinkpair.registration.images.search import search
from blinkpair.registration.images.tiles import Tiles
from blinkpair.registration.images.votes import vote
from blinkpair.registration.rigid import check_model

# Pixels a diameter: in the search over all rotations, and where tiles are located.
SEARCH_PIXELS, FINE_PIXELS = 4.5, 9.0
# The search uses no more pixels a side than this.
SEARCH_SIDE = 256
# A step of the rotation displaces places at 0.35 sides from the middle by so many diameters.
STEP, STEP_RANGE_DEG = 0.6, (1.0, 3.0)
# Two alignments of the search are one if they are closer than so many diameters.
SAME = 0.7
# Alignments of the search that are refined, and those whose tiles are compared.
REFINED, COMPARED = 30, 8
# A motion that is known is located on details of this share of a diameter. Measured on real images
# and random patterns, under noise and out of focus: errors 0.6 to 1 of those on a whole diameter.
LOCATED = 0.7
# Smallest side of an image, in diameters.
MIN_SIDE = 5
# Share of the first image in the camera's frame from which a refusal names it.
LARGE_STATIC = 0.3
# Where the overlap of an alignment has at most this level, and the images are refused nevertheless,
# they are compared again with a diameter larger and one smaller by these: with one given too small,
# tiles show too little of a sphere; with one too large, too few tiles are in view.
PROMISING, OTHER_DIAMETERS = 0.1, (1.4, 1 / 1.4)
# Magnifications of a similarity: 0.8 to 1.25 in steps that displace less than the rotation's do.
SCALES = tuple(float(scale) for scale in np.geomspace(0.8, 1.25, 17))


def register_images(
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    *,
    diameter_px: float,
    model: str = "rigid",
    max_chance_alignments: float = 3e-4,
    max_error_px: float = MAX_ERROR_PX,
) -> ImageRegistration:
    """Return the registration of two brightfield images, under any rotation.

    Parameters
    ----------
    pre, post
        (rows, columns) images of one sample; shape, light and focus may differ.
    diameter_px
        Diameter of a microsphere in pixels, a hint: 0.7 to 1.4 times the true one works.
    model
        'rigid', or 'similarity' with a scale of 0.8 to 1.25, which takes ten times as long.
    max_chance_alignments
        Largest expected number of chance alignments this good that is accepted.
    max_error_px
        Largest error accepted anywhere in the overlap of the fields, at 95 % confidence.

    Raises
    ------
    InputError
        An image that is not a finite (rows, columns) array, or settings out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.ndimage import gaussian_filter
    >>> sample = gaussian_filter(np.random.default_rng(1).normal(size=(160, 160)), 2)
    >>> result = register_images(sample[:120], np.rot90(sample[30:150, 20:140]), diameter_px=6)
    >>> result.status, round(result.rotation_deg)
    ('ok', -90)
    """
    check_model(model)
    images = [_checked(one, name) for one, name in ((pre, "pre image"), (post, "post image"))]
    if not (np.isfinite(diameter_px) and diameter_px > 0):
        raise InputError(
            f"diameter_px = {diameter_px} is not a positive number",
            "give the diameter of a microsphere in pixels",
        )
    sides = [n for image in images for n in image.shape]
    if min(sides) < MIN_SIDE * diameter_px:
        return ImageRegistration.failed(
            f"the images are smaller than {MIN_SIDE} microspheres of {diameter_px:g} px"
        )
    compared = partial(_compared, images, model=model, max_error_px=max_error_px)
    found, level = compared(diameter_px, max_chance=max_chance_alignments)
    if level > PROMISING or not found.reason.startswith((BY_CHANCE, NOTHING_SHARED)):
        return found
    tried = 1 + len(OTHER_DIAMETERS)
    for other_px in (factor * diameter_px for factor in OTHER_DIAMETERS):
        if min(sides) >= MIN_SIDE * other_px:
            again, _ = compared(other_px, max_chance=max_chance_alignments / tried)
            if again.status == "ok":
                return replace(again, chance_alignments=tried * again.chance_alignments)
    return found


def _compared(
    images: Sequence[FloatArray],
    diameter_px: float,
    *,
    model: str,
    max_chance: float,
    max_error_px: float,
) -> tuple[ImageRegistration, float]:
    """Return the registration with details of one diameter, and the least level of an overlap."""
    sides = [n for image in images for n in image.shape]
    first, second, share = _contrasts(images, diameter_px)
    fine_pixel = first.pixel
    wide_pixel = max(fine_pixel, diameter_px / SEARCH_PIXELS, max(sides) / SEARCH_SIDE)
    step = np.degrees(STEP * diameter_px / (0.35 * max(sides)))
    peaks = search(
        first.resampled(wide_pixel / fine_pixel),
        [
            second.resampled(max(wide_pixel / fine_pixel * scale, 1.0))
            for scale in (SCALES if model == "similarity" else (1.0,))
        ],
        step_deg=float(np.clip(step, *STEP_RANGE_DEG)),
        radius=SAME * diameter_px / wide_pixel,
        keep=REFINED,
    )
    tiles = Tiles(first, second, diameter_px)
    found = []
    evidence = ImageEvidence.of(first, second, peaks.matrices, diameter_px, model)
    ranked = evidence.ranked(COMPARED)
    every = on_two_threads(lambda each: vote(tiles, each[0].matrix, model), ranked)
    for known, votes in zip(ranked, every, strict=True):
        if votes is not None:
            found.append(Alignment(votes, *evidence.better_near(votes.matrix, known)))
    found.sort(key=lambda one: one.log_chance + one.votes.log_chance)
    best = [one.votes.matrix for one in found[:1]]
    lattice = lattice_of(evidence, np.array([*best, peaks.most_alike]), wide_pixel)
    if lattice:
        votes = vote(tiles, lattice.best.matrix, model)
        found = [Alignment(votes, lattice.best, lattice.log_chance), *found] if votes else []
    finer = evidence.on(*_contrasts(images, LOCATED * diameter_px)[:2]) if found else None
    location = locate(tiles, evidence, finer, found[0]) if finer else None
    decision = decide(
        found,
        location,
        peaks,
        evidence,
        lattice,
        shapes=(images[0].shape, images[1].shape),
        diameter_px=diameter_px,
        model=model,
        max_chance=max_chance,
        max_error_px=max_error_px,
    )
    reason = decision.reason
    if share > LARGE_STATIC and reason.startswith((BY_CHANCE, NOTHING_SHARED)):
        reason += (
            f"; {share:.0%} of the first image is in the same place in the second, and was left "
            "out (dirt and fringes of the camera, or a sample that did not move)"
        )
    level = float(np.exp(min((log_level for _, log_level in ranked), default=np.inf)))
    return replace(decision, reason=reason, static_share=share, evidence=evidence), level


def _contrasts(
    images: Sequence[FloatArray], diameter_px: float
) -> tuple[Contrast, Contrast, float]:
    """Return the contrasts of details of a diameter, and the share left out as the camera's."""
    pixel = max(1.0, diameter_px / FINE_PIXELS)
    first, second = on_two_threads(lambda image: contrast_of(image, diameter_px, pixel), images)
    static = static_places(first, second, diameter_px)
    return first.without(static), second.without(static), float(static.mean())


def _checked(image: npt.ArrayLike, name: str) -> FloatArray:
    """Return an image as floating-point numbers, or raise :class:`InputError`."""
    array = np.asarray(image, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise InputError(
            f"shape {array.shape} is not (rows, columns)",
            "pass one plane of one channel",
            place=name,
        )
    if not np.isfinite(array).all():
        raise InputError(
            f"{int((~np.isfinite(array)).sum())} pixels are not finite numbers",
            "replace them by the values around them",
            place=name,
        )
    return array
