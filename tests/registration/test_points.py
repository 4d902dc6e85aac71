"""Registration of unlabelled patterns: right where it can be, refused where it cannot.

The bounds come from `benchmarks/registration` (thousands of trials); here a few
hundred, with room for the smaller number.
"""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from blinkpair.errors import InputError
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix
from tests.helpers.point_patterns import SHAPE, largest_error, motion, views


@pytest.mark.parametrize(
    ("n", "lost", "trials", "median_px"),
    # Median of the largest error: measured 0.29, 0.30, 0.21; 25 % added for 60 trials.
    [(8, 0, 60, 0.37), (15, 0.3, 80, 0.38), (30, 0.3, 40, 0.27)],
)
def test_four_common_microspheres_or_more_are_registered_under_any_rotation(
    n, lost, trials, median_px
):
    rng = np.random.default_rng(n)
    errors = []
    for _ in range(trials):
        pre, post, truth, common = views(rng, n, lost)
        if common >= 4:
            result = register_points(pre, post, field_shape=SHAPE)
            assert result.status == "failed" or largest_error(result.matrix, truth) < 3
            errors.append(largest_error(result.matrix, truth))
    # 99.9 % succeed; two failures in 80 would have a probability of 0.3 %.
    assert np.isnan(errors).sum() <= 1
    assert np.nanmedian(errors) < median_px


def test_unrelated_patterns_are_refused_at_the_rate_of_their_level():
    rng = np.random.default_rng(3)
    levels = []
    for _ in range(100):
        pre, post = rng.uniform(0, 511, (2, 30, 2))
        result = register_points(pre, post, field_shape=SHAPE)
        assert result.status == "failed"
        assert np.isnan(result.matrix).all()
        levels.append(result.chance_alignments)
    # Levels <= e at a rate of 1 - exp(-e); the ratio is 1.0 to 1.3 in 3,000 trials.
    for level in (1.0, 0.3, 0.1):
        expected = 100 * -np.expm1(-level)
        assert abs(np.sum(np.array(levels) <= level) - expected) < 4 * np.sqrt(expected)


def clumps(rng):
    centres = rng.uniform(30, 480, (4, 2))
    return centres[rng.integers(0, 4, 16)] + rng.normal(0, 15, (16, 2))


def touching_pairs(rng):
    """Eight pairs, 8 px from centre to centre."""
    centre, angle = rng.uniform(5, 506, (8, 2)), rng.uniform(0, 2 * np.pi, 8)
    half = 4 * np.column_stack([np.cos(angle), np.sin(angle)])
    return np.vstack([centre - half, centre + half])


@pytest.mark.parametrize("draw", [clumps, touching_pairs])
def test_patterns_of_neighbours_do_not_look_better_than_they_are(draw):
    rng = np.random.default_rng(4)
    levels = []
    for _ in range(100):
        result = register_points(draw(rng), draw(rng), field_shape=SHAPE)
        assert result.status == "failed"
        levels.append(result.chance_alignments)
    # Counted as if spread evenly, 14 % of the clumps were at or below 0.03; counted right, 3 %.
    assert np.mean(np.array(levels) <= 0.03) < 0.07


def test_a_patch_of_microspheres_does_not_fix_the_rest_of_the_field():
    rng = np.random.default_rng(18)
    truth = motion(100, (30, -20))
    for _ in range(10):
        pre = rng.uniform(240, 275, (6, 2))
        post = apply_matrix(truth, pre) + rng.normal(0, 0.2, pre.shape)
        result = register_points(pre, post, field_shape=SHAPE)
        # Six within 35 px: 0.28 px sqrt(1 / 6 + d^2 / I) is 3 px at d = 250 px, one sigma.
        assert result.status == "failed"
        assert "loosely" in result.reason or "chance" in result.reason


def test_dust_on_the_camera_never_passes_for_the_sample():
    rng = np.random.default_rng(5)
    for k in (5, 20, 60):
        dust = rng.uniform(0, 511, (k, 2))
        pre, post = (
            np.vstack([dust + rng.normal(0, 0.2, dust.shape), rng.uniform(0, 511, (15, 2))])
            for _ in range(2)
        )
        result = register_points(pre, post, field_shape=SHAPE)
        assert result.status == "failed"
        assert result.n_dust >= k - 1
        assert "dust" in result.reason


