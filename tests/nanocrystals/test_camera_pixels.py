"""Pixels of the camera against nanocrystals, on a simulated sCMOS and pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.camera_pixels import are_fixed_to_camera, find_camera_pixels
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.localisation import pixel_profile
from blinkpair.nanocrystals.projections import project
from blinkpair.simulate import Camera, FieldDesign, simulate_field
from blinkpair.simulate.scmos_pixels import ScmosSpread


@pytest.mark.parametrize(("sigma", "drift"), [(0.5, 3.0), (0.9, 0.0)])
def test_an_scmos_shows_nanocrystals_and_hardly_a_pixel_of_its_own(sigma, drift):
    camera = Camera(shape=(128, 128), gain=2.0, scmos=ScmosSpread(warm_counts=5))
    design = FieldDesign(
        camera=camera, frames=600, n_nanocrystals=25, drift_px=drift, psf_sigma_px=(sigma, sigma)
    )
    field = simulate_field(design, seed=4)
    movie = np.concatenate(list(field.film("pre")))
    catalogue = find_nanocrystals(project(from_array(movie)))
    found = catalogue.table[["x", "y"]].to_numpy()
    truth = field.truth[["x_pre", "y_pre"]].to_numpy()
    inside = ((truth > 5) & (truth < 122)).all(axis=1)
    seen = truth[inside & (field.truth["on_fraction_pre"] >= 0.01)]
    assert (cKDTree(found).query(seen)[0] < 1.5).all()
    false = cKDTree(truth).query(found)[0] > 1.5
    # Static pixels side by side may remain where nothing drifts: the other movie shows them, too.
    assert false.sum() <= (4 if drift == 0 else 1)


def noise(seed, frames=400):
    return np.random.default_rng(seed).normal(100, 5, (frames, 31, 31))


def judged(movie, xy, drift=None):
    projections = project(from_array(movie))
    path = np.zeros((400, 2)) if drift is None else drift
    moved = path[projections.centre_frame.astype(int)]
    single, pixel = find_camera_pixels(projections, np.array([xy], float), moved)
    return bool(single[0]), pixel[0].tolist()


def switching(seed):
    return np.repeat(np.random.default_rng(seed).random(40) < 0.4, 10)[:, None, None]


SPOT = np.exp(-0.5 * (np.hypot(*np.mgrid[-2:3, -2:3]) / 0.7) ** 2)


def test_a_pixel_that_jumps_is_the_cameras_and_a_spot_that_does_is_not():
    movie = noise(1)
    movie[:, 15:16, 12:13] += 60 * switching(2)
    assert judged(movie, (12, 15)) == (True, [12, 15])
    movie = noise(1)
    movie[:, 13:18, 10:15] += 60 * switching(2) * SPOT
    assert judged(movie, (12, 15))[0] is False


def test_two_pixels_that_jump_each_on_its_own_are_the_cameras():
    movie = noise(3)
    movie[:, 15:16, 12:13] += 60 * switching(4)
    movie[:, 15:16, 13:14] += 50 * switching(5)
    assert judged(movie, (12.4, 15))[0] is True


def test_what_never_changes_is_decided_by_its_shape():
    movie = noise(6)
    movie[:, 15, 12] += 60
    assert judged(movie, (12, 15))[0] is True
    movie = noise(6)
    movie[:, 13:18, 10:15] += 60 * SPOT
    assert judged(movie, (12, 15))[0] is False


def test_a_narrow_spot_that_is_always_on_and_drifts_by_a_pixel_is_no_pixel():
    """Less the median of each pixel, hardly anything is left of the image of such a spot."""
    drift = np.column_stack([np.linspace(0, 1.1, 400), np.linspace(0, 0.45, 400)])
    rng = np.random.default_rng(8)
    for xy in rng.uniform(14, 16, (12, 2)):
        across, down = (
            pixel_profile(np.arange(31) - (at + path)[:, None], 0.43)
            for at, path in zip(xy, drift.T, strict=True)
        )
        lit = rng.random((400, 1, 1)) < 0.97
        movie = noise(rng) + rng.poisson(300 * lit * down[:, :, None] * across[:, None, :])
        assert judged(movie, xy, drift)[0] is False


@pytest.mark.parametrize("of_camera", [False, True])
def test_a_nanocrystal_on_whose_path_a_brighter_one_lies_is_no_pixel(of_camera):
    """Where the brighter one leaves the path, or comes, a pixel there changes by more."""
    drift = np.column_stack([np.linspace(0, 12, 400), np.zeros(400)])
    frames = np.arange(400)[:, None, None]

    down = pixel_profile(np.arange(31) - 15.0, 0.7)[:, None]

    def light(x):
        return down * pixel_profile(np.arange(31) - (x + drift[:, :1]), 0.7)[:, None, :]

    # And one that is so close to it that they are one candidate.
    movie = noise(10) + 300 * light(15.0) + 300 * light(17.4)
    if of_camera:  # once, a pixel, as long as the nanocrystal is on
        movie[100:140, 15, 9] += 60
    else:
        movie += 150 * ((frames >= 100) & (frames < 140)) * light(5.6)
    projections = project(from_array(movie))
    moved = drift[projections.centre_frame.astype(int)]
    xy = np.array([[5.6, 15.0], [15.0, 15.0]])
    assert find_camera_pixels(projections, xy, moved)[0].tolist() == [of_camera, False]


def test_what_stays_while_the_sample_drifts_is_the_cameras():
    """A spot of dust has the shape of a nanocrystal; only the motion differs."""
    drift = np.column_stack([np.linspace(0, 4, 400), np.zeros(400)])
    movie = noise(7)
    movie[:, 15, 12] += 60
    movie[:, 15, 13] += 40
    assert judged(movie, (11, 15), drift)[0] is True


def test_glowing_spots_that_stay_do_not_pull_the_drift():
    design = FieldDesign(
        camera=Camera(shape=(128, 128)), frames=600, n_nanocrystals=40, drift_px=3.0
    )
    field = simulate_field(design, seed=6)
    movie = np.concatenate(list(field.film("pre")))
    alone = find_nanocrystals(project(from_array(movie)))
    # Twelve spots as bright as a nanocrystal that is always on, of the shape of the PSF.
    rng = np.random.default_rng(7)
    spots = rng.uniform(10, 118, (12, 2))
    y, x = np.mgrid[:128, :128]
    image = sum(np.exp(-0.5 * ((x - a) ** 2 + (y - b) ** 2) / 0.85**2) for a, b in spots)
    lit = movie + np.rint(150 * image).astype(movie.dtype)
    found = find_nanocrystals(project(from_array(lit)))
    # The sample moves as it does without them; they would pull the drift by 0.9 px.
    error = found.drift.xy - alone.drift.xy
    assert np.sqrt(np.mean(error**2)) < 0.05
    truth = field.truth[["x_pre", "y_pre"]].to_numpy()
    away = cKDTree(truth).query(found.table[["x", "y"]])[0]
    assert (away > 1.5).sum() <= 1


@pytest.mark.parametrize("still", [0, 12])
def test_spots_are_fixed_only_where_most_others_move_as_measured(still):
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:96, :96]
    drift = np.column_stack([np.linspace(0, 2, 10), np.linspace(0, -1, 10)])
    xy = rng.uniform(15, 80, (8, 2)) if not still else np.argwhere(np.ones((4, 5))) * 16.0 + 14
    moves = np.arange(len(xy)) >= still
    images = rng.normal(0, 0.5, (10, 96, 96)).astype(np.float32)
    for (a, b), moving in zip(xy, moves, strict=True):
        for image, (dx, dy) in zip(images, drift * moving, strict=True):
            image += 20 * np.exp(-0.5 * ((x - a - dx) ** 2 + (y - b - dy) ** 2) / 0.9**2)
    fixed, _ = are_fixed_to_camera(images, np.full(10, 20.0), xy, drift, psf_sigma_px=0.9)
    # Of 20 spots 12 stay: the drift is not what most of them do, and none is dropped.
    assert not fixed.any()


def test_a_spot_that_was_on_once_or_stands_at_the_edge_is_not_fixed():
    rng = np.random.default_rng(9)
    y, x = np.mgrid[:96, :96]
    drift = np.column_stack([np.linspace(0, 2, 10), np.linspace(0, -1, 10)])
    xy = np.argwhere(np.ones((4, 5))) * 16.0 + 14
    images = rng.normal(0, 0.5, (10, 96, 96)).astype(np.float32)
    for image, (dx, dy) in zip(images, drift, strict=True):
        for a, b in xy:
            image += 20 * np.exp(-0.5 * ((x - a - dx) ** 2 + (y - b - dy) ** 2) / 0.9**2)
        image += 20 * np.exp(-0.5 * ((x - 94) ** 2 + (y - 40) ** 2) / 0.9**2)
        image += 20 * np.exp(-0.5 * ((x - 85) ** 2 + (y - 70) ** 2) / 0.9**2)
    images[7] += 20 * np.exp(-0.5 * ((x - 86) ** 2 + (y - 20) ** 2) / 0.9**2)
    spots = np.vstack([xy, [[92.8, 40.5], [83.8, 70.5], [85, 20.5]]])
    fixed, place = are_fixed_to_camera(images, np.full(10, 20.0), spots, drift, psf_sigma_px=0.9)
    assert np.flatnonzero(fixed).tolist() == [21]
    np.testing.assert_allclose(place[21], [85, 70], atol=0.05)


def test_a_nanocrystal_that_is_rarely_on_is_no_pixel_where_the_offsets_of_pixels_differ():
    """The offsets last and outweigh its changes; only those that became dark would be lost."""
    drift = np.column_stack([np.linspace(0, 1, 400), np.zeros(400)])
    rng = np.random.default_rng(11)
    for start in range(30, 360, 22):
        offsets = rng.normal(0, 4, (31, 31))
        movie = noise(rng) + offsets
        movie[start : start + 10, 13:18, 13:18] += 40 * SPOT
        assert judged(movie, (15 - drift[start, 0], 15), drift)[0] is False
        movie = noise(rng) + offsets
        movie[:, 15, 15] += 40
        assert judged(movie, (15, 15), drift)[0] is True
