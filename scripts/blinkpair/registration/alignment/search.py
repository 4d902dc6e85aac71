"""The search for the alignments of two point patterns, the best first.

Every two points in one pattern and two in the other at the same distance propose a
motion; nothing is drawn at random. Where all of them would take too long, a fixed,
evenly mixed part of the pairs is used.

Input: a `Task`, two unlabelled point sets. Output: the distinct alignments, each refined on its
one-to-one matches and ranked by `chance.log_yardstick`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree
from scipy.special import pdtrik

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.registration.alignment import kernels
from blinkpair.registration.alignment.chance import clumping, expected_alignments, log_yardstick
from blinkpair.registration.alignment.kernels import IndexMap
from blinkpair.registration.alignment.task import SCALE_RANGE, Motions, Task, overlaps_of
from blinkpair.registration.rigid import apply_matrix, rotation_deg, scale_of

# Look-ups of a mapped point in the other pattern: some 10 ns each.
LOOKUP_BUDGET = 2.5e7
FIRST_LOOK = 64
HYPOTHESES_A_BLOCK = 100_000
# A shorter pair leaves an error of more than a pixel at the other end of the field.
SHORTEST_PAIR_PX = 30.0
ALIGNMENTS_KEPT = 24
# A motion proposed by one pair is less exact than one fitted to all matches.
PROPOSAL_SLACK = 1.25


@dataclass(frozen=True)
class Alignments:
    """Distinct alignments, best first.

    Attributes
    ----------
    motions
        (r, 4) motions.
    log_t
        (r,) logarithms of the yardstick T (`chance`).
    chance
        (r,) expected number of chance alignments at least as good.
    log_measure
        Logarithm of the measure of the motions that were searched (`task.Motions`).
    """

    motions: FloatArray
    log_t: FloatArray
    chance: FloatArray
    log_measure: float


def search(task: Task, motions: Motions) -> Alignments:
    """Return the distinct alignments of two patterns under any rotation and shift."""
    return refine(task, propose_motions(task), motions)


def search_near(
    task: Task, start: FloatArray, max_shift_px: float, max_turn_rad: float
) -> Alignments:
    """Return the distinct alignments close to a start, a 3x3 matrix from pre to post pixels.

    `max_shift_px` is its largest error at the middle of the pre field, `max_turn_rad` that of its
    rotation.
    """
    angle, scale = np.radians(rotation_deg(start)), scale_of(start) if task.free_scale else 1.0
    middle = apply_matrix(start, task.pre_field.centre)[0] - task.post_field.centre
    # Steps so small that the nearest rotation is within the gate at the field's corner.
    n = int(np.ceil(max_turn_rad * task.pre_field.radius / task.gate_px))
    near = []
    for turn in angle + np.arange(-n, n + 1) * (max_turn_rad / max(n, 1)):
        a, b = scale * np.cos(turn), scale * np.sin(turn)
        turned = task.pre @ np.array([[a, b], [-b, a]])
        i, j = _close_pairs(turned + middle, task.post, max_shift_px)
        shift = task.post[j] - turned[i]
        near.append(np.column_stack([np.full_like(shift, a)[:, 0], np.full(len(i), b), shift]))
    here = np.array([[scale * np.cos(angle), scale * np.sin(angle), *middle]])
    measure = 2 * max_turn_rad * np.pi * max_shift_px**2
    if task.free_scale:
        measure *= 0.5 * (SCALE_RANGE[1] ** 2 - SCALE_RANGE[0] ** 2)
    motions = Motions(overlaps_of(here, task), float(np.log(measure)))
    found = refine(task, near, motions, middle_rad=angle, half_width_rad=max_turn_rad)
    close = np.hypot(*(found.motions[:, 2:] - middle).T) <= max_shift_px
    return Alignments(
        found.motions[close], found.log_t[close], found.chance[close], motions.log_measure
    )


def _close_pairs(
    mapped: FloatArray, post: FloatArray, distance_px: float
) -> tuple[IntArray, IntArray]:
    near = KDTree(post).query_ball_point(mapped, distance_px, return_sorted=True)
    rows = np.repeat(np.arange(len(mapped)), [len(js) for js in near])
    return rows, np.array([j for js in near for j in js], dtype=np.int64)


def fewest_useful_matches(task: Task, motions: Motions) -> int:
    """Return the smallest number of well-fitting matches that is not expected by chance."""
    n, m, area = np.median(motions.overlaps, axis=0)
    k = task.min_matches
    while k < min(n, m):
        # A quarter of the squared residuals of true matches.
        residual2 = 0.25 * (2 * k - 3) * task.variance_px2
        log_t = log_yardstick(
            k,
            residual2,
            (k - 1) * area / 6,
            n,
            m,
            area,
            motions.log_measure,
            task.variance_px2,
            task.free_scale,
        )
        if log_t < 0.0:
            break
        k += 1
    return k


def propose_motions(task: Task) -> Iterator[FloatArray]:
    """Yield the motions that map a pair of one pattern to an equally long pair of the other."""
    rng = np.random.default_rng(20240229)  # only mixes the order
    pre, post = task.pre, task.post
    # Sorted first, so that the result does not depend on the order of the points.
    pre = pre[np.lexsort(pre.T)][rng.permutation(len(pre))]
    i, j = np.triu_indices(len(post), 1)
    vector = post[j] - post[i]
    length = np.hypot(vector[:, 0], vector[:, 1])
    order = np.argsort(length, kind="stable")
    i, j, vector, length = i[order], j[order], vector[order], length[order]

    first, second = np.triu_indices(len(pre), 1)
    # Neighbours in the mixed order first: any part of this list uses all points equally often.
    step = np.minimum(second - first, len(pre) - (second - first))
    order = np.argsort(step, kind="stable")
    first, second = first[order], second[order]
    base = pre[second] - pre[first]
    base_length = np.hypot(base[:, 0], base[:, 1])
    long_enough = base_length >= SHORTEST_PAIR_PX
    first, second = first[long_enough], second[long_enough]
    base, base_length = base[long_enough], base_length[long_enough]

    slack = 4.0 * np.sqrt(2 * task.variance_px2)
    low_scale, high_scale = SCALE_RANGE if task.free_scale else (1.0, 1.0)
    start = np.searchsorted(length, low_scale * base_length - slack, "left")
    stop = np.searchsorted(length, high_scale * base_length + slack, "right")
    number = stop - start
    total = np.cumsum(number)
    n_pairs = int(np.searchsorted(total, LOOKUP_BUDGET / (2 * min(len(pre), FIRST_LOOK)), "right"))
    at = 0
    while at < n_pairs:
        before = total[at - 1] if at else 0
        end = max(int(np.searchsorted(total, before + HYPOTHESES_A_BLOCK, "right")), at + 1)
        end = min(end, n_pairs)
        rows = np.repeat(np.arange(at, end), number[at:end])
        offset = np.arange(len(rows)) - np.repeat(
            np.cumsum(number[at:end]) - number[at:end], number[at:end]
        )
        pair = start[rows] + offset
        u, v = base[rows], vector[pair]
        along = (u * v).sum(axis=1)
        across = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        size = base_length[rows] ** 2 if task.free_scale else np.hypot(along, across)
        keep = size > 0
        a, b = along[keep] / size[keep], across[keep] / size[keep]
        middle_pre = 0.5 * (pre[first[rows]] + pre[second[rows]])[keep]
        middle_post = 0.5 * (post[i[pair]] + post[j[pair]])[keep]
        for sign in (1.0, -1.0):  # either end may be the first
            c, s = sign * a, sign * b
            yield np.column_stack(
                [
                    c,
                    s,
                    middle_post[:, 0] - (c * middle_pre[:, 0] - s * middle_pre[:, 1]),
                    middle_post[:, 1] - (s * middle_pre[:, 0] + c * middle_pre[:, 1]),
                ]
            )
        at = end


def refine(
    task: Task,
    proposals: Iterable[FloatArray],
    motions: Motions,
    *,
    middle_rad: float = 0.0,
    half_width_rad: float = 4.0,
) -> Alignments:
    """Return the distinct alignments of proposed motions refined on their matches, best first.

    Parameters
    ----------
    task
    proposals
        Blocks of motions, (h, 4).
    motions
        All the motions allowed.
    middle_rad, half_width_rad
        Rotations allowed.
    """
    reach = PROPOSAL_SLACK * task.gate_px
    nearest, place = _nearest_map(task.post, reach)
    # Numbers of look-ups near a point that chance rarely exceeds: of the first ones, and of all.
    hits = np.array([FIRST_LOOK, len(task.pre)]) * len(task.post)
    hits = pdtrik([0.97, 0.9], hits * np.pi * reach**2 / task.post_field.area)
    first_count, all_count = (int(h) for h in np.ceil(hits))
    excess_pre, beside_pre = clumping(task.pre, task.pre_field.area, task.gate_px)
    excess_post, beside_post = clumping(task.post, task.post_field.area, task.gate_px)
    kept = np.full((ALIGNMENTS_KEPT, 6), np.inf)
    for block in proposals:
        kernels.refine_motions(
            np.ascontiguousarray(block),
            task.pre,
            task.post,
            nearest,
            (nearest >= 0).astype(np.uint8),
            place,
            FIRST_LOOK,
            first_count,
            reach**2,
            task.gate_px**2,
            task.boxes,
            task.grid,
            task.pre_field.radius,
            np.log(beside_pre * beside_post),
            task.min_area,
            np.array([middle_rad, half_width_rad, *(SCALE_RANGE if task.free_scale else (0, 2))]),
            max(fewest_useful_matches(task, motions), all_count),
            motions.log_measure,
            task.variance_px2,
            task.free_scale,
            kept,
        )
    found = kept[np.isfinite(kept[:, 0])]
    chance = expected_alignments(
        np.ascontiguousarray(found[:, 0]),
        motions.overlaps,
        motions.log_measure,
        task.min_matches,
        task.variance_px2,
        task.gate_px**2,
        task.free_scale,
    )
    return Alignments(
        found[:, 2:], found[:, 0], excess_pre * excess_post * chance, motions.log_measure
    )


def _nearest_map(points: FloatArray, reach: float) -> tuple[IndexMap, FloatArray]:
    """Return a raster of the nearest point's index within reach, else -1; its origin and cell."""
    low, high = points.min(axis=0) - reach - 1, points.max(axis=0) + reach + 1
    cell = max(1.0, float((high - low).max()) / 1024)
    columns, rows = (int(n) + 1 for n in np.ceil((high - low) / cell))
    nearest = np.full((rows, columns), -1, np.int32)
    n = int(np.ceil(reach / cell)) + 1
    dx, dy = (d.ravel() for d in np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1)))
    home = np.floor((points - low) / cell).astype(np.int64)
    column, row = home[:, :1] + dx, home[:, 1:] + dy
    far = np.hypot(
        low[0] + (column + 0.5) * cell - points[:, :1], low[1] + (row + 0.5) * cell - points[:, 1:]
    )
    index = np.broadcast_to(np.arange(len(points))[:, None], far.shape)
    inside = (far <= reach + 0.71 * cell) & (column >= 0) & (row >= 0)
    inside &= (column < columns) & (row < rows)
    # Written from the farthest to the nearest, so that the nearest remains.
    order = np.argsort(-far[inside], kind="stable")
    nearest[row[inside][order], column[inside][order]] = index[inside][order]
    return nearest, np.array([low[0], low[1], cell])
