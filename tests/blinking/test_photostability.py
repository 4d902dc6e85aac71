"""Photostability within a movie: what changes is found, what merely blinks is left alone."""

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats

from blinkpair.blinking.photostability import classify_trajectories, integrated_pl, kept_fraction
from blinkpair.blinking.trend_tests import merge_short, off_fraction_trend, order_correlation, runs
from blinkpair.errors import InputError
from blinkpair.simulate.blinking import DwellLaw, on_time_per_frame

FRAMES = 20_000
EXPOSURE_S = 0.02
TIME = (np.arange(FRAMES) + 0.5) / FRAMES


def measured(rng, lit, noise=40.0):
    """Counts, 500 when on, with the shot noise of an EMCCD; states by the paper's threshold."""
    signal = 500.0 * lit
    spread = np.sqrt(noise**2 + 2 * np.maximum(signal, 0))
    counts = (signal + spread * rng.normal(size=signal.shape)).astype(np.float32)
    return counts, counts > 100.0


def power_law(rng, alpha, n, shortest=2.0, longest=500.0):
    a = 1.0 - alpha
    u = rng.random(n)
    return (shortest**a + u * (longest**a - shortest**a)) ** (1 / a)


def alternating(rng, off_growth=1.0, on_growth=1.0, alpha_on=1.8, alpha_off=1.6):
    """States of whole frames; durations grow linearly, to so many times those of the start."""
    n = FRAMES // 4
    on, off = power_law(rng, alpha_on, n), power_law(rng, alpha_off, n)
    t, durations = 0.0, []
    for a, b in zip(on, off, strict=True):
        x = min(t / FRAMES, 1.0)
        pair = max(round(a * (1 + (on_growth - 1) * x)), 1), round(b * (1 + (off_growth - 1) * x))
        durations += pair
        t += sum(pair)
        if t >= FRAMES:
            break
    states = np.arange(len(durations)) % 2 == 0
    return np.repeat(states, durations)[:FRAMES]


def classified(counts, states, **settings):
    return classify_trajectories(counts, states, exposure_s=EXPOSURE_S, **settings)


@pytest.fixture(scope="module")
def stationary():
    """Blinkers that do not change: power laws from a quarter of a frame to the whole movie."""
    rng = np.random.default_rng(1)
    lit = np.stack(
        [
            on_time_per_frame(
                rng,
                DwellLaw(alpha_on, 0.005, 400.0),
                DwellLaw(alpha_off, 0.005, 400.0),
                frames=FRAMES,
                exposure_s=EXPOSURE_S,
            )
            for alpha_on in (1.4, 1.8)
            for alpha_off in (1.3, 1.6, 2.0)
            for _ in range(45)
        ]
    )
    return measured(rng, lit)


# ---- nothing changes -------------------------------------------------------------------


def test_blinkers_that_do_not_change_are_called_stable(stationary):
    table = classified(*stationary)
    called = ~table["photostability"].isin(["stable", "not_tested"])
    n = len(table)
    assert called.sum() <= stats.binom.ppf(0.999, n, 0.05)
    for name in ("p_off_fraction", "p_on_level"):
        tested = table[name].dropna()
        assert len(tested) > 0.6 * n
        assert (tested <= 0.025).sum() <= stats.binom.ppf(0.999, len(tested), 0.025)


def test_a_t_test_of_the_halves_calls_half_of_them_unstable(stationary):
    seconds = stationary[1].reshape(-1, 400, 50).mean(axis=2)
    first, second = seconds[:, :200], seconds[:, 200:]
    error = np.sqrt((first.var(axis=1, ddof=1) + second.var(axis=1, ddof=1)) / 200)
    assert np.mean(np.abs(first.mean(axis=1) - second.mean(axis=1)) > 1.96 * error) > 0.4


def test_false_events_are_no_trend_because_single_frames_are_merged(stationary):
    # The noise puts 1 off frame in 160 above the threshold, in pieces side by side.
    frame = np.arange(FRAMES)
    trends = [off_fraction_trend(on, frame, FRAMES, short_frames=0) for on in stationary[1]]
    p = np.array([trend.p_value for trend in trends])
    assert np.mean(p[np.isfinite(p)] <= 0.025) > 0.1


