"""The local contrast of an image, with and without its sign, by which images are compared.

The sign of the contrast of a microsphere changes with the focus, and under light from one side
the bright half stays with the camera while the sample turns. The local energy (how much contrast
there is, bright or dark) depends on neither; the signed contrast locates a sheet of touching
spheres, whose energy is even. Both are compared, without straight edges: these fit along themselves
in many ways. Where the motion is known to a fraction of a sphere, edges are used as well.

What is in the same place in both images belongs to the camera (dust, a border, uneven light) or
did not move; it would match at zero motion whatever the sample is, and is masked.

Input: two images and the diameter of a microsphere. Output: their contrasts on a common scale of
pixels, and the pixels that may be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.brightfield.edges import straightness
from blinkpair.cores import on_two_threads
from blinkpair.registration.images.warp import warped

Image = NDArray[np.float32]

# In diameters: the finest detail, the width of what is flattened, and that of the energy.
DETAIL, FLAT, BLOB = 0.15, 0.8, 0.25
# The contrast of noise alone is divided by so many of its standard deviations.
NOISE_FLOOR = 5.0
# Places are in the camera's frame where the local correlation at zero motion is at least this
# and larger than at any motion of half a diameter or more around.
STATIC_CORRELATION = 0.5
# Fewest pixels a diameter on which these are computed.
STATIC_PIXELS = 4.5
# Fringes and shades of the camera are wider than a sphere: they correlate at zero motion over the
# first width in diameters, with noise blurred by the second, and everywhere around a place at least
# as much as the third. Spheres on fringes do not. The contrast is bounded by the fourth, since
# fringes between spheres have less.
FRINGES, FRINGE_BLUR, FRINGE_CORRELATION, FRINGE_CONTRAST = 2.5, 0.35, 0.3, 0.5


@dataclass(frozen=True)
class Contrast:
    """Contrast of one image on resampled pixels.

    Attributes
    ----------
    signed, energy
        (rows, columns) local contrast, and its local energy, without straight edges; both zero on
        average.
    whole
        (rows, columns) local contrast with straight edges.
    valid
        Pixels that may be compared; the contrasts are zero elsewhere.
    pixel
        Width of a pixel in pixels of the image.
    """

    signed: Image
    energy: Image
    whole: Image
    valid: BoolArray
    pixel: float

    @property
    def to_image(self) -> FloatArray:
        """3x3 matrix from these pixels to those of the image."""
        offset = (self.pixel - 1) / 2
        return np.array([[self.pixel, 0, offset], [0, self.pixel, offset], [0, 0, 1.0]])

    def resampled(self, factor: float) -> Contrast:
        """Return the contrast on pixels wider by a factor of 1 or more."""
        if factor == 1.0:
            return self
        if factor not in self._wider:
            self._wider[factor] = self._shrunk(factor)
        return self._wider[factor]

    @cached_property
    def _wider(self) -> dict[float, Contrast]:
        """Contrasts on wider pixels: the same few are compared many times."""
        return {}

    def _shrunk(self, factor: float) -> Contrast:
        valid = shrink(self.valid.astype(np.float32), factor) > 0.5
        signed, energy, whole = (
            shrink(one, factor) * valid for one in (self.signed, self.energy, self.whole)
        )
        return Contrast(signed, energy, whole, valid, self.pixel * factor)

    def without(self, places: BoolArray) -> Contrast:
        """Return the contrast with more pixels masked."""
        valid = self.valid.copy()
        rows, columns = (min(a, b) for a, b in zip(valid.shape, places.shape, strict=True))
        valid[:rows, :columns] &= ~places[:rows, :columns]
        signed, energy, whole = (one * valid for one in (self.signed, self.energy, self.whole))
        return Contrast(signed, energy, whole, valid, self.pixel)


def contrast_of(image: FloatArray, diameter_px: float, pixel: float) -> Contrast:
    """Return the contrast of an image on pixels of a width of `pixel` of its own."""
    given = np.asarray(image, np.float32)
    smooth = shrink(given, pixel)
    diameter = diameter_px / pixel
    detail = max(DETAIL * diameter, 0.5)
    band = _blur(smooth, detail) - _blur(smooth, FLAT * diameter)
    noise = _noise(given, float(np.hypot(0.5 * np.sqrt(pixel**2 - 1), detail * pixel)), band)
    local = _blur(band * band, 1.2 * diameter)
    # Edges fit along themselves in many ways.
    round_share = 1 - straightness(band, 0.8 * diameter)
    whole = np.clip(band / np.sqrt(local + (NOISE_FLOOR * noise) ** 2), -3, 3)
    power = _blur((band * round_share) ** 2, BLOB * diameter)
    log_power = np.log(power + (NOISE_FLOOR * noise) ** 2)
    energy = log_power - _blur(log_power, 1.2 * diameter)
    valid = np.ones(smooth.shape, dtype=bool)
    return Contrast(whole * round_share, energy, whole, valid, pixel)


def shrink(image: Image, factor: float) -> Image:
    """Return an image on pixels wider by a factor of 1 or more."""
    if factor == 1.0:
        return image
    smooth = _blur(image, 0.5 * np.sqrt(factor**2 - 1))
    shape = tuple(int(n // factor) for n in image.shape)
    offset = (factor - 1) / 2
    matrix = np.array([[factor, 0, offset], [0, factor, offset], [0, 0, 1.0]])
    return warped(smooth, matrix, shape)


def static_places(pre: Contrast, post: Contrast, diameter_px: float) -> BoolArray:
    """Return the pixels around what is in one place in both images, (rows, columns) of both."""
    rows, columns = (min(a, b) for a, b in zip(pre.signed.shape, post.signed.shape, strict=True))
    diameter = diameter_px / pre.pixel
    width = 0.7 * diameter
    # Correlations over such a width change little within a few pixels.
    every = max(int(diameter / STATIC_PIXELS), 1)
    one, other = (each.signed[:rows:every, :columns:every] for each in (pre, post))
    step = max(round(0.5 * diameter / every), 1)
    here, *around = _correlations_moved(one, other, width / every, step)
    static = (here > STATIC_CORRELATION) & (here > np.max(around, axis=0) + 0.2)
    static = _repeated(static, every)[:rows, :columns]
    reach = 2 * round(0.75 * diameter) + 1
    static = ndimage.maximum_filter(static, size=reach)
    return np.asarray(static | _fringes(pre.whole, post.whole, diameter, width, reach))


def _fringes(one: Image, other: Image, diameter: float, width: float, reach: int) -> BoolArray:
    """Return the pixels where both contrasts show the same fringes, without spheres near."""
    before, after = (
        np.clip(_blur(each, FRINGE_BLUR * diameter), -FRINGE_CONTRAST, FRINGE_CONTRAST)
        for each in (one, other)
    )
    # What is so blurred changes little within a few pixels.
    step = max(round(FRINGE_BLUR * diameter), 1)
    wide = _correlation(before[::step, ::step], after[::step, ::step], FRINGES * diameter / step)
    wide = _repeated(wide, step)
    local = ndimage.minimum_filter(_correlation(before, after, width), size=reach)
    rows, columns = local.shape
    return np.asarray(
        (wide[:rows, :columns] > STATIC_CORRELATION) & (local > FRINGE_CORRELATION), dtype=bool
    )


def _repeated(image: NDArray[Any], times: int) -> NDArray[Any]:
    """Return an image whose pixels are repeated along both axes."""
    return np.repeat(np.repeat(image, times, axis=0), times, axis=1)


def _correlations_moved(one: Image, other: Image, width: float, step: int) -> list[Image]:
    """Return the correlations around each pixel at zero motion, and `step` off in 8 directions."""
    power, energy = on_two_threads(lambda each: _blur(each**2, width), (one, other))
    moved = [(0, 0), *((y, x) for y in (-step, 0, step) for x in (-step, 0, step) if x or y)]

    def correlation(by: tuple[int, int]) -> Image:
        product = _blur(one * np.roll(other, by, axis=(0, 1)), width)
        return _normalised(product, power, np.roll(energy, by, axis=(0, 1)))

    return on_two_threads(correlation, moved)


def _correlation(one: Image, other: Image, width: float) -> Image:
    """Return the correlation of two contrasts around each pixel of their common shape."""
    rows, columns = (min(a, b) for a, b in zip(one.shape, other.shape, strict=True))
    one, other = one[:rows, :columns], other[:rows, :columns]
    return _normalised(*(_blur(each, width) for each in (one * other, one**2, other**2)))


def _normalised(product: Image, power: Image, energy: Image) -> Image:
    return np.asarray(product / np.sqrt(power * energy + 1e-4))


def _blur(image: NDArray[Any], sigma: float) -> Image:
    return np.asarray(ndimage.gaussian_filter(image, sigma, mode="reflect", truncate=3.0))


def _noise(image: Image, sigma: float, band: Image) -> float:
    """Return the standard deviation of the image's noise after a Gaussian of `sigma` pixels.

    White noise of unit variance leaves 1 / (4 pi sigma^2).
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    fine = ndimage.convolve(image, kernel, mode="reflect")
    white = float(np.median(np.abs(fine))) / 0.6745 / 6.0
    # A NumPy float64 would make every contrast float64.
    return max(float(white / np.sqrt(4 * np.pi * sigma**2)), 1e-3 * float(np.std(band)), 1e-12)
