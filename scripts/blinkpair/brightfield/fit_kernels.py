"""The inner loops of `radial_fit`, compiled.

A basis comes as three tables. Of round functions `values` and `derivatives` (rows, K) hold those
at distances in steps of 1 / TABLE_PER_PX, and `patch` is empty; of a shape of any symmetry `patch`
(rows, columns, 3) holds its value and its slopes along x and y in steps of 1 / PATCH_PER_PX, and
its second function is a constant.

Input: an image, centres and tables. Output: fitted centres and coefficients, or drawn objects.
"""

from __future__ import annotations

import math

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.compiled import njit

TABLE_PER_PX = 100
PATCH_PER_PX = 16


@njit()
def _row(dx: float, dy: float, rows: int) -> int:
    return min(int(math.sqrt(dx * dx + dy * dy) * TABLE_PER_PX + 0.5), rows - 1)


@njit()
def _cell(offset: float, last: int) -> int:
    return min(max(int(offset * PATCH_PER_PX + (last / 2 + 0.5)), 0), last)


@njit()
def _around(centre: float, half: int, size: int) -> tuple[int, int, int]:
    """Return the pixel of a centre, and the range within a distance of it along one axis."""
    middle = int(np.rint(centre))
    return middle, max(middle - half, 0), min(middle + half + 1, size)


@njit()
def _first(dx: float, dy: float, values: FloatArray, patch: FloatArray) -> float:
    """Return the first function at an offset."""
    if len(patch):
        return patch[_cell(dy, len(patch) - 1), _cell(dx, len(patch) - 1), 0]
    return values[_row(dx, dy, len(values)), 0]


@njit()
def _fill_functions(
    at: FloatArray,
    cx: float,
    cy: float,
    radius: float,
    values: FloatArray,
    patch: FloatArray,
    columns: FloatArray,
    weight: FloatArray,
) -> None:
    """Write the K functions and a plane at each pixel, and its weight in the disc."""
    k, last = len(columns) - 4, len(patch) - 1
    for p in range(len(at)):
        dx, dy = at[p, 0] - cx, at[p, 1] - cy
        weight[p] = min(max(radius + 0.5 - math.sqrt(dx * dx + dy * dy), 0.0), 1.0)
        if last >= 0:
            columns[0, p], columns[1, p] = patch[_cell(dy, last), _cell(dx, last), 0], 1.0
        else:
            row = _row(dx, dy, len(values))
            for i in range(k):
                columns[i, p] = values[row, i]
        columns[k, p], columns[k + 1, p] = dx / radius, dy / radius


@njit()
def _fill_slopes(
    at: FloatArray,
    cx: float,
    cy: float,
    derivatives: FloatArray,
    patch: FloatArray,
    factors: FloatArray,
    columns: FloatArray,
) -> None:
    """Write -d/dx and -d/dy of the sum of the functions times their factors at each pixel."""
    k, last = len(columns) - 4, len(patch) - 1
    for p in range(len(at)):
        dx, dy = at[p, 0] - cx, at[p, 1] - cy
        if last >= 0:
            row, column = _cell(dy, last), _cell(dx, last)
            columns[k + 2, p] = -patch[row, column, 1] * factors[0]
            columns[k + 3, p] = -patch[row, column, 2] * factors[0]
        else:
            row = _row(dx, dy, len(derivatives))
            outwards = 0.0
            for i in range(k):
                outwards -= derivatives[row, i] * factors[i]
            outwards /= max(math.sqrt(dx * dx + dy * dy), 1e-9)
            columns[k + 2, p], columns[k + 3, p] = outwards * dx, outwards * dy


