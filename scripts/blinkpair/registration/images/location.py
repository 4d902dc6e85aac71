"""Where an alignment of two images lies exactly, and how well its places are known.

The motion is refined on all that both images show, edges included. Every block of the overlap then
shows by itself where it lies, and the scatter of the blocks is the error of the motion.

Under light from one side the bright halves stay with the camera while the sample turns: the signed
contrast then fits at a place about half a diameter off, for all spheres alike, and the local energy
less so. The images cannot show by how much: to first order, a slope added to a sphere is the sphere
displaced. Where the bright halves turned with the sample, they belong to it.

Input: the contrasts of two images, their tiles and a motion. Output: the exact motion with the
places of its blocks, and whether the light comes from one side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.registration.images.overlap import ALIKE, Overlap, refine
from blinkpair.registration.images.tiles import Tiles
from blinkpair.registration.images.votes import Votes
from blinkpair.registration.rigid import apply_matrix, fit_transform

# Blocks farther off than so many standard deviations are left out, beyond a distance in diameters.
TRIM_SIGMAS, LEAST_GATE = 4.0, 0.02


@dataclass(frozen=True)
class Alignment:
    """One of the alignments that are compared.

    Attributes
    ----------
    votes
        Of its tiles.
    overlap
        Both images under it.
    log_chance
        Natural logarithm of the chance level of the overlap.
    """

    votes: Votes
    overlap: Overlap
    log_chance: float


@dataclass(frozen=True)
class Location:
    """The motion between two images, as exactly as possible.

    Attributes
    ----------
    matrix
        3x3 from pre to post pixels of the images.
    pre_xy, post_xy
        (n, 2) places of the blocks that agree with it, in either image.
    weights
        (n,) inverse variances of these, in any unit.
    one_sided
        Whether all spheres may be off alike, by light from one side.
    """

    matrix: FloatArray
    pre_xy: FloatArray
    post_xy: FloatArray
    weights: FloatArray
    one_sided: bool

    def rms_px(self) -> float:
        """Return the root mean square distance of the blocks from their places, in post pixels."""
        apart = apply_matrix(self.matrix, self.pre_xy) - self.post_xy
        return float(np.sqrt(np.mean((apart**2).sum(axis=1))))


def locate(tiles: Tiles, alignment: Alignment, model: str) -> Location:
    """Return the location of an alignment; that of its tiles where too few blocks agree."""
    one_sided = tiles.one_sided(alignment.overlap.matrix)
    channel = "energy" if one_sided else "whole"
    found = refine(
        tiles.pre, tiles.post, channel, alignment.overlap.matrix, tiles.diameter_px, model
    )
    if found is not None:
        good = (found.block_correlation >= ALIKE) & (found.weights > 0)
        pre, post, weights = found.pre_xy[good], found.post_xy[good], found.weights[good]
        matrix, agree = _fit(pre, post, weights, model, LEAST_GATE * tiles.diameter_px)
        if agree.sum() >= 3:
            return Location(matrix, pre[agree], post[agree], weights[agree], one_sided)
    votes = alignment.votes
    agree = votes.agree
    return Location(
        votes.matrix, votes.pre_xy[agree], votes.post_xy[agree], votes.weights[agree], one_sided
    )


def _fit(
    pre: FloatArray, post: FloatArray, weights: FloatArray, model: str, least_px: float
) -> tuple[FloatArray, BoolArray]:
    """Return the fit to those blocks that agree with it, and which these are."""
    agree = np.ones(len(pre), dtype=bool)
    matrix = np.eye(3)
    for _ in range(10):
        if agree.sum() < 3:
            break
        matrix = fit_transform(pre[agree], post[agree], model=model, weights=weights[agree])
        apart = np.hypot(*(apply_matrix(matrix, pre) - post).T)
        # Half of two-dimensional normal residuals lie within 1.18 standard deviations.
        gate = max(TRIM_SIGMAS * float(np.median(apart[agree])) / 1.18, least_px)
        now = np.asarray(apart <= gate, dtype=bool)
        if np.array_equal(now, agree):
            break
        agree = now
    return matrix, agree
