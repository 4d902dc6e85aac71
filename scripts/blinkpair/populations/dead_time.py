"""Time within a frame in which the camera collected no light (read-out, a cycle time, a trigger).

Input: the table of fields. Output: a remark for each field in which it is long, or not the same
before and after.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from blinkpair.epochs import EPOCHS
from blinkpair.populations.field_remarks import TURNED

CAMERA_EXPOSURES = tuple(f"camera_exposure_{epoch}_s" for epoch in EPOCHS)
# Of the time per frame. In simulated traces with 0, 40 and 70 % (720 traces, events from 0.1, 0.3
# and 1 frame on) on-fractions were within 0.004 (root mean square) of those of the whole time.
LONG_DEAD_TIME = 0.2
# Counts of a frame go with the exposure; clocks and rounding differ by less.
SAME_EXPOSURE = 0.02


def remarks(fields: pd.DataFrame, fixed: Collection[str]) -> dict[str, str]:
    """Return for each field a remark on its dead time, where the files hold the exposure.

    Parameters
    ----------
    fields : pandas.DataFrame
        `field`, `exposure_s` (the time per frame), and the columns `CAMERA_EXPOSURES`, s.
    fixed : collection of str
        The fields in which a fixed threshold decides between on and off.
    """
    found: dict[str, str] = {}
    if not set(CAMERA_EXPOSURES) <= set(fields):
        return found
    times = fields[["exposure_s", *CAMERA_EXPOSURES]].apply(pd.to_numeric, errors="coerce")
    for field, frame, pre, post in zip(fields["field"], *times.to_numpy(float).T, strict=True):
        parts = []
        if abs(pre - post) > SAME_EXPOSURE * max(pre, post):
            parts.append(
                f"the camera's exposure is {1000 * pre:.3g} ms before and {1000 * post:.3g} ms "
                f"after: a nanocrystal that did not change has other counts"
                f"{TURNED if field in fixed else ''}"
            )
        shortest = np.fmin(pre, post)
        if shortest < (1 - LONG_DEAD_TIME) * frame:
            parts.append(
                f"the camera collected light for {1000 * shortest:.3g} ms of each frame of "
                f"{1000 * frame:.3g} ms: on-fractions are of the {100 * shortest / frame:.0f} % of "
                "the time that it saw, durations are in whole frames, and events between two "
                "exposures are not seen"
            )
        if parts:
            found[str(field)] = "; ".join(parts)
    return found