@njit()
def _solve(
    columns: FloatArray, weight: FloatArray, data: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the least-squares solution and the inverse of the normal matrix."""
    weighted = columns * weight
    normal = weighted @ columns.T
    size = len(columns)
    # A ridge far below the data's weight, for functions with no pixel under them.
    ridge = 1e-7 * np.trace(normal) / size + 1e-12
    for i in range(size):
        normal[i, i] += ridge
    inverse = np.linalg.inv(normal).astype(np.float64)
    return inverse @ (weighted @ data), inverse


@njit()
def fit_objects(
    image: FloatArray,
    xy: FloatArray,
    values: FloatArray,
    derivatives: FloatArray,
    patch: FloatArray,
    own_values: FloatArray,
    own_patch: FloatArray,
    own_amplitude: FloatArray,
    radius: float,
    iterations: int,
    max_step: float,
    centres: FloatArray,
    coefficients: FloatArray,
    sums: FloatArray,
) -> None:
    """Fit each object by itself; see `radial_fit.fit_centres`.

    `centres` (n, 2), `coefficients` (n, K) and `sums` (n, 4) are written: the latter are the
    squared standard error of a coordinate, and the weighted sums of squares of the profile, of the
    residual, and of the pixels.
    """
    k = coefficients.shape[1]
    full = k + 4
    half = int(np.ceil(radius)) + 2
    most = (2 * half + 1) ** 2
    at_all, data_all, weight_all = np.empty((most, 2)), np.empty(most), np.empty(most)
    columns_all = np.empty(full * most)
    for n in range(len(xy)):
        # Only pixels that the disc can reach: the centre moves by little more than a pixel.
        x0, left, right = _around(xy[n, 0], half, image.shape[1])
        y0, top, bottom = _around(xy[n, 1], half, image.shape[0])
        count = 0
        for y in range(top, bottom):
            for x in range(left, right):
                if (x - x0) ** 2 + (y - y0) ** 2 > (radius + 2) ** 2:
                    continue
                if not np.isfinite(image[y, x]):
                    continue
                at_all[count, 0], at_all[count, 1], data_all[count] = x, y, image[y, x]
                if own_amplitude[n] != 0.0:
                    own = _first(x - xy[n, 0], y - xy[n, 1], own_values, own_patch)
                    data_all[count] += own_amplitude[n] * own
                count += 1
        at, data, weight = at_all[:count], data_all[:count], weight_all[:count]
        columns = columns_all[: full * count].reshape(full, count)
        cx, cy = xy[n, 0], xy[n, 1]
        linear = np.zeros(k + 2)
        factors, inverse = linear, np.zeros((full, full))
        for iteration in range(iterations + 1):
            last = iteration == iterations
            _fill_functions(at, cx, cy, radius, values, patch, columns, weight)
            if iteration == 0 or last:
                linear, _ = _solve(columns[: k + 2], weight, data)
                factors = linear
            _fill_slopes(at, cx, cy, derivatives, patch, factors, columns)
            solution, inverse = _solve(columns, weight, data)
            if not last:
                cx += min(max(solution[k + 2], -max_step), max_step)
                cy += min(max(solution[k + 3], -max_step), max_step)
                factors = solution
        profile = linear[:k] @ columns[:k]
        residuals = data - profile - linear[k:] @ columns[k : k + 2]
        pixels = max(weight.sum(), 1.0)
        mean = (weight * profile).sum() / pixels
        residual = (weight * residuals**2).sum()
        centres[n, 0], centres[n, 1] = cx, cy
        for i in range(k):  # a slice at once compiles numba's check of shapes
            coefficients[n, i] = linear[i]
        variance = residual / max(pixels - full, 1.0)
        spread = max(inverse[full - 1, full - 1] + inverse[full - 2, full - 2], 0.0) / 2
        sums[n, 0] = variance * spread
        sums[n, 1] = (weight * (profile - mean) ** 2).sum()
        sums[n, 2], sums[n, 3] = residual, weight.sum()


@njit()
def draw_objects(
    image: FloatArray,
    xy: FloatArray,
    amplitude: FloatArray,
    values: FloatArray,
    patch: FloatArray,
    reach: float,
) -> None:
    """Add the first function, times an amplitude, around every centre to an image."""
    half = int(np.ceil(reach))
    for n in range(len(xy)):
        _, left, right = _around(xy[n, 0], half, image.shape[1])
        _, top, bottom = _around(xy[n, 1], half, image.shape[0])
        for y in range(top, bottom):
            for x in range(left, right):
                dx, dy = x - xy[n, 0], y - xy[n, 1]
                if dx * dx + dy * dy <= reach * reach:
                    image[y, x] += amplitude[n] * _first(dx, dy, values, patch)
