"""The evidence of two images for an alignment, compared with all other alignments.

Signed contrast and local energy are refined and tested separately; the better of the two is taken,
so that its chance level is doubled. For an alignment of the microspheres the rest of the images is
separate evidence: if it is wrong, blocks without a matched microsphere look alike as often as at
other wrong alignments.

An alignment that moves nothing matches what is left of the camera's dirt, or a sample that did not
move. It is neither a candidate nor one of the wrong alignments for comparison.

Input: the contrasts of two images and the alignments of the search. Output: different alignments
with their chance levels, and the level of any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.registration.acceptance import IDENTITY_PX
from blinkpair.registration.images.block_chance import log_chance
from blinkpair.registration.images.contrast import Contrast
from blinkpair.registration.images.overlap import DIFFERENT, NEAR, Overlap, refine
from blinkpair.registration.images.tiles import CHANNELS

# Width in diameters of the border of an image, whose contrast depends on what lies beyond.
BORDER = 0.8
# Distance in diameters within which a microsphere is part of a block.
REACH = 1.5
# Smaller motions, in diameters, count as none.
UNMOVED = 0.5
# An alignment whose level is at most the first is compared with those so many diameters off along
# so many directions: fringes, bands and scratches look as much alike there.
DOUBTED, SHIFT, DIRECTIONS = 0.3, 3.0, 8


@dataclass(frozen=True)
class ImageEvidence:
    """Two images, and the alignments of either contrast under which they were compared.

    Attributes
    ----------
    pre, post, diameter_px, model
        As in `overlap.refine`.
    refined
        Overlaps under the alignments that move the images, by channel, the best first.
    log_unmoved
        Natural logarithm of the chance level of the best alignment that moves nothing.
    """

    pre: Contrast
    post: Contrast
    diameter_px: float
    model: str
    refined: Mapping[str, Sequence[Overlap]]
    log_unmoved: float = np.inf

    @classmethod
    def of(
        cls,
        pre: Contrast,
        post: Contrast,
        matrices: FloatArray,
        diameter_px: float,
        model: str,
    ) -> ImageEvidence:
        """Return the evidence on alignments (n, 3, 3), each near one of the search."""
        images = cls(pre, post, diameter_px, model, {}).on(pre, post)
        refined, log_unmoved = {}, np.inf
        for channel in CHANNELS:
            every = images.refined_near(channel, matrices)
            least = least_motion_px(diameter_px)
            refined[channel] = [one for one in every if one.moved_px >= least]
            levels = [
                images._log_level(one, refined[channel]) for one in every if one.moved_px < least
            ]
            log_unmoved = min([log_unmoved, *levels])
        return replace(images, refined=refined, log_unmoved=log_unmoved)

    def on(self, pre: Contrast, post: Contrast) -> ImageEvidence:
        """Return the evidence with other contrasts of the images, without their borders."""
        width = BORDER * self.diameter_px
        one, other = (each.without(_border(each, width)) for each in (pre, post))
        return replace(self, pre=one, post=other)

    def refined_near(
        self, channel: str, matrices: FloatArray, apart: float = DIFFERENT
    ) -> list[Overlap]:
        """Return the different overlaps near matrices (n, 3, 3), as `overlap.refine` does."""
        return refine(self.pre, self.post, channel, matrices, self.diameter_px, self.model, apart)

    def better_near(
        self, matrix: FloatArray, known: tuple[Overlap, float]
    ) -> tuple[Overlap, float]:
        """Return the overlap near a matrix and its level, or the known ones if they are lower."""
        if known[0].distance(matrix) < NEAR * self.diameter_px:
            return known
        least = least_motion_px(self.diameter_px)
        found = [
            (one, self._log_level(one, [each for each in refined if not self._same(one, each)]))
            for channel, refined in self.refined.items()
            for one in self.refined_near(channel, matrix[None])
            if one.moved_px >= least
        ]
        return min([known, *found], key=lambda one: one[1])

    def ranked(self, most: int) -> list[tuple[Overlap, float]]:
        """Return different alignments and their log levels, of both contrasts in turn."""
        both = [
            [
                (one, self._log_level(one, [each for each in every if each is not one]))
                for one in every
            ]
            for every in self.refined.values()
        ]
        found: list[tuple[Overlap, float]] = []
        for entry in chain.from_iterable(zip_longest(*both)):
            if entry is None:
                continue
            overlap, level = entry
            same = [row for row, (each, _) in enumerate(found) if self._same(overlap, each)]
            if same:
                # In a sheet the other contrast may have led to the next sphere.
                found[same[0]] = min(found[same[0]], entry, key=lambda one: one[1])
            elif len(found) < most:
                found.append((overlap, level))
        return found

    def probability_near(self, matrix: FloatArray, matched_xy: FloatArray) -> float:
        """Return the probability that the images look alike by chance near an alignment of points.

        Parameters
        ----------
        matrix
            3x3 from pre to post pixels.
        matched_xy
            (n, 2) matched points before: blocks that show one are left out, since they look alike
            wherever points match.
        """
        levels = [0.0]
        for channel, refined in self.refined.items():
            for one in self.refined_near(channel, matrix[None]):
                others = [other for other in refined if not self._same(one, other)]
                rest = one.without(matched_xy, REACH * self.diameter_px)
                levels.append(self._log_level(rest, others))
        return float(np.exp(min(levels)))

    def _log_level(self, one: Overlap, others: Sequence[Overlap]) -> float:
        """Return the logarithm of the chance level of an alignment beside others."""
        level = self._level(one, others)
        if level > np.log(DOUBTED):
            return level
        return max(level, self._level(one, [*others, *self._shifted(one)]))

    def _level(self, one: Overlap, others: Sequence[Overlap]) -> float:
        return log_chance(one, others, self.diameter_px) + float(np.log(len(CHANNELS)))

    def _shifted(self, overlap: Overlap) -> list[Overlap]:
        """Return the alignments near those that are off by a shift, with half as many blocks."""
        angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
        matrices = np.repeat(overlap.matrix[None], DIRECTIONS, axis=0)
        matrices[:, 0, 2] += SHIFT * self.diameter_px * np.cos(angles)
        matrices[:, 1, 2] += SHIFT * self.diameter_px * np.sin(angles)
        found = self.refined_near(overlap.channel, matrices)
        return [
            one
            for one in found
            if not self._same(one, overlap) and one.n_blocks >= overlap.n_blocks / 2
        ]

    def _same(self, one: Overlap, other: Overlap) -> bool:
        return one.distance(other.matrix) < DIFFERENT * self.diameter_px


def least_motion_px(diameter_px: float) -> float:
    """Return the median motion below which an alignment moves nothing.

    What is left of the camera's dirt fits best up to half a microsphere from zero motion.
    """
    return max(IDENTITY_PX, UNMOVED * diameter_px)


def _border(contrast: Contrast, width_px: float) -> BoolArray:
    """Return the pixels within a distance of the border of an image."""
    width = round(width_px / contrast.pixel)
    rows, columns = contrast.valid.shape
    border = np.ones((rows, columns), dtype=bool)
    border[width : rows - width, width : columns - width] = False
    return border
