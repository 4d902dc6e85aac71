"""The same nanocrystals in several fields: rows of fields that share a movie (a series of anneals).

One movie before may belong to several anneals, and one's movie after may be the next one's movie
before. Each such field has a row for the same nanocrystal.

Input: the nanocrystal table and the movies of the fields that share one. Output: a number for each
row, equal for rows of one nanocrystal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.epochs import EPOCHS
from blinkpair.populations.counted import NUMBER, SAME

# Half of the least separation of two nanocrystals by default, px. Places that were mapped from the
# other epoch are off by the error of the registration, some hundredths of a pixel.
SAME_PLACE_PX = 2.0
PLACES = tuple(f"{axis}_{epoch}" for epoch in EPOCHS for axis in "xy")


def first_fields(movies: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return for each field the first of those with which it shares a movie, directly or not.

    Parameters
    ----------
    movies : mapping of str to (str, str)
        As in `number_nanocrystals`, in the order of the sheet.
    """
    first = {field: field for field in movies}
    of_movie: dict[str, str] = {}
    for field, own in movies.items():
        for movie in own:
            other = of_movie.setdefault(movie, field)
            low, high = first[other], first[field]
            if low != high:
                first = {name: low if value == high else value for name, value in first.items()}
    return first


def mark_shared(nanocrystals: pd.DataFrame, movies: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Add the columns by which the tables count nanocrystals of shared movies once.

    Parameters
    ----------
    nanocrystals, movies
        As in `number_nanocrystals`.

    Returns
    -------
    DataFrame
        With `same_nanocrystals_as`, the first field with which a row's field shares a movie, and,
        where the table has the places, `nanocrystal`, from `number_nanocrystals`. Without shared
        movies the table as it is.
    """
    if not movies:
        return nanocrystals
    same = nanocrystals["field"].astype(str).map(first_fields(movies)).fillna("")
    nanocrystals = nanocrystals.assign(**{SAME: same})
    if set(PLACES) <= set(nanocrystals):
        return nanocrystals.assign(**{NUMBER: number_nanocrystals(nanocrystals, movies)})
    return nanocrystals


def number_nanocrystals(
    nanocrystals: pd.DataFrame, movies: Mapping[str, Sequence[str]]
) -> IntArray:
    """Number the nanocrystals of all fields.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a field and nanocrystal: `field`, and `x_pre`, `y_pre`, `x_post`, `y_post` (px), if
        `movies` is not empty.
    movies : mapping of str to (str, str)
        Field to what identifies its movie before and its movie after, for the fields that share
        one.

    Returns
    -------
    ndarray of int, shape (n,)
        Equal for two rows if their places in a movie they share are less than `SAME_PLACE_PX`
        apart.
    """
    numbers = np.arange(len(nanocrystals))
    if not movies:
        return numbers
    from scipy.sparse import coo_array  # few experiments need it
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    rows_of = nanocrystals.groupby("field", observed=True).indices
    at: dict[str, list[tuple[IntArray, FloatArray]]] = defaultdict(list)
    for field, own in movies.items():
        rows = rows_of.get(field, np.zeros(0, np.intp))
        for epoch, movie in zip(EPOCHS, own, strict=True):
            xy = nanocrystals[[f"x_{epoch}", f"y_{epoch}"]].to_numpy(float)[rows]
            seen = np.isfinite(xy).all(axis=1)
            at[movie].append((rows[seen], xy[seen]))
    pairs = [np.zeros((0, 2), np.intp)]
    for parts in at.values():
        rows = np.concatenate([rows for rows, _ in parts])
        field_of = np.repeat(np.arange(len(parts)), [len(rows) for rows, _ in parts])
        tree = cKDTree(np.concatenate([xy for _, xy in parts]))
        near = tree.query_pairs(SAME_PLACE_PX, output_type="ndarray")
        pairs.append(rows[near[field_of[near[:, 0]] != field_of[near[:, 1]]]])
    first, second = np.concatenate(pairs).T
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(numbers),) * 2)
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)
