"""Movies that were processed after recording are recognised, movies as recorded are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from blinkpair.errors import InputError
from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.frame_quality import check_frames
from blinkpair.nanocrystals.projections import project

FRAMES, SIDE = 300, 48


def recorded(light=8.0, spots=6):
    """Frames of an sCMOS, float32 counts, with spots that blink at random."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:SIDE, :SIDE]
    electrons = np.broadcast_to(light, FRAMES)[:, None, None] * np.ones((SIDE, SIDE))
    for centre in rng.uniform(4, SIDE - 4, (spots, 2)):
        image = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / 1.6)
        electrons += 40 * image * (rng.random(FRAMES) < 0.4)[:, None, None]
    counts = 2.2 * (rng.poisson(electrons) + 1.5 * rng.standard_normal(electrons.shape))
    return (100 + counts).astype(np.float32)


def remarks(frames):
    frames = np.rint(frames).clip(0, 65535).astype(np.uint16)
    return check_frames(project(from_array(frames)), "movie")


@pytest.mark.parametrize(
    "light",
    [
        8.0,
        8 * np.linspace(1, 0.3, FRAMES),  # bleaches
        8 * (1 + 0.1 * np.sin(np.arange(FRAMES) / 5)),  # swings
    ],
)
def test_frames_as_recorded_get_no_remark(light):
    assert remarks(recorded(light)) == []


@pytest.mark.parametrize(
    "altered",
    [
        lambda frames: ndimage.uniform_filter1d(frames, 2, axis=0),
        lambda frames: ndimage.uniform_filter1d(frames, 4, axis=0),
        lambda frames: ndimage.median_filter(frames, (3, 1, 1)),
    ],
    ids=["average of 2", "average of 4", "median of 3"],
)
def test_frames_filtered_in_time_are_reported(altered):
    (remark,) = remarks(altered(recorded()))
    assert "filtered in time" in remark


def test_a_field_stop_on_a_camera_of_little_noise_is_no_drift_correction():
    """In the dark all pixels of a row are equal in some frames, and one or two differ in others."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    rng = np.random.default_rng(4)
    dark = 100 + 0.2 * rng.standard_normal((FRAMES, SIDE, SIDE))
    assert remarks(np.where(np.hypot(x, y) < SIDE / 2 - 3, recorded(), dark)) == []


def test_frames_filtered_in_space_are_as_sharp_in_time():
    assert remarks(ndimage.gaussian_filter(recorded(), (0, 1, 1))) == []


def shifted(frames, mode):
    """Frames after a correction of 2 px of drift, by interpolation."""
    drift = np.linspace(0, 2, len(frames))
    return np.stack(
        [
            ndimage.shift(frame, (0, -by), order=1, mode=mode)
            for frame, by in zip(frames, drift, strict=True)
        ]
    )


def test_an_empty_border_that_moves_is_refused():
    with pytest.raises(InputError, match="drift correction"):
        remarks(shifted(recorded(), "constant"))


def test_a_border_that_repeats_its_pixels_is_not_empty():
    assert remarks(shifted(recorded(), "nearest")) == []


def test_black_frames_and_frames_of_few_photons_have_no_empty_border():
    photons = np.random.default_rng(4).poisson(0.03, (FRAMES, SIDE, SIDE)).astype(np.uint16)
    assert project(from_array(photons)).moving_border_share == 0
    black = np.rint(recorded()).astype(np.uint16)
    black[60:80] = 0
    assert project(from_array(black)).moving_border_share == 0
