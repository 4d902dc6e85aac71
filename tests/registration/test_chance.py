"""The null of the registration: clumps and touching pairs match each other more often."""

import numpy as np

from blinkpair.registration.alignment.chance import CLUMP_BINS, CLUMP_DISTANCE_PX, clumping

AREA = 512.0**2
AT = np.linspace(0, CLUMP_DISTANCE_PX, CLUMP_BINS)


def test_clumps_are_noticed_and_even_spread_is_not():
    rng = np.random.default_rng(1)
    clumps = rng.uniform(50, 460, (6, 2))[rng.integers(0, 6, 30)] + rng.normal(0, 20, (30, 2))
    excess, beside = clumping(clumps, AREA, 1.4)
    assert excess > 2
    # 30 points in 6 clumps of 20 px: some 14 pairs closer than 20 px where 2 are expected.
    assert beside.min() > 3
    even = [clumping(rng.uniform(0, 511, (30, 2)), AREA, 1.4) for _ in range(200)]
    assert np.mean([e for e, _ in even]) < 1.05
    # The pair in question is not counted: the median ratio of uniform points is 1.
    assert np.median([np.median(b) for _, b in even]) < 1.05


def test_touching_microspheres_are_noticed_at_their_distance():
    rng = np.random.default_rng(2)
    centre = rng.uniform(10, 500, (7, 1, 2))
    angle = rng.uniform(0, 2 * np.pi, (7, 1))
    half = 4 * np.dstack([np.cos(angle), np.sin(angle)])
    pairs = np.vstack([centre - half, centre + half]).reshape(-1, 2)
    _, beside = clumping(pairs, AREA, 1.4)
    # Seven pairs at 8 px; 91 pairs in all expect 91 x 2 pi 8 x 2.8 / 512^2 = 0.05 of them there.
    assert beside[np.abs(AT - 8).argmin()] > 100
    assert beside[np.abs(AT - 15).argmin()] < beside[np.abs(AT - 8).argmin()] / 5


def test_one_close_pair_is_no_clump():
    points = np.array([[50.0, 50.0], [58, 50], [300, 120], [420, 400], [90, 350], [250, 300]])
    excess, beside = clumping(points, AREA, 1.4)
    assert excess == 1
    np.testing.assert_array_equal(beside, 1)
