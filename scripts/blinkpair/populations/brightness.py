"""How bright the nanocrystals of a field are after annealing, relative to before.

Another objective, filter, laser, gain or focus changes all by one factor. So may the treatment,
which fields of a control do not have.

Input: the nanocrystal table. Output: columns of `fields.csv`, and a remark for each field in which
the factor is far from 1.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from blinkpair.epochs import EPOCHS
from blinkpair.labels import as_bool
from blinkpair.populations.field_remarks import TURNED

LEVELS = tuple(f"on_level_counts_{epoch}" for epoch in EPOCHS)
COLUMNS = ("field", "analysed", "population", *LEVELS)
RATIO, RATIO_SE = "brightness_ratio", "brightness_ratio_se"
LEAST_NANOCRYSTALS = 5  # of fewer the median absolute deviation is no error to rely on
# A spot that is 0.9 px wide after 0.8 px has 0.92 times the light in the aperture. A quarter more
# or less is another instrument or treatment, and moves a fixed threshold by as much.
FACTOR, SURE_ERRORS = 1.25, 3.0


def brightness_ratios(nanocrystals: pd.DataFrame) -> pd.DataFrame:
    """Return the ratio of on levels after to before, by field.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        `brightness_ratio`, the median over the nanocrystals that are emissive in both; its standard
        error `brightness_ratio_se`, from the median absolute deviation of logarithms (of a normal
        distribution the median scatters by 1.25 times as much as the mean); `n`. Fields with
        fewer than `LEAST_NANOCRYSTALS` are left out.
    """
    before, after = (nanocrystals[column].to_numpy(float) for column in LEVELS)
    both = as_bool(nanocrystals["analysed"]) & (before > 0) & (after > 0)
    both &= (nanocrystals["population"].astype(str) == "emissive").to_numpy(bool)
    changes = pd.Series(np.log(after[both] / before[both]))
    groups = changes.groupby(nanocrystals["field"].astype(str).to_numpy()[both])
    middle, n = groups.median(), groups.count()
    spread = groups.agg(lambda own: 1.4826 * (own - own.median()).abs().median())
    ratio = np.exp(middle)
    found = pd.DataFrame(
        {RATIO: ratio, RATIO_SE: ratio * np.sqrt(np.pi / 2) * spread / np.sqrt(n), "n": n}
    )
    return found[found["n"] >= LEAST_NANOCRYSTALS]


def remarks(ratios: pd.DataFrame, fixed: Collection[str]) -> dict[str, str]:
    """Return for each field whose brightness changed by a factor of `FACTOR` or more by how much.

    Parameters
    ----------
    ratios : pandas.DataFrame
        From `brightness_ratios`.
    fixed : collection of str
        The fields in which a fixed threshold decides between on and off.
    """
    change = np.abs(np.log(ratios[RATIO]))
    far = (change > np.log(FACTOR)) & (change > SURE_ERRORS * ratios[RATIO_SE] / ratios[RATIO])
    return {
        str(field): (
            f"the nanocrystals are {row[RATIO]:.2f} times as bright after as before (median of "
            f"{row['n']:.0f} on levels, standard error {row[RATIO_SE]:.1g}): another light, gain, "
            "filter or focus, or the treatment (compare with a control)"
            f"{TURNED if field in fixed else ''}"
        )
        for field, row in ratios[far].iterrows()
    }
