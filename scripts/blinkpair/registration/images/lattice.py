"""Decide which of the alignments that a lattice of spheres repeats is right.

In a sheet of spheres an alignment that is off by any vector of the lattice, or turned by 60 or 90
degrees, matches nearly everywhere. Only missing and displaced spheres show which one is right. All
these alignments are found at the rotations of the lattice, refined on all pixels, and compared with
each other: the right one is an outlier, the best of wrong ones is not.

Input: two images and one alignment of them. Output: the best of all that the lattice repeats, and
the chance level of its distance from the others; nothing where the images show no lattice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.registration.images.evidence import ImageEvidence, least_motion_px
from blinkpair.registration.images.overlap import Overlap
from blinkpair.registration.images.search import repeats
from blinkpair.registration.images.tiles import CHANNELS
from blinkpair.registration.rigid import rotation_deg, scale_of

# Half of the rotations of square and of hexagonal lattices; the search adds their half turns.
TURNS_DEG = np.arange(0, 180, 30.0)
# Distance in diameters below which two alignments are one: less than that of two spheres.
SAME = 0.7
# Images show a lattice if so many alignments have at least such a score (correlation, as Fisher's
# transform, times the root of the overlap in diameters), and such a share of the best correlation.
MANY, LEAST_SCORE, SIMILAR = 12, 5.0, 0.5
# Least share of these among all that are compared, in the signed contrast: 0.6 to 1 in 31 pairs of
# simulated sheets, less than 0.5 in 210 of 222 unrelated real images and simulated debris.
REPEATED = 0.5
# So many are compared first: most images show no lattice.
SAMPLE = 16
# Larger correlations count as this one, whose transform is finite.
LARGEST = 0.9999


@dataclass(frozen=True)
class Lattice:
    """The best of the alignments that a lattice repeats.

    Attributes
    ----------
    best
        Both images under it.
    log_chance
        Natural logarithm of the expected number of alignments as far from the others by chance.
    similar
        Number of other alignments that correlate nearly as well.
    """

    best: Overlap
    log_chance: float
    similar: int


def lattice_of(images: ImageEvidence, matrices: FloatArray, search_pixel: float) -> Lattice | None:
    """Return the best alignment of a lattice; None where the images show none.

    Parameters
    ----------
    images
        Both images.
    matrices
        (n, 3, 3) from pre to post pixels, one of them turned as the lattice.
    search_pixel
        Width of the pixels on which shifts are compared, in pixels of the images.
    """
    factor = search_pixel / images.pre.pixel
    pre = images.pre.resampled(factor)
    near = []
    for start in matrices:
        # All pixels show the rotation of a lattice, wherever they are compared.
        exact = images.refined_near("signed", start[None])
        matrix = exact[0].matrix if exact else start
        repeated = repeats(
            pre,
            images.post.resampled(max(factor * scale_of(matrix), 1.0)),
            rotation_deg(matrix) + TURNS_DEG,
            radius=SAME * images.diameter_px / search_pixel,
            least=LEAST_SCORE * images.diameter_px / search_pixel,
            similar=SIMILAR,
        )
        if len(repeated) >= MANY:
            near += [matrix[None], repeated]
    if not near:
        return None
    starts = np.concatenate(near)
    # In any images the best of many alignments correlate alike; in a lattice most of all do. The
    # signed contrast shows it; the energy of touching spheres is even.
    sample = images.refined_near("signed", starts[:: len(starts) // SAMPLE or 1], SAME)
    if not sample or _similar(sample, sample[0]).mean() < REPEATED:
        return None
    found = []
    for channel in CHANNELS:
        one = _outlier(images, images.refined_near(channel, starts, SAME))
        if one:
            found.append(one)
    return min(found, key=lambda one: one.log_chance, default=None)


def _transformed(overlaps: Sequence[Overlap]) -> FloatArray:
    """Return (n,) Fisher's transforms of the correlations."""
    return np.arctanh(np.minimum([abs(one.correlation) for one in overlaps], LARGEST))


def _similar(overlaps: Sequence[Overlap], best: Overlap) -> BoolArray:
    """Return (n,) which of overlaps correlate nearly as well as the best."""
    correlation = np.array([abs(one.correlation) for one in overlaps])
    score = _transformed(overlaps) * np.sqrt([one.area for one in overlaps])
    alike = correlation >= SIMILAR * abs(best.correlation)
    return np.asarray(alike & (score >= LEAST_SCORE))


def _outlier(images: ImageEvidence, overlaps: Sequence[Overlap]) -> Lattice | None:
    """Return how far the best of overlaps is from the others that are similar; None if few are.

    Fisher's transform of a correlation has a variance of the inverse overlap, up to a factor, which
    the others show: the distance is Student's t (Fisher, Metron 1, 3, 1921).
    """
    least = least_motion_px(images.diameter_px)
    transformed, root = _transformed(overlaps), np.sqrt([one.area for one in overlaps])
    moved = np.array([one.moved_px >= least for one in overlaps])
    if not moved.any():
        return None
    best = int(np.argmax(np.where(moved, transformed * root, -np.inf)))
    others = _similar(overlaps, overlaps[best])
    others[best] = False
    n = int(others.sum())
    if n < MANY:
        return None
    mean = np.average(transformed[others], weights=root[others] ** 2)
    spread = np.sqrt(np.sum(((transformed[others] - mean) * root[others]) ** 2) / (n - 1))
    t = (transformed[best] - mean) * root[best] / spread / np.sqrt(1 + 1 / n)
    # Every rotation of the lattice, and every sphere on every other.
    area = images.post.signed.size * (images.post.pixel / images.diameter_px) ** 2
    tried = len(CHANNELS) * 2 * len(TURNS_DEG) * 4 * area
    level = float(np.log(max(stdtr(n - 1, -t), np.finfo(float).tiny)) + np.log(tried))
    return Lattice(overlaps[best], level, n)
