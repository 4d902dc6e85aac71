"""Where an alignment of two images lies exactly, and how well its places are known.

The motion is refined on all that both images show, edges included. Every block of the overlap then
shows by itself where it lies, and the scatter of the blocks is the error of the motion.

Under light from one side the bright halves stay with the camera while the sample turns: the signed
contrast then fits at a place about half a diameter off, for all spheres alike, and the local energy
less so. The images cannot show by how much: to first order, a slope added to a sphere is the sphere
displaced. Where the bright halves turned with the sample, they belong to it.

Input: two images, details of them, their tiles and an alignment. Output: the exact motion with the
places of its blocks, and whether the light comes from one side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.registration.images.evidence import ImageEvidence
from blinkpair.registration.images.overlap import ALIKE, Overlap
from blinkpair.registration.images.tiles import Tiles
from blinkpair.registration.images.votes import Votes
from blinkpair.registration.rigid import apply_matrix

# Blocks farther off than so many standard deviations are left out.
TRIM_SIGMAS = 4.0
# Blocks that locate a motion.
FEWEST_BLOCKS = 4


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


def locate(
    tiles: Tiles, images: ImageEvidence, finer: ImageEvidence, alignment: Alignment
) -> Location:
    """Return the location of an alignment; that of its tiles where too few blocks agree.

    `finer` has the contrasts of finer details.
    """
    near = alignment.overlap.matrix[None]
    # The energy depends least on the light: its places show which halves are bright.
    energy = images.refined_near("energy", near)
    known = tiles.one_sided(energy[0].matrix) if energy else None
    one_sided = known is not False
    for found in energy if known else finer.refined_near("whole", near):
        good = (found.block_correlation >= ALIKE[0]) & (found.weights > 0)
        pre, post, weights = found.pre_xy[good], found.post_xy[good], found.weights[good]
        off = np.hypot(*(apply_matrix(found.matrix, pre) - post).T) * np.sqrt(weights)
        # Half of two-dimensional normal residuals lie within 1.18 standard deviations.
        agree = off <= TRIM_SIGMAS * np.median(off) / 1.18 if len(off) else good[:0]
        if agree.sum() >= FEWEST_BLOCKS:
            return Location(found.matrix, pre[agree], post[agree], weights[agree], one_sided)
    votes = alignment.votes
    agree = votes.agree
    return Location(
        votes.matrix, votes.pre_xy[agree], votes.post_xy[agree], votes.weights[agree], one_sided
    )
