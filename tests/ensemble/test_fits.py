"""Decays are fitted with the right likelihood, and intervals hold what they promise."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from blinkpair.ensemble import decays
from blinkpair.ensemble.common import fit_common
from blinkpair.ensemble.fitting import fit
from blinkpair.ensemble.goodness import goodness
from blinkpair.ensemble.intervals import (
    _endpoint_by_fits,
    fraction_of,
    profile_interval,
    tau_of,
)
from blinkpair.ensemble.models import ResponseModel, TailModel, TraceModel
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.errors import InputError
from blinkpair.simulate.ensemble import expected_decay, response
from tests.helpers.decays import AMPLITUDES, BIN_NS, TAUS, draw

NIST = Path(__file__).parents[3] / "shared" / "realdata" / "ensemble" / "nist"


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (ResponseModel(400, 0.05, response()[:400], 2), [0.1, 1.2, 6.0, 7.0, 0.5, 0.4]),
        (ResponseModel(400, 0.05, response()[:400], 2, period_ns=25.0), [0.1, 2.2, 6, 7, 0.5, 0.4]),
        (TailModel(0.05, 2, (20, 300)), [0.1, 1.2, 6.0, 7.0, 0.5]),
        (TailModel(0.05, 2, (20, 300), 20.0), [0.1, 2.2, 6.0, 7.0, 0.5]),
        (TraceModel(np.linspace(0, 9, 40), 2, (20.0,)), [0.1, 1.2, 1.0, -0.5, 0.3]),
    ],
)
def test_derivatives_are_those_of_the_values(model, parameters):
    parameters = np.array(parameters)
    _, jacobian = model.evaluate(parameters)
    for k in range(parameters.size):
        step = np.zeros(parameters.size)
        step[k] = 1e-5
        up, down = model.evaluate(parameters + step)[0], model.evaluate(parameters - step)[0]
        slope = (up - down) / 2e-5
        assert np.abs(slope - jacobian[:, k]).max() < 1e-6 * np.abs(jacobian).max()


def test_the_model_is_the_convolution_of_the_simulator():
    """Another forward model, the exact integral of an exponentially modified Gaussian."""
    wanted = expected_decay(1e6, AMPLITUDES, TAUS)
    photons = AMPLITUDES * TAUS / (AMPLITUDES @ TAUS) * 1e6
    model = ResponseModel(wanted.size, BIN_NS, response(), 3)
    made, _ = model.evaluate(np.concatenate([np.log(TAUS), np.log(photons), [-20.0, 0.0]]))
    # The response lies in 10 channels or so, each of four parts: 1e-3 of the maximum.
    assert np.abs(made - wanted).max() < 2e-3 * wanted.max()
    later = slice(260, None)
    assert np.abs(made[later] / wanted[later] - 1).max() < 1e-3


def test_light_of_earlier_pulses_is_what_wrapping_the_decay_gives():
    photons, tau, period = 1e5, 20.0, 25.6
    long = expected_decay(photons, [1.0], [tau], n_channels=512 * 40)
    wrapped = long.reshape(40, 512).sum(axis=0)
    model = ResponseModel(512, BIN_NS, response()[:512], 1, period_ns=period)
    made, _ = model.evaluate(np.array([np.log(tau), np.log(photons), -20.0, 0.0]))
    assert np.abs(made / wrapped - 1)[230:].max() < 2e-3


@pytest.mark.parametrize("name", ["Lanczos1", "Lanczos2", "Lanczos3"])
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.skipif(not NIST.exists(), reason="the reference data are not here")
def test_nist_certified_values(name, start):
    lines = (NIST / f"{name}.dat").read_text().splitlines()
    rows = [line.split("=")[1] for line in lines if re.match(r"\s*b\d =", line)]
    table = np.array([[float(x) for x in row.split()] for row in rows])
    data = np.array([[np.longdouble(x) for x in line.split()] for line in lines[60:84]])
    first = np.concatenate([-np.log(table[1::2, start]), table[0::2, start]])
    found = fit(TraceModel(data[:, 1], 3), data[:, 0], [first], is_poisson=False)
    rates = np.exp(-found.parameters[:3])
    errors = rates * found.standard_errors()[:3]
    order = np.argsort(rates)
    assert rates[order] == pytest.approx(table[1::2, 2], rel=1e-6)
    assert errors[order] == pytest.approx(table[1::2, 3], rel=1e-5)


def test_time_constants_and_shares_of_the_paper_s_decay():
    """At 1e6 photons the standard errors are 0.03, 0.1 and 0.15 ns: bounds of 4 of them."""
    prepared = decays.prepare(*draw(1e6, 1))
    found = decays.fit_components(prepared, 3)
    assert found.taus() == pytest.approx(TAUS, abs=0.6)
    assert found.taus()[0] == pytest.approx(1.0, rel=0.12)
    shares = found.amplitudes() / found.amplitudes().sum()
    assert shares == pytest.approx(AMPLITUDES, abs=0.03)
    assert goodness(found) > 1e-3


@pytest.mark.parametrize("shift_ps", [-100.0, 50.0, 100.0])
def test_a_shifted_response_moves_the_shift_and_not_the_decay(shift_ps):
    shift_ns = 1e-3 * shift_ps
    decay, irf = draw(1e6, 2, at_ns=10.0 + shift_ns)
    prepared = decays.prepare(decay, irf)
    found = decays.fit_components(prepared, 3)
    assert prepared.shift_ps(found.parameters) == pytest.approx(shift_ps, abs=8.0)
    assert found.taus()[0] == pytest.approx(1.0, rel=0.12)


def photon_by_photon(photons, seed, *, slow_ns, bin_ns, at_ns, fwhm_ns, dark, n_channels=4096):
    """Return a decay of two components and its response, each photon with a delay of its own.

    Of the photons 30 % are of the component of 1 ns; `dark` is the background of the response.
    """
    rng = np.random.default_rng(seed)
    n, edges = rng.poisson(photons), bin_ns * np.arange(n_channels + 1)
    tau = rng.choice([1.0, slow_ns], n, p=[0.3, 0.7])
    times = [(rng.exponential(tau), 0.02), (np.zeros(10**6), dark)]
    return [
        np.histogram(at_ns + rng.normal(t, fwhm_ns / 2.3548), edges)[0]
        + rng.poisson(background, n_channels).astype(float)
        for t, background in times
    ]


@pytest.mark.parametrize("scale", [1.0, 1e-5])
@pytest.mark.parametrize("at_ns", [0.8, 10.0])
def test_a_response_counts_at_any_place_scale_and_background(scale, at_ns):
    """Normalised, only its maximum was seen; early, its background was taken for light.

    The standard errors of 1e5 photons are 1.5 % of 1 ns and 0.7 % of 30 ns: bounds of 4 of them.
    """
    seen, irf = photon_by_photon(
        1e5, 8, slow_ns=30.0, bin_ns=0.05, at_ns=at_ns, fwhm_ns=0.4, dark=10.0
    )
    found = decays.fit_components(decays.prepare(Decay(seen, 0.05), Decay(scale * irf, 0.05)), 2)
    assert found.taus() == pytest.approx([1.0, 30.0], rel=0.06)
    assert found.taus()[1] == pytest.approx(30.0, rel=0.03)
    assert goodness(found) > 1e-3


@pytest.mark.parametrize("photons", [3e3, 1e4, 1e5])
def test_a_response_is_placed_where_channels_are_narrow_and_hold_few_photons(photons):
    """Channels of 4 ps, a response of 50 of them; 3,000 photons are 3 a channel at most."""
    seen, irf = photon_by_photon(
        photons, 9, slow_ns=5.0, bin_ns=0.004, at_ns=2.0, fwhm_ns=0.2, dark=0.02
    )
    prepared = decays.prepare(Decay(seen, 0.004), Decay(irf, 0.004))
    found = decays.fit_components(prepared, 2)
    assert abs(prepared.shift_ps(found.parameters)) < 6.0 * 200.0 / np.sqrt(photons)
    assert found.taus() == pytest.approx([1.0, 5.0], rel=30.0 / np.sqrt(photons))
    assert goodness(found) > 1e-3


@pytest.mark.parametrize(("n", "taus"), [(1, [4.0]), (2, [1.0, 10.0]), (3, TAUS)])
def test_the_number_of_exponentials_is_found(n, taus):
    decay, irf = draw(1e5, 3, np.ones(n) if n < 3 else AMPLITUDES, taus)
    fits = decays.choose_components(decays.prepare(decay, irf))
    assert decays.smallest_bic(fits) == n


def test_intervals_hold_the_truth():
    """Of 20 decays 95 % intervals miss at most 4, but for 1 case in 390 (binomial)."""
    misses = np.zeros(6, int)
    shares = AMPLITUDES / AMPLITUDES.sum()
    for seed in range(20):
        found = decays.fit_components(decays.prepare(*draw(3e4, 100 + seed)), 3)
        for k in range(3):
            low, high = profile_interval(found, tau_of(found.model, k))
            misses[k] += not low <= np.log(TAUS[k]) <= high
            low, high = profile_interval(found, fraction_of(found.model, k))
            misses[3 + k] += not low <= shares[k] <= high
    assert misses.max() <= 4, misses


def test_the_ends_of_an_interval_lie_on_the_contour():
    """Fixing log tau at its end raises the smallest deviance by 3.841."""
    found = decays.fit_components(decays.prepare(*draw(1e5, 4, [1.0], [4.0])), 1)
    low, high = profile_interval(found, tau_of(found.model, 0))
    for end in (low, high):
        held = found.parameters.copy()
        held[0] = end

        class Held:
            n_tau, fixed_tau = 1, ()

            def evaluate(self, free, held=held):
                value, slopes = found.model.evaluate(np.concatenate([held[:1], free]))
                return value, slopes[:, 1:]

        other = fit(Held(), found.data, [held[1:]])
        assert other.deviance - found.deviance == pytest.approx(3.841, abs=0.02)


def test_common_time_constants_are_rejected_where_they_differ():
    same = [decays.fit_components(decays.prepare(*draw(1e5, s)), 3) for s in (5, 6)]
    assert fit_common(same).p_value > 0.01
    decay, irf = draw(1e5, 7, AMPLITUDES, [1.0, 5.0, 24.0])
    other = decays.fit_components(decays.prepare(decay, irf), 3)
    assert fit_common([same[0], other]).p_value < 1e-6


@pytest.mark.parametrize("has_response", [True, False])
def test_light_of_earlier_pulses_does_not_shorten_the_decay(has_response):
    """Pulses every 50 ns, a decay of 5 and 30 ns: without the rate 30 ns become 14."""
    rng = np.random.default_rng(15)
    tau = rng.choice([5.0, 30.0], 10**6, p=[0.4, 0.6])
    times = np.mod(2.0 + rng.exponential(tau) + rng.normal(0, 0.085, tau.size), 50.0)
    edges = BIN_NS * np.arange(1001)
    seen = np.histogram(times, edges)[0].astype(float)
    irf = Decay(np.histogram(rng.normal(2.0, 0.085, 10**6), edges)[0].astype(float), BIN_NS)
    decay = Decay(seen, BIN_NS, period_ns=50.0)
    prepared = decays.prepare(decay, irf if has_response else None)
    found = decays.fit_components(prepared, 2)
    assert found.taus() == pytest.approx([5.0, 30.0], rel=0.1)
    start_ns = 0.0 if has_response else BIN_NS * prepared.window[0] - 2.0
    wanted = np.array([0.4 / 5, 0.6 / 30]) * np.exp(-start_ns / np.array([5.0, 30.0]))
    shares = found.amplitudes() / found.amplitudes().sum()
    assert shares == pytest.approx(wanted / wanted.sum(), abs=0.02)


def test_a_tail_fit_has_the_slow_constants():
    decay, _ = draw(1e6, 9)
    prepared = decays.prepare(decay)
    assert prepared.window[0] > int(np.argmax(decay.counts))
    found = decays.fit_components(prepared, 3)
    assert found.taus()[1:] == pytest.approx(TAUS[1:], rel=0.15)


def test_channels_the_electronics_cannot_fill_are_left_out():
    decay, irf = draw(1e6, 10)
    counts = np.concatenate([np.zeros(200), decay.counts + 5, np.zeros(300)])
    first, end = decays.prepare(Decay(counts, BIN_NS), irf).window
    assert (first, end) == (200, 200 + decay.counts.size)
    # Empty channels of a weak decay are data.
    weak, irf = draw(300, 11)
    assert decays.prepare(weak, irf).window == (0, weak.counts.size)


def test_a_response_of_other_channels_is_an_error():
    decay, irf = draw(1e5, 12)
    with pytest.raises(InputError, match="50 ps wide and 25 ps"):
        decays.prepare(decay, Decay(irf.counts, 0.025))


def test_two_ways_to_the_ends_of_an_interval_agree():
    """Newton's method on the contour, and fits with the quantity held: to a hundredth of it."""
    found = decays.fit_components(decays.prepare(*draw(1e5, 13)), 3)
    for quantity in (tau_of(found.model, 0), fraction_of(found.model, 2)):
        low, high = profile_interval(found, quantity)
        other = [_endpoint_by_fits(found, quantity, 3.841459, sign) for sign in (-1.0, 1.0)]
        assert other == pytest.approx([low, high], abs=0.01 * (high - low))


