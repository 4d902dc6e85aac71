"""Light that fell differently on a field before and after annealing.

Input: the nanocrystal table. Output: a remark for each field with an uneven change.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.labels import as_bool
from blinkpair.populations.brightness import LEVELS
from blinkpair.populations.field_remarks import TURNED

PLACE = ("x_pre", "y_pre")
COLUMNS = ("field", "analysed", *PLACE, *LEVELS)
# A slope across the field that one in a thousand unchanged ones shows, and that matters: fixed
# thresholds of a control were 5 to 8 points off where it was a factor of 2 to 3 (simulated).
SLOPE_P, SLOPE_FACTOR = 1e-3, 1.5
MIN_FOR_SLOPE = 10
OUTLIER_SIGMAS = 3.0  # annealing changes the brightness of some; they may not draw the slope


def remarks(nanocrystals: pd.DataFrame, fixed: Collection[str]) -> dict[str, str]:
    """Return for each field where the light fell differently after annealing how much it did.

    The logarithm of the on level after over before is fitted with a plane. Of a Gaussian beam
    that moved, or below which the sample moved or turned, it is one exactly; what annealing does
    to nanocrystals does not depend on their place.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `analysed`, `x_pre`, `y_pre`, `on_level_counts_pre` and `_post`. The mean counts of
        frames on would not do: of a dim nanocrystal a threshold passes its bright frames alone.
    fixed : collection of str
        The fields in which a fixed threshold decides between on and off.
    """
    before, after = (nanocrystals[column].to_numpy(float) for column in LEVELS)
    bright = as_bool(nanocrystals["analysed"]) & (before > 0) & (after > 0)
    bright &= np.isfinite(nanocrystals[list(PLACE)].to_numpy(float)).all(axis=1)
    seen = nanocrystals.loc[bright, list(PLACE)].assign(
        change=np.log(after[bright] / before[bright])
    )
    found = {}
    for field, rows in seen.groupby(nanocrystals.loc[bright, "field"].astype(str)):
        xy, change = rows[list(PLACE)].to_numpy(float), rows["change"].to_numpy()
        p, factor = _slope(xy, change)
        if p < SLOPE_P and factor > SLOPE_FACTOR:
            found[str(field)] = (
                f"the change of the on levels is {factor:.1f} times as large on one side of the "
                "field as on the other (the light fell elsewhere on the sample after annealing)"
                f"{TURNED if field in fixed else ''}"
            )
    return found


def _slope(xy: FloatArray, change: FloatArray) -> tuple[float, float]:
    """Return p of the plane through changes at places, and the factor from its end to its end."""
    from scipy.special import fdtrc

    if len(change) < MIN_FOR_SLOPE:
        return 1.0, 1.0
    middle = np.median(change)
    reach = OUTLIER_SIGMAS * 1.4826 * np.median(np.abs(change - middle))
    change = np.clip(change, middle - reach, middle + reach)
    plane = np.column_stack([np.ones(len(xy)), xy - xy.mean(axis=0)])
    fit = plane @ np.linalg.lstsq(plane, change)[0]
    left, dof = np.sum((change - fit) ** 2), len(change) - 3
    explained = np.sum((fit - change.mean()) ** 2) / 2
    return float(fdtrc(2, dof, explained * dof / max(left, 1e-12))), float(np.exp(np.ptp(fit)))
