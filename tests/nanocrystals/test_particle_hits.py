"""Hits of particles are no nanocrystals."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.localisation import pixel_profile
from blinkpair.nanocrystals.particle_hits import without_hits
from blinkpair.nanocrystals.projections import project

SHAPE = (60, 60)
PLACES = np.array([[12.0, 14.0], [40.3, 15.5], [14.6, 44.2], [45.0, 41.0], [29.0, 30.4]])


def movie(frames, rng):
    """Five nanocrystals of 600 counts, on for half of the time in events of 5 to 25 frames."""
    film = rng.normal(200, 15, (frames, *SHAPE))
    for x, y in PLACES:
        image = pixel_profile(np.arange(60) - y, 0.8)[:, None] * pixel_profile(
            np.arange(60) - x, 0.8
        )
        on = np.repeat(np.arange(frames) % 2, rng.integers(5, 26, frames))[:frames]
        film += 600 * on[:, None, None] * image
    return film


@pytest.mark.parametrize("frames", [300, 3000])
def test_tracks_in_single_frames_are_no_nanocrystals(frames):
    rng = np.random.default_rng(3)
    film = movie(frames, rng)
    for at in rng.integers(0, frames, 12):
        x, y = rng.integers(3, 50, 2)
        for step in range(4):
            film[at, y + step // 2, x + step] += rng.uniform(1_000, 10_000)
    found = find_nanocrystals(project(from_array(film.round().astype(np.uint16))))
    places = found.table[["x", "y"]].to_numpy()
    assert len(places) == len(PLACES)
    nearest = np.hypot(*(places[:, None] - PLACES).transpose(2, 0, 1)).min(axis=1)
    assert nearest.max() < 0.3


@pytest.mark.parametrize(("lit", "kept"), [(1, False), (3, True), (30, True), (150, True)])
def test_what_lasts_for_frames_is_no_hit(lit, kept):
    """An event of 100 noises: of one frame it is a hit, of three a nanocrystal."""
    film = np.random.default_rng(4).normal(200, 15, (3000, *SHAPE))
    film[1000 : 1000 + lit, 30, 30] += 1500
    found = project(from_array(film.round().astype(np.uint16)))
    assert (without_hits(found) is found) == kept
