"""Two movies of one recording are recognised, and two recordings are never taken for one."""

import numpy as np
import pytest

from blinkpair.nanocrystals.catalogues import stretch_digests


def frame_means(seed, frames=400, photons=100.0, pixels=32 * 32):
    """Return the means of frames with shot noise and nothing else."""
    sums = np.random.default_rng(seed).poisson(photons * pixels, frames)
    return sums / pixels


def shared(one, other):
    """Return how many stretches two movies are seen to have in common."""
    return len(set(stretch_digests(one)) & set(stretch_digests(other)))


@pytest.mark.parametrize("first", [10, 200])
def test_a_movie_that_begins_later_is_the_same_recording(first):
    movie = frame_means(1)
    assert shared(movie, movie[first:]) >= 2


def test_a_movie_with_one_pixel_changed_is_the_same_recording():
    movie = frame_means(1)
    touched = movie.copy()
    touched[200] += 1 / (32 * 32)
    assert shared(movie, touched) >= 8


def test_a_movie_without_its_offset_is_the_same_recording():
    movie = frame_means(1)
    assert shared(movie, movie - 17) >= 8


@pytest.mark.parametrize("photons", [100.0, 0.001])  # 0.001: a frame has one photon
def test_long_recordings_of_one_scene_share_no_stretch(photons):
    """20,000 frames of 32 x 32 pixels: single frames of equal means are thousands."""
    pre, post = (frame_means(seed, 20_000, photons) for seed in (2, 3))
    assert len(set(pre) & set(post)) > 5
    assert shared(pre, post) == 0


def test_frames_of_a_closed_shutter_are_no_recording_in_common():
    pre, post = frame_means(4), frame_means(5)
    pre[:50] = post[:50] = 100.0  # the offset, without noise
    assert shared(pre, post) == 0
    assert stretch_digests(np.full(60, 100.0)) == []


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_movie_of_a_few_frames_is_compared_whole(frames):
    movie = frame_means(6, frames)
    assert len(stretch_digests(movie)) == (frames > 1)
