"""Register two unlabelled point patterns of one sample, or refuse.

Comes in: the microspheres found in the brightfield images before and after annealing,
in any order, some lost, some new, under any rotation. Goes out: the transform from pre
to post pixels, how far off it is at any place, and the number of alignments this good
that two unrelated patterns would show. A wrong transform accepted in silence is the
worst failure there is, so everything that could be chance, camera dust, a regular
lattice or a mirror image is refused with a reason.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from blinkpair import alignment_search, alignment_task
from blinkpair.alignment_task import Field, Task
from blinkpair.errors import InputError
from blinkpair.registration_checks import (
    AMBIGUOUS,
    judge,
    mirror_is_better,
    stays_put,
    without_dust,
)
from blinkpair.registration_result import Registration, failed
from blinkpair.rigid import (
    FloatArray,
    apply_matrix,
    as_points,
    check_model,
    fit_transform,
    scale_of,
)
from blinkpair.target_error import target_error

__all__ = [
    "Registration",
    "apply_matrix",
    "fit_transform",
    "refine_on_points",
    "register_from_landmarks",
    "register_points",
]

MAX_POINTS = 2000
# Residuals that the stated accuracy of landmarks is worth: two landmarks leave but one.
LANDMARK_PRIOR_DOF = 4.0


def register_points(
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    *,
    model: str = "rigid",
    max_chance_alignments: float = 3e-4,
    min_microspheres: int = 3,
    localisation_error_px: float = 0.2,
    max_error_px: float = 3.0,
    field_shape: tuple[int, int] | None = None,
    shape_pre: tuple[int, int] | None = None,
    shape_post: tuple[int, int] | None = None,
) -> Registration:
    """Find the transform between two unlabelled patterns, under any rotation.

    Parameters
    ----------
    pre_xy, post_xy
        (n, 2) positions in pixels, any order, up to 2,000.
    model
        'rigid', or 'similarity' with a scale of 0.8 to 1.25.
    max_chance_alignments
        Largest expected number of chance alignments this good that is accepted.
    min_microspheres
        Fewest matches accepted; at least 3, as two fix the motion and check nothing.
    localisation_error_px
        Expected localisation error per axis and image. The residuals have their say too.
    max_error_px
        Largest error accepted anywhere in the overlap of the fields, at 95 % confidence.
    field_shape, shape_pre, shape_post
        Image shapes (y, x). Default: what the points' bounding boxes suggest.

    Returns
    -------
    Registration

    Raises
    ------
    InputError
        Positions that are not finite (n, 2) arrays, or settings out of range.
    """
    pre, post = _checked(pre_xy, post_xy, model, max_chance_alignments, localisation_error_px)
    if min_microspheres < 3:
        raise InputError(
            f"min_microspheres = {min_microspheres}: two points fix a motion and check nothing. "
            "Hint: 3 or more."
        )
    if min(len(pre), len(post)) < min_microspheres:
        return failed(
            f"{len(pre)} points before and {len(post)} after; at least {min_microspheres} are "
            "needed in both"
        )
    fields = (
        Field.around(pre, shape_pre or field_shape),
        Field.around(post, shape_post or field_shape),
    )
    rows_pre, rows_post = without_dust(pre, post, fields, localisation_error_px)
    n_dust = len(pre) - len(rows_pre)
    note = f"{n_dust} points in the same place in both images were left out as camera dust"
    note = note if n_dust else ""
    if min(len(rows_pre), len(rows_post)) < min_microspheres:
        return failed(f"too few points are left: {note}, or the sample did not move")

    task = Task.of(
        pre[rows_pre],
        post[rows_post],
        *fields,
        localisation_error_px=localisation_error_px,
        min_matches=min_microspheres,
        free_scale=model == "similarity",
    )
    motions = alignment_task.all_motions(task)
    found = alignment_search.search(task, motions)
    result = judge(found, task, max_chance_alignments, max_error_px)
    if not result.reason.startswith(AMBIGUOUS) and mirror_is_better(
        found, task, motions, max_chance_alignments
    ):
        why = "the patterns match better as mirror images: is one image flipped?"
        result = failed(why, result.chance_alignments)
    if result.status == "ok" and stays_put(result, task):
        why = (
            "the best alignment leaves everything in place, as dust on the camera does: points "
            "alone cannot tell the two apart"
        )
        result = failed(why, result.chance_alignments)
    pairs = np.column_stack([rows_pre[result.pairs[:, 0]], rows_post[result.pairs[:, 1]]])
    reason = "; ".join(filter(None, (result.reason, note)))
    return replace(result, pairs=pairs, reason=reason, n_dust=n_dust)


def refine_on_points(
    matrix0: npt.ArrayLike,
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    *,
    model: str = "rigid",
    max_shift_px: float = 12.0,
    max_turn_deg: float = 0.5,
    max_chance_alignments: float = 3e-4,
    min_matches: int = 5,
    localisation_error_px: float = 0.15,
    max_error_px: float = 3.0,
    field_shape: tuple[int, int] | None = None,
) -> Registration:
    """Refine a transform that is nearly right on another set of points.

    Brightfield and photoluminescence are offset from each other; under a rotation the
    offset does not cancel, and the stage drifts. The nanocrystals that shine in both
    epochs know the remainder: every nearby pair votes for a shift, at a few rotations.

    Parameters
    ----------
    matrix0
        3x3 from pre to post pixels, the start.
    pre_xy, post_xy
        (n, 2) positions in pixels; part of them need be common.
    model
        'rigid' or 'similarity'.
    max_shift_px
        Largest error of the start at the middle of the field.
    max_turn_deg
        Largest error of its rotation.
    max_chance_alignments
        Largest expected number of chance alignments this good, among the motions that
        close to the start, that is accepted.
    min_matches
        Fewest matches accepted.
    localisation_error_px
        Expected localisation error per axis and image.
    max_error_px
        Largest error accepted anywhere in the overlap of the fields, at 95 % confidence.
    field_shape
        Shape (y, x) of both images. Default: what the bounding boxes suggest.

    Returns
    -------
    Registration

    Raises
    ------
    InputError
        Positions that are not finite (n, 2) arrays, or settings out of range.
    """
    pre, post = _checked(pre_xy, post_xy, model, max_chance_alignments, localisation_error_px)
    start = np.asarray(matrix0, dtype=np.float64)
    if start.shape != (3, 3) or not np.isfinite(start).all() or scale_of(start) == 0:
        raise InputError(
            "matrix0 is not a finite 3x3 matrix. Hint: refine a registration whose status is ok."
        )
    if min(len(pre), len(post)) < min_matches:
        return failed(
            f"{len(pre)} points before and {len(post)} after; at least {min_matches} are needed "
            "in both"
        )
    task = Task.of(
        pre,
        post,
        Field.around(pre, field_shape),
        Field.around(post, field_shape),
        localisation_error_px=localisation_error_px,
        min_matches=min_matches,
        free_scale=model == "similarity",
    )
    found = alignment_search.search_near(task, start, max_shift_px, np.radians(max_turn_deg))
    return judge(found, task, max_chance_alignments, max_error_px)


def register_from_landmarks(
    pairs: npt.ArrayLike,
    *,
    model: str = "rigid",
    localisation_error_px: float = 1.0,
    max_residual_px: float = 10.0,
) -> Registration:
    """Transform from landmarks named by hand.

    Parameters
    ----------
    pairs
        (n, 4) rows x_pre, y_pre, x_post, y_post in pixels, or (n, 2, 2); n >= 2.
    model
        'rigid' or 'similarity'.
    localisation_error_px
        How well they were pointed at, per axis.
    max_residual_px
        Landmarks that disagree by more are refused: a pair is probably swapped.

    Returns
    -------
    Registration, with `chance_alignments` NaN: nothing was searched for.

    Raises
    ------
    InputError
        Fewer than two pairs, or all in one place.
    """
    table = np.asarray(pairs, dtype=np.float64)
    if table.size % 4 or table.ndim not in (2, 3) or len(table) * 4 != table.size:
        raise InputError(
            f"landmarks of shape {table.shape}: not rows of x_pre, y_pre, x_post, y_post. "
            "Hint: four numbers a landmark."
        )
    pre = as_points(table.reshape(-1, 4)[:, :2], "landmarks before")
    post = as_points(table.reshape(-1, 4)[:, 2:], "landmarks after")
    matrix = fit_transform(pre, post, model=model)
    residual = np.hypot(*(apply_matrix(matrix, pre) - post).T)
    if residual.max() > max_residual_px:
        return failed(
            f"landmark {int(residual.argmax()) + 1} is {residual.max():.1f} px from where the "
            f"others put it (allowed: {max_residual_px:g}): are two swapped?",
            float("nan"),
        )
    error = target_error(
        pre,
        post,
        matrix,
        free_scale=model == "similarity",
        prior_error_px=localisation_error_px,
        prior_dof=LANDMARK_PRIOR_DOF,
    )
    rows = np.arange(len(pre))
    rms = float(np.sqrt(np.mean(residual**2)))
    return Registration(
        matrix,
        "ok",
        "from landmarks named by hand",
        float("nan"),
        np.column_stack([rows, rows]),
        rms,
        error_model=error,
    )


def _checked(
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    model: str,
    max_chance: float,
    localisation_error_px: float,
) -> tuple[FloatArray, FloatArray]:
    check_model(model)
    if not max_chance > 0:
        raise InputError(f"max_chance_alignments = {max_chance} must be above 0. Hint: 1e-3.")
    if not 0 < localisation_error_px < 5:
        raise InputError(
            f"localisation_error_px = {localisation_error_px} must be above 0 and below 5. "
            "Hint: 0.2 for well-focused microspheres."
        )
    pre, post = as_points(pre_xy, "pre points"), as_points(post_xy, "post points")
    for name, points in (("pre", pre), ("post", post)):
        if len(points) > MAX_POINTS:
            raise InputError(
                f"{len(points)} {name} points; at most {MAX_POINTS} can be registered. "
                "Hint: raise the detection threshold."
            )
    return pre, post
