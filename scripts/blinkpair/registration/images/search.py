"""All rotations and shifts of two images, by cross-correlation over their overlap.

One of two images is turned in small steps and correlated with the other for all shifts. Where
spheres lie in a lattice, the standard deviation of the correlation is largest at the right
rotation, and hundreds of shifts are nearly as good there: at single rotations these are found by
the correlation itself.

Input: the contrasts of two images. Output: the best alignments, and the best of each rotation.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.cores import usable_cores
from blinkpair.registration.images.contrast import Contrast
from blinkpair.registration.images.correlation import Correlation, Peak
from blinkpair.registration.rigid import apply_matrix


@dataclass(frozen=True)
class Peaks:
    """Alignments of two images, the best first.

    Attributes
    ----------
    matrices
        (n, 3, 3) from pre to post pixels of the images.
    angles_deg, by_angle
        (m,) rotations that were tried, and the largest score of each: the correlation in standard
        deviations between unrelated images.
    most_alike
        (3, 3) the alignment whose correlation itself is largest; in a lattice it has its rotation.
    """

    matrices: FloatArray
    angles_deg: FloatArray
    by_angle: FloatArray
    most_alike: FloatArray


def search(
    pre: Contrast, posts: Sequence[Contrast], *, step_deg: float, radius: float, keep: int
) -> Peaks:
    """Return the best alignments under all rotations, no two of them closer than `radius`.

    Parameters
    ----------
    pre, posts
        Contrast of the first image, and of the second on pixels of one or several widths.
    step_deg
        Largest step of the rotations.
    radius
        Distance in pixels of `pre` (root mean square over the overlap) below which two alignments
        are one.
    keep
        Largest number returned.
    """
    half = int(np.ceil(180 / step_deg))
    angles = np.arange(half) * (180 / half)
    by_angle = np.zeros(2 * half)
    found: list[Peak] = []
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        for post in posts:
            correlation = Correlation(pre, post, radius)
            for k, peaks in enumerate(pool.map(correlation.at, angles)):
                found += peaks
                for peak in peaks:
                    row = k + half * peak.half_turn
                    by_angle[row] = max(by_angle[row], peak.score)
    found.sort(key=lambda peak: -peak.score)
    grid = _grid(pre.signed.shape)
    kept: list[Peak] = []
    places = np.empty((keep, *grid.shape))
    for peak in found:
        there = apply_matrix(peak.matrix, grid)
        in_view = ((there >= 0) & (there < np.array(peak.shape[::-1]))).all(axis=1)
        inside = in_view if in_view.any() else slice(None)
        apart = ((places[: len(kept), inside] - there[inside]) ** 2).sum(axis=-1).mean(axis=-1)
        if (apart < radius**2).any():
            continue
        places[len(kept)] = there
        kept.append(peak)
        if len(kept) == keep:
            break
    return Peaks(
        np.array([peak.matrix_of_images for peak in kept]).reshape(-1, 3, 3),
        (np.concatenate([angles, angles + 180]) + 180) % 360 - 180,
        by_angle,
        max(found, key=lambda peak: peak.correlation).matrix_of_images if found else np.eye(3),
    )


def repeats(
    pre: Contrast,
    post: Contrast,
    angles_deg: FloatArray,
    *,
    radius: float,
    least: float,
    similar: float,
) -> FloatArray:
    """Return the alignments (n, 3, 3) whose correlation is similar to the best, at rotations.

    Parameters
    ----------
    pre, post, radius
        As in `search`.
    angles_deg
        (m,) rotations; their half turns are compared as well.
    least
        Least score: correlation (Fisher's transform) times the root of the overlap, in pixels of
        `pre`.
    similar
        Least score as a share of the best.
    """
    at = partial(Correlation(pre, post, radius).at, by_itself=True)
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        found = [peak for peaks in pool.map(at, angles_deg) for peak in peaks]
    least = max(least, similar * max((peak.score for peak in found), default=0.0))
    kept = [peak.matrix_of_images for peak in found if peak.score >= least]
    return np.array(kept).reshape(-1, 3, 3)


def _grid(shape: tuple[int, ...]) -> FloatArray:
    axes = [np.linspace(0, n - 1, 9) for n in shape[::-1]]
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
