"""Fits of bleaches: intervals that hold, and what the data determine."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.ensemble import bleach
from blinkpair.ensemble.common import fit_common
from blinkpair.ensemble.goodness import goodness
from blinkpair.ensemble.intervals import fraction_of, is_resolved, profile_interval, tau_of
from blinkpair.ensemble.notes import CORRELATED
from blinkpair.ensemble.readers.matrix import Matrix
from tests.helpers.bleaches import AFTER, BEFORE, DELAYS, trace


def test_intervals_of_a_bleach_hold_the_truth():
    """Of 60 traces 95 % intervals miss at most 8, but for 1 case in 130 (binomial)."""
    rng, misses = np.random.default_rng(1), np.zeros(3, int)
    for _ in range(60):
        one = bleach.fit_trace(trace(BEFORE, 1e-5, rng))
        quantities = [tau_of(one.model, 0), tau_of(one.model, 1), fraction_of(one.model, 0)]
        truth = [np.log(200), np.log(830), BEFORE[0] / sum(BEFORE)]
        for k, (quantity, true) in enumerate(zip(quantities, truth, strict=True)):
            low, high = profile_interval(one, quantity)
            misses[k] += not low <= true <= high
    assert misses.max() <= 8, misses


def test_noise_and_spikes_are_no_bleach():
    """The median and its error find the line where a mean is that of a spike or of a dark edge."""
    rng = np.random.default_rng(4)
    probes = np.linspace(2.0, 2.8, 81)
    line = np.exp(-0.5 * ((probes - 2.44) / 0.04) ** 2)
    change = np.outer(trace(BEFORE, 0.0, rng).value, line)
    change += rng.normal(0, 5e-5, change.shape)
    change[:, -6:] += rng.normal(0, 3e-2, (DELAYS.size, 6))
    change[24, 20] = -0.5
    change[:, 5] = -0.01
    assert bleach.trace_at(Matrix(DELAYS, probes, change), None).probe_ev == pytest.approx(2.44)


def test_what_makes_intervals_of_a_bleach_too_narrow_is_noted():
    """Scattered light before time zero, and noise that lasts over several delays."""
    rng = np.random.default_rng(6)
    clean = trace(BEFORE, 2e-5, rng)
    assert bleach.level_before_zero(clean) == 0
    offset = bleach.Trace(DELAYS, clean.value - 1.5e-4, 2.441)
    assert bleach.level_before_zero(offset) == pytest.approx(0.05, abs=0.01)
    # 40 of 40 traces of independent noise have a p value above a thousandth (1 in 25 would not).
    ps = [goodness(bleach.fit_trace(trace(BEFORE, 2e-5, rng))) for _ in range(40)]
    assert min(ps) > 1e-3
    lasting = np.convolve(rng.normal(0, 2e-5, DELAYS.size + 4), np.ones(5), "valid")
    drifting = bleach.Trace(DELAYS, clean.value + lasting, 2.441)
    assert goodness(bleach.fit_trace(drifting)) < CORRELATED


def test_intervals_of_weak_components_contain_the_estimate():
    """Where the share may be 0 its contour is open: Newton's method can end beyond the estimate."""
    for seed in range(12):
        one = bleach.fit_trace(trace(AFTER, 2e-4, np.random.default_rng(seed)))
        amplitudes = one.amplitudes()
        for k in range(amplitudes.size):
            low, high = profile_interval(one, fraction_of(one.model, k))
            assert low <= amplitudes[k] / amplitudes.sum() <= high, (seed, k)


@pytest.mark.parametrize(
    ("tau", "share", "resolved"),
    [
        ((20.0, 10.0, 40.0), (0.05, 0.4), True),
        ((20.0, 10.0, np.inf), (0.05, 0.4), False),  # no upper end
        ((20.0, 10.0, 40.0), (0.05, np.inf), False),
        ((20.0, 10.0, 40.0), (-0.05, 0.4), False),  # may be 0
        ((20.0, 10.0, 40.0), (2.8, 40.0), False),  # no share: others have the other sign
        ((3.0, 2.0, 5.0), (0.05, 0.4), False),  # over before the first delay
    ],
)
def test_what_the_data_determine_is_resolved(tau, share, resolved):
    one = bleach.fit_trace(trace(BEFORE, 1e-5, np.random.default_rng(1)))
    assert is_resolved(one, tau, share, bleach.START_PS) == resolved


def test_common_constants_narrow_the_difference_of_the_short_shares():
    """At the paper's noise: 3 points, where constants of their own give some 10."""
    rng = np.random.default_rng(2)
    common, free = [], []
    for _ in range(30):
        fits = [bleach.fit_trace(trace(a, 5.5e-5, rng)) for a in (BEFORE, AFTER)]
        free.append(bleach.short_share(fits[1]) - bleach.short_share(fits[0]))
        joint = fit_common(fits)
        shares = [m.amplitudes(joint.fit.parameters)[0] for m in joint.members]
        common.append(shares[1][0] / shares[1].sum() - shares[0][0] / shares[0].sum())
    assert np.std(common) < 0.03
    assert np.std(free) > 2 * np.std(common)
    assert np.mean(common) == pytest.approx(0.2 / 4.01 - 0.7 / 3.18, abs=0.015)


@pytest.mark.parametrize("n_free", [0, 1, 3])
def test_a_bleach_of_any_number_of_components_is_fitted(n_free):
    one = bleach.fit_trace(trace(BEFORE, 1e-5, np.random.default_rng(4)), n_free=n_free)
    assert one.taus().size == n_free + 1
    assert np.isfinite(one.fitted).all()