def test_sixty_specks_of_dust_do_not_hide_fifteen_microspheres():
    rng = np.random.default_rng(6)
    for _ in range(20):
        pre, post, truth, _ = views(rng, 15, 0.1)
        dust = rng.uniform(0, 511, (60, 2))
        pre = np.vstack([dust + rng.normal(0, 0.2, dust.shape), pre])
        post = np.vstack([post, dust + rng.normal(0, 0.2, dust.shape)])
        result = register_points(pre, post, field_shape=SHAPE)
        assert largest_error(result.matrix, truth) < 3
        # Pairs are rows of the points as given.
        mapped = apply_matrix(result.matrix, pre[result.pairs[:, 0]])
        assert np.hypot(*(mapped - post[result.pairs[:, 1]]).T).max() < 2


@pytest.mark.parametrize("shift", [(0, 0), (1.5, -1), (2.8, 2.0)])
def test_a_sample_that_did_not_move_is_refused_as_dust(shift):
    rng = np.random.default_rng(7)
    pre = rng.uniform(0, 511, (20, 2))
    post = pre + shift + rng.normal(0, 0.2, pre.shape)
    result = register_points(pre, post, field_shape=SHAPE)
    assert result.status == "failed"
    assert "dust" in result.reason


def test_a_lattice_is_ambiguous():
    rng = np.random.default_rng(8)
    x, y = np.meshgrid(np.arange(-10, 20) * 64.0, np.arange(-10, 20) * 64.0)
    lattice = np.column_stack([x.ravel(), y.ravel()])
    pair = []
    for angle in (10, 75):
        xy = apply_matrix(motion(angle, rng.uniform(0, 64, 2)), lattice)
        xy = xy[((xy >= 0) & (xy <= 511)).all(axis=1)]
        pair.append(xy + rng.normal(0, 0.2, xy.shape))
    result = register_points(*pair, field_shape=SHAPE)
    assert result.status == "failed"
    assert "ambiguous" in result.reason


@pytest.mark.parametrize("n", [15, 40])
def test_a_mirror_image_is_refused(n):
    rng = np.random.default_rng(9)
    # Microspheres on a line match their mirror image under a rotation too, beyond chance in one
    # field of ten: the mirrored pattern has to be searched as well.
    for _ in range(40):
        pre, post, _, _ = views(rng, n, 0.1)
        result = register_points(pre, post * [-1, 1] + [511, 0], field_shape=SHAPE)
        assert result.status == "failed"
    assert "mirror" in result.reason


@pytest.mark.parametrize("scale", [1.01, 1.5])
def test_another_magnification_is_refused_as_rigid(scale):
    rng = np.random.default_rng(10)
    for _ in range(20):
        truth = motion(rng.uniform(-180, 180), rng.uniform(-40, 40, 2), scale)
        pre, post, _, _ = views(rng, 30, 0.1, truth)
        assert register_points(pre, post, field_shape=SHAPE).status == "failed"


@pytest.mark.parametrize(
    ("scale", "seed"),
    [(0.98, 81), (0.985, 27), (0.985, 58), (0.99, 118), (1.01, 12), (1.01, 63), (1.02, 81)],
)
def test_a_neighbourhood_that_matches_rigidly_does_not_hide_another_magnification(scale, seed):
    # In one field of a hundred the points of one neighbourhood match rigidly, beyond chance, and
    # the transform is off by 5 to 14 px elsewhere. These are such fields.
    rng = np.random.default_rng([20, seed])
    truth = motion(rng.uniform(-180, 180), rng.uniform(-40, 40, 2), scale)
    pre, post, _, _ = views(rng, 25, 0.1, truth)
    result = register_points(pre, post, field_shape=SHAPE)
    assert result.status == "failed"
    named = re.search(r"scale of ([\d.]+)", result.reason)
    assert named is None or float(named[1]) == pytest.approx(scale, abs=1e-3)


@pytest.mark.parametrize("scale", [0.85, 1.1])
def test_a_similarity_finds_the_scale(scale):
    rng = np.random.default_rng(11)
    truth = motion(130, (20, -30), scale)
    pre, post, _, _ = views(rng, 25, 0.1, truth)
    result = register_points(pre, post, model="similarity", field_shape=SHAPE)
    assert result.status == "ok"
    assert result.scale == pytest.approx(scale, abs=0.002)
    assert largest_error(result.matrix, truth) < 1


def test_the_order_of_the_points_changes_nothing():
    rng = np.random.default_rng(12)
    pre, post, _, _ = views(rng, 20, 0.2)
    i, j = rng.permutation(len(pre)), rng.permutation(len(post))
    one = register_points(pre, post)
    again = register_points(pre, post)
    other = register_points(pre[i], post[j])
    np.testing.assert_array_equal(one.matrix, again.matrix)
    np.testing.assert_allclose(other.matrix, one.matrix, atol=1e-9)
    assert {tuple(p) for p in one.pairs} == {(i[k], j[m]) for k, m in other.pairs}


