"""An epoch without a clear on level: dark, or not known. (Near the noise: in test_states.)"""

import numpy as np
import pytest

from blinkpair.blinking.field import MAX_SE
from tests.helpers.states import NOISE, noise_counts, states_by

FRAMES = 2000
EMISSIVE = 8


def field_with(rng, odd, *, noises=10.0, light=1.0):
    """Counts of emissive nanocrystals, on in whole blocks, and of the odd ones below them."""
    lit = np.repeat(rng.random((EMISSIVE, FRAMES // 20)) < 0.5, 20, axis=1)
    on = noises * NOISE * np.exp(0.3 * rng.normal(size=(EMISSIVE, 1)))
    signal = np.vstack([on * lit, odd]) * light
    return (signal + noise_counts(rng, signal.shape)).astype(np.float32)


def runs(rng, n, length, level):
    """Rows with one run of `length` frames at `level` counts."""
    signal = np.zeros((n, FRAMES))
    for row, start in zip(signal, rng.integers(0, FRAMES - length, n), strict=True):
        row[start : start + length] = level
    return signal


def test_a_dark_epoch_is_known_to_be_dark():
    rng = np.random.default_rng(1)
    found = states_by("hmm", field_with(rng, np.zeros((10, FRAMES))))
    assert found.on_fractions[EMISSIVE:].max() < 0.005
    assert found.on_fractions_se[EMISSIVE:].max() < 0.005


def test_a_dark_epoch_in_light_that_halves_is_known_to_be_dark():
    rng = np.random.default_rng(5)
    light = np.linspace(1.0, 0.4, FRAMES)
    # Counts over the light have 2.5 times the noise at the end. Never on, or for 2 % of the time.
    odd = np.vstack([np.zeros((10, FRAMES)), runs(rng, 10, 40, 10.0 * NOISE)])
    found = states_by("hmm", field_with(rng, odd, light=light))
    dark, rare = found.on_fractions[EMISSIVE:].reshape(2, 10)
    assert found.light_change > 0.4
    assert dark.max() < 0.001
    assert np.abs(rare - 0.02).max() < 0.005
    assert found.on_fractions_se.max() < MAX_SE


def test_faint_light_of_another_leaves_an_epoch_dark():
    rng = np.random.default_rng(2)
    # A neighbour's light: 1.5 noises in 80 frames, significant and far below the field's 10.
    found = states_by("hmm", field_with(rng, runs(rng, 10, 80, 1.5 * NOISE)))
    dark = (found.on_fractions[EMISSIVE:] < 0.05) & (found.on_fractions_se[EMISSIVE:] < MAX_SE)
    assert dark.sum() >= 9


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_weak_emitter_is_not_dark(share):
    rng = np.random.default_rng(3)
    weak = np.repeat(rng.random((10, FRAMES // 20)) < share, 20, axis=1) * 1.5 * NOISE
    found = states_by("hmm", field_with(rng, weak))
    assert not (
        (found.on_fractions[EMISSIVE:] < 0.1) & (found.on_fractions_se[EMISSIVE:] < MAX_SE)
    ).any()


@pytest.mark.parametrize("share", [0.12, 0.15])
def test_a_weak_emitter_that_is_rarely_on_is_not_dark(share):
    rng = np.random.default_rng(4)
    # In a field of 3.8 noises, where a dark epoch with 0.03 at that level has the same covariance.
    weak = np.repeat(rng.random((20, FRAMES // 4)) < share, 4, axis=1) * 1.4 * NOISE
    found = states_by("hmm", field_with(rng, weak, noises=3.8))
    dark = (found.on_fractions[EMISSIVE:] < 0.1) & (found.on_fractions_se[EMISSIVE:] < MAX_SE)
    true_dark = weak.mean(axis=1) / (1.4 * NOISE) < 0.1
    assert (dark & ~true_dark).sum() <= 2  # of about 19


@pytest.mark.parametrize("offsets", [0.35, 0.7])
def test_offsets_of_single_pixels_leave_dark_epochs_dark(offsets):
    rng = np.random.default_rng(6)
    counts = field_with(rng, np.zeros((52, FRAMES)))
    empty = noise_counts(rng, counts.shape)
    # Aperture and empty place are different pixels.
    counts, empty = (x + offsets * NOISE * rng.normal(size=(len(x), 1)) for x in (counts, empty))
    found = states_by("hmm", counts.astype(np.float32), empty.astype(np.float32))
    dark = (found.on_fractions[EMISSIVE:] < 0.01) & (found.on_fractions_se[EMISSIVE:] < MAX_SE)
    # Three errors to one side: 0.1 % of 52.
    assert dark.sum() >= 51