def test_the_share_of_an_only_component_is_known():
    found = decays.fit_components(decays.prepare(*draw(1e5, 14, [1.0], [4.0])), 1)
    assert profile_interval(found, fraction_of(found.model, 0)) == (1.0, 1.0)


def photons(rng, n, response, delay_ns=0.0):
    """Return a histogram of photons drawn one by one: another forward model."""
    times = response(rng, n) + delay_ns
    if delay_ns:
        component = rng.choice(3, n, p=AMPLITUDES * TAUS / (AMPLITUDES @ TAUS))
        times = times + rng.exponential(TAUS[component])
    return np.histogram(times, bins=4096, range=(0.0, 4096 * BIN_NS))[0].astype(float)


def gaussian(fwhm_ns):
    return lambda rng, n: 10.0125 + fwhm_ns / 2.3548 * rng.standard_normal(n)


def reflected(rng, n):
    """Return times of a response of which 2 % come back 3 ns later."""
    return gaussian(0.2)(rng, n) + np.where(rng.random(n) < 0.02, 3.0, 0.0)


@pytest.mark.parametrize("response", [gaussian(0.02), gaussian(0.1), reflected])
def test_narrow_and_reflected_responses_leave_the_decay_as_it_is(response):
    """At 1e6 photons the standard errors are 1.9, 1.3 and 0.4 %: bounds of 3 of them."""
    rng = np.random.default_rng(15)
    dark = rng.poisson(0.3, 4096)
    irf = Decay(photons(rng, 1_000_000, response) + dark, BIN_NS)
    prepared = decays.prepare(Decay(photons(rng, 1_000_000, response, 0.01), BIN_NS), irf)
    found = decays.fit_components(prepared, 3)
    assert found.taus()[0] == pytest.approx(1.0, rel=0.057)
    assert found.taus()[1:] == pytest.approx(TAUS[1:], rel=0.04)
    assert goodness(found) > 1e-3


def test_a_component_that_ran_away_is_no_fit():
    """Of 500 such decays one had no start of three that led to the minimum: tau_3 of 1e22 ns."""
    rng = np.random.default_rng(1346)
    expected = expected_decay(1e5, AMPLITUDES, TAUS, background=0.5)
    irf = Decay(rng.poisson(response(1e6) + 1.0).astype(float), BIN_NS)
    decay = Decay(rng.poisson(expected).astype(float), BIN_NS)
    found = decays.fit_components(decays.prepare(decay, irf), 3)
    assert found.taus() == pytest.approx(TAUS, rel=0.15)
