"""Fits of alike objects in an image: a centre, a profile and a slope of the background.

The profile is free and round, so that nothing is assumed about the sign or the form of the
contrast (by symmetry the centre and the profile are then estimated independently of each other,
which makes the centre as precise as if the profile were known), or one shared shape, round or not.

Input: an image, rough centres and a set of functions of the place relative to the centre. Output:
refined centres with their errors and the profiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import ndimage

from blinkpair.arrays import BoolArray, FloatArray, IntArray

TABLE_PER_PX = 100
PATCH_PER_PX = 16


class Basis(Protocol):
    """K functions of the place relative to a centre, with which objects are drawn and fitted."""

    def at(self, dx: FloatArray, dy: FloatArray) -> FloatArray:
        """Return the values (..., K) at offsets from the centre, pixels."""
        ...

    def slopes(self, dx: FloatArray, dy: FloatArray, weights: FloatArray) -> FloatArray:
        """Return d/dx and d/dy, (n, p, 2), of the functions' sum with `weights` (n, K)."""
        ...


@dataclass(frozen=True)
class RadialFit:
    """Fits of n objects; image units, pixels.

    `xy` (n, 2) centres, `coefficients` (n, K) of the basis, `sigma_px` (n,) standard error of a
    coordinate (from the residuals), `signal` and `residual` (n,) weighted sums of squares of the
    profile about its mean and of what the fit leaves, `weight` (n,) the number of pixels.
    """

    xy: FloatArray
    coefficients: FloatArray
    sigma_px: FloatArray
    signal: FloatArray
    residual: FloatArray
    weight: FloatArray


