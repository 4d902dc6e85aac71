"""The nanocrystals of one movie, and the drift of the sample.

Input: the projections of a movie. Output: a table of nanocrystals with positions at the first
frame, the drift, the width of the PSF and the images a report shows.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray, neighbours
from blinkpair.cores import usable_cores
from blinkpair.nanocrystals import detection, localisation
from blinkpair.nanocrystals.background import background_and_noise
from blinkpair.nanocrystals.camera_pixels import (
    are_fixed_to_camera,
    disturbs_counts,
    find_camera_pixels,
)
from blinkpair.nanocrystals.drift import Drift, measure_drift
from blinkpair.nanocrystals.excursions import are_second_images, follow_excursions
from blinkpair.nanocrystals.focus import measure_focus
from blinkpair.nanocrystals.particle_hits import without_hits
from blinkpair.nanocrystals.projections import Projections
from blinkpair.nanocrystals.reflections import Reflection, find_reflection
from blinkpair.nanocrystals.stage_jumps import are_seen_at_a_jump_only
from blinkpair.nanocrystals.turning import turning_remark
from blinkpair.nanocrystals.wide_spots import are_wide

log = logging.getLogger(__name__)

MAX_ERROR_PX = 0.7  # the weakest real nanocrystals, on for 0.5 % of 2,000 frames, reach 0.2
MAX_FAR_ERROR_PX = 0.05  # of one that lies farther from its candidate than a fit may move
SAME_PX = 1.2  # two candidates that end up closer than this are one nanocrystal


@dataclass(frozen=True)
class Catalogue:
    """The nanocrystals seen in one movie.

    Attributes
    ----------
    table : pandas.DataFrame
        The most significant first: x, y (pixels at the first frame), error_px (standard error of
        each), significance (1 is the detection threshold), counts (mean over the movie), wide
        (wider than the PSF: no single nanocrystal).
    drift : Drift
    psf_sigma_px : float
        Measured on the nanocrystals; the given one if there are too few.
    images : detection.AlignedImages
    hot_pixels : (n, 2) int
        Column and row of pixels that change the counts of an aperture: too bright, never changing,
        or found as a nanocrystal without the shape and the motion of one.
    focus_px : (S,) float or None
        Width of the PSF in each stretch; None where too few nanocrystals show it.
    reflection : Reflection or None
        Second images of the nanocrystals, which are not in the table.
    turning : str
        The remark where the sample turned or stretched within the movie.
    """

    table: pd.DataFrame
    drift: Drift
    psf_sigma_px: float
    images: detection.AlignedImages
    hot_pixels: IntArray
    focus_px: FloatArray | None
    reflection: Reflection | None = None
    turning: str = ""


def find_nanocrystals(projections: Projections, *, psf_sigma_px: float = 0.9) -> Catalogue:
    """Return the nanocrystals and the drift of a movie, to a fraction of a pixel.

    Drift is measured first by correlating whole images, then on the nanocrystals themselves;
    detection is repeated on the better aligned images. Candidates that are single pixels of the
    camera are dropped, and these pixels replaced by their neighbours. Hits of particles are taken
    out first.
    """
    projections = without_hits(projections)
    hot_pixels = _joined(
        detection.find_hot_pixels(projections), detection.find_constant_pixels(projections)
    )
    repaired = hot_pixels
    weights = projections.n_frames.astype(float)
    flat, noise = _flat_stretches(projections, hot_pixels)
    drift = measure_drift(flat, noise, projections.centre_frame, psf_sigma_px=psf_sigma_px)
    sigma = psf_sigma_px
    xy = np.empty((0, 2))
    for _ in range(2):
        images = detection.align(projections, drift.xy, repaired)
        candidates = detection.find_candidates(images, psf_sigma_px=sigma)
        xy = candidates[["x", "y"]].to_numpy()
        placed = localisation.localise(
            flat, weights, xy, drift.xy, psf_sigma_px=sigma, iterations=4
        )
        drift = drift.refined(
            *follow_excursions(flat, xy, placed.amplitude, drift.xy, psf_sigma_px=sigma)
        )
        stays = ~are_seen_at_a_jump_only(placed.amplitude, drift.xy)
        stays &= ~are_second_images(placed.amplitude, drift.xy)
        candidates, xy = candidates[stays], xy[stays]
        single, pixels = find_camera_pixels(projections, placed.xy[stays], drift.xy)
        if single.any():
            candidates, xy = candidates[~single], xy[~single]
            flat = np.stack([detection.repaired(image, pixels[single]) for image in flat])
            disturbing = pixels[single & disturbs_counts(projections, pixels)]
            hot_pixels = _joined(hot_pixels, disturbing)
            repaired = _joined(repaired, pixels[single])
        fixed, spots = are_fixed_to_camera(flat, weights, xy, drift.xy, psf_sigma_px=sigma)
        candidates, xy = candidates[~fixed], xy[~fixed]
        hot_pixels = _joined(hot_pixels, np.rint(spots[fixed]).astype(np.int64))
        best = _isolated(xy)[:60]
        if len(best) < 5:
            break
        for _ in range(2):
            fitted = localisation.localise(
                flat, weights, xy[best], drift.xy, psf_sigma_px=sigma, iterations=4
            )
            sigma = localisation.estimate_psf_sigma(
                flat, weights, fitted.xy, drift.xy, start_px=sigma
            )
            drift = drift.refined(
                *localisation.refine_drift(flat, fitted.xy, drift.xy, psf_sigma_px=sigma)
            )
    fitted = localisation.localise(flat, weights, xy, drift.xy, psf_sigma_px=sigma)
    if (far := np.isinf(fitted.error_px)).any():
        # The wing of one that is out of view at times leads to it; noise leads to noise.
        again = localisation.localise(flat, weights, fitted.xy[far], drift.xy, psf_sigma_px=sigma)
        sure = again.error_px < MAX_FAR_ERROR_PX
        fitted.xy[far], fitted.amplitude[far] = again.xy, again.amplitude
        fitted.error_px[far] = np.where(sure, again.error_px, np.inf)
    reflection = find_reflection(fitted.xy, fitted.amplitude)
    if reflection is not None:
        fitted.error_px[reflection.images] = np.inf  # left out of the table
    significance = candidates["significance"].to_numpy()
    table = _table(fitted, significance, fitted.amplitude @ weights / weights.sum())
    log.info("%d nanocrystals, PSF sigma %.2f px", len(table), sigma)
    bright = fitted.xy[_isolated(fitted.xy)[:60]]
    focus = measure_focus(flat, bright, drift.xy, psf_sigma_px=sigma)
    turning = turning_remark(flat, weights, bright, drift.xy, psf_sigma_px=sigma)
    table["wide"] = are_wide(
        flat,
        weights,
        table[["x", "y"]].to_numpy(),
        drift.xy,
        psf_sigma_px=sigma if focus is None else focus,
    )
    return Catalogue(table, drift, sigma, images, hot_pixels, focus, reflection, turning)


def _joined(*pixels: IntArray) -> IntArray:
    """Return the pixels (n, 2) of several lists, each once."""
    return np.unique(np.vstack(pixels), axis=0)


def _flat_stretches(
    projections: Projections, hot_pixels: IntArray
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean images of the stretches without background, and the noise of each, (S,)."""
    flat = np.empty_like(projections.mean)
    noise = np.empty(len(flat), np.float32)

    def flatten(s: int) -> None:
        image = detection.repaired(projections.mean[s], hot_pixels)
        background, local_noise = background_and_noise(image)
        flat[s] = image - background
        noise[s] = np.median(local_noise)

    with ThreadPoolExecutor(usable_cores(2)) as pool:
        list(pool.map(flatten, range(len(flat))))
    return flat, noise


