"""Forward model of a brightfield image: spheres, dust, debris, uneven light, and the truth.

Positions in, a camera image (uint16 counts) out. The demo, the tests and the benchmarks draw
their brightfield images here, so that a finder is judged by the distance to the truth and not
by how plausible its output looks.

Two families of microsphere image are drawn on purpose: one from wave optics ("diffraction"),
one empirical ("rings"). A finder that knows only one of them has learnt the simulator.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError

Family = Literal["diffraction", "rings"]

# Green transmitted light, 0.55 um, on the paper's 0.16 um pixels.
WAVELENGTH_PX = 0.55 / 0.16
# What an oil objective collects from spheres that lie in gas, and a half-closed condenser.
COLLECTION_NA = 1.0
CONDENSER_NA = 0.3
# Phase delay through a sphere's centre. SiO2 (n = 1.45) of 1 um in gas delays by 5 rad; 1.5 rad
# keeps the image nearly antisymmetric in defocus, which is the regime fiducials are imaged in.
PHASE_RAD = 1.5
SUBPIXELS = 5


@dataclass(frozen=True)
class Illumination:
    """Uneven light: relative amplitudes around a mean of one, lengths in pixels.

    `gradient` is the change from one edge to the other, `vignetting` the loss in the corners,
    `fringe_amplitude` that of straight interference fringes.
    """

    gradient: float = 0.2
    gradient_angle_deg: float = 30.0
    vignetting: float = 0.15
    fringe_amplitude: float = 0.01
    fringe_period_px: float = 40.0
    fringe_angle_deg: float = 70.0

    def field(self, shape: tuple[int, int]) -> FloatArray:
        """Return the relative light on each pixel of an image of `shape` (rows, columns)."""
        y, x = np.indices(shape, dtype=float)
        x -= (shape[1] - 1) / 2
        y -= (shape[0] - 1) / 2
        half = max(shape) / 2
        angle = np.deg2rad(self.gradient_angle_deg)
        light = 1 + self.gradient / 2 * (x * np.cos(angle) + y * np.sin(angle)) / half
        light *= 1 - self.vignetting * (x**2 + y**2) / (2 * half**2)
        angle = np.deg2rad(self.fringe_angle_deg)
        along = x * np.cos(angle) + y * np.sin(angle)
        light *= 1 + self.fringe_amplitude * np.sin(2 * np.pi * along / self.fringe_period_px)
        return np.asarray(light)


@lru_cache(maxsize=64)
def _diffraction_profile(diameter_px: float, defocus: float) -> tuple[FloatArray, FloatArray]:
    """Relative contrast against radius of a phase sphere, by the angular spectrum method.

    Thin-object projection exp(i phi(rho)) with phi following the sphere's thickness, a pupil of
    COLLECTION_NA, free-space defocus exp(i z sqrt(k^2 - q^2)) (Goodman, Introduction to Fourier
    Optics, ch. 3), averaged over the tilts of a condenser of CONDENSER_NA. Averaging the image
    over angle is the same as averaging over the azimuth of the tilt.
    """
    step = min(0.4, diameter_px / 16)
    size = int(2 ** np.ceil(np.log2((4 * diameter_px + 24) / step)))
    axis = (np.arange(size) - size // 2) * step
    x, y = np.meshgrid(axis, axis)
    radius = np.hypot(x, y)
    thickness = np.sqrt(np.clip(1 - (2 * radius / diameter_px) ** 2, 0, None))
    field = np.exp(1j * PHASE_RAD * thickness)
    wavenumber = 2 * np.pi / WAVELENGTH_PX
    q_axis = 2 * np.pi * np.fft.fftfreq(size, step)
    qx, qy = np.meshgrid(q_axis, q_axis)
    q2 = qx**2 + qy**2
    pupil = q2 <= (wavenumber * COLLECTION_NA) ** 2
    phase = defocus * diameter_px * np.sqrt(np.clip(wavenumber**2 - q2, 0, None))
    transfer = pupil * np.exp(1j * phase)
    # Tilts on the Fourier grid, each ring of the condenser weighted by its area.
    intensity = np.zeros_like(radius)
    tilts = np.linspace(0, CONDENSER_NA * wavenumber, 5)
    dq = 2 * np.pi / (size * step)
    total = 0.0
    for tilt in tilts:
        cycles = round(tilt / dq)
        wave = np.exp(1j * cycles * dq * x)
        image = np.fft.ifft2(np.fft.fft2(field * wave) * transfer)
        weight = tilt + tilts[1] / 4
        intensity += weight * np.abs(image) ** 2
        total += weight
    contrast = intensity / total - 1
    bins = np.arange(0, axis[-1] - step, step)
    index = np.digitize(radius.ravel(), bins + step / 2)
    counts = np.bincount(index, minlength=len(bins) + 1)[: len(bins)]
    sums = np.bincount(index, contrast.ravel(), minlength=len(bins) + 1)[: len(bins)]
    mean_radius = np.bincount(index, radius.ravel(), minlength=len(bins) + 1)[: len(bins)]
    profile = sums / np.maximum(counts, 1)
    fade = np.clip((bins[-1] - bins) / (0.2 * bins[-1]), 0, 1)  # no step at the stamp's edge
    return mean_radius / np.maximum(counts, 1), (profile - profile[-1]) * fade


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


def _stamp_window(
    shape: tuple[int, int], centre_xy: FloatArray, reach_px: float, subpixels: int
) -> tuple[tuple[slice, slice], FloatArray, FloatArray] | None:
    """Slice around a centre and the offsets dx, dy of the sub-pixels in it; None if all outside."""
    low = np.floor(centre_xy - reach_px).astype(int)
    high = np.ceil(centre_xy + reach_px).astype(int) + 1
    x0, y0 = np.maximum(low, 0)
    x1, y1 = min(high[0], shape[1]), min(high[1], shape[0])
    if x0 >= x1 or y0 >= y1:
        return None
    sub = (np.arange(subpixels) + 0.5) / subpixels - 0.5
    xs = (np.arange(x0, x1)[:, None] + sub).ravel() - centre_xy[0]
    ys = (np.arange(y0, y1)[:, None] + sub).ravel() - centre_xy[1]
    dx, dy = np.meshgrid(xs, ys)
    return (slice(y0, y1), slice(x0, x1)), dx, dy


def _over_pixels(values: FloatArray, subpixels: int) -> FloatArray:
    rows, columns = values.shape
    blocks = values.reshape(rows // subpixels, subpixels, columns // subpixels, subpixels)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _add_dust(light: FloatArray, dust_xy: FloatArray, seed: int, size_px: float) -> None:
    """Shade the light by round specks, from sharp to blurred; their shapes depend on `seed` only.

    The same positions and seed give the same dust in another image: it stays on the camera.
    """
    draw = np.random.default_rng(seed)
    for centre in dust_xy:
        radius = size_px * draw.uniform(0.3, 1.5)
        blur = draw.uniform(0.4, 1.0) if draw.random() < 0.5 else 0.6 * radius
        depth = draw.uniform(0.05, 0.35) * (1 if draw.random() < 0.8 else -0.6)
        window = _stamp_window(light.shape, centre, radius + 5 * blur, 3)
        if window is None:
            continue
        where, dx, dy = window
        edge = np.clip((np.hypot(dx, dy) - radius) / blur, -30, 30)
        light[where] *= 1 - _over_pixels(depth / (1 + np.exp(2 * edge)), 3)


def _add_debris(
    light: FloatArray, debris_xy: FloatArray, seed: int, size_px: float, rotation_deg: float
) -> None:
    """Irregular patches on the sample: clumps of elongated blobs, no two alike."""
    draw = np.random.default_rng(seed)
    turn = np.deg2rad(rotation_deg)
    for centre in debris_xy:
        extent = size_px * draw.uniform(0.5, 1.8)
        pieces = draw.integers(3, 8)
        offsets = draw.normal(0, 0.5 * extent, (pieces, 2)) * [1.0, draw.uniform(0.3, 1.0)]
        widths = extent * draw.uniform(0.12, 0.5, (pieces, 2))
        angles = draw.uniform(0, np.pi, pieces)
        depths = draw.uniform(0.05, 0.3, pieces) * np.where(draw.random(pieces) < 0.7, 1, -0.7)
        window = _stamp_window(light.shape, centre, 4 * extent, 1)
        if window is None:
            continue
        where, dx, dy = window
        # Into the debris' own axes, so that it turns with the sample.
        own_x = np.cos(turn) * dx + np.sin(turn) * dy
        own_y = -np.sin(turn) * dx + np.cos(turn) * dy
        for offset, width, angle, depth in zip(offsets, widths, angles, depths, strict=True):
            u, v = own_x - offset[0], own_y - offset[1]
            along = (np.cos(angle) * u + np.sin(angle) * v) / max(width[0], 0.8)
            across = (-np.sin(angle) * u + np.cos(angle) * v) / max(width[1], 0.8)
            light[where] *= 1 - depth * np.exp(-0.5 * (along**2 + across**2))


def _points(xy: ArrayLike | None, name: str) -> FloatArray:
    points = np.asarray([] if xy is None else xy, dtype=float)
    if points.size == 0:
        return np.empty((0, 2))
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise InputError(f"expected finite (n, 2) positions x, y, not {points.shape}.", place=name)
    return points


def render_brightfield(
    shape: tuple[int, int],
    microspheres_xy: ArrayLike,
    *,
    diameter_px: float = 6.25,
    defocus: float = 1.0,
    family: Family = "diffraction",
    contrast: float | None = None,
    polydispersity: float = 0.05,
    microsphere_seed: int = 0,
    dust_xy: ArrayLike | None = None,
    dust_seed: int = 0,
    debris_xy: ArrayLike | None = None,
    debris_seed: int = 0,
    sample_rotation_deg: float = 0.0,
    illumination: Illumination | None = None,
    light_counts: float = 8000.0,
    gain_counts_per_electron: float = 1.0,
    read_noise_counts: float = 10.0,
    offset_counts: float = 200.0,
    hot_pixels: int = 0,
    hot_pixel_seed: int = 0,
    rng: np.random.Generator,
) -> NDArray[np.uint16]:
    """Draw a brightfield image.

    Microspheres and debris belong to the sample: give their positions in this image, and the
    rotation for the debris' shapes. Dust and hot pixels belong to the camera: the same positions
    and seeds draw the same ones again. `rng` draws only the noise.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns.
    microspheres_xy, dust_xy, debris_xy : array_like, (n, 2)
        Centres x, y in pixels; those outside the image are drawn as far as they reach into it.
    diameter_px : float
        Mean diameter of the microspheres, pixels; dust and debris are of similar size.
    defocus : float
        Focus error in diameters; the sign flips the contrast, 0 shows almost nothing.
    family : {"diffraction", "rings"}
        See `microsphere_profile`.
    contrast : float, optional
        Scale the profile to this peak contrast relative to the light; default: as it comes.
    polydispersity : float
        Relative standard deviation of the diameters, drawn from `microsphere_seed`.
    sample_rotation_deg : float
        Turns the shapes of the debris (not the positions given).
    illumination : Illumination, optional
        Uneven light; default: moderately uneven. Its mean level is `light_counts`.
    gain_counts_per_electron, read_noise_counts, offset_counts : float
        Camera: shot noise has the variance gain x light, in counts squared.
    hot_pixels : int
        Number of single saturated or bright pixels, fixed on the camera by `hot_pixel_seed`.
    rng : numpy.random.Generator
        Draws the noise.

    Returns
    -------
    numpy.ndarray of uint16

    Raises
    ------
    InputError
        For positions that are not finite (n, 2) or a diameter that is not positive.
    """
    if not diameter_px > 0:
        raise InputError(f"diameter_px: must be positive, not {diameter_px}")
    spheres = _points(microspheres_xy, "microspheres_xy")
    light = (illumination or Illumination()).field(shape) * light_counts

    sizes = np.random.default_rng(microsphere_seed).normal(1, polydispersity, len(spheres))
    sizes = np.clip(sizes, 0.5, 1.5)
    reach = 2.5 * diameter_px + 8
    scale = 1.0
    if contrast is not None:
        fine = np.linspace(0, reach, 500)
        curve = microsphere_profile(fine, diameter_px=diameter_px, defocus=defocus, family=family)
        scale = contrast / float(np.abs(curve).max())
    for centre, size in zip(spheres, sizes, strict=True):
        window = _stamp_window(shape, centre, reach * size, SUBPIXELS)
        if window is None:
            continue
        where, dx, dy = window
        curve = microsphere_profile(
            np.hypot(dx, dy) / size, diameter_px=diameter_px, defocus=defocus, family=family
        )
        light[where] *= np.clip(1 + scale * _over_pixels(curve, SUBPIXELS), 0.02, None)

    _add_debris(light, _points(debris_xy, "debris_xy"), debris_seed, diameter_px,
                sample_rotation_deg)  # fmt: skip
    _add_dust(light, _points(dust_xy, "dust_xy"), dust_seed, diameter_px)

    electrons = rng.poisson(light / gain_counts_per_electron)
    counts = offset_counts + gain_counts_per_electron * electrons
    counts = counts + rng.normal(0, read_noise_counts, shape)
    if hot_pixels:
        draw = np.random.default_rng(hot_pixel_seed)
        rows = draw.integers(0, shape[0], hot_pixels)
        columns = draw.integers(0, shape[1], hot_pixels)
        counts[rows, columns] += light_counts * draw.uniform(0.2, 4.0, hot_pixels)
    return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)
