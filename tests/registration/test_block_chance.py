"""Blocks of one object look alike together: as evidence they are one block."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.registration.images.block_chance import blocks_an_object, log_chance
from blinkpair.registration.images.overlap import BLOCK, Overlap

DIAMETER = 6.0
SIDE = 30


def overlap(alike):
    """An overlap of SIDE x SIDE blocks, of which some look alike."""
    x, y = np.meshgrid(*[np.arange(SIDE)] * 2)
    xy = (np.column_stack([x.ravel(), y.ravel()]) + 0.5) * BLOCK * DIAMETER
    correlation = np.where(alike.ravel(), 0.9, 0.0)
    area = SIDE**2 * BLOCK**2
    return Overlap("signed", np.eye(3), 0.1, area, xy, xy, correlation, np.ones(len(xy)))


def scattered(rng, share):
    return rng.random((SIDE, SIDE)) < share


def squares(rng, share, width):
    """As many blocks, in squares of so many blocks a side on a grid."""
    seeds = rng.random((SIDE // width,) * 2) < share
    return np.kron(seeds, np.ones((width, width), dtype=bool))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.6])
def test_scattered_blocks_are_one_object_each(share):
    """Within four standard errors of 200 draws; the larger of two distances is a bit more."""
    rng = np.random.default_rng(1)
    effects = [blocks_an_object(overlap(scattered(rng, share)), DIAMETER)[0] for _ in range(200)]
    assert 1 <= np.mean(effects) < 1.6


@pytest.mark.parametrize("width", [2, 3])
def test_squares_of_blocks_are_one_object_each(width):
    """A block has width^2 - 1 others of its square around it, beyond the share."""
    rng = np.random.default_rng(2)
    effects = [blocks_an_object(overlap(squares(rng, 0.1, width)), DIAMETER)[0] for _ in range(100)]
    assert 0.75 * width**2 < np.mean(effects) < 1.6 * width**2


def test_one_object_is_no_evidence_where_as_many_scattered_blocks_are():
    rng = np.random.default_rng(3)
    rivals = [overlap(scattered(rng, 0.04)) for _ in range(20)]
    flake = np.zeros((SIDE, SIDE), dtype=bool)
    flake[4:14, 6:16] = True
    many = rng.permutation(flake.ravel())
    for alike, least, most in ((flake, -2.0, 2.0), (many, -np.inf, np.log(1e-4))):
        assert least < log_chance(overlap(alike), rivals, DIAMETER) < most
    # Without the correction a flake is as much evidence.
    assert overlap(flake).n_alike[0] == overlap(many).n_alike[0]
