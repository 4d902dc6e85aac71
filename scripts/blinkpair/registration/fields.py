"""From microspheres and nanocrystals of one field to the transform between its epochs.

The microspheres give the transform of the brightfield images, for any rotation. The nanocrystals
found in both epochs correct it for what brightfield does not show: the offset d between the
channels, which a rotation R turns into a shift d - R d, and the stage's creep between the image
and the movie. Where the microspheres do not decide, the brightfield images as wholes are
registered, then the nanocrystals' own pattern is tried, then all of them together, with the same
test against chance. Where few microspheres decide loosely and no nanocrystals correct them, the
images may give the same alignment, more exactly.

Input: microspheres and nanocrystals found before and after. Output: one transform, or the reason
why there is none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.registration.acceptance import MAGNIFICATION, MAX_ERROR_PX, MIRRORED
from blinkpair.registration.both_patterns import Together
from blinkpair.registration.brightfield_error import with_light, without_nanocrystals
from blinkpair.registration.camera_dust import register_near_points
from blinkpair.registration.from_start import register_by_hand
from blinkpair.registration.nanocrystal_pattern import NanocrystalDetails, NanocrystalPattern
from blinkpair.registration.points import alignments, register_points
from blinkpair.registration.result import FieldRegistration, Registration, failed
from blinkpair.registration.rigid import apply_matrix

if TYPE_CHECKING:
    from blinkpair.registration.images.decision import ImageRegistration
    from blinkpair.registration.images.evidence import ImageEvidence

log = logging.getLogger(__name__)

# Largest stated error over the field (95 %) above which microspheres decide loosely: the images
# are mostly good to a tenth of a pixel.
LOOSE_PX = 0.5
# Share of the errors within the distance up to which two transforms are the same.
SAME = 0.999
# Parts of the reasons that leave open why images do not match; others name it (a mirror image).
NOT_ALIKE = ("clearly better than chance", "share no structure")
OTHER_PLACE = (
    "check that the files after are of the same place; if they are, pair two or more places by "
    "hand (column landmarks of the sheet)"
)


@dataclass(frozen=True)
class RegistrationSettings:
    """The section `registration` of the configuration; meanings as in `register_points`."""

    model: str = "rigid"
    min_microspheres: int = 3
    max_chance_alignments: float = 3e-4


def register_field(
    microspheres_pre: FloatArray,
    microspheres_post: FloatArray,
    nanocrystals_pre: FloatArray,
    nanocrystals_post: FloatArray,
    *,
    shape: tuple[int, int],
    settings: RegistrationSettings = RegistrationSettings(),
    by_images: Callable[[], ImageRegistration] | None = None,
    landmarks: FloatArray | None = None,
    details: NanocrystalDetails = NanocrystalDetails(),
    light_offset_px: float = 0.0,
) -> FieldRegistration:
    """Return the registration of the two epochs of a field.

    Parameters
    ----------
    microspheres_pre, microspheres_post, nanocrystals_pre, nanocrystals_post : (n, 2) float
        Positions; nanocrystals at the first frame of their movie, the most significant first.
    shape : tuple of int
        Rows and columns of the sensor.
    settings : RegistrationSettings
    by_images : callable, optional
        Returns the registration of the brightfield images as wholes. It takes seconds, and is
        called only where the microspheres do not decide, or loosely and no nanocrystals refine
        their transform.
    landmarks : (n, 4) float, optional
        x, y before and x, y after of the same places in brightfield, named by hand. With them the
        refinement starts there, without a search.
    details : NanocrystalDetails
        Errors and counts of the nanocrystals, and the drift of their movies.
    light_offset_px : float
        Largest offset that all microspheres of an image may have in common under light from one
        side, both epochs together.

    Examples
    --------
    >>> import numpy as np
    >>> pre = np.random.default_rng(1).uniform(0, 512, (12, 2))
    >>> post = pre @ [[0, 1], [-1, 0]] + [500, 10]  # turned by 90 degrees, shifted
    >>> result = register_field(pre[:6], post[:6], pre, post, shape=(512, 512))
    >>> result.evidence, round(result.final.rotation_deg)
    ('microspheres and nanocrystals', 90)
    """
    microspheres = (microspheres_pre, microspheres_post)
    nanocrystals = NanocrystalPattern.of(
        nanocrystals_pre,
        nanocrystals_post,
        details,
        settings.max_chance_alignments,
        {"model": settings.model, "field_shape": shape},
        light_offset_px,
    )
    if landmarks is not None:
        coarse = register_by_hand(landmarks, *microspheres, **nanocrystals.strict)
        if coarse.status != "ok":
            return FieldRegistration(coarse, coarse, "none")
        return _refined(coarse, nanocrystals, shape, "landmarks")
    coarse = register_points(
        *microspheres, min_microspheres=settings.min_microspheres, **nanocrystals.strict
    )
    if coarse.status == "ok":
        result = _refined(coarse, nanocrystals, shape, "microspheres")
        if by_images is None or result.evidence != "microspheres":
            return result
        return _or_by_images(result, by_images, nanocrystals, shape)
    if nanocrystals.near_identity.status == "ok":
        return _hardly_moved(coarse, microspheres, nanocrystals, settings)
    if coarse.reason.startswith(MAGNIFICATION):
        return FieldRegistration(coarse, coarse, "none")
    images = by_images() if by_images else None
    if images is not None and images.status == "ok":
        log.warning("the microspheres do not decide (%s); the images do", coarse.reason)
        images = replace(images, n_dust=coarse.n_dust)
        result = _refined(images, nanocrystals, shape, "brightfield images")
    else:
        result = _undecided(coarse, images, microspheres, nanocrystals, shape)
    return replace(result, images=images)


def _hardly_moved(
    coarse: Registration,
    microspheres: tuple[FloatArray, FloatArray],
    nanocrystals: NanocrystalPattern,
    settings: RegistrationSettings,
) -> FieldRegistration:
    """Return the registration by nanocrystals near zero motion, and the microspheres beside it."""
    pattern = nanocrystals.near_identity
    beside = register_near_points(
        *microspheres,
        pattern.matrix,
        min_microspheres=settings.min_microspheres,
        **nanocrystals.strict,
    )
    log.warning("the sample hardly moved: the nanocrystals decide")
    if beside.status != "ok":
        return FieldRegistration(pattern, replace(coarse, n_dust=beside.n_dust), "nanocrystals")
    return FieldRegistration(pattern, beside, "microspheres and nanocrystals")


def _refined(
    coarse: Registration, nanocrystals: NanocrystalPattern, shape: tuple[int, int], found_by: str
) -> FieldRegistration:
    """Return a registration of the brightfield images, refined on the nanocrystals."""
    fine = nanocrystals.near(coarse)
    if fine.status == "ok":
        return FieldRegistration(fine, coarse, f"{found_by} and nanocrystals")
    if fine.reason.startswith(MAGNIFICATION):
        return FieldRegistration(fine, coarse, "none")
    pattern = nanocrystals.own_pattern()
    if pattern.status == "ok" and (
        (apart := _apart_px(coarse.matrix, pattern.matrix, shape).max()) > nanocrystals.reach_px
    ):
        reason = (
            f"{found_by} and nanocrystals contradict each other: they are turned by "
            f"{coarse.rotation_deg:.1f} and by {pattern.rotation_deg:.1f} degrees, and their "
            f"transforms differ by up to {apart:.0f} px"
        )
        return FieldRegistration(failed(reason, coarse.chance_alignments), coarse, "none")
    if pattern.status == "ok":
        return FieldRegistration(pattern, coarse, f"{found_by} and nanocrystals")
    if reason := nanocrystals.mirrored_reason(coarse):
        return FieldRegistration(failed(reason, coarse.chance_alignments), coarse, "none")
    log.warning("not refined on nanocrystals (%s): the channel offset is unknown", fine.reason)
    reason = f"not refined on nanocrystals: {fine.reason}"
    final = replace(without_nanocrystals(coarse, nanocrystals.light_offset_px), reason=reason)
    return FieldRegistration(final, coarse, found_by)


def _or_by_images(
    by_spheres: FieldRegistration,
    by_images: Callable[[], ImageRegistration],
    nanocrystals: NanocrystalPattern,
    shape: tuple[int, int],
) -> FieldRegistration:
    """Return the registration by images, where the microspheres' agrees with it and is looser."""
    corners = _corners(shape)
    spheres = with_light(by_spheres.microspheres, nanocrystals.light_offset_px)
    loose_px = spheres.tre(corners, 0.95).max()
    if loose_px <= LOOSE_PX:
        return by_spheres
    images = by_images()
    apart_px = _apart_px(images.matrix, spheres.matrix, shape)
    same_px = images.tre(corners, SAME) + spheres.tre(corners, SAME)
    # A failed registration has NaN, which is neither exact nor the same.
    if images.tre(corners, 0.95).max() < loose_px and (apart_px <= same_px).all():
        log.warning(
            "the microspheres decide loosely; the images give the same alignment, more exactly"
        )
        sharper = replace(images, n_dust=spheres.n_dust)
        by_spheres = _refined(sharper, nanocrystals, shape, "brightfield images")
    return replace(by_spheres, images=images)


