"""Whether a spoilt field came out as it must."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from tests.bad_input.cases import FieldCase

COUNTED = ["became_emissive", "became_dark", "emissive"]
# Of 200 frames one that is odd, and one whose counts lie at the threshold: 0.005 each.
SAME_ON_FRACTION = 0.0101
SAME_PLACE_PX = 0.5
MORE_DARK = 1  # that were found where nothing is


def judge(case: FieldCase, fields: pd.DataFrame, nanocrystals: pd.DataFrame) -> str:
    """Return what is wrong with a field's results; '' if nothing is.

    Parameters
    ----------
    case : FieldCase
        That does not stop the run.
    fields, nanocrystals : pandas.DataFrame
        `fields.csv`, indexed by `field`, and `nanocrystals.csv`; with the field 'sound'.
    """
    status, reason = fields.loc[case.field, ["status", "reason"]]
    if case.outcome == "refused":
        if status == "ok":
            return "it was not refused"
        if case.field in set(nanocrystals["field"]):
            return "it was refused and has nanocrystals"
        told = re.search(case.says, reason) and "Traceback" not in reason
        return "" if told else f"its reason is another: {reason}"
    if status != "ok":
        return f"it was refused: {reason}"
    if case.outcome == "excluded":
        own = nanocrystals[nanocrystals["field"] == case.field]
        because = set(own["excluded_because"].fillna(""))
        return "" if case.says in because and "" not in because else f"excluded by {because}"
    counted = nanocrystals[nanocrystals["population"].isin(COUNTED)]
    own, sound = (counted[counted["field"] == name] for name in (case.field, "sound"))
    if len(own) != len(sound):
        return f"{len(own)} nanocrystals, not {len(sound)}"
    dark = nanocrystals[nanocrystals["population"] == "dark"]["field"]
    if (dark == case.field).sum() > (dark == "sound").sum() + MORE_DARK:
        return f"{(dark == case.field).sum()} dark nanocrystals, not {(dark == 'sound').sum()}"
    place = ["x_post", "y_post"]
    distance, match = cKDTree(sound[place]).query(own[place])
    same = sound.iloc[match]
    change = own["delta_on_fraction"].to_numpy() - same["delta_on_fraction"].to_numpy()
    if distance.max() > SAME_PLACE_PX:
        return f"a nanocrystal lies {distance.max():.2f} px off"
    if own["population"].tolist() != same["population"].tolist():
        return "the populations differ"
    worst = np.abs(change).max()
    return "" if worst <= SAME_ON_FRACTION else f"an on-fraction's change differs by {worst:.3f}"
