"""Accept the best alignment of two patterns, or refuse it with the reason.

Reasons are chance, a regular lattice, points on a line, another magnification, a large error, a
mirror image and camera dust.

Input: the alignments found between two patterns. Output: the best of them as a `Registration`,
fitted to all its matches, or a failed one with the reason.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import pdtrc

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.registration.alignment import search
from blinkpair.registration.alignment.chance import PRIOR_DOF
from blinkpair.registration.alignment.search import Alignments
from blinkpair.registration.alignment.task import GATE_SIGMAS, Field, Motions, Task, mutual_matches
from blinkpair.registration.result import Registration, failed
from blinkpair.registration.rigid import apply_matrix, fit_transform
from blinkpair.registration.target_error import target_error

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
# Coincidences at the identity rarer than this by chance are dust.
DUST_SIGNIFICANCE = 1e-3
AMBIGUOUS = "ambiguous"


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
    if not task.free_scale and (scale := _foreign_scale(result, task, max_error_px / 2)):
        return failed(
            f"the matches fit a scale of {scale:.4f}, not 1: if the magnification differs, set "
            "registration: model: similarity",
            chance,
        )
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
    seen = task.pre_field.grid()
    seen = seen[task.post_field.contains(apply_matrix(result.matrix, seen))]
    return float(replace(model, variance_px2=variance, dof=dof).at(seen, 0.95).max())


def _foreign_scale(result: Registration, task: Task, tolerance_px: float) -> float | None:
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
    deviation = np.sqrt(free.error_model.variance_px2 / free.error_model.spread_px2)
    off = abs(free.scale - 1)
    foreign = off > 4 * deviation and off * task.pre_field.radius > tolerance_px
    return free.scale if foreign else None


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
        pairs = _plausible(task, matrix, task.matches(matrix, gate))
        if len(pairs) < 3 or (previous is not None and np.array_equal(pairs, previous)):
            break
        previous = pairs
        pre, post = task.pre_xy[pairs[:, 0]], task.post_xy[pairs[:, 1]]
        model, weights = "similarity" if task.free_scale else "rigid", task.weights(pairs)
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


def _plausible(task: Task, matrix: FloatArray, pairs: IntArray) -> IntArray:
    """Return the matches that are no farther apart than their own errors allow.

    A bright nanocrystal has a large weight: a wrong match of it would change the fit. The unit of
    the errors is that of half the matches, whose squared residuals lie below 2 ln 2 variances.
    """
    weights = task.weights(pairs)
    if weights is None or len(pairs) < 3:
        return pairs
    residual = apply_matrix(matrix, task.pre_xy[pairs[:, 0]]) - task.post_xy[pairs[:, 1]]
    squared = weights * (residual**2).sum(axis=1)
    # Before the first fit all are off together; the unit is at least that of the stated errors.
    unit = max(float(np.median(squared)) / (2 * np.log(2)), 1.0)
    return np.asarray(pairs[squared <= TRIM_SIGMAS**2 * unit])
