"""Frames in which all nanocrystals are off together are no blinking."""

import numpy as np
import pytest

from blinkpair.blinking.all_off import MAX_SHARE, all_off_frames
from blinkpair.blinking.equal_length import equal_length_columns
from tests.blinking.test_field import analyse

FRAMES = 4_000
EPOCHS = ("pre", "post")


def blinking(rng, n, *, mean_on=20.0, mean_off=30.0):
    """Return states that switch with exponential dwell times, in frames."""
    on = np.zeros((n, FRAMES), bool)
    for row in on:
        durations = (
            rng.exponential([mean_on, mean_off], (FRAMES, 2)).ravel().round().astype(int) + 1
        )
        start = rng.integers(0, 200)
        row[:] = np.repeat(np.arange(2 * FRAMES) % 2 == 0, durations)[start : start + FRAMES]
    return on


@pytest.mark.parametrize(("first", "last"), [(1000, 1030), (0, 500), (3500, FRAMES), (2000, 2001)])
def test_frames_without_light_are_found_with_one_on_either_side(first, last):
    on = blinking(np.random.default_rng(1), 40)
    on[:, first:last] = False
    found = np.flatnonzero(all_off_frames(on))
    assert found[0] == max(first - 1, 0)
    assert found[-1] == min(last, FRAMES - 1)
    assert len(found) == found[-1] - found[0] + 1


def test_noise_in_the_dark_and_one_that_stays_on_do_not_hide_it():
    rng = np.random.default_rng(2)
    on = blinking(rng, 80)
    on[:, 1000:3000] = rng.random((80, 2000)) < 0.001  # two of 80 at once in 0.3 % of the frames
    found = all_off_frames(on)
    assert found[1000:3000].mean() > 0.99
    assert found[:999].sum() + found[3001:].sum() == 0


@pytest.mark.parametrize("n", [10, 20])
def test_few_that_blink_fast_are_known_by_how_long_all_stay_off(n):
    on = blinking(np.random.default_rng(7), n, mean_on=12.0, mean_off=12.0)
    on[:, 200:500] = False  # 25 times as long as they are off
    found = np.flatnonzero(all_off_frames(on))
    assert 196 <= found[0] <= 200
    assert 499 <= found[-1] <= 503
    assert len(found) == found[-1] - found[0] + 1


@pytest.mark.parametrize("seed", range(4))
def test_blinking_and_bleaching_are_not_the_light(seed):
    rng = np.random.default_rng(seed)
    # Dim fields, fast ones, slow ones, those that all bleach, and one nanocrystal alone.
    assert not all_off_frames(blinking(rng, 30, mean_on=2.0, mean_off=30.0)).any()
    assert not all_off_frames(blinking(rng, 30, mean_on=1.5, mean_off=1.5)).any()
    assert not all_off_frames(blinking(rng, 8, mean_on=300.0, mean_off=300.0)).any()
    bleaching = blinking(rng, 60)
    bleaching &= np.arange(FRAMES) < rng.exponential(600.0, (60, 1))
    assert not all_off_frames(bleaching).any()
    assert not all_off_frames(np.arange(FRAMES)[None] < 2000).any()


def film(dark, *, seed=3, n=30):
    """Return counts of two movies; in the `dark` frames of the second there is no light."""
    rng = np.random.default_rng(seed)
    lit = blinking(rng, n).astype(float)
    counts = {}
    for epoch in EPOCHS:
        shown = lit.copy()
        if epoch == "post":
            shown[:, dark] = 0.0
        shot = np.sqrt(1000 * shown) * rng.normal(size=shown.shape)
        counts[epoch] = (500 * shown + 40 * rng.normal(size=shown.shape) + shot).astype("f4")
    return counts, lit


