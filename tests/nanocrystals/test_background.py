"""The background of an image and the noise around it, and detection in uneven light."""

from __future__ import annotations

import numpy as np

from blinkpair.nanocrystals.background import background_and_noise
from blinkpair.nanocrystals.detection import AlignedImages, find_candidates, significance
from blinkpair.nanocrystals.localisation import pixel_profile


def test_a_slope_of_the_light_is_no_noise():
    """Noise was the spread within a cell of 24 px, the slope included: three times as much here."""
    row, column = np.mgrid[:120, :100]
    slope = 100 + 0.25 * row - 0.2 * column
    image = slope + np.random.default_rng(1).normal(0, 1, slope.shape)
    background, noise = background_and_noise(image)
    # A median of 600 pixels has an error of 0.05, at a corner of the lines beyond 2.5 times that;
    # that of a spread is 0.05, too.
    assert np.abs(background - slope).max() < 0.5
    assert np.abs(noise - 1).max() < 0.2


def test_steady_nanocrystals_are_found_on_the_slope_of_a_laser_spot():
    """110 counts in 600 frames of an EMCCD; 6 of 16 were found where its slope counted as noise."""
    rng = np.random.default_rng(3)
    row, column = np.mgrid[:96, :96]
    light = 2 + 15 * np.exp(-((row - 40) ** 2 + (column - 50) ** 2) / (2 * 35**2))
    noise = np.sqrt((10 * light + 4) / 600)
    image = 100 + light + noise * rng.standard_normal(light.shape)
    xy = np.stack(np.meshgrid(*[np.arange(12.0, 96, 24)] * 2), -1).reshape(-1, 2)
    for x, y in xy + rng.uniform(-0.5, 0.5, xy.shape):
        image += 110 * np.outer(
            pixel_profile(row[:, 0] - y, 0.9), pixel_profile(column[0] - x, 0.9)
        )
    still = rng.standard_normal((2, 96, 96))
    found = find_candidates(AlignedImages(image, *still), psf_sigma_px=0.9)
    near = np.abs(found[["x", "y"]].to_numpy()[:, None] - xy).max(axis=2) <= 1
    assert near.any(axis=0).sum() == 16
    assert near.any(axis=1).all()


def test_the_end_of_the_common_view_is_no_nanocrystal():
    """What the drift took out of view was filled with the median of the field: a step of light."""
    rng = np.random.default_rng(4)
    images = rng.normal(0, 1, (3, 48, 512))
    images[0] += np.linspace(20, 220, 512)
    images[:, :, :4] = np.nan
    score = significance(AlignedImages(*images), 0.9)
    assert score.max() < 1
    assert (score[:, :4] == -np.inf).all()
