"""On or off: the paper's threshold, one from the noise, and the hidden Markov model."""

import numpy as np
import pytest

from blinkpair.blinking.off_levels import estimate_off_levels, expected_false_events
from blinkpair.blinking.on_fractions import on_fraction
from blinkpair.blinking.states.hmm import UNKNOWN_SE
from blinkpair.blinking.states.registry import METHODS
from blinkpair.errors import InputError
from tests.helpers.states import NOISE, counts, empty_counts, states_by, telegraph

FRAMES = 20_000


# ---- the fixed threshold ---------------------------------------------------------------


def test_the_papers_threshold_is_above_and_not_at_100_counts():
    traces = np.array([[99.9, 100.0, 100.1, -5.0]], dtype=np.float32)
    states, thresholds, *_ = states_by("fixed", traces)
    assert states.tolist() == [[False, False, True, False]]
    assert thresholds.tolist() == [100.0]
    np.testing.assert_array_equal(on_fraction(states), [0.25])


def test_a_missing_frame_is_off():
    traces = np.array([[np.nan, 500.0]], dtype=np.float32)
    assert states_by("fixed", traces).states.tolist() == [[False, True]]


# ---- what is known of off --------------------------------------------------------------


@pytest.mark.parametrize(("made_by_light", "power"), [(False, 1.0), (True, 0.5)])
def test_how_noise_goes_with_the_light_is_seen_in_the_empty_places(made_by_light, power):
    light = np.linspace(1.33, 0.67, 2000)
    empty = empty_counts(20) * (np.sqrt(light) if made_by_light else 1.0)
    # 40,000 logarithms of squares, which scatter by 2.2, and light whose logarithm does by 0.2:
    # half of 2.2 / (0.2 x 200) is 0.03.
    assert estimate_off_levels(empty).noise_power(light) == pytest.approx(power, abs=0.09)


@pytest.mark.parametrize("skewness", [0.0, 0.4])
@pytest.mark.parametrize("offset", [-30.0, 0.0, 50.0])
def test_off_levels_are_those_of_the_empty_places(skewness, offset):
    off = estimate_off_levels(empty_counts(20, skewness=skewness, offset=offset))
    # 2,000 frames give the noise to 1 / sqrt(4000) = 1.6 %, the level to 40 / sqrt(2000) x 1.25 =
    # 1.1 counts: three and a half standard errors.
    np.testing.assert_allclose(off.noise_counts, NOISE, rtol=0.06)
    np.testing.assert_allclose(off.level_counts, offset, atol=4)
    # One place gives the skewness to sqrt(6 / 2000) = 0.055, the median of 20 to 0.015.
    assert off.skewness == pytest.approx(skewness, abs=0.06)


def test_an_emitter_at_an_empty_place_does_not_count():
    empty = empty_counts(20)
    rng = np.random.default_rng(3)
    empty[4] += 400 * (rng.random(2000) < 0.4)
    empty[5] += 60  # on throughout
    empty[6] = np.nan  # no empty place
    off = estimate_off_levels(empty)
    np.testing.assert_allclose(off.noise_counts, NOISE, rtol=0.06)
    np.testing.assert_allclose(off.level_counts, 0.0, atol=4)
    assert len(off.empty) == 17


def test_never_off_is_on():
    rng = np.random.default_rng(3)
    lit = np.ones((3, 2000))
    # 500, 250 and 160 counts throughout: no frame is off, and the field has nobody to compare with.
    traces = np.vstack([counts(rng, lit[[0]], on=on) for on in (500.0, 250.0, 160.0)])
    assigned = states_by("hmm", traces)
    np.testing.assert_allclose(assigned.on_fractions, 1.0, atol=0.01)
    assert assigned.states.mean() > 0.99


@pytest.mark.parametrize("skewness", [0.0, 0.5])
def test_noise_alone_is_off(skewness):
    rng = np.random.default_rng(4)
    traces = counts(rng, np.zeros((30, 2000)), skewness=skewness)
    assigned = states_by("hmm", traces, empty_counts(30, skewness=skewness))
    assert assigned.on_fractions.max() < 0.005
    assert assigned.on_fractions_se.max() < 0.005


def test_without_an_empty_place_the_fixed_threshold_is_left_and_nothing_is_known():
    rng = np.random.default_rng(4)
    traces = counts(rng, np.ones((2, FRAMES)))
    assigned = states_by("hmm", traces, np.full((2, 100), np.nan, np.float32), counts=120.0)
    assert assigned.source.tolist() == ["fixed", "fixed"]
    np.testing.assert_array_equal(assigned.thresholds_counts, 120.0)
    assert (assigned.on_fractions_se == UNKNOWN_SE).all()


@pytest.mark.parametrize("gain", [0.2, 5.0])
def test_gain_does_not_matter_to_the_model(gain):
    rng = np.random.default_rng(5)
    lit = np.stack([telegraph(rng, f) for f in (0.2, 0.5, 0.8)])
    traces, empty = counts(rng, lit), empty_counts(3)
    before = states_by("hmm", traces, empty).states
    after = states_by("hmm", traces * np.float32(gain), empty * np.float32(gain)).states
    assert (before != after).mean() < 1e-4
    fixed = states_by("fixed", traces * np.float32(gain)).states
    assert (fixed != lit).mean() > 0.05  # and it does to the fixed threshold


# ---- the hidden Markov model -----------------------------------------------------------


