"""A diameter given too small or too large: images that look alike are compared with another one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blinkpair.registration.images import images
from blinkpair.registration.images.decision import BY_CHANCE, NOTHING_SHARED, ImageRegistration
from blinkpair.registration.rigid import apply_matrix


@pytest.mark.parametrize(
    ("reason", "level", "accepted", "given", "expected"),
    [
        (BY_CHANCE, 0.01, 2, [8.0, 11.2], 3e-5),
        (BY_CHANCE, 0.01, 3, [8.0, 11.2, 5.714], 3e-5),
        (BY_CHANCE, 0.01, None, [8.0, 11.2, 5.714], 0.2),
        (NOTHING_SHARED, 0.01, 2, [8.0, 11.2], 3e-5),
        # Too small an image for the larger one.
        (BY_CHANCE, 0.01, 2, [15.0, 10.714], 3e-5),
        # Nothing looks alike, or refused for another reason.
        (BY_CHANCE, 0.5, 2, [8.0], 0.2),
        ("ambiguous", 0.01, 2, [8.0], 0.2),
    ],
)
def test_the_level_is_that_of_three_diameters_tried(
    monkeypatch, reason, level, accepted, given, expected
):
    seen = []

    def compared(pair, diameter_px, *, max_chance, **settings):
        seen.append((diameter_px, max_chance))
        failed = ImageRegistration.failed(reason, 0.2)
        found = replace(failed, status="ok", chance_alignments=1e-5)
        return (found if len(seen) == accepted else failed), level

    monkeypatch.setattr(images, "_compared", compared)
    pair = np.random.default_rng(0).normal(size=(2, 100, 100))
    found = images.register_images(*pair, diameter_px=given[0], max_chance_alignments=1e-3)
    assert found.chance_alignments == pytest.approx(expected)
    assert [diameter for diameter, _ in seen] == pytest.approx(given, abs=1e-3)
    assert [limit for _, limit in seen] == pytest.approx([1e-3, 1e-3 / 3, 1e-3 / 3][: len(given)])


def rings(places, diameter, side, rng):
    """Return an image of dark spheres with a bright rim at places (n, 2), with noise."""
    y, x = np.indices((side, side))
    image = rng.normal(0, 0.06, (side, side))
    for place in places:
        r = np.hypot(x - place[0], y - place[1]) / diameter
        image += np.exp(-(((r - 0.45) / 0.14) ** 2)) - 0.8 * np.exp(-((r / 0.31) ** 2))
    return image


def views(seed, side, diameter, turn_deg):
    """Return two images of one sample, the second turned and shifted, and the matrix."""
    rng = np.random.default_rng(seed)
    places = np.empty((0, 2))
    while len(places) < 100:
        new = rng.uniform(-side, 2 * side, 2)
        if (np.hypot(*(places - new).T) > 1.1 * diameter).all():
            places = np.vstack([places, new])
    turn, middle = np.deg2rad(turn_deg), (side - 1) / 2
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    matrix[:2, 2] = np.array([middle + 0.3 * side, middle]) - matrix[:2, :2] @ [middle, middle]
    both = (rings(xy, diameter, side, rng) for xy in (places, apply_matrix(matrix, places)))
    return *both, matrix


@pytest.mark.parametrize("seed", [4, 10, 13])
def test_few_large_spheres_are_registered_with_a_diameter_given_too_large(seed):
    """At 1.4 diameters fewer than three tiles are in view where the images look alike."""
    pre, post, matrix = views(seed, 150, 14.0, 40.0)
    found = images.register_images(pre, post, diameter_px=1.4 * 14.0)
    assert found.status == "ok"
    middle = np.array([[75.0, 75.0]])
    assert np.hypot(*(apply_matrix(found.matrix, middle) - apply_matrix(matrix, middle)).T) < 0.5
