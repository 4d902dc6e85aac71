"""What images show for an alignment: more than where it is shifted along fringes."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.registration.images.contrast import contrast_of
from blinkpair.registration.images.evidence import ImageEvidence

DIAMETER = 8.0
SIDE = 240
ALONG = np.array([np.cos(0.4), np.sin(0.4)])
PERIOD_PX = 5 * DIAMETER


def turned(angle_deg, shift):
    """3x3 matrix of a turn about the middle, and a shift."""
    angle = np.deg2rad(angle_deg)
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    middle = np.full(2, (SIDE - 1) / 2)
    matrix[:2, 2] = middle - matrix[:2, :2] @ middle + shift
    return matrix


@pytest.mark.parametrize("amplitude", [0.5, 2.0])
def test_fringes_are_no_evidence_where_they_fit_a_period_off(amplitude):
    """They fit as well at any place along them. Amplitude in standard deviations of the noise."""
    y, x = np.indices((SIDE, SIDE))
    fringes = amplitude * np.sin(2 * np.pi * (ALONG[0] * x + ALONG[1] * y) / PERIOD_PX)
    fits = turned(0, PERIOD_PX * ALONG)
    levels = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        pair = [fringes + rng.normal(size=fringes.shape) for _ in range(2)]
        wrong = [turned(rng.uniform(20, 160), rng.uniform(-50, 50, 2)) for _ in range(20)]
        evidence = ImageEvidence.of(
            *(contrast_of(image, DIAMETER, 1.0) for image in pair),
            np.array([fits, *wrong]), DIAMETER, "rigid",
        )  # fmt: skip
        levels += [evidence.probability_near(fits, np.empty((0, 2)))]
        levels += [np.exp(level) for _, level in evidence.ranked(8)]
    assert min(levels) > 0.1
