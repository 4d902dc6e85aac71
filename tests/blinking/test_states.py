"""On or off: the paper's threshold, one from the noise, and the hidden Markov model."""

import numpy as np
import pytest

from blinkpair.blinking.off_levels import estimate_off_levels, expected_false_events
from blinkpair.blinking.on_fractions import on_fraction
from blinkpair.blinking.states.registry import METHODS
from blinkpair.errors import InputError
from tests.helpers.states import states_by

FRAMES = 20_000
NOISE = 40.0


def telegraph(rng, on_fraction, block=20, frames=FRAMES):
    """States that last whole blocks of frames."""
    blocks = rng.random(frames // block) < on_fraction
    return np.repeat(blocks, block)


def counts(rng, lit, on=500.0, skewness=0.0, offset=0.0):
    if skewness:
        shape = 4 / skewness**2
        noise = (rng.gamma(shape, size=lit.shape) - shape) / np.sqrt(shape)
    else:
        noise = rng.normal(size=lit.shape)
    shot = rng.normal(size=lit.shape) * np.sqrt(2 * on * lit)
    return (offset + on * lit + NOISE * noise + shot).astype(np.float32)


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


# ---- the threshold from the noise ------------------------------------------------------


@pytest.mark.parametrize("skewness", [0.0, 0.4])
@pytest.mark.parametrize("offset", [-30.0, 0.0, 50.0])
def test_off_levels_come_back_from_nearly_off_to_nearly_on(skewness, offset):
    rng = np.random.default_rng(1)
    fractions = [0.0, 0.001, 0.05, 0.3, 0.6, 0.9, 0.98, *[0.0] * 13]
    lit = np.stack([telegraph(rng, f) for f in fractions])
    off = estimate_off_levels(counts(rng, lit, skewness=skewness, offset=offset))
    assert (off.source == "own").all()
    # 2 % of off frames are 400: half of them give the spread to 1 / sqrt(2 x 200) = 5 %, the
    # level to sigma / sqrt(400) and the peak's own uncertainty, some three times that.
    np.testing.assert_allclose(off.noise_counts, NOISE, rtol=0.2)
    np.testing.assert_allclose(off.level_counts, offset, atol=8)
    # One trace gives the skewness to about 0.2, the median of 17 of them to 0.06.
    assert off.skewness == pytest.approx(skewness, abs=0.18)


@pytest.mark.parametrize("skewness", [0.0, 0.5])
def test_skewed_noise_makes_no_more_false_events(skewness):
    rng = np.random.default_rng(2)
    lit = np.stack([telegraph(rng, f) for f in [0.0] * 9 + [0.1, 0.3, 0.5]])
    threshold = states_by("noise", counts(rng, lit, skewness=skewness)).thresholds_counts
    dark = counts(rng, np.zeros(2_000_000), skewness=skewness)
    # 4 sigma of normal noise is 3.2e-5: 63 frames of two million. Thresholds from the lower
    # spread without regard to the skewness let through fifty times as many at 0.5.
    false = [(dark > t).sum() for t in threshold]
    assert np.median(false) < 250
    assert max(false) < 630


def test_never_off_takes_the_off_level_of_the_field():
    rng = np.random.default_rng(3)
    lit = np.stack([telegraph(rng, f) for f in (0.2, 0.5, 0.7)] + [np.ones(FRAMES)])
    assigned = states_by("noise", counts(rng, lit))
    assert assigned.source.tolist() == ["own", "own", "own", "field"]
    assert assigned.thresholds_counts[3] == pytest.approx(160, abs=10)
    assert assigned.states[3].mean() > 0.999


@pytest.mark.parametrize("method", METHODS)
def test_nobody_off_leaves_the_fixed_threshold(method):
    rng = np.random.default_rng(4)
    traces = counts(rng, np.ones((2, FRAMES)))
    assigned = states_by(method, traces, counts=120.0)
    assert assigned.source.tolist() == ["fixed", "fixed"]
    np.testing.assert_array_equal(assigned.thresholds_counts, 120.0)


@pytest.mark.parametrize("gain", [0.2, 5.0])
def test_gain_does_not_matter_to_the_threshold_from_noise(gain):
    rng = np.random.default_rng(5)
    lit = np.stack([telegraph(rng, f) for f in (0.2, 0.5, 0.8)])
    traces = counts(rng, lit)
    before = states_by("noise", traces).states
    after = states_by("noise", traces * np.float32(gain)).states
    assert (before != after).mean() < 1e-4
    fixed = states_by("fixed", traces * np.float32(gain)).states
    assert (fixed != lit).mean() > 0.05  # and it does to the fixed one


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
    assert best <= min(wrong["fixed"], wrong["noise"])


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
    assert assigned.source.tolist() == ["own", "field", "hmm"]
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


# ---- what two levels do not describe, and what lies near the noise -----------------------


def test_on_frames_near_the_off_level_are_no_skewness():
    rng = np.random.default_rng(21)
    lit = np.stack([telegraph(rng, f) for f in np.linspace(0.3, 0.6, 12)])
    # On is 3.75 times the noise: frames above the off peak are on, not the tail of the noise.
    off = estimate_off_levels(counts(rng, lit, on=150.0))
    assert off.skewness < 0.3  # 12 traces give it to 0.1; on frames taken for a tail give 1.5
    np.testing.assert_allclose(off.noise_counts, NOISE, rtol=0.25)
    # Taken for a tail they would put the threshold above every on frame.
    assert off.upper_quantile(4.0).max() < 260


def test_the_model_sees_an_on_level_below_the_threshold():
    rng = np.random.default_rng(22)
    lit = np.stack([telegraph(rng, f) for f in [0.0] * 6 + [0.2, 0.4, 0.6]])
    traces = counts(rng, lit, on=150.0)  # the threshold lies at 160
    model = states_by("hmm", traces)
    np.testing.assert_allclose(on_fraction(model.states), lit.mean(axis=1), atol=0.02)
    assert (model.source[:6] == "own").all()  # nothing is made of noise alone


def test_the_model_needs_no_frame_above_the_threshold():
    rng = np.random.default_rng(24)
    lit = np.stack([telegraph(rng, f) for f in [0.0] * 6 + [0.2, 0.4, 0.6]])
    traces = counts(rng, lit, on=180.0)
    high = states_by("noise", traces, noise_sigmas=12.0)
    assert high.states.sum() == 0
    model = states_by("hmm", traces, noise_sigmas=12.0)
    np.testing.assert_allclose(on_fraction(model.states), lit.mean(axis=1), atol=0.02)


@pytest.mark.parametrize("level", [0.4, 0.7])
def test_a_level_in_between_is_not_called_off(level):
    rng = np.random.default_rng(23)
    others = np.stack([telegraph(rng, f) for f in np.linspace(0.1, 0.6, 8)]).astype(float)
    dims = np.ones((1, FRAMES))
    dims[0, FRAMES // 2 :] = level
    grey = rng.choice([0.0, level, 1.0], (1, FRAMES // 40)).repeat(40, axis=1)
    traces = counts(rng, np.vstack([others, dims, grey]))
    assigned = states_by("hmm", traces)
    truth = np.vstack([others, dims, grey]) > 0
    assert (assigned.source[:8] == "hmm").all()
    # 200 counts are a noise and a half of theirs above the threshold of 160: one in fourteen of
    # their frames is below. The model's middle is 250: it would call all of them off.
    np.testing.assert_allclose(on_fraction(assigned.states), truth.mean(axis=1), atol=0.1)
    if level < 0.5:
        assert (assigned.source[8:] != "hmm").all()


def test_a_frame_that_was_not_measured_counts_neither_way():
    counts_seen = np.array([[500, np.nan, 0, 500], [np.nan] * 4], dtype=np.float32)
    fractions = on_fraction(counts_seen > 100, counts_seen)
    assert fractions[0] == pytest.approx(2 / 3)
    assert np.isnan(fractions[1])