def test_the_model_finds_dim_states_a_threshold_cannot():
    rng = np.random.default_rng(6)
    lit = np.stack([telegraph(rng, f, frames=4000) for f in (0.2, 0.5, 0.8)])
    traces = counts(rng, lit.astype(float), on=160.0)  # four times the noise
    wrong = {m: (states_by(m, traces).states != lit).mean() for m in METHODS}
    # With levels 4 noises apart, the best of all thresholds errs in 3 % of frames (measured over
    # all of them); neighbours add information: the model errs in 0.1 %.
    best = min(((traces > t) != lit).mean() for t in range(40, 150, 5))
    assert best > 0.02
    assert wrong["hmm"] < 0.2 * best
    assert best <= wrong["fixed"]


def test_the_model_keeps_short_events():
    rng = np.random.default_rng(7)
    lit = np.zeros((2, 4000))
    lit[:, 100:3900:20] = 1.0  # single frames, 190 of them
    lit[1] = 1.0 - lit[1]
    # with the second trace's own off frames too few to see, neighbours must help
    others = np.stack([telegraph(rng, 0.5, frames=4000)] * 2)
    assigned = states_by("hmm", counts(rng, np.vstack([lit, others])))
    assert (assigned.states[:2] != lit.astype(bool)).sum() <= 4


def test_the_model_leaves_one_state_alone():
    rng = np.random.default_rng(8)
    lit = np.stack([np.zeros(4000), np.ones(4000), telegraph(rng, 0.4, frames=4000)])
    traces = counts(rng, lit.astype(float))
    assigned = states_by("hmm", traces)
    np.testing.assert_allclose(on_fraction(assigned.states), lit.mean(axis=1), atol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_states_are_the_same_every_time(method):
    rng = np.random.default_rng(9)
    traces = counts(rng, np.stack([telegraph(rng, 0.4, frames=4000)] * 2).astype(float))
    first, second = states_by(method, traces), states_by(method, traces)
    assert first.states.tobytes() == second.states.tobytes()
    assert first.thresholds_counts.tobytes() == second.thresholds_counts.tobytes()


# ---- false events ----------------------------------------------------------------------


@pytest.mark.parametrize("skewness", [0.0, 0.6])
def test_false_events_are_as_many_as_noise_makes(skewness):
    rng = np.random.default_rng(10)
    n = 1_000_000
    on = counts(rng, np.zeros(n), skewness=skewness) > 100.0
    single = on[1:-1] & ~on[:-2] & ~on[2:]
    expected = float(expected_false_events(NOISE, 100.0, n, skewness=skewness))
    assert single.sum() == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_false_events_scale_with_the_off_frames_and_fade_with_the_threshold():
    few = expected_false_events([NOISE, NOISE], [100.0, 160.0], FRAMES, off_fraction=0.5)
    all_off = expected_false_events([NOISE, NOISE], [100.0, 160.0], FRAMES)
    np.testing.assert_allclose(all_off, 2 * few)
    assert all_off[0] == pytest.approx(FRAMES * 0.00621 * 0.99379**2, rel=1e-3)  # 2.5 sigma
    assert all_off[1] < 1
    assert float(expected_false_events(0.0, 100.0, FRAMES)) == 0.0
    assert np.isnan(expected_false_events(np.nan, 100.0, FRAMES))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(0, 100), (2, 0), (2, 5)])
def test_next_to_nothing_is_no_error(method, shape):
    assigned = states_by(method, np.zeros(shape, dtype=np.float32))
    assert assigned.states.shape == shape
    assert on_fraction(assigned.states).shape == shape[:1]


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="'best'"):
        states_by("best", np.zeros((1, 5)))


def test_what_a_nanocrystal_emits_when_off_is_not_on():
    rng = np.random.default_rng(27)
    lit = np.stack([telegraph(rng, f, frames=4000) for f in (0.0, 0.2, 0.5, 0.8)]).astype(float)
    traces = counts(rng, np.maximum(lit, 0.02), on=1000.0)
    assigned = states_by("hmm", traces)
    np.testing.assert_allclose(assigned.on_fractions, lit.mean(axis=1), atol=0.005)


@pytest.mark.parametrize("on", [150.0, 110.0])
def test_the_model_sees_on_levels_near_the_noise(on):
    rng = np.random.default_rng(22)
    lit = np.stack([telegraph(rng, f) for f in [0.0] * 6 + [0.2, 0.4, 0.6]])
    model = states_by("hmm", counts(rng, lit, on=on))
    np.testing.assert_allclose(model.on_fractions, lit.mean(axis=1), atol=0.02)
    assert (model.on_fractions_se[6:] < 0.01).all()
    # Where on is 2.75 noises, one that shows no on level may have one that is a little nearer.
    unknown = model.on_fractions_se[:6] == UNKNOWN_SE
    assert unknown.all() if on < 3.0 * NOISE else not unknown.any()


def test_levels_that_cannot_be_distinguished_have_a_standard_error_that_shows_it():
    rng = np.random.default_rng(28)
    lit = np.stack([telegraph(rng, f, block=3, frames=2000) for f in (0.3, 0.5, 0.7)])
    model = states_by("hmm", counts(rng, lit, on=50.0))  # 1.25 noises
    assert (model.on_fractions_se == UNKNOWN_SE).all()


def test_a_frame_that_was_not_measured_counts_neither_way():
    counts_seen = np.array([[500, np.nan, 0, 500], [np.nan] * 4], dtype=np.float32)
    fractions = on_fraction(counts_seen > 100, counts_seen)
    assert fractions[0] == pytest.approx(2 / 3)
    assert np.isnan(fractions[1])
    rng = np.random.default_rng(29)
    lit = telegraph(rng, 0.5, frames=4000)[None]
    traces = counts(rng, lit)
    traces[0, 1000:3000] = np.nan
    model = states_by("hmm", traces)
    seen = np.r_[0:1000, 3000:4000]
    assert model.on_fractions[0] == pytest.approx(lit[0, seen].mean(), abs=0.002)
    assert not model.states[0, 1000:3000].any()
