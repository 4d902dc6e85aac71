"""What a field's nanocrystals say about the field: columns of `fields.csv`.

Input: the nanocrystal table. Output: a value a field.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.epochs import EPOCHS
from blinkpair.labels import as_bool

UNDETERMINED = "undetermined"  # in `excluded_because`
MANY_UNDETERMINED = 0.25  # of the nanocrystals of a field: what is left may be no fair sample
ALL_OFF = tuple(f"n_frames_all_off_{epoch}" for epoch in EPOCHS)
PLACE = ("x_pre", "y_pre")
COUNTS = tuple(f"counts_when_on_{epoch}" for epoch in EPOCHS)
COLUMNS = ("field", "analysed", "excluded_because", *ALL_OFF, *PLACE, *COUNTS)
# A slope across the field that one in a thousand unchanged ones shows, and that matters: fixed
# thresholds of a control were 5 to 8 points off where it was a factor of 2 to 3 (simulated).
SLOPE_P, SLOPE_FACTOR = 1e-3, 1.5
MIN_FOR_SLOPE = 10
OUTLIER_SIGMAS = 3.0  # annealing changes the brightness of some; they may not draw the slope


def undetermined_share(nanocrystals: pd.DataFrame) -> pd.Series[float]:
    """Return for each field the share of nanocrystals whose states cannot be determined, 0..1.

    It is the share of those that are analysed or would be. Fields without one are left out.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `analysed`, `excluded_because`.
    """
    undetermined = (nanocrystals["excluded_because"].astype(str) == UNDETERMINED).to_numpy(bool)
    candidates = as_bool(nanocrystals["analysed"]) | undetermined
    shares = pd.Series(undetermined[candidates]).groupby(
        nanocrystals["field"].astype(str).to_numpy()[candidates]
    )
    return shares.mean()


def all_off_remarks(nanocrystals: pd.DataFrame) -> dict[str, str]:
    """Return for each field with frames in which all nanocrystals were off what became of them.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `excluded_because`, `n_frames_all_off_pre` and `_post`.
    """
    remarks: dict[str, list[str]] = {}
    field_of = nanocrystals["field"].astype(str)
    frames = nanocrystals.groupby(field_of)[list(ALL_OFF)].max()
    excluded = set(field_of[nanocrystals["excluded_because"].astype(str) == "all_off"])
    for epoch, column in zip(EPOCHS, ALL_OFF, strict=True):
        for field, n in frames.loc[frames[column] > 0, column].items():
            then = "so none is analysed" if field in excluded else "which were left out"
            remarks.setdefault(str(field), []).append(
                f"{epoch} movie: all nanocrystals are off together in {n:.0f} frames (light off, "
                f"shutter closed, out of focus or out of place), {then}"
            )
    return {field: "; ".join(parts) for field, parts in remarks.items()}


def light_slope_remarks(nanocrystals: pd.DataFrame) -> dict[str, str]:
    """Return for each field where the light fell differently after annealing how much it did.

    The logarithm of counts when on after over before is fitted with a plane. Of a Gaussian beam
    that moved, or below which the sample moved or turned, it is one exactly; what annealing does
    to nanocrystals does not depend on their place.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `analysed`, `x_pre`, `y_pre`, `counts_when_on_pre` and `_post`.
    """
    before, after = (nanocrystals[column].to_numpy(float) for column in COUNTS)
    bright = as_bool(nanocrystals["analysed"]) & (before > 0) & (after > 0)
    bright &= np.isfinite(nanocrystals[list(PLACE)].to_numpy(float)).all(axis=1)
    seen = nanocrystals.loc[bright, list(PLACE)].assign(
        change=np.log(after[bright] / before[bright])
    )
    remarks = {}
    for field, rows in seen.groupby(nanocrystals.loc[bright, "field"].astype(str)):
        xy, change = rows[list(PLACE)].to_numpy(float), rows["change"].to_numpy()
        p, factor = _slope(xy, change)
        if p < SLOPE_P and factor > SLOPE_FACTOR:
            remarks[str(field)] = (
                f"the change of the counts when on is {factor:.1f} times as large on one side of "
                "the field as on the other (the light fell elsewhere on the sample after "
                "annealing): a fixed threshold turns that into changes of on-fractions"
            )
    return remarks


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


REMARKS = (all_off_remarks, light_slope_remarks)
