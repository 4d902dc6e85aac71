"""Detect nanocrystals, also those that are almost always off.

Three images of the whole movie are searched together, because each shows what is weak in the
others: the mean (weak but steady emission), the variance from frame to frame (scattered short
blinks) and the largest burst mean (one bright blink in 400 s).

Input: the projections of a movie and its drift. Output: candidate positions at the first frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray, neighbours
from blinkpair.nanocrystals.background import background_and_noise
from blinkpair.nanocrystals.projections import Projections

# Five standard deviations: 0.08 false detections in 512 x 512 pixels of Gaussian noise.
MEAN_SIGMAS = 5.0
# The variance image's noise is a little skewed; its largest values in 65,000 pixels of simulated
# EMCCD noise stayed below 5.
VARIANCE_SIGMAS = 5.5
# A maximum over bursts is distributed like an extreme value. Going from its median through the
# 95 % quantile to one false pixel in ten fields of 512 x 512 is 5.5 times as far
# (Gumbel: (ln 2.6e6 + ln ln 2) / (-ln -ln 0.95 + ln ln 2)).
BURST_QUANTILES = 5.5
# Airy rings and the wings of a bright nanocrystal reach about 2 % of its peak a few pixels away.
WING_FRACTION = 0.03
WING_REACH_PX = 8.0
BORDER_PX = 2  # what peaks at the very edge is the wing of a nanocrystal outside


@dataclass(frozen=True)
class AlignedImages:
    """Projections of the whole movie in the coordinates of its first frame.

    NaN where the sample was not in view all the time.
    """

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    burst: NDArray[np.float32]


def align(projections: Projections, drift_xy: FloatArray, hot_pixels: IntArray) -> AlignedImages:
    """Return the projections with all stretches shifted to the first frame, by whole pixels.

    Parameters
    ----------
    projections : Projections
    drift_xy : (S, 2) float
        Displacement of each stretch.
    hot_pixels : (n, 2) int
        From `find_hot_pixels`.
    """
    n_stretches, height, width = projections.mean.shape
    mean = np.zeros((height, width))
    variance = np.zeros((height, width))
    burst = np.full((height, width), -np.inf, np.float32)
    in_view = np.zeros((height, width), np.int64)
    for s in range(n_stretches):
        dx, dy = (int(v) for v in np.rint(drift_xy[s]))
        here = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
        there = (slice(max(0, dy), height - max(0, -dy)), slice(max(0, dx), width - max(0, -dx)))
        weight = float(projections.n_frames[s])
        mean[here] += weight * repaired(projections.mean[s], hot_pixels)[there]
        variance[here] += weight * repaired(projections.variance[s], hot_pixels)[there]
        burst[here] = np.maximum(burst[here], repaired(projections.burst[s], hot_pixels)[there])
        in_view[here] += 1
    always = in_view == n_stretches
    total = float(projections.n_frames.sum())
    return AlignedImages(
        *(
            np.where(always, image, np.nan).astype(np.float32)
            for image in (mean / total, variance / total, burst)
        )
    )


def significance(images: AlignedImages, psf_sigma_px: float) -> NDArray[np.float32]:
    """Return each pixel's excess in units of the detection threshold: above 1 is detected.

    Each image is smoothed with the PSF (the matched filter), set against its local background
    and noise, and divided by its threshold; the largest of the three counts.
    """
    from scipy.ndimage import gaussian_filter

    score = np.full(images.mean.shape, -np.inf, np.float32)
    # All pixels that were always in view are a rectangle. What lies beyond it has no value that
    # would not be an edge in a light that is uneven.
    in_view = np.isfinite(images.mean)
    if not in_view.any():
        return score
    view = np.ix_(in_view.any(axis=1), in_view.any(axis=0))
    for image, threshold in (
        (images.mean, MEAN_SIGMAS),
        (images.variance, VARIANCE_SIGMAS),
        (images.burst, None),
    ):
        smooth = gaussian_filter(image[view], psf_sigma_px)
        background, noise = background_and_noise(smooth)
        with np.errstate(invalid="ignore", divide="ignore"):
            sigmas = np.where(noise > 0, (smooth - background) / noise, 0.0)
        if threshold is None:
            # Many nanocrystals in a field raise the quantile: at most to twice a Gaussian's.
            upper = float(np.clip(np.quantile(sigmas, 0.95), 1.645, 3.3))
            threshold = BURST_QUANTILES * upper
        score[view] = np.fmax(score[view], (sigmas / threshold).astype(np.float32))
    return score


def find_candidates(images: AlignedImages, *, psf_sigma_px: float) -> pd.DataFrame:
    """Return the local maxima of the significance that are not wings of a bright nanocrystal.

    Returns
    -------
    pandas.DataFrame
        x, y (pixels, whole), significance; the most significant first.
    """
    from scipy.ndimage import maximum_filter

    score = significance(images, psf_sigma_px)
    score = np.where(np.isfinite(score), score, -np.inf).astype(np.float32)
    radius = max(1.5, 1.7 * psf_sigma_px)
    reach = int(np.ceil(radius))
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    peak = (score > 1.0) & (score == maximum_filter(score, footprint=np.hypot(dx, dy) <= radius))
    peak[:BORDER_PX] = peak[-BORDER_PX:] = False
    peak[:, :BORDER_PX] = peak[:, -BORDER_PX:] = False
    rows, columns = np.nonzero(peak)
    found = pd.DataFrame(
        {"x": columns.astype(float), "y": rows.astype(float), "significance": score[rows, columns]}
    )
    found = found.sort_values(["significance", "y", "x"], ascending=[False, True, True])
    return _without_wings(found.reset_index(drop=True))


def _without_wings(found: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates without those much weaker than a close one: rings and wings of it."""
    score = found["significance"].to_numpy()
    xy = found[["x", "y"]].to_numpy()
    strongest_near = np.array([score[near].max() for near in neighbours(xy, xy, WING_REACH_PX)])
    return found[score >= WING_FRACTION * strongest_near].reset_index(drop=True)


