"""Frames between the levels: switching, or a third level."""

import numpy as np

from tests.helpers.states import NOISE, states_by

TRACES, BLOCKS = 8, 100


def found_with(between):
    """On-fractions of traces of blocks: six frames on, four between the levels, six off."""
    on, off = np.ones((TRACES, BLOCKS, 6)), np.zeros((TRACES, BLOCKS, 6))
    lit = np.concatenate([on, between, off], axis=2).reshape(TRACES, -1)
    rng = np.random.default_rng(1)
    counts = 12 * NOISE * lit + NOISE * rng.normal(size=lit.shape)
    return states_by("hmm", counts.astype(np.float32)), lit


def test_rows_of_partly_lit_frames_are_no_third_level():
    shares = np.random.default_rng(2).uniform(0.1, 0.9, (TRACES, BLOCKS, 4))
    found, lit = found_with(shares)
    error = found.on_fractions - lit.mean(axis=1)
    assert np.abs(error).max() < 0.01
    # As a third level these frames would add 0.12 to the on-fraction.
    assert found.on_fractions_se.max() < 0.02


def test_rows_at_one_level_are_a_third_level():
    found, lit = found_with(np.full((TRACES, BLOCKS, 4), 0.5))
    error = found.on_fractions - (lit > 0).mean(axis=1)
    assert (np.abs(error) <= 2.5 * found.on_fractions_se + 0.01).all()
