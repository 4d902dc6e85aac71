"""Roundness of the image about each pixel, the detection statistic of the microspheres.

The sign, the number and the contrast of the rings do not matter, so defocus does not
matter, and under pure noise its distribution is known, so its threshold is a false-alarm rate.

Input: an image and the size of what is looked for. Output: for every pixel the share of the local
variance that depends on the distance from that pixel only, as an F statistic.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.special import fdtri

from blinkpair.arrays import FloatArray

N_RINGS = 7
# A ring of the innermost pixels at least this wide holds 9 pixels: a single hot pixel cannot
# pass for radial structure.
INNER_RING_PX = 1.5
# A disc cut by the image's border counts when this share of its pixels is inside.
MIN_DISC_INSIDE = 0.6
# 1.4826 turns a median absolute deviation into a Gaussian sigma; the stencil
# (1 -2 1) x (1 -2 1) multiplies white noise by 6 and removes everything up to a saddle.
MAD_TO_SIGMA = 1.4826
STENCIL = np.outer([1.0, -2.0, 1.0], [1.0, -2.0, 1.0])
STENCIL_GAIN = 6.0
NOISE_TILE_PX = 32


@dataclass(frozen=True)
class Evidence:
    """Per pixel: `explained`, the share of variance that is radial (0..1), and `f`, its F value.

    `inflation` is by how much the F values of the background exceed those of white noise
    (correlated noise, texture, fringes): F is to be divided by it. `threshold` is the value that
    F over inflation exceeds anywhere in a noise image with the given probability.
    """

    explained: FloatArray
    f: FloatArray
    inflation: float
    threshold: float

    @property
    def score(self) -> FloatArray:
        """F in units of the detection threshold: above 1 is significant."""
        return self.f / (self.inflation * self.threshold)


def remove_hot_pixels(image: FloatArray, noise: FloatArray) -> FloatArray:
    """Replace single pixels that stand out from their eight neighbours by the neighbours' median.

    A sphere's image is smooth on the scale of the optical resolution (about two pixels), so the
    eight neighbours of its brightest pixel share in the rise; those of a hot pixel do not.
    """
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    high = ndimage.maximum_filter(image, footprint=ring, mode="reflect")
    low = ndimage.minimum_filter(image, footprint=ring, mode="reflect")
    outside = np.maximum(image - high, low - image)
    hot = outside > np.maximum(high - low, 5 * noise)
    if not hot.any():
        return image
    median = ndimage.median_filter(image, footprint=ring, mode="reflect")
    return np.where(hot, median, image)


def noise_map(image: FloatArray) -> FloatArray:
    """Noise (standard deviation of a pixel) across the image, from its finest structure.

    Median absolute deviation of a second-difference stencil on tiles, after Immerkaer (1996),
    Comput. Vis. Image Underst. 64, 300; the median leaves out what few pixels show.
    """
    rough = np.abs(ndimage.convolve(image, STENCIL, mode="reflect")) / STENCIL_GAIN
    rows = np.array_split(np.arange(image.shape[0]), max(1, image.shape[0] // NOISE_TILE_PX))
    columns = np.array_split(np.arange(image.shape[1]), max(1, image.shape[1] // NOISE_TILE_PX))
    tiles = np.array([[np.median(rough[r[0] : r[-1] + 1, c[0] : c[-1] + 1]) for c in columns]
                      for r in rows])  # fmt: skip
    tiles = ndimage.median_filter(tiles * MAD_TO_SIGMA, size=3, mode="nearest")
    at_row = np.interp(np.arange(image.shape[0]), [r.mean() for r in rows], np.arange(len(rows)))
    at_column = np.interp(
        np.arange(image.shape[1]), [c.mean() for c in columns], np.arange(len(columns))
    )
    grid = np.meshgrid(at_row, at_column, indexing="ij")
    smooth = ndimage.map_coordinates(tiles, grid, order=1, mode="nearest")
    # Counts are whole numbers: rounding alone makes 1/sqrt(12) of the smallest step.
    steps = np.diff(np.unique(image[::4]))
    floor = steps.min() / np.sqrt(12) if len(steps) else 1.0
    return np.asarray(np.maximum(smooth, floor))


def flatten(image: FloatArray, scale_px: float) -> FloatArray:
    """Image without its uneven light: a Gaussian of `scale_px` subtracted, mirrored at the border.

    The cosine transform takes a tenth of the time of wide filters.
    """
    spectrum = fft.dctn(image.astype(np.float32))
    for axis, n in enumerate(image.shape):
        along = np.exp(-0.5 * (scale_px * np.pi * np.arange(n) / n) ** 2).astype(np.float32)
        spectrum *= along[:, None] if axis == 0 else along
    return np.asarray(image - fft.idctn(spectrum))


def radial_evidence(flat: FloatArray, radius_px: float, *, false_alarms: float) -> Evidence:
    """Analysis of variance between rings and within rings, about every pixel.

    F = (between / (k - 1)) / (within / (N - k)) for k rings of N pixels in all. With sums over
    rings as convolutions, the border is exact: a ring counts with the pixels it has inside.

    Parameters
    ----------
    flat : ndarray
        Image with the uneven light removed.
    radius_px : float
        Radius of the outermost ring.
    false_alarms : float
        Expected number of places in an image of noise that exceed the threshold, at most.
    """
    half = int(np.ceil(radius_px))
    axis = np.arange(-half, half + 1)
    distance = np.hypot(axis, axis[:, None])
    inner = max(INNER_RING_PX, radius_px / N_RINGS)
    # Rings at least a pixel wide: thinner ones would hold too few pixels each.
    count = int(np.clip(np.floor(radius_px - inner), 1, N_RINGS - 1))
    edges = np.concatenate([[-1.0], np.linspace(inner, radius_px, count + 1)])

    size = [fft.next_fast_len(n + 2 * half, real=True) for n in flat.shape]
    image_f, square_f = fft.rfft2(flat, size), fft.rfft2(flat**2, size)
    ones_f = fft.rfft2(np.ones_like(flat), size)

    def summed(spectrum: NDArray[np.complex128], kernel: NDArray[np.complex128]) -> FloatArray:
        full = fft.irfft2(spectrum * kernel, size)
        return np.asarray(full[half : half + flat.shape[0], half : half + flat.shape[1]])

    pixels, total, between = (np.zeros_like(flat) for _ in range(3))
    for low, high in pairwise(edges):
        kernel = fft.rfft2(((distance > low) & (distance <= high)).astype(float), size)
        in_ring = np.rint(summed(ones_f, kernel))
        ring_sum = summed(image_f, kernel)
        between += ring_sum**2 / np.maximum(in_ring, 1)
        pixels += in_ring
        total += ring_sum
    disc = fft.rfft2((distance <= radius_px).astype(float), size)
    mean_part = total**2 / np.maximum(pixels, 1)
    spread = np.maximum(summed(square_f, disc) - mean_part, 1e-12 * float(np.mean(flat**2)))
    between = np.clip(between - mean_part, 0, spread)

    k = len(edges) - 1
    inside = pixels >= MIN_DISC_INSIDE * pixels.max()
    free = np.maximum(pixels - k, 1)
    f = np.where(inside, between / (k - 1) / np.maximum((spread - between) / free, 1e-300), 0.0)
    explained = np.where(inside, between / spread, 0.0)
    # The lower quarter of F holds no spheres: its excess over the distribution of noise is due to
    # the background.
    smallest = float(free[inside].min())
    quarter = float(np.quantile(f[inside], 0.25) / fdtri(k - 1, free.max(), 0.25))
    threshold = float(fdtri(k - 1, smallest, 1 - false_alarms / flat.size))
    return Evidence(explained, f, max(1.0, quarter), threshold)