def find_hot_pixels(projections: Projections) -> IntArray:
    """Return pixels that are far brighter than all their neighbours.

    The image of a nanocrystal covers the neighbouring pixels too, with a fifth of its peak or
    more even for the narrowest PSF; a hot pixel covers one pixel and does not drift.

    Returns
    -------
    (n, 2) int
        Column and row of each.
    """
    total = np.zeros(projections.mean.shape[1:])
    for image, frames in zip(projections.mean, projections.n_frames, strict=True):
        total += frames * image
    total /= projections.n_frames.sum()
    background, noise = background_and_noise(total)
    excess = total - background
    sides = np.stack([np.roll(excess, s, axis=a) for a in (0, 1) for s in (-1, 1)])
    hot = (excess > 8 * noise) & (sides.max(axis=0) < 0.15 * excess)
    rows, columns = np.nonzero(hot)
    return np.column_stack([columns, rows])


def find_constant_pixels(projections: Projections) -> IntArray:
    """Return pixels that never change: a border that was cut or padded, a dead row.

    Returns
    -------
    (n, 2) int
        Column and row of each.
    """
    never = (projections.variance == 0) & (projections.mean == projections.mean[0])
    rows, columns = np.nonzero(never.all(axis=0))
    return np.column_stack([columns, rows])


def repaired(image: NDArray[np.float32], hot_pixels: IntArray) -> NDArray[np.float32]:
    """Return a copy with hot pixels replaced by the median of their neighbours that are not.

    Those that have no such neighbour, inside a border that was cut, stay as they are.
    """
    columns, rows = hot_pixels.T
    image = image.copy()
    known = np.pad(image, 1, constant_values=np.nan)
    known[rows + 1, columns + 1] = np.nan
    down, right = np.mgrid[0:3, 0:3].reshape(2, -1)
    values = np.sort(known[rows[:, None] + down, columns[:, None] + right], axis=1)  # NaN last
    n = np.isfinite(values).sum(axis=1)
    each = np.arange(len(rows))
    median = 0.5 * (values[each, np.maximum(n - 1, 0) // 2] + values[each, n // 2])
    image[rows, columns] = np.where(n > 0, median, image[rows, columns])
    return image
