"""A sample that is elsewhere for a moment, as when somebody touches the table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.excursions import follow_excursions
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.localisation import pixel_profile
from blinkpair.nanocrystals.projections import project
from blinkpair.nanocrystals.stage_jumps import time_jumps

FRAMES, AWAY_PX = 600, np.array([5.0, -4.0])  # 30 stretches of 20 frames


@pytest.mark.parametrize(("first", "length"), [(300, 20), (247, 16), (351, 45)])
def test_a_sample_that_is_away_for_a_moment_is_followed(first, length):
    rng = np.random.default_rng(first)
    xy = rng.uniform(16, 80, (12, 2))
    on = np.repeat(rng.random((FRAMES // 10, len(xy))) < 0.5, 10, axis=0)
    away = (np.arange(FRAMES) >= first) & (np.arange(FRAMES) < first + length)
    # Each pixel of the camera has an offset of its own, half as large as the noise of a stretch.
    movie = rng.normal(100, 12, (FRAMES, 96, 96)) + rng.normal(0, 1.3, (96, 96))
    for frames, shift in ((~away, 0.0), (away, AWAY_PX)):
        across, down = (pixel_profile(np.arange(96)[:, None] - c, 0.85) for c in (xy + shift).T)
        movie[frames] += 400 * np.einsum("fn,yn,xn->fyx", on[frames], down, across)
    recorded = from_array(movie.clip(0).astype(np.uint16))
    found = time_jumps(recorded, find_nanocrystals(project(recorded)))
    error = found.drift.per_frame(FRAMES) - AWAY_PX * away[:, None]
    # Counts of a place that is missed by more than a pixel are too small.
    assert (np.hypot(*error.T) > 1.0).sum() <= 1
    second = KDTree(found.table[["x", "y"]]).query(np.vstack([xy + AWAY_PX, xy - AWAY_PX]))[0]
    near_another = KDTree(xy).query(np.vstack([xy + AWAY_PX, xy - AWAY_PX]))[0] < 3
    assert not ((second < 1.5) & ~near_another).any()


@pytest.mark.parametrize(("lit", "kept"), [(False, False), (True, True)])
def test_what_the_correlation_finds_is_a_motion_only_where_nanocrystals_are(lit, kept):
    """Five nanocrystals; in stretch 14 of 30 they are dark, or all of them 12 px away."""
    rng = np.random.default_rng(4)
    xy, away = rng.uniform(30, 90, (5, 2)), np.array([12.0, 3.0])
    flat = rng.normal(0, 2.0, (30, 120, 120)).astype(np.float32)
    amplitude = np.full((5, 30), 150.0)
    amplitude[:, 14] = 0.0
    for s, image in enumerate(flat):
        for x, y in (xy + away * (s == 14)) if s != 14 or lit else ():
            image += 150 * np.outer(*(pixel_profile(np.arange(120) - at, 0.9) for at in (y, x)))
    drift = np.zeros((30, 2))
    drift[14] = away
    path, followed = follow_excursions(flat, xy, amplitude, drift, psf_sigma_px=0.9)
    assert np.flatnonzero(followed).tolist() == [14] * kept
    assert np.abs(path[14] - away * kept).max() < 0.6
