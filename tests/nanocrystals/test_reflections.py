"""Second images of the nanocrystals, as of a reflection in a filter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.localisation import pixel_profile
from blinkpair.nanocrystals.projections import project
from blinkpair.nanocrystals.reflections import find_reflection

AWAY_PX, SHARE = np.array([11.0, -7.0]), 0.2


def test_second_images_are_not_in_the_catalogue_and_are_reported():
    rng = np.random.default_rng(5)
    frames, size = 600, 96
    xy = rng.uniform(18, 78, (14, 2))
    on = np.repeat(rng.random((frames // 20, len(xy))) < 0.5, 20, axis=0)
    movie = rng.normal(100, 8, (frames, size, size))
    for places, level in ((xy, 600.0), (xy + AWAY_PX, 600.0 * SHARE)):
        across, down = (pixel_profile(np.arange(size)[:, None] - c, 0.85) for c in places.T)
        movie += level * np.einsum("fn,yn,xn->fyx", on, down, across)
    found = find_nanocrystals(project(from_array(movie.clip(0).astype(np.uint16))))
    away = KDTree(xy).query(found.table[["x", "y"]])[0]
    assert (away > 1.5).sum() <= 1
    assert found.reflection is not None
    assert np.abs(found.reflection.displacement_px - AWAY_PX).max() < 0.3
    assert found.reflection.share == pytest.approx(SHARE, rel=0.25)
    assert "11 px in x and -7 px in y" in found.reflection.remark()


def test_where_there_is_no_reflection_none_is_found():
    """In the light of half of the fields is a step: counts of all rise and fall together."""
    rng = np.random.default_rng(6)
    step = np.where(np.arange(20) < 10, 1.0, 0.5)
    for a, b, light in ((0.5, 1.0, 1.0), (3.0, 0.5, step)):
        for _ in range(25):
            xy = rng.uniform(0, 168, (60, 2))
            on = rng.binomial(6, rng.beta(a, b, (60, 1)), (60, 20))
            counts = on * np.exp(rng.normal(0, 0.8, (60, 1))) * light
            assert find_reflection(xy, counts) is None
