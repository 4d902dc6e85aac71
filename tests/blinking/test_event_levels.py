"""Events at a level of their own: frames in a row between off and on are on throughout."""

import numpy as np
import pytest

from blinkpair.blinking.states.chain import Chain
from blinkpair.blinking.states.event_levels import event_levels
from tests.blinking.test_fast_switching import counts_of, exponential, lit_traces
from tests.helpers.states import states_by

FRAMES, NANOCRYSTALS = 1500, 20


def rows_of(rng, shares, noise=0.08):
    """Counts, of 1 between the levels, and a chain for which rows of 10 frames are lit in part."""
    shares = np.concatenate([np.zeros((len(shares), 10)), shares], axis=1).ravel()
    x = shares + noise * rng.normal(size=len(shares))
    between = shares > 0
    probability = np.stack([~between, between, np.zeros(len(x))], axis=1).astype(float)
    none = np.zeros(0)
    chain = Chain(
        np.array([0.0, noise, 1.0, noise]), none, none, none.astype(int), probability,
        probability[:, 1], np.where(between, x, 0.0), none, none, 0.0,
    )  # fmt: skip
    return x, chain, float((1.0 - shares[between]).sum())


def test_rows_of_one_level_each_are_on_and_rows_of_changing_shares_are_not():
    rng = np.random.default_rng(1)
    x, chain, missing = rows_of(rng, np.repeat(rng.uniform(0.35, 0.8, (30, 1)), 10, axis=1))
    levels = event_levels(x, chain)
    assert levels.share > 0.9
    # Noise cuts the shares of the two outer frames of ten: 0.08 in 0.43 for a half of them.
    assert levels.time == pytest.approx(missing, rel=0.1)
    # Averages of events of a tenth of a frame: a standard deviation of 0.2.
    x, chain, missing = rows_of(rng, np.clip(rng.normal(0.5, 0.2, (30, 10)), 0.05, 1.0))
    averages = event_levels(x, chain)
    assert averages.share < 0.1
    assert averages.time < 0.02 * missing


def test_a_row_as_dim_as_dirt_adds_nothing():
    x, chain, missing = rows_of(np.random.default_rng(2), np.full((30, 10), 0.2))
    assert event_levels(x, chain).time < 0.002 * missing


def test_events_of_their_own_levels_do_not_shorten_the_time_on():
    rng = np.random.default_rng(1)
    lit = lit_traces(rng, NANOCRYSTALS, exponential(rng, 15.0, 15.0), FRAMES)
    event = np.cumsum(np.diff((lit > 0).astype(int), prepend=0, axis=1) == 1, axis=1)
    of_event = np.where(rng.random(lit.shape) < 0.5, rng.uniform(0.4, 0.8, lit.shape), 1.0)
    own = np.arange(NANOCRYSTALS) < NANOCRYSTALS // 2
    of_event[~own] = 1.0
    level = np.take_along_axis(of_event, event, axis=1)
    found = states_by("hmm", counts_of(rng, lit * level, 25.0))
    error = found.on_fractions - lit.mean(axis=1)
    # Frames at such levels taken for lit in part give 0.007.
    assert np.sqrt((error[own] ** 2).mean()) < 0.005
    assert np.sqrt((error[~own] ** 2).mean()) < 0.003
