"""The inner loops of `alignment.search`, compiled.

All arguments are scalars and preallocated arrays: numba compiles those in seconds.

Input: points counted from the centres of their fields, and motions (a, b, tx, ty) from pre to post,
x' = a x - b y + tx, y' = b x + a y + ty. Output: counts, and refined motions.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.compiled import njit
from blinkpair.registration.alignment.chance import CLUMP_DISTANCE_PX, SAME_PLACE_PX, log_yardstick

IndexMap = npt.NDArray[np.int32]

# Two motions that map the whole field to the same place within this are one alignment.
SAME_MOTION_PX = 6.0
# A proposal this close to a kept alignment would be refined to it.
ALREADY_REFINED_PX = 1.5
# Where as many alignments as are kept have a log T below this, the pattern is a lattice: no further
# ones are searched for.
HOPELESS = -25.0
# Logarithm of a T that further refinement does not bring below 1.
NOT_WORTH_MORE = 4.0


@njit()
def _n_mapped_inside(
    a: float, b: float, tx: float, ty: float, xy: FloatArray, box: FloatArray
) -> int:
    count = 0
    for i in range(len(xy)):
        x = a * xy[i, 0] - b * xy[i, 1] + tx
        y = b * xy[i, 0] + a * xy[i, 1] + ty
        if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
            count += 1
    return count


@njit()
def count_overlap(
    motion: FloatArray,
    pre: FloatArray,
    post: FloatArray,
    boxes: FloatArray,
    grid: FloatArray,
    counts: FloatArray,
) -> None:
    """Write the points of either pattern in the overlap, and its area (post px^2), to `counts`."""
    a, b, tx, ty = motion[0], motion[1], motion[2], motion[3]
    s2 = a * a + b * b
    c, d = a / s2, -b / s2
    pre_area = (boxes[0, 2] - boxes[0, 0]) * (boxes[0, 3] - boxes[0, 1])
    counts[0] = _n_mapped_inside(a, b, tx, ty, pre, boxes[1])
    counts[1] = _n_mapped_inside(c, d, d * ty - c * tx, -d * tx - c * ty, post, boxes[0])
    counts[2] = _n_mapped_inside(a, b, tx, ty, grid, boxes[1]) / len(grid) * pre_area * s2


@njit()
def _fit_motion(
    pre: FloatArray,
    post: FloatArray,
    left: IntArray,
    right: IntArray,
    k: int,
    free_scale: bool,
    motion: FloatArray,
) -> None:
    """Write the least-squares fit to k matches to `motion`, as in `rigid.fit_transform`."""
    px = py = qx = qy = 0.0
    for c in range(k):
        px += pre[left[c], 0] / k
        py += pre[left[c], 1] / k
        qx += post[right[c], 0] / k
        qy += post[right[c], 1] / k
    along = across = size = 1e-12
    for c in range(k):
        ux, uy = pre[left[c], 0] - px, pre[left[c], 1] - py
        vx, vy = post[right[c], 0] - qx, post[right[c], 1] - qy
        along += ux * vx + uy * vy
        across += ux * vy - uy * vx
        size += ux * ux + uy * uy
    norm = size if free_scale else math.sqrt(along * along + across * across)
    a, b = along / norm, across / norm
    motion[0], motion[1] = a, b
    motion[2], motion[3] = qx - (a * px - b * py), qy - (b * px + a * py)


@njit()
def _match(
    motion: FloatArray,
    pre: FloatArray,
    post: FloatArray,
    nearest: IndexMap,
    place: FloatArray,
    gate2: float,
    left: IntArray,
    right: IntArray,
    distance2: FloatArray,
    owner: IntArray,
) -> int:
    """Return the number of one-to-one matches; write them, the nearest first, to left and right."""
    a, b, tx, ty = motion[0], motion[1], motion[2], motion[3]
    rows, columns = nearest.shape
    k = 0
    for i in range(len(pre)):
        x = a * pre[i, 0] - b * pre[i, 1] + tx
        y = b * pre[i, 0] + a * pre[i, 1] + ty
        column, row = (x - place[0]) / place[2], (y - place[1]) / place[2]
        if not (0.0 <= column < columns and 0.0 <= row < rows):
            continue
        j = nearest[int(row), int(column)]
        if j < 0:
            continue
        r2 = (x - post[j, 0]) ** 2 + (y - post[j, 1]) ** 2
        if r2 > gate2:
            continue
        at = owner[j]
        if at < 0:
            at = k
            owner[j] = k
            k += 1
        elif r2 >= distance2[at]:
            continue
        left[at], right[at], distance2[at] = i, j, r2
    for c in range(k):
        owner[right[c]] = -1
    for c in range(1, k):  # insertion sort: k is small, and it compiles in no time
        i, j, r2 = left[c], right[c], distance2[c]
        at = c
        while at > 0 and distance2[at - 1] > r2:
            left[at], right[at] = left[at - 1], right[at - 1]
            distance2[at] = distance2[at - 1]
            at -= 1
        left[at], right[at], distance2[at] = i, j, r2
    return k


@njit()
def _best_cut(
    k: int,
    k_min: int,
    pre: FloatArray,
    left: IntArray,
    distance2: FloatArray,
    witnesses: IntArray,
    counts: FloatArray,
    log_clumping: FloatArray,
    log_motions: float,
    variance: float,
    free_scale: bool,
) -> tuple[float, int, int]:
    """Return the lowest log T over the closest matches, how many these are and how many count.

    A match beside another is expected more often where points clump; of two at one place only
    one counts.
    """
    best, best_cut, best_units = np.inf, 0, 0
    units = 0
    sx = sy = s2 = residual2 = penalty = 0.0
    latest = np.inf
    bins_per_px = (len(log_clumping) - 1) / CLUMP_DISTANCE_PX
    for c in range(k):
        x, y = pre[left[c], 0], pre[left[c], 1]
        apart2 = np.inf
        for u in range(units):
            w = witnesses[u]
            apart2 = min(apart2, (x - pre[w, 0]) ** 2 + (y - pre[w, 1]) ** 2)
        beside = apart2 < CLUMP_DISTANCE_PX**2
        more = penalty
        if beside:
            more += log_clumping[int(math.sqrt(apart2) * bins_per_px + 0.5)]
        tx, ty, t2, tr = sx + x, sy + y, s2 + x * x + y * y, residual2 + distance2[c]
        n = units + 1
        log_t = np.inf
        if n >= k_min and n <= counts[0] and n <= counts[1]:
            spread = max(t2 - (tx * tx + ty * ty) / n, 1.0)
            log_t = more + log_yardstick(
                n,
                tr,
                spread,
                counts[0],
                counts[1],
                counts[2],
                log_motions,
                variance,
                free_scale,
            )
        if apart2 < SAME_PLACE_PX**2 or (beside and log_t > latest):
            if best_cut == c:
                best_cut = c + 1
            continue
        witnesses[units] = left[c]
        units, sx, sy, s2, residual2, penalty, latest = n, tx, ty, t2, tr, more, log_t
        if log_t < best:
            best, best_cut, best_units = log_t, c + 1, units
    return best, best_cut, best_units


@njit()
def _same_as(kept: FloatArray, motion: FloatArray, radius: float, tolerance_px: float) -> int:
    """Return the row of the first kept alignment that maps the field to the same place, or -1."""
    for r in range(len(kept)):
        if kept[r, 0] == np.inf:
            break
        # The field's centre is the origin: shift there, and turn of the farthest corner.
        shift = math.hypot(kept[r, 4] - motion[2], kept[r, 5] - motion[3])
        turn = math.hypot(kept[r, 2] - motion[0], kept[r, 3] - motion[1])
        if shift + radius * turn < tolerance_px:
            return r
    return -1


@njit()
def _keep(kept: FloatArray, log_t: float, units: int, motion: FloatArray, radius: float) -> None:
    """Insert an alignment in order; of two that are the same keep the better one."""
    place = _same_as(kept, motion, radius, SAME_MOTION_PX)
    if place < 0:
        place = len(kept) - 1
    if log_t >= kept[place, 0]:
        return
    while place > 0 and kept[place - 1, 0] > log_t:
        for c in range(6):
            kept[place, c] = kept[place - 1, c]
        place -= 1
    kept[place, 0], kept[place, 1] = log_t, units
    for c in range(4):
        kept[place, 2 + c] = motion[c]


@njit()
def refine_motions(
    motions: FloatArray,
    pre: FloatArray,
    post: FloatArray,
    nearest: IndexMap,
    occupied: npt.NDArray[np.uint8],
    place: FloatArray,
    first_look: int,
    first_count: int,
    reach2: float,
    gate2: float,
    boxes: FloatArray,
    grid: FloatArray,
    radius: float,
    log_clumping: FloatArray,
    min_area: float,
    limits: FloatArray,
    k_min: int,
    log_motions: float,
    variance: float,
    free_scale: bool,
    kept: FloatArray,
) -> None:
    """Refine every motion with enough matches, and update `kept`: rows of log_t, units, motion.

    `place` is the raster's origin and cell; `limits` are the middle and half width of the
    rotations (rad), lowest and highest scale. Points after the `first_look` are looked up only
    where `first_count` of the first are near a point.
    """
    n_pre = len(pre)
    left = np.empty(n_pre, np.int64)
    right = np.empty(n_pre, np.int64)
    distance2 = np.empty(n_pre)
    witnesses = np.empty(n_pre, np.int64)
    owner = np.full(len(post), -1, np.int64)
    counts = np.empty(3)
    motion = np.empty(4)
    final = np.empty(4)
    rows, columns = occupied.shape
    per_cell = 1.0 / place[2]
    for h in range(len(motions)):
        a, b = motions[h, 0] * per_cell, motions[h, 1] * per_cell
        tx, ty = (motions[h, 2] - place[0]) * per_cell, (motions[h, 3] - place[1]) * per_cell
        count = 0
        for i in range(n_pre):
            if i == first_look and count < first_count:
                break
            x = a * pre[i, 0] - b * pre[i, 1] + tx
            y = b * pre[i, 0] + a * pre[i, 1] + ty
            if 0.0 <= x < columns and 0.0 <= y < rows:
                count += occupied[int(y), int(x)]
        if count < k_min:
            continue
        for c in range(4):
            motion[c] = motions[h, c]
        if _same_as(kept, motion, radius, ALREADY_REFINED_PX) >= 0:
            continue
        if kept[-1, 0] < HOPELESS:
            return
        best, units = np.inf, np.int64(0)  # a literal has `_keep` compiled once more
        for step in range(4):
            radius2 = reach2 if step == 0 else gate2
            k = _match(motion, pre, post, nearest, place, radius2, left, right, distance2, owner)
            if k < k_min:
                break
            if step == 0:
                count_overlap(motion, pre, post, boxes, grid, counts)
                if counts[2] < min_area:
                    break
            log_t, cut, n_units = _best_cut(
                k,
                k_min,
                pre,
                left,
                distance2,
                witnesses,
                counts,
                log_clumping,
                log_motions,
                variance,
                free_scale,
            )
            if cut == 0 or (step > 0 and log_t > NOT_WORTH_MORE):
                break
            if step > 0 and log_t < best:
                best, units = log_t, n_units
                for c in range(4):
                    final[c] = motion[c]
            _fit_motion(pre, post, left, right, cut, free_scale, motion)
        if best == np.inf:
            continue
        angle = math.atan2(final[1], final[0]) - limits[0]
        angle = abs(angle - 2 * math.pi * math.floor(angle / (2 * math.pi) + 0.5))
        scale = math.hypot(final[0], final[1])
        if angle <= limits[1] and limits[2] <= scale <= limits[3]:
            _keep(kept, best, units, final, radius)


@njit()
def overlaps(
    motions: FloatArray, pre: FloatArray, post: FloatArray, boxes: FloatArray, grid: FloatArray
) -> FloatArray:
    """Return the counts of `count_overlap` for many motions, (g, 3)."""
    result = np.empty((len(motions), 3))
    for g in range(len(motions)):
        count_overlap(motions[g], pre, post, boxes, grid, result[g])
    return result
