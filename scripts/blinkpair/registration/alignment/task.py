"""The two patterns that an alignment is searched for, and the motions that are allowed.

A motion is a row (a, b, tx, ty): x' = a x - b y + tx, y' = b x + a y + ty, with
a = s cos(angle), b = s sin(angle), between positions counted from the fields' centres.

Input: two point sets, the shapes of the images, the localisation error. Output: a `Task` of
centred points and the `Motions` with enough overlap of the fields.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.errors import InputError
from blinkpair.registration.alignment import kernels
from blinkpair.registration.rigid import apply_matrix, as_points, check_model

SCALE_RANGE = (0.8, 1.25)
MAX_POINTS = 2000
# A match is at most this many standard deviations off, per axis of the residual.
GATE_SIGMAS = 5.0
# The place of a bright nanocrystal is not known better: a Gaussian is not the exact image.
SMALLEST_ERROR_PX = 0.01
# Smallest share of a field that both epochs must have in common; with 30 % fields are still found.
MIN_OVERLAP = 0.25


@dataclass(frozen=True)
class Field:
    """Rectangle in which points can lie, in pixels: its centre and its size, x and y."""

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

    def grid(self, n: int = 12) -> FloatArray:
        """Return (n * n, 2) evenly spread positions."""
        f = (np.arange(n) + 0.5) / n - 0.5
        x, y = np.meshgrid(f * self.size[0], f * self.size[1])
        return np.asarray(self.centre + np.column_stack([x.ravel(), y.ravel()]))

    def contains(self, xy: FloatArray) -> BoolArray:
        """Return for each position whether it lies inside."""
        return np.asarray((np.abs(xy - self.centre) <= self.size / 2).all(axis=1))

    @classmethod
    def around(cls, points: FloatArray, shape: tuple[int, int] | None) -> Field:
        """Return the field of an image of `shape` (y, x), or one estimated from the points.

        The extremes of n uniform points lie 1 / (n + 1) of the width inside the edges on
        average; the estimated rectangle is larger by that.
        """
        low, high = points.min(axis=0), points.max(axis=0)
        if shape is None:
            grow = np.maximum((high - low) / max(len(points) - 1, 1), 1.0)
            low, high = low - grow, high + grow
        else:
            low = np.minimum(low, -0.5)
            high = np.maximum(high, np.array([shape[1], shape[0]]) - 0.5)
        return cls(0.5 * (low + high), high - low)

    @classmethod
    def around_both(
        cls,
        pre: FloatArray,
        post: FloatArray,
        shape_pre: tuple[int, int] | None,
        shape_post: tuple[int, int] | None,
    ) -> tuple[Field, Field]:
        """Return the fields of both images; a size not given is the larger one of both.

        One camera took both. A few points on a line would otherwise give a narrow field.
        """
        fields = cls.around(pre, shape_pre), cls.around(post, shape_post)
        size = np.maximum(*(field.size for field in fields))
        one, other = (
            field if shape else cls(field.centre, size)
            for field, shape in zip(fields, (shape_pre, shape_post), strict=True)
        )
        return one, other


@dataclass(frozen=True)
class Task:
    """Two patterns, the fields in which they lie, and the limits of a match.

    Attributes
    ----------
    pre, post
        (n, 2) points in pixels, counted from the centre of their field.
    pre_field, post_field
        Where points can lie.
    variance_px2
        Expected variance per axis of a true match's residual, both images together.
    gate_px
        Largest residual of a match.
    min_matches
        Fewest matches an alignment may have.
    free_scale
        True for a similarity.
    errors_px
        Standard errors per axis of the pre and of the post points, for the weights of the final
        fit.
    """

    pre: FloatArray
    post: FloatArray
    pre_field: Field
    post_field: Field
    variance_px2: float
    gate_px: float
    min_matches: int
    free_scale: bool
    errors_px: tuple[FloatArray, FloatArray] | None = None

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
        errors_px: tuple[FloatArray, FloatArray] | None = None,
    ) -> Task:
        """Return the task for points in image pixels, with this error per axis and image."""
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
            errors_px,
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
        """Return (k, 2) rows of one-to-one matches under a matrix between image pixels."""
        return mutual_matches(apply_matrix(matrix, self.pre_xy), self.post_xy, gate_px)

    def variances_px2(self, pairs: IntArray) -> FloatArray | None:
        """Return (k,) variances per axis of the matches' residuals; None for equal ones."""
        if self.errors_px is None:
            return None
        pre, post = (error[rows] for error, rows in zip(self.errors_px, pairs.T, strict=True))
        return np.asarray(pre**2 + post**2 + SMALLEST_ERROR_PX**2)

    @property
    def min_area(self) -> float:
        """Smallest overlap of the fields that is searched, in px^2."""
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
        """Return the same task with the second pattern mirrored."""
        return replace(self, post=self.post * np.array([-1.0, 1.0]))

    def matrix(self, motion: FloatArray) -> FloatArray:
        """Return the 3x3 matrix of a motion, from pre to post pixels."""
        a, b, tx, ty = motion
        rotation = np.array([[a, -b], [b, a]])
        matrix = np.eye(3)
        matrix[:2, :2] = rotation
        matrix[:2, 2] = self.post_field.centre - rotation @ self.pre_field.centre
        matrix[:2, 2] += tx, ty
        return matrix


@dataclass(frozen=True)
class Motions:
    """The motions among which an alignment is searched.

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
    """Return motions spread evenly over all rotations and shifts with enough overlap."""
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
    """Return the points of either pattern in the overlap and its area, one row a motion."""
    return np.asarray(kernels.overlaps(motions, task.pre, task.post, task.boxes, task.grid))


def mutual_matches(mapped: FloatArray, post: FloatArray, gate_px: float) -> IntArray:
    """Return (k, 2) rows that are each other's nearest and closer than the gate."""
    distance, forth = KDTree(post).query(mapped)
    _, back = KDTree(mapped).query(post)
    rows = np.flatnonzero((back[forth] == np.arange(len(mapped))) & (distance <= gate_px))
    return np.column_stack([rows, forth[rows]])


def checked_patterns(
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    model: str,
    max_chance_alignments: float,
    localisation_error_px: float,
) -> tuple[FloatArray, FloatArray]:
    """Return both patterns as float arrays; raise `InputError` where a value is out of range."""
    check_model(model)
    if not max_chance_alignments > 0:
        raise InputError(
            f"max_chance_alignments = {max_chance_alignments} must be above 0", "use 3e-4"
        )
    if not 0 < localisation_error_px < 5:
        raise InputError(
            f"localisation_error_px = {localisation_error_px} must be above 0 and below 5",
            "use 0.2 for well-focused microspheres",
        )
    pre, post = as_points(pre_xy, "pre points"), as_points(post_xy, "post points")
    for name, points in (("pre", pre), ("post", post)):
        if len(points) > MAX_POINTS:
            raise InputError(
                f"{len(points)} {name} points; at most {MAX_POINTS} can be registered",
                "raise the detection threshold",
            )
    return pre, post
