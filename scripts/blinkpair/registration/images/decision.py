"""Accept the best alignment of two images, or refuse it with the reason.

Two measures compare it with the other alignments of the same images, which are wrong: how many
blocks of the overlap look alike, and how many of its tiles agree, where those of the others do by
chance. Between unrelated images both are chance levels that hardly depend on each other, and they
are multiplied. In a lattice the level is that of the best among all that the lattice repeats.

Input: alignments with the levels of their overlaps and the votes of their tiles. Output: the best
of them as a registration with its error, or a failed one with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.registration.acceptance import AMBIGUOUS
from blinkpair.registration.images.evidence import ImageEvidence
from blinkpair.registration.images.lattice import Lattice
from blinkpair.registration.images.location import Alignment, Location
from blinkpair.registration.images.overlap import distance
from blinkpair.registration.images.search import Peaks
from blinkpair.registration.images.votes import Votes
from blinkpair.registration.result import Registration, failed
from blinkpair.registration.rigid import apply_matrix, fit_transform, rotation_deg, scale_of
from blinkpair.registration.target_error import TargetError, target_error, with_pattern

# Spheres of a sheet are one diameter apart: a place so many diameters off is that of the next one.
NEXT_SPHERE = 0.8
# Two tiles fix a motion, and at least one checks it.
MIN_TILES = 3
# Neighbouring blocks share what differs between the images: the variance of the transform is larger
# than that of as many independent blocks by about this (pairs cut from real images).
SHARED = 2.0
# Standard deviation per axis of what all tiles share: interpolation, pixels, compression.
SYSTEMATIC_PX = 0.02
# Standard deviation per axis, in diameters, of the offset of all spheres under light from one side.
OFFSET = 0.25
NOTHING_SHARED = "the images share no structure at any rotation"
UNMOVED = (
    "the best alignment of the images moves nothing: a sample that did not move and what belongs "
    "to the camera cannot be distinguished"
)
LATTICE = "the spheres lie in a lattice"
BY_CHANCE = "no alignment of the images is clearly better than chance"
REMARK = (
    "light from one side, or too little structure to exclude it: all spheres may be off alike, "
    "which nanocrystals correct"
)


@dataclass(frozen=True)
class ImageRegistration(Registration):
    """A registration by whole images, and what a figure of it needs.

    `pairs` is empty: no points are matched.

    Attributes
    ----------
    angles_deg, by_angle
        (m,) rotations that were tried, and the largest score of each, in standard deviations of
        all shifts.
    best
        (3, 3) the best alignment where only its chance level refuses it; NaN otherwise.
    rivals
        (n, 3, 3) other alignments, the best first.
    tiles_pre, tiles_post
        (t, 2) places of the tiles that were compared, in pixels of either image.
    tiles_agree
        (t,) whether they agree with the best alignment.
    static_share
        Share of the first image that is in the same place in the second, and was left out.
    evidence
        What the images show for any alignment; None where they were not compared.
    """

    angles_deg: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    by_angle: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    best: FloatArray = field(default_factory=lambda: np.full((3, 3), np.nan), repr=False)
    rivals: FloatArray = field(default_factory=lambda: np.empty((0, 3, 3)), repr=False)
    tiles_pre: FloatArray = field(default_factory=lambda: np.empty((0, 2)), repr=False)
    tiles_post: FloatArray = field(default_factory=lambda: np.empty((0, 2)), repr=False)
    tiles_agree: BoolArray = field(default_factory=lambda: np.empty(0, bool), repr=False)
    static_share: float = 0.0
    evidence: ImageEvidence | None = field(default=None, repr=False)

    @classmethod
    def failed(cls, reason: str, chance: float = np.inf) -> ImageRegistration:
        """Return a registration that failed for this reason, with a matrix of NaN."""
        nowhere = np.full((3, 3), np.nan)
        return cls(nowhere, "failed", reason, chance, np.zeros((0, 2), np.int64), np.nan)

    def candidates(self) -> list[Registration]:
        """Return the alignments that chance may explain, the best first, with a level for each.

        Those after the best have their rank as level; empty where another reason refuses all.
        """
        if not np.isfinite(self.best).all():
            return []
        levels = [self.chance_alignments, *range(2, len(self.rivals) + 2)]
        matrices = [self.best, *self.rivals]
        return [
            replace(failed(""), matrix=matrix, status="ok", chance_alignments=float(level))
            for matrix, level in zip(matrices, levels, strict=True)
        ]


def decide(
    found: Sequence[Alignment],
    location: Location | None,
    peaks: Peaks,
    evidence: ImageEvidence,
    lattice: Lattice | None,
    *,
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    diameter_px: float,
    model: str,
    max_chance: float,
    max_error_px: float,
) -> ImageRegistration:
    """Return the best alignment, or a failed registration with the reason.

    Parameters
    ----------
    found
        Alignments, the best first.
    location
        The best of them, as exactly as possible.
    peaks
        All that the search compared.
    evidence
        What the images show for any alignment.
    lattice
        The best alignment as one of those that a lattice repeats; None without a lattice.
    shapes
        Rows and columns of both images.
    diameter_px, model, max_chance, max_error_px
        As in `register_images`.
    """
    if not found or location is None:
        unmoved = evidence.log_unmoved <= np.log(max_chance)
        return replace(
            ImageRegistration.failed(UNMOVED if unmoved else NOTHING_SHARED),
            angles_deg=peaks.angles_deg,
            by_angle=peaks.by_angle,
        )
    best = found[0].votes
    rivals = [
        one.votes
        for one in found[1:]
        if distance(best.matrix, one.votes.matrix, best.pre_xy) > diameter_px
    ]
    chance = (
        float(np.exp(min(lattice.log_chance, 0.0)))
        if lattice
        else joint_level(best.log_chance_beside(rivals), found[0].log_chance)
    )
    error = target_error(
        location.pre_xy,
        location.post_xy,
        location.matrix,
        free_scale=model == "similarity",
        weights=location.weights,
    )
    error, _ = with_pattern(
        error,
        location.pre_xy,
        location.post_xy,
        location.matrix,
        location.weights,
        middles=(_middle(shapes[0]), _middle(shapes[1])),
        shared=SHARED,
    )
    error = replace(error, variance_px2=SHARED * error.variance_px2)
    reason = _reason(
        found[0], location, rivals, lattice, evidence.log_unmoved, chance, error, shapes,
        diameter_px, model, max_chance, max_error_px,
    )  # fmt: skip
    shift = SYSTEMATIC_PX
    if location.one_sided:
        # An offset of all spheres alike in both images: it turns with the rotation.
        turn = np.deg2rad(rotation_deg(location.matrix))
        shift = float(np.hypot(shift, 2 * OFFSET * diameter_px * np.sin(turn / 2)))
    error = replace(error, shift_variance_px2=shift**2)
    shown = replace(
        ImageRegistration.failed(reason, chance),
        angles_deg=peaks.angles_deg,
        by_angle=peaks.by_angle,
        rivals=np.array([one.matrix for one in rivals]).reshape(-1, 3, 3),
        tiles_pre=best.pre_xy,
        tiles_post=best.post_xy,
        tiles_agree=best.agree,
    )
    if reason:
        return replace(shown, best=best.matrix) if reason.startswith(BY_CHANCE) else shown
    return replace(
        shown,
        matrix=location.matrix,
        status="ok",
        rms_px=location.rms_px(),
        reason=REMARK if location.one_sided else "",
        error_model=error,
    )


def _reason(
    alignment: Alignment,
    location: Location,
    rivals: Sequence[Votes],
    lattice: Lattice | None,
    log_unmoved: float,
    chance: float,
    error: TargetError,
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    diameter_px: float,
    model: str,
    max_chance: float,
    max_error_px: float,
) -> str:
    """Return why the best alignment is refused; '' if it is accepted."""
    best, overlap = alignment.votes, alignment.overlap
    agree, compared = int(best.agree.sum()), len(best.agree)
    if log_unmoved <= min(np.log(max_chance), alignment.log_chance):
        return UNMOVED
    if lattice and not chance <= max_chance:
        return (
            f"{LATTICE}: {lattice.similar} other alignments of the images, off by its vectors or "
            "turns, fit about as well as the best"
        )
    beyond = (
        []
        if lattice
        else [one.log_chance for one in rivals if one.log_chance <= np.log(max_chance)]
    )
    if beyond and (chance > max_chance or min(beyond) < 0.5 * best.log_chance):
        return (
            f"{AMBIGUOUS}: {agree} of {compared} tiles of the images agree, and in another "
            "alignment about as many (a lattice, rows or edges?)"
        )
    if not chance <= max_chance:
        most = max((int(one.agree.sum()) for one in rivals), default=0)
        return (
            f"{BY_CHANCE}: at the best rotation and shift {agree} of {compared} tiles agree, at "
            f"others up to {most}, and {overlap.n_alike[0]} of {overlap.n_blocks} parts of the "
            "overlap look alike"
        )
    if agree < MIN_TILES:
        return f"only {agree} tiles of the images agree"
    apart = max(overlap.distance(each) for each in (location.matrix, best.matrix))
    if apart > NEXT_SPHERE * diameter_px:
        return (
            f"{AMBIGUOUS}: parts of the overlap lie {apart:.1f} px from the best alignment, as far "
            "as the next sphere (a sheet of spheres?)"
        )
    if model == "rigid" and (scale := _foreign_scale(location, error, shapes[0], max_error_px / 2)):
        return (
            f"the images fit at a scale of {scale:.4f}, not 1: if the magnification differs, set "
            "registration: model: similarity"
        )
    worst = _largest_error_px(location, error, shapes)
    if not worst <= max_error_px:
        return (
            f"the {len(location.pre_xy)} blocks that agree fix the transform too loosely: it "
            f"may be off by {worst:.1f} px in parts of the field, more than {max_error_px:g} px"
        )
    return ""


def _middle(shape: tuple[int, ...]) -> FloatArray:
    """Return x and y of the middle of an image."""
    return (np.array(shape[1::-1], float) - 1) / 2


def joint_level(*logarithms: float) -> float:
    """Return the chance level of two independent ones together: p (1 - ln p) of their product.

    The product of two uniform probabilities is at most p with that probability.
    """
    product = float(np.prod([-np.expm1(-np.exp(min(one, 5.0))) for one in logarithms]))
    return product * (1 - float(np.log(product))) if product > 0 else 0.0


def _foreign_scale(
    location: Location, error: TargetError, shape: tuple[int, ...], tolerance_px: float
) -> float | None:
    """Return the scale that fits the tiles, where it differs significantly from 1."""
    free = fit_transform(
        location.pre_xy, location.post_xy, model="similarity", weights=location.weights
    )
    scale = scale_of(free)
    off = abs(scale - 1)
    significant = off > 4 * np.sqrt(error.variance_px2 / error.spread_px2)
    return (
        scale
        if significant and off * float(np.hypot(shape[0], shape[1])) / 2 > tolerance_px
        else None
    )


def _largest_error_px(
    location: Location, error: TargetError, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> float:
    """Return the radius of 95 % of the errors at the place of the overlap where it is largest."""
    (rows, columns), there_shape = shapes
    axes = np.linspace(0, columns - 1, 17), np.linspace(0, rows - 1, 17)
    xy = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    there = apply_matrix(location.matrix, xy)
    seen = ((there >= 0) & (there <= np.array(there_shape[::-1]) - 1)).all(axis=1)
    return float(error.at(xy[seen], 0.95).max()) if seen.any() else np.inf
