"""Take the hits of particles (cosmic rays) out of the projections of a movie.

A hit lights a pixel or a short track of them in a single frame, a hundred times as bright as a
nanocrystal. Detection would take it for a nanocrystal that is hardly ever on, and nanocrystals
beside it for crowded ones.

Input: projections of a movie. Output: the same, with the values of such a pixel in such a stretch
replaced by its usual ones.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from blinkpair.nanocrystals.projections import BURST_FRAMES, Projections

log = logging.getLogger(__name__)

# A pixel of the brightest nanocrystals has 15 times the noise of a frame.
LEAST_NOISES = 20.0
# Frames in which a pixel was lit: in its brightest burst, and by the mean of the stretch, which is
# less certain. A nanocrystal that is on in one frame only is not missed.
IN_BURST, IN_STRETCH = 1.5, 3.0
LEAST_STRETCHES = 5  # which give the usual values of a pixel
MAX_SHARE = 0.01  # of the pixels of a stretch; more are a flash, of which frames are checked


def without_hits(projections: Projections) -> Projections:
    """Return the projections without what lit a pixel in a single frame.

    With an excess H in k of n frames the mean of a stretch rises by H k / n, its variance by
    H^2 k / n, and the mean of the burst of `BURST_FRAMES` that holds them by H k / `BURST_FRAMES`.
    """
    mean, variance, burst = projections.mean, projections.variance, projections.burst
    if len(mean) < LEAST_STRETCHES:
        return projections
    frames = projections.n_frames[:, None].astype(float)
    noise2 = float(np.median(variance[:: len(variance) // 2]))
    # Few pixels are looked at more closely.
    least = variance.min(axis=0)
    rows, columns = np.nonzero(
        (variance.max(axis=0) - least) * frames.max()
        > LEAST_NOISES**2 * np.maximum(least, 0.25 * noise2)
    )
    some = [image[:, rows, columns].astype(float) for image in (mean, variance, burst)]
    usual = [np.median(values, axis=0) for values in some]
    by_mean, by_variance, by_burst = (v - u for v, u in zip(some, usual, strict=True))
    square = np.maximum(by_variance + by_mean**2, 1e-9)
    hit = (
        (BURST_FRAMES * by_burst > LEAST_NOISES * np.sqrt(np.maximum(usual[1], 0.25 * noise2)))
        & ((BURST_FRAMES * by_burst) ** 2 < IN_BURST * frames * square)
        & (frames * by_mean**2 < IN_STRETCH * square)
    )
    hit[hit.sum(axis=1) > MAX_SHARE * mean[0].size] = False
    if not hit.any():
        return projections
    log.info("hits of particles in %d pixels and stretches", hit.sum())
    stretch, which = np.nonzero(hit)
    repaired = [image.copy() for image in (mean, variance, burst)]
    for image, values in zip(repaired, usual, strict=True):
        image[stretch, rows[which], columns[which]] = values[which]
    return replace(projections, mean=repaired[0], variance=repaired[1], burst=repaired[2])
