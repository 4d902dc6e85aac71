"""Forward model of a brightfield image: light, spheres, dirt, camera.

The demo, the tests and the benchmarks draw their brightfield images here, so that a finder is
judged by the distance to the truth and not by how plausible its output looks.

Input: positions in the image, the focus and the light. Output: a camera image (uint16 counts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError
from blinkpair.simulate.dirt import Piece, add_debris, add_dust, add_pieces
from blinkpair.simulate.sphere_images import Family, add_microspheres, draw_sizes


@dataclass(frozen=True)
class Illumination:
    """The light, fixed to the camera: relative amplitudes around a mean of one, lengths in pixels.

    `gradient` is the change from one edge to the other, `vignetting` the loss in the corners,
    `fringe_amplitude` that of straight interference fringes. `one_sided` is the share of the light
    (0 to 1) that comes from one side, so that one half of each sphere is bright and the other
    dark; it travels towards `one_sided_angle_deg` in the image, from x towards y.
    """

    gradient: float = 0.2
    gradient_angle_deg: float = 30.0
    vignetting: float = 0.15
    fringe_amplitude: float = 0.01
    fringe_period_px: float = 40.0
    fringe_angle_deg: float = 70.0
    one_sided: float = 0.0
    one_sided_angle_deg: float = 0.0

    def __post_init__(self) -> None:
        """Check what has bounds."""
        if not 0 <= self.one_sided <= 1:
            raise InputError(f"one_sided: a share from 0 to 1, not {self.one_sided}")

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
    defocus: ArrayLike = 1.0,
    family: Family = "diffraction",
    contrast: float | None = None,
    polydispersity: float = 0.05,
    microsphere_seed: int = 0,
    sizes: ArrayLike | None = None,
    dust_xy: ArrayLike | None = None,
    dust_seed: int = 0,
    debris_xy: ArrayLike | None = None,
    debris_seed: int = 0,
    sample_rotation_deg: float = 0.0,
    dirt: Sequence[Piece] = (),
    illumination: Illumination | None = None,
    light_counts: float = 8000.0,
    gain_counts_per_electron: float = 1.0,
    read_noise_counts: float = 10.0,
    offset_counts: float = 200.0,
    hot_pixels: int = 0,
    hot_pixel_seed: int = 0,
    jpeg_quality: int | None = None,
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
    defocus : float or array_like, (n,)
        Focus error in diameters, of all spheres or of each; the sign flips the contrast, 0 shows
        almost nothing.
    family : {"diffraction", "rings"}
        See `microsphere_profile`.
    contrast : float, optional
        Scale the profile to this peak contrast relative to the light; default: as it comes. Of
        several heights of focus, the one of the most contrast has it.
    polydispersity : float
        Relative standard deviation of the diameters, drawn from `microsphere_seed`.
    sizes : array_like, (n,), optional
        Diameters relative to `diameter_px`, instead of those drawn.
    sample_rotation_deg : float
        Turns the shapes of the debris (not the positions given).
    dirt : sequence of Piece
        Fibres, flakes and shaded bands, in pixels of this image (see `dirt.draw_dirt`).
    illumination : Illumination, optional
        Uneven light; default: moderately uneven. Its mean level is `light_counts`.
    gain_counts_per_electron, read_noise_counts, offset_counts : float
        Camera: shot noise has the variance gain x light, in counts squared.
    hot_pixels : int
        Number of single saturated or bright pixels, fixed on the camera by `hot_pixel_seed`.
    jpeg_quality : int, optional
        1 to 95: the image as it is after 8 bits and JPEG of this quality; default: lossless.
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
    relative = draw_sizes(len(spheres), microsphere_seed, polydispersity)
    if sizes is not None:
        relative = np.broadcast_to(np.asarray(sizes, dtype=float), len(spheres))
    light_from = illumination or Illumination()
    light = light_from.field(shape) * light_counts
    add_microspheres(
        light, spheres, relative,
        np.broadcast_to(np.asarray(defocus, dtype=float), len(spheres)),
        diameter_px=diameter_px, family=family, contrast=contrast,
        one_sided=light_from.one_sided, one_sided_angle_deg=light_from.one_sided_angle_deg,
    )  # fmt: skip
    add_debris(light, _points(debris_xy, "debris_xy"), debris_seed, diameter_px,
               sample_rotation_deg)  # fmt: skip
    add_dust(light, _points(dust_xy, "dust_xy"), dust_seed, diameter_px)
    add_pieces(light, dirt)

    electrons = rng.poisson(light / gain_counts_per_electron)
    counts = offset_counts + gain_counts_per_electron * electrons
    counts = counts + rng.normal(0, read_noise_counts, shape)
    if hot_pixels:
        draw = np.random.default_rng(hot_pixel_seed)
        rows = draw.integers(0, shape[0], hot_pixels)
        columns = draw.integers(0, shape[1], hot_pixels)
        counts[rows, columns] += light_counts * draw.uniform(0.2, 4.0, hot_pixels)
    image = np.clip(np.rint(counts), 0, 65535).astype(np.uint16)
    return image if jpeg_quality is None else _through_jpeg(image, jpeg_quality)


def _through_jpeg(image: NDArray[np.uint16], quality: int) -> NDArray[np.uint16]:
    """Stretch an image to 8 bits, compress and expand it, and return it in its counts."""
    from PIL import Image

    # Single hot pixels do not set the range: they are clipped, as cameras' software does.
    low, high = np.percentile(image, [0.01, 99.99])
    unit = max(high - low, 1.0) / 255
    grey = np.clip(np.rint((image - low) / unit), 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(grey).save(file, "jpeg", quality=quality)
    with Image.open(file) as expanded:
        levels = np.asarray(expanded, dtype=float)
    return np.clip(np.rint(low + unit * levels), 0, 65535).astype(np.uint16)
