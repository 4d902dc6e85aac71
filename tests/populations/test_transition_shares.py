"""Shares of A to A, A to B, B to A and B to B hold where verdicts are lost."""

import numpy as np
import pytest

from blinkpair.dwell_fits.cut_off_ratio import CERTAIN
from blinkpair.populations.transition_shares import PAIRS, pooled_transition_shares
from blinkpair.populations.type_shares import pooled_type_shares
from blinkpair.populations.type_states import PURE, TRUNCATED
from blinkpair.statistics.intervals import pooled_fractions

A_TO_A, A_TO_B = (TRUNCATED, TRUNCATED), (TRUNCATED, PURE)


def log_ratios(rng, kinds, doubt):
    """Log ratios before and after of two normal distributions, of means +-d^2 / 2."""
    is_a = np.array([[name == TRUNCATED for name in PAIRS[k]] for k in kinds])
    return np.clip(rng.normal(np.where(is_a, 0.5, -0.5) * doubt**2, doubt), -CERTAIN, CERTAIN).T


def test_without_doubt_the_shares_are_the_counted_ones():
    kinds = np.repeat(np.arange(4), [13, 20, 10, 257])
    fields = np.arange(kinds.size) % 3
    before, after = log_ratios(np.random.default_rng(1), kinds, 40.0)
    (found,) = pooled_transition_shares([before], [after], [fields])
    of_all, of_a = found[A_TO_B]
    assert of_all.value == pytest.approx(20 / 300, rel=1e-4)
    assert of_a.value == pytest.approx(20 / 33, rel=1e-4)
    (counted,) = pooled_fractions([(kinds == 1).astype(float)], [fields])
    assert of_all[1:3] == pytest.approx(counted[1:3], abs=0.005)


def test_in_doubt_the_shares_have_no_bias_and_their_intervals_hold():
    """With d = 3, 7 % of the ratios are on the wrong side, as many as are truly of type A."""
    rng = np.random.default_rng(2)
    truth = np.array([0.05, 0.05, 0.03, 0.87])
    fields = np.arange(200) % 4
    errors, held = [], []
    for _ in range(8):
        before, after = log_ratios(rng, rng.choice(4, 200, p=truth), 3.0)
        (found,) = pooled_transition_shares([before], [after], [fields])
        of_all = [found[pair][0] for pair in PAIRS]
        errors.append([one.value - p for one, p in zip(of_all, truth, strict=True)])
        held += [one.low <= p <= one.high for one, p in zip(of_all, truth, strict=True)]
    assert np.abs(np.mean(errors, axis=0)).max() < 0.026  # 3 errors of 0.024 / sqrt(8)
    assert np.mean(held) > 0.88  # 95 % less 2 binomial deviations


def test_of_those_surely_of_type_a_before_the_shares_are_those_of_after():
    """A hundred are A before, and in doubt after; a hundred others are B in both."""
    sure = np.full(100, CERTAIN)
    after = np.random.default_rng(3).normal(np.repeat([2.0, -2.0], [30, 70]), 2.0)
    fields = np.arange(200) % 4
    (found,) = pooled_transition_shares(
        [np.concatenate([sure, -sure])], [np.concatenate([after, -sure])], [fields]
    )
    (a,), (b,) = pooled_type_shares([after], [fields[:100]])
    for pair, alone in ((A_TO_A, a), (A_TO_B, b)):
        of_all, of_before = found[pair]
        assert of_all.value == pytest.approx(alone.value / 2, abs=1e-3)
        assert of_before.value == pytest.approx(alone.value, abs=1e-3)
        assert of_before[1:3] == pytest.approx(alone[1:3], abs=0.02)


def test_nothing_known_is_no_share():
    for n in (0, 20):
        nothing = np.zeros(n)
        (found,) = pooled_transition_shares([nothing], [nothing], [np.zeros(n, int)])
        assert all(np.isnan(one.value) for both in found.values() for one in both)
    before = np.full(20, -CERTAIN)
    (found,) = pooled_transition_shares([before], [before], [np.zeros(20, int)])
    assert found[A_TO_B][0].value < 1e-3
    assert np.isnan(found[A_TO_B][1].value)  # no type A before
