"""Two views of one pattern of points with known truth, for the tests of registration."""

import numpy as np

from blinkpair.registration.rigid import apply_matrix

SIZE = 512
SHAPE = (SIZE, SIZE)
CORNERS = np.array([[0, 0], [511, 0], [0, 511], [511, 511]], dtype=float)


def motion(angle_deg, shift=(0.0, 0.0), scale=1.0):
    """Turn about the middle of the field, then shift."""
    t = np.radians(angle_deg)
    matrix = np.eye(3)
    matrix[:2, :2] = scale * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    matrix[:2, 2] = 255.5 + np.asarray(shift) - matrix[:2, :2] @ [255.5, 255.5]
    return matrix


def views(rng, n, lost=0.0, truth=None, jitter=0.2):
    """Return two views of a sample wider than the field, the truth, the common microspheres."""
    if truth is None:
        truth = motion(rng.uniform(-180, 180), rng.uniform(-60, 60, 2))
    sample = rng.uniform(-SIZE, 2 * SIZE, (9 * n, 2))
    common, found = np.ones(len(sample), dtype=bool), []
    for xy in (sample, apply_matrix(truth, sample)):
        here = ((xy >= 0) & (xy <= 511)).all(axis=1) & (rng.random(len(xy)) >= lost)
        common &= here
        seen = xy[here] + rng.normal(0, jitter, (here.sum(), 2))
        found.append(np.vstack([seen, rng.uniform(0, 511, (rng.binomial(n, lost), 2))]))
    return found[0], found[1], truth, int(common.sum())


def largest_error(matrix, truth):
    return np.hypot(*(apply_matrix(matrix, CORNERS) - apply_matrix(truth, CORNERS)).T).max()
