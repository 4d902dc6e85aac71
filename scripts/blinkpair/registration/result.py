"""The outcome of a registration, as values and as the content of `registration.json`.

A module of its own, so that steps that only use the outcome do not load the search.

Input: a transform with its evidence, or the reason why there is none. Output: an object that maps
points and gives the error of their places, and its written form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.registration.rigid import apply_matrix, rotation_deg, scale_of
from blinkpair.registration.target_error import TargetError

if TYPE_CHECKING:
    from skimage.transform import SimilarityTransform

    from blinkpair.registration.images.decision import ImageRegistration


@dataclass(frozen=True)
class Registration:
    """Outcome of a registration.

    Attributes
    ----------
    matrix
        3x3 from pre to post pixels, acting on columns (x, y, 1); NaN where it failed.
    status
        'ok' or 'failed'.
    reason
        Why it failed; otherwise remarks, or ''.
    chance_alignments
        Expected number of alignments at least as good in two unrelated patterns of the
        same density; of a failed one, that of the best alignment found.
    pairs
        (m, 2) matched rows of the pre and post points.
    rms_px
        Root mean square of the matches' residual distances.
    n_dust
        Points at the same place in both images, dropped as dust.
    """

    matrix: FloatArray
    status: Literal["ok", "failed"]
    reason: str
    chance_alignments: float
    pairs: IntArray
    rms_px: float
    n_dust: int = 0
    error_model: TargetError | None = field(default=None, repr=False)

    @property
    def transform(self) -> SimilarityTransform:
        """The matrix as scikit-image's type, to map points, to invert and to warp images."""
        from skimage.transform import SimilarityTransform

        return SimilarityTransform(matrix=self.matrix)

    @property
    def n_matched(self) -> int:
        """Number of matched pairs."""
        return len(self.pairs)

    @property
    def match_scatter_px(self) -> float:
        """Root-mean-square distance of a match from its place by `to_post`; 0 without matches."""
        if self.error_model is None or not self.n_matched:
            return 0.0
        return float(np.sqrt(2 * self.error_model.variance_px2))

    @property
    def rotation_deg(self) -> float:
        """Rotation in degrees, (-180, 180]; +90 takes +x to +y."""
        return rotation_deg(self.matrix)

    @property
    def translation_px(self) -> tuple[float, float]:
        """Place (x, y) of the pre pixel (0, 0): the matrix' last column."""
        return float(self.matrix[0, 2]), float(self.matrix[1, 2])

    @property
    def scale(self) -> float:
        """Scale factor; 1 for a rigid transform."""
        return scale_of(self.matrix)

    def tre(self, xy: npt.ArrayLike, confidence: float | None = None) -> FloatArray:
        """Target registration error at pre positions `xy`, in post pixels.

        Parameters
        ----------
        xy
            (n, 2) positions in pre pixels.
        confidence
            None: expected root-mean-square radial error, both axes together. Otherwise
            the radius that contains this fraction of the errors, for example 0.68 or 0.95.

        Returns
        -------
        (n,) array; NaN for a failed registration.

        Examples
        --------
        >>> from blinkpair.registration import register_points
        >>> import numpy as np
        >>> pre = np.random.default_rng(1).uniform(0, 512, (12, 2))
        >>> post = pre @ [[0, 1], [-1, 0]] + [500, 10]  # turned by 90 degrees, shifted
        >>> register_points(pre, post).tre([[256, 256]]).shape
        (1,)
        """
        points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        if self.error_model is None:
            return np.full(len(points), np.nan)
        return self.error_model.at(points, confidence)

    def to_post(self, xy: npt.ArrayLike) -> FloatArray:
        """Return the (n, 2) places in post pixels of (n, 2) pre positions.

        The matrix, after the pattern in its residuals (`residual_pattern`) where there is one.
        """
        points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        return apply_matrix(self.matrix, points + self._correction(points)[0])

    def to_pre(self, xy: npt.ArrayLike) -> FloatArray:
        """Return the (n, 2) places in pre pixels of (n, 2) post positions: inverse of `to_post`."""
        uncorrected = apply_matrix(
            np.linalg.inv(self.matrix), np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        )
        points = uncorrected
        # The pattern changes by less than a hundredth of a pixel a pixel: four rounds are exact.
        for _ in range(4):
            points = uncorrected - self._correction(points)[0]
        return points

    def place_error(self, xy: npt.ArrayLike) -> FloatArray:
        """Return the (n,) expected root-mean-square error of `to_post`, in post pixels.

        Unlike `tre`, which is that of the matrix, without the pattern that `to_post` corrects.
        """
        return self._correction(np.asarray(xy, dtype=np.float64).reshape(-1, 2))[1]

    def _correction(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.error_model is None:
            return np.zeros_like(points), np.full(len(points), np.nan)
        return self.error_model.correction(points)


def failed(reason: str, chance: float = np.inf) -> Registration:
    """Return a registration that failed for this reason, with a matrix of NaN."""
    nowhere = np.full((3, 3), np.nan)
    return Registration(nowhere, "failed", reason, chance, np.zeros((0, 2), np.int64), np.nan)


def in_rows(result: Registration, rows: tuple[IntArray, IntArray]) -> Registration:
    """Return a registration of selected points with pairs that are rows of all points."""
    pairs = [given[column] for given, column in zip(rows, result.pairs.T, strict=True)]
    return replace(result, pairs=np.column_stack(pairs))


@dataclass(frozen=True)
class FieldRegistration:
    """Registration of one field.

    Attributes
    ----------
    final : Registration
        From pre-PL to post-PL pixels; status 'failed' with the reason where there is none.
    microspheres : Registration
        Of the brightfield images, pre- to post-brightfield pixels.
    evidence : str
        'microspheres', 'brightfield images' where these decide and single microspheres do not, or
        loosely, or 'landmarks' where a person named some; with ' and nanocrystals' where these
        refined the transform; 'nanocrystals' by their own pattern; 'microspheres together with
        nanocrystals', '... with brightfield images', '... with brightfield images and
        nanocrystals', or 'brightfield images together with nanocrystals' where none decides alone;
        'none'.
    images : ImageRegistration, optional
        Of the brightfield images as wholes, where it was tried.
    """

    final: Registration
    microspheres: Registration
    evidence: str
    images: ImageRegistration | None = field(default=None, repr=False)


def describe(
    result: FieldRegistration,
    *,
    nanocrystals_pre: FloatArray,
    n_microspheres: tuple[int, int],
    microsphere_diameters_px: tuple[float | None, float | None] = (None, None),
    shape: tuple[int, int],
) -> dict[str, Any]:
    """Return the content of `registration.json`."""
    final, coarse = result.final, result.microspheres
    ok = final.status == "ok"
    tre = final.tre(nanocrystals_pre) if ok and len(nanocrystals_pre) else np.empty(0)
    if ok and not tre.size:
        tre = final.tre(np.array([[(shape[1] - 1) / 2, (shape[0] - 1) / 2]]))
    refined = ok and "nanocrystals" in result.evidence
    return {
        "status": final.status,
        "reason": final.reason,
        "evidence": result.evidence,
        "matrix": final.matrix if ok else None,
        "matrix_brightfield": coarse.matrix if coarse.status == "ok" else None,
        "rotation_deg": final.rotation_deg if ok else None,
        "translation_px": final.translation_px if ok else None,
        "scale": final.scale if ok else None,
        "n_microspheres_pre": n_microspheres[0],
        "n_microspheres_post": n_microspheres[1],
        "microsphere_diameter_px_pre": microsphere_diameters_px[0],
        "microsphere_diameter_px_post": microsphere_diameters_px[1],
        "n_microspheres_matched": coarse.n_matched if coarse.status == "ok" else 0,
        "n_dust": coarse.n_dust,
        "n_nanocrystals_matched": final.n_matched if refined else 0,
        "rms_px": final.rms_px if ok else None,
        "rms_microspheres_px": coarse.rms_px if coarse.n_matched else None,
        "tre_px": float(np.sqrt(np.mean(tre**2))) if ok else None,
        "chance_alignments": (
            coarse.chance_alignments if coarse.status == "ok" else final.chance_alignments
        ),
        "chance_alignments_nanocrystals": final.chance_alignments if refined else None,
        "image_evidence": _image_evidence(result.images) if result.images else {},
        "microsphere_pairs": coarse.pairs if coarse.status == "ok" else [],
        "nanocrystal_pairs": final.pairs if refined else [],
        "error_model": asdict(final.error_model) if ok and final.error_model else None,
    }


def _image_evidence(images: ImageRegistration) -> dict[str, Any]:
    """Return what a figure shows of the registration of whole images."""
    return {
        "rotations_deg": images.angles_deg,
        "scores": images.by_angle,
        "tiles_pre": images.tiles_pre,
        "tiles_agree": images.tiles_agree,
    }


def describe_failed(reason: str) -> dict[str, Any]:
    """Return the content of `registration.json` for a field that was refused before matching."""
    nowhere = failed(reason)
    return describe(
        FieldRegistration(nowhere, nowhere, "none"),
        nanocrystals_pre=np.empty((0, 2)),
        n_microspheres=(0, 0),
        shape=(1, 1),
    )


def from_description(content: Mapping[str, Any]) -> Registration:
    """Return the final registration of a field from the content of `registration.json`."""
    if content["status"] != "ok":
        return failed(content["reason"])
    model = dict(content["error_model"])
    for name in ("centroid", "pattern_px", "pattern_covariance_px2"):
        model[name] = np.array(model[name], np.float64)
    return Registration(
        np.array(content["matrix"]),
        "ok",
        content["reason"],
        content["chance_alignments"],
        np.array(content["nanocrystal_pairs"], np.int64).reshape(-1, 2),
        content["rms_px"],
        content["n_dust"],
        TargetError(**model),
    )
