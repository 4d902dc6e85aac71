"""Accept the best alignment of two patterns, or refuse it with the reason.

Reasons are chance, a lattice or another repeated structure, points on a line, another
magnification, a large error, a mirror image and zero motion.

Input: the alignments found between two patterns. Output: the best of them as a `Registration`,
fitted to all its matches, or a failed one with the reason.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import stdtr

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.registration.alignment import search
from blinkpair.registration.alignment.chance import PRIOR_DOF
from blinkpair.registration.alignment.search import Alignments
from blinkpair.registration.alignment.structure import corrected_level
from blinkpair.registration.alignment.task import Motions, Task
from blinkpair.registration.residual_pattern import REPORTED_LEVEL
from blinkpair.registration.result import Registration, failed
from blinkpair.registration.rigid import apply_matrix, fit_transform
from blinkpair.registration.target_error import target_error, with_pattern

# The last fit drops matches that are more standard deviations per axis off: a normal residual is
# farther out in 3 of 10,000.
TRIM_SIGMAS = 4.0
# An alignment whose matches moved less than this (median) may be the camera's own.
IDENTITY_PX = 4.0
# Magnifications that a rigid match is compared with: 1 first, which is chosen among equals, and
# steps so small that points half a field away come within the gate of one of them.
FOREIGN_SCALES = (1.0, *(1 + 0.005 * sign * k for k in range(1, 11) for sign in (1, -1)))
# Largest error accepted anywhere in the overlap of the fields, at 95 % confidence.
MAX_ERROR_PX = 3.0
AMBIGUOUS = "ambiguous"
MAGNIFICATION = "the matches fit a scale"
MIRRORED = "the patterns match better as mirror images"
# A scale that displaces the field's corners by more is refused under `rigid`, if it is significant
# at this level: an aperture off by that loses a tenth of the light.
MAX_SCALE_PX, SCALE_LEVEL = 0.5, 1e-4
# A pattern in the residuals is reported if it is as large somewhere in the field.
REPORTED_PATTERN_PX = 0.15


def accept_or_refuse(
    found: Alignments, task: Task, max_chance: float, max_error_px: float
) -> Registration:
    """Return the best alignment, or a failed one with the reason."""
    if not len(found.chance):
        return failed("no alignment is better than chance")
    chance = float(found.chance[0])
    if not chance <= max_chance:
        return failed("no alignment is clearly better than chance", chance)
    if _has_rival(found, task, max_chance):
        return failed(f"{AMBIGUOUS}: another alignment is about as good (a lattice?)", chance)
    chance = corrected_level(found, task)
    if not chance <= max_chance:
        return failed(
            f"{AMBIGUOUS}: the points repeat a structure (a lattice, rows, chains?), and the best "
            "alignment is not clearly better than what that repeats",
            chance,
        )
    start = task.matrix(found.motions[0])
    result = fit_matches(task, start, chance)
    if result.n_matched < task.min_matches:
        return failed(f"only {result.n_matched} points match", chance)
    if all(_on_a_line(xy, 4 * task.gate_px) for xy in (task.pre, task.post)):
        return failed(
            "all points lie on a line, before and after: such points and their mirror images match "
            "by chance more often than others",
            chance,
        )
    if not task.free_scale and (scale := _foreign_scale(result, task)):
        return failed(
            f"{MAGNIFICATION} of {scale:.4f}, not 1: if the magnification differs, set "
            "registration: model: similarity",
            chance,
        )
    result = _with_pattern(result, task)
    worst = _largest_error_px(result, task)
    if worst > max_error_px:
        return failed(
            f"the {result.n_matched} matches fix the transform too loosely: it may be off by "
            f"{worst:.1f} px in parts of the field, more than {max_error_px:g} px",
            chance,
        )
    return result


def _on_a_line(xy: FloatArray, tolerance_px: float) -> bool:
    """Return whether points lie closer to one line than the tolerance (root mean square)."""
    across = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)[1]
    return bool(across < tolerance_px * np.sqrt(len(xy)))


def _largest_error_px(result: Registration, task: Task) -> float:
    """Return the radius of 95 % of the errors at the place of the overlap where it is largest.

    Few residuals can be small or large by chance, so the expected error is used as well.
    """
    model = result.error_model
    if model is None:
        return np.inf
    dof = model.dof + PRIOR_DOF
    variance = (model.dof * model.variance_px2 + PRIOR_DOF * task.variance_px2) / dof
    seen = _common_places(result, task)
    return float(replace(model, variance_px2=variance, dof=dof).at(seen, 0.95).max())


def _with_pattern(result: Registration, task: Task) -> Registration:
    """Return the result with the pattern in its residuals in its error, reported if it is large."""
    if result.error_model is None:
        return result
    pre, post = task.pre_xy[result.pairs[:, 0]], task.post_xy[result.pairs[:, 1]]
    error, p_value = with_pattern(
        result.error_model,
        pre,
        post,
        result.matrix,
        _weights(task, result.matrix, result.pairs),
        middles=(task.pre_field.centre, task.post_field.centre),
    )
    result = replace(result, error_model=error)
    largest = float(error.pattern_at(_common_places(result, task)).max(initial=0.0))
    if p_value > REPORTED_LEVEL or largest < REPORTED_PATTERN_PX:
        return result
    return replace(
        result,
        reason=f"the residuals form a pattern (p = {p_value:.1g}) of up to {largest:.2f} px, as "
        "under a slightly different magnification, lens distortion or strain: the places of the "
        "nanocrystals are corrected for it, the matrix is not, and its stated error contains it"
        + ("" if task.free_scale else ", and model: similarity takes out a magnification"),
    )


def _common_places(result: Registration, task: Task) -> FloatArray:
    """Return places evenly spread over what both fields show, in pre pixels."""
    seen = task.pre_field.grid()
    return seen[task.post_field.contains(apply_matrix(result.matrix, seen))]


def _foreign_scale(result: Registration, task: Task) -> float | None:
    """Return the scale that fits the pattern, where it differs significantly from 1.

    Under another magnification the points of one neighbourhood still match rigidly. With the
    scale set free about their middle, the matches spread from there over the field.
    """
    here = task.pre_xy[result.pairs[:, 0]].mean(axis=0)
    there = apply_matrix(result.matrix, here)[0]
    free_task = replace(task, free_scale=True)
    fits = []
    for scale in FOREIGN_SCALES:
        start = result.matrix.copy()
        start[:2, :2] *= scale
        start[:2, 2] = there - start[:2, :2] @ here
        fits.append(fit_matches(free_task, start, np.nan))
    free = max(fits, key=lambda fit: fit.n_matched)
    if free.n_matched < task.min_matches or free.error_model is None:
        return None
    model = free.error_model
    off = abs(free.scale - 1)
    if off * task.pre_field.radius <= MAX_SCALE_PX:
        return None
    p_value = 2 * float(stdtr(model.dof, -off / np.sqrt(model.variance_px2 / model.spread_px2)))
    return free.scale if p_value < SCALE_LEVEL else None


def _has_rival(found: Alignments, task: Task, max_chance: float) -> bool:
    """Return whether another alignment is beyond chance and has half of the best one's log T."""
    # Few points can be beyond chance with a yardstick T above 1: its logarithm cannot be halved.
    enough = 0.5 * found.log_t[0] if found.log_t[0] < 0 else np.inf
    as_good = (found.chance <= max_chance) & (found.log_t <= enough)
    best, *others = (
        {tuple(pair) for pair in task.matches(task.matrix(motion), task.gate_px).tolist()}
        for motion in found.motions[as_good]
    )
    return any(2 * len(best & other) < len(other) for other in others)


