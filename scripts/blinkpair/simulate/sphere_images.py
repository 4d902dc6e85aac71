"""Images of one microsphere, from wave optics or empirical, lit evenly or from one side.

There are two families, one from wave optics ("diffraction"), one empirical ("rings"), so that a
finder that works for both is not fitted to one simulator.

Input: distances from the centre of a sphere, its diameter, the focus and the light. Output: the
contrast relative to the light.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError
from blinkpair.simulate.stamps import over_pixels, stamp_window

Family = Literal["diffraction", "rings"]

# Green transmitted light, 0.55 um, on the paper's 0.16 um pixels.
WAVELENGTH_PX = 0.55 / 0.16
WAVENUMBER = 2 * np.pi / WAVELENGTH_PX
# What an oil objective collects from spheres that lie in gas, and a half-closed condenser.
COLLECTION_NA = 1.0
CONDENSER_NA = 0.3
# Light from one side: near the edge of the objective's cone, over this half-angle of the condenser.
ONE_SIDED_NA = (0.75, 0.85, 0.95)
ONE_SIDED_HALF_ANGLE_RAD = 1.2
# Phase delay through a sphere's centre. SiO2 (n = 1.45) of 1 um in gas delays by 5 rad; 1.5 rad
# keeps the image nearly antisymmetric in defocus, which is the regime fiducials are imaged in.
PHASE_RAD = 1.5
SUBPIXELS = 5


@lru_cache(maxsize=256)
def _sphere_intensity(
    diameter_px: float, defocus: float, tilts: tuple[tuple[float, float, float], ...]
) -> tuple[FloatArray, FloatArray]:
    """Axis in pixels and relative contrast of a phase sphere, by the angular spectrum method.

    Thin-object projection exp(i phi(rho)) with phi following the sphere's thickness, a pupil of
    COLLECTION_NA, free-space defocus exp(i z sqrt(k^2 - q^2)) (Goodman, Introduction to Fourier
    Optics, ch. 3), averaged over `tilts` of the light: wavenumbers in x and y (rad per
    pixel) and a weight.
    """
    step = min(0.4, diameter_px / 16)
    size = int(2 ** np.ceil(np.log2((4 * diameter_px + 24) / step)))
    axis = (np.arange(size) - size // 2) * step
    x, y = np.meshgrid(axis, axis)
    radius = np.hypot(x, y)
    thickness = np.sqrt(np.clip(1 - (2 * radius / diameter_px) ** 2, 0, None))
    field = np.exp(1j * PHASE_RAD * thickness)
    q_axis = 2 * np.pi * np.fft.fftfreq(size, step)
    qx, qy = np.meshgrid(q_axis, q_axis)
    q2 = qx**2 + qy**2
    pupil = q2 <= (WAVENUMBER * COLLECTION_NA) ** 2
    phase = defocus * diameter_px * np.sqrt(np.clip(WAVENUMBER**2 - q2, 0, None))
    transfer = pupil * np.exp(1j * phase)
    intensity = np.zeros_like(radius)
    dq = 2 * np.pi / (size * step)
    total = 0.0
    for tilt_x, tilt_y, weight in tilts:
        # Tilts on the Fourier grid.
        wave = np.exp(1j * round(tilt_x / dq) * dq * x)
        if tilt_y:
            wave = wave * np.exp(1j * round(tilt_y / dq) * dq * y)
        image = np.fft.ifft2(np.fft.fft2(field * wave) * transfer)
        intensity += weight * np.abs(image) ** 2
        total += weight
    return np.asarray(axis, np.float64), np.asarray(intensity / total - 1)


@lru_cache(maxsize=64)
def _diffraction_profile(diameter_px: float, defocus: float) -> tuple[FloatArray, FloatArray]:
    """Relative contrast against radius, averaged over the tilts of a condenser of CONDENSER_NA.

    Averaging the image over angle is the same as averaging over the azimuth of the tilt.
    """
    # Each ring of the condenser is weighted by its area.
    rings = np.linspace(0, CONDENSER_NA * WAVENUMBER, 5)
    tilts = tuple((float(ring), 0.0, float(ring + rings[1] / 4)) for ring in rings)
    axis, contrast = _sphere_intensity(diameter_px, defocus, tilts)
    step = float(axis[1] - axis[0])
    radius = np.hypot(*np.meshgrid(axis, axis))
    bins = np.arange(0, axis[-1] - step, step)
    index = np.digitize(radius.ravel(), bins + step / 2)
    counts = np.bincount(index, minlength=len(bins) + 1)[: len(bins)]
    sums = np.bincount(index, contrast.ravel(), minlength=len(bins) + 1)[: len(bins)]
    mean_radius = np.bincount(index, radius.ravel(), minlength=len(bins) + 1)[: len(bins)]
    profile = sums / np.maximum(counts, 1)
    fade = np.clip((bins[-1] - bins) / (0.2 * bins[-1]), 0, 1)  # no step at the stamp's edge
    return mean_radius / np.maximum(counts, 1), (profile - profile[-1]) * fade


@lru_cache(maxsize=64)
def _one_sided_grid(diameter_px: float, defocus: float) -> tuple[float, FloatArray]:
    """Step in pixels and contrast of a sphere whose light travels towards positive x only."""
    # Close enough to each other that far from focus they blur instead of drawing rays.
    angles = np.linspace(-ONE_SIDED_HALF_ANGLE_RAD, ONE_SIDED_HALF_ANGLE_RAD, 21)
    tilts = tuple(
        (float(na * WAVENUMBER * np.cos(a)), float(na * WAVENUMBER * np.sin(a)), na)
        for na in ONE_SIDED_NA
        for a in angles
    )
    axis, contrast = _sphere_intensity(diameter_px, defocus, tilts)
    radius = np.hypot(*np.meshgrid(axis, axis))
    fade = np.clip((axis[-1] - radius) / (0.4 * axis[-1]), 0, 1)
    return float(axis[1] - axis[0]), np.asarray((contrast - np.median(contrast)) * fade)


def _rings_profile(radius_px: FloatArray, diameter_px: float, defocus: float) -> FloatArray:
    """Empirical: a centre, a ring of the other sign and a faint second ring that defocus widens.

    In focus only a faint dark outline at the sphere's edge is left.
    """
    sphere = diameter_px / 2
    blur = 0.18 * diameter_px + 0.3
    z = abs(defocus)
    strength = np.tanh(1.2 * z) * np.sign(defocus)

    def ring(at: float, width: float) -> FloatArray:
        return np.asarray(np.exp(-0.5 * ((radius_px - at) / width) ** 2))

    centre = ring(0.0, blur * (0.8 + 0.15 * z))
    first = ring(sphere * (1.0 + 0.25 * z), blur * 0.7)
    second = ring(sphere * (1.8 + 0.45 * z), blur * 0.8)
    outline = ring(sphere, 0.5 * blur)
    return np.asarray(0.4 * strength * (centre - 0.7 * first + 0.2 * second) - 0.02 * outline)


def microsphere_profile(
    radius_px: ArrayLike, *, diameter_px: float, defocus: float, family: Family = "diffraction"
) -> FloatArray:
    """Relative contrast (image / light - 1) of one microsphere against distance from its centre.

    Parameters
    ----------
    radius_px : array_like
        Distances from the centre, pixels.
    diameter_px : float
        The sphere's diameter, pixels.
    defocus : float
        Focus error in sphere diameters; its sign flips the contrast, 0 shows almost nothing.
    family : {"diffraction", "rings"}
        Wave optics of a phase sphere, or an empirical centre with two rings.
    """
    radius = np.asarray(radius_px, dtype=float)
    if family == "diffraction":
        at, contrast = _diffraction_profile(float(diameter_px), float(defocus))
        return np.asarray(np.interp(radius, at, contrast, right=0.0))
    if family == "rings":
        return _rings_profile(radius, diameter_px, defocus)
    raise InputError(f"family: {family!r} is unknown", "use 'diffraction' or 'rings'")


def _one_sided(
    along_px: FloatArray, across_px: FloatArray, diameter_px: float, defocus: float, family: Family
) -> FloatArray:
    """Contrast of a sphere with light from one side, over the distances along and across it."""
    if family == "diffraction":
        step, grid = _one_sided_grid(float(diameter_px), float(defocus))
        at = [across_px / step + len(grid) // 2, along_px / step + len(grid) // 2]
        return np.asarray(ndimage.map_coordinates(grid, at, order=1))
    # Empirical: one half bright and one half dark, wider and weaker out of focus.
    width = 0.33 * diameter_px * (1 + 0.2 * abs(defocus))
    u, v = along_px / width, across_px / width
    halves = 0.5 / (1 + 0.3 * abs(defocus)) * u * np.exp(0.5 - 0.5 * (u**2 + v**2))
    symmetric = _rings_profile(np.hypot(along_px, across_px), diameter_px, defocus)
    return np.asarray(halves + 0.5 * symmetric)


def microsphere_contrast(
    dx_px: FloatArray,
    dy_px: FloatArray,
    *,
    diameter_px: float,
    defocus: float,
    family: Family = "diffraction",
    size: float = 1.0,
    one_sided: float = 0.0,
    one_sided_angle_deg: float = 0.0,
) -> FloatArray:
    """Relative contrast of one microsphere at distances dx, dy from its centre.

    Parameters
    ----------
    dx_px, dy_px : numpy.ndarray
        Distances along the columns and rows, pixels, of one shape.
    diameter_px, defocus, family
        See `microsphere_profile`.
    size : float
        Diameter of this sphere relative to `diameter_px`: its image is scaled.
    one_sided : float
        Share of the light that comes from one side, 0 (none: the image is round) to 1.
    one_sided_angle_deg : float
        Direction in the image in which that light travels, from x towards y.
    """
    profile = microsphere_profile(
        np.hypot(dx_px, dy_px) / size, diameter_px=diameter_px, defocus=defocus, family=family
    )
    if not one_sided:
        return profile
    angle = np.deg2rad(one_sided_angle_deg)
    along = (dx_px * np.cos(angle) + dy_px * np.sin(angle)) / size
    across = (dy_px * np.cos(angle) - dx_px * np.sin(angle)) / size
    side = _one_sided(along, across, diameter_px, defocus, family)
    return np.asarray((1 - one_sided) * profile + one_sided * side)


def draw_sizes(n: int, seed: int, polydispersity: float = 0.05) -> FloatArray:
    """Diameters of n spheres relative to their mean, of this relative standard deviation."""
    return np.clip(np.random.default_rng(seed).normal(1, polydispersity, n), 0.5, 1.5)


def add_microspheres(
    light: FloatArray,
    xy: FloatArray,
    sizes: FloatArray,
    defocus: FloatArray,
    *,
    diameter_px: float,
    family: Family,
    contrast: float | None,
    one_sided: float,
    one_sided_angle_deg: float,
) -> None:
    """Multiply the light by the images of spheres; see `render_brightfield`."""
    reach = 2.5 * diameter_px + 8

    def image(dx: FloatArray, dy: FloatArray, defocus: float, size: float = 1.0) -> FloatArray:
        return microsphere_contrast(
            dx, dy, diameter_px=diameter_px, defocus=defocus, family=family, size=size,
            one_sided=one_sided, one_sided_angle_deg=one_sided_angle_deg,
        )  # fmt: skip

    scale = 1.0
    if contrast is not None and len(xy):
        line = np.linspace(0, reach, 500)
        both_ways = np.linspace(-reach, reach, 400)
        fine = np.meshgrid(both_ways, both_ways) if one_sided else (line, np.zeros_like(line))
        scale = contrast / max(float(np.abs(image(*fine, z)).max()) for z in np.unique(defocus))
    for centre, size, z in zip(xy, sizes, defocus, strict=True):
        window = stamp_window(light.shape, centre, reach * size, SUBPIXELS)
        if window is None:
            continue
        where, dx, dy = window
        curve = image(dx, dy, z, size)
        light[where] *= np.clip(1 + scale * over_pixels(curve, SUBPIXELS), 0.02, None)
