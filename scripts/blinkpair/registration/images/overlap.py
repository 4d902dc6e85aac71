"""A motion between two images refined on all that both show.

The search compares coarse images in steps of the rotation, and tiles show only what stands out.
Here every pixel of the overlap is compared at the resolution of the images, by Gauss-Newton steps
from a motion that is off by less than a diameter. The sums of one block of the overlap also give
the displacement that this block shows by itself; the scatter of these displacements is the error
of the motion.

Input: the contrasts of two images and a motion. Output: the refined one, the correlation of both
images under it, and the displacements of the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.cores import on_two_threads
from blinkpair.registration.images import overlap_kernels as kernels
from blinkpair.registration.images.contrast import Contrast
from blinkpair.registration.rigid import apply_matrix

# Side of a block, in diameters.
BLOCK = 2.0
# Pixels a diameter on which a motion is refined first.
COARSE_PIXELS = 3.0
# Steps on coarse and on fine pixels, and the largest of them in these pixels.
STEPS, LARGEST_STEP = (12, 6), 1.5
# The last step, and on fine pixels that of the best few. Most wrong motions never settle: steps of
# 0.06 px. The chance level of a right one is lower the better it has settled.
LAST_STEP, LAST_FINE, BEST = 0.1, 0.03, 4
# Least correlations of a block that looks alike, of which the strictest wins: less is noise, or
# what only one image shows.
ALIKE = (0.5, 0.7, 0.85)
# Motions closer than so many diameters lead to the same one; refined ones differ beyond the second.
NEAR, DIFFERENT = 0.5, 2.0
# Differences of so many standard deviations have half of the weight.
ROBUST = 2.5


@dataclass(frozen=True)
class Overlap:
    """Two contrasts compared under one motion.

    Attributes
    ----------
    channel
        The contrast: 'signed', 'energy' or 'whole'.
    matrix
        3x3 from pre to post pixels of the images.
    correlation
        Of both contrasts over the overlap.
    area
        Of the overlap, in squared diameters.
    pre_xy, post_xy
        (n, 2) places of the blocks, and where each is found by itself.
    block_correlation
        (n,) of each block.
    weights
        (n,) inverse variances of the places found, in any unit: along the worse direction.
    """

    channel: str
    matrix: FloatArray
    correlation: float
    area: float
    pre_xy: FloatArray
    post_xy: FloatArray
    block_correlation: FloatArray
    weights: FloatArray

    def distance(self, matrix: FloatArray) -> float:
        """Return how far apart another motion takes the blocks, as a root mean square."""
        return distance(self.matrix, matrix, self.pre_xy)

    def distances(self, matrices: FloatArray) -> FloatArray:
        """Return (n,) distances, as `distance` does, of motions (n, 3, 3)."""
        places = np.column_stack([self.pre_xy, np.ones(self.n_blocks)])
        moments = places.T @ places / self.n_blocks
        off = (matrices - self.matrix)[:, :2]
        return np.asarray(np.sqrt(np.maximum(((off @ moments) * off).sum(axis=(1, 2)), 0)))

    def without(self, xy: FloatArray, reach_px: float) -> Overlap:
        """Return the overlap without blocks near points (m, 2) of the first image."""
        far = np.ones(self.n_blocks, dtype=bool)
        if len(xy):
            apart = np.hypot(*(self.pre_xy[:, None] - xy).T)
            far = apart.min(axis=0) > reach_px
        return replace(
            self,
            pre_xy=self.pre_xy[far],
            post_xy=self.post_xy[far],
            block_correlation=self.block_correlation[far],
            weights=self.weights[far],
        )

    @property
    def moved_px(self) -> float:
        """Median distance that the motion takes the blocks."""
        moved = apply_matrix(self.matrix, self.pre_xy) - self.pre_xy
        return float(np.median(np.hypot(*moved.T)))

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self.block_correlation)

    @property
    def n_alike(self) -> IntArray:
        """(3,) number of blocks that look alike in both images, as far as each of `ALIKE`."""
        return np.asarray((self.block_correlation >= np.array(ALIKE)[:, None]).sum(axis=1))

    @property
    def score(self) -> float:
        """Correlation in standard deviations between unrelated images, up to a factor."""
        return abs(self.correlation) * float(np.sqrt(self.area))


def refine(
    pre: Contrast,
    post: Contrast,
    channel: str,
    matrices: FloatArray,
    diameter_px: float,
    model: str,
    apart: float = DIFFERENT,
) -> list[Overlap]:
    """Return the different overlaps under the motions refined from matrices, the best first.

    Parameters
    ----------
    pre, post
        Contrasts of both images.
    channel
        As in `Overlap`.
    matrices
        (n, 3, 3) from pre to post pixels of the images, off by less than a diameter.
    diameter_px, model
        As in `register_images`.
    apart
        Diameters beyond which refined motions differ.
    """
    coarse = max(diameter_px / pre.pixel / COARSE_PIXELS, 1.0)
    for factor, steps in zip((coarse, 1.0), STEPS, strict=True):
        one, other = pre.resampled(factor), post.resampled(factor)
        spread = float(getattr(one, channel).var() + getattr(other, channel).var())
        compared = partial(_refined, one, other, channel, diameter_px, model, spread, steps)
        # The best come first from the coarse pixels.
        best = BEST if steps == STEPS[1] else 0
        last_steps = [LAST_FINE if row < best else LAST_STEP for row in range(len(matrices))]
        refined = on_two_threads(compared, zip(last_steps, matrices, strict=True))
        overlaps = [each.overlap(channel, diameter_px) for each in refined if each]
        least = apart if factor == 1.0 else NEAR
        found = _different(overlaps, least * diameter_px)
        matrices = np.array([each.matrix for each in found])
    return found


def _different(overlaps: Sequence[Overlap], least_px: float) -> list[Overlap]:
    """Return the best of overlaps that are less than a distance apart, the best first."""
    kept: list[Overlap] = []
    matrices = np.empty((len(overlaps), 3, 3))
    for one in sorted(overlaps, key=lambda one: -one.score):
        if (one.distances(matrices[: len(kept)]) >= least_px).all():
            matrices[len(kept)] = one.matrix
            kept.append(one)
    return kept


def distance(one: FloatArray, other: FloatArray, xy: FloatArray) -> float:
    """Return how far apart two transforms take positions, as a root mean square."""
    apart = apply_matrix(one, xy) - apply_matrix(other, xy)
    return float(np.sqrt(np.mean((apart**2).sum(axis=1))))


@dataclass(frozen=True)
class _Compared:
    """The sums of all blocks under one motion, in pixels of the contrasts."""

    pre: Contrast
    post: Contrast
    motion: FloatArray
    sums: FloatArray

    @property
    def total(self) -> FloatArray:
        return np.asarray(self.sums.sum(axis=0))

    @property
    def of_images(self) -> FloatArray:
        return np.asarray(
            self.post.to_image @ _matrix(self.motion) @ np.linalg.inv(self.pre.to_image)
        )

    def correlations(self) -> FloatArray:
        """Return (n,) correlations of the blocks, with the sign of the whole taken as positive."""
        product = self.sums[:, kernels.PRODUCT] * np.sign(self.total[kernels.PRODUCT])
        squares = self.sums[:, kernels.PRE2] * self.sums[:, kernels.POST2]
        return np.asarray(product / np.sqrt(np.maximum(squares, 1e-12)))

    def places(self) -> FloatArray:
        """Return (n, 2) middles of the structure of each block."""
        power = self.sums[:, kernels.XX] + self.sums[:, kernels.YY]
        return np.asarray(self.sums[:, [kernels.MX, kernels.MY]] / power[:, None])

    def normal(self) -> FloatArray:
        """Return (n, 2, 2) normal matrices of a displacement."""
        columns = [kernels.XX, kernels.XY, kernels.XY, kernels.YY]
        return self.sums[:, columns].reshape(-1, 2, 2)

    def overlap(self, channel: str, diameter_px: float) -> Overlap:
        total, normal = self.total, self.normal()
        correlation = self.correlations()
        # Blocks of a field stop have no slopes at all.
        ridge = (1e-3 * np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-12) * np.eye(2)
        right = self.sums[:, [kernels.GX, kernels.GY], None]
        moved = np.linalg.solve(normal + ridge, right)[..., 0]
        # Noise is part of the slopes, but not of what a displacement explains.
        moved /= np.clip(correlation, 0.1, 1)[:, None]
        places = self.places()
        to_post = self.post.to_image @ _matrix(self.motion)
        return Overlap(
            channel,
            self.of_images,
            float(total[kernels.PRODUCT] / np.sqrt(total[kernels.PRE2] * total[kernels.POST2])),
            float(total[kernels.PIXELS]) * (self.pre.pixel / diameter_px) ** 2,
            apply_matrix(self.pre.to_image, places),
            apply_matrix(to_post, places + moved),
            correlation,
            np.linalg.eigvalsh(normal)[:, 0] * np.clip(correlation, 0, 1) ** 2,
        )


def _refined(
    pre: Contrast,
    post: Contrast,
    channel: str,
    diameter_px: float,
    model: str,
    spread: float,
    steps: int,
    last_step_and_start: tuple[float, FloatArray],
) -> _Compared | None:
    """Return the comparison under the motion that Gauss-Newton steps lead to."""
    last_step, matrix = last_step_and_start
    side = max(round(BLOCK * diameter_px / pre.pixel), 4)
    one, other = getattr(pre, channel), getattr(post, channel)
    sums = np.zeros((*(-(-n // side) for n in one.shape), 11))
    motion = _motion(np.linalg.inv(post.to_image) @ matrix @ pre.to_image)
    if not kernels.refine_motion(
        one, pre.valid, other, post.valid, motion, model == "similarity", spread, ROBUST, side,
        steps, LARGEST_STEP, last_step, sums,
    ):  # fmt: skip
        return None
    sums = sums.reshape(-1, 11)
    used = (sums[:, kernels.XX] > 0) & (sums[:, kernels.YY] > 0)
    return _Compared(pre, post, motion, sums[used])


def _motion(matrix: FloatArray) -> FloatArray:
    return np.array([matrix[0, 0], matrix[1, 0], matrix[0, 2], matrix[1, 2]])


def _matrix(motion: FloatArray) -> FloatArray:
    a, b, tx, ty = motion
    return np.array([[a, -b, tx], [b, a, ty], [0, 0, 1.0]])
