"""Registration from a start: a transform that is nearly right, or landmarks named by hand.

Input: a 3x3 matrix or paired landmarks, and points of both epochs. Output: the transform fitted to
those points, with the same test against chance as a search without a start.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError
from blinkpair.registration.acceptance import MAX_ERROR_PX, accept_or_refuse
from blinkpair.registration.alignment import search
from blinkpair.registration.alignment.task import Field, Task, checked_patterns
from blinkpair.registration.result import Registration, failed
from blinkpair.registration.rigid import apply_matrix, as_points, fit_transform, scale_of
from blinkpair.registration.target_error import target_error

# Weight of the stated accuracy of landmarks, in residuals: two landmarks leave only one.
LANDMARK_PRIOR_DOF = 4.0
# Landmarks that disagree by more are probably swapped.
MAX_LANDMARK_RESIDUAL_PX = 10.0
# Fewest nanocrystals that refine a start.
MIN_REFINING_MATCHES = 5
# Largest distance between the transforms of brightfield and of the nanocrystals: eight standard
# deviations of the offset between the channels.
MAX_SHIFT_PX = 12.0


def refine_on_points(
    matrix0: npt.ArrayLike,
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    *,
    model: str = "rigid",
    max_shift_px: float = MAX_SHIFT_PX,
    max_turn_deg: float = 0.5,
    max_chance_alignments: float = 3e-4,
    min_matches: int = MIN_REFINING_MATCHES,
    localisation_error_px: float = 0.15,
    field_shape: tuple[int, int] | None = None,
    errors_px: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> Registration:
    """Return the registration of points near a transform that is nearly right.

    Brightfield and photoluminescence are offset from each other; under a rotation the
    offset does not cancel, and the stage drifts. The nanocrystals found in both epochs
    measure the remainder: every nearby pair proposes a shift, at a few rotations.

    Parameters
    ----------
    matrix0
        3x3 from pre to post pixels, the start.
    pre_xy, post_xy
        (n, 2) positions in pixels, some of them common to both epochs.
    max_shift_px, max_turn_deg
        Largest error of the start at the middle of the field, and of its rotation.
    max_chance_alignments
        Largest expected number of chance alignments this good, among the motions that
        close to the start, that is accepted.
    min_matches
        Fewest matches accepted.
    model, localisation_error_px, field_shape
        As in `points.register_points`.
    errors_px
        (n,) standard errors per axis of the points of either set, in pixels, the weights of the
        fit. Default: equal weights.

    Raises
    ------
    InputError
        Positions that are not finite (n, 2) arrays, or settings out of range.
    """
    pre, post = checked_patterns(
        pre_xy, post_xy, model, max_chance_alignments, localisation_error_px
    )
    errors = None
    if errors_px is not None:
        errors = _checked_errors(errors_px[0], pre), _checked_errors(errors_px[1], post)
    start = np.asarray(matrix0, dtype=np.float64)
    if start.shape != (3, 3) or not np.isfinite(start).all() or scale_of(start) == 0:
        raise InputError(
            "matrix0 is not a finite 3x3 matrix", "start from a registration whose status is ok"
        )
    if min(len(pre), len(post)) < min_matches:
        return failed(
            f"{len(pre)} points before and {len(post)} after, where at least {min_matches} are "
            "needed in both"
        )
    task = Task.of(
        pre,
        post,
        *Field.around_both(pre, post, field_shape, field_shape),
        localisation_error_px=localisation_error_px,
        min_matches=min_matches,
        free_scale=model == "similarity",
        errors_px=errors,
    )
    found = search.search_near(task, start, max_shift_px, np.radians(max_turn_deg))
    return accept_or_refuse(found, task, max_chance_alignments, MAX_ERROR_PX)


def register_from_landmarks(
    pairs: npt.ArrayLike,
    *,
    model: str = "rigid",
    localisation_error_px: float = 1.0,
) -> Registration:
    """Return the registration by landmarks named by hand, without a test against chance.

    Parameters
    ----------
    pairs
        (n, 4) rows x_pre, y_pre, x_post, y_post in pixels, or (n, 2, 2); n >= 2.
    model
        'rigid' or 'similarity'.
    localisation_error_px
        Standard error of a landmark per axis.

    Raises
    ------
    InputError
        Fewer than two pairs, or all in one place.
    """
    table = np.asarray(pairs, dtype=np.float64)
    if table.size % 4 or table.ndim not in (2, 3) or len(table) * 4 != table.size:
        raise InputError(
            f"landmarks of shape {table.shape}: not rows of x_pre, y_pre, x_post, y_post",
            "pass four numbers a landmark",
        )
    pre = as_points(table.reshape(-1, 4)[:, :2], "landmarks before")
    post = as_points(table.reshape(-1, 4)[:, 2:], "landmarks after")
    matrix = fit_transform(pre, post, model=model)
    residual = np.hypot(*(apply_matrix(matrix, pre) - post).T)
    if residual.max() > MAX_LANDMARK_RESIDUAL_PX:
        return failed(
            f"landmark {int(residual.argmax()) + 1} is {residual.max():.1f} px from where the "
            f"others put it (allowed: {MAX_LANDMARK_RESIDUAL_PX:g}): are two swapped?",
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


def register_by_hand(
    landmarks: npt.ArrayLike,
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    *,
    model: str = "rigid",
    **options: Any,
) -> Registration:
    """Return the registration by landmarks, refined on the microspheres where they match.

    Parameters as in `register_from_landmarks` and `refine_on_points`.
    """
    by_hand = register_from_landmarks(landmarks, model=model)
    if by_hand.status != "ok":
        return replace(by_hand, reason=f"landmarks: {by_hand.reason}")
    # Two landmarks 100 px apart, each good to a pixel, fix the rotation to about a degree.
    refined = refine_on_points(
        by_hand.matrix, pre_xy, post_xy, model=model, max_turn_deg=3.0, **options
    )
    return refined if refined.status == "ok" else by_hand


def _checked_errors(error_px: npt.ArrayLike, points: FloatArray) -> FloatArray:
    errors = np.asarray(error_px, dtype=np.float64)
    if errors.shape != (len(points),) or not np.isfinite(errors).all() or (errors < 0).any():
        raise InputError(
            f"errors of shape {errors.shape} for {len(points)} points, or not all finite and "
            "non-negative",
            "pass one standard error a point",
        )
    return errors
