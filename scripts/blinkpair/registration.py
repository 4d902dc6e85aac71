"""Register two unlabelled point patterns of one sample, or refuse.

Comes in: the microspheres found in the brightfield images before and after annealing,
in any order, some lost, some new, under any rotation. Goes out: the transform from pre
to post pixels, how far off it is at any place, and the number of alignments this good
that two unrelated patterns would show. A wrong transform accepted in silence is the
worst failure there is, so everything that could be chance, camera dust, a regular
lattice or a mirror image is refused with a reason.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import pdtrc

from blinkpair import alignment_search
from blinkpair.alignment_search import GATE_SIGMAS, Alignments, Field, Motions, Task, mutual_matches
from blinkpair.errors import InputError
from blinkpair.rigid import (
    FloatArray,
    apply_matrix,
    as_points,
    check_model,
    fit_transform,
    rotation_deg,
    scale_of,
)
from blinkpair.target_error import TargetError, target_error

__all__ = [
    "Registration",
    "apply_matrix",
    "fit_transform",
    "refine_on_points",
    "register_from_landmarks",
    "register_points",
]

IntArray = npt.NDArray[np.int64]
logger = logging.getLogger(__name__)

# The last fit keeps matches this many standard deviations per axis off: a normal
# residual is farther out in 3 of 10,000.
TRIM_SIGMAS = 4.0
# Motions that leave every corner of the field this close to where it was are the camera's.
IDENTITY_PX = 3.0
# Coincidences at the identity rarer than this by chance are dust.
DUST_SIGNIFICANCE = 1e-3
MAX_POINTS = 2000
AMBIGUOUS = "ambiguous"


@dataclass(frozen=True)
class Registration:
    """Outcome of a registration.

    Attributes
    ----------
    matrix
        3x3 from pre to post pixels, acting on columns (x, y, 1); NaN where it failed.
    status
        'ok' or 'failed'.
    reason
        Why it failed, or what is worth knowing.
    chance_alignments
        Expected number of alignments at least as good in two unrelated patterns of the
        same density; for a failed one, that of the best alignment found.
    pairs
        (m, 2) matched rows of the pre and post points.
    rms_px
        Root mean square of the matches' residual distances.
    n_dust
        Points at the same place in both images, taken for dust and left out.
    """

    matrix: FloatArray
    status: Literal["ok", "failed"]
    reason: str
    chance_alignments: float
    pairs: IntArray
    rms_px: float
    n_dust: int = 0
    error_model: TargetError | None = field(default=None, repr=False)

    @property
    def n_matched(self) -> int:
        """Number of matched pairs."""
        return len(self.pairs)

    @property
    def rotation_deg(self) -> float:
        """Rotation in degrees, (-180, 180]; +90 takes +x to +y."""
        return rotation_deg(self.matrix)

    @property
    def translation_px(self) -> tuple[float, float]:
        """Where the pre pixel (0, 0) lands (x, y): the matrix' last column."""
        return float(self.matrix[0, 2]), float(self.matrix[1, 2])

    @property
    def scale(self) -> float:
        """Scale factor; 1 for a rigid transform."""
        return scale_of(self.matrix)

    def tre(self, xy: npt.ArrayLike, confidence: float | None = None) -> FloatArray:
        """Target registration error at pre positions `xy`, in post pixels.

        Parameters
        ----------
        xy
            (n, 2) positions in pre pixels.
        confidence
            None: expected root-mean-square radial error, both axes together. Otherwise
            the radius that contains this fraction of the errors, 0.68 or 0.95 say.

        Returns
        -------
        (n,) array; NaN for a failed registration.
        """
        points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        if self.error_model is None:
            return np.full(len(points), np.nan)
        return self.error_model.at(points, confidence)


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
        return _failed(
            f"{len(pre)} points before and {len(post)} after; at least {min_microspheres} are "
            "needed in both"
        )
    fields = (
        Field.around(pre, shape_pre or field_shape),
        Field.around(post, shape_post or field_shape),
    )
    rows_pre, rows_post = _without_dust(pre, post, fields, localisation_error_px)
    n_dust = len(pre) - len(rows_pre)
    note = f"{n_dust} points in the same place in both images were left out as camera dust"
    note = note if n_dust else ""
    if min(len(rows_pre), len(rows_post)) < min_microspheres:
        return _failed(f"too few points are left: {note}, or the sample did not move")

    task = Task.of(
        pre[rows_pre],
        post[rows_post],
        *fields,
        localisation_error_px=localisation_error_px,
        min_matches=min_microspheres,
        free_scale=model == "similarity",
    )
    motions = alignment_search.all_motions(task)
    found = alignment_search.search(task, motions)
    result = _judge(found, task, max_chance_alignments, max_error_px)
    if not result.reason.startswith(AMBIGUOUS) and _mirror_is_better(
        found, task, motions, max_chance_alignments
    ):
        why = "the patterns match better as mirror images: is one image flipped?"
        result = _failed(why, result.chance_alignments)
    if result.status == "ok" and _stays_put(result, task):
        why = (
            "the best alignment leaves everything in place, as dust on the camera does: points "
            "alone cannot tell the two apart"
        )
        result = _failed(why, result.chance_alignments)
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
        return _failed(
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
    return _judge(found, task, max_chance_alignments, max_error_px)


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
        return _failed(
            f"landmark {int(residual.argmax()) + 1} is {residual.max():.1f} px from where the "
            f"others put it (allowed: {max_residual_px:g}): are two swapped?",
            float("nan"),
        )
    error = target_error(
        pre,
        post,
        matrix,
        free_scale=model == "similarity",
        localisation_error_px=localisation_error_px,
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


def _failed(reason: str, chance: float = np.inf) -> Registration:
    nowhere = np.full((3, 3), np.nan)
    return Registration(nowhere, "failed", reason, chance, np.zeros((0, 2), np.int64), np.nan)


def _without_dust(
    pre: FloatArray, post: FloatArray, fields: tuple[Field, Field], localisation_error_px: float
) -> tuple[IntArray, IntArray]:
    """Rows of either pattern without those in one place in both images, if beyond chance."""
    area = max(fields[0].area, fields[1].area)
    pairs = np.zeros((0, 2), np.int64)
    # Twice the gate, too: dust is out of focus, and localised the worse for it.
    for gate in GATE_SIGMAS * np.sqrt(2) * localisation_error_px * np.array([1, 2]):
        near = mutual_matches(pre, post, gate)
        expected = len(pre) * len(post) * np.pi * gate**2 / area
        if len(near) and pdtrc(len(near) - 1, expected) < DUST_SIGNIFICANCE:
            pairs = near
    return (
        np.delete(np.arange(len(pre)), pairs[:, 0]),
        np.delete(np.arange(len(post)), pairs[:, 1]),
    )


def _judge(found: Alignments, task: Task, max_chance: float, max_error_px: float) -> Registration:
    """Accept the best alignment, or say what is wrong with it."""
    if not len(found.chance):
        return _failed("no alignment is better than chance")
    chance = float(found.chance[0])
    if not chance <= max_chance:
        return _failed("no alignment is clearly better than chance", chance)
    if _has_rival(found, task, max_chance):
        return _failed(f"{AMBIGUOUS}: another alignment is about as good (a lattice?)", chance)
    result = _fit_matches(task, task.matrix(found.motions[0]), chance)
    if result.n_matched < task.min_matches:
        return _failed(f"only {result.n_matched} points match", chance)
    if not task.free_scale and (scale := _foreign_scale(result, task, max_error_px / 2)):
        return _failed(
            f"the matches want a scale of {scale:.4f}, not 1: was the magnification the same? "
            "If not, set registration: model: similarity",
            chance,
        )
    seen = task.pre_field.grid()
    seen = seen[task.post_field.contains(apply_matrix(result.matrix, seen))]
    worst = float(result.tre(seen, 0.95).max())
    if worst > max_error_px:
        return _failed(
            f"the {result.n_matched} matches fix the transform too loosely: it may be off by "
            f"{worst:.1f} px in parts of the field, more than {max_error_px:g} px",
            chance,
        )
    return result


def _foreign_scale(result: Registration, task: Task, tolerance_px: float) -> float | None:
    """Scale the pattern wants, where that is not 1 by errors and by so much at the edge.

    Under another magnification the points of one neighbourhood still match rigidly; with
    the scale set free the matches spread from there over the field.
    """
    free = _fit_matches(replace(task, free_scale=True), result.matrix, result.chance_alignments)
    if free.n_matched < task.min_matches or free.error_model is None:
        return None
    deviation = np.sqrt(free.error_model.variance_px2 / free.error_model.spread_px2)
    off = abs(free.scale - 1)
    foreign = off > 5 * deviation and off * task.pre_field.radius > tolerance_px
    return free.scale if foreign else None


def _has_rival(found: Alignments, task: Task, max_chance: float) -> bool:
    """Whether an alignment of other matches is beyond chance with half the evidence or more."""
    as_good = (found.chance <= max_chance) & (found.log_t <= 0.5 * found.log_t[0])
    best, *others = (
        {tuple(pair) for pair in task.matches(task.matrix(motion), task.gate_px).tolist()}
        for motion in found.motions[as_good]
    )
    return any(2 * len(best & other) < len(other) for other in others)


def _mirror_is_better(found: Alignments, task: Task, motions: Motions, max_chance: float) -> bool:
    """Whether the second pattern seen from behind matches beyond chance, and better.

    Points on a line match their mirror image under a proper rotation too: a flipped
    image has alignments of its own beyond chance, so this is asked of good ones as well.
    """
    mirrored = alignment_search.search(task.mirrored(), motions)
    return bool(
        len(mirrored.chance)
        and mirrored.chance[0] <= max_chance
        and (not len(found.log_t) or mirrored.log_t[0] <= found.log_t[0])
    )


def _stays_put(result: Registration, task: Task) -> bool:
    before, after = task.pre_xy[result.pairs[:, 0]], task.post_xy[result.pairs[:, 1]]
    return bool((np.hypot(*(after - before).T) < IDENTITY_PX).all())


def _fit_matches(task: Task, matrix: FloatArray, chance: float) -> Registration:
    """Least squares over the one-to-one matches within a gate that their residuals set."""
    gate, pairs, previous = task.gate_px, np.zeros((0, 2), np.int64), None
    error = None
    for _ in range(20):
        pairs = task.matches(matrix, gate)
        if len(pairs) < 3 or (previous is not None and np.array_equal(pairs, previous)):
            break
        previous = pairs
        pre, post = task.pre_xy[pairs[:, 0]], task.post_xy[pairs[:, 1]]
        matrix = fit_transform(pre, post, model="similarity" if task.free_scale else "rigid")
        error = target_error(
            pre,
            post,
            matrix,
            free_scale=task.free_scale,
            localisation_error_px=np.sqrt(task.variance_px2 / 2),
        )
        gate = min(task.gate_px, TRIM_SIGMAS * np.sqrt(error.variance_px2))
    residual = apply_matrix(matrix, task.pre_xy[pairs[:, 0]]) - task.post_xy[pairs[:, 1]]
    rms = float(np.sqrt(np.mean((residual**2).sum(axis=1)))) if len(pairs) else np.nan
    return Registration(matrix, "ok", "", chance, pairs, rms, error_model=error)
