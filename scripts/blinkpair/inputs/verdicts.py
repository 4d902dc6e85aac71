"""The file of verdicts: nanocrystals that are left out by eye and hand, read and checked.

Columns and ranges are those of `workflow/schemas/verdicts.schema.yaml`. Whether a nanocrystal is
still where a verdict has it is known only once it is found again: see `pairing.verdicts`.

Input: a text table as for `sheet`. Output: its rows, complete; everything that is wrong with it;
and notes on files beside it that are not read.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from blinkpair.inputs.problems import Problem, as_number, listed, nearest, number_hint, shown
from blinkpair.inputs.settings import load_schema
from blinkpair.inputs.sheet_text import read_cells

Row = dict[str, Any]


def examine_verdicts(
    path: str | None, fields: Iterable[str], base_dir: str | Path | None = None
) -> tuple[list[Row], list[Problem], list[str]]:
    """Read the file of verdicts, without raising.

    Parameters
    ----------
    path : str or None
        None: there is none. The default's file need not be there.
    fields : iterable of str
        Names of the sample sheet.
    base_dir : path, optional
        Where a relative path starts; default: the working directory.

    Returns
    -------
    rows : list of dict
        The columns of the schema, with numbers as numbers and '' for what is not given, and `line`.
    problems : list of Problem
        By line.
    notes : list of str
        Files that look like downloads of the report beside it.
    """
    if path is None:
        return [], [], []
    file = Path(base_dir or "", path)
    notes = _unread_beside(path, file)
    if path == load_schema("config")["properties"]["verdicts"]["default"] and not file.exists():
        return [], [], notes
    schema = load_schema("verdicts")
    cells = read_cells(path, base_dir, schema)
    problems = list(cells.problems)

    def add(line: int, column: str, what: str, hint: str) -> None:
        problems.append(Problem(f"{path}, line {line}, column {column}", what, hint, column, line))

    known_fields = list(fields)
    rows: list[Row] = []
    for i, line in enumerate(cells.lines):
        row: Row = {}
        for column, rules in schema["properties"].items():
            text = cells.columns[column][i] if column in cells.columns else ""
            needed = column in cells.required
            row[column], what, hint = _read_cell(column, text, rules, needed, known_fields)
            if what:
                add(line, column, what, hint)
        if row["verdict"] == "leave_out" and not row["why"]:
            add(line, "why", "no reason is given", "write why it is left out")
        rows.append(row | {"line": line})
    _check_once(rows, add)
    return rows, sorted(problems, key=lambda problem: problem.line), notes


def _read_cell(
    column: str, text: str, rules: Mapping[str, Any], needed: bool, fields: list[str]
) -> tuple[Any, str, str]:
    """Return a cell's value, what is wrong with it ('' if nothing) and what to do."""
    if text == "":
        meaning = f"{rules['description'][:1].lower()}{rules['description'][1:]}"
        return "", "no value is given" if needed else "", f"give one: {meaning}"
    if column == "field":
        return _chosen(text, fields, "is not a field of the sample sheet", "correct or remove it")
    if "enum" in rules:
        choices = listed(rules["enum"], "or")
        return _chosen(text.lower(), rules["enum"], "is not one of the verdicts", choices)
    if rules["type"] in ("number", "integer"):
        return _read_number(text, rules)
    if "pattern" in rules:
        return _read_date(text, rules["pattern"])
    if len(text) > rules["maxLength"]:
        what = f"this text has {len(text)} characters, more than {rules['maxLength']}"
        return "", what, "shorten it"
    return text, "", ""


def _chosen(text: str, choices: list[str], what: str, otherwise: str) -> tuple[str, str, str]:
    if text in choices:
        return text, "", ""
    close = nearest(text, choices)
    return "", f"{shown(text)} {what}", f"did you mean {close}?" if close else otherwise


def _read_number(text: str, rules: Mapping[str, Any]) -> tuple[Any, str, str]:
    value, whole = as_number(text), rules["type"] == "integer"
    if value is None or (whole and not value.is_integer()):
        what = f"{shown(text)} is not a {'whole ' if whole else ''}number"
        return "", what, number_hint(text, rules["x-unit"])
    if not rules["minimum"] <= value <= rules["maximum"]:
        what = f"{text} is out of range: {rules['minimum']} to {rules['maximum']}"
        return "", what, "copy it from nanocrystals.csv"
    return (int(value) if whole else value), "", ""


def _read_date(text: str, pattern: str) -> tuple[str, str, str]:
    try:
        if re.fullmatch(pattern, text):
            datetime.date.fromisoformat(text)
            return text, "", ""
    except ValueError:
        pass
    return "", f"{shown(text)} is not a date", "write year-month-day: 2024-06-30"


def _check_once(rows: list[Row], add: Any) -> None:
    """Check that no nanocrystal has two verdicts."""
    first: dict[tuple[Any, Any], int] = {}
    for row in rows:
        key = (row["field"], row["nc_id"])
        before = first.setdefault(key, row["line"])
        if "" not in key and before != row["line"]:
            what = f"nanocrystal {row['nc_id']} of {row['field']} is also on line {before}"
            add(row["line"], "nc_id", what, "remove one of the two lines")


def _unread_beside(path: str, file: Path) -> list[str]:
    """Return a note on each file that a browser saved under another name, since one was there."""
    try:
        beside = sorted(other.name for other in file.parent.iterdir())
    except OSError:
        return []
    copies = [name for name in beside if re.fullmatch(r"verdicts ?\(\d+\)\.csv", name)]
    return [
        f"{file.parent / name} is not read: verdicts are read from {path}. If it is the newer one, "
        "rename it."
        for name in copies
    ]
