"""Levels between off and on, and levels that change: what is on is found nevertheless."""

import numpy as np
import pytest

from tests.helpers.states import counts, states_by, telegraph

FRAMES = 8000


@pytest.mark.parametrize("level", [0.4, 0.7])
def test_a_grey_level_counts_as_on(level):
    rng = np.random.default_rng(23)
    others = np.stack([telegraph(rng, f, frames=FRAMES) for f in np.linspace(0.1, 0.6, 8)])
    dims = np.ones((1, FRAMES))
    dims[0, FRAMES // 2 :] = level
    grey = rng.choice([0.0, level, 1.0], (1, FRAMES // 40)).repeat(40, axis=1)
    traces = counts(rng, np.vstack([others, dims, grey]))
    assigned = states_by("hmm", traces)
    truth = np.vstack([others, dims, grey]) > 0
    # With two levels alone a grey frame of 0.4 counts by its brightness: on for 0.8 of the time.
    np.testing.assert_allclose(assigned.on_fractions, truth.mean(axis=1), atol=0.01)
    assert (assigned.states != truth).mean() < 0.01


def _pieces(rng, mean_frames, other_mean_frames, frames):
    """1 and 0 in turn, exponential times, cut to frames: the share of each frame that is 1."""
    times = rng.exponential([mean_frames, other_mean_frames], (frames, 2)).ravel()
    ends = np.cumsum(times) - rng.random() * (mean_frames + other_mean_frames) * 5
    time_on = np.concatenate([[0.0], np.cumsum(times * (np.arange(len(times)) % 2 == 0))])
    at = np.interp(np.arange(frames + 1), np.concatenate([[ends[0] - times[0]], ends]), time_on)
    return np.diff(at)


def test_grey_stretches_that_off_events_cut_count_as_on():
    """Stretches of 10 frames at half of the on level; off events leave pieces of 4 frames.

    Counted by its light each grey frame is half on: 0.04 to 0.10 of the time is missing, at
    10 noises and more. Levels wander by 10 %, so that on is wider than the camera's noise.
    """
    rng = np.random.default_rng(41)
    lit = np.stack([_pieces(rng, 6.0, 4.0, 1200) for _ in range(24)])
    level = np.ones_like(lit)
    level[:8] = 1 - 0.5 * np.stack([_pieces(rng, 10.0, 25.0, 1200) for _ in range(8)])
    wander = np.exp(0.1 * rng.normal(size=(24, 24))).repeat(50, axis=1)
    assigned = states_by("hmm", counts(rng, lit * level * wander, on=600.0))
    error = assigned.on_fractions - lit.mean(axis=1)
    decided = assigned.on_fractions_se < 0.05
    assert decided[:8].sum() >= 6
    assert np.abs(error[:8][decided[:8]]).max() < 0.03
    assert np.abs(error[:8].mean()) < 0.015
    # Those of two levels are as they would be alone.
    assert np.sqrt((error[8:] ** 2).mean()) < 0.012


def test_a_weak_plateau_may_be_on_or_off_and_its_error_holds_both():
    """Dirt, or a second emitter: for 80 of 1,200 frames a sixth of the on level is added.

    Off frames of it are as likely on as off: half of them is the mean, and the standard error.
    """
    rng = np.random.default_rng(42)
    lit = np.stack([telegraph(rng, f, 12, 1200) for f in np.linspace(0.1, 0.6, 16)]).astype(float)
    light = lit.copy()
    light[::2, 500:580] += 1 / 6
    off_in_it = (1 - lit[::2, 500:580]).sum(axis=1) / 1200
    assigned = states_by("hmm", counts(rng, light, on=600.0))
    error, se = assigned.on_fractions - lit.mean(axis=1), assigned.on_fractions_se
    assert (np.abs(error[::2]) < 2 * se[::2] + 0.003).all()
    # Four of 96 with few off frames in it are decided, rightly; here one of eight.
    assert (np.abs(error[::2] - off_in_it) < 2 * se[::2] + 0.003).sum() >= 7
    assert np.abs(error[1::2]).max() < 0.01


def test_fast_switching_is_no_grey_level():
    rng = np.random.default_rng(25)
    lit = rng.random((6, 4000))  # each frame lit to any part
    lit[:, ::3] = 1.0
    lit[:, 1::9] = 0.0
    assigned = states_by("hmm", counts(rng, lit, on=800.0))
    # A grey level, which counts as on, would give 0.89.
    error = np.abs(assigned.on_fractions - lit.mean(axis=1))
    assert error.max() < 0.03
    assert (error < assigned.on_fractions_se).all()


def test_an_on_level_that_creeps_stays_on():
    rng = np.random.default_rng(26)
    lit = np.stack([telegraph(rng, f, frames=4000) for f in (0.2, 0.5, 0.8, 1.0)])
    fading = lit * np.linspace(1.0, 0.5, 4000)
    assigned = states_by("hmm", counts(rng, fading, on=400.0))
    # Scaled noise is wider where on is dim, as short off events make it: 0.015, and it is stated.
    np.testing.assert_allclose(assigned.on_fractions, lit.mean(axis=1), atol=0.02)
    assert (np.abs(assigned.on_fractions - lit.mean(axis=1)) < 2 * assigned.on_fractions_se).all()


def test_bleaching_of_one_nanocrystal_is_no_third_level_and_does_not_end_its_on_time():
    # Otherwise on is the beginning of the movie and the rest grey: up to 4.5 standard errors off.
    rng = np.random.default_rng(31)
    lit = np.stack([telegraph(rng, f, 16, 4000) for f in (0.15, 0.4, 0.6, 0.85)])
    edge = rng.random(lit.shape)  # switching within frames
    lit = np.where(lit != np.roll(lit, 1, axis=1), edge, lit)
    course = 0.4 + 0.6 * np.exp(-np.arange(4000) / 1200.0)
    assigned = states_by("hmm", counts(rng, lit * course, on=1200.0))
    error = np.abs(assigned.on_fractions - lit.mean(axis=1))
    assert error.max() < 0.006
    assert (error < 3 * assigned.on_fractions_se).all()


def test_light_that_falls_by_half_for_the_whole_field_is_followed():
    rng = np.random.default_rng(32)
    lit = np.stack([telegraph(rng, f, 4, 4000) for f in np.linspace(0.1, 0.9, 16)])
    edge = rng.random(lit.shape)
    lit = np.where(lit != np.roll(lit, 1, axis=1), edge, lit)
    light = np.where(np.arange(4000) < 2000, 1.0, 0.5)
    assigned = states_by("hmm", counts(rng, lit * light, on=600.0))
    error = np.abs(assigned.on_fractions - lit.mean(axis=1))
    assert error.max() < 0.02
    # Not followed, errors are up to eight standard errors.
    assert (error < 3 * assigned.on_fractions_se).all()
    # The course of a tenth is known to some 2 %: 200 frames on, in five nanocrystals or more.
    assert assigned.light_change == pytest.approx(0.5, abs=0.05)
    assert states_by("hmm", counts(rng, lit, on=600.0)).light_change == 0.0


def test_levels_that_each_wander_by_themselves_are_no_change_of_the_light():
    """Levels wander by 15 %, as spectral wandering does, with a correlation of 100 frames.

    The mean of 24 wanders by 4 % in a tenth of 1,200 frames, by 12 % from the brightest to the
    darkest. Of 4 movies one is named with a chance of 1 %.
    """
    changes = []
    for seed in range(4):
        rng = np.random.default_rng([38, seed])
        lit = np.stack([telegraph(rng, f, 8, 1200) for f in np.linspace(0.2, 0.9, 24)])
        steps = np.sqrt(1 - np.exp(-2 / 100)) * rng.normal(size=(1200, 24))
        wander = np.empty((1200, 24))
        wander[0] = rng.normal(size=24)
        for k in range(1, 1200):
            wander[k] = np.exp(-1 / 100) * wander[k - 1] + steps[k]
        on = np.exp(0.15 * wander.T)
        changes.append(states_by("hmm", counts(rng, lit * on, on=500.0)).light_change)
    assert sum(change > 0 for change in changes) <= 1
