"""Sub-pixel positions of nanocrystals that blink while the sample drifts.

Every stretch is fitted at the position of the nanocrystal at that time; no image is resampled, so
an undersampled PSF (sigma 0.5 px) is not blurred or biased.

Input: mean images of the stretches of a movie, the drift, positions good to a pixel. Output:
positions at the first frame with their errors, the width of the PSF, and a drift refined on the
nanocrystals themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, vertex

MAX_DRIFT_ERROR_PX = 0.15  # of a stretch whose drift is refined
MAX_MOVE_PX = 1.5  # of a fit, per axis: farther away is a neighbour, or noise


@dataclass(frozen=True)
class Localisation:
    """Result of `localise`; n nanocrystals, S stretches.

    Attributes
    ----------
    xy : (n, 2) float
        Position at the first frame.
    error_px : (n,) float
        Standard error of x and of y (their root mean square); infinite where the fit moved
        `MAX_MOVE_PX` from its start.
    amplitude : (n, S) float
        Counts of the whole image of the nanocrystal, averaged over the stretch.
    """

    xy: FloatArray
    error_px: FloatArray
    amplitude: FloatArray


@dataclass(frozen=True)
class Windows:
    """Pixels around each nanocrystal in each stretch: values (n, S, h, h), indices (n, S, h)."""

    values: FloatArray
    columns: FloatArray
    rows: FloatArray
    inside: BoolArray


def cut_windows(
    images: NDArray[np.float32], xy: FloatArray, drift: FloatArray, half: int
) -> Windows:
    """Return the pixels up to `half` away from each nanocrystal at its place in each stretch."""
    _, height, width = images.shape
    centre = np.rint(xy[:, None, :] + drift[None, :, :]).astype(np.int64)
    span = np.arange(-half, half + 1)
    columns = centre[:, :, 0, None] + span
    rows = centre[:, :, 1, None] + span
    inside = (
        (columns[..., 0] >= 0)
        & (columns[..., -1] < width)
        & (rows[..., 0] >= 0)
        & (rows[..., -1] < height)
    )
    stretch = np.arange(images.shape[0])[None, :, None, None]
    values = images[
        stretch,
        np.clip(rows, 0, height - 1)[..., :, None],
        np.clip(columns, 0, width - 1)[..., None, :],
    ].astype(np.float64)
    return Windows(values, columns.astype(float), rows.astype(float), inside)


def pixel_profile(offset: FloatArray, sigma: float | FloatArray) -> FloatArray:
    """Return a Gaussian integrated over pixels at `offset` from its centre."""
    from scipy.special import ndtr

    return np.asarray(ndtr((offset + 0.5) / sigma) - ndtr((offset - 0.5) / sigma))


def _profile(offset: FloatArray, sigma: float) -> tuple[FloatArray, FloatArray]:
    """Return a Gaussian integrated over pixels at `offset` from its centre, and its derivative."""
    low, high = (offset - 0.5) / sigma, (offset + 0.5) / sigma
    density = np.exp(-0.5 * low**2) - np.exp(-0.5 * high**2)
    return pixel_profile(offset, sigma), density / (np.sqrt(2 * np.pi) * sigma)


def _fit_amplitudes(
    windows: Windows, drift: FloatArray, xy: FloatArray, sigma: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return amplitude and residual of each nanocrystal in each stretch by least squares.

    Returns amplitude (n, S), residual (n, S, h, h) and the model's derivatives by x and y.
    """
    gx, dgx = _profile(windows.columns - drift[None, :, 0, None] - xy[:, None, None, 0], sigma)
    gy, dgy = _profile(windows.rows - drift[None, :, 1, None] - xy[:, None, None, 1], sigma)
    shape = gy[..., :, None] * gx[..., None, :]
    flat_shape = shape - shape.mean(axis=(2, 3), keepdims=True)
    flat_values = windows.values - windows.values.mean(axis=(2, 3), keepdims=True)
    amplitude = (flat_shape * flat_values).sum(axis=(2, 3)) / (flat_shape**2).sum(axis=(2, 3))
    # A negative amplitude is noise around a nanocrystal that was off.
    amplitude = np.where(windows.inside, np.maximum(amplitude, 0.0), 0.0)
    residual = flat_values - amplitude[..., None, None] * flat_shape
    by_x = amplitude[..., None, None] * gy[..., :, None] * dgx[..., None, :]
    by_y = amplitude[..., None, None] * dgy[..., :, None] * gx[..., None, :]
    return amplitude, residual, by_x, by_y


def _half_width(psf_sigma_px: float) -> int:
    return max(2, int(np.ceil(2.2 * psf_sigma_px)))


def window_pixels(psf_sigma_px: float) -> int:
    """Return the number of pixels of the window around a nanocrystal."""
    return (2 * _half_width(psf_sigma_px) + 1) ** 2