@pytest.fixture(scope="module")
def gap():
    """What is found of a movie without light in 300 frames, its counts, and which are on."""
    dark = np.zeros(FRAMES, bool)
    dark[200:500] = True
    counts, lit = film(dark)
    return analyse(counts, np.full(len(lit), True), threshold={"method": "hmm"}), counts, lit


def test_frames_without_counts_are_left_out():
    counts, lit = film(np.zeros(FRAMES, bool))
    lost = np.zeros(FRAMES, bool)
    lost[[0, 1, 700, 2500]] = True
    spoilt = {epoch: np.where(lost, np.float32(np.nan), values) for epoch, values in counts.items()}
    cut = {epoch: values[:, ~lost] for epoch, values in counts.items()}
    every = np.full(len(lit), True)
    for method in ("hmm", "fixed"):
        own, expected = (
            analyse(given, every, threshold={"method": method}) for given in (spoilt, cut)
        )
        # The off levels are measured in some of the frames: here in the same ones.
        for name in ("on_fraction_post", "n_on_events_post", "threshold_counts_post"):
            np.testing.assert_allclose(own.table[name], expected.table[name], rtol=0.02)
        np.testing.assert_array_equal(own.left_out["post"], lost)
        assert not own.states["post"][:, lost].any()


def test_dark_frames_are_left_out_and_counted(gap):
    found, _, lit = gap
    assert (found.table["n_frames_all_off_pre"] == 0).all()
    assert (found.table["n_frames_all_off_post"] == 302).all()
    assert found.table["analysed"].all()
    truth = lit[:, ~found.left_out["post"]].mean(axis=1)
    # The mean error of the thirty is 0.0002; the dark frames, 0.03 of the time on, are 7.5 %.
    error = found.table["on_fraction_post"].to_numpy() - truth
    assert abs(error.mean()) < 0.001
    assert found.states["post"].shape == lit.shape
    assert not found.states["post"][:, 200:500].any()


def test_light_after_them_stands_at_its_own_time(gap):
    found, counts, _ = gap
    pre, post = (
        found.integrated_pl.loc[found.integrated_pl["epoch"] == epoch, ["time_s", "integrated_pl"]]
        for epoch in EPOCHS
    )
    np.testing.assert_array_equal(post["time_s"], pre["time_s"])
    width = FRAMES // len(post)
    summed = counts["post"].astype(float).sum(axis=0).reshape(-1, width).mean(axis=1)
    apart = np.abs(np.arange(len(post)) * width - 350) > 250
    np.testing.assert_allclose(post["integrated_pl"].to_numpy()[apart], summed[apart], rtol=1e-5)
    # All are missing in the bins of darkness only.
    assert 1 <= post["integrated_pl"].isna().sum() <= 302 / width


def test_they_are_left_out_of_on_fractions_of_equal_length_as_well(gap):
    found, counts, lit = gap
    columns = equal_length_columns(
        found.table,
        found.table["nc_id"].to_numpy(),
        found.states,
        found.counted(counts),
        frames=1000,
        dark_cutoff=0.1,
    )
    truth = lit[:, :1000][:, np.r_[0:200, 500:1000]].mean(axis=1)
    # As off, 300 of 1,000 frames would take 0.12 of 0.4.
    off_by = columns["on_fraction_post_equal_length"].to_numpy() - truth
    assert abs(off_by.mean()) < 0.01


@pytest.mark.parametrize(("method", "lit_frames"), [("fixed", 2000), ("hmm", 2000), ("hmm", 100)])
def test_a_movie_with_more_of_them_is_not_analysed(method, lit_frames):
    dark = np.ones(FRAMES, bool)
    dark[:lit_frames] = False
    counts, lit = film(dark)
    assert dark.mean() > MAX_SHARE
    found = analyse(counts, np.full(len(lit), True), threshold={"method": method})
    assert not found.table["analysed"].any()
    assert (found.table["excluded_because"] == "all_off").all()
    assert (found.table[["population", "population_fixed", "population_best"]] == "").all(axis=None)
