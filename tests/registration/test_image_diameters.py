"""A diameter given too small: images refused by a narrow margin are compared with a larger one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blinkpair.registration.images import images
from blinkpair.registration.images.decision import BY_CHANCE, ImageRegistration


@pytest.mark.parametrize(
    ("first", "reason", "given", "expected"),
    [
        (0.01, BY_CHANCE, [8.0, 11.2], 2e-5),
        # Far from a registration, refused for another reason, or too small an image.
        (0.5, BY_CHANCE, [8.0], 0.5),
        (0.01, "ambiguous", [8.0], 0.01),
        (0.01, BY_CHANCE, [15.0], 0.01),
    ],
)
def test_the_level_is_that_of_two_diameters_tried(monkeypatch, first, reason, given, expected):
    seen = []

    def compared(pair, diameter_px, *, max_chance, **settings):
        seen.append((diameter_px, max_chance))
        failed = ImageRegistration.failed(reason, first)
        return failed if len(seen) == 1 else replace(failed, status="ok", chance_alignments=1e-5)

    monkeypatch.setattr(images, "_compared", compared)
    pair = np.random.default_rng(0).normal(size=(2, 100, 100))
    found = images.register_images(*pair, diameter_px=given[0], max_chance_alignments=1e-3)
    assert found.chance_alignments == pytest.approx(expected)
    assert [diameter for diameter, _ in seen] == pytest.approx(given)
    assert [level for _, level in seen] == pytest.approx([1e-3, 5e-4][: len(given)])
