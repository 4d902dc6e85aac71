"""Second images of the nanocrystals, as of a reflection in a filter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import KDTree

from blinkpair.errors import InputError
from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.localisation import pixel_profile
from blinkpair.nanocrystals.projections import project
from blinkpair.nanocrystals.reflections import find_reflection

AWAY_PX, SHARE = np.array([11.0, -7.0]), 0.2


def doubled(rng, xy, away_px, share, shape):
    """Return the projections of nanocrystals that blink and of their second images."""
    frames, (height, width) = 600, shape
    on = np.repeat(rng.random((frames // 20, len(xy))) < 0.5, 20, axis=0)
    movie = rng.normal(100, 8, (frames, height, width))
    for places, level in ((xy, 600.0), (xy + away_px, 600.0 * share)):
        across = pixel_profile(np.arange(width)[:, None] - places[:, 0], 0.85)
        down = pixel_profile(np.arange(height)[:, None] - places[:, 1], 0.85)
        movie += level * np.einsum("fn,yn,xn->fyx", on, down, across)
    return project(from_array(movie.clip(0).astype(np.uint16)))


def test_second_images_are_not_in_the_catalogue_and_are_reported():
    rng = np.random.default_rng(5)
    xy = rng.uniform(18, 78, (14, 2))
    found = find_nanocrystals(doubled(rng, xy, AWAY_PX, SHARE, (96, 96)))
    away = KDTree(xy).query(found.table[["x", "y"]])[0]
    assert (away > 1.5).sum() <= 1
    assert found.reflection is not None
    assert np.abs(found.reflection.displacement_px - AWAY_PX).max() < 0.3
    assert found.reflection.share == pytest.approx(SHARE, rel=0.25)
    assert "11 px in x and -7 px in y" in found.reflection.remark()


@pytest.mark.parametrize(
    ("away_px", "share", "why"),
    [((64.0, 0.0), 0.3, "side by side"), ((64.0, 0.0), 1.0, "twice"), ((9.0, 6.0), 0.8, "twice")],
    ids=["two colours side by side", "two equal halves", "a double image"],
)
def test_a_movie_that_shows_all_nanocrystals_twice_is_refused(away_px, share, why):
    """Each was counted twice, or as dark where it turned into the other colour."""
    rng = np.random.default_rng(8)
    xy = rng.uniform(4, 60, (16, 2))
    found = find_nanocrystals(doubled(rng, xy, np.array(away_px), share, (64, 128)))
    with pytest.raises(InputError, match=f"a.tif: .*{why}"):
        found.reflection.refuse_twice("a.tif")


def test_nanocrystals_that_are_found_twice_are_no_double_image():
    """As in a crowded field, before such fits are merged."""
    rng = np.random.default_rng(9)
    xy = rng.uniform(0, 168, (60, 2))
    counts = rng.binomial(6, rng.beta(0.5, 1.0, (60, 1)), (60, 20)) * 1.0
    again = np.r_[xy, xy[:12] + rng.uniform(-0.5, 0.5, (12, 2))]
    assert find_reflection(again, np.r_[counts, counts[:12]]) is None


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


def test_a_reflection_beside_the_nanocrystals_is_no_second_channel():
    """It lies among them, and few lie where it cannot: a field must not be refused for that."""
    rng = np.random.default_rng(7)
    for _ in range(25):
        xy = rng.uniform(0, 150, (40, 2))
        on = rng.binomial(6, rng.beta(0.5, 1, (40, 1)), (40, 20)) + rng.normal(0, 0.03, (40, 20))
        second = xy + rng.uniform(-25, 25, 2)
        seen = ((second > 0) & (second < 150)).all(axis=1) & (on.mean(axis=1) > 0.5)
        found = find_reflection(np.vstack([xy, second[seen]]), np.vstack([on, 0.25 * on[seen]]))
        assert found is not None
        assert not found.side_by_side
