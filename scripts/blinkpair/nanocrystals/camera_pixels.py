"""Separate candidates that are pixels of the camera from nanocrystals.

On an sCMOS every pixel has an amplifier of its own, and some are warm, noisy or jump between two
levels. Such a pixel stands out alone: it has not the shape of the PSF, does not move with the
sample, and its neighbours do not change when it does. A nanocrystal blinks in all pixels of its
image together. Changes in time decide where there are any, because two bad pixels side by side look
like one image but do not change together; the shape decides for what never changes.

Input: means and burst means of the stretches of a movie, candidates, the drift. Output: which
candidates are single pixels, and the column and row of these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.nanocrystals.localisation import pixel_profile
from blinkpair.nanocrystals.projections import Projections

# Excess of the explained changes over those of noise alone, in standard deviations of the latter:
# below it, a candidate counts as constant.
CHANGES = 6.0
PIXEL_REACH_PX = 1.0  # a pixel farther from a candidate than this is not the candidate
SIGMAS_PX = (0.5, 0.7, 1.0, 1.4)
HALF_PX = 3
AT_ONCE = 300  # candidates; bounds the memory
SAMPLED = 4  # every so many pixels, in x and y, measure the noise


def find_camera_pixels(
    projections: Projections, xy: FloatArray, drift: FloatArray
) -> tuple[BoolArray, IntArray]:
    """Return which candidates are single pixels, (n,), and the pixel of each, (n, 2).

    The images of all stretches around a candidate are described by a PSF that moves with the
    sample, and by one pixel that does not; either has an amplitude of its own in each stretch. The
    one that explains more of the power is the better description. The PSF is the best of a few
    widths: bad pixels among the candidates would make a measured one too narrow.

    Parameters
    ----------
    projections : Projections
        Its hot pixels are replaced.
    xy : (n, 2) float
        Candidates at the first frame.
    drift : (S, 2) float
    """
    single = np.zeros(len(xy), bool)
    pixel = np.zeros((len(xy), 2), np.int64)
    if len(drift) < 2:
        return single, pixel
    noises = [_noise(images) for images in (projections.mean, projections.burst)]
    for first in range(0, len(xy), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        explained = np.zeros((2, 2, len(xy[some])))  # of changes and of all; by the PSF, the pixel
        power: FloatArray | float = 0.0
        for images, noise in zip((projections.mean, projections.burst), noises, strict=True):
            columns, rows, values = _windows(images, xy[some], drift)
            profiles = [_moving_image(columns, rows, xy[some], drift, s) for s in SIGMAS_PX]
            near = _near(columns, rows, xy[some], drift)
            constant = np.median(values, axis=1, keepdims=True)
            for k, kept in enumerate((values - constant, values)):
                flat = kept - np.median(kept, axis=(2, 3), keepdims=True)
                flat /= noise[:, None, None]
                by_image = [_explained(flat, profile) for profile in profiles]
                by_pixel = np.where(near, (flat**2).sum(axis=1), 0.0)
                explained[k, 0] += np.max(by_image, axis=0)
                explained[k, 1] += by_pixel.max(axis=(1, 2))
                power = power + by_pixel if k else power
        best = np.asarray(power).reshape(len(columns), -1).argmax(axis=1)
        row, column = np.unravel_index(best, near.shape[1:])
        each = np.arange(len(columns))
        pixel[some] = np.column_stack([columns[each, column], rows[each, row]])
        n = 2 * len(drift)  # squares of a normal variable in each sum
        changes = (explained[0].max(axis=0) - n) / np.sqrt(2 * n) > CHANGES
        image, one_pixel = np.where(changes, explained[0], explained[1])
        single[some] = one_pixel > image
    return single, pixel


def _noise(images: NDArray[np.float32]) -> FloatArray:
    """Return the noise of a pixel of each stretch, (S,), from its differences to the median."""
    some = images[:, ::SAMPLED, ::SAMPLED]
    change = some - np.median(some, axis=0)
    change -= np.median(change, axis=(1, 2), keepdims=True)
    noise = 1.4826 * np.median(np.abs(change), axis=(1, 2))
    return np.maximum(noise, 1e-6).astype(np.float64)


def _windows(
    images: NDArray[np.float32], xy: FloatArray, drift: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return columns (n, w), rows (n, h) and values (n, S, h, w) along the path of each candidate.

    The pixels are the same in all stretches; at the sensor's edge its last ones are repeated.
    """
    _, height, width = images.shape
    middle = 0.5 * (drift.min(axis=0) + drift.max(axis=0))
    reach = HALF_PX + np.ceil(0.5 * np.ptp(drift, axis=0)).astype(int)
    centre = np.rint(xy + middle).astype(np.int64)
    columns = np.clip(centre[:, 0, None] + np.arange(-reach[0], reach[0] + 1), 0, width - 1)
    rows = np.clip(centre[:, 1, None] + np.arange(-reach[1], reach[1] + 1), 0, height - 1)
    values = images[:, rows[:, :, None], columns[:, None, :]]
    return columns, rows, np.moveaxis(values, 0, 1).astype(np.float64)


def _moving_image(
    columns: IntArray, rows: IntArray, xy: FloatArray, drift: FloatArray, sigma: float
) -> FloatArray:
    """Return the PSF of each candidate in each stretch, (n, S, h, w)."""
    path = xy[:, None, :] + drift
    across = pixel_profile(columns[:, None, :] - path[:, :, 0, None], sigma)
    down = pixel_profile(rows[:, None, :] - path[:, :, 1, None], sigma)
    return np.asarray(down[..., :, None] * across[..., None, :])


def _explained(values: FloatArray, profile: FloatArray) -> FloatArray:
    """Return the power that a profile with an amplitude of its own in each stretch explains."""
    amplitude2 = (values * profile).sum(axis=(2, 3)) ** 2 / (profile**2).sum(axis=(2, 3))
    return np.asarray(amplitude2.sum(axis=1))


def _near(columns: IntArray, rows: IntArray, xy: FloatArray, drift: FloatArray) -> BoolArray:
    """Return which pixels, (n, h, w), come within `PIXEL_REACH_PX` of each candidate."""
    path = xy[:, None, :] + drift
    dx = columns[:, None, None, :] - path[:, :, 0, None, None]
    dy = rows[:, None, :, None] - path[:, :, 1, None, None]
    return np.asarray((dx**2 + dy**2 <= PIXEL_REACH_PX**2).any(axis=1))
