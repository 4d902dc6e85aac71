"""Separate dust on the camera from microspheres.

Dust is round, sharp and in one place in both images, so it matches at zero motion. What stayed in
one place is left out of the search, where chance does not explain it. Once the motion of the sample
is known, what fits it is a microsphere, and the rest is dust.

Input: the microspheres of both epochs and, where it is known, the motion of the sample. Output: the
pairs in one place, and registrations with the pairs that are no dust.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.special import pdtrc

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.registration.acceptance import fit_matches
from blinkpair.registration.alignment.task import (
    GATE_SIGMAS,
    Field,
    Task,
    checked_patterns,
    mutual_matches,
)
from blinkpair.registration.from_start import refine_on_points
from blinkpair.registration.result import Registration, failed, in_rows
from blinkpair.registration.rigid import apply_matrix

# Coincidences at zero motion rarer than this by chance are dust, or a sample that did not move.
DUST_SIGNIFICANCE = 1e-3
# Largest shift of the microspheres against the nanocrystals, between brightfield image and movie of
# both epochs; a larger one than the second is unusual, and what shows it may be dust.
MAX_CREEP_PX, FAR_CREEP_PX = 6.0, 2.5
# A point is no dust if it fits so well, in standard deviations per axis.
FITTING_SIGMAS = 3.5


def pairs_in_one_place(
    pre: FloatArray, post: FloatArray, fields: tuple[Field, Field], localisation_error_px: float
) -> IntArray:
    """Return the pairs in one place in both images, (n, 2), where chance does not explain them."""
    area = max(fields[0].area, fields[1].area)
    pairs = np.zeros((0, 2), np.int64)
    # Twice the gate as well: dust is out of focus and therefore localised less well.
    for gate in GATE_SIGMAS * np.sqrt(2) * localisation_error_px * np.array([1, 2]):
        near = mutual_matches(pre, post, gate)
        expected = len(pre) * len(post) * np.pi * gate**2 / area
        if len(near) and pdtrc(len(near) - 1, expected) < DUST_SIGNIFICANCE:
            pairs = near
    return pairs


def register_near_points(
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    start: FloatArray,
    *,
    model: str = "rigid",
    max_chance_alignments: float = 3e-4,
    min_microspheres: int = 3,
    localisation_error_px: float = 0.2,
    field_shape: tuple[int, int] | None = None,
) -> Registration:
    """Return the registration of microspheres near a motion that is known, zero included.

    What stayed in one place is dust if the other points show another motion that is nearer to the
    known one, or if zero motion is far from it; else it is on the sample.

    Parameters
    ----------
    start
        3x3 from pre to post pixels, by the nanocrystals.
    pre_xy, post_xy, model, max_chance_alignments, min_microspheres, localisation_error_px
        As in `register_points`.
    field_shape
        Image shape (y, x), both epochs.
    """
    pre, post = checked_patterns(
        pre_xy, post_xy, model, max_chance_alignments, localisation_error_px
    )
    if min(len(pre), len(post)) < min_microspheres:
        return failed("fewer points than are needed")
    fields = Field.around_both(pre, post, field_shape, field_shape)
    same_place = pairs_in_one_place(pre, post, fields, localisation_error_px)
    there = apply_matrix(start, pre[same_place[:, 0]])
    stayed = post[same_place[:, 1]]
    nearer = np.hypot(*(stayed - pre[same_place[:, 0]]).T) < np.hypot(*(stayed - there).T)
    stays = same_place[nearer]

    def near(rows: tuple[IntArray, IntArray]) -> Registration:
        result = refine_on_points(
            start,
            pre[rows[0]],
            post[rows[1]],
            model=model,
            max_shift_px=MAX_CREEP_PX,
            max_chance_alignments=max_chance_alignments,
            min_matches=min_microspheres,
            localisation_error_px=localisation_error_px,
            field_shape=field_shape,
        )
        return in_rows(result, rows)

    task = Task.of(
        pre,
        post,
        *fields,
        localisation_error_px=localisation_error_px,
        min_matches=min_microspheres,
        free_scale=model == "similarity",
    )
    if len(stays):
        moved = near(without(pre, post, stays))
        if moved.status == "ok":
            return with_fitting(moved, stays, task, (pre, post))
    result = near(without(pre, post, stays[:0]))
    if result.status != "ok":
        return with_dust(result, len(stays))
    here = pre[result.pairs[:, 0]]
    apart = np.hypot(*(apply_matrix(start, here) - apply_matrix(result.matrix, here)).T)
    if len(stays) > len(result.pairs) / 2 and np.median(apart) > FAR_CREEP_PX:
        return with_dust(failed("what matches did not move, but the nanocrystals did"), len(stays))
    return result


def without(pre: FloatArray, post: FloatArray, pairs: IntArray) -> tuple[IntArray, IntArray]:
    """Return the rows of either pattern that are not in the pairs."""
    return (
        np.delete(np.arange(len(pre)), pairs[:, 0]),
        np.delete(np.arange(len(post)), pairs[:, 1]),
    )


def with_fitting(
    result: Registration,
    same_place: IntArray,
    task: Task,
    points: tuple[FloatArray, FloatArray],
) -> Registration:
    """Return the registration with those of the pairs in one place that fit it, the rest as dust.

    Near the centre of a rotation a microsphere moves as little as dust.
    """
    model = result.error_model
    if model is None:
        return with_dust(result, len(same_place))
    pre, post = points
    here, there = pre[same_place[:, 0]], post[same_place[:, 1]]
    residual = np.hypot(*(apply_matrix(result.matrix, here) - there).T)
    fit = same_place[residual <= FITTING_SIGMAS * np.sqrt(model.variance_px2)]
    dust = len(same_place) - len(fit)
    if not len(fit):
        return with_dust(result, dust)
    before, after = np.vstack([result.pairs, fit]).T
    rows = np.sort(before), np.sort(after)
    some = replace(
        task, pre=pre[rows[0]] - task.pre_field.centre, post=post[rows[1]] - task.post_field.centre
    )
    again = in_rows(fit_matches(some, result.matrix, result.chance_alignments), rows)
    return with_dust(replace(again, reason=result.reason), dust)


def with_dust(result: Registration, n_dust: int) -> Registration:
    """Return the registration with a note on points left out as dust."""
    note = f"{n_dust} points in the same place in both images were left out as camera dust"
    reason = "; ".join(filter(None, (result.reason, note if n_dust else "")))
    return replace(result, reason=reason, n_dust=n_dust)
