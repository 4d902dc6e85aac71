"""A sample that hardly moved is registered; what is fixed to the camera never decides."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.registration import small_motions
from blinkpair.registration.fields import register_field
from blinkpair.registration.nanocrystal_pattern import NanocrystalDetails
from blinkpair.registration.near_identity import STEADY, register_near_identity
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import rigid_matrix

SHAPE = (512, 512)
OPTIONS = {"field_shape": SHAPE, "max_chance_alignments": 3e-4}
MOTIONS = [(0.0, 0.0), (0.3, 0.0), (2.0, 0.5), (3.5, 0.0), (6.0, 3.0)]


def views(rng, truth, n, error_px=0.05):
    """The same points before and after, those that both images show."""
    pre = rng.uniform(0, 511, (n, 2))
    post = apply_matrix(truth, pre)
    inside = ((post > 0) & (post < 511)).all(axis=1)
    return [xy[inside] + rng.normal(0, error_px, (inside.sum(), 2)) for xy in (pre, post)]


def counts_of(rng, n, scatter):
    """Counts before and after; the logarithm of their ratio scatters by this."""
    before = np.exp(rng.normal(4, 1, n))
    return before, before * np.exp(rng.normal(0, scatter, n))


def worst_error(found, true):
    grid = np.stack(np.meshgrid(*[np.linspace(0, 511, 9)] * 2), -1).reshape(-1, 2)
    return np.hypot(*(apply_matrix(found, grid) - apply_matrix(true, grid)).T).max()


@pytest.mark.parametrize(("shift", "turn"), MOTIONS)
def test_the_motion_of_what_blinks_is_that_of_the_sample(shift, turn):
    rng = np.random.default_rng(1)
    truth = rigid_matrix(turn, (shift, 0.0), SHAPE)
    for _ in range(3):
        spheres, dots = views(rng, truth, 12), views(rng, truth, 40)
        dust = rng.uniform(0, 511, (30, 2))
        result = register_field(
            *(np.vstack([xy, dust + rng.normal(0, 0.1, dust.shape)]) for xy in spheres),
            *dots,
            shape=SHAPE,
            details=NanocrystalDetails(counts=counts_of(rng, len(dots[0]), 0.4)),
        )
        assert result.evidence == "microspheres and nanocrystals"
        # 0.07 px over 40 pairs: 0.011 px per axis in the middle, 0.03 px at a corner.
        assert worst_error(result.final.matrix, truth) < 0.12
        # The microspheres come first in both lists, in one order.
        matched = {tuple(pair) for pair in result.microspheres.pairs.tolist()}
        assert {(k, k) for k in range(len(spheres[0]))} <= matched
        # Dust is distinguished where the sample moved by more than its localisation error.
        if shift >= 2:
            assert len(matched) <= len(spheres[0]) + 2


@pytest.mark.parametrize("n", [6, 20, 100])
def test_hot_pixels_never_register_a_field(n):
    rng = np.random.default_rng([2, n])
    for reach_px in (0.0, 3.0):
        # Under a drift what is fixed seems to lie elsewhere, by the same in all places.
        hot = np.unique(rng.integers(5, 500, (n, 2)), axis=0)
        moved = rng.uniform(-0.5, 0.5, 2) * reach_px
        pre, post = (hot + s + rng.normal(0, 0.03, hot.shape) for s in (np.zeros(2), moved))
        others = [rng.uniform(0, 511, (30, 2)) for _ in range(2)]
        for scatter in (0.02, 1.0):  # steady pixels, and those with telegraph noise
            counts = counts_of(rng, len(hot), scatter), counts_of(rng, 30, 1.0)
            result = register_field(
                np.empty((0, 2)),
                np.empty((0, 2)),
                np.vstack([pre, others[0]]),
                np.vstack([post, others[1]]),
                shape=SHAPE,
                details=NanocrystalDetails(
                    counts=tuple(np.concatenate(c) for c in zip(*counts, strict=True)),
                    camera_reach_px=reach_px,
                ),
            )
            assert result.final.status == "failed"


def test_a_fixed_pattern_of_any_shape_is_refused_by_its_steady_counts():
    rng = np.random.default_rng(3)
    pattern = rng.uniform(0, 511, (60, 2))
    pre, post = (pattern + rng.normal(0, 0.05, pattern.shape) for _ in range(2))
    errors = np.full(60, 0.02), np.full(60, 0.02)
    # Another gain of the second movie is one ratio for all.
    before, after = counts_of(rng, 60, 0.03)
    steady = register_near_identity(
        pre, post, errors_px=errors, counts=(before, 1.7 * after), **OPTIONS
    )
    assert steady.registration.status == "failed"
    assert steady.registration.reason == STEADY
    blinking = register_near_identity(
        pre, post, errors_px=errors, counts=counts_of(rng, 60, 0.4), **OPTIONS
    )
    assert blinking.registration.status == "ok"
    assert worst_error(blinking.registration.matrix, np.eye(3)) < 0.12


def test_more_hot_pixels_than_nanocrystals_do_not_hide_a_small_motion():
    rng = np.random.default_rng(4)
    truth = rigid_matrix(0.3, (1.5, -1.0), SHAPE)
    dots = views(rng, truth, 25)
    hot = np.rint(rng.uniform(5, 500, (60, 2)))
    dim = np.exp(rng.normal(4, 1, 60))
    counts = [
        np.concatenate([c, dim * np.exp(rng.normal(0, 0.02, 60))])
        for c in counts_of(rng, len(dots[0]), 0.5)
    ]
    pre, post = (np.vstack([xy, hot + rng.normal(0, 0.03, hot.shape)]) for xy in dots)
    near = register_near_identity(pre, post, counts=(counts[0], counts[1]), **OPTIONS)
    assert near.registration.status == "ok"
    assert worst_error(near.registration.matrix, truth) < 0.15
    # Rows of the tables as given: the nanocrystals come first.
    assert (near.registration.pairs < len(dots[0])).all()
    assert len(near.registration.pairs) >= len(dots[0]) - 2


def test_a_microsphere_near_the_centre_of_rotation_is_no_dust():
    rng = np.random.default_rng(5)
    truth = rigid_matrix(5.0, (0.0, 0.0), SHAPE)
    centre = 255.5 + rng.uniform(-15, 15, (4, 2))  # moves by less than 2 px
    spheres = views(rng, truth, 15)
    pre = np.vstack([centre + rng.normal(0, 0.05, centre.shape), spheres[0]])
    post = np.vstack([apply_matrix(truth, centre), spheres[1]])
    result = register_points(pre, post, field_shape=SHAPE)
    assert result.status == "ok"
    matched = {tuple(pair) for pair in result.pairs.tolist()}
    assert {(k, k) for k in range(len(pre))} <= matched
    assert result.n_dust == 0


def test_fields_of_small_motions_are_registered_and_what_is_the_cameras_is_refused():
    for seed in range(6):
        one = small_motions.trial(small_motions.KINDS[0], seed)
        assert not one["wrong"]
        assert one["ok"] or one["common"] < 8
        assert not small_motions.trial(small_motions.KINDS[1], seed)["ok"]
