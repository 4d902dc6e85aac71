"""The chance that as many blocks of two images look alike.

Wrong alignments of the same images are the reference: where structure is dense, more blocks look
alike by chance. A few strong objects (a flake, a fibre, a shaded band) are many blocks each, which
look alike together; these count as one.

Input: the overlaps of two images under different alignments. Output: the chance level of one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.registration.images.overlap import ALIKE, BLOCK, Overlap
from blinkpair.registration.images.tails import log_tail

# With fewer wrong alignments their scores are no reference.
FEWEST_RIVALS = 8
# Distances, in blocks, within which blocks that look alike are counted as one object. Of 155 pairs
# of simulated debris, two are below a level of 0.1 with these, four with the first alone, and two
# with farther ones; 15 are expected.
REACHES = (1, 2)


def log_chance(one: Overlap, others: Sequence[Overlap], diameter_px: float) -> float:
    """Return the logarithm of the chance that as many blocks of an alignment are alike.

    Blocks of one object are not independent: their number is divided by the design effect of those
    that look alike.

    Parameters
    ----------
    one
        The alignment.
    others
        Different alignments, which are wrong: blocks are alike by chance as often as in any of
        these.
    diameter_px
        As in `register_images`.
    """
    if len(others) < FEWEST_RIVALS:
        return 0.0
    shares = [(other.n_alike + 1) / (other.n_blocks + 4) for other in others]
    objects = 1 / blocks_an_object(one, diameter_px)
    return float(np.log(len(ALIKE))) + min(
        log_tail(share * alike, share * one.n_blocks, float(largest_share))
        for alike, share, largest_share in zip(
            one.n_alike, objects, np.max(shares, axis=0), strict=True
        )
    )


def blocks_an_object(overlap: Overlap, diameter_px: float) -> FloatArray:
    """Return (3,) design effects of the blocks that look alike as far as each of `ALIKE`.

    It is the mean number of blocks that look alike around one that does, itself included, beyond
    what their share predicts (Kish, Survey Sampling, 1965), at the distance where it is largest.

    Parameters
    ----------
    overlap
        Both images under a motion.
    diameter_px
        As in `register_images`.
    """
    cells = np.floor(overlap.pre_xy / (BLOCK * diameter_px)).astype(np.int64)
    column, row = (cells - cells.min(axis=0, initial=0)).T
    shape = (int(row.max(initial=0)) + 1, int(column.max(initial=0)) + 1)

    def on_grid(values: BoolArray) -> FloatArray:
        grid = np.zeros(shape)
        np.add.at(grid, (row, column), values)
        return grid

    blocks = on_grid(np.ones(len(cells), dtype=bool))
    effects = np.ones(len(ALIKE))
    for k, least in enumerate(ALIKE):
        alike = on_grid(overlap.block_correlation >= least)
        beyond = alike - blocks * (alike.sum() / max(blocks.sum(), 1))
        for reach in REACHES:
            side = 2 * reach + 1
            around = side**2 * ndimage.uniform_filter(beyond, side, mode="constant")
            # Without the block itself.
            others = np.sum(alike * around) - np.sum(alike * beyond)
            effects[k] = max(effects[k], 1 + others / max(alike.sum(), 1))
    return effects
