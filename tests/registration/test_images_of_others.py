"""Images as other people have them: sheets, a field stop, a flipped or binned camera."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from blinkpair.registration.images.images import register_images
from blinkpair.registration.images.mismatch import explained
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate.brightfield import render_brightfield

SIDE = 150
GRID = np.stack(np.meshgrid(*[np.linspace(0, SIDE - 1, 9)] * 2), -1).reshape(-1, 2)
DIAMETER = 7.0


def register(pre, post, diameter_px):
    return register_images(pre, post, diameter_px=diameter_px)


def views():
    """Two views of one random sample, the second a quarter turn further and shifted."""
    rng = np.random.default_rng(1)
    sample = gaussian_filter(rng.normal(size=(250, 250)), 2.5)
    noise = 0.1 * sample.std() * rng.normal(size=(2, SIDE, SIDE))
    return sample[:SIDE, :SIDE] + noise[0], np.rot90(sample[30:180, 40:190] + noise[1])


@cache
def sheet(seed, side_px, turn_deg):
    """Return two images of a sheet of spheres, the second turned and shifted, and its transform.

    Places scatter by 2 % of a diameter and one sphere in a hundred is missing: a wrong vector of
    the lattice matches nearly everywhere.
    """
    rng, diameter, middle = np.random.default_rng(seed), 9.0, side_px / 2
    i, k = np.mgrid[-40:40, -40:40].reshape(2, -1)
    xy = 1.05 * diameter * np.column_stack([i + (k % 2) / 2, k * np.sqrt(3) / 2])
    xy += rng.normal(0, 0.02 * diameter, xy.shape)
    xy = xy[rng.random(len(xy)) > 0.01] + middle
    turn = np.deg2rad(turn_deg)
    true = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    true[:2, 2] = middle - true[:2, :2] @ [middle, middle] + [20, 12]
    images = []
    for places in (xy, apply_matrix(true, xy)):
        seen = places[((places > -15) & (places < side_px + 15)).all(axis=1)]
        images.append(
            render_brightfield(
                (side_px, side_px), seen, diameter_px=diameter, family="rings", defocus=0.7,
                contrast=0.25, sizes=np.ones(len(seen)), rng=rng,
            )
        )  # fmt: skip
    return (*images, true)


# The missing and displaced spheres decide the first; the others may be refused.
@pytest.mark.parametrize(
    ("seed", "side_px", "turn_deg", "decided"),
    [(1, 150, 37, True), (6, 150, 37, False), (3, 110, 37, False)],
)
def test_a_sheet_is_registered_right_or_refused(seed, side_px, turn_deg, decided):
    pre, post, true = sheet(seed, side_px, turn_deg)
    found = register(pre, post, 9.0)
    if found.status == "ok":
        middle = 0.5 * GRID + 0.25 * side_px
        apart = apply_matrix(found.matrix, middle) - apply_matrix(true, middle)
        assert np.hypot(*apart.T).max() < 0.1
    else:
        assert not decided
        assert found.reason.startswith("the spheres lie in a lattice")


@pytest.mark.parametrize(("seed", "other"), [(1, 6), (6, 1)])
def test_sheets_that_share_no_sphere_are_refused(seed, other):
    found = register(sheet(seed, 150, 37)[0], sheet(other, 150, 37)[1], 9.0)
    assert found.status == "failed"
    assert found.reason.startswith("the spheres lie in a lattice")
    # Nothing that other evidence might be added to.
    assert not found.candidates()


def strips(rng):
    """Return an image of eight bright strips, wherever they lie."""
    y, x = np.indices((200, 200))
    image = 0.05 * rng.normal(size=(200, 200))
    for _ in range(8):
        cx, cy, turn = rng.uniform(0, 200), rng.uniform(0, 200), rng.uniform(0, np.pi)
        width, length = rng.uniform(3, 10), rng.uniform(10, 30)
        along = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        across = (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        image += np.exp(-((along / length) ** 2) - (across / width) ** 2)
    return image


@pytest.mark.parametrize("seed", [0, 23, 34])
def test_a_few_strips_show_no_lattice(seed):
    # Any two of them match about as well as two others: without a test of how many do, these are
    # refused as a lattice, as 1 of 36 such pairs still is.
    rng = np.random.default_rng(seed)
    found = register(strips(rng), strips(rng), 9.0)
    assert found.status == "failed"
    assert not found.reason.startswith("the spheres lie in a lattice")


def test_a_black_field_stop_leaves_what_lies_inside():
    y, x = np.indices((SIDE, SIDE))
    # With a soft edge, whose slopes become as small as numbers can be.
    inside = 1 / (1 + np.exp(np.hypot(y - 74.5, x - 74.5) - 69))
    pre, post = (image.min() + inside * (image - image.min()) for image in views())
    found = register(pre, post, DIAMETER)
    assert found.status == "ok", found.reason
    there = np.column_stack([GRID[:, 1] - 30, 189 - GRID[:, 0]])
    assert np.hypot(*(apply_matrix(found.matrix, GRID) - there).T).max() < 0.5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda pre, post: (pre, post[:, ::-1]), "mirror images"),
        (lambda pre, post: (pre, post[::2, ::2]), "pixels after are twice as wide"),
        (lambda pre, post: (pre[::2, ::2], post), "pixels before are twice as wide"),
    ],
)
def test_a_flipped_or_binned_camera_is_named(change, reason):
    pre, post = change(*views())
    found = register(pre, post, DIAMETER)
    assert found.status == "failed"
    why = explained(found, register, pre, post, DIAMETER)
    assert why.status == "failed"
    assert reason in why.reason
    assert not why.candidates()


def test_images_that_share_nothing_keep_their_reason():
    pre, post = views()[0], gaussian_filter(np.random.default_rng(2).normal(size=(SIDE, SIDE)), 2.5)
    found = register(pre, post, DIAMETER)
    assert explained(found, register, pre, post, DIAMETER).reason == found.reason
