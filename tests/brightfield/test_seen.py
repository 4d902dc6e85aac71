"""What an image shows of its microspheres together."""

import numpy as np
import pandas as pd
import pytest

from blinkpair.brightfield.seen import common_offset_px, image_diameter_px, size_remark

DIAMETER_PX = 8.0


def discs(n, diameter_px, noise, seed=1):
    """Uniform discs at random places of an uneven background, and these places."""
    rng = np.random.default_rng(seed)
    across, down = np.meshgrid(*[np.linspace(40, 260, n)] * 2)
    xy = np.column_stack([across.ravel(), down.ravel()]) + rng.uniform(-5, 5, (n * n, 2))
    y, x = np.indices((300, 300))
    image = 100 + 0.05 * x + rng.normal(0, noise, x.shape)
    for centre in xy:
        image += 10 * np.clip(diameter_px / 2 + 0.5 - np.hypot(x - centre[0], y - centre[1]), 0, 1)
    return image, xy


@pytest.mark.parametrize("given", [0.6, 1.0, 1.6])
def test_a_disc_has_its_own_diameter_whatever_the_setting(given):
    image, xy = discs(6, DIAMETER_PX, noise=2.0)
    measured = image_diameter_px(image, xy, given * DIAMETER_PX)
    # Pixels of a soft edge: half a pixel.
    assert measured == pytest.approx(DIAMETER_PX, abs=0.5)


def test_too_few_spheres_have_no_diameter():
    image, xy = discs(6, DIAMETER_PX, noise=2.0)
    assert image_diameter_px(image, xy[:2], DIAMETER_PX) is None
    assert image_diameter_px(image, np.empty((0, 2)), DIAMETER_PX) is None


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_places_that_show_nothing_have_no_diameter(noise):
    # The noise is taken for a sphere at three standard errors: measured 0 of 40.
    for seed in range(8):
        image, xy = discs(6, 0.0, noise, seed)
        image -= 0.05 * np.arange(300)
        away = xy + np.array([20.0, 20.0])
        away = away[(away < 280).all(axis=1)]
        assert image_diameter_px(image, away, DIAMETER_PX) is None


@pytest.mark.parametrize(("measured", "remark"), [(4.0, True), (10.0, False), (30.0, True)])
def test_a_setting_far_from_the_images_is_remarked(measured, remark):
    assert ("diameter_um" in size_remark(measured, DIAMETER_PX)) == remark
    assert size_remark(None, DIAMETER_PX) == ""


def test_centres_of_round_spheres_have_no_common_offset():
    assert common_offset_px(pd.DataFrame({"roundness": [0.97, 0.99, 0.2]}), DIAMETER_PX) == 0
    halves = pd.DataFrame({"roundness": [0.3, 0.5, 0.9]})
    assert common_offset_px(halves, DIAMETER_PX) > DIAMETER_PX
    assert common_offset_px(pd.DataFrame({"roundness": []}, dtype=float), DIAMETER_PX) == 0
