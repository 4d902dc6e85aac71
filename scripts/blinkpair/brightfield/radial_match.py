"""All objects of one kind in an image: match their common profile, subtract, match again.

Spheres in touch spoil each other's roundness; with each one's neighbours subtracted they are as
round as the others. (Matching pursuit with refitted positions, after Mallat & Zhang 1993, IEEE
Trans. Signal Process. 41, 3397.)

Input: an image, its noise, the profiles of the places that agree with each other and their
centres. Output: the centres of everything in the image that looks like them, fitted together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage
from scipy.spatial import KDTree
from scipy.special import ndtri

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.brightfield.radial_evidence import MAD_TO_SIGMA, flatten
from blinkpair.brightfield.radial_fit import (
    Basis,
    RadialFit,
    RoundBasis,
    draw,
    fit_centres,
    shape_basis,
)

# Rounds of matching what is left; each finds what the round before had hidden.
MAX_ROUNDS = 5
# Simultaneous updates of neighbours overshoot; this share of each step converges even for a
# sphere with six neighbours in touch.
DAMPING = 0.6
SWEEPS = 8
CONVERGED_PX = 0.02
# Contrast relative to the typical sphere, as a logarithm: within four times the scatter of the
# spheres at hand (light, size), and anyway within a factor of 2.5 and not closer than 1.6.
CONTRAST_SIGMAS = 4.0
NARROWEST_CONTRAST, WIDEST_CONTRAST = np.log(1.6), np.log(2.5)
# Share of the local structure that the common profile explains: while neighbours may still be
# missing from the model, and in the end, alone and with a neighbour so many diameters away: where
# images of spheres overlap, they multiply more than they add.
MEANWHILE, IN_THE_END = (0.4, 0.4), (0.75, 0.6)
CROWDED = 1.5
# Spheres in touch add a few to those that stand alone. Many more are pieces of something large
# that the profile fits anywhere; then only the places it was made from count.
MAX_GROWTH = 3
# Peaks of the match are worth a fit from here on.
PEAK_AMPLITUDE, PEAK_EXPLAINED = 0.4, 0.2
# Two centres closer than this share of a diameter are one sphere (spheres do not overlap; the
# diameter may be given too large by a third).
CLOSEST = 0.5


def equal_area_radii(radius_px: float, count: int = 64) -> FloatArray:
    """Radii at the middle of rings of equal area, out to `radius_px`."""
    return np.asarray(radius_px * np.sqrt((np.arange(count) + 0.5) / count))


@dataclass(frozen=True)
class Template:
    """What the objects of a kind have in common, scaled to the typical amplitude 1.

    `basis` is fitted within `radius_px` and drawn out to `reach_px` (0: as far), `amplitude` (n,)
    is that of the places it was made from, and `coefficients` are those of a round profile in the
    basis it was made from.
    """

    basis: Basis
    radius_px: float
    amplitude: FloatArray
    coefficients: FloatArray = field(default_factory=lambda: np.empty(0))
    reach_px: float = 0.0

    @property
    def drawn_px(self) -> float:
        """Radius out to which the template is drawn, pixels."""
        return max(self.radius_px, self.reach_px)

    @classmethod
    def from_profiles(
        cls, basis: RoundBasis, coefficients: FloatArray, radius_px: float
    ) -> Template:
        """Median of profiles after scaling each to the first one, on which the others agree."""
        # Compared as profiles on equal areas: the knots at the rim have few pixels.
        values = coefficients @ basis.at_distance(equal_area_radii(radius_px)).T
        values -= values.mean(axis=1, keepdims=True)
        scale = (values @ values[0]) / (values[0] @ values[0])
        typical = float(np.median(scale))
        rim = coefficients @ basis.at_distance(np.array([radius_px])).T
        shape = np.median((coefficients - rim) / scale[:, None], axis=0) * typical
        return cls(shape_basis(basis, shape, radius_px), radius_px, scale / typical, shape)


def without_noise(fit: RadialFit, noise: FloatArray, parameters: int) -> FloatArray:
    """Share of the structure that the fit explains, the part due to noise taken out."""
    excess = np.maximum(fit.residual - noise**2 * np.maximum(fit.weight - parameters, 0), 0)
    return np.asarray(fit.signal / np.maximum(fit.signal + excess, 1e-300))


def at_points(image: FloatArray, xy: FloatArray) -> FloatArray:
    """Values at the nearest pixels."""
    rows = np.clip(np.rint(xy[:, 1]).astype(int), 0, image.shape[0] - 1)
    columns = np.clip(np.rint(xy[:, 0]).astype(int), 0, image.shape[1] - 1)
    return np.asarray(image[rows, columns])


def distance_to(xy: FloatArray, others: FloatArray) -> FloatArray:
    """Distance of each point to the nearest of the others (infinite without any)."""
    if len(others) == 0 or len(xy) == 0:
        return np.full(len(xy), np.inf)
    return np.asarray(KDTree(others).query(xy)[0])


def nearest_other(xy: FloatArray) -> FloatArray:
    """Return the distance of each place to the nearest of the others; infinite for a single one."""
    if len(xy) < 2:
        return np.full(len(xy), np.inf)
    return np.asarray(KDTree(xy).query(xy, k=2)[0][:, 1])


def strongest_apart(xy: FloatArray, strength: FloatArray, apart_px: float) -> IntArray:
    """Indices of the strongest points that keep apart from each other, strongest first."""
    close = KDTree(xy).query_ball_point(xy, np.nextafter(apart_px, 0)) if len(xy) else []
    kept: list[int] = []
    free = np.ones(len(xy), dtype=bool)
    for index in np.argsort(-strength, kind="stable"):
        if free[index]:
            kept.append(int(index))
            free[close[index]] = False
    return np.array(kept, dtype=np.int64)


def _fit_together(
    image: FloatArray, xy: FloatArray, amplitude: FloatArray, template: Template, diameter_px: float
) -> tuple[FloatArray, FloatArray, RadialFit]:
    """Centres and amplitudes of all objects, each fitted with the others subtracted."""
    for _ in range(SWEEPS):
        rest = image - draw(image.shape, template.basis, xy, amplitude, template.drawn_px)
        fit = fit_centres(rest, xy, template.basis, radius_px=template.radius_px,
                          own=(template.basis, amplitude), iterations=1,
                          max_step_px=0.15 * diameter_px)  # fmt: skip
        moved = float(np.abs(fit.xy - xy).max(initial=0))
        xy = xy + DAMPING * (fit.xy - xy)
        amplitude = amplitude + DAMPING * (np.clip(fit.coefficients[:, 0], 0, 4) - amplitude)
        if moved < CONVERGED_PX:
            break
    return xy, amplitude, fit


class TemplateSearch:
    """The search for a template in images of one shape."""

    def __init__(self, template: Template, shape: tuple[int, ...], diameter_px: float) -> None:
        self.template, self.diameter_px, self.shape = template, diameter_px, shape
        self.half = int(np.ceil(2 * diameter_px))
        axis = np.arange(-self.half, self.half + 1)
        kernel = flatten(
            template.basis.at(*np.meshgrid(axis.astype(float), axis.astype(float)))[..., 0],
            diameter_px,
        )
        self.size = [fft.next_fast_len(n + 2 * self.half, real=True) for n in shape]
        self.power = float((kernel**2).sum())
        # A correlation is the convolution with the kernel turned by half.
        self.kernel = self._spectrum(kernel[::-1, ::-1])
        self.disc = self._spectrum(np.hypot(axis, axis[:, None]) <= template.radius_px)
        inside = self._summed(np.ones(shape), self._spectrum(kernel[::-1, ::-1] ** 2))
        self.energy = np.maximum(inside, np.float32(1e-9 * self.power))

    def _spectrum(self, image: ArrayLike) -> NDArray[np.complex64]:
        return np.asarray(fft.rfft2(np.asarray(image, np.float32), self.size))

    def _summed(self, image: FloatArray, weights: NDArray[np.complex64]) -> NDArray[np.float32]:
        full = fft.irfft2(self._spectrum(image) * weights, self.size)
        rows, columns = (slice(self.half, self.half + n) for n in self.shape)
        return np.asarray(full[rows, columns])

    def places(
        self,
        rest: FloatArray,
        noise: FloatArray,
        z_min: float,
        *,
        least_explained: float = PEAK_EXPLAINED,
    ) -> tuple[FloatArray, FloatArray]:
        """Return the places in an image where the template fits: positions and amplitudes."""
        flat = flatten(rest, self.diameter_px)
        amplitude = self._summed(flat, self.kernel) / self.energy
        spread = np.maximum(self._summed(flat**2, self.disc), 1e-12)
        apart = 2 * max(1, round(0.3 * self.diameter_px)) + 1
        peak = (
            (amplitude == ndimage.maximum_filter(amplitude, size=apart))
            & (amplitude > PEAK_AMPLITUDE)
            & (amplitude**2 * self.energy > least_explained * spread)
            & (self.energy > 0.5 * self.power)
            & (amplitude * np.sqrt(self.energy) > z_min * noise)
        )
        rows, columns = np.nonzero(peak)
        return np.stack([columns, rows], axis=1).astype(float), amplitude[rows, columns].astype(
            float
        )


def match_template(
    image: FloatArray,
    noise: FloatArray,
    search: TemplateSearch,
    xy: FloatArray,
    amplitude: FloatArray,
    *,
    false_alarms: float,
) -> tuple[FloatArray, FloatArray]:
    """Return everything in the image that looks like the template.

    Parameters
    ----------
    image, noise : ndarray (rows, columns)
        Image and the standard deviation of its noise.
    search : TemplateSearch
        The template, in images of this shape.
    xy, amplitude : ndarray (n, 2), (n,)
        Centres known already and their amplitudes relative to the template.
    false_alarms : float
        Expected number of peaks above the threshold in an image of noise.

    Returns
    -------
    tuple of ndarray
        Centres (m, 2), possibly a little outside the image, and amplitudes (m,).
    """
    template, diameter_px = search.template, search.diameter_px
    z_min = float(-ndtri(false_alarms / image.size))
    seeds, refused = xy, np.empty((0, 2))

    def prune(
        xy: FloatArray, amplitude: FloatArray, agreement: tuple[float, float], widest: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Fit all, keep what is like the template; the last value is where the others began."""
        if len(xy) == 0:
            return xy, amplitude, xy
        fitted, fitted_amplitude, fit = _fit_together(image, xy, amplitude, template, diameter_px)
        local = at_points(noise, fitted)
        logs = np.log(np.maximum(fitted_amplitude, 1e-6))
        crowded = nearest_other(fitted) < CROWDED * diameter_px
        good = (
            (np.abs(logs - np.median(logs)) < widest)
            & (without_noise(fit, local, 6) > np.where(crowded, agreement[1], agreement[0]))
            & (fit.signal > (z_min * local) ** 2)
            & (np.hypot(*(fitted - xy).T) < 0.7 * diameter_px)
        )
        kept = np.nonzero(good)[0]
        kept = kept[strongest_apart(fitted[kept], fit.signal[kept], CLOSEST * diameter_px)]
        return fitted[kept], fitted_amplitude[kept], np.delete(xy, kept, axis=0)

    for _ in range(MAX_ROUNDS):
        xy, amplitude, lost = prune(xy, amplitude, MEANWHILE, WIDEST_CONTRAST)
        refused = np.vstack([refused, lost])
        rest = image - draw(image.shape, template.basis, xy, amplitude, template.drawn_px)
        new, strength = search.places(rest, noise, z_min)
        fresh = distance_to(new, refused) > 0.2 * diameter_px
        fresh &= distance_to(new, xy) > CLOSEST * diameter_px
        if not fresh.any():
            break
        xy, amplitude = np.vstack([xy, new[fresh]]), np.append(amplitude, strength[fresh])
    # What the strict test removes no longer shares the light with what stays: fit again.
    for _ in range(2):
        if len(xy) == 0:
            break
        logs = np.log(np.maximum(amplitude, 1e-6))
        scatter = MAD_TO_SIGMA * float(np.median(np.abs(logs - np.median(logs))))
        limit = float(np.clip(CONTRAST_SIGMAS * scatter, NARROWEST_CONTRAST, WIDEST_CONTRAST))
        xy, amplitude, lost = prune(xy, amplitude, IN_THE_END, limit)
        if len(lost) == 0:
            break
    if len(xy) > MAX_GROWTH * len(seeds):
        kept = distance_to(xy, seeds) < CLOSEST * diameter_px
        xy, amplitude = xy[kept], amplitude[kept]
    return xy, amplitude
