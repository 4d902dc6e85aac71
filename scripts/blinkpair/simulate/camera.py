"""An EMCCD, or an sCMOS, that films blinking nanocrystals.

The multiplication register of an EMCCD turns n photo-electrons into a gamma-distributed number
of counts with shape n, so that the variance is about 2 x gain x signal (Basden,
Haniff & Mackay 2003, MNRAS 345, 985). An sCMOS has no such register, and an amplifier for each
pixel instead: offset, gain and read noise differ from pixel to pixel. Every frame has its own
random stream, derived from seed and frame number: the movie does not depend on threads or block
size.

Input: positions and expected counts of every nanocrystal, background. Output: uint16 frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.compiled import njit
from blinkpair.simulate.emccd_tables import (
    MARGIN,
    MAX_COUNTS,
    OUTCOMES,
    AliasTables,
    alias_tables,
)
from blinkpair.simulate.scmos_pixels import ScmosSpread, scmos_pixels


@dataclass(frozen=True)
class Camera:
    """Sensor and register of the camera.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    exposure_s : float
        Frame interval.
    pixel_size_um : float
        In the sample plane.
    offset_counts : float
        Bias level that the camera adds to every pixel.
    gain : float
        Mean counts per photo-electron.
    read_noise_counts : float
        Standard deviation of the read-out.
    scmos : ScmosSpread or None
        How pixels differ; gain, offset and read noise above are then those of the median pixel.
        None: an EMCCD.
    """

    shape: tuple[int, int] = (512, 512)
    exposure_s: float = 0.02
    pixel_size_um: float = 0.16
    offset_counts: float = 100.0
    gain: float = 5.0
    read_noise_counts: float = 2.0
    scmos: ScmosSpread | None = None


@numba.njit(inline="always")
def _next(state: Any) -> Any:
    # splitmix64: one multiply-xor chain a draw, and streams of neighbouring seeds are unrelated.
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit(inline="always")
def _uniform(state: Any) -> Any:
    # In (0, 1]: a zero would make the logarithm below infinite.
    return ((_next(state) >> np.uint64(11)) + 1.0) * 1.1102230246251565e-16


@numba.njit(inline="always")
def _illuminate(
    light: Any, background: Any, xy: Any, counts: Any, drift: Any, sigma: Any, frame: int
) -> None:
    """Fill `light` (y, x) with the expected counts of one frame."""
    height, width = light.shape
    reach = int(np.ceil(4.5 * sigma[frame])) + 1
    x_profile = np.empty(2 * reach + 2)
    y_profile = np.empty(2 * reach + 2)
    scale = 1.0 / (np.sqrt(2.0) * sigma[frame])
    for row in range(height):
        for column in range(width):  # for a slice numba compiles a check of shapes
            light[row, column] = background[row, column]
    for k in range(xy.shape[0]):
        signal = counts[k, frame]
        if signal <= 0.0:
            continue
        x = xy[k, 0] + drift[frame, 0]
        y = xy[k, 1] + drift[frame, 1]
        left = int(np.floor(x + 0.5)) - reach
        top = int(np.floor(y + 0.5)) - reach
        # The PSF integrated over each pixel, not sampled at its centre: it is undersampled.
        for i in range(2 * reach + 1):
            x_profile[i] = 0.5 * (
                _erf((left + i + 0.5 - x) * scale) - _erf((left + i - 0.5 - x) * scale)
            )
            y_profile[i] = 0.5 * (
                _erf((top + i + 0.5 - y) * scale) - _erf((top + i - 0.5 - y) * scale)
            )
        for i in range(2 * reach + 1):
            row = top + i
            if row < 0 or row >= height:
                continue
            for j in range(2 * reach + 1):
                column = left + j
                if 0 <= column < width:
                    light[row, column] += signal * y_profile[i] * x_profile[j]


@njit(nogil=True)
def _film(
    frames: Any,
    first_frame: int,
    seed: int,
    background: Any,
    threshold: Any,
    alias: Any,
    level: Any,
    fraction: Any,
    xy: Any,
    counts: Any,
    drift: Any,
    sigma: Any,
    gain: float,
    offset: float,
    read_noise: float,
) -> None:
    """Fill `frames` (n, y, x) with what the camera reads; arrays as in `film_block`."""
    n_frames, height, width = frames.shape
    light = np.empty((height, width), np.float32)
    lowest = int(np.floor(offset + 0.5)) - MARGIN
    state = np.empty(1, np.uint64)
    for f in range(n_frames):
        frame = first_frame + f
        state[0] = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(frame)
        _next(state)
        _illuminate(light, background, xy, counts, drift, sigma, frame)
        for row in range(height):
            for column in range(width):
                mean = light[row, column]
                if mean == background[row, column] and mean <= MAX_COUNTS:
                    bits = _next(state)
                    outcome = np.int64(bits & np.uint64(OUTCOMES - 1))
                    share = np.int64(bits >> np.uint64(41))
                    table = level[row, column] + (1 if share < fraction[row, column] else 0)
                    draw = np.uint32((bits >> np.uint64(9)) & np.uint64(0xFFFFFFFF))
                    if draw >= threshold[table, outcome]:
                        outcome = np.int64(alias[table, outcome])
                    frames[f, row, column] = np.uint16(lowest + outcome)
                    continue
                # Poisson electrons: how many uniforms until their product falls below exp(-mean).
                never = np.exp(-mean / gain)
                electrons = 0
                product = _uniform(state)
                while product > never:
                    electrons += 1
                    product *= _uniform(state)
                value = offset + read_noise * _normal(state)
                if electrons > 0:
                    # A gamma variate of whole-numbered shape n is -log of a product of n uniforms.
                    product = 1.0
                    for _ in range(electrons):
                        product *= _uniform(state)
                    value -= gain * np.log(product)
                frames[f, row, column] = np.uint16(min(max(value + 0.5, 0.0), 65535.0))


@njit(nogil=True)
def _film_scmos(
    frames: Any,
    first_frame: int,
    seed: int,
    background: Any,
    offset: Any,
    gain: Any,
    read_noise: Any,
    telegraph_step: Any,
    telegraph_frames: Any,
    xy: Any,
    counts: Any,
    drift: Any,
    sigma: Any,
    mean_gain: float,
) -> None:
    """Fill `frames` (n, y, x); maps (y, x) are of `ScmosPixels`, others as in `film_block`."""
    n_frames, height, width = frames.shape
    light = np.empty((height, width), np.float32)
    state = np.empty(1, np.uint64)
    for f in range(n_frames):
        frame = first_frame + f
        state[0] = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(frame)
        _next(state)
        _illuminate(light, background, xy, counts, drift, sigma, frame)
        for row in range(height):
            for column in range(width):
                never = np.exp(-light[row, column] / mean_gain)
                electrons = 0
                product = _uniform(state)
                while product > never:
                    electrons += 1
                    product *= _uniform(state)
                value = offset[row, column] + gain[row, column] * electrons
                value += read_noise[row, column] * _normal(state)
                if telegraph_frames[row, column] > 0:
                    value += telegraph_step[row, column] * _is_up(
                        seed, row * width + column, frame, telegraph_frames[row, column]
                    )
                frames[f, row, column] = np.uint16(min(max(value + 0.5, 0.0), 65535.0))


@numba.njit(inline="always")
def _is_up(seed: int, pixel: int, frame: int, length: int) -> int:
    # A telegraph pixel draws its level anew every `length` frames, each pixel at its own beginning.
    # Of seed, pixel and frame alone: the movie does not depend on the size of its blocks.
    state = np.empty(1, np.uint64)
    piece = (frame + pixel % length) // length
    state[0] = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(pixel)
    state[0] = _next(state) + np.uint64(piece)
    return int(_next(state) >> np.uint64(63))


@numba.njit(inline="always")
def _normal(state: Any) -> Any:
    # Box & Muller 1958; the second of the pair is not used.
    radius = np.sqrt(-2.0 * np.log(_uniform(state)))
    return radius * np.cos(2.0 * np.pi * _uniform(state))


@numba.njit(inline="always")
def _erf(z: Any) -> Any:
    # Abramowitz & Stegun 7.1.26, error below 1.5e-7: a hundred times below the shot noise here.
    a = abs(z)
    t = 1.0 / (1.0 + 0.3275911 * a)
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    value = 1.0 - poly * np.exp(-a * a)
    return value if z >= 0 else -value


@lru_cache(maxsize=4)
def _tables(background: bytes, shape: tuple[int, int], camera: Camera) -> AliasTables:
    """Keep the tables of a movie from block to block."""
    image = np.frombuffer(background, np.float32).reshape(shape).astype(np.float64)
    return alias_tables(image, camera.gain, camera.read_noise_counts)


def film_block(
    camera: Camera,
    background: NDArray[np.float32],
    xy: FloatArray,
    counts: NDArray[np.float32],
    drift: FloatArray,
    *,
    psf_sigma_px: float | FloatArray,
    first_frame: int,
    frames: int,
    seed: int,
) -> NDArray[np.uint16]:
    """Film a stretch of the movie.

    Parameters
    ----------
    camera : Camera
    background : (y, x) float32
        Expected counts a pixel without nanocrystals, above the offset; at most about 3,000.
    xy : (n, 2) float
        Positions at frame 0.
    counts : (n, all frames) float32
        Expected counts of each nanocrystal, summed over its image.
    drift : (all frames, 2) float
        Displacement of the sample since frame 0, x and y.
    psf_sigma_px : float or (all frames,) float
        Width of the image of a nanocrystal, in all frames or in each.
    first_frame, frames : int
        The stretch.
    seed : int

    Returns
    -------
    (frames, y, x) uint16
    """
    block = np.empty((frames, *camera.shape), np.uint16)
    background = background.astype(np.float32)
    # Copies: for arrays that may not be written, numba would compile the kernel once more.
    sample = (
        np.array(xy, np.float64, order="C"),
        counts,
        np.array(drift, np.float64, order="C"),
        np.array(np.broadcast_to(psf_sigma_px, len(drift)), np.float64, order="C"),
        camera.gain,
    )
    if camera.scmos is not None:
        pixels = scmos_pixels(
            camera.scmos, camera.shape, camera.offset_counts, camera.gain, camera.read_noise_counts
        )
        dark = background + pixels.dark_counts
        _film_scmos(block, first_frame, seed, dark, *pixels[:-1], *sample)
        return block
    tables = _tables(background.tobytes(), background.shape, camera)
    _film(
        block,
        first_frame,
        seed,
        background,
        *tables,
        *sample,
        camera.offset_counts,
        camera.read_noise_counts,
    )
    return block
