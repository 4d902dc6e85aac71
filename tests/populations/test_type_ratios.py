"""A group of nanocrystals shows how steep its laws are, and with that how likely a cut-off is."""

from dataclasses import astuple

import numpy as np
import pytest

from blinkpair.dwell_fits import cut_off_ratio
from blinkpair.dwell_fits.cut_off_ratio import ratio_of_cut_off
from blinkpair.dwell_fits.events import count_events
from blinkpair.populations.type_ratios import ratios_within_group
from blinkpair.populations.type_shares import pooled_type_shares
from blinkpair.populations.type_states import STEEP
from tests.helpers.dwell_times import WINDOW, draw


def share_a(ratios):
    (a,), _ = pooled_type_shares([ratios], [np.arange(len(ratios)) % 4])
    return a


def ratios_of(rng, laws):
    events = [count_events(draw(rng, *law), None, WINDOW) for law in laws]
    return np.array([astuple(ratio_of_cut_off(own, exposure_s=0.02)) for own in events])


@pytest.mark.parametrize("alpha", [2.2, 2.5])
def test_steep_laws_of_few_events_are_not_taken_for_a_cut_off(alpha):
    """A hundred events last for half a second at most: one nanocrystal shows little, many do."""
    ratios = ratios_of(np.random.default_rng(63), [(alpha, 100)] * 80)
    assert share_a(ratios[:, 0]).value > 0.2  # with alpha of 1.5 +- 1 for each
    own = ratios_within_group(ratios)
    assert share_a(own.logs).value < 0.05
    assert own.alpha_b == pytest.approx(alpha, abs=0.2)
    assert own.alpha_b > STEEP


def test_cut_offs_among_steep_laws_are_found():
    laws = [(1.4, 200, 11.0)] * 16 + [(2.3, 200)] * 64
    a = share_a(ratios_within_group(ratios_of(np.random.default_rng(64), laws)).logs)
    assert a.low < 0.2 < a.high
    assert a.value == pytest.approx(0.2, abs=0.07)


@pytest.mark.parametrize("seed", [0, 2])
def test_one_nanocrystal_has_the_ratio_of_what_is_assumed_before(seed, monkeypatch):
    """Alpha is 1.5 +- 0.3 within either type, where no others show how steep the laws are."""
    found = ratios_within_group(ratios_of(np.random.default_rng(seed), [(2.5, 100)])).logs
    monkeypatch.setattr(cut_off_ratio, "PRIOR_ALPHA_SD", 0.3)
    (assumed,) = ratios_of(np.random.default_rng(seed), [(2.5, 100)])
    assert found == pytest.approx(assumed[0], abs=0.1)


def test_what_is_not_known_is_left_as_it_is():
    nothing = np.full(4, np.nan)
    unknown = ratios_within_group(np.array([[2.0, *nothing], [np.nan, *nothing]]))
    assert unknown.logs == pytest.approx([2.0, 0.0])
    assert np.isnan(unknown.alpha_b)
    # No event: alpha is what was assumed before, and a law of the group changes nothing.
    ratios = ratios_of(np.random.default_rng(65), [(1.6, 500)] * 20)
    ratios[0] = 0.0, 1.5, 1.0, 1.5, 1.0
    assert ratios_within_group(ratios).logs[0] == pytest.approx(0.0, abs=1e-9)
