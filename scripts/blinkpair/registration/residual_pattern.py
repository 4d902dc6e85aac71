"""Patterns in the residuals of a registration: what the transform leaves over beside noise.

Another magnification, a strained sample or lens distortion moves every place a little differently
from the transform. The residuals of the matches then form a smooth pattern. Two groups of fields
describe it, each of which is compared with the residuals without it by an F test:

- a scale, two shears, and what a lens leaves. One that moves a place y, counted from the middle of
  the image, by k |y|^2 y moves it in both images; after a shift by t the difference remains,
  k (|y + t|^2 (y + t) - |y|^2 y), which is of second order in y.
- all fields of second order, and the radial one of third order.

Input: matched points and their residuals. Output: the pattern as coefficients, its values and
their variance anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from blinkpair.arrays import FloatArray

# Level of the test by which a pattern enters the stated error, and by which it is reported.
STATED_LEVEL, REPORTED_LEVEL = 0.05, 1e-3
# Of the fields of `_fields` the first are the motion itself, then a scale and two shears.
MOTION, LINEAR, ALL = 3, 6, 13
# After a smaller shift a lens leaves no pattern.
SMALLEST_SHIFT_PX = 1.0


@dataclass(frozen=True)
class Pattern:
    """A pattern in residuals.

    Attributes
    ----------
    coefficients
        (13,) of the fields, in pixels.
    covariance_px2
        (13, 13) of the coefficients, from the residuals beside the pattern.
    n_fields
        Number of them that were fitted.
    p_value
        Of the F test against no pattern.
    variance_px2
        Variance per axis of the residuals beside it.
    dof
        Degrees of freedom behind that variance.
    """

    coefficients: FloatArray
    covariance_px2: FloatArray
    n_fields: int
    p_value: float
    variance_px2: float
    dof: int


def pattern_at(
    xy: FloatArray, centre: FloatArray, length_px: float, coefficients: FloatArray
) -> FloatArray:
    """Return the (n, 2) displacement that a transform leaves over, in pixels.

    Parameters
    ----------
    xy
        (n, 2) places in pre pixels.
    centre, length_px
        Origin and unit of the pattern's coordinates: centroid and root-mean-square distance of the
        matches to it.
    coefficients
        (13,) of the fields, in pixels.
    """
    return np.asarray(np.einsum("ncf,f->nc", _fields((xy - centre) / length_px), coefficients))


def pattern_variance(
    xy: FloatArray, centre: FloatArray, length_px: float, covariance_px2: FloatArray
) -> FloatArray:
    """Return the (n,) variance of `pattern_at`, both axes together, in square pixels.

    Parameters are those of `pattern_at`; `covariance_px2` is (13, 13), of the coefficients.
    """
    fields = _fields((xy - centre) / length_px)
    return np.asarray(np.einsum("ncf,fg,ncg->n", fields, covariance_px2, fields))


def find_pattern(
    xy: FloatArray,
    residual: FloatArray,
    weights: FloatArray | None,
    *,
    free_scale: bool,
    middle: FloatArray,
    shift: FloatArray,
    shared: float = 1.0,
) -> Pattern | None:
    """Return the pattern of residuals, or None where they show none.

    Parameters
    ----------
    xy
        (n, 2) places of the matches, pixels before annealing.
    residual
        (n, 2) what the transform leaves over there, turned back to the orientation before.
    weights
        (n,) inverse variances that the fit used; default: equal.
    free_scale
        True where the transform has fitted the scale.
    middle
        (2,) middle of the image before, the axis of the lens.
    shift
        (2,) how far the axis of the lens moved over the sample, in the orientation before.
    shared
        So many residuals are as good as one independent one.
    """
    n = len(xy)
    w = np.ones(n) if weights is None else weights / weights.mean()
    centre = w @ xy / n
    length = float(np.sqrt(w @ ((xy - centre) ** 2).sum(axis=1) / n))
    if not length > 0:
        return None
    root = np.sqrt(np.repeat(w, 2))
    fields = _fields((xy - centre) / length).reshape(2 * n, -1) * root[:, None]
    target = residual.reshape(-1) * root
    fitted = MOTION + free_scale
    unity = np.eye(ALL)
    groups = [unity[:, :fitted], unity[:, :LINEAR], unity]
    if np.hypot(*shift) > SMALLEST_SHIFT_PX:
        groups[1] = np.column_stack([groups[1], _lens((middle - centre) / length, shift / length)])
    best, p_value, size, rest = None, 1.0, 0, 0.0
    for group in groups:
        more, dof = group.shape[1] - size, 2 * n - group.shape[1]
        if size and dof < more:
            break
        design = fields @ group
        coefficients = np.linalg.lstsq(design, target, rcond=None)[0]
        squares = float(((target - design @ coefficients) ** 2).sum())
        if size:
            gain = max(rest - squares, 0.0) / more
            variance = max(squares / dof, 1e-12) * shared
            p = float(fdtrc(more, dof / shared, gain / variance))
            if p >= STATED_LEVEL:
                continue
            p_value = min(p_value, p)
            inverse = group @ np.linalg.pinv(design)
            covariance = inverse @ inverse.T * (squares / dof) * shared
            best = Pattern(
                group @ coefficients, covariance, group.shape[1], p_value, squares / dof, dof
            )
        size, rest = group.shape[1], squares
    return best


def _lens(middle: FloatArray, shift: FloatArray) -> FloatArray:
    """Return the (13,) coefficients of what a lens leaves after a shift, in units of the length."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 4)] * 2), axis=-1).reshape(-1, 2)
    here, there = grid - middle, grid - middle + shift
    left = there * (there**2).sum(axis=1)[:, None] - here * (here**2).sum(axis=1)[:, None]
    fields = _fields(grid).reshape(-1, ALL)
    coefficients = np.linalg.lstsq(fields, left.reshape(-1), rcond=None)[0]
    return np.asarray(coefficients / np.linalg.norm(coefficients))


def _fields(uv: FloatArray) -> FloatArray:
    """Return the (n, 2, 13) fields at places in units of the pattern's length."""
    u, v = uv.T
    one, none = np.ones_like(u), np.zeros_like(u)
    radius2 = u**2 + v**2
    pairs = [
        (one, none),
        (none, one),
        (-v, u),
        (u, v),
        (u, -v),
        (v, u),
        *((m, none) for m in (u * u, u * v, v * v)),
        *((none, m) for m in (u * u, u * v, v * v)),
        (radius2 * u, radius2 * v),
    ]
    return np.stack([np.column_stack(pair) for pair in pairs], axis=-1)
