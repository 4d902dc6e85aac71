"""All the ways to lay one point pattern onto another, the best of them first.

Comes in: two unlabelled point sets, or a list of motions to try. Goes out: the distinct
alignments, each refined on its one-to-one matches and ranked by `chance.log_yardstick`.

A motion is a row (a, b, tx, ty): x' = a x - b y + tx, y' = b x + a y + ty, with
a = s cos(angle), b = s sin(angle), between positions counted from the fields' centres.
Every two points in one pattern and two in the other at the same distance propose one;
nothing is drawn at random. Where all of them would take too long, a fixed, evenly mixed
part of the pairs is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from scipy.special import pdtrik

from blinkpair import alignment_kernels as kernels
from blinkpair.alignment_kernels import IndexMap, IntArray
from blinkpair.chance import clumping, expected_alignments, log_yardstick
from blinkpair.rigid import FloatArray, apply_matrix, rotation_deg, scale_of

# Look-ups of a mapped point in the other pattern: some 10 ns each.
LOOKUP_BUDGET = 2.5e7
FIRST_LOOK = 64
HYPOTHESES_A_BLOCK = 100_000
# A shorter pair fixes the rotation to worse than a pixel at the other end of the field.
SHORTEST_PAIR_PX = 30.0
ALIGNMENTS_KEPT = 24
SCALE_RANGE = (0.8, 1.25)
# A match is at most this many standard deviations off, per axis of the residual.
GATE_SIGMAS = 5.0
# A motion proposed by one pair is less exact than one fitted to all matches.
PROPOSAL_SLACK = 1.25
# Smallest share of a field that has to be in common.
MIN_OVERLAP = 0.3


@dataclass(frozen=True)
class Field:
    """Rectangle in which points can be seen, in pixels: its centre and its size, x and y."""

    centre: FloatArray
    size: FloatArray

    @property
    def area(self) -> float:
        """Area in px^2."""
        return float(self.size[0] * self.size[1])

    @property
    def radius(self) -> float:
        """Distance from the centre to a corner."""
        return float(np.hypot(*self.size) / 2)

    @property
    def box(self) -> FloatArray:
        """(4,) x0, y0, x1, y1 counted from the centre."""
        return np.concatenate([-self.size / 2, self.size / 2])

    @property
    def corners(self) -> FloatArray:
        """(4, 2) positions of the corners."""
        signs = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
        return np.asarray(self.centre + signs * self.size / 2)

    def grid(self, n: int = 12) -> FloatArray:
        """(n * n, 2) evenly spread positions."""
        f = (np.arange(n) + 0.5) / n - 0.5
        x, y = np.meshgrid(f * self.size[0], f * self.size[1])
        return np.asarray(self.centre + np.column_stack([x.ravel(), y.ravel()]))

    def contains(self, xy: FloatArray) -> npt.NDArray[np.bool_]:
        """(n,) whether each position lies inside."""
        return np.asarray((np.abs(xy - self.centre) <= self.size / 2).all(axis=1))

    @classmethod
    def around(cls, points: FloatArray, shape: tuple[int, int] | None) -> Field:
        """Field of an image of `shape` (y, x), or the one the points suggest.

        The extremes of n uniform points fall short of the edges by 1 / (n + 1) of the
        width on average; the suggested rectangle is wider by that.
        """
        low, high = points.min(axis=0), points.max(axis=0)
        if shape is None:
            grow = np.maximum((high - low) / max(len(points) - 1, 1), 1.0)
            low, high = low - grow, high + grow
        else:
            low = np.minimum(low, -0.5)
            high = np.maximum(high, np.array([shape[1], shape[0]]) - 0.5)
        return cls(0.5 * (low + high), high - low)


@dataclass(frozen=True)
class Alignments:
    """Distinct alignments, best first.

    Attributes
    ----------
    motions
        (r, 4) motions.
    log_t
        (r,) logarithms of the yardstick.
    chance
        (r,) expected number of chance alignments at least as good.
    """

    motions: FloatArray
    log_t: FloatArray
    chance: FloatArray


@dataclass(frozen=True)
class Task:
    """Two patterns, where they can lie, and what counts as a match.

    Attributes
    ----------
    pre, post
        (n, 2) points in pixels, counted from the centre of their field.
    pre_field, post_field
        Where points can be seen.
    variance_px2
        Expected variance per axis of a true match's residual, both images together.
    gate_px
        Largest residual of a match.
    min_matches
        Fewest matches an alignment may have.
    free_scale
        True for a similarity.
    """

    pre: FloatArray
    post: FloatArray
    pre_field: Field
    post_field: Field
    variance_px2: float
    gate_px: float
    min_matches: int
    free_scale: bool

    @classmethod
    def of(
        cls,
        pre_xy: FloatArray,
        post_xy: FloatArray,
        pre_field: Field,
        post_field: Field,
        *,
        localisation_error_px: float,
        min_matches: int,
        free_scale: bool,
    ) -> Task:
        """Task for points in image pixels, localised to so much per axis in either image."""
        variance = 2 * localisation_error_px**2
        return cls(
            pre_xy - pre_field.centre,
            post_xy - post_field.centre,
            pre_field,
            post_field,
            variance,
            GATE_SIGMAS * float(np.sqrt(variance)),
            min_matches,
            free_scale,
        )

    @property
    def pre_xy(self) -> FloatArray:
        """(n, 2) pre points in image pixels."""
        return self.pre + self.pre_field.centre

    @property
    def post_xy(self) -> FloatArray:
        """(m, 2) post points in image pixels."""
        return self.post + self.post_field.centre

    def matches(self, matrix: FloatArray, gate_px: float) -> IntArray:
        """(k, 2) rows of one-to-one matches under a matrix between image pixels."""
        return mutual_matches(apply_matrix(matrix, self.pre_xy), self.post_xy, gate_px)

    @property
    def min_area(self) -> float:
        """Smallest overlap of the fields that is looked at, in px^2."""
        return MIN_OVERLAP * min(self.pre_field.area, self.post_field.area)

    @property
    def boxes(self) -> FloatArray:
        """(2, 4) boxes of the two fields."""
        return np.array([self.pre_field.box, self.post_field.box])

    @property
    def grid(self) -> FloatArray:
        """(g, 2) positions spread over the pre field, counted from its centre."""
        return self.pre_field.grid() - self.pre_field.centre

    def mirrored(self) -> Task:
        """Return the same task with the second pattern seen from behind."""
        return replace(self, post=self.post * np.array([-1.0, 1.0]))

    def matrix(self, motion: FloatArray) -> FloatArray:
        """3x3 matrix of a motion, from pre to post pixels."""
        a, b, tx, ty = motion
        rotation = np.array([[a, -b], [b, a]])
        matrix = np.eye(3)
        matrix[:2, :2] = rotation
        matrix[:2, 2] = self.post_field.centre + (tx, ty) - rotation @ self.pre_field.centre
        return matrix


@dataclass(frozen=True)
class Motions:
    """The motions an alignment is sought among.

    Attributes
    ----------
    overlaps
        (g, 3) points of either pattern in the overlap and its area (px^2), for motions
        spread evenly over those allowed.
    log_measure
        Logarithm of their measure (rad px^2, times the mean scale range for a similarity).
    """

    overlaps: FloatArray
    log_measure: float


def all_motions(task: Task) -> Motions:
    """Spread motions evenly over all rotations and shifts with enough overlap."""
    reach = 0.5 * float(task.pre_field.size.max() + task.post_field.size.max())
    shift = reach * ((np.arange(15) + 0.5) / 15 * 2 - 1)
    angle = np.arange(12) * (2 * np.pi / 12)
    t, x, y = (v.ravel() for v in np.meshgrid(angle, shift, shift))
    overlaps = overlaps_of(np.column_stack([np.cos(t), np.sin(t), x, y]), task)
    allowed = overlaps[:, 2] >= task.min_area
    measure = 2 * np.pi * (2 * reach) ** 2 * allowed.mean()
    if task.free_scale:
        measure *= 0.5 * (SCALE_RANGE[1] ** 2 - SCALE_RANGE[0] ** 2)
    return Motions(overlaps[allowed], float(np.log(measure)))


def overlaps_of(motions: FloatArray, task: Task) -> FloatArray:
    """(g, 3) points of either pattern in the overlap and its area, one row a motion."""
    return np.asarray(kernels.overlaps(motions, task.pre, task.post, task.boxes, task.grid))


def search(task: Task, motions: Motions) -> Alignments:
    """Find the distinct alignments of two patterns under any rotation and shift."""
    return refine(task, propose_motions(task), motions)


def search_near(
    task: Task, start: FloatArray, max_shift_px: float, max_turn_rad: float
) -> Alignments:
    """Find the distinct alignments close to a start.

    Parameters
    ----------
    task
        The two patterns.
    start
        3x3 matrix from pre to post pixels.
    max_shift_px
        How far off it may be at the middle of the pre field.
    max_turn_rad
        How far its rotation may be off.
    """
    angle, scale = np.radians(rotation_deg(start)), scale_of(start) if task.free_scale else 1.0
    middle = apply_matrix(start, task.pre_field.centre)[0] - task.post_field.centre
    # So fine that the nearest rotation is within the gate at the field's corner.
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
    return Alignments(found.motions[close], found.log_t[close], found.chance[close])


def _close_pairs(
    mapped: FloatArray, post: FloatArray, distance_px: float
) -> tuple[IntArray, IntArray]:
    near = KDTree(post).query_ball_point(mapped, distance_px, return_sorted=True)
    rows = np.repeat(np.arange(len(mapped)), [len(js) for js in near])
    return rows, np.array([j for js in near for j in js], dtype=np.int64)


def fewest_telling_matches(task: Task, motions: Motions) -> int:
    """Smallest number of matches that is not expected by chance if they fit well."""
    n, m, area = np.median(motions.overlaps, axis=0)
    k = task.min_matches
    while k < min(n, m):
        # A quarter of the residuals true matches have.
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
    """Yield the motions that lay a pair of one pattern on an equally long pair of the other."""
    rng = np.random.default_rng(20240229)  # mixes the order, no more
    pre, post = task.pre, task.post
    # Sorted first, so that the result does not depend on the order of the points.
    pre = pre[np.lexsort(pre.T)][rng.permutation(len(pre))]
    i, j = np.triu_indices(len(post), 1)
    vector = post[j] - post[i]
    length = np.hypot(vector[:, 0], vector[:, 1])
    order = np.argsort(length, kind="stable")
    i, j, vector, length = i[order], j[order], vector[order], length[order]

    first, second = np.triu_indices(len(pre), 1)
    # Neighbours in the mixed order first: a part of this list treats all points alike.
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
    """Refine proposed motions on their matches; return the distinct alignments, best first.

    Parameters
    ----------
    task
        The two patterns.
    proposals
        Blocks of motions, (h, 4).
    motions
        All the motions allowed.
    middle_rad, half_width_rad
        Rotations allowed.
    """
    reach = PROPOSAL_SLACK * task.gate_px
    nearest, place = _nearest_map(task.post, reach)
    # So many look-ups hit by chance: in the first ones, and in all of them.
    hits = np.array([FIRST_LOOK, len(task.pre)]) * len(task.post)
    hits = pdtrik([0.97, 0.9], hits * np.pi * reach**2 / task.post_field.area)
    first_count, all_count = (int(h) for h in np.ceil(hits))
    excess_pre, witness_pre = clumping(task.pre, task.pre_field.area)
    excess_post, witness_post = clumping(task.post, task.post_field.area)
    excess, witness_distance = excess_pre * excess_post, max(witness_pre, witness_post)
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
            witness_distance**2,
            task.min_area,
            np.array([middle_rad, half_width_rad, *(SCALE_RANGE if task.free_scale else (0, 2))]),
            max(fewest_telling_matches(task, motions), all_count),
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
        witness_distance,
        task.free_scale,
    )
    return Alignments(found[:, 2:], found[:, 0], excess * chance)


def mutual_matches(mapped: FloatArray, post: FloatArray, gate_px: float) -> IntArray:
    """(k, 2) rows that are each other's nearest and closer than the gate."""
    distance, forth = KDTree(post).query(mapped)
    _, back = KDTree(mapped).query(post)
    rows = np.flatnonzero((back[forth] == np.arange(len(mapped))) & (distance <= gate_px))
    return np.column_stack([rows, forth[rows]])


def _nearest_map(points: FloatArray, reach: float) -> tuple[IndexMap, FloatArray]:
    """Raster of the nearest point's index within reach, -1 elsewhere; its origin and cell."""
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
    # Written from the farthest to the nearest, so that the nearest stays.
    order = np.argsort(-far[inside], kind="stable")
    nearest[row[inside][order], column[inside][order]] = index[inside][order]
    return nearest, np.array([low[0], low[1], cell])
