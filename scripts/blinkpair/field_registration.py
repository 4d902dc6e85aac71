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
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.registration import (
    Registration,
    apply_matrix,
    refine_on_points,
    register_from_landmarks,
    register_points,
)
from blinkpair.target_error import TargetError

log = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

# Standard deviation of the offset between the brightfield and the PL channel, per axis: filter
# cubes displace by a pixel or two. Used only where the nanocrystals cannot tell.
CHANNEL_OFFSET_PX = 1.5
# Patterns of more points take minutes to search; the most significant ones carry the pattern.
MAX_PATTERN = 300


@dataclass(frozen=True)
class FieldRegistration:
    """Registration of one field.

    Attributes
    ----------
    final : Registration
        From pre-PL to post-PL pixels; status 'failed' with the reason where there is none.
    microspheres : Registration
        What the microspheres alone say, pre- to post-brightfield pixels.
    evidence : str
        'microspheres and nanocrystals', 'microspheres', 'nanocrystals' or 'none'; 'landmarks' in
        place of 'microspheres' where a person named them.
    """

    final: Registration
    microspheres: Registration
    evidence: str


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


def describe(
    result: FieldRegistration,
    *,
    nanocrystals_pre: FloatArray,
    n_microspheres: tuple[int, int],
    shape: tuple[int, int],
) -> dict[str, Any]:
    """Return the content of `registration.json`."""
    final, coarse = result.final, result.microspheres
    ok = final.status == "ok"
    tre = final.tre(nanocrystals_pre) if ok and len(nanocrystals_pre) else np.empty(0)
    if ok and not tre.size:
        tre = final.tre(np.array([[(shape[1] - 1) / 2, (shape[0] - 1) / 2]]))
    refined = ok and "nanocrystals" in result.evidence
    return {
        "status": final.status,
        "reason": final.reason,
        "evidence": result.evidence,
        "matrix": final.matrix if ok else None,
        "matrix_brightfield": coarse.matrix if coarse.status == "ok" else None,
        "rotation_deg": final.rotation_deg if ok else None,
        "translation_px": final.translation_px if ok else None,
        "scale": final.scale if ok else None,
        "n_microspheres_pre": n_microspheres[0],
        "n_microspheres_post": n_microspheres[1],
        "n_microspheres_matched": coarse.n_matched if coarse.status == "ok" else 0,
        "n_dust": coarse.n_dust,
        "n_nanocrystals_matched": final.n_matched if refined else 0,
        "rms_px": final.rms_px if ok else None,
        "rms_microspheres_px": coarse.rms_px if coarse.status == "ok" else None,
        "tre_px": float(np.sqrt(np.mean(tre**2))) if ok else None,
        "chance_alignments": (
            coarse.chance_alignments if coarse.status == "ok" else final.chance_alignments
        ),
        "chance_alignments_nanocrystals": final.chance_alignments if refined else None,
        "microsphere_pairs": coarse.pairs if coarse.status == "ok" else [],
        "nanocrystal_pairs": final.pairs if refined else [],
        "error_model": asdict(final.error_model) if ok and final.error_model else None,
    }


def failed(reason: str) -> dict[str, Any]:
    """Return the content of `registration.json` for a field that was refused before matching."""
    nowhere = Registration(
        np.full((3, 3), np.nan), "failed", reason, np.inf, np.empty((0, 2), np.int64), np.nan
    )
    return describe(
        FieldRegistration(nowhere, nowhere, "none"),
        nanocrystals_pre=np.empty((0, 2)),
        n_microspheres=(0, 0),
        shape=(1, 1),
    )


def from_description(content: Mapping[str, Any]) -> Registration:
    """Rebuild the final registration from `registration.json`."""
    if content["status"] != "ok":
        return Registration(
            np.full((3, 3), np.nan),
            "failed",
            content["reason"],
            np.inf,
            np.empty((0, 2), np.int64),
            np.nan,
        )
    model = dict(content["error_model"])
    model["centroid"] = np.array(model["centroid"])
    return Registration(
        np.array(content["matrix"]),
        "ok",
        content["reason"],
        content["chance_alignments"],
        np.array(content["nanocrystal_pairs"], np.int64).reshape(-1, 2),
        content["rms_px"],
        content["n_dust"],
        TargetError(**model),
    )
