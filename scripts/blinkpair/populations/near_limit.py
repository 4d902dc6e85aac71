"""How many nanocrystals are expected in another population than the one they are counted in.

Near the limit of dark a measured on-fraction may lie on the wrong side of it. The true one is taken
as normally distributed about the best estimate, with its standard error. By the fixed threshold,
whose populations are compared with the same, nanocrystals that its bias moves are among them.

Input: the nanocrystals of one treatment. Output: their expected number.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from blinkpair.blinking.on_fractions import POPULATIONS
from blinkpair.epochs import EPOCHS

COLUMNS = tuple(f"on_fraction_{epoch}_best{ending}" for epoch in EPOCHS for ending in ("", "_se"))
_LEAST_SE = 1e-9
_EMISSIVE_IN = {
    EPOCHS[0]: ("became_dark", "emissive"),
    EPOCHS[1]: ("became_emissive", "emissive"),
}


def expected_elsewhere(rows: pd.DataFrame, dark_cutoff: float) -> float:
    """Return the expected number whose true population is another one; nan if not known.

    Parameters
    ----------
    rows : DataFrame
        Nanocrystals: `population`, and `COLUMNS`. Those without a population do not count.
    dark_cutoff : float
        On-fractions below it are dark, 0..1.
    """
    own = rows[rows["population"].isin(POPULATIONS)]
    if not set(COLUMNS) <= set(own) or own.empty:
        return float("nan")
    right = np.ones(len(own))
    for epoch, names in _EMISSIVE_IN.items():
        value, se = (own[f"on_fraction_{epoch}_best{end}"].to_numpy(float) for end in ("", "_se"))
        above = ndtr((value - dark_cutoff) / np.maximum(se, _LEAST_SE))
        right *= np.where(own["population"].isin(names), above, 1.0 - above)
    # In order: sums of floats depend on it in the last digit.
    return float(np.sort(1.0 - right).sum())