def _undecided(
    coarse: Registration,
    images: ImageRegistration | None,
    microspheres: tuple[FloatArray, FloatArray],
    nanocrystals: NanocrystalPattern,
    shape: tuple[int, int],
) -> FieldRegistration:
    """Return the registration by the nanocrystals alone, or by all that was seen together."""
    pattern = nanocrystals.own_pattern()
    if pattern.status == "ok":
        log.warning("the microspheres do not decide (%s); the nanocrystals do", coarse.reason)
        return FieldRegistration(pattern, coarse, "nanocrystals")
    # Mirrored patterns match under a rotation along a line, and it is the same line for both:
    # that they agree there is no evidence.
    mirrored = pattern.reason.startswith(MIRRORED)
    by_spheres = [] if mirrored else alignments(*microspheres, **nanocrystals.options)
    by_image = images.candidates() if images is not None and not mirrored else []
    no_level = coarse.chance_alignments <= nanocrystals.max_chance_alignments
    together = failed("")
    beside_points = None
    if images is not None and images.evidence is not None:
        beside_points = partial(_alike_by_chance, images.evidence, microspheres[0])
    for what, candidates, by_rank, beside in (
        ("microspheres", by_spheres, no_level, beside_points),
        ("brightfield images", by_image, False, None),
    ):
        tried = nanocrystals.together_with(candidates, by_rank=by_rank, images=beside)
        if isinstance(tried, Together):
            brightfield, final = (
                replace(tried.brightfield, n_dust=coarse.n_dust),
                tried.nanocrystals,
            )
            if final.status != "ok":
                if brightfield.tre(_corners(shape), 0.95).max() > MAX_ERROR_PX:
                    together = failed(f"{what} and {tried.by} fix the transform too loosely")
                    continue
                final = without_nanocrystals(brightfield, nanocrystals.light_offset_px)
            log.warning("%s and %s decide together; none decides alone", what, tried.by)
            return FieldRegistration(final, brightfield, f"{what} together with {tried.by}")
        together = tried if candidates or not together.reason else together
    reasons = {
        "microspheres": coarse.reason,
        "brightfield images": images.reason if images is not None else "",
        "nanocrystals": pattern.reason,
        "together": "" if mirrored else together.reason,
    }
    reason = "; ".join(f"{what}: {why}" for what, why in reasons.items() if why)
    if any(why in reasons["brightfield images"] for why in NOT_ALIKE):
        reason += f". Hint: {OTHER_PLACE}"
    return FieldRegistration(replace(coarse, reason=reason), coarse, "none")


def _apart_px(one: FloatArray, other: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return the distances (4,) between the places two transforms give the corners."""
    corners = _corners(shape)
    return np.hypot(*(apply_matrix(one, corners) - apply_matrix(other, corners)).T)


def _corners(shape: tuple[int, int]) -> FloatArray:
    height, width = shape
    return np.array([[0, 0], [width, 0], [0, height], [width, height]], float)


def _alike_by_chance(
    images: ImageEvidence, microspheres_pre: FloatArray, alignment: Registration
) -> float:
    """Return the probability that the images look alike near an alignment of the microspheres."""
    return images.probability_near(alignment.matrix, microspheres_pre[alignment.pairs[:, 0]])
