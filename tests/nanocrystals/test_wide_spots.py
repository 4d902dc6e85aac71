"""Microspheres that emit are told from nanocrystals by the width of their image."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.projections import project
from blinkpair.simulate import Camera
from blinkpair.simulate.camera import film_block

FRAMES, SIZE = 400, 128


def film(discs, xy, drift, *, psf_sigma_px, seed, late=0):
    """Film blinking nanocrystals, and discs 6 px across that fade to a fifth."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    disc = np.zeros((SIZE, SIZE))
    for x, y in discs:
        disc += 12 * np.clip(3.5 - np.hypot(columns - x, rows - y), 0, 1)
    # On and off for about 20 frames each.
    switches = rng.random((len(xy), FRAMES)) < 0.05
    on = (np.cumsum(switches, axis=1) + rng.integers(0, 2, (len(xy), 1))) % 2
    on[:late, : 3 * FRAMES // 4] = 0  # some are on in the last quarter only
    counts = (on * rng.uniform(150, 600, (len(xy), 1))).astype(np.float32)
    fade = np.linspace(1.0, 0.2, 8)
    return np.concatenate(
        [
            film_block(
                Camera(shape=(SIZE, SIZE)),
                15 + f * disc,
                xy,
                counts,
                drift,
                psf_sigma_px=psf_sigma_px,
                first_frame=k * FRAMES // len(fade),
                frames=FRAMES // len(fade),
                seed=seed,
            )
            for k, f in enumerate(fade)
        ]
    )


def grid(spacing, rng):
    places = np.arange(spacing, SIZE - spacing / 2, spacing)
    return np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2) + rng.uniform(
        -0.5, 0.5, (len(places) ** 2, 2)
    )


def test_microspheres_that_emit_are_wide_and_nanocrystals_are_not():
    rng = np.random.default_rng(1)
    places = rng.permutation(grid(16, rng))
    discs, xy = places[:12], places[12:]
    movie = film(discs, xy, np.zeros((FRAMES, 2)), psf_sigma_px=0.9, seed=1)
    table = find_nanocrystals(project(from_array(movie))).table

    def of(those):
        distance = np.hypot(*(table[["x", "y"]].to_numpy()[:, None] - those).T)
        return table[(distance < 3).any(axis=0)]

    assert len(of(discs)) >= 10
    assert len(of(xy)) > 30
    assert of(discs)["wide"].all()
    assert not of(xy)["wide"].any()


@pytest.mark.parametrize("end_px", [0.7, 2.0])
def test_neither_drift_nor_a_creeping_focus_nor_neighbours_make_a_nanocrystal_wide(end_px):
    rng = np.random.default_rng(2)
    xy = grid(8, rng)  # two fifths of them are left, and a few get a neighbour
    xy = xy[rng.random(len(xy)) < 0.4]
    xy = np.vstack([xy, xy[::4] + np.array([5, 0])])
    drift = np.linspace([0, 0], [2.5, -1.5], FRAMES)
    movie = film([], xy, drift, psf_sigma_px=np.linspace(0.8, end_px, FRAMES), seed=2, late=20)
    table = find_nanocrystals(project(from_array(movie))).table
    assert len(table) > 60
    assert not table["wide"].any()
