"""Nanocrystals that moved on the glass between the epochs, farther than they can be paired."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blinkpair.pairing.moved import find_moved

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


def test_nanocrystals_that_moved_are_excluded_and_others_are_not():
    """One that moved is two rows: on average 88 rows changed, 41 are kept, 44 is the truth."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        still = find_moved(field(rng, 0.0))
        assert still.remark == ""
        assert not still.rows.any()
    all_changed, counted, true = [], [], []
    for _ in range(12):
        table = field(rng, 0.2)
        moved = find_moved(table)
        changed = table["detected_pre"] != table["detected_post"]
        assert "moved on the glass" in moved.remark
        all_changed.append(changed.sum())
        counted.append((changed & ~moved.rows).sum())
        true.append(changed.iloc[:150].sum() - (len(table) - 150))
    assert np.mean(all_changed) > 1.7 * np.mean(true)
    assert np.mean(counted) == pytest.approx(np.mean(true), rel=0.25)


@pytest.mark.parametrize("only", ["detected_pre", "detected_post"])
def test_without_nanocrystals_of_one_epoch_nothing_is_excluded(only):
    table = field(np.random.default_rng(4), 0.3)
    for some in (table[table[only]].assign(**{only: True}), table[:0]):
        assert find_moved(some).remark == ""
        assert not find_moved(some).rows.any()
