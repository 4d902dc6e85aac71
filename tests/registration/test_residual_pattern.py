"""What a transform leaves over is found, and is in the stated error."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.registration import patterns_left
from blinkpair.registration.points import register_points
from blinkpair.registration.residual_pattern import STATED_LEVEL, find_pattern, pattern_at
from blinkpair.registration.rigid import apply_matrix, fit_transform
from blinkpair.registration.target_error import TargetError, target_error, with_pattern

MIDDLE = np.full(2, 255.5)
GRID = np.stack(np.meshgrid(*[np.linspace(50, 460, 7)] * 2), -1).reshape(-1, 2)


def found(pre, post, *, free_scale=False):
    """The error model of a fit, without and with the pattern, and the pattern's p-value."""
    matrix = fit_transform(pre, post, model="similarity" if free_scale else "rigid")
    plain = target_error(pre, post, matrix, free_scale=free_scale)
    return plain, *with_pattern(plain, pre, post, matrix, middles=(MIDDLE, MIDDLE)), matrix


@pytest.mark.parametrize("n", [6, 12, 60])
def test_noise_alone_is_a_pattern_as_often_as_the_level_states(n):
    rng = np.random.default_rng(n)
    hits = 0
    for _ in range(600):
        pre = rng.uniform(0, 511, (n, 2))
        hits += (
            found(pre, pre + np.array([40.0, 10]) + rng.normal(0, 0.1, pre.shape))[2] < STATED_LEVEL
        )
    # Two tests of 5 %, the second where there are matches enough: 5 to 10 %, and 3 standard
    # errors of 600 draws, 1.2 points each.
    assert 0.015 < hits / 600 < 0.135


def test_residuals_that_are_shared_by_two_count_once():
    rng = np.random.default_rng(5)
    hits = dict.fromkeys((1.0, 2.0), 0)
    args = {"free_scale": False, "middle": MIDDLE, "shift": np.zeros(2)}
    for _ in range(300):
        pre, noise = np.repeat(rng.uniform(0, 511, (30, 2)), 2, 0), rng.normal(0, 0.1, (30, 2))
        for shared in hits:
            hits[shared] += (
                find_pattern(pre, np.repeat(noise, 2, 0), None, **args, shared=shared) is not None
            )
    # As often as of single ones (above); 3 standard errors of 300 draws are 5 points.
    assert 0.01 < hits[2.0] / 300 < 0.15
    assert hits[1.0] / 300 > 0.3


@pytest.mark.parametrize("share", [0.001, 0.003])
def test_a_magnification_is_found_with_its_size(share):
    rng = np.random.default_rng(2)
    pre = rng.uniform(0, 511, (80, 2))
    post = MIDDLE + (1 + share) * (pre - MIDDLE) + rng.normal(0, 0.05, pre.shape)
    plain, error, p_value, matrix = found(pre, post)
    assert p_value < 1e-10
    missing = np.hypot(*(MIDDLE + (1 + share) * (GRID - MIDDLE) - apply_matrix(matrix, GRID)).T)
    # 0.05 px over 80 matches: 0.02 px at the edge of seven fields.
    assert error.pattern_at(GRID) == pytest.approx(missing, abs=0.06)
    assert (missing <= error.at(GRID, 0.95)).mean() > 0.95
    assert (missing <= plain.at(GRID, 0.95)).mean() < 0.5
    # A free scale leaves nothing.
    assert found(pre, post, free_scale=True)[2] > STATED_LEVEL / 10


def test_a_lens_leaves_a_pattern_only_after_a_shift():
    rng = np.random.default_rng(3)
    lens = 0.004
    for shift, significant in ((np.zeros(2), False), (np.array([50.0, 20.0]), True)):
        sample = rng.uniform(0, 511, (80, 2))
        pre = patterns_left.distorted(sample, lens)
        post = patterns_left.distorted(sample + shift, lens)
        noise = rng.normal(0, 0.03, (2, 80, 2))
        error, p_value = found(pre + noise[0], post + noise[1])[1:3]
        assert (p_value < 1e-6) == significant
        # 3 k r^2 t / R^2 is 0.6 px at a corner, a third of which the fit takes up.
        assert (error.pattern_at(GRID).max() > 0.1) == significant


