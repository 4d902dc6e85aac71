"""What a field's nanocrystals say about the field: columns of `fields.csv`.

Input: the nanocrystal table. Output: a value a field.
"""

from __future__ import annotations

import pandas as pd

from blinkpair.epochs import EPOCHS
from blinkpair.labels import as_bool

UNDETERMINED = "undetermined"  # in `excluded_because`
ALL_OFF = tuple(f"n_frames_all_off_{epoch}" for epoch in EPOCHS)
COLUMNS = ("field", "analysed", "excluded_because", *ALL_OFF)


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