# Same examples every time, and no limit on their duration: a busy machine is no failure.
@trials(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 10**6), *[st.floats(-180, 180), st.floats(-40, 40)] * 2)
def test_turned_shifted_and_exchanged_epochs_give_the_transform_that_follows(seed, a, x, b, y):
    """To 1e-9 px: 4e-13 were measured in 750 trials, and 900 quarter turns.

    In one of these 900 a pair at the edge of the tolerance came and went: 0.24 px.
    """
    pre, post, _, _ = views(np.random.default_rng(seed), 15, 0.1)
    before, after = motion(a, (x, -y)), motion(b, (y, x))
    one = register_points(pre, post, field_shape=SHAPE)
    other = register_points(apply_matrix(before, pre), apply_matrix(after, post), field_shape=SHAPE)
    back = register_points(post, pre, field_shape=SHAPE)
    assert one.status == other.status == back.status
    if one.status == "ok":
        assert largest_error(other.matrix, after @ one.matrix @ np.linalg.inv(before)) < 1e-9
        assert largest_error(back.matrix, np.linalg.inv(one.matrix)) < 1e-9
        assert {tuple(p) for p in one.pairs} == {(i, j) for j, i in back.pairs}


def test_microspheres_found_twice_are_matched_once():
    rng = np.random.default_rng(13)
    pre, post, truth, _ = views(rng, 15, 0.1)
    result = register_points(np.vstack([pre, pre[:4] + 0.7]), np.vstack([post, post[:4] - 0.7]))
    assert largest_error(result.matrix, truth) < 3
    assert len(np.unique(result.pairs[:, 0])) == len(np.unique(result.pairs[:, 1]))
    assert len(np.unique(result.pairs[:, 0])) == result.n_matched


@pytest.mark.parametrize(
    ("pre", "post"),
    [
        ([], []),
        ([[1, 2]], [[3, 4]]),
        ([[1, 2], [30, 40]], np.arange(20).reshape(10, 2)),
        (np.zeros((5, 2)), np.zeros((5, 2))),
        (np.column_stack([np.linspace(0, 500, 12), np.full(12, 9.0)]), [[0, 0], [9, 0], [300, 1]]),
    ],
)
def test_too_few_or_useless_points_are_refused_with_a_reason(pre, post):
    result = register_points(pre, post)
    assert result.status == "failed"
    assert result.reason
    assert np.isnan(result.tre([[0, 0]])).all()


def test_patterns_on_a_line_are_refused():
    rng = np.random.default_rng(17)
    wrong = 0
    for _ in range(60):
        # Two unrelated rows of microspheres: some three of one match three of the other by chance.
        pre = np.column_stack([rng.uniform(0, 511, 12), 100 + rng.normal(0, 2, 12)])
        post = np.column_stack([300 + rng.normal(0, 2, 12), rng.uniform(0, 511, 12)])
        wrong += register_points(pre, post).status == "ok"
    assert wrong == 0
    # Even one row seen twice: its mirror image fits as well.
    turned = apply_matrix(motion(40), pre)
    result = register_points(pre, turned, field_shape=SHAPE)
    assert result.status == "failed"
    assert "line" in result.reason or "mirror" in result.reason


def test_three_points_nearly_on_a_line_do_not_break_the_search():
    pre = [[477.4, 336.5], [200.3, 462.6], [475.6, 65.9], [141.7, 488.0]]
    post = [[418.9, 342.6], [419.1, 406.0], [416.8, 38.9]]
    # Beyond chance with a yardstick above 1: once, nothing was left to compare it with.
    assert register_points(pre, post).chance_alignments < 1e-3


@pytest.mark.parametrize(
    "bad", [[[1.0, np.nan]] * 5, [1, 2, 3], [["a", "b"]] * 4, np.zeros((4, 3))]
)
def test_positions_that_are_none_are_an_input_error(bad):
    with pytest.raises(InputError, match="pre points"):
        register_points(bad, np.eye(2))


@pytest.mark.parametrize(
    "setting",
    [
        {"model": "affine"},
        {"min_microspheres": 2},
        {"max_chance_alignments": 0},
        {"localisation_error_px": -1},
    ],
)
def test_settings_out_of_range_are_an_input_error(setting):
    with pytest.raises(InputError):
        register_points(np.eye(2), np.eye(2), **setting)
