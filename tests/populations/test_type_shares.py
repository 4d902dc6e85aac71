"""Shares of types A and B hold where verdicts are lost."""

import numpy as np
import pytest

from blinkpair.blinking.run_lengths import events_to_fit, run_lengths
from blinkpair.dwell_fits.cut_off_ratio import CERTAIN, ratio_of_cut_off
from blinkpair.dwell_fits.events import count_events
from blinkpair.dwell_fits.fits import fit_dwell_times
from blinkpair.populations.type_shares import pooled_type_shares
from blinkpair.statistics.intervals import pooled_fractions
from tests.helpers.dwell_times import draw


def test_without_doubt_the_share_is_the_counted_one():
    is_a = np.arange(319) < 33  # the paper's type A at 100 C before
    fields = np.arange(319) % 3
    (a,), (b,) = pooled_type_shares([np.where(is_a, CERTAIN, -CERTAIN)], [fields])
    (counted,) = pooled_fractions([is_a.astype(float)], [fields])
    assert a[:3] == pytest.approx(counted[:3], rel=0.03)
    assert b[:3] == pytest.approx((286 / 319, 1 - a.high, 1 - a.low), rel=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("doubt", [1.0, 3.0])
def test_in_doubt_the_share_has_no_bias_and_its_interval_holds(share, doubt):
    """Log ratios of two normal distributions have means of +-d^2 / 2 and a deviation of d.

    With d = 1 a third of the nanocrystals is on the wrong side of a ratio of one.
    """
    rng = np.random.default_rng([71, round(10 * share), round(doubt)])
    fields = np.arange(150) % 5
    shares = []
    for _ in range(150):
        is_a = rng.random(150) < share
        ratios = rng.normal(np.where(is_a, doubt**2 / 2, -(doubt**2) / 2), doubt)
        (a,), _ = pooled_type_shares([np.clip(ratios, -CERTAIN, CERTAIN)], [fields])
        shares.append(a)
    held = np.mean([a.low <= share <= a.high for a in shares])
    assert held > 0.91  # 95 % less 2 binomial deviations
    # Near 0 it cannot be below it: at d = 1 the error of a share is 0.09.
    most = 0.05 if share == 0 else 0.02
    assert np.mean([a.value for a in shares]) == pytest.approx(share, abs=most)


def test_nothing_known_is_no_share():
    for ratios in (np.zeros(0), np.full(20, np.nan)):
        (a,), (b,) = pooled_type_shares([ratios], [np.zeros(ratios.size, int)])
        assert np.isnan([*a[:3], *b[:3]]).all()


def test_nanocrystals_with_too_few_events_for_a_fit_count():
    """Movies of 40 s, a quarter of type A: most of type B have fewer than 50 events.

    Of the verdicts the half and more are type A.
    """
    rng = np.random.default_rng(72)
    is_a = np.arange(80) < 20
    models, ratios = [], []
    for truncated in is_a:
        on = draw(rng, *((1.3, 2000, 12.0) if truncated else (1.6, 2000)), window=2000)
        off = draw(rng, 2.0 if truncated else 1.6, 2000, window=2000)
        lengths = np.stack([on, off], axis=1).ravel()
        states = np.repeat(np.arange(lengths.size) % 2 == 0, lengths)[:2000]
        events = run_lengths(states)
        durations, cut = events_to_fit(events, 0)
        fit = fit_dwell_times(
            durations, exposure_s=0.02, window_frames=2000, censored=cut, min_events=50
        )
        models.append(fit.model)
        of_all = count_events(*events_to_fit(events, 0, with_first=True), 2000)
        ratios.append(ratio_of_cut_off(of_all, exposure_s=0.02).log_ratio)
    n_a, n_b = models.count("truncated_power_law"), models.count("power_law")
    assert n_b < 0.5 * np.sum(~is_a)
    assert n_a / (n_a + n_b) > 0.4
    (a,), _ = pooled_type_shares([np.array(ratios)], [np.arange(80) % 4])
    assert a.value == pytest.approx(0.25, abs=0.06)
    assert a.low < 0.25 < a.high
