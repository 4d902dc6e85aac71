"""Checks of files that other rules make during a run, once they are there (`made_by_rules`).

Input: a field's name and the settings, or the record of all movies. Output: the record of the
field's movies, or an error.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd

from blinkpair.errors import InputError
from blinkpair.inputs import movie_record
from blinkpair.inputs.checking import examine_inputs
from blinkpair.inputs.problems import Problem, UnsoundInputError
from blinkpair.inputs.quantities import EXPOSURE, PIXEL_SIZE
from blinkpair.inputs.row_checks import differ
from blinkpair.inputs.sheet import examine_sheet

log = logging.getLogger(__name__)


def check_made_inputs(field: str, settings: Mapping[str, Any]) -> dict[str, str | float]:
    """Check the files of one field once the rules that make them have run.

    Parameters
    ----------
    field : str
        Name of the field in the sample sheet.
    settings : mapping
        As from `settings.load_settings`, with `made_by_rules`.

    Returns
    -------
    dict
        The columns of `movie_record` for this field.

    Raises
    ------
    UnsoundInputError
        Naming every file that is missing, unreadable or does not fit, also where it would only
        refuse the field: a rule that makes such a file has to be mended.
    """
    fields = examine_sheet(settings["fields"]).fields
    row = fields[fields["field"] == field]
    planned, _ = examine_inputs(row, settings)
    ordinary = {**settings, "made_by_rules": False, "on_failed_field": "stop"}
    found, findings = examine_inputs(row, ordinary)
    for quantity in (EXPOSURE, PIXEL_SIZE):
        used, in_file = planned[quantity.column].iloc[0], found[quantity.column].iloc[0]
        if not findings.problems and differ(used, in_file):
            findings.problems.append(
                Problem(
                    f"{settings['fields']}, field {field}",
                    f"{quantity.name} is {in_file:g} {quantity.unit} in the movies and {used:g} "
                    f"{quantity.unit} in the settings, by which the run was planned",
                    f"correct the one that is wrong, or write {quantity.column} into the sheet",
                    quantity.column,
                    int(row.index[0]),
                )
            )
    if findings.problems:
        raise UnsoundInputError(findings.problems)
    for note in findings.notes:
        log.warning(note)
    record = found[list(movie_record.RECORD_COLUMNS)].iloc[0].to_dict()
    return {str(column): value for column, value in record.items()}


def check_equal_lengths(fields: pd.DataFrame) -> None:
    """Check that the movies that rules made have equal lengths.

    A comparison at equal length needs the lengths at the start of a run.

    Parameters
    ----------
    fields : DataFrame
        With the columns of `movie_record`.

    Raises
    ------
    InputError
    """
    if (shortest := movie_record.equal_length_s(fields)) is not None:
        longest = movie_record.lengths_s(fields).max()
        raise InputError(
            f"the movies that were made are {shortest:.4g} to {longest:.4g} s long, and the run "
            "was planned without knowing that (made_by_rules)",
            "make them equally long, or write ::frames=N behind the paths of the longer ones in "
            "the sheet; statistics: equal_length: false compares them as they are",
        )
