"""The nanocrystals that populations count.

Input: the nanocrystal table, of one treatment. Output: those of its n, and which are independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.blinking.on_fractions import COUNTED
from blinkpair.epochs import EPOCHS
from blinkpair.labels import Temperature, as_bool, text_codes
from blinkpair.statistics.design_effects import Codes, field_codes

# From `shared_movies`, where fields share a movie.
SAME, NUMBER = "same_nanocrystals_as", "nanocrystal"
# From `samples`, where a treatment has several.
SAMPLE = "independent_sample"


@dataclass(frozen=True)
class Group:
    """The nanocrystals of one treatment, ordered so that the rows' order is irrelevant."""

    label: Temperature
    rows: pd.DataFrame
    population: NDArray[np.object_]  # of the n
    delta: FloatArray
    fields: Codes
    numbers: IntArray | None  # which nanocrystal each is, where fields share a movie

    def values(self, name: str) -> FloatArray:
        """Return what the mean is taken of: `mean_delta`, or `fraction_` and a population."""
        if name == "mean_delta":
            return self.delta
        return (self.population == name.removeprefix("fraction_")).astype(float)


def group_of(rows: pd.DataFrame, label: Temperature, ending: str = "") -> Group:
    """Return what is counted of the rows of one treatment; `ending` is that of the columns."""
    counted = is_counted(rows, ending)
    before, after = (
        rows[f"on_fraction_{epoch}{ending}"].to_numpy(float)[counted] for epoch in EPOCHS
    )
    names = rows[f"population{ending}"][counted]
    fields, delta = field_codes(independent_fields(rows[counted])), after - before
    order = np.lexsort((text_codes(names)[0], before, delta, fields))
    return Group(
        label=label,
        rows=rows,
        population=names.astype(object).to_numpy()[order],
        delta=delta[order],
        fields=fields[order],
        numbers=rows[NUMBER].to_numpy()[counted][order] if NUMBER in rows else None,
    )


def independent_fields(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return the field of each nanocrystal.

    Of fields that share a movie, or a sample where these are marked, one name for all.
    """
    names = rows["field"]
    for column in (SAME, SAMPLE):
        if column in rows:
            common = rows[column].astype(object).fillna("").astype(str)
            names = common.where(common != "", names.astype(str))
    return names


def is_counted(rows: pd.DataFrame, ending: str = "") -> BoolArray:
    """Return which rows are in n: analysed, and emissive in an epoch."""
    return as_bool(rows["analysed"]) & rows[f"population{ending}"].isin(COUNTED).to_numpy(bool)
