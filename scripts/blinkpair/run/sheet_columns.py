"""Which columns of the sample sheet, and which of its fields, the results carry on and show.

Input: the checked table of fields. Output: names of columns and fields; the note in figures.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from blinkpair.inputs.columns import CARRIED_COLUMNS, MOVIE_COLUMNS, NOT_CARRIED
from blinkpair.inputs.movie_record import RECORD_COLUMNS
from blinkpair.labels import SIMULATED, is_simulated
from blinkpair.movie.formats.selection import MoviePath
from blinkpair.treatments import TEMPERATURE, TREATMENT

# Columns of a field that the report shows, as far as the sheet has them.
_SHOWN_COLUMNS = [
    "field",
    TEMPERATURE,
    TREATMENT,
    "sample",
    "pixel_size_um",
    "pre_brightfield",
    "post_brightfield",
]


def carried_columns(fields: pd.DataFrame) -> list[str]:
    """Return the columns of the sheet that every nanocrystal's row carries on."""
    known = (*CARRIED_COLUMNS, *NOT_CARRIED, *RECORD_COLUMNS)
    extra = [c for c in fields.columns if c not in known]
    return [*(c for c in CARRIED_COLUMNS if c in fields), *extra]


def field_columns(fields: pd.DataFrame) -> list[str]:
    """Return the columns that the row of a field carries on in `fields.csv`."""
    return [*carried_columns(fields), *RECORD_COLUMNS]


def shown_columns(fields: pd.DataFrame) -> list[str]:
    """Return the columns of a field that the report shows."""
    return [column for column in _SHOWN_COLUMNS if column in fields]


def shared_movies(fields: pd.DataFrame) -> dict[str, list[str]]:
    """Return the movies before and after of the fields that share one with another field.

    Parameters
    ----------
    fields : DataFrame
        Indexed by `field`, with `pre_pl` and `post_pl` as in the sheet.

    Returns
    -------
    dict of str to list of str
        Field to its two movies; a file has one name, whatever the links to it.
    """
    names = pd.DataFrame(
        {column: [_movie_name(path) for path in fields[column]] for column in MOVIE_COLUMNS},
        index=fields.index,
    )
    uses = names.stack().value_counts()
    shared = names.isin(uses.index[uses > 1]).any(axis=1)
    return {str(field): row.tolist() for field, row in names[shared].iterrows()}


def _movie_name(path: str) -> str:
    movie = MoviePath.parse(path)
    return f"{os.path.realpath(movie.file)} {movie.selection.of_recording()}"


def fields_to_show(fields: pd.DataFrame, max_fields: int) -> list[str]:
    """Return the fields whose nanocrystals the report shows one by one, in the sheet's order.

    They are taken in turns from the treatments, so that each has about as many.
    """
    turn = fields.groupby(fields.get(TREATMENT, fields[TEMPERATURE]), sort=False).cumcount()
    chosen = turn.sort_values(kind="stable").index[:max_fields]
    return [name for name in fields.index if name in set(chosen)]


def verdicts_by_field(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the file of verdicts by field, without their lines in the file."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["field"], []).append({k: v for k, v in row.items() if k != "line"})
    return found


def ensemble_note(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the same for the figures of films, by the rows of the ensemble sheet."""
    simulated = [is_simulated(str(row["sample"])) for row in rows]
    if not any(simulated):
        return ""
    return SIMULATED if all(simulated) else f"partly {SIMULATED}"


def figure_note(fields: pd.DataFrame) -> str:
    """Return what is written in every figure: that its data are simulated, by the sheet.

    A field is simulated if its column `sample` is 'simulated'; 'partly simulated' where only
    some are.
    """
    simulated = fields["sample"].map(is_simulated)
    if not simulated.any():
        return ""
    return SIMULATED if simulated.all() else f"partly {SIMULATED}"