def _table(
    fitted: localisation.Localisation, significance: FloatArray, counts: FloatArray
) -> pd.DataFrame:
    """Return the candidates that are nanocrystals, the most significant first."""
    table = pd.DataFrame(
        {
            "x": fitted.xy[:, 0],
            "y": fitted.xy[:, 1],
            "error_px": fitted.error_px,
            "significance": significance,
            "counts": counts,
        }
    )
    # Where no fit succeeds, the candidate was a wing, or noise on a slope.
    table = table[table["error_px"] < MAX_ERROR_PX].reset_index(drop=True)
    return _merge(table).sort_values(
        ["significance", "y", "x"], ascending=[False, True, True], ignore_index=True
    )


def _isolated(xy: FloatArray) -> IntArray:
    """Return the indices of points without a neighbour within 6 px, in the given order."""
    alone = [len(near) == 1 for near in neighbours(xy, xy, 6.0)]
    return np.flatnonzero(alone)


def _merge(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with only the most significant of fits that ended at the same place."""
    xy, significance = table[["x", "y"]].to_numpy(), table["significance"].to_numpy()
    first = [
        k == near[np.argmax(significance[near])]
        for k, near in enumerate(neighbours(xy, xy, SAME_PX))
    ]
    return table[np.array(first, bool)]
