"""Where neither pattern decides, both together do, at the level of chance that is stated."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from blinkpair.registration.both_patterns import joint_level
from blinkpair.registration.fields import register_field
from blinkpair.registration.images.images import register_images
from blinkpair.registration.points import alignments
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import rigid_matrix

SHAPE = (512, 512)
CORNERS = np.array([[0, 0], [511, 0], [0, 511], [511, 511]], dtype=float)


def pattern(rng, matrix, n_common, n, offset=(0.0, 0.0)):
    """n points in either epoch, n_common of them the same ones; 0.1 px of jitter."""
    common = np.empty((0, 2))
    while len(common) < n_common:
        xy = rng.uniform(0, 511, (1, 2))
        if ((there := apply_matrix(matrix, xy)) > 0).all() and (there < 511).all():
            common = np.vstack([common, xy])
    seen = []
    for xy in (common, apply_matrix(matrix, common)):
        jittered = xy + offset + rng.normal(0, 0.1, xy.shape)
        seen.append(np.vstack([jittered, rng.uniform(0, 511, (n - n_common, 2))]))
    return seen


def largest_error(found, true):
    return np.hypot(*(apply_matrix(found, CORNERS) - apply_matrix(true, CORNERS)).T).max()


def test_the_joint_level_is_the_expected_number_of_chance_pairs():
    rng = np.random.default_rng(1)
    largest, trials = 20.0, 20_000
    n = rng.poisson(largest, trials)
    products = rng.uniform(0, largest, n.sum()) * rng.random(n.sum())
    for product in (0.001, 0.1, 2.0):
        expected = joint_level(product, largest)
        found = np.sum(products <= product) / trials
        assert found == pytest.approx(expected, abs=4 * np.sqrt(expected / trials))
        # With a second probability in the product, as of images beside points.
        expected = joint_level(product, largest, beside=2)
        found = np.sum(products * rng.random(n.sum()) <= product) / trials
        assert found == pytest.approx(expected, abs=4 * np.sqrt(expected / trials))
    assert joint_level(0.0, largest) == 0
    assert joint_level(30.0, largest) == largest


def test_fields_that_neither_pattern_decides_are_registered_by_both():
    evidence = []
    for seed in range(24):
        rng = np.random.default_rng([2, seed])
        matrix = rigid_matrix(rng.uniform(-180, 180), tuple(rng.uniform(-60, 60, 2)), SHAPE)
        spheres = pattern(rng, matrix, 4, 40, offset=rng.normal(0, 1.5, 2))
        spots = pattern(rng, matrix, 5, 60)
        result = register_field(*spheres, *spots, shape=SHAPE)
        assert result.final.status == "ok"
        assert largest_error(result.final.matrix, matrix) < 1
        assert result.final.chance_alignments <= 3e-4
        evidence.append(result.evidence)
    # Of 60 such fields 11 needed both: fewer than 1 of 24 has a probability of 1 %.
    assert evidence.count("microspheres together with nanocrystals") >= 1


def test_unrelated_patterns_are_refused_together_as_well():
    for seed in range(12):
        rng = np.random.default_rng([3, seed])
        matrix = rigid_matrix(70.0, (0.0, 0.0), SHAPE)
        spheres, spots = pattern(rng, matrix, 0, 15), pattern(rng, matrix, 0, 60)
        result = register_field(*spheres, *spots, shape=SHAPE)
        assert result.final.status == "failed"
        assert "together:" in result.final.reason


def lattice(rng, angle_deg):
    axis = np.arange(-10, 20) * 64.0
    x, y = np.meshgrid(axis, axis)
    xy = apply_matrix(
        rigid_matrix(angle_deg, tuple(rng.uniform(0, 64, 2)), SHAPE),
        np.column_stack([x.ravel(), y.ravel()]),
    )
    xy = xy[((xy >= 0) & (xy <= 511)).all(axis=1)]
    return xy + rng.normal(0, 0.2, xy.shape)


def test_a_chance_match_near_a_lattice_of_microspheres_is_refused():
    # Its alignments are far beyond the level of chance, and all but one of them wrong.
    for seed in range(2):
        rng = np.random.default_rng([4, seed])
        # So many nanocrystals that five match by chance near one alignment or another.
        spots = rng.uniform(0, 511, (2, 200, 2))
        result = register_field(lattice(rng, 10), lattice(rng, 75), *spots, shape=SHAPE)
        assert result.final.status == "failed"


def test_alignments_are_distinct_and_the_true_one_is_among_them():
    rng = np.random.default_rng(5)
    matrix = rigid_matrix(-100.0, (20.0, 30.0), SHAPE)
    spheres = pattern(rng, matrix, 4, 40)
    found = alignments(*spheres, field_shape=SHAPE)
    assert [one.chance_alignments for one in found] == sorted(
        one.chance_alignments for one in found
    )
    assert min(largest_error(one.matrix, matrix) for one in found) < 3
    pairs = combinations(found, 2)
    assert min(largest_error(one.matrix, other.matrix) for one, other in pairs) > 3
    # Pairs are rows of the points as given.
    for one in found:
        mapped = apply_matrix(one.matrix, spheres[0][one.pairs[:, 0]])
        assert np.hypot(*(mapped - spheres[1][one.pairs[:, 1]]).T).max() < 3
    assert alignments([], []) == []


def test_noisy_images_and_five_nanocrystals_decide_together():
    rng = np.random.default_rng(1)
    sample = gaussian_filter(rng.normal(size=(300, 300)), 2.5)
    noise = 3.5 * sample.std() * rng.normal(size=(2, 200, 200))
    pre, post = sample[:200, :200] + noise[0], np.rot90(sample[40:240, 60:260] + noise[1])
    # (x, y) of the sample at (x - 60, y - 40) is turned to (y - 40, 199 - (x - 60)).
    truth = np.array([[0.0, 1, -40], [-1, 0, 259], [0, 0, 1]])
    images = register_images(pre, post, diameter_px=7)
    assert images.status == "failed"
    assert len(images.candidates()) > 1
    nothing = np.empty((0, 2))

    def registered(common):
        seen = rng.uniform(60, 199, (common, 2))
        views = seen, apply_matrix(truth, seen) + rng.normal(0, 0.05, seen.shape)
        dots = [np.vstack([xy, rng.uniform(0, 199, (45, 2))]) for xy in views]
        return register_field(
            nothing, nothing, *dots, shape=(200, 200), by_images=lambda: images
        ), register_field(nothing, nothing, *dots, shape=(200, 200))

    together, alone = registered(5)
    assert alone.final.status == "failed"
    assert together.evidence == "brightfield images together with nanocrystals"
    place = np.array([[130.0, 120.0]])
    error = apply_matrix(together.final.matrix, place) - apply_matrix(truth, place)
    # Five matches of 0.05 px: 0.02 px per axis in their middle.
    assert np.hypot(*error.T) < 0.1
    for _ in range(10):
        assert registered(0)[0].final.status == "failed"
