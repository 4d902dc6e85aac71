"""Whether nanocrystals moved on the glass, away from the place where they are paired.

One that moved farther than the tolerance is two rows: seen before only, and seen after only. They
would count as one that became dark and one that became emissive. Nothing shows which rows these
are, but how many of the two kinds lie close to each other does.

Input: the paired nanocrystals of a field. Output: the sentence for the field's `reason`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.photometry.apertures import OUT_OF_VIEW

REACHES_PX = (4.0, 10.0)  # farther motions are not distinguished from chance
N_SHIFTS = 24  # displaced copies that give the number expected by chance
FEWEST = 4  # such pairs
MAX_CHANCE = 1e-4  # probability of so many by chance


def moved_remark(table: pd.DataFrame) -> str:
    """Return how many moved, '' where no more than by chance are close to each other.

    Parameters
    ----------
    table : pandas.DataFrame
        `Pairing.table`.

    Notes
    -----
    The number of nanocrystals seen before only and of those seen after only that are closer than
    one of `REACHES_PX` to each other is compared with that in displaced copies, a Poisson
    distribution. Where nanocrystals cluster, chance pairs are more: as many times more as among
    those seen before, each of which is one row.
    """
    from scipy.special import pdtrc

    seen = table[~table["excluded_because"].isin(OUT_OF_VIEW)]
    xy = seen[["x_post", "y_post"]].to_numpy(float)
    pre, post = seen["detected_pre"].to_numpy(bool), seen["detected_post"].to_numpy(bool)
    for reach_px in REACHES_PX:
        close, by_chance = _close(xy[pre & ~post], xy[~pre & post], reach_px)
        all_close, all_by_chance = _close(xy[pre], xy[pre], reach_px)
        clustering = (all_close - pre.sum()) / max(all_by_chance, 1.0)
        expected = by_chance * max(clustering, 1.0)
        if close >= FEWEST and pdtrc(close - 1, expected) < MAX_CHANCE:
            return (
                f"{close} pairs of a nanocrystal seen only before and one seen only after are "
                f"within {reach_px:g} px, {expected:.1f} by chance: some moved on the glass. Each "
                "of these counts as became dark and as became emissive, or is left out as crowded"
            )
    return ""


def _close(one: FloatArray, other: FloatArray, reach_px: float) -> tuple[int, float]:
    """Return the number of pairs closer than `reach_px`, and that expected by chance."""
    from scipy.spatial import cKDTree

    if len(one) == 0 or len(other) == 0:
        return 0, 0.0
    tree = cKDTree(one)
    angles = 2 * np.pi * np.arange(N_SHIFTS) / N_SHIFTS
    shifts = 3 * max(REACHES_PX) * np.column_stack([np.cos(angles), np.sin(angles)])
    displaced = [tree.count_neighbors(cKDTree(other + shift), reach_px) for shift in shifts]
    return int(tree.count_neighbors(cKDTree(other), reach_px)), float(np.mean(displaced))
