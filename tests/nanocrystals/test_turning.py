"""A sample that turns or stretches within a movie: the drift is one displacement of the field."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.nanocrystals.localisation import pixel_profile
from blinkpair.nanocrystals.turning import turning_remark

STRETCHES, SIZE, SIGMA = 30, 160, 0.9


@pytest.mark.parametrize(
    ("degrees", "percent", "remark"),
    [(0.0, 0.0, ""), (0.1, 0.0, ""), (0.6, 0.0, "turned by 0.6"), (0.0, -0.8, "by -0.8")],
)
def test_a_turn_within_the_movie_is_reported_with_its_size(degrees, percent, remark):
    """0.6 degrees move the corners by 1.2 px, nearly the half of an aperture."""
    rng = np.random.default_rng(2)
    xy = np.column_stack([rng.permutation(25), np.arange(25)]) * 6.0 + 8
    time = np.arange(STRETCHES) / (STRETCHES - 1)
    drift = np.stack([2.0 * time, -time], axis=1)
    centre = 0.5 * (SIZE - 1)
    turned = (xy[:, 0] - centre) + 1j * (xy[:, 1] - centre)
    factor = np.exp(1j * np.radians(degrees) * time) * (1 + 0.01 * percent * time)
    places = turned * factor[:, None]
    light = 600.0 * rng.uniform(0, 1, (STRETCHES, len(xy), 1))
    images = rng.normal(0, 1.5, (STRETCHES, SIZE, SIZE)).astype(np.float32)
    grid = np.arange(SIZE)
    for s in range(STRETCHES):
        x, y = places[s].real + centre + drift[s, 0], places[s].imag + centre + drift[s, 1]
        across = light[s] * pixel_profile(grid - x[:, None], SIGMA)
        images[s] += pixel_profile(grid - y[:, None], SIGMA).T @ across
    found = turning_remark(images, np.full(STRETCHES, 40.0), xy, drift, psf_sigma_px=SIGMA)
    assert remark in found
    assert bool(found) == bool(remark)
