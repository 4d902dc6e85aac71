"""Landmarks: places paired by hand in the two brightfield images.

Input: a CSV file with columns x_pre, y_pre, x_post, y_post. Output: an array.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError

COLUMNS = ["x_pre", "y_pre", "x_post", "y_post"]


def read_landmarks(path: str | Path) -> FloatArray:
    """Return landmarks, (n, 4): x, y before and x, y after annealing, pixels.

    Raises
    ------
    InputError
        If a column is missing, a value is no number, or there are fewer than two pairs.
    """
    try:
        table = pd.read_csv(path, sep=None, engine="python", encoding="utf-8-sig")
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"not a readable table ({error})", "save it as CSV", place=path) from error
    table.columns = table.columns.str.strip()
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise InputError(
            f"the column(s) {', '.join(missing)} are missing",
            "write x_pre,y_pre,x_post,y_post as the first line",
            place=path,
        )
    numbers = table[COLUMNS].apply(pd.to_numeric, errors="coerce")
    bad = np.flatnonzero(numbers.isna().any(axis=1))
    if bad.size:
        raise InputError(
            "not four numbers",
            "use a decimal point, and pixels counted from 0",
            place=f"{path}, line {bad[0] + 2}",
        )
    if len(numbers) < 2:
        raise InputError(f"{len(numbers)} landmark(s)", "name two or more", place=path)
    return numbers.to_numpy(float)
