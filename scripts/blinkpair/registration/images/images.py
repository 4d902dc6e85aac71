"""Register two brightfield images as wholes, or refuse.

Where single microspheres do not decide (sheets, clusters, too small, too blurred, light from one
side), all that the images show is evidence. All rotations and shifts are compared, the best are
refined tile by tile, and the best of these is accepted where so many tiles agree with it that
unrelated images would hardly ever do so, and where no other alignment is about as good.

Input: two brightfield images and the diameter of a microsphere. Output: the transform from pre to
post pixels with its error and chance level, or the reason why there is none; and the peak over
the rotations with its rivals, for a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.errors import InputError
from blinkpair.registration.acceptance import AMBIGUOUS, IDENTITY_PX, MAX_ERROR_PX
from blinkpair.registration.images.contrast import (
    Contrast,
    contrast_of,
    static_places,
    without,
)
from blinkpair.registration.images.search import Peaks, search
from blinkpair.registration.images.tiles import Tiles, Votes
from blinkpair.registration.result import Registration
from blinkpair.registration.rigid import apply_matrix, check_model
from blinkpair.registration.target_error import TargetError, target_error

# Pixels a diameter: in the search over all rotations, and where tiles are located.
SEARCH_PIXELS, FINE_PIXELS = 4.5, 9.0
# The search uses no more pixels a side than this.
SEARCH_SIDE = 256
# A step of the rotation displaces the corner of the field by about a diameter.
STEP_DEG = 2.0
# Alignments of the search that are refined.
REFINED = 8
# Alignments of the search whose scores are compared.
COMPARED = 30
MIN_TILES = 4


@dataclass(frozen=True)
class ImageRegistration(Registration):
    """A registration by whole images, and what a figure of it needs.

    Attributes
    ----------
    angles_deg, by_angle
        (m,) rotations that were tried, and the largest correlation of each, in standard
        deviations between unrelated images.
    rivals
        (n, 3, 3) other alignments that were refined, the best first.
    rival_scores
        (n,) logarithms (base 10) of their expected numbers of chance alignments.
    tiles_pre, tiles_post
        (t, 2) places of the tiles that were compared, in either image.
    tiles_agree
        (t,) whether they agree with the matrix.
    static_share
        Share of the first image that is in the camera's frame and was left out.
    """

    angles_deg: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    by_angle: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    rivals: FloatArray = field(default_factory=lambda: np.empty((0, 3, 3)), repr=False)
    rival_scores: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    tiles_pre: FloatArray = field(default_factory=lambda: np.empty((0, 2)), repr=False)
    tiles_post: FloatArray = field(default_factory=lambda: np.empty((0, 2)), repr=False)
    tiles_agree: BoolArray = field(default_factory=lambda: np.empty(0, bool), repr=False)
    static_share: float = 0.0


def register_images(
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    *,
    diameter_px: float,
    model: str = "rigid",
    max_chance_alignments: float = 3e-4,
    max_error_px: float = MAX_ERROR_PX,
) -> ImageRegistration:
    """Return the registration of two brightfield images, under any rotation.

    Parameters
    ----------
    pre, post
        (rows, columns) images of one sample; they may differ in shape, light and focus.
    diameter_px
        Diameter of a microsphere, a hint: 0.7 to 1.4 times the true one works.
    model
        'rigid' or 'similarity'.
    max_chance_alignments
        Largest expected number of chance alignments this good that is accepted.
    max_error_px
        Largest error accepted anywhere in the overlap of the fields, at 95 % confidence.

    Raises
    ------
    InputError
        An image that is not a finite (rows, columns) array, or settings out of range.
    """
    check_model(model)
    images = [_checked(one, name) for one, name in ((pre, "pre image"), (post, "post image"))]
    if not diameter_px > 0:
        raise InputError(
            f"diameter_px = {diameter_px} is not a positive number",
            "give the diameter of a microsphere in pixels",
        )
    sides = [n for image in images for n in image.shape]
    if min(sides) < 5 * diameter_px:
        reason = f"the images are smaller than 5 microspheres of {diameter_px:g} px"
        return _failed(reason)
    fine_pixel = max(1.0, diameter_px / FINE_PIXELS)
    wide_pixel = max(fine_pixel, diameter_px / SEARCH_PIXELS, max(sides) / SEARCH_SIDE)
    fine = [contrast_of(image, diameter_px, fine_pixel) for image in images]
    static = static_places(fine[0], fine[1], diameter_px)
    fine = [without(one, static) for one in fine]
    wide = [one.resampled(wide_pixel / fine_pixel) for one in fine]
    radius = 0.7 * diameter_px / wide_pixel
    peaks = search(wide[0], wide[1], step_deg=STEP_DEG, radius=radius, keep=COMPARED)
    tiles = Tiles(fine[0], fine[1], diameter_px, model)
    votes: list[Votes] = []
    origin: list[int] = []
    for row, matrix in enumerate(peaks.matrices):
        if any(
            one.log_chance < 0 and _distance(one.matrix, matrix, one.pre_xy) < 2 * diameter_px
            for one in votes
        ):
            continue
        one = tiles.refine(matrix)
        if one is not None:
            votes.append(one)
            origin.append(row)
        if len(votes) == REFINED:
            break
    order = sorted(range(len(votes)), key=lambda k: votes[k].log_chance)
    votes, origin = [votes[k] for k in order], [origin[k] for k in order]
    decision = _Decision(fine[0], fine[1], votes, origin, peaks, diameter_px, float(static.mean()))
    return decision.accept_or_refuse(model, max_chance_alignments, max_error_px)


@dataclass(frozen=True)
class _Decision:
    pre: Contrast
    post: Contrast
    votes: list[Votes]
    origin: list[int]
    peaks: Peaks
    diameter_px: float
    static_share: float

    def accept_or_refuse(
        self, model: str, max_chance: float, max_error_px: float
    ) -> ImageRegistration:
        if not self.votes:
            return self._result("no rotation brings the structure of both images together")
        best = self.votes[0]
        apart = np.array(
            [
                _distance(best.matrix, matrix, best.pre_xy) > 2 * self.diameter_px
                for matrix in self.peaks.matrices
            ]
        )
        levels = (
            best.log_chance,
            best.log_chance_beside(self._rivals()),
            self.peaks.log_chance(self.origin[0], apart),
        )
        _Decision.last = levels
        chance = joint_level(levels[1:] if len(self._rivals()) >= 3 else (levels[0],))
        agree = int(best.agree.sum())
        if chance > max_chance:
            return self._result(
                f"no alignment of the images is clearly better than chance: in the best, {agree} "
                f"of {len(best.agree)} tiles agree",
                chance,
            )
        rivals = self._rivals()
        if rivals and rivals[0].log_chance < min(0.5 * best.log_chance, np.log(max_chance)):
            return self._result(
                f"{AMBIGUOUS}: another alignment of the images is about as good (a lattice?)",
                chance,
            )
        if agree < MIN_TILES:
            return self._result(f"only {agree} tiles of the images agree", chance)
        if self._is_identity(best):
            return self._result(
                "the best alignment moves nothing: a sample that did not move and what belongs "
                "to the camera cannot be distinguished",
                chance,
            )
        error = target_error(
            best.pre_xy[best.agree],
            best.post_xy[best.agree],
            best.matrix,
            free_scale=model == "similarity",
            weights=best.weights[best.agree],
        )
        worst = self._largest_error_px(best, error)
        if worst > max_error_px:
            return self._result(
                f"the {agree} tiles that agree fix the transform too loosely: it may be off by "
                f"{worst:.1f} px in parts of the field, more than {max_error_px:g} px",
                chance,
            )
        return self._result("", chance, best, error)

    def _rivals(self) -> list[Votes]:
        """Return the alignments other than the best: a diameter away from it in the overlap."""
        best = self.votes[0]
        return [
            one
            for one in self.votes[1:]
            if _distance(one.matrix, best.matrix, best.pre_xy) > self.diameter_px
        ]

    def _is_identity(self, votes: Votes) -> bool:
        moved = np.hypot(*(votes.post_xy - votes.pre_xy)[votes.agree].T)
        return bool(np.median(moved) < IDENTITY_PX)

    def _largest_error_px(self, votes: Votes, error: TargetError) -> float:
        rows, columns = self.pre.signed.shape
        axes = [np.linspace(0, n - 1, 17) for n in (columns, rows)]
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        xy = apply_matrix(self.pre.to_image, grid)
        there = apply_matrix(np.linalg.inv(self.post.to_image) @ votes.matrix, xy)
        seen = ((there >= 0) & (there < np.array(self.post.signed.shape[::-1]))).all(axis=1)
        return float(error.at(xy[seen], 0.95).max()) if seen.any() else np.inf

    def _result(
        self,
        reason: str,
        chance: float = np.inf,
        votes: Votes | None = None,
        error: TargetError | None = None,
    ) -> ImageRegistration:
        shown = self.votes[0] if self.votes else None
        rivals = self._rivals() if self.votes else []
        rms = np.nan
        if votes is not None:
            there = apply_matrix(votes.matrix, votes.pre_xy[votes.agree])
            rms = float(np.sqrt(((there - votes.post_xy[votes.agree]) ** 2).sum(axis=1).mean()))
        return ImageRegistration(
            votes.matrix if votes is not None else np.full((3, 3), np.nan),
            "ok" if votes is not None else "failed",
            reason,
            chance,
            np.zeros((0, 2), np.int64),
            rms,
            error_model=error,
            angles_deg=self.peaks.angles_deg,
            by_angle=self.peaks.by_angle,
            rivals=np.array([one.matrix for one in rivals]).reshape(-1, 3, 3),
            rival_scores=np.array([one.log_chance for one in rivals]) / np.log(10),
            tiles_pre=shown.pre_xy if shown else np.empty((0, 2)),
            tiles_post=shown.post_xy if shown else np.empty((0, 2)),
            tiles_agree=shown.agree if shown else np.empty(0, bool),
            static_share=self.static_share,
        )


def joint_level(logarithms: Sequence[float]) -> float:
    """Return the chance level of two independent ones together: p (1 - ln p) of their product.

    The product of two probabilities is at most p with that probability (Fisher's method).
    """
    product = float(np.prod([-np.expm1(-np.exp(min(one, 5.0))) for one in logarithms]))
    if product <= 0 or len(logarithms) == 1:
        return product
    return product * (1 - float(np.log(product)))


def _distance(one: FloatArray, other: FloatArray, xy: FloatArray) -> float:
    apart = apply_matrix(one, xy) - apply_matrix(other, xy)
    return float(np.sqrt(np.mean((apart**2).sum(axis=1))))


def _failed(reason: str) -> ImageRegistration:
    nowhere = np.full((3, 3), np.nan)
    return ImageRegistration(nowhere, "failed", reason, np.inf, np.zeros((0, 2), np.int64), np.nan)


def _checked(image: npt.ArrayLike, name: str) -> FloatArray:
    array = np.asarray(image, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise InputError(
            f"shape {array.shape} is not (rows, columns)", "pass one plane of one channel", name
        )
    if not np.isfinite(array).all():
        raise InputError(
            f"{int((~np.isfinite(array)).sum())} pixels are not finite numbers",
            "replace them by the values around",
            name,
        )
    return array
