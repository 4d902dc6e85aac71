"""The error of a fitted transform at a place without fiducials.

With n fiducials, each localised with variance v per axis (v: variance of the
difference post - mapped pre), the least-squares rigid transform errs at a distance d
from the fiducials' centroid with variance

    v / n                    along the line to the centroid,
    v (1 / n + d^2 / I)      across it,       I = sum of squared distances to the centroid

(in the plane, Fitzpatrick, West & Maurer, IEEE TMI 17, 694, 1998); a free scale adds
d^2 / I along the line as well. v is unknown: it is estimated from the residuals, and 3
fiducials leave 3 degrees of freedom. With v integrated out the error follows a bivariate
t distribution: its radii hold for few fiducials and for any localisation error. A prior
for v would make them smaller for few fiducials, and wrong wherever the microscope is better
or worse than expected. Only landmarks named by hand have one: two of them leave one residual.

A pattern in the residuals (`residual_pattern`) is part of the error of the matrix. Places that are
corrected for it have a smaller error, that of the pattern's coefficients.

Input: the fiducials' positions and their residuals. Output: the target registration error at any
position, and the correction there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError
from blinkpair.registration.residual_pattern import (
    MOTION,
    find_pattern,
    pattern_at,
    pattern_variance,
)
from blinkpair.registration.rigid import apply_matrix, scale_of

# Integer positions can agree exactly: no variance is smaller than that of rounding.
ROUNDING_PX2 = 1e-6

_PHASE = (np.arange(32) + 0.5) * (np.pi / 32)


@dataclass(frozen=True)
class TargetError:
    """Error model of one fitted transform.

    Attributes
    ----------
    centroid
        (2,) centroid of the fiducials in pre pixels.
    spread_px2
        Sum of their squared distances to it.
    n
        Number of fiducials.
    variance_px2
        Estimated variance per axis of one fiducial's residual, both images together.
    dof
        Degrees of freedom behind it.
    free_scale
        True for a similarity.
    shift_variance_px2
        Variance per axis of a displacement of the whole field that the fiducials do not show.
    pattern_px
        (13,) coefficients of the pattern in the residuals (`residual_pattern`), about the centroid;
        empty where there is none.
    pattern_covariance_px2
        (13, 13) of these coefficients; empty where there is no pattern.
    """

    centroid: FloatArray
    spread_px2: float
    n: int
    variance_px2: float
    dof: float
    free_scale: bool
    shift_variance_px2: float = 0.0
    pattern_px: FloatArray = field(default_factory=lambda: np.empty(0))
    pattern_covariance_px2: FloatArray = field(default_factory=lambda: np.empty(0))

    def at(self, xy: npt.ArrayLike, confidence: float | None = None) -> FloatArray:
        """Return the target registration error at positions `xy` (m, 2), in post pixels.

        Without `confidence` it is the expected root-mean-square radial error, both axes
        together; with one, the radius that contains this fraction of the errors.
        """
        points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        turn = ((points - self.centroid) ** 2).sum(axis=1) / self.spread_px2
        across = self.variance_px2 * (1.0 / self.n + turn)
        along = across if self.free_scale else np.full_like(across, self.variance_px2 / self.n)
        estimated, shift = along + across, self.shift_variance_px2
        left_over = self.pattern_at(points)
        if confidence is None:
            return np.asarray(np.sqrt(estimated + 2 * shift + left_over**2))
        if not 0.0 < confidence < 1.0:
            raise InputError(
                f"confidence = {confidence} is not between 0 and 1", "pass 0.95 for 95 %"
            )
        # Welch and Satterthwaite: the displacement's variance is known, the other estimated.
        dof = self.dof * ((estimated + 2 * shift) / estimated) ** 2
        return left_over + _t_radius(along + shift, across + shift, dof, confidence)

    def pattern_at(self, xy: FloatArray) -> FloatArray:
        """Return the size of the pattern at positions (m, 2), in pixels; 0 where there is none."""
        return np.asarray(np.hypot(*self._pattern(xy)[0].T))

    def correction(self, xy: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return how far the pattern moves places, and the expected error of the corrected ones.

        A pattern of size S with variance V (both axes) is taken with the weight S^2 / (S^2 + V),
        which leaves the smallest expected error: where matches are far away, hardly any of it.

        Parameters
        ----------
        xy
            (m, 2) places in pre pixels.

        Returns
        -------
        (m, 2) displacements in pre pixels, zero where there is no pattern, and the (m,) expected
        root-mean-square radial errors in post pixels.
        """
        if not len(self.pattern_px):
            return np.zeros_like(xy), self.at(xy)
        pattern, variance = self._pattern(xy)
        size2 = (pattern**2).sum(axis=1)
        share = size2 / np.maximum(size2 + variance, ROUNDING_PX2)
        error = np.sqrt(share * variance + 2 * self.shift_variance_px2)
        return share[:, None] * pattern, np.asarray(error)

    def _pattern(self, xy: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the (m, 2) pattern at positions and its (m,) variance, both axes together."""
        if not len(self.pattern_px):
            return np.zeros_like(xy), np.zeros(len(xy))
        place = (xy, self.centroid, float(np.sqrt(self.spread_px2 / self.n)))
        return pattern_at(*place, self.pattern_px), pattern_variance(
            *place, self.pattern_covariance_px2
        )


def target_error(
    pre_xy: FloatArray,
    post_xy: FloatArray,
    matrix: FloatArray,
    *,
    free_scale: bool,
    weights: FloatArray | None = None,
    prior_error_px: float = 0.0,
    prior_dof: float = 0.0,
) -> TargetError:
    """Return the error model of a transform, estimated from matched fiducials.

    Parameters
    ----------
    pre_xy, post_xy
        (n, 2) matched fiducials, row by row; n >= 3, or n >= 2 with a prior.
    matrix
        The transform fitted to them.
    free_scale
        True for a similarity.
    weights
        (n,) inverse variances that the fit used, in any unit; default: equal. The variance is then
        that of a fiducial of mean weight.
    prior_error_px, prior_dof
        Localisation error per axis and image that is expected, and its weight in residuals.

    Raises
    ------
    InputError
        The fiducials leave no residual, and there is no prior.
    """
    n = len(pre_xy)
    w = np.ones(n) if weights is None else weights / weights.mean()
    residual2 = float(w @ ((apply_matrix(matrix, pre_xy) - post_xy) ** 2).sum(axis=1))
    dof = prior_dof + max(2 * n - (4 if free_scale else 3), 0)
    if not dof > 0:
        raise InputError(
            f"{n} fiducials leave no residual to estimate the error from", "use three or more"
        )
    prior = prior_dof * 2.0 * prior_error_px**2
    centroid = w @ pre_xy / n
    spread = float(w @ ((pre_xy - centroid) ** 2).sum(axis=1))
    variance = max((prior + residual2) / dof, ROUNDING_PX2)
    return TargetError(centroid, spread, n, variance, dof, free_scale)


def with_pattern(
    error: TargetError,
    pre_xy: FloatArray,
    post_xy: FloatArray,
    matrix: FloatArray,
    weights: FloatArray | None = None,
    *,
    middles: tuple[FloatArray, FloatArray],
    shared: float = 1.0,
) -> tuple[TargetError, float]:
    """Return the error model with the pattern in the residuals, and the p-value of the pattern.

    The variance becomes that of the residuals beside the pattern, of which as much is in the
    pattern as it has fields more than the motion. Parameters are those of `target_error`, the (2,)
    middles of both images, and `shared` of `find_pattern`.
    """
    back = matrix[:2, :2] / scale_of(matrix) ** 2
    residual = (post_xy - apply_matrix(matrix, pre_xy)) @ back
    found = find_pattern(
        pre_xy,
        residual,
        weights,
        free_scale=error.free_scale,
        middle=middles[0],
        shift=((apply_matrix(matrix, middles[0]) - middles[1]) @ back)[0],
        shared=shared,
    )
    if found is None:
        return error, 1.0
    more = found.n_fields / (MOTION + error.free_scale)
    changed = replace(
        error,
        variance_px2=max(found.variance_px2 * more, ROUNDING_PX2),
        dof=found.dof,
        pattern_px=found.coefficients,
        pattern_covariance_px2=found.covariance_px2,
    )
    return changed, found.p_value


def _t_radius(
    along: FloatArray, across: FloatArray, dof: FloatArray, fraction: float
) -> FloatArray:
    """Return the radius that holds `fraction` of a bivariate t of these variances.

    With (u, v) = rho (sqrt(along) cos f, sqrt(across) sin f), f uniform, the tail is
    P(R > r) = mean over f of (1 + r^2 / (dof (along cos^2 f + across sin^2 f)))^(-dof/2):
    monotonous in r, solved by bisection.
    """
    width = along[:, None] * np.cos(_PHASE) ** 2 + across[:, None] * np.sin(_PHASE) ** 2
    low = np.zeros(len(along))
    # The radius of the rounder distribution with both variances the larger one.
    high = np.sqrt(np.maximum(along, across) * dof * ((1 - fraction) ** (-2 / dof) - 1))
    nu = dof[:, None]
    for _ in range(40):
        middle = 0.5 * (low + high)
        tail = np.exp(-0.5 * nu * np.log1p(middle[:, None] ** 2 / (nu * width))).mean(axis=1)
        outside = tail > 1 - fraction
        low = np.where(outside, middle, low)
        high = np.where(outside, high, middle)
    return np.asarray(0.5 * (low + high))
