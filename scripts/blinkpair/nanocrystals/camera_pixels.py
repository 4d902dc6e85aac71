"""Separate candidates that are pixels of the camera from nanocrystals.

On an sCMOS every pixel has an amplifier of its own, and some are warm, noisy or jump between two
levels. Such a pixel stands out alone: it has not the shape of the PSF, does not move with the
sample, and its neighbours do not change when it does. A nanocrystal blinks in all pixels of its
image together. Changes in time decide where there are any, because two bad pixels side by side look
like one image but do not change together; the shape decides for what never changes.

Spots of the shape of the PSF that stay while the sample drifts are the camera's, too: they would
pull the drift towards zero.

Input: projections of a movie, candidates, the drift. Output: which candidates are the camera's, and
where each is on the sensor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray, neighbours
from blinkpair.nanocrystals.localisation import localise, misfits, pixel_profile, window_pixels
from blinkpair.nanocrystals.projections import Projections

# Excess of the explained changes over those of noise alone, in standard deviations of the latter:
# below it, a candidate counts as constant.
CHANGES = 6.0
# The image of the PSF explains this share of the power of a constant candidate at least: in a
# region of 21 pixels, it stands 7 times above the noise and the pattern of the camera, not 5 times
# as others. What emits so little and never blinks is no nanocrystal.
CONSTANT_SHARE = 0.7
# What lasts is this many times the power of the changes in a stretch: the changes of a nanocrystal
# that is nearly always on are the noise of its own light, most of it in one pixel, and its shape
# decides. A pixel that jumps, beside one that is always bright, changes by more.
STEADY = 10.0
REGION_PX = 2.5
LIT_PX = 5.0  # so far from a nanocrystal its light, and that of one that is not resolved, may reach
# Bad pixels among the candidates would make a measured width too narrow; these are always tried.
SIGMAS_PX = (0.5, 0.7, 1.0, 1.4)
DISTURBING = 0.5  # of the noise of nine pixels
PIXEL_REACH_PX = 1.0  # a pixel farther from a candidate than this is not the candidate
LEAST_DRIFT_PX = 0.3  # less does not decide whether a spot moves with the sample
# Twice the log-likelihood ratio from which it is decided: by chance in 1 of 10^12 spots, but drift
# and shape of the PSF are not exact.
FIXED_EVIDENCE = 50.0
ALWAYS_LIT = 0.5  # of the mean light, in nine stretches of ten
AT_ONCE = 1_000_000  # values; a dozen arrays of so many are kept
SAMPLED = 4  # every so many pixels, in x and y, measure the noise


def find_camera_pixels(
    projections: Projections, xy: FloatArray, drift: FloatArray
) -> tuple[BoolArray, IntArray]:
    """Return which candidates are the camera's, (n,), and the pixel of each, (n, 2).

    The images of all stretches around a candidate are described by a PSF that moves with the
    sample, and by one pixel that does not; either has an amplitude of its own in each stretch. The
    one that explains more of the power is the better description. First the median of each pixel
    over the stretches is taken off, and every pixel is weighted by its own noise from frame to
    frame, which is larger where a nanocrystal is always on. Where that leaves noise, the median
    images are compared.

    Parameters
    ----------
    projections : Projections
    xy : (n, 2) float
        Candidates at the first frame.
    drift : (S, 2) float
    """
    if len(drift) < 2:
        return np.zeros(len(xy), bool), np.zeros((len(xy), 2), np.int64)
    of_camera, pixel = _compare(projections, xy, drift, np.empty((0, 2)))
    # A nanocrystal that drifts over the path of another one passes for a pixel there.
    others, reach = xy[~of_camera], REGION_PX + LIT_PX + np.hypot(*np.ptp(drift, axis=0))
    crossed = [len(near) > 0 for near in neighbours(xy, others, reach)]
    if (again := of_camera & np.array(crossed, bool)).any():
        of_camera[again], pixel[again] = _compare(projections, xy[again], drift, others)
    return of_camera, pixel


def _compare(
    projections: Projections, xy: FloatArray, drift: FloatArray, others: FloatArray
) -> tuple[BoolArray, IntArray]:
    """Return what `find_camera_pixels` does, without the light of other nanocrystals, (m, 2)."""
    of_camera = np.zeros(len(xy), bool)
    pixel = np.zeros((len(xy), 2), np.int64)
    images = (projections.mean, projections.burst)
    noises = [_noise(stretches) for stretches in images]
    usual = float(np.median(projections.variance[:, ::SAMPLED, ::SAMPLED]))
    of_lasting = max(float(np.median(noises[0])), _fixed_pattern(projections.mean))
    window = np.prod(2 * _reach(drift) + 1)
    step = max(1, AT_ONCE // int(len(drift) * window))
    for first in range(0, len(xy), step):
        some = slice(first, first + step)
        columns, rows = _region(projections.mean.shape[1:], xy[some], drift)
        variance = np.median(_cut(projections.variance, columns, rows), axis=1)
        own_noise = np.sqrt(np.maximum(variance / max(usual, 1e-9), 0.25))[:, None]
        distance = _distance(columns, rows, xy[some], drift)
        own_light = ~_lit_by(others, columns, rows, xy[some], drift)
        region, near = distance <= REGION_PX, distance <= PIXEL_REACH_PX
        profiles = [_image(columns, rows, xy[some], drift, s) for s in SIGMAS_PX]
        # The changes of a nanocrystal that is mostly off, and of one that is always on and drifts.
        moving = profiles + [p - np.median(p, axis=1, keepdims=True) for p in profiles]
        by_image, by_pixel = np.zeros((2, len(columns)))
        for stretches, noise in zip(images, noises, strict=True):
            changes = _cut(stretches, columns, rows)
            changes -= np.median(changes, axis=1, keepdims=True)
            changes -= np.median(changes, axis=(2, 3), keepdims=True)
            changes /= own_noise * noise[:, None, None]
            changes *= region[:, None] & own_light
            by_image += _explained([p / own_noise for p in moving], changes)
            by_pixel += np.where(near, (changes**2).sum(axis=1), 0.0).max(axis=(1, 2))
        n = len(images) * len(drift)  # squares of a normal variable in each sum
        changing = np.maximum(by_image, by_pixel)
        light = _cut(projections.mean, columns, rows)
        light -= np.median(light, axis=(2, 3), keepdims=True)
        lasting = np.median(light * own_light, axis=1) * region
        power = (lasting**2).sum(axis=(1, 2))
        of_image = _explained([p.mean(axis=1, keepdims=True) for p in profiles], lasting[:, None])
        of_pixel = np.where(near, lasting**2, 0.0).max(axis=(1, 2))
        in_noise = lasting / (own_noise[:, 0] * of_lasting)
        steady = (in_noise**2).sum(axis=(1, 2)) > STEADY * changing / n
        constant = steady | (changing < n + CHANGES * np.sqrt(2 * n))
        pattern = (of_pixel > of_image) | (of_image < CONSTANT_SHARE * power)
        of_camera[some] = np.where(constant, pattern, by_pixel > by_image)
        size = np.where(near, np.abs(lasting), -1.0)
        pixel[some] = _place(
            np.where(constant[:, None, None], size, near * variance), columns, rows
        )
    return of_camera, pixel


def are_fixed_to_camera(
    images: NDArray[np.float32],
    weights: FloatArray,
    xy: FloatArray,
    drift: FloatArray,
    *,
    psf_sigma_px: float,
) -> tuple[BoolArray, FloatArray]:
    """Return which spots stay on their pixels while the drift moves the others, and their places.

    Dirt that glows all the time on the camera or a window has the shape of the PSF and does not
    drift. Where the drift is large enough to decide, it fits better at a place that does not move.

    Parameters
    ----------
    images : (S, y, x) float32
        Mean images of the stretches, background subtracted.
    weights : (S,) float
        Frames of each.
    xy : (n, 2) float
        Spots at the first frame.
    drift : (S, 2) float
    psf_sigma_px : float

    Returns
    -------
    fixed : (n,) bool
    place : (n, 2) float
        Where the spot is if it does not move.

    Notes
    -----
    None is fixed where more of them fit better without the drift than with it.
    """
    shift = np.average(drift, axis=0, weights=weights)
    if not len(xy) or np.ptp(drift, axis=0).max() < LEAST_DRIFT_PX:
        return np.zeros(len(xy), bool), xy + shift
    reach = 0.5 * np.sqrt(window_pixels(psf_sigma_px)) + 1
    last = np.array(images.shape[:0:-1]) - 1 - reach
    inside = np.ones(len(xy), bool)
    left = []
    for start, path in ((xy, drift), (xy + shift, np.zeros_like(drift))):
        fit = localise(images, weights, start, path, psf_sigma_px=psf_sigma_px)
        width = np.array([psf_sigma_px])
        power, _ = misfits(images, fit.xy, path, width, reach_px=psf_sigma_px)
        left.append(power[0] @ (weights / weights.mean()))
        inside &= ((fit.xy + path.min(axis=0) >= reach) & (fit.xy + path.max(axis=0) <= last)).all(
            1
        )
    # Dirt emits in every stretch. A nanocrystal that was on in one stretch only shows no motion.
    amplitude = fit.amplitude
    steady = np.quantile(amplitude, 0.1, axis=1) > ALWAYS_LIT * amplitude.mean(axis=1)
    variance = np.minimum(*left) / (len(drift) * (window_pixels(psf_sigma_px) - 2))
    evidence = (left[0] - left[1]) / np.maximum(variance, 1e-12)
    fixed = (evidence > FIXED_EVIDENCE) & inside & steady
    if fixed.sum() > (evidence < -FIXED_EVIDENCE).sum():
        fixed[:] = False  # most do not move as measured: the drift is wrong
    return fixed, fit.xy


def disturbs_counts(projections: Projections, pixels: IntArray) -> BoolArray:
    """Return which pixels, (n,), change the counts of an aperture around them noticeably.

    Those that in some stretch are brighter than their neighbours, or noisier from frame to frame,
    by half the noise of nine usual pixels in one frame. A fainter one does not change which frames
    are on.
    """
    columns, rows = pixels.T
    around = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y])
    height, width = projections.mean.shape[1:]
    near = (
        np.clip(rows[:, None] + around[:, 1], 0, height - 1),
        np.clip(columns[:, None] + around[:, 0], 0, width - 1),
    )
    usual = float(np.median(projections.variance[:, ::SAMPLED, ::SAMPLED]))
    least = DISTURBING * 3 * np.sqrt(usual)
    own = projections.mean[:, rows, columns]
    brighter = np.abs(own - np.median(projections.mean[:, near[0], near[1]], axis=2)).max(axis=0)
    noisier = projections.variance[:, rows, columns].max(axis=0) > 2 * usual + least**2
    return np.asarray((brighter > least) | noisier)


def _noise(images: NDArray[np.float32]) -> FloatArray:
    """Return the noise of a pixel of each stretch, (S,), from its differences to the median."""
    some = images[:, ::SAMPLED, ::SAMPLED]
    change = some - np.median(some, axis=0)
    change -= np.median(change, axis=(1, 2), keepdims=True)
    noise = 1.4826 * np.median(np.abs(change), axis=(1, 2))
    return np.maximum(noise, 1e-6).astype(np.float64)


def _fixed_pattern(images: NDArray[np.float32]) -> float:
    """Return by how much a pixel usually differs from the next one in all stretches, its noise.

    Pixels of an sCMOS have offsets of their own, which last like one that never blinks.
    """
    beside = np.median(images[:, ::SAMPLED, 1:] - images[:, ::SAMPLED, :-1], axis=0)
    return float(1.4826 * np.median(np.abs(beside - np.median(beside))) / np.sqrt(2))


def _region(shape: tuple[int, ...], xy: FloatArray, drift: FloatArray) -> tuple[IntArray, IntArray]:
    """Return columns (n, w) and rows (n, h) along the path of each candidate.

    At the sensor's edge its last ones are repeated.
    """
    middle = 0.5 * (drift.min(axis=0) + drift.max(axis=0))
    reach = _reach(drift)
    centre = np.rint(xy + middle).astype(np.int64)
    columns = np.clip(centre[:, 0, None] + np.arange(-reach[0], reach[0] + 1), 0, shape[1] - 1)
    rows = np.clip(centre[:, 1, None] + np.arange(-reach[1], reach[1] + 1), 0, shape[0] - 1)
    return columns, rows


def _reach(drift: FloatArray) -> IntArray:
    """Return how far, in x and y, the region of a candidate extends from the middle of its path."""
    return np.ceil(REGION_PX + 0.5 * np.ptp(drift, axis=0)).astype(np.int64)


def _cut(images: NDArray[np.float32], columns: IntArray, rows: IntArray) -> FloatArray:
    """Return the values of all stretches there, (n, S, h, w)."""
    values = images[:, rows[:, :, None], columns[:, None, :]]
    return np.moveaxis(values, 0, 1).astype(np.float64)


def _image(
    columns: IntArray, rows: IntArray, xy: FloatArray, drift: FloatArray, sigma: float
) -> FloatArray:
    """Return the PSF of each candidate in each stretch, (n, S, h, w)."""
    path = xy[:, None, :] + drift
    across = pixel_profile(columns[:, None, :] - path[:, :, 0, None], sigma)
    down = pixel_profile(rows[:, None, :] - path[:, :, 1, None], sigma)
    return np.asarray(down[..., :, None] * across[..., None, :])


def _explained(profiles: list[FloatArray], values: FloatArray) -> FloatArray:
    """Return the power (n,) of values (n, S, h, w) that the best of the profiles explains.

    A profile has an amplitude of its own in each stretch, and may be 0 in some.
    """
    power = [
        ((values * p).sum(axis=(2, 3)) ** 2 / ((p**2).sum(axis=(2, 3)) + 1e-12)).sum(axis=1)
        for p in profiles
    ]
    return np.asarray(np.max(power, axis=0))


def _distance(columns: IntArray, rows: IntArray, xy: FloatArray, drift: FloatArray) -> FloatArray:
    """Return the least distance of pixels (n, h, w) from each candidate at any drift."""
    path = xy[:, None, :] + drift
    dx = columns[:, None, None, :] - path[:, :, 0, None, None]
    dy = rows[:, None, :, None] - path[:, :, 1, None, None]
    return np.asarray(np.sqrt((dx**2 + dy**2).min(axis=1)))


def _lit_by(
    others: FloatArray, columns: IntArray, rows: IntArray, xy: FloatArray, drift: FloatArray
) -> BoolArray:
    """Return where, (n, S, h, w), a region is lit by another nanocrystal than the candidate."""
    lit = np.zeros((len(xy), len(drift), rows.shape[1], columns.shape[1]), bool)
    reach = REGION_PX + LIT_PX + np.hypot(*np.ptp(drift, axis=0))
    for k, near in enumerate(neighbours(xy, others, reach)):
        if not len(near):
            continue
        path = np.vstack([xy[k], others[near]])[:, None] + drift
        dx = columns[k] - path[..., 0, None]
        dy = rows[k] - path[..., 1, None]
        away = np.hypot(dy[..., :, None], dx[..., None, :])
        nearest = away[1:].min(axis=0)
        lit[k] = (nearest <= LIT_PX) & (nearest < away[0])
    return lit


def _place(size: FloatArray, columns: IntArray, rows: IntArray) -> IntArray:
    """Return column and row of the largest of each (n, h, w)."""
    row, column = np.unravel_index(size.reshape(len(size), -1).argmax(axis=1), size.shape[1:])
    each = np.arange(len(size))
    return np.column_stack([columns[each, column], rows[each, row]])
