"""Rigid and similarity transforms between two sets of paired points.

A mirror image is never a result: neither the microscope nor the flow cell can turn a sample over.

The search applies transforms by the functions below, as one registration of 15 points does so 80
times: `skimage.transform.SimilarityTransform` takes 0.07 ms a call in place of 0.01 ms, needs 0.5 s
more to be imported where a step uses nothing of scipy, and its scale differs in the last bit in one
of six matrices. Its points, inverse and rotation are equal to the bit: `Registration.transform` is
one of that type.

Input: corresponding points, (n, 2) arrays of x, y in pixels. Output: a 3x3 matrix acting on
columns (x, y, 1), or the numbers it is made of.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError

Model = Literal["rigid", "similarity"]
MODELS: tuple[Model, ...] = ("rigid", "similarity")


def check_model(model: str) -> None:
    """Raise :class:`InputError` unless `model` is one of `MODELS`."""
    if model not in MODELS:
        raise InputError(
            f"unknown transform model {model!r}",
            f"set registration: model to one of {', '.join(MODELS)}",
        )


def as_points(xy: npt.ArrayLike, name: str = "points") -> FloatArray:
    """Return `xy` as a float array of shape (n, 2), or raise :class:`InputError`.

    Parameters
    ----------
    xy
        n points, x and y in pixels. An empty list gives shape (0, 2).
    name
        What the points are, for the message.
    """
    try:
        points = np.array(xy, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"not a table of numbers ({error})", "pass an (n, 2) array of x, y", place=name
        ) from error
    if points.size == 0:
        return np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(
            f"shape {points.shape} is not (n, 2)", "pass one row a point, x then y", place=name
        )
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        raise InputError(
            f"{bad.size} positions are not finite numbers, the first in row {bad[0]}",
            "drop the detections whose fit did not converge",
            place=name,
        )
    return points


def apply_matrix(matrix: npt.ArrayLike, xy: npt.ArrayLike) -> FloatArray:
    """Return (n, 2) positions mapped by a 3x3 matrix whose last row is (0, 0, 1)."""
    m = np.asarray(matrix, dtype=np.float64)
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    return points @ m[:2, :2].T + m[:2, 2]


def fit_transform(
    pre_xy: npt.ArrayLike,
    post_xy: npt.ArrayLike,
    *,
    model: str = "rigid",
    weights: npt.ArrayLike | None = None,
) -> FloatArray:
    """Return the 3x3 least-squares matrix that takes `pre_xy` onto `post_xy`, row by row.

    In two dimensions the best proper rotation has a closed form: its angle is that of
    the complex number sum(w conj(p) q) over the centred points. This is the solution of
    Umeyama (IEEE PAMI 13, 376, 1991) restricted to det = +1, with weights, which
    `SimilarityTransform.from_estimate` does not take; a test compares the two at equal weights.

    Parameters
    ----------
    pre_xy, post_xy
        (n, 2) corresponding positions, n >= 2, in pixels.
    model
        'rigid' (rotation and translation) or 'similarity' (and one scale).
    weights
        (n,) non-negative weights, inverse variances for instance. Default: equal.

    Raises
    ------
    InputError
        Fewer than two pairs, unequal numbers, or pairs that all lie in one place.
    """
    check_model(model)
    pre = as_points(pre_xy, "pre points")
    post = as_points(post_xy, "post points")
    if len(pre) != len(post):
        raise InputError(
            f"{len(pre)} pre points against {len(post)} post points",
            "row i of one must correspond to row i of the other",
        )
    if len(pre) < 2:
        raise InputError(f"{len(pre)} pair(s) do not fix a rotation", "give at least two pairs")
    w = np.ones(len(pre)) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (len(pre),) or not np.isfinite(w).all() or (w < 0).any() or w.sum() <= 0:
        raise InputError(
            "weights must be one finite, non-negative number a pair, not all zero",
            "leave them out for equal weights",
        )
    w = w / w.sum()
    centre_pre, centre_post = w @ pre, w @ post
    p, q = pre - centre_pre, post - centre_post
    along = float(np.sum(w * (p * q).sum(axis=1)))
    across = float(np.sum(w * (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])))
    size = float(np.sum(w * (p * p).sum(axis=1)))
    strength = float(np.hypot(along, across))
    if size <= 1e-12 or strength <= 1e-12:
        raise InputError(
            "the pairs all lie in one place (or all weights but one are zero): they fix no "
            "rotation",
            "choose pairs far apart",
        )
    scale = strength / size if model == "similarity" else 1.0
    a, b = scale * along / strength, scale * across / strength
    rotation = np.array([[a, -b], [b, a]])
    matrix = np.eye(3)
    matrix[:2, :2] = rotation
    matrix[:2, 2] = centre_post - rotation @ centre_pre
    return matrix


def rotation_deg(matrix: npt.ArrayLike) -> float:
    """Return the rotation of a matrix in degrees, in (-180, 180]; +90 takes +x to +y."""
    m = np.asarray(matrix, dtype=np.float64)
    return float(np.degrees(np.arctan2(m[1, 0], m[0, 0])))


def scale_of(matrix: npt.ArrayLike) -> float:
    """Return the scale of a matrix; 1 for a rigid one."""
    m = np.asarray(matrix, dtype=np.float64)
    return float(np.hypot(m[0, 0], m[1, 0]))
