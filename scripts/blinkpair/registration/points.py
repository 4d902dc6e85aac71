"""Register two unlabelled point patterns of one sample, or refuse.

A wrong transform that is accepted is the worst failure. Whatever could be chance, camera dust, a
regular lattice or a mirror image is refused with a reason.

Input: the microspheres found in the brightfield images before and after annealing, in any order,
some lost, some new, under any rotation. Output: the transform from pre to post pixels, its error
at any place, and the number of alignments this good that two unrelated patterns would show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.errors import InputError
from blinkpair.registration.acceptance import (
    AMBIGUOUS,
    MAX_ERROR_PX,
    MIRRORED,
    accept_or_refuse,
    fit_matches,
    is_identity,
    mirror_is_better,
)
from blinkpair.registration.alignment import search as alignment_search
from blinkpair.registration.alignment import task as alignment_task
from blinkpair.registration.alignment.search import Alignments
from blinkpair.registration.alignment.structure import corrected_level
from blinkpair.registration.alignment.task import Field, Motions, Task, checked_patterns
from blinkpair.registration.camera_dust import (
    pairs_in_one_place,
    with_dust,
    with_fitting,
    without,
)
from blinkpair.registration.result import Registration, failed, in_rows

# Two points fix a motion, and none is left to check it.
MIN_MATCHES = 3


def register_points(
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    *,
    model: str = "rigid",
    max_chance_alignments: float = 3e-4,
    min_microspheres: int = 3,
    localisation_error_px: float = 0.2,
    max_error_px: float = MAX_ERROR_PX,
    field_shape: tuple[int, int] | None = None,
    shape_pre: tuple[int, int] | None = None,
    shape_post: tuple[int, int] | None = None,
) -> Registration:
    """Return the registration of two unlabelled patterns, under any rotation.

    Parameters
    ----------
    pre_xy, post_xy
        (n, 2) positions in pixels, any order, up to 2,000.
    model
        'rigid', or 'similarity' with a scale of 0.8 to 1.25.
    max_chance_alignments
        Largest expected number of chance alignments this good that is accepted.
    min_microspheres
        Fewest matches accepted; at least 3.
    localisation_error_px
        Expected localisation error per axis and image. Larger residuals raise it.
    max_error_px
        Largest error accepted anywhere in the overlap of the fields, at 95 % confidence.
    field_shape, shape_pre, shape_post
        Image shapes (y, x). Default: estimated from the points, one size for both.

    Raises
    ------
    InputError
        Positions that are not finite (n, 2) arrays, or settings out of range.

    Examples
    --------
    >>> import numpy as np
    >>> pre = np.random.default_rng(1).uniform(0, 512, (12, 2))
    >>> post = pre @ [[0, 1], [-1, 0]] + [500, 10]  # turned by 90 degrees, shifted
    >>> result = register_points(pre, post)
    >>> result.status, round(result.rotation_deg), len(result.pairs)
    ('ok', 90, 12)
    """
    pre, post = checked_patterns(
        pre_xy, post_xy, model, max_chance_alignments, localisation_error_px
    )
    if min_microspheres < MIN_MATCHES:
        raise InputError(
            f"min_microspheres = {min_microspheres}: two points fix a motion, and none checks it",
            f"set it to {MIN_MATCHES} or more",
        )
    if min(len(pre), len(post)) < min_microspheres:
        return failed(
            f"{len(pre)} points before and {len(post)} after, where at least "
            f"{min_microspheres} are needed in both"
        )
    fields = Field.around_both(pre, post, shape_pre or field_shape, shape_post or field_shape)
    same_place = pairs_in_one_place(pre, post, fields, localisation_error_px)
    rows = without(pre, post, same_place)
    if min(map(len, rows)) < min_microspheres:
        return with_dust(
            failed("too few points are left, or the sample did not move"), len(same_place)
        )
    search = _search(pre, post, rows, fields, model, min_microspheres, localisation_error_px)
    result = accept_or_refuse(search.found, search.task, max_chance_alignments, max_error_px)
    if not result.reason.startswith(AMBIGUOUS) and mirror_is_better(
        search.found, search.task, search.motions, max_chance_alignments
    ):
        result = failed(f"{MIRRORED}: is one image flipped?", result.chance_alignments)
    if result.status == "ok" and is_identity(result, search.task):
        why = (
            "the best alignment moves nothing: by these points alone a sample that did not move "
            "and dust on the camera cannot be distinguished"
        )
        result = failed(why, result.chance_alignments)
    result = in_rows(result, search.rows)
    if result.status == "ok" and len(same_place):
        return with_fitting(result, same_place, search.task, (pre, post))
    return with_dust(result, len(same_place))


def alignments(
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    *,
    model: str = "rigid",
    localisation_error_px: float = 0.2,
    field_shape: tuple[int, int] | None = None,
) -> list[Registration]:
    """Return the distinct alignments that `register_points` chooses from, the best first.

    At most a few dozen, each fitted to its matches and none refused: `chance_alignments` of the
    r-th best is about r where the patterns are unrelated. Dust and alignments that move nothing
    are dropped. Parameters and errors are those of `register_points`.
    """
    pre, post = checked_patterns(pre_xy, post_xy, model, 1.0, localisation_error_px)
    if min(len(pre), len(post)) < MIN_MATCHES:
        return []
    fields = Field.around_both(pre, post, field_shape, field_shape)
    rows = without(pre, post, pairs_in_one_place(pre, post, fields, localisation_error_px))
    if min(map(len, rows)) < MIN_MATCHES:
        return []
    search = _search(pre, post, rows, fields, model, MIN_MATCHES, localisation_error_px)
    fits = [
        fit_matches(
            search.task,
            search.task.matrix(motion),
            # Structure changes nothing that chance explains.
            corrected_level(search.found, search.task, row) if level < 1 else float(level),
        )
        for row, (motion, level) in enumerate(
            zip(search.found.motions, search.found.chance, strict=True)
        )
    ]
    return [
        in_rows(fit, search.rows)
        for fit in fits
        if fit.n_matched >= MIN_MATCHES and not is_identity(fit, search.task)
    ]


@dataclass(frozen=True)
class _Search:
    """A search: its task, its motions, the alignments found, and the rows that are not dust."""

    task: Task
    motions: Motions
    found: Alignments
    rows: tuple[IntArray, IntArray]


def _search(
    pre: FloatArray,
    post: FloatArray,
    rows: tuple[IntArray, IntArray],
    fields: tuple[Field, Field],
    model: str,
    min_matches: int,
    localisation_error_px: float,
) -> _Search:
    task = Task.of(
        pre[rows[0]],
        post[rows[1]],
        *fields,
        localisation_error_px=localisation_error_px,
        min_matches=min_matches,
        free_scale=model == "similarity",
    )
    motions = alignment_task.all_motions(task)
    return _Search(task, motions, alignment_search.search(task, motions), rows)
