"""What was done to each field: the sheet's columns `temperature_c` and `treatment` together.

Input: the two columns, and the sheet's other ones. Output: the name of each field's treatment, what
is wrong, and a note on a column that looks as if it held treatments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from blinkpair.inputs.problems import (
    ONLY_SPELLING,
    Problem,
    as_number,
    listed,
    normalised,
    same_to_the_eye,
    shown,
)
from blinkpair.treatments import CONTROL, TEMPERATURE, TREATMENT, temperature_in, treatment_name

# How columns begin in which people write treatments.
LIKE_TREATMENT = (
    *("treat", "condition", "atmosphere", "environment", "gas", "vapo", "humidity", "dose"),
    *("ligand", "solvent", "light", "illumination", "irradiation", "anneal", "soak", "group"),
)


def looks_like_treatment(column: str) -> bool:
    """Return whether a column's name is one that people give to treatments."""
    return normalised(column).startswith(LIKE_TREATMENT)


def read_treatment(text: str, longest: int) -> tuple[str, str, str]:
    """Return the text of a cell of `treatment`, what is wrong ('' if nothing) and a hint."""
    name = " ".join(text.split())
    if name.lower() == CONTROL:
        return CONTROL, "", ""
    if as_number(name) is not None:
        hint = f"write the unit too ({name} min), or degrees C into {TEMPERATURE}"
        return "", f"{shown(name)} is a number alone", hint
    if len(name) > longest:
        hint = "titles of figures have room for no more: choose a shorter one"
        return "", f"this treatment has {len(name)} characters, more than {longest}", hint
    if "{" in name or "}" in name:
        return "", f"{shown(name)} has a curly bracket", "write it without"
    return name, "", ""


def name_treatments(
    columns: Mapping[str, Sequence[str]],
    lines: Sequence[int],
    present: Iterable[str],
    bad: frozenset[tuple[int, str]],
    sheet: str,
) -> tuple[list[str], list[str], list[Problem]]:
    """Return the temperature and the name of the treatment of each row, and what is wrong.

    Parameters
    ----------
    columns : mapping
        The cells of `temperature_c` and `treatment`, '' where not given.
    lines : sequence of int
        The line of each row.
    present : iterable of str
        Columns that the sheet has.
    bad : frozenset of (int, str)
        Cells reported already.
    sheet : str
        For the messages.
    """
    temperatures, names, problems = [], [], []
    spelt: dict[str, tuple[str, int]] = {}
    present = set(present)

    def add(line: int, column: str, what: str, hint: str) -> None:
        problems.append(Problem(f"{sheet}, line {line}, column {column}", what, hint, column, line))

    for line, degrees, text in zip(lines, columns[TEMPERATURE], columns[TREATMENT], strict=True):
        reported = {(line, TEMPERATURE), (line, TREATMENT)} & bad
        if not degrees and not text and TREATMENT in present and not reported:
            add(line, TREATMENT, "no treatment is given", f"give one, {TEMPERATURE}, or {CONTROL}")
        elif degrees and text and (degrees == CONTROL) != (text == CONTROL):
            what = (
                f"{TEMPERATURE} is {shown(degrees)} and {TREATMENT} {shown(text)}: one is control"
            )
            add(line, TREATMENT, what, "leave one of the two cells empty")
        name = treatment_name(text, degrees)
        names.append(name)
        # 'Air' beside 'air', which may have different temperatures, and '100C' beside '100 °C'
        for spelling in dict.fromkeys((text, name)):
            known, first = spelt.setdefault(same_to_the_eye(spelling), (spelling, line))
            if known != spelling:
                what = f"{shown(spelling)} and {shown(known)} (line {first}) {ONLY_SPELLING}"
                add(line, TREATMENT, what, "write both alike, so that they are one treatment")
                break
        temperatures.append(degrees or (CONTROL if name == CONTROL else temperature_in(name)))
    return temperatures, names, problems


def overlooked_treatments(fields: pd.DataFrame, known: Iterable[str], sheet: str) -> list[str]:
    """Return a note for each unknown column that parts fields of one treatment and looks like one.

    Parameters
    ----------
    fields : DataFrame
        As from `sheet.read_fields`.
    known : iterable of str
        The columns that mean something.
    sheet : str
        For the note.
    """
    if TREATMENT in fields:
        return []
    notes = []
    for column in (c for c in fields.columns if c not in set(known) and looks_like_treatment(c)):
        for degrees, rows in fields.groupby(TEMPERATURE, sort=False):
            values = list(dict.fromkeys(text.strip() for text in rows[column]))
            if len(values) > 1:
                notes.append(
                    f"{sheet}, column {column}: the fields of {TEMPERATURE} {degrees} have "
                    f"{listed([shown(v) for v in values[:4]])} here and are analysed as one group. "
                    f"If these are treatments, name the column {TREATMENT}."
                )
                break
    return notes