@pytest.mark.parametrize("n", [10, 20, 39])
@pytest.mark.parametrize("tail", ["exponential", "lognormal"])
def test_p_values_over_all_orders_are_uniform(n, tail):
    rng = np.random.default_rng(n)
    first, second = rng.normal(size=(2, n))
    scale = {"exponential": 1.0, "lognormal": 0.3}[tail]
    score = np.sign(first) * np.abs(second) if tail == "exponential" else np.exp(scale * first)
    p = np.array([order_correlation(rng.permutation(score))[0] for _ in range(4000)])
    # Kolmogorov's 0.1 % point is 1.95 / sqrt(4000) = 0.031; Student's tail is not quite exact.
    assert stats.kstest(p, "uniform").statistic < 0.04
    assert (p <= 0.025).sum() <= stats.binom.ppf(0.999, 4000, 0.025)


def test_a_memory_of_neighbouring_events_is_no_trend():
    rng = np.random.default_rng(3)
    p = []
    for _ in range(300):
        score = rng.normal(size=(2, 400))
        for k in range(1, 400):
            score[:, k] = 0.4 * score[:, k - 1] + np.sqrt(0.84) * score[:, k]
        pairs = np.ceil(2.0 * stats.norm.sf(score) ** -1.0).clip(2, 200).astype(int)
        durations = pairs.T.ravel()
        on = np.repeat(np.arange(durations.size) % 2 == 0, durations)
        p.append(off_fraction_trend(on, np.arange(on.size), on.size).p_value)
    # Cycles taken one by one would give 17 % (the variance grows by 1.4 / 0.6).
    assert (np.array(p) <= 0.05).sum() <= stats.binom.ppf(0.999, 300, 0.05)


def test_an_event_that_the_window_cuts_has_no_effect():
    rng = np.random.default_rng(19)
    inner = alternating(rng)
    inner = inner[np.flatnonzero(~inner)[0] : np.flatnonzero(inner)[-1] + 1]
    p = []
    for first, last in ((5, 5), (5, 5000), (5000, 5)):
        states = np.concatenate([np.ones(first, bool), inner, np.zeros(last, bool)])
        p.append(off_fraction_trend(states, np.arange(states.size), states.size).p_value)
    assert p[0] == p[1] == p[2]


