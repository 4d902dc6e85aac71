"""Nanocrystals that moved on the glass between the epochs, farther than they can be paired."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blinkpair.pairing.moved import moved_remark

SIZE_PX = 400.0


def field(rng, moved: float) -> pd.DataFrame:
    """Return a table of 150 nanocrystals: 15 % became dark, 15 % emissive, some moved 2 to 8 px."""
    xy = rng.uniform(0, SIZE_PX, (150, 2))
    kind = rng.random(150)
    pre, post = kind > 0.15, kind < 0.85
    moves = pre & post & (rng.random(150) < moved)
    angle, far = rng.uniform(0, 2 * np.pi, 150), rng.uniform(2, 8, 150)
    away = xy + np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1)
    places = np.vstack([xy, away[moves]])
    return pd.DataFrame(
        {
            "x_post": places[:, 0],
            "y_post": places[:, 1],
            "detected_pre": np.append(pre, np.zeros(moves.sum(), bool)),
            "detected_post": np.append(post & ~moves, np.ones(moves.sum(), bool)),
            "excluded_because": "",
        }
    )


def test_nanocrystals_that_moved_are_reported_and_others_are_not():
    """One that moved is two rows, and counted as became dark and as became emissive."""
    rng = np.random.default_rng(3)
    assert sum(bool(moved_remark(field(rng, 0.0))) for _ in range(60)) == 0
    remarks = [moved_remark(field(rng, 0.2)) for _ in range(20)]
    assert sum(map(bool, remarks)) >= 18
    assert "moved on the glass" in remarks[0]


@pytest.mark.parametrize("only", ["detected_pre", "detected_post"])
def test_without_nanocrystals_of_one_epoch_nothing_is_reported(only):
    table = field(np.random.default_rng(4), 0.3)
    assert moved_remark(table[table[only]].assign(**{only: True})) == ""
    assert moved_remark(table[:0]) == ""