def mirror_is_better(found: Alignments, task: Task, motions: Motions, max_chance: float) -> bool:
    """Return whether the mirrored second pattern matches beyond chance, and better.

    Points on a line match their mirror image under a proper rotation as well: a flipped
    image has alignments beyond chance, so accepted ones are compared too.
    """
    mirrored = search.search(task.mirrored(), motions)
    return bool(
        len(mirrored.chance)
        and mirrored.chance[0] <= max_chance
        and (not len(found.log_t) or mirrored.log_t[0] <= found.log_t[0])
    )


def is_identity(result: Registration, task: Task) -> bool:
    """Return whether the matches did not move on the camera."""
    before, after = task.pre_xy[result.pairs[:, 0]], task.post_xy[result.pairs[:, 1]]
    return bool(np.median(np.hypot(*(after - before).T)) < IDENTITY_PX)


def fit_matches(task: Task, matrix: FloatArray, chance: float) -> Registration:
    """Return the least-squares fit to one-to-one matches, with a gate set by their residuals."""
    gate, pairs, previous = task.gate_px, np.zeros((0, 2), np.int64), None
    error = None
    for _ in range(20):
        pairs = task.matches(matrix, gate)
        weights = _weights(task, matrix, pairs)
        if weights is not None:
            pairs, weights = pairs[weights > 0], weights[weights > 0]
        if len(pairs) < 3 or (previous is not None and np.array_equal(pairs, previous)):
            break
        previous = pairs
        pre, post = task.pre_xy[pairs[:, 0]], task.post_xy[pairs[:, 1]]
        model = "similarity" if task.free_scale else "rigid"
        matrix = fit_transform(pre, post, model=model, weights=weights)
        error = target_error(pre, post, matrix, free_scale=task.free_scale, weights=weights)
        # Wider than in the search where residuals are larger: without them the error would be
        # too small. The expected error is included, as few residuals can be small by chance.
        residual2 = float(((apply_matrix(matrix, pre) - post) ** 2).sum())
        variance = (residual2 + PRIOR_DOF * task.variance_px2) / (error.dof + PRIOR_DOF)
        gate = min(2 * task.gate_px, TRIM_SIGMAS * np.sqrt(variance))
    residual = apply_matrix(matrix, task.pre_xy[pairs[:, 0]]) - task.post_xy[pairs[:, 1]]
    rms = float(np.sqrt(np.mean((residual**2).sum(axis=1)))) if len(pairs) else np.nan
    return Registration(matrix, "ok", "", chance, pairs, rms, error_model=error)


def _weights(task: Task, matrix: FloatArray, pairs: IntArray) -> FloatArray | None:
    """Return (k,) weights of the matches, zero for those farther apart than is plausible.

    The variance of a match is that of its own errors and one that all share: what no transform of
    this kind can follow (lens distortion, strain), or all errors being larger than stated. The
    second is such that half the squared residuals lie below their median, 2 ln 2 variances. Without
    it the few brightest nanocrystals would determine the transform of a whole field.
    """
    own = task.variances_px2(pairs)
    if own is None or len(pairs) < 3:
        return None
    residual = apply_matrix(matrix, task.pre_xy[pairs[:, 0]]) - task.post_xy[pairs[:, 1]]
    squared = (residual**2).sum(axis=1) / (2 * np.log(2))
    low, high = 0.0, float(squared.max())
    for _ in range(30):
        shared = 0.5 * (low + high)
        if np.median(squared / (own + shared)) > 1:
            low = shared
        else:
            high = shared
    weights = 1.0 / (own + low)
    plausible = 2 * np.log(2) * squared * weights <= TRIM_SIGMAS**2
    return np.asarray(np.where(plausible, weights, 0.0))
