"""The width of the PSF in the course of simulated movies, against the width they were made with."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals import catalogues
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.projections import project
from blinkpair.photometry.apertures import light_change, light_course, light_share
from blinkpair.simulate import Camera, FieldDesign, simulate_field


def focus(end_px, seed, n=40, start_px=0.8, size=160):
    design = FieldDesign(
        camera=Camera(shape=(size, size)),
        frames=600,
        n_nanocrystals=n,
        psf_sigma_px=(start_px, start_px),
        psf_sigma_end_px=(end_px, end_px),
    )
    movie = np.concatenate(list(simulate_field(design, seed).film("pre")))
    catalogue = find_nanocrystals(project(from_array(movie)))
    return catalogues.read_focus(catalogues.drift_table(catalogue), 600)


@pytest.mark.parametrize("seed", [1, 2])
def test_where_the_focus_holds_no_count_is_changed(seed):
    sigma = focus(0.8, seed)
    assert (light_course(sigma, aperture_px=3) == 1).all()
    assert light_change(sigma, aperture_px=3) == 0


@pytest.mark.parametrize(("start", "end"), [(0.75, 1.35), (1.35, 0.75)])
def test_a_creeping_focus_is_followed_under_drift_and_blinking(start, end):
    sigma = focus(end, seed=5, start_px=start)
    true = np.linspace(start, end, 600)
    light = light_course(sigma, aperture_px=3)
    assert np.abs(light / light_course(true, aperture_px=3) - 1).max() < 0.06
    assert np.sqrt(np.mean((light / light_course(true, aperture_px=3) - 1) ** 2)) < 0.03


def test_with_few_nanocrystals_the_focus_is_not_known():
    sigma = focus(1.35, seed=2, n=3, size=96)
    assert np.isnan(sigma).all()
    assert np.isnan(light_change(sigma, aperture_px=3))
    assert (light_course(sigma, aperture_px=3) == 1).all()


@pytest.mark.parametrize("sigma", [0.5, 0.9, 1.4])
def test_the_share_of_light_is_that_of_simulated_images(sigma):
    """Averaged over the places within a pixel, by which it differs."""
    from scipy.special import ndtr

    rng = np.random.default_rng(0)
    edges = np.arange(-12, 13) - 0.5
    shares = []
    for x in rng.uniform(-0.5, 0.5, 2000):
        line = np.diff(ndtr((edges - x) / sigma))
        inside = np.clip(np.minimum(edges[1:], x + 1.5) - np.maximum(edges[:-1], x - 1.5), 0, 1)
        shares.append(inside @ line)
    assert light_share(np.array([sigma]), aperture_px=3)[0] == pytest.approx(
        np.mean(shares) ** 2, abs=0.01
    )
