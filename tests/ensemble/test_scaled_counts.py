"""Counts that were scaled, or had a background subtracted, are fitted in photons."""

import numpy as np
import pytest

from blinkpair.ensemble import decays
from blinkpair.ensemble.channels import in_photons
from blinkpair.ensemble.goodness import goodness
from blinkpair.ensemble.intervals import profile_interval, tau_of
from blinkpair.ensemble.notes import of_decay
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.errors import InputError
from blinkpair.simulate.ensemble import expected_decay
from tests.helpers.decays import AMPLITUDES, BIN_NS, TAUS, draw

DARK = 20.0  # counts a channel


def test_a_tail_too_short_for_its_scatter_is_fitted_by_least_squares():
    """Fewer than 64 channels behind the maximum, less a background."""
    decay, irf = draw(1e6, 8, [1.0], [0.5])
    cut = Decay(decay.counts[:260] / decay.counts.max() - 1e-3, BIN_NS)
    found = decays.fit_components(decays.prepare(cut, irf), 1)
    assert not found.is_poisson
    assert found.taus()[0] == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    ("change", "added"),
    [
        (lambda seen, rng: seen - DARK, DARK),
        (lambda seen, rng: (seen - seen[:150].mean()) / seen.max(), DARK),
        (lambda seen, rng: seen - rng.poisson(DARK, seen.size), 2 * DARK),
    ],
    ids=["constant", "and normalised", "measured"],
)
def test_a_background_that_was_subtracted_is_found_in_the_scatter(change, added):
    """By least squares half of the 95 % intervals held; counts that are left keep their noise.

    The background is known to 10 % from 4,096 channels of 20 photons, with the scale to 15 %.
    """
    rng = np.random.default_rng(5)
    expected = expected_decay(1e5, AMPLITUDES, TAUS, background=DARK)
    seen, irf = rng.poisson(expected).astype(float), draw(1e5, 8)[1]
    wanted = decays.fit_components(decays.prepare(Decay(seen, BIN_NS), irf), 3)
    prepared = decays.prepare(Decay(change(seen, rng), BIN_NS), irf)
    found = decays.fit_components(prepared, 3)
    assert prepared.decay.added == pytest.approx(added, rel=0.4)
    assert "photons a channel, as the values scatter, were added" in "; ".join(of_decay(prepared))
    assert found.is_poisson
    assert goodness(found) > 1e-6
    errors = wanted.standard_errors()[:3]
    assert np.all(np.abs(found.parameters[:3] - wanted.parameters[:3]) < 2 * errors)
    assert found.standard_errors()[:3] == pytest.approx(errors, rel=0.3)


def test_counts_less_their_minimum_are_known_by_their_scatter():
    rng = np.random.default_rng(5)
    seen = rng.poisson(expected_decay(1e5, AMPLITUDES, TAUS, background=200.0)).astype(float)
    assert in_photons(Decay(seen - seen.min(), BIN_NS)).added == pytest.approx(seen.min(), rel=0.2)


def test_counts_are_not_taken_for_counts_less_a_background():
    """Of 3,240 decays of 3e3 to 1e7 photons none was, with channels that differ by 1 % or not."""
    rng = np.random.default_rng(7)
    for photons in (3e3, 1e5, 1e7):
        expected = expected_decay(photons, AMPLITUDES, TAUS, background=5.0)
        for _ in range(5):
            unequal = expected * rng.normal(1.0, 0.01, expected.size)
            decay = Decay(rng.poisson(unequal).astype(float), BIN_NS)
            assert in_photons(decay) is decay


def test_values_below_zero_that_were_set_to_zero_are_refused():
    """tau_3 came out 8 % too short; of 2,880 decays as they are none is refused."""
    rng = np.random.default_rng(9)
    seen = rng.poisson(expected_decay(1e5, AMPLITUDES, TAUS, background=DARK)).astype(float)
    for cut in (np.maximum(seen - DARK, 0), np.maximum(seen - DARK - 0.3, 0) / seen.max()):
        with pytest.raises(InputError, match="set to 0"):
            decays.prepare(Decay(cut, BIN_NS))


def test_multiples_of_a_number_are_photons():
    seen, irf = draw(1e5, 8)
    prepared = decays.prepare(Decay(10 * seen.counts, BIN_NS), irf)
    assert prepared.decay.counts == pytest.approx(seen.counts)


def test_a_normalised_decay_is_fitted_as_its_photons_are():
    """Its photons are known to 4 % from 4,096 channels; unweighted, 60 % of the intervals held."""
    decay, irf = draw(1e5, 8)
    scaled = Decay(np.round(decay.counts / decay.counts.max(), 6), BIN_NS)
    prepared = decays.prepare(scaled, irf)
    assert prepared.decay.counts.sum() == pytest.approx(decay.counts.sum(), rel=0.15)
    found = decays.fit_components(prepared, 3)
    wanted = decays.fit_components(decays.prepare(decay, irf), 3)
    assert found.is_poisson
    assert found.taus() == pytest.approx(wanted.taus(), rel=1e-3)
    widths = [np.diff(profile_interval(f, tau_of(f.model, 0)))[0] for f in (found, wanted)]
    assert widths[0] == pytest.approx(widths[1], rel=0.1)
    assert goodness(found) > 1e-6
