"""Fits of alike objects in an image: a centre, a profile and a slope of the background.

The profile is free and round, so that nothing is assumed about the sign or the form of the
contrast (by symmetry the centre and the profile are then estimated independently of each other,
which makes the centre as precise as if the profile were known), or one shared shape, round or not.

Input: an image, rough centres and a set of functions of the place relative to the centre. Output:
refined centres with their errors and the profiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from scipy.interpolate import make_interp_spline

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.brightfield.fit_kernels import (
    PATCH_PER_PX,
    TABLE_PER_PX,
    draw_objects,
    fit_objects,
)

Tables = tuple[FloatArray, FloatArray, FloatArray]


class Basis(Protocol):
    """K functions of the place relative to a centre, with which objects are drawn and fitted."""

    def at(self, dx: FloatArray, dy: FloatArray) -> FloatArray:
        """Return the values (..., K) at offsets from the centre, pixels."""
        ...

    @property
    def tables(self) -> Tables:
        """Return values and derivatives over the distance, and a patch, as `fit_kernels` has."""
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

    @property
    def tables(self) -> Tables:
        """Return the tables of the kernels; the patch is empty."""
        return self.values, self.derivatives, np.empty((0, 0, 3))

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
        values, slopes = _enlargement(len(patch))
        table = np.empty((len(values), len(values), 3))
        along_x = patch @ values.T
        table[..., 0], table[..., 1] = values @ along_x, values @ (patch @ slopes.T)
        table[..., 2] = slopes @ along_x
        table[[0, -1]] = table[:, [0, -1]] = 0
        return cls(table)

    def at(self, dx: FloatArray, dy: FloatArray) -> FloatArray:
        """Return the values (..., 2) at offsets from the centre, pixels."""
        last = len(self.table) - 1
        row, column = (
            np.clip((offset * PATCH_PER_PX + (last / 2 + 0.5)).astype(np.int64), 0, last)
            for offset in (dy, dx)
        )
        shape = self.table[row, column, 0]
        return np.stack([shape, np.ones_like(shape)], axis=-1)

    @property
    def tables(self) -> Tables:
        """Return the tables of the kernels; those over the distance are empty."""
        return np.empty((0, 2)), np.empty((0, 2)), self.table


@cache
def _enlargement(n: int) -> tuple[FloatArray, FloatArray]:
    """Return the matrices from n pixels to a cubic spline and its slopes, at all fine places."""
    spline = make_interp_spline(np.arange(n), np.eye(n))
    fine = np.linspace(0, n - 1, (n - 1) * PATCH_PER_PX + 1)
    return spline(fine), spline(fine, 1)


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


def draw(
    shape: tuple[int, int],
    basis: Basis,
    xy: FloatArray,
    amplitude: FloatArray,
    radius_px: float,
) -> FloatArray:
    """Return an image of zeros with the first function, times an amplitude (n,), at each centre."""
    image = np.zeros(shape)
    values, _, patch = basis.tables
    draw_objects(image, xy, amplitude, values, patch, radius_px + 1)
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
    own : (basis, amplitude), optional
        Where `image` is a residual: the model's basis, and the amplitudes (n,) of its first
        function at `xy`, to be added back to each object's window.
    """
    n = len(xy)
    centres, sums = np.empty((n, 2)), np.empty((n, 4))
    coefficients = np.empty((n, basis.tables[0].shape[1]))
    drawn, amplitude = own or (basis, np.zeros(n))
    own_values, _, own_patch = drawn.tables
    fit_objects(
        image, np.asarray(xy, float), *basis.tables, own_values, own_patch, amplitude, radius_px,
        iterations, max_step_px, centres, coefficients, sums,
    )  # fmt: skip
    variance, signal, residual, pixels = sums.T
    return RadialFit(centres, coefficients, np.sqrt(variance), signal, residual, pixels)
