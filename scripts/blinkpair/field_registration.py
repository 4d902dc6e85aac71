"""From microspheres and nanocrystals of one field to the transform between its epochs.

In: microspheres and nanocrystals found before and after. Out: one transform, or the
reason why there is none. The microspheres find the rotation from anywhere; the
nanocrystals seen in both epochs then take out what brightfield cannot know: the offset d
between the channels, which a rotation R turns into a shift d - R d, and the stage's creep
between the image and the movie. Where the microspheres do not decide, the nanocrystals'
own pattern may, by the same test against chance.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.registration import (
    apply_matrix,
    refine_on_points,
    register_from_landmarks,
    register_points,
)
from blinkpair.registration_result import FieldRegistration, Registration

log = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

# Standard deviation of the offset between the brightfield and the PL channel, per axis: filter
# cubes displace by a pixel or two. Used only where the nanocrystals cannot tell.
CHANNEL_OFFSET_PX = 1.5
# Patterns of more points take minutes to search; the most significant ones carry the pattern.
MAX_PATTERN = 300


def register_field(
    microspheres_pre: FloatArray,
    microspheres_post: FloatArray,
    nanocrystals_pre: FloatArray,
    nanocrystals_post: FloatArray,
    *,
    shape: tuple[int, int],
    model: str = "rigid",
    min_microspheres: int = 3,
    max_chance_alignments: float = 3e-4,
    landmarks: FloatArray | None = None,
) -> FieldRegistration:
    """Register the two epochs of a field.

    Parameters
    ----------
    microspheres_pre, microspheres_post, nanocrystals_pre, nanocrystals_post : (n, 2) float
        Positions; nanocrystals at the first frame of their movie, the most significant first.
    shape : tuple of int
        Rows and columns of the sensor.
    model, min_microspheres, max_chance_alignments
        As in `registration.register_points`.
    landmarks : (n, 4) float, optional
        x, y before and x, y after of the same places in brightfield, named by hand: they then
        start the refinement in place of the search.
    """
    options: dict[str, Any] = {
        "model": model,
        "max_chance_alignments": max_chance_alignments,
        "field_shape": shape,
    }
    beads = (microspheres_pre, microspheres_post)
    if landmarks is None:
        coarse = register_points(*beads, min_microspheres=min_microspheres, **options)
        carried_by = "microspheres"
    else:
        coarse = _start_by_hand(landmarks, *beads, options)
        carried_by = "landmarks"
        if coarse.status != "ok":
            return FieldRegistration(coarse, coarse, "none")
    if coarse.status == "ok":
        fine = refine_on_points(
            coarse.matrix,
            nanocrystals_pre,
            nanocrystals_post,
            model=model,
            max_chance_alignments=max_chance_alignments,
            field_shape=shape,
        )
        if fine.status == "ok":
            return FieldRegistration(fine, coarse, f"{carried_by} and nanocrystals")
    pattern = register_points(
        nanocrystals_pre[:MAX_PATTERN], nanocrystals_post[:MAX_PATTERN], **options
    )
    if coarse.status != "ok":
        if pattern.status == "ok":
            log.warning("the microspheres do not decide (%s); the nanocrystals do", coarse.reason)
            return FieldRegistration(pattern, coarse, "nanocrystals")
        reason = f"microspheres: {coarse.reason}; nanocrystals: {pattern.reason}"
        return FieldRegistration(replace(coarse, reason=reason), coarse, "none")
    if pattern.status == "ok" and not _agree(coarse.matrix, pattern.matrix, shape):
        reason = (
            "microspheres and nanocrystals contradict each other: the former turn by "
            f"{coarse.rotation_deg:.1f} degrees, the latter by {pattern.rotation_deg:.1f}"
        )
        failed = replace(coarse, status="failed", reason=reason, matrix=np.full((3, 3), np.nan))
        return FieldRegistration(failed, coarse, "none")
    if pattern.status == "ok":
        return FieldRegistration(pattern, coarse, f"{carried_by} and nanocrystals")
    log.warning("not refined on nanocrystals (%s): the channel offset stays in", fine.reason)
    reason = f"not refined on nanocrystals: {fine.reason}"
    return FieldRegistration(
        replace(_with_channel_offset(coarse), reason=reason), coarse, carried_by
    )


def _start_by_hand(
    landmarks: FloatArray,
    microspheres_pre: FloatArray,
    microspheres_post: FloatArray,
    options: Mapping[str, Any],
) -> Registration:
    """Transform from landmarks, made better by the microspheres where they go along."""
    by_hand = register_from_landmarks(landmarks, model=options["model"])
    if by_hand.status != "ok":
        return replace(by_hand, reason=f"landmarks: {by_hand.reason}")
    # Two landmarks 100 px apart, each named to a pixel, know the rotation to about a degree.
    on_beads = refine_on_points(
        by_hand.matrix, microspheres_pre, microspheres_post, max_turn_deg=3.0, **options
    )
    return on_beads if on_beads.status == "ok" else by_hand


def _agree(one: FloatArray, other: FloatArray, shape: tuple[int, int]) -> bool:
    """Whether two transforms differ by less than an offset between channels can."""
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    apart = np.hypot(*(apply_matrix(one, corners) - apply_matrix(other, corners)).T)
    return bool(apart.max() < 8 * CHANNEL_OFFSET_PX)


def _with_channel_offset(coarse: Registration) -> Registration:
    """Widen the error by the d - R d that is not known: 2 sigma |sin(angle / 2)| per axis."""
    model = coarse.error_model
    if model is None:
        return coarse
    unknown = 2 * CHANNEL_OFFSET_PX * abs(np.sin(np.deg2rad(coarse.rotation_deg) / 2))
    # The model's variance is divided by n where it counts as a shift of the whole field.
    variance = model.variance_px2 + model.n * unknown**2
    return replace(coarse, error_model=replace(model, variance_px2=float(variance)))
