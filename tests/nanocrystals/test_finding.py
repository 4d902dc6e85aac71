"""Detection, drift and localisation against the truth of simulated movies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.localisation import localise, pixel_profile
from blinkpair.nanocrystals.projections import BURST_FRAMES, project, stretch_length
from blinkpair.simulate import Camera, FieldDesign, simulate_field
from blinkpair.simulate.camera import film_block


@pytest.fixture(scope="module")
def catalogue(small_movies):
    return find_nanocrystals(project(from_array(small_movies["pre"])))


def in_view(small_field, margin):
    truth = small_field.truth
    height, width = small_field.design.camera.shape
    x, y = truth["x_pre"], truth["y_pre"]
    return truth[(x > margin) & (x < width - 1 - margin) & (y > margin) & (y < height - 1 - margin)]


def test_every_nanocrystal_on_for_one_percent_is_found(catalogue, small_field):
    truth = in_view(small_field, margin=5)
    visible = truth[truth["on_fraction_pre"] >= 0.01]
    tree = cKDTree(catalogue.table[["x", "y"]])
    distance, _ = tree.query(visible[["x_pre", "y_pre"]])
    assert len(visible) > 15
    assert (distance < 1.0).all()


def test_positions_are_right_to_a_few_hundredths_of_a_pixel(catalogue, small_field):
    truth = in_view(small_field, margin=5)
    bright = truth[truth["on_fraction_pre"] >= 0.1]
    distance, _ = cKDTree(catalogue.table[["x", "y"]]).query(bright[["x_pre", "y_pre"]])
    # 100 electrons a frame, on for 60 frames or more: 0.9 px / sqrt(6000 / 2) = 0.02 px, and
    # the background's noise as much again.
    assert np.sqrt(np.mean(distance**2)) < 0.06


def test_nothing_is_found_that_is_not_there(catalogue, small_field):
    tree = cKDTree(small_field.truth[["x_pre", "y_pre"]])
    distance, _ = tree.query(catalogue.table[["x", "y"]])
    assert (distance < 1.5).all()


def test_drift_is_followed(catalogue, small_field):
    drift = catalogue.drift.per_frame(small_field.design.frames)
    error = drift - small_field.drift_pre
    assert np.abs(small_field.drift_pre).max() > 2
    assert np.sqrt(np.mean(error**2)) < 0.05


def test_psf_width_is_measured(catalogue, small_field):
    assert catalogue.psf_sigma_px == pytest.approx(small_field.design.psf_sigma_px[0], abs=0.08)


def test_an_empty_field_shows_at_most_one_nanocrystal_and_no_drift():
    camera = Camera(shape=(256, 256))
    found = 0
    for seed in range(2):
        movie = film_block(
            camera,
            np.full(camera.shape, 15.0, np.float32),
            np.zeros((0, 2)),
            np.zeros((0, 400), np.float32),
            np.zeros((400, 2)),
            psf_sigma_px=0.9,
            first_frame=0,
            frames=400,
            seed=seed,
        )
        catalogue = find_nanocrystals(project(from_array(movie)))
        found += len(catalogue.table)
        assert np.all(catalogue.drift.xy == 0)
    assert found <= 1


def test_hot_pixels_are_no_nanocrystals():
    design = FieldDesign(
        camera=Camera(shape=(96, 96)),
        frames=300,
        n_nanocrystals=10,
        n_hot_pixels=12,
        drift_px=0.0,
    )
    field = simulate_field(design, seed=11)
    movie = np.concatenate(list(field.film("pre")))
    catalogue = find_nanocrystals(project(from_array(movie)))
    assert len(catalogue.hot_pixels) >= 8
    distance, _ = cKDTree(field.truth[["x_pre", "y_pre"]]).query(catalogue.table[["x", "y"]])
    assert (distance < 1.5).all()


def test_projections_are_the_mean_variance_and_largest_burst_of_each_stretch():
    rng = np.random.default_rng(0)
    movie = rng.integers(0, 1000, (47, 9, 7), dtype=np.uint16)
    projections = project(from_array(movie))
    length = stretch_length(47)
    first = movie[:length].astype(float)
    assert np.allclose(projections.mean[0], first.mean(axis=0))
    assert np.allclose(projections.variance[0], first.var(axis=0), rtol=1e-5)
    bursts = first.reshape(-1, BURST_FRAMES, 9, 7).mean(axis=1)
    assert np.allclose(projections.burst[0], bursts.max(axis=0))
    assert projections.n_frames.sum() == 47
    assert np.allclose(projections.frame_mean, movie.mean(axis=(1, 2)))


@pytest.mark.parametrize("away_px", [0.8, 2.5])
def test_a_fit_that_moves_as_far_as_it_may_has_found_no_nanocrystal(away_px):
    """On an sCMOS, one of noise ran to 1.5 px and counted as placed to 0.1 px."""
    image = np.random.default_rng(1).normal(0, 1, (4, 31, 31)).astype(np.float32)
    profile = pixel_profile(np.arange(31) - 15.0, 0.9)
    image += 500 * np.outer(profile, profile)
    start = np.array([[15.0 + away_px, 15.0]])
    found = localise(image, np.ones(4), start, np.zeros((4, 2)), psf_sigma_px=0.9)
    assert np.isfinite(found.error_px[0]) == (away_px < 1)
