"""A registered field, for the tests of its figure."""

import numpy as np
import pytest

from blinkpair.figures.registration import EpochView


@pytest.fixture(scope="module")
def field():
    """Two images of the same five microspheres, turned by 30 degrees, one more before."""
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, np.array([64, 64]) - turn @ [64, 64] + [4, -3]
    pre = np.array([[40, 50], [80, 60], [60, 90], [70, 40], [55, 65], [90, 90]], dtype=float)
    post = pre @ turn.T + matrix[:2, 2]
    y, x = np.mgrid[:128, :128]

    def image(points, contrast):
        drawn = [np.exp(-((x - a) ** 2 + (y - b) ** 2) / 8) for a, b in points]
        return 1000 + contrast * np.sum(drawn, axis=0)

    pairs = np.column_stack([np.arange(5), np.arange(5)])
    registered = {"status": "ok", "rms_px": 0.12, "chance_alignments": 1e-6}
    registered |= {"matrix": matrix, "matrix_brightfield": matrix}
    registered |= {"microsphere_pairs": pairs, "nanocrystal_pairs": pairs}
    return {
        "pre": EpochView(image(pre, 300), microspheres=pre, nanocrystals=pre),
        "post": EpochView(image(post[:5], -200), microspheres=post[:5], nanocrystals=post[:5]),
        "registration": registered,
    }