def _step(
    residual: FloatArray, by_x: FloatArray, by_y: FloatArray, axes: tuple[int, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return the Gauss-Newton step and its variance, summed over `axes`."""
    xx = (by_x**2).sum(axis=axes)
    yy = (by_y**2).sum(axis=axes)
    xy = (by_x * by_y).sum(axis=axes)
    rx = (by_x * residual).sum(axis=axes)
    ry = (by_y * residual).sum(axis=axes)
    determinant = xx * yy - xy**2
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.stack([(yy * rx - xy * ry), (xx * ry - xy * rx)], axis=-1)
        step /= determinant[..., None]
        variance = 0.5 * (xx + yy) / determinant
    bad = ~(determinant > 0)
    step[bad] = 0.0
    variance = np.where(bad, np.inf, variance)
    return step, variance


def localise(
    images: NDArray[np.float32],
    weights: FloatArray,
    xy: FloatArray,
    drift: FloatArray,
    *,
    psf_sigma_px: float,
    iterations: int = 8,
) -> Localisation:
    """Return the fit of a pixel-integrated Gaussian to each nanocrystal in all stretches at once.

    Position is shared by all stretches, amplitude and background are each stretch's own, so that
    the stretches in which the nanocrystal was on determine the position.

    Parameters
    ----------
    images : (S, y, x) float32
    weights : (S,) float
        Inverse variance of a pixel of each stretch, in any unit (frames in the stretch).
    xy : (n, 2) float
        Positions at the first frame, right to about a pixel.
    drift : (S, 2) float
    psf_sigma_px : float
    """
    xy = np.array(xy, float).reshape(-1, 2)
    start = xy.copy()
    root = np.sqrt(weights / weights.mean())[None, :, None, None]
    windows = cut_windows(images, xy, drift, _half_width(psf_sigma_px))
    variance = np.full(len(xy), np.inf)
    amplitude = np.zeros((len(xy), len(images)))
    residual = np.zeros_like(windows.values)
    for _ in range(iterations):
        amplitude, residual, by_x, by_y = _fit_amplitudes(windows, drift, xy, psf_sigma_px)
        step, variance = _step(root * residual, root * by_x, root * by_y, (1, 2, 3))
        xy += np.clip(step, -0.5, 0.5)
        xy = start + np.clip(xy - start, -MAX_MOVE_PX, MAX_MOVE_PX)
    variance[(np.abs(xy - start) > MAX_MOVE_PX - 1e-6).any(axis=1)] = np.inf
    scatter = (root * residual).var(axis=(1, 2, 3))
    return Localisation(xy, np.sqrt(variance * scatter), amplitude)


def misfits(
    images: NDArray[np.float32],
    xy: FloatArray,
    drift: FloatArray,
    sigmas_px: FloatArray,
    *,
    reach_px: float,
) -> tuple[FloatArray, FloatArray]:
    """Return what fits with PSFs of several widths leave of the power around each nanocrystal.

    Parameters
    ----------
    images : (S, y, x) float32
    xy : (n, 2) float
    drift : (S, 2) float
    sigmas_px : (w,) float
    reach_px : float
        The windows are right for a PSF of this width.

    Returns
    -------
    power : (w, n, S) float
        Sum of the squared residuals of a window; `total` where it leaves the sensor.
    total : (n, S) float
        The same without a nanocrystal.
    """
    windows = cut_windows(images, xy, drift, _half_width(reach_px))
    flat = windows.values - windows.values.mean(axis=(2, 3), keepdims=True)
    total = (flat**2).sum(axis=(2, 3))
    power = np.empty((len(sigmas_px), *total.shape))
    for i, sigma in enumerate(sigmas_px):
        _, residual, _, _ = _fit_amplitudes(windows, drift, xy, float(sigma))
        power[i] = (residual**2).sum(axis=(2, 3))
    return power, total


def estimate_psf_sigma(
    images: NDArray[np.float32],
    weights: FloatArray,
    xy: FloatArray,
    drift: FloatArray,
    *,
    start_px: float,
) -> float:
    """Return the PSF's width with the least residual over (bright, isolated) nanocrystals."""
    grid = np.clip(start_px * np.geomspace(0.5, 2.0, 13), 0.4, 3.0)
    power, total = misfits(images, xy, drift, grid, reach_px=1.3 * start_px)
    share = weights / weights.mean()
    # Normalised per nanocrystal: the brightest ones would otherwise dominate.
    misfit = np.median((power @ share) / (total @ share), axis=1)
    best = int(np.clip(np.argmin(misfit), 1, grid.size - 2))
    shift = vertex(*(-misfit[best - 1 : best + 2]).tolist())
    ratio = grid[best + 1] / grid[best]
    return float(grid[best] * ratio ** float(np.clip(shift, -1, 1)))


def refine_drift(
    images: NDArray[np.float32],
    xy: FloatArray,
    drift: FloatArray,
    *,
    psf_sigma_px: float,
) -> tuple[FloatArray, BoolArray]:
    """Return each stretch's drift by which its nanocrystals fit best, by least squares.

    Returns
    -------
    drift : (S, 2) float
        Refined; a stretch keeps its value where the error is above `MAX_DRIFT_ERROR_PX`.
    refined : (S,) bool
    """
    windows = cut_windows(images, xy, drift, _half_width(psf_sigma_px))
    drift = drift.copy()
    good = np.zeros(len(drift), bool)
    for _ in range(3):
        _, residual, by_x, by_y = _fit_amplitudes(windows, drift, xy, psf_sigma_px)
        step, variance = _step(residual, by_x, by_y, (0, 2, 3))
        error = np.sqrt(variance * residual.var(axis=(0, 2, 3)))
        good = error < MAX_DRIFT_ERROR_PX
        drift[good] += np.clip(step[good], -0.5, 0.5)
    return drift, good
