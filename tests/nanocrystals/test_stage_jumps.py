"""Jumps of the stage within a movie: the frame of each, and what is seen twice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.localisation import pixel_profile
from blinkpair.nanocrystals.projections import project
from blinkpair.nanocrystals.stage_jumps import time_jumps

FRAMES, JUMP_PX = 1000, np.array([12.0, -9.0])  # 50 stretches of 20 frames


def jumping_movie(seed, at, counts=500.0):
    """A movie whose stage jumps at frame `at`, and the places of its 25 nanocrystals."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(20, 108, (25, 2))
    on = np.repeat(rng.random((FRAMES // 10, len(xy))) < 0.4, 10, axis=0)
    pixels = np.arange(128)[:, None]
    movie = rng.normal(100, 12, (FRAMES, 128, 128))
    for frames, shift in ((slice(0, at), 0 * JUMP_PX), (slice(at, FRAMES), JUMP_PX)):
        across, down = (pixel_profile(pixels - c, 0.8) for c in (xy + shift).T)
        movie[frames] += counts * np.einsum("fn,yn,xn->fyx", on[frames], down, across)
    return from_array(movie.clip(0).astype(np.uint16)), xy


@pytest.mark.parametrize(("seed", "at"), [(1, 413), (4, 700)])
def test_the_frame_of_a_jump_is_known(seed, at):
    movie, xy = jumping_movie(seed, at)
    found = find_nanocrystals(project(movie))
    untimed, timed = (one.drift.per_frame(FRAMES) for one in (found, time_jumps(movie, found)))
    true = JUMP_PX * (np.arange(FRAMES) >= at)[:, None]
    wrong = [(np.hypot(*(path - true).T) > 1.0).sum() for path in (untimed, timed)]
    # Between stretches of 20 frames it is as far off as the jump is from where they meet.
    assert wrong == [min(at % 20, 20 - at % 20), 0]
    # What one stretch shows at the other place is no nanocrystal, and no pixel of the camera.
    assert not len(found.hot_pixels)
    assert (KDTree(xy).query(found.table[["x", "y"]])[0] > 1.5).sum() == 0


def test_a_jump_that_too_little_light_shows_stays_between_its_stretches():
    movie, _ = jumping_movie(1, 413)
    found = find_nanocrystals(project(movie))
    dark = from_array(np.random.default_rng(1).normal(100, 12, movie.shape).astype(np.uint16))
    same = time_jumps(dark, found)
    assert (same.drift.centre_frame == found.drift.centre_frame).all()
    assert "known to 10 frames" in same.drift.remarks()[0]
    assert not time_jumps(movie, found).drift.remarks()
