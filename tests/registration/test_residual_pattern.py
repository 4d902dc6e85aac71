"""What a transform leaves over is found, and is in the stated error."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.registration import patterns_left
from blinkpair.registration.residual_pattern import STATED_LEVEL, find_pattern, pattern_at
from blinkpair.registration.rigid import apply_matrix, fit_transform
from blinkpair.registration.target_error import target_error, with_pattern

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