def _cubic_b_spline(u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Uniform cubic B-spline centred on 0, and its derivative."""
    a = np.abs(u)
    near, far = a < 1, (a >= 1) & (a < 2)
    tail = 2 - a
    value = np.where(near, 2 / 3 - a**2 + a**3 / 2, np.where(far, tail**3 / 6, 0.0))
    slope = np.where(near, -2 * a + 1.5 * a**2, np.where(far, -(tail**2) / 2, 0.0))
    return value, slope * np.sign(u)


@dataclass(frozen=True)
class RoundBasis:
    """Functions of the distance by look-up, as they are evaluated for every pixel of every object.

    `values` and `derivatives` (n, K) are those at distances in steps of 1 / TABLE_PER_PX; the last
    row holds for all larger distances.
    """

    values: FloatArray
    derivatives: FloatArray

    def at(self, dx: FloatArray, dy: FloatArray) -> FloatArray:
        """Return the values (..., K) at offsets from the centre, pixels."""
        return np.asarray(self.values[self._row(np.hypot(dx, dy))])

    def at_distance(self, distance_px: FloatArray) -> FloatArray:
        """Return the values (..., K) at distances from the centre."""
        return np.asarray(self.values[self._row(distance_px)])

    def slopes(self, dx: FloatArray, dy: FloatArray, weights: FloatArray) -> FloatArray:
        """Return d/dx and d/dy, (n, p, 2), of the functions' sum with `weights` (n, K)."""
        distance = np.hypot(dx, dy)
        outwards = np.einsum("npk,nk->np", self.derivatives[self._row(distance)], weights)
        outwards /= np.maximum(distance, 1e-9)
        return np.stack([outwards * dx, outwards * dy], axis=-1)

    def _row(self, distance_px: FloatArray) -> IntArray:
        nearest = (distance_px * TABLE_PER_PX + 0.5).astype(np.int64)
        return np.minimum(nearest, len(self.values) - 1)


@dataclass(frozen=True)
class PatchBasis:
    """A shape of any symmetry, by look-up, and a constant.

    `table` (rows, columns, 3) holds its value and its slopes along x and y at steps of
    1 / PATCH_PER_PX about the centre; the shape is zero beyond.
    """

    table: FloatArray

    @classmethod
    def of(cls, patch: FloatArray) -> PatchBasis:
        """Return the shape of a patch of pixels of odd size, centred, that is zero at its rim."""
        half = len(patch) // 2
        fine = half + np.arange(-half * PATCH_PER_PX, half * PATCH_PER_PX + 1) / PATCH_PER_PX
        shape = ndimage.map_coordinates(patch, np.meshgrid(fine, fine, indexing="ij"), order=3)
        along_y, along_x = np.gradient(shape, 1 / PATCH_PER_PX)
        table = np.stack([shape, along_x, along_y], axis=-1)
        table[[0, -1]] = table[:, [0, -1]] = 0
        return cls(table)

    def at(self, dx: FloatArray, dy: FloatArray) -> FloatArray:
        """Return the values (..., 2) at offsets from the centre, pixels."""
        shape = self._rows(dx, dy)[..., 0]
        return np.stack([shape, np.ones_like(shape)], axis=-1)

    def slopes(self, dx: FloatArray, dy: FloatArray, weights: FloatArray) -> FloatArray:
        """Return d/dx and d/dy, (n, p, 2), of the functions' sum with `weights` (n, 2)."""
        return np.asarray(self._rows(dx, dy)[..., 1:] * weights[:, None, :1])

    def _rows(self, dx: FloatArray, dy: FloatArray) -> FloatArray:
        last = len(self.table) - 1
        row, column = (
            np.clip((offset * PATCH_PER_PX + (last / 2 + 0.5)).astype(np.int64), 0, last)
            for offset in (dy, dx)
        )
        return np.asarray(self.table[row, column])


def spline_basis(radius_px: float, spacing_px: float) -> RoundBasis:
    """Even cubic splines of the distance, knots every `spacing_px` from 0 to beyond `radius_px`."""
    knots = np.arange(int(np.ceil(radius_px / spacing_px)) + 2)
    u = np.arange(0, radius_px + 3, 1 / TABLE_PER_PX)[:, None] / spacing_px
    value, slope = _cubic_b_spline(u - knots)
    # A radial profile is even in r: each knot is paired with its mirror image.
    mirrored, mirrored_slope = _cubic_b_spline(u + knots)
    mirrored[:, 0] = mirrored_slope[:, 0] = 0
    return RoundBasis(value + mirrored, (slope + mirrored_slope) / spacing_px)


def shape_basis(basis: RoundBasis, shape: FloatArray, radius_px: float) -> RoundBasis:
    """Return one shared profile, zero at and beyond `radius_px`, plus a constant."""
    steps = int(np.ceil(radius_px * TABLE_PER_PX)) + 1
    values, slopes = basis.values[:steps] @ shape, basis.derivatives[:steps] @ shape
    values -= values[-1]
    values[-1] = slopes[-1] = 0
    return RoundBasis(
        np.stack([values, np.ones(steps)], axis=-1), np.stack([slopes, np.zeros(steps)], axis=-1)
    )


def windows(image: FloatArray, corners: IntArray, size: int) -> tuple[FloatArray, BoolArray]:
    """Square windows (n, size, size) with top-left pixels `corners` (x, y), and what lies inside.

    Pixels outside the image, and not finite ones, come as 0 and False.
    """
    offset = np.arange(size)
    columns = corners[:, 0, None] + offset
    rows = corners[:, 1, None] + offset
    in_x = (columns >= 0) & (columns < image.shape[1])
    in_y = (rows >= 0) & (rows < image.shape[0])
    values = image[
        np.clip(rows, 0, image.shape[0] - 1)[:, :, None],
        np.clip(columns, 0, image.shape[1] - 1)[:, None, :],
    ]
    inside = in_y[:, :, None] & in_x[:, None, :] & np.isfinite(values)
    return np.where(inside, values, 0.0), inside


def draw(
    shape: tuple[int, int],
    basis: Basis,
    xy: FloatArray,
    coefficients: FloatArray,
    radius_px: float,
) -> FloatArray:
    """Sum of the profiles (first coefficient times first function) on an image of zeros."""
    image = np.zeros(shape)
    half = int(np.ceil(radius_px)) + 1
    corners = np.rint(xy).astype(np.int64) - half
    for (x0, y0), centre, coefficient in zip(corners, xy, coefficients, strict=True):
        xs = np.arange(max(x0, 0), min(x0 + 2 * half + 1, shape[1]))
        ys = np.arange(max(y0, 0), min(y0 + 2 * half + 1, shape[0]))
        if len(xs) and len(ys):
            dx, dy = xs - centre[0], (ys - centre[1])[:, None]
            image[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1] += (
                coefficient[0] * basis.at(dx, dy)[..., 0]
            )
    return image


def fit_centres(
    image: FloatArray,
    xy: FloatArray,
    basis: Basis,
    *,
    radius_px: float,
    own: tuple[Basis, FloatArray] | None = None,
    iterations: int = 6,
    max_step_px: float = 0.5,
) -> RadialFit:
    """Least squares for centre, profile and a linear background within `radius_px`.

    Gauss-Newton: the profile's derivative along x and y are two more columns of the linear
    problem, whose coefficients are the step of the centre.

    Parameters
    ----------
    image : ndarray (rows, columns)
        Image; not finite pixels are left out.
    xy : ndarray (n, 2)
        Rough centres, within about half the width of the profile's features.
    basis : Basis
        Functions that make up the profile (they include a constant).
    own : (basis, coefficients), optional
        Where `image` is a residual, the model at `xy` to add back to each object's window.
    """
    n = len(xy)
    half = int(np.ceil(radius_px)) + 2
    corners = np.rint(xy).astype(np.int64) - half
    values, inside = windows(image, corners, 2 * half + 1)
    offset = np.arange(2 * half + 1)
    # Only pixels the disc can reach: the centre moves by little more than a pixel.
    disc = np.hypot(offset - half, (offset - half)[:, None]) <= radius_px + 2
    grid_x = corners[:, 0, None] + np.broadcast_to(offset, disc.shape)[disc]
    grid_y = corners[:, 1, None] + np.broadcast_to(offset[:, None], disc.shape)[disc]
    data, available = values[:, disc], inside[:, disc]
    if own is not None:
        drawn = own[0].at(grid_x - xy[:, :1], grid_y - xy[:, 1:])[..., 0]
        data = data + np.where(available, own[1][:, :1] * drawn, 0.0)

    centre = xy.astype(float).copy()
    solution = np.empty((n, 0))
    for iteration in range(iterations + 1):
        dx, dy = grid_x - centre[:, :1], grid_y - centre[:, 1:]
        weight = available * np.clip(radius_px + 0.5 - np.hypot(dx, dy), 0, 1)
        functions = basis.at(dx, dy)
        plane = np.stack([dx, dy], axis=-1) / radius_px
        linear = np.concatenate([functions, plane], axis=-1)
        if iteration in (0, iterations):
            solution, _ = _solve(linear, data, weight)
        full = np.concatenate(
            [linear, -basis.slopes(dx, dy, solution[:, : functions.shape[-1]])], axis=-1
        )
        full_solution, inverse = _solve(full, data, weight)
        if iteration == iterations:
            break
        centre += np.clip(full_solution[:, -2:], -max_step_px, max_step_px)
        solution = full_solution[:, :-2]

    k = functions.shape[-1]
    model = np.einsum("npk,nk->np", linear, solution)
    profile = np.einsum("npk,nk->np", functions, solution[:, :k])
    pixels = weight.sum(axis=1)
    mean = (weight * profile).sum(axis=1) / np.maximum(pixels, 1)
    signal = (weight * (profile - mean[:, None]) ** 2).sum(axis=1)
    residual = (weight * (data - model) ** 2).sum(axis=1)
    variance = residual / np.maximum(pixels - full.shape[-1], 1)
    spread = np.maximum(inverse[:, -1, -1] + inverse[:, -2, -2], 0) / 2
    return RadialFit(centre, solution[:, :k], np.sqrt(variance * spread), signal, residual, pixels)


def _solve(
    columns: FloatArray, data: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weighted least squares for n problems at once: solutions (n, K), inverse normal matrices."""
    weighted = columns * weight[..., None]
    normal = np.matmul(weighted.transpose(0, 2, 1), columns)
    right = np.matmul(weighted.transpose(0, 2, 1), data[..., None])
    # A ridge far below the data's weight, for functions with no pixel under them.
    size = normal.shape[-1]
    scale = np.trace(normal, axis1=1, axis2=2)[:, None, None] / size
    inverse = np.linalg.inv(normal + (1e-7 * scale + 1e-12) * np.eye(size))
    return np.matmul(inverse, right)[..., 0], inverse
