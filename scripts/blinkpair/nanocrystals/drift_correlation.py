"""Displacements of the stretches of a movie, by correlating each with the aligned mean of all.

Input: mean images of the stretches without background, and their noise. Output: a displacement of
each, and whether its correlation has a significant peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, vertex
from blinkpair.cores import usable_cores

# A peak of a correlation of noise with noise, the highest of ~2,000 lags, is at 3.5 sigma;
# at 6 sigma fewer than one stretch in a hundred thousand passes by chance.
MIN_PEAK_SIGMAS = 6.0
MAX_DRIFT_PX = 20.0  # the largest displacement between two stretches that is looked for
# What is wider than this many PSFs may be a haze that stays with the camera. It is left out:
# otherwise the drift is measured too small.
WIDE_PSFS = 4.0
LINEAR_NOISES = 4.0  # of a stretch; larger counts are compressed
# The pixels' own offsets stay with the camera, too. Where fewer than the second number (a share) of
# the pixels are above the first (noises), they outweigh the nanocrystals, and the drift is measured
# again without counts below the third (noises).
BRIGHT_NOISES, FEW_BRIGHT, NOISES_LEFT_OUT = 5.0, 0.005, 2.5
# Such a drift replaces the other one if it aligns the stretches better by this factor in power:
# simulated, 1.03 to 2.2 where the sample moved by 2 px or more, at most 1.02 by 1 px or less.
SHARPER = 1.03
# A stretch farther than this from the median of those around it shows no motion: of few
# nanocrystals one was taken for another.
MAX_DEVIATION_PX, MEDIAN_OF = 3.0, 5
EDGE_PX = 8  # faded out: a step from one edge to the opposite one stays with the camera
ITERATIONS = 3  # how often the reference is rebuilt from the aligned stretches


def has_few_bright_pixels(flat_stretches: NDArray[np.float32], noise: NDArray[np.float32]) -> bool:
    """Return whether so few pixels are bright that fixed offsets of pixels outweigh them.

    Parameters
    ----------
    flat_stretches : (S, y, x) float32
        Mean images without background, counts.
    noise : (S,) float32
        Of a pixel of each, counts.
    """
    shares = [
        float(np.mean(flat > BRIGHT_NOISES * own))
        for flat, own in zip(flat_stretches, noise, strict=True)
    ]
    return bool(np.median(shares) < FEW_BRIGHT)


@dataclass(frozen=True)
class Spectra:
    """Spectra of the stretches, in which weak nanocrystals count nearly as much as bright ones.

    Attributes
    ----------
    values : (S, y, kx) complex64
    shape : (y, x) of an image.
    """

    values: NDArray[np.complex64]
    shape: tuple[int, int]

    def shifted(self, s: int, by: FloatArray) -> NDArray[np.complex64]:
        """Return the spectrum of a stretch displaced by (x, y) pixels."""
        from scipy import fft

        ky = fft.fftfreq(self.shape[0])[:, None].astype(np.float32)
        kx = fft.rfftfreq(self.shape[1])[None, :].astype(np.float32)
        return np.asarray(self.values[s] * _shift(ky, kx, by))

    def mean(self, xy: FloatArray) -> NDArray[np.complex64]:
        """Return that of the mean of all, aligned by their displacements."""
        total = np.zeros_like(self.values[0])
        for s, own in enumerate(xy):
            total += self.shifted(s, -own) / len(xy)
        return total

    def sharpness(self, xy: FloatArray) -> float:
        """Return the power of that mean: the better the alignment, the more."""
        return float(np.sum(np.abs(self.mean(xy)) ** 2))


def spectra_of(
    flat_stretches: NDArray[np.float32],
    noise: NDArray[np.float32],
    psf_sigma_px: float,
    *,
    without_noise: bool = False,
) -> Spectra:
    """Return the spectra of the stretches.

    Parameters
    ----------
    flat_stretches, noise
        As in `has_few_bright_pixels`.
    psf_sigma_px : float
    without_noise : bool
        Take counts above `NOISES_LEFT_OUT` noises only.
    """
    from concurrent.futures import ThreadPoolExecutor

    from scipy import fft
    from scipy.ndimage import fourier_gaussian, uniform_filter

    left_out = NOISES_LEFT_OUT if without_noise else 0.0
    n, height, width = flat_stretches.shape
    spectra = np.empty((n, height, width // 2 + 1), np.complex64)
    band = fourier_gaussian(np.ones(spectra.shape[1:], np.float32), psf_sigma_px, n=width)
    band -= fourier_gaussian(band, WIDE_PSFS * psf_sigma_px, n=width)
    box_px = round(np.sqrt(12) * WIDE_PSFS * psf_sigma_px)  # as wide as a Gaussian of that sigma
    rows, columns = (_faded(length) for length in (height, width))

    def transform(s: int) -> None:
        narrow = flat_stretches[s]
        for _ in range(2):
            narrow = narrow - uniform_filter(narrow, box_px)
        narrow = np.maximum(narrow - left_out * noise[s], 0.0)
        # Two logarithms: with one, a weak nanocrystal in one stretch was matched with another one,
        # 30 times as bright, that is off in this stretch.
        level = np.log1p(np.log1p(narrow / max(LINEAR_NOISES * noise[s], 1e-9)))
        spectra[s] = fft.rfft2(level * rows[:, None] * columns) * band

    with ThreadPoolExecutor(usable_cores(2)) as pool:
        list(pool.map(transform, range(n)))
    return Spectra(spectra, (height, width))


def place(
    spectra: Spectra, centre_frame: FloatArray, *, without_leaps: bool = False
) -> tuple[FloatArray, BoolArray]:
    """Return the displacement of each stretch, and whether its correlation has a significant peak.

    Parameters
    ----------
    spectra : Spectra
        Of S stretches.
    centre_frame : (S,) float
    without_leaps : bool
        Take stretches far from those around them as not measured (`MAX_DEVIATION_PX`).

    Returns
    -------
    xy : (S, 2) float
        Displacement from the mean of all, pixels; interpolated where there is no peak.
    significant : (S,) bool
    """
    from concurrent.futures import ThreadPoolExecutor

    from scipy import fft

    n, (height, width) = len(spectra.values), spectra.shape
    xy = np.zeros((n, 2))
    significant = np.zeros(n, bool)
    reach = int(min(MAX_DRIFT_PX, height / 2 - 2, width / 2 - 2))
    quarter = max(1, n // 4)
    reference = spectra.values[(n - quarter) // 2 : (n + quarter) // 2 + 1].mean(axis=0)
    follows = False  # whether the reference contains each stretch, which then is taken out of it

    def place_one(s: int) -> None:
        own = spectra.shifted(s, -xy[s]) / n if follows else 0.0
        correlation = fft.irfft2(spectra.values[s] * np.conj(reference - own), s=(height, width))
        xy[s], significant[s] = _peak(correlation, reach)

    with ThreadPoolExecutor(usable_cores(2)) as pool:
        for _ in range(ITERATIONS):
            list(pool.map(place_one, range(n)))
            if without_leaps and significant.any():
                significant[:] = _without_leaps(xy, significant)
            if not significant.any():
                xy[:] = 0.0
                break
            xy[:] = fill(centre_frame, xy, significant)
            reference = spectra.mean(xy)
            follows = True
    return xy, significant


def _without_leaps(xy: FloatArray, good: BoolArray) -> BoolArray:
    """Return which of the good stretches are near the median of those around them.

    Most of these must be near it, too: of noise in all directions it may be anywhere.
    """
    known = xy[good]
    width = min(MEDIAN_OF, len(known))
    own = np.arange(len(known))
    first = np.clip(own - width // 2, 0, len(known) - width)  # at an edge, the nearest ones inside
    around = known[first[:, None] + np.arange(width)]
    from_middle = around - np.median(around, axis=1, keepdims=True)
    close = np.hypot(from_middle[..., 0], from_middle[..., 1]) <= MAX_DEVIATION_PX
    near = good.copy()
    near[good] = close[own, own - first] & (close.sum(axis=1) > width // 2)
    return near


def _faded(length: int) -> NDArray[np.float32]:
    """Return weights of 1 that go to 0 over `EDGE_PX` at both ends."""
    from_edge = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1
    return np.sin(np.pi / 2 * np.minimum(from_edge / EDGE_PX, 1)).astype(np.float32) ** 2


def _shift(
    ky: NDArray[np.float32], kx: NDArray[np.float32], by: FloatArray
) -> NDArray[np.complex64]:
    """Return the phase ramp that displaces an image by (x, y) pixels."""
    ramp_y = np.exp(-2j * np.pi * ky * by[1]).astype(np.complex64)
    ramp_x = np.exp(-2j * np.pi * kx * by[0]).astype(np.complex64)
    return np.asarray(ramp_y * ramp_x)


def _peak(correlation: NDArray[np.float32], reach: int) -> tuple[FloatArray, bool]:
    """Return the sub-pixel place of the highest correlation, and whether it is significant."""
    window = np.roll(correlation, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    row, column = (int(v) for v in np.unravel_index(np.argmax(window), window.shape))
    centre = np.median(window)
    sigma = 1.4826 * np.median(np.abs(window - centre))
    stands_out = bool(window[row, column] - centre > MIN_PEAK_SIGMAS * sigma)
    row = int(np.clip(row, 1, 2 * reach - 1))
    column = int(np.clip(column, 1, 2 * reach - 1))
    dx, dy = (
        np.clip(vertex(*map(float, three)), -1, 1)
        for three in (window[row, column - 1 : column + 2], window[row - 1 : row + 2, column])
    )
    return np.array([column - reach + dx, row - reach + dy]), stands_out


def fill(centre_frame: FloatArray, xy: FloatArray, good: BoolArray) -> FloatArray:
    """Return displacements (S, 2) with those of stretches that are not good interpolated."""
    return np.column_stack(
        [np.interp(centre_frame, centre_frame[good], xy[good, k]) for k in range(2)]
    )
