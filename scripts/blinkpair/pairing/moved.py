"""Nanocrystals that moved on the glass, away from the place where they are paired.

One that moved farther than the tolerance is two rows: seen before only, and seen after only. They
would count as one that became dark and one that became emissive. Such rows lie close to each other,
and more of them than by chance show that some moved.

Input: the paired nanocrystals of a field. Output: the rows concerned, and the sentence for the
field's `reason`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.photometry.apertures import OUT_OF_VIEW

REACHES_PX = (4.0, 10.0)  # farther motions are not distinguished from chance
N_SHIFTS = 24  # displaced copies that give the number expected by chance
FEWEST = 4  # such pairs
MAX_CHANCE = 1e-4  # probability of so many by chance
# Chance pairs, of all close ones, above which more would be lost than gained by an exclusion.
MAX_CHANCE_SHARE = 0.25


@dataclass(frozen=True)
class Moved:
    """Result of `find_moved`.

    Attributes
    ----------
    rows : (n,) bool
        Rows to exclude.
    remark : str
        The sentence for the field's `reason`, '' where no more than by chance are close.
    """

    rows: BoolArray
    remark: str


def find_moved(table: pd.DataFrame) -> Moved:
    """Return which rows of `Pairing.table` are nanocrystals that moved.

    Notes
    -----
    The number of nanocrystals seen before only and of those seen after only that are closer than
    one of `REACHES_PX` to each other is compared with that in displaced copies, a Poisson
    distribution. Where nanocrystals cluster, chance pairs are more: as many times more as among
    those seen before, each of which is one row. The less likely one of the reaches decides.
    """
    from scipy.special import pdtrc

    seen = ~table["excluded_because"].isin(OUT_OF_VIEW).to_numpy(bool)
    xy = table[["x_post", "y_post"]].to_numpy(float)
    pre, post = table["detected_pre"].to_numpy(bool), table["detected_post"].to_numpy(bool)
    before, after, all_before = xy[seen & pre & ~post], xy[seen & ~pre & post], xy[seen & pre]
    best, moved = MAX_CHANCE, Moved(np.zeros(len(table), bool), "")
    for reach_px in REACHES_PX:
        close, by_chance = _close(before, after, reach_px)
        all_close, all_by_chance = _close(all_before, all_before, reach_px)
        clustering = (all_close - len(all_before)) / max(all_by_chance, 1.0)
        expected = by_chance * max(clustering, 1.0)
        chance = float(pdtrc(close - 1, expected)) if close >= FEWEST else 1.0
        if chance >= best:
            continue
        certain = expected <= MAX_CHANCE_SHARE * close
        rows = np.zeros(len(table), bool)
        if certain:
            rows[seen & pre & ~post] = _has_near(before, after, reach_px)
            rows[seen & ~pre & post] = _has_near(after, before, reach_px)
        then = (
            "all are excluded as moved"
            if certain
            else "each of these counts as became dark and as became emissive"
        )
        remark = (
            f"{close} pairs of a nanocrystal seen only before and one seen only after are within "
            f"{reach_px:g} px, {expected:.1f} by chance: some moved on the glass, and {then}"
        )
        best, moved = chance, Moved(rows, remark)
    return moved


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


def _has_near(one: FloatArray, other: FloatArray, reach_px: float) -> BoolArray:
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(other).query(one)[0] <= reach_px)
