"""What was left out by hand: how many, of which populations, and the mean change with them.

Leaving out what does not fit can make a result; beside it stands what it would be without.

Input: the nanocrystals of one treatment. Output: columns of its row in `populations.csv`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.blinking.on_fractions import COUNTED, POPULATIONS

LEFT_OUT = "population_left_out"  # of a nanocrystal left out by hand: the one it would be in


def left_out_columns(rows: pd.DataFrame, delta: FloatArray) -> dict[str, Any]:
    """Return `n_left_out`, `n_left_out_POPULATION` and `mean_delta_with_left_out`.

    Parameters
    ----------
    rows : DataFrame
        The nanocrystals of a treatment: `population_left_out`, `on_fraction_pre`,
        `on_fraction_post`. Without the first, nothing was left out.
    delta : (n,) float array
        Changes of those that count.
    """
    own = rows[LEFT_OUT].astype(object) if LEFT_OUT in rows else pd.Series("", rows.index)
    columns: dict[str, Any] = {"n_left_out": int(own.isin(POPULATIONS).sum())}
    columns |= {f"n_left_out_{name}": int((own == name).sum()) for name in POPULATIONS}
    counted = own.isin(COUNTED).to_numpy(bool)
    change = (rows["on_fraction_post"] - rows["on_fraction_pre"]).to_numpy(float)[counted]
    together = np.sort(np.concatenate([delta, change]))
    columns["mean_delta_with_left_out"] = (
        float(together.mean()) if columns["n_left_out"] and together.size else float("nan")
    )
    return columns
