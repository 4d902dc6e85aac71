"""Light that ends within the field: nanocrystals turn into the dark part and out of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from blinkpair.pairing.unlit import unlit_remark

SIZE_PX = 256.0


def field(rng, radius_px: float, missing: float = 0.15) -> pd.DataFrame:
    """Return 80 nanocrystals turned by 100 degrees, lit within a radius, some dark at random."""
    pre = rng.uniform(0, SIZE_PX, (80, 2))
    turn = np.exp(1j * np.radians(100.0))
    turned = ((pre - SIZE_PX / 2) @ [1, 1j]) * turn
    post = np.column_stack([turned.real, turned.imag]) + SIZE_PX / 2
    lit_at = np.array([0.4, 0.55]) * SIZE_PX
    seen = [
        (np.hypot(*(xy - lit_at).T) < radius_px) & (rng.random(80) > missing) for xy in (pre, post)
    ]
    in_view = ((post > 0) & (post < SIZE_PX)).all(axis=1) & (seen[0] | seen[1])
    table = pd.DataFrame(
        {
            "x_pre": pre[:, 0],
            "y_pre": pre[:, 1],
            "x_post": post[:, 0],
            "y_post": post[:, 1],
            "detected_pre": seen[0],
            "detected_post": seen[1],
            "excluded_because": "",
        }
    )
    return table[in_view]


def test_nanocrystals_that_turned_into_a_dark_part_of_the_field_are_reported():
    """Of a control with 3 changed ones of 43, 23 counted as became dark or became emissive."""
    rng = np.random.default_rng(1)
    assert sum(bool(unlit_remark(field(rng, 95.0))) for _ in range(20)) >= 17


def test_nanocrystals_that_are_dark_anywhere_in_the_field_are_not_reported():
    rng = np.random.default_rng(2)
    for missing in (0.15, 0.4):
        assert sum(bool(unlit_remark(field(rng, 1e3, missing))) for _ in range(25)) == 0