def test_three_matches_show_no_pattern():
    pre = np.array([[10.0, 10.0], [400, 20], [200, 480]])
    post = pre * 1.001
    residual = post - pre
    args = {"free_scale": False, "middle": MIDDLE, "shift": np.zeros(2)}
    assert find_pattern(pre, residual, None, **args) is None
    assert pattern_at(pre, MIDDLE, 100.0, np.zeros(13)) == pytest.approx(0)


def test_three_per_mille_are_refused_under_rigid_and_corrected_by_similarity():
    for seed in range(4):
        rigid = patterns_left.trial("scale", 0.3, "rigid", seed)
        assert not rigid["ok"]
        assert rigid["magnification"]
        assert "set registration: model: similarity" in rigid["reason"]
        similar = patterns_left.trial("scale", 0.3, "similarity", seed)
        assert similar["ok"]
        assert similar["error_px"] < 0.15


def test_the_largest_error_of_a_field_that_was_strained_is_stated():
    records = [patterns_left.trial("shear", 0.3, "rigid", seed) for seed in range(8)]
    assert all(one["ok"] and one["reported"] for one in records)
    # 0.15 % of 360 px: 0.5 px.
    assert all(one["error_px"] > 0.3 for one in records)
    assert np.mean([one["covered"] for one in records]) > 0.8


def test_places_are_corrected_for_a_lens_that_no_matrix_follows():
    records = [patterns_left.trial("lens distortion", 0.4, "rigid", seed) for seed in range(12)]
    many = [one for one in records if one["ok"] and one["matched"] >= 20]
    assert len(many) >= 5
    # Goal: 0.15 px anywhere. The best rigid transform leaves 0.2 to 0.6 px after such shifts.
    assert max(one["corrected_px"] for one in many) < 0.15
    assert np.median([one["error_px"] for one in many]) > 0.2
    stated = np.sqrt(np.mean([one["place_error_px"] ** 2 for one in many]))
    assert np.sqrt(np.mean([one["rms_corrected_px"] ** 2 for one in many])) < 1.5 * stated


def test_back_and_forth_ends_at_the_same_place_with_a_pattern():
    rng = np.random.default_rng(4)
    sample = rng.uniform(0, 511, (120, 2))
    pre = patterns_left.distorted(sample, 0.01)
    turned = MIDDLE + (sample - MIDDLE) @ [[0, 1], [-1, 0]] + [50.0, 20.0]
    seen = register_points(pre, patterns_left.distorted(turned, 0.01))
    assert np.hypot(*(seen.to_post(GRID) - apply_matrix(seen.matrix, GRID)).T).max() > 0.5
    assert seen.to_pre(seen.to_post(GRID)) == pytest.approx(GRID, abs=1e-6)


def test_an_uncertain_pattern_is_hardly_corrected():
    # A scale of 0.1 px at the matches' root-mean-square distance, known to 0.01 and to 1 px.
    scale = 0.1 * np.eye(13)[3]
    for known_px, share in ((0.01, 1 / 1.01), (1.0, 1 / 101)):
        error = TargetError(
            centroid=np.zeros(2),
            spread_px2=10 * 100.0**2,
            n=10,
            variance_px2=0.01,
            dof=16,
            free_scale=False,
            pattern_px=scale,
            pattern_covariance_px2=np.diag(known_px**2 * np.eye(13)[3]),
        )
        moved, stated = error.correction(np.array([[100.0, 0.0]]))
        assert moved[0] == pytest.approx([0.1 * share, 0])
        # The smaller of both errors, nearly: that of the correction, or of none.
        assert stated[0] == pytest.approx(np.sqrt(share) * known_px)
        assert stated[0] < min(known_px, 0.1)