def test_an_on_level_that_fluctuates_for_seconds_is_no_trend():
    rng = np.random.default_rng(4)
    steps = rng.normal(size=(200, 400))
    course = np.empty_like(steps)  # memory of 4 s, in values a second
    course[:, 0] = steps[:, 0]
    keep = np.exp(-1 / 4.0)
    for k in range(1, 400):
        course[:, k] = keep * course[:, k - 1] + np.sqrt(1 - keep**2) * steps[:, k]
    lit = np.repeat(1 + 0.05 * course, FRAMES // 400, axis=1)
    table = classified(*measured(rng, lit))
    assert table["p_off_fraction"].isna().all()  # never off
    assert (table["p_on_level"] <= 0.025).sum() <= stats.binom.ppf(0.999, 200, 0.025)


# ---- something changes -----------------------------------------------------------------


def test_off_events_that_lengthen_are_going_dark():
    rng = np.random.default_rng(5)
    lit = np.stack([alternating(rng, off_growth=4.0) for _ in range(60)]).astype(float)
    kind = classified(*measured(rng, lit))["photostability"]
    assert (kind == "going_dark").mean() > 0.7  # 86 % of 400
    assert not (kind == "brightening").any()


def test_on_events_that_shorten_are_going_dark_and_that_lengthen_brightening():
    rng = np.random.default_rng(6)
    lit = np.stack([alternating(rng, on_growth=0.25) for _ in range(40)]).astype(float)
    forward = classified(*measured(rng, lit))
    backward = classified(*measured(rng, lit[:, ::-1]))
    assert (forward["photostability"] == "going_dark").mean() > 0.6
    assert (backward["photostability"] == "brightening").mean() > 0.6


def test_time_reversal_turns_the_sign():
    rng = np.random.default_rng(7)
    lit = np.stack([alternating(rng, off_growth=3.0) for _ in range(20)]).astype(float)
    lit *= 1 + 0.2 * TIME
    counts, states = measured(rng, lit)
    forward = classified(counts, states)
    backward = classified(counts[:, ::-1], states[:, ::-1])
    np.testing.assert_allclose(
        forward["off_fraction_change"], -backward["off_fraction_change"], atol=1e-9
    )
    # (end - start) / start becomes (start - end) / end; what is left over for the last block
    # differs by less than a frame in 200.
    np.testing.assert_allclose(
        1 + forward["on_level_change"], 1 / (1 + backward["on_level_change"]), rtol=0.01
    )


@pytest.mark.parametrize(
    ("change", "kind"), [(0.2, "brightening"), (0.4, "brightening"), (-0.2, "dimming")]
)
def test_an_on_level_that_changes_is_found_and_measured(change, kind):
    rng = np.random.default_rng(8)
    lit = np.stack([alternating(rng) for _ in range(20)]) * (1 + change * TIME)
    table = classified(*measured(rng, lit))
    assert (table["photostability"] == kind).mean() >= 0.9
    # 500 frames a block at 10 % noise, 40 blocks: a line's end is good to 0.002.
    np.testing.assert_allclose(table["on_level_change"], change, atol=0.02)


def test_a_small_change_is_stable_however_significant():
    rng = np.random.default_rng(9)
    lit = np.tile(1 + 0.06 * TIME, (5, 1))
    table = classified(*measured(rng, lit))
    assert (table["p_on_level"] < 1e-4).all()
    assert (table["photostability"] == "stable").all()
    assert (classified(*measured(rng, lit), min_change=0.03)["photostability"] != "stable").all()


def test_each_of_the_two_tests_has_half_of_the_significance():
    rng = np.random.default_rng(20)
    lit = np.stack([alternating(rng, off_growth=4.0) for _ in range(10)]).astype(float)
    counts, states = measured(rng, lit)
    table = classified(counts, states)
    k = int(table["p_off_fraction"].where(table["off_fraction_change"] > 0.1).idxmin())
    p = table["p_off_fraction"][k]
    one = counts[k : k + 1], states[k : k + 1]
    assert classified(*one, significance=2.01 * p)["photostability"][0] == "going_dark"
    assert classified(*one, significance=1.99 * p)["photostability"][0] == "stable"


def test_where_both_are_significant_the_smaller_p_decides():
    rng = np.random.default_rng(10)
    lit = np.stack([alternating(rng, off_growth=6.0) for _ in range(40)]) * (1 + 0.3 * TIME)
    table = classified(*measured(rng, lit))
    both = (table["p_on_level"] <= 0.025) & (table["p_off_fraction"] <= 0.025)
    both &= (table["on_level_change"] >= 0.1) & (table["off_fraction_change"] >= 0.1)
    by_level = table["p_on_level"] < table["p_off_fraction"]
    assert 0 < by_level[both].sum() < both.sum()
    expected = np.where(by_level, "brightening", "going_dark")
    assert (table["photostability"][both] == expected[both]).all()


def test_the_off_fractions_line_is_that_of_the_frames():
    rng = np.random.default_rng(11)
    states = rng.random((1, FRAMES)) > 0.2 + 0.6 * TIME
    change = classified(states.astype(np.float32), states)["off_fraction_change"][0]
    # A slope's standard error is 0.5 sqrt(12 / frames) = 0.012.
    assert change == pytest.approx(0.6, abs=0.04)
    half = np.tile(TIME < 0.5, (1, 1))  # a line through a step overshoots: cut at 1
    assert classified(half.astype(np.float32), half)["off_fraction_change"][0] == 1.0


# ---- what cannot be known --------------------------------------------------------------


def test_a_single_step_to_dark_is_left_to_the_column_that_states_it():
    rng = np.random.default_rng(12)
    lit = np.stack([alternating(rng) for _ in range(30)]).astype(float)
    lit[:, FRAMES // 2 :] = 0.0
    table = classified(*measured(rng, lit, noise=20.0))
    assert (table["dark_at_end_s"] >= 199.9).all()
    assert (table["photostability"] == "going_dark").sum() <= stats.binom.ppf(0.999, 30, 0.05)


def test_always_on_has_a_level_to_test_and_always_off_nothing():
    rng = np.random.default_rng(13)
    lit = np.stack([np.ones(FRAMES), np.zeros(FRAMES)])
    table = classified(*measured(rng, lit, noise=20.0))
    assert table["photostability"].tolist() == ["stable", "not_tested"]
    assert table["p_off_fraction"].isna().all()
    assert table["p_on_level"].isna().tolist() == [False, True]
    assert table["dark_at_end_s"].tolist() == [0.0, pytest.approx(400.0)]


def test_dark_at_the_end_looks_through_single_frames():
    states = np.zeros((3, 1000), dtype=bool)
    states[:, 100:500] = True
    states[1, 700] = True  # noise
    states[2, -1] = True  # on in the last frame
    table = classified(states.astype(np.float32), states)
    np.testing.assert_allclose(table["dark_at_end_s"], [10.0, 10.0, 0.0])


# ---- a row depends on its own trace only ---------------------------------------------------------


def test_rows_do_not_depend_on_the_others_nor_on_the_gain(stationary):
    counts, states = (a[::20] for a in stationary)
    table = classified(counts, states)
    order = np.random.default_rng(14).permutation(len(table))
    shuffled = classified(counts[order], states[order])
    assert_frame_equal(shuffled, table.iloc[order].reset_index(drop=True), check_exact=True)
    assert_frame_equal(classified(8 * counts, states), table, check_exact=True)


def test_frames_that_are_missing_are_passed_over():
    rng = np.random.default_rng(15)
    counts, states = measured(rng, np.tile(alternating(rng), (3, 1)).astype(float))
    gappy, dark = counts.copy(), states.copy()
    gappy[0, ::50] = np.nan  # here and there
    gappy[1, -2000:] = np.nan  # the end
    gappy[2] = np.nan
    dark[np.isnan(gappy)] = False
    full, table = classified(counts, states), classified(gappy, dark)
    names = ["on_level_change", "off_fraction_change"]
    np.testing.assert_allclose(table.loc[0, names].tolist(), full.loc[0, names].tolist(), atol=0.03)
    assert table["dark_at_end_s"][1] < 10.0  # forty seconds are missing, not dark
    assert table["photostability"][2] == "not_tested"
    assert table.iloc[2, 1:].isna().all()


def test_merging_keeps_the_frames_and_the_alternation():
    states = np.array([1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1], dtype=bool)
    duration, on = merge_short(*runs(states), state=True)
    assert duration.tolist() == [7, 2, 1, 3]
    assert on.tolist() == [False, True, False, True]
    duration, on = merge_short(duration, on, state=False)
    assert duration.tolist() == [7, 6]
    assert on.tolist() == [False, True]


@pytest.mark.parametrize("shape", [(0, 100), (2, 0), (2, 1), (2, 5)])
def test_next_to_nothing_is_no_error(shape):
    zeros = np.zeros(shape, dtype=np.float32)
    table = classified(zeros, zeros > 100)
    assert (table["photostability"] == "not_tested").all()
    assert len(table) == len(kept_fraction(zeros, exposure_s=EXPOSURE_S)) == shape[0]
    assert integrated_pl(zeros, exposure_s=EXPOSURE_S).shape[1] == 2


def test_wrong_input_is_named():
    counts = np.zeros((2, 100), np.float32)
    with pytest.raises(InputError, match="states is float32"):
        classified(counts, counts)
    with pytest.raises(InputError, match="significance is 0"):
        classified(counts, counts > 0, significance=0)
    with pytest.raises(InputError, match="1 dimensions"):
        integrated_pl(counts[0], exposure_s=EXPOSURE_S)
    with pytest.raises(InputError, match="exposure_s is 0"):
        kept_fraction(counts, exposure_s=0)
