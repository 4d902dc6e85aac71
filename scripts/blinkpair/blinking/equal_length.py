"""On-fractions of the beginning of a movie, to compare fields whose movies differ in length.

The on-fraction of a nanocrystal that blinks scatters more over 6 s than over 72 s, so that short
movies have more nanocrystals below the dark cutoff, and larger changes, without any annealing.

Input: the states of both epochs. Output: columns of `nanocrystals.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, IntArray
from blinkpair.blinking.on_fractions import classify, on_fraction
from blinkpair.epochs import EPOCHS

ENDING = "_equal_length"
SAME_LENGTH = 1.02  # ratio of the lengths of two movies up to which they are the same


def have_same_length(*rows: Mapping[Any, Any]) -> bool:
    """Return whether the movies of rows of `populations.csv` last equally long, as far as known."""
    names = ("shortest_movie_s", "longest_movie_s")
    ends = [float(row.get(name, np.nan)) for row in rows for name in names]
    known = [end for end in ends if np.isfinite(end)]
    return not known or max(known) <= SAME_LENGTH * min(known)


def equal_length_columns(
    table: pd.DataFrame,
    measured: IntArray,
    states: Mapping[str, BoolArray],
    intensity: Mapping[str, NDArray[np.float32]],
    *,
    frames: int,
    dark_cutoff: float,
) -> pd.DataFrame:
    """Return on-fractions and populations over the first frames of each movie.

    Parameters
    ----------
    table : DataFrame
        One row a nanocrystal: `nc_id`, `analysed`.
    measured : (n,) int
        nc_id of the rows of `states` and `intensity`.
    states, intensity : mapping of (n, frames) arrays
        True where on, and counts, of the epochs 'pre' and 'post'.
    frames : int
        Length to use; of a shorter movie all of it. 0 where no movie is longer than another: the
        columns are then empty.
    dark_cutoff : float
        On-fraction below which a nanocrystal is dark.

    Returns
    -------
    DataFrame
        `on_fraction_pre_equal_length`, `on_fraction_post_equal_length` and
        `population_equal_length`, with the rows of `table`.
    """
    columns = {}
    for epoch in EPOCHS:
        fraction = on_fraction(states[epoch][:, :frames], intensity[epoch][:, :frames])
        own = pd.Series(fraction, index=measured).reindex(table["nc_id"].to_numpy())
        columns[f"on_fraction_{epoch}{ENDING}"] = own.to_numpy()
    before, after = columns.values()
    population = classify(before, after, dark_cutoff, analysed=table["analysed"])
    return pd.DataFrame(columns, index=table.index).assign(
        **{f"population{ENDING}": np.asarray(population)}
    )
