"""Nanocrystals that are left out by hand, found again by their place.

Nanocrystals are numbered anew when a movie or a setting changes, so that a verdict belongs to the
nanocrystal at its place, whatever the number. Where none is near enough the verdict is refused.

Input: the nanocrystals of a field, and verdicts with the places they were made at. Output: the
table with those left out, and what became of each verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.arrays import IntArray
from blinkpair.labels import BY_HAND
from blinkpair.pairing.matching import match_points

# Found again with other settings, a nanocrystal moves by a few tenths of a pixel, and a place that
# was mapped from the other epoch by the error of the registration. Others are 2 px away or more.
MAX_DISTANCE_PX = 1.5
LEFT_OUT, ALREADY, REFUSED = "left_out", "already_excluded", "refused"
ADDED = ("outcome", "reason", "nc_id_found", "distance_px", "population_left_out")
COLUMNS = ("field", "nc_id", "x_pre", "y_pre", "verdict", "why", "by", "date")

Verdict = Mapping[str, Any]


def match_verdicts(table: pd.DataFrame, verdicts: Sequence[Verdict]) -> IntArray:
    """Return the row of the table that each verdict is of; -1 where it is of none.

    Parameters
    ----------
    table : DataFrame
        `x_pre`, `y_pre` of the nanocrystals of one field, in pixels.
    verdicts : sequence of mapping
        The same of each verdict. A nanocrystal has one at most: the nearer.
    """
    rows = np.full(len(verdicts), -1)
    if len(table) and len(verdicts):
        judged = np.array([(verdict["x_pre"], verdict["y_pre"]) for verdict in verdicts], float)
        places = table[["x_pre", "y_pre"]].to_numpy(float)
        pairs = match_points(judged, places, np.full(len(judged), MAX_DISTANCE_PX))
        rows[pairs[:, 0]] = pairs[:, 1]
    return rows


def leave_out(table: pd.DataFrame, verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return the table of places with a column `verdict`, those judged excluded.

    Parameters
    ----------
    table : DataFrame
        From `places.pair_nanocrystals`. What is excluded already keeps its reason.
    verdicts : sequence of mapping
        Of the field.
    """
    rows = match_verdicts(table, verdicts)
    kinds = pd.Series("", table.index, dtype=object)
    for verdict, row in zip(verdicts, rows, strict=True):
        if row >= 0:
            kinds.iloc[row] = verdict["verdict"]
    judged = (kinds != "") & table["analysed"].astype(bool)
    because = table["excluded_because"].mask(judged, BY_HAND)
    return table.assign(
        excluded_because=because, analysed=table["analysed"].astype(bool) & ~judged, verdict=kinds
    )


def verdict_outcomes(
    tables: Mapping[str, pd.DataFrame], verdicts: Mapping[str, Sequence[Verdict]]
) -> pd.DataFrame:
    """Return one row a verdict: the verdict, and what became of it.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        `nanocrystals.csv` of each field that has verdicts; no rows if the field was refused.
    verdicts : mapping of str to sequence of mapping
        Those of each field.

    Returns
    -------
    DataFrame
        `COLUMNS`, then `outcome` (left_out, already_excluded, refused), `reason` (of the last
        two, or that the number changed), `nc_id_found`, `distance_px` (from the place of the
        verdict), `population_left_out` (which it would be in).
    """
    found = []
    for field, own in verdicts.items():
        table = tables[field]
        for verdict, row in zip(own, match_verdicts(table, own), strict=True):
            as_written = {name: verdict[name] for name in COLUMNS}
            found.append(as_written | _outcome(table, verdict, int(row)))
    outcomes = pd.DataFrame(found, columns=[*COLUMNS, *ADDED])
    return outcomes.astype({"nc_id_found": "Int64"})


def _outcome(table: pd.DataFrame, verdict: Verdict, row: int) -> dict[str, Any]:
    if row < 0:
        why = _why_refused(table, verdict)
        return dict(zip(ADDED, (REFUSED, why, pd.NA, float("nan"), ""), strict=True))
    nanocrystal = table.iloc[row]
    number, because = int(nanocrystal["nc_id"]), str(nanocrystal["excluded_because"])
    outcome, reason = LEFT_OUT, ""
    if because != BY_HAND:
        outcome, reason = ALREADY, because
    elif number != verdict["nc_id"]:
        reason = f"its number was {verdict['nc_id']}"
    distance_px = float(_distances(table, verdict)[row])
    population = nanocrystal["population_left_out"]
    return dict(zip(ADDED, (outcome, reason, number, distance_px, population), strict=True))


def _distances(table: pd.DataFrame, verdict: Verdict) -> Any:
    return np.hypot(table["x_pre"] - verdict["x_pre"], table["y_pre"] - verdict["y_pre"]).to_numpy()


def _why_refused(table: pd.DataFrame, verdict: Verdict) -> str:
    if not len(table):
        return "the field has no nanocrystals"
    distances = _distances(table, verdict)
    nearest = int(np.argmin(distances))
    number = table["nc_id"].iloc[nearest]
    if distances[nearest] <= MAX_DISTANCE_PX:
        return f"nanocrystal {number}, the nearest, has another verdict that is closer"
    return (
        f"no nanocrystal is within {MAX_DISTANCE_PX:g} px of the place; the nearest, {number}, is "
        f"{distances[nearest]:.1f} px away"
    )
