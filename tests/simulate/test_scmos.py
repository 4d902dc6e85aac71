"""The simulated sCMOS: what its pixels are is the camera's, and focus changes the image alone."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.simulate import Camera
from blinkpair.simulate.camera import film_block
from blinkpair.simulate.scmos_pixels import ScmosSpread, scmos_pixels

CAMERA = Camera(shape=(48, 48), gain=2.0, scmos=ScmosSpread(warm_share=0.1, telegraph_share=0.1))


def film(frames=200, seed=1, first_frame=0, xy=(), counts=(), sigma=0.9):
    n = len(xy)
    return film_block(
        CAMERA,
        np.full(CAMERA.shape, 20.0, np.float32),
        np.reshape(xy, (n, 2)).astype(float),
        np.reshape(counts, (n, 400)).astype(np.float32),
        np.zeros((400, 2)),
        psf_sigma_px=sigma,
        first_frame=first_frame,
        frames=frames,
        seed=seed,
    )


def test_pixels_have_the_offset_gain_and_noise_of_their_maps():
    own = scmos_pixels(
        CAMERA.scmos, CAMERA.shape, CAMERA.offset_counts, CAMERA.gain, CAMERA.read_noise_counts
    )
    movie = film(400).astype(float)
    steady = own.telegraph_frames == 0
    light = (20.0 + own.dark_counts) / CAMERA.gain
    mean = own.offset_counts + own.gain * light
    variance = own.gain**2 * light + own.read_noise_counts**2 + 1 / 12
    # 400 frames: standard errors of the mean, and 7 % of the variance.
    off = (movie.mean(axis=0) - mean) / np.sqrt(variance / 400)
    assert np.abs(off[steady]).max() < 5
    ratio = movie.var(axis=0) / variance
    assert ratio[steady].mean() == pytest.approx(1, abs=0.01)
    assert ratio[~steady].mean() > 3


def test_movies_of_both_epochs_share_their_pixels_and_blocks_change_nothing():
    one, other = film(400, seed=1), film(400, seed=2)
    pattern = [movie.mean(axis=0).ravel() for movie in (one, other)]
    assert np.corrcoef(*pattern)[0, 1] > 0.9
    assert (one != other).any()
    parts = [film(100, seed=1, first_frame=k) for k in range(0, 400, 100)]
    np.testing.assert_array_equal(np.concatenate(parts), one)


def test_a_focus_that_creeps_spreads_the_same_light():
    sigma = np.linspace(0.6, 1.6, 400)
    counts = np.full((1, 400), 4000.0)
    spot = film(400, xy=[[24, 24]], counts=counts, sigma=sigma) - film(400).mean(axis=0)
    light = spot[:, 16:33, 16:33].sum(axis=(1, 2))
    # Some 29 of these pixels jump, by 30 counts on average: 100 counts of 4,000 together.
    assert light[:100].mean() == pytest.approx(light[-100:].mean(), rel=0.1)
    centre = spot[:, 24, 24]
    assert centre[:20].mean() > 3 * centre[-20:].mean()
