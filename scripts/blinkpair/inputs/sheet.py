"""The sample sheet: one row a field, read and checked.

Columns and ranges are those of `workflow/schemas/fields.schema.yaml`; `sheet_text` does the
splitting into cells.

Input: a text table with tabs, commas or semicolons, as an editor or a spreadsheet program saves
it. Output: a table of clean values, one row a field, indexed by the line each came from; or one
error that lists every slip with its line and column.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from blinkpair.errors import InputError
from blinkpair.inputs.problems import (
    ONLY_SPELLING,
    Problem,
    UnsoundInputError,
    as_number,
    nearest,
    number_hint,
    same_to_the_eye,
    shown,
)
from blinkpair.inputs.settings import load_schema
from blinkpair.inputs.shared_files import find_shared_files
from blinkpair.inputs.sheet_text import Cells, read_cells
from blinkpair.inputs.sheet_treatments import name_treatments, read_treatment
from blinkpair.inputs.spelling import path_on_disk
from blinkpair.labels import CONTROL, is_annealing, temperature_label
from blinkpair.movie.formats.selection import MoviePath
from blinkpair.treatments import TEMPERATURE, TREATMENT

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True)
class Sheet:
    """A sample sheet as far as it could be read.

    Attributes
    ----------
    fields : DataFrame
        As `read_fields` returns it; cells that are no good are empty or NaN.
    problems : tuple of Problem
        Everything that is wrong, by line.
    bad_cells : frozenset of (int, str)
        Line and column of the cells that are no good, so that later checks do not
        complain of what follows from them.
    """

    fields: pd.DataFrame
    problems: tuple[Problem, ...]
    bad_cells: frozenset[tuple[int, str]]


def read_fields(path: str | Path, base_dir: str | Path | None = None) -> pd.DataFrame:
    """Read and check a sample sheet.

    Parameters
    ----------
    path : path
        The sheet: UTF-8, separated by tabs, commas or semicolons.
    base_dir : path, optional
        Where relative paths start; default: the working directory.

    Returns
    -------
    DataFrame
        One row a field in the sheet's order; the index (`sheet_line`) is its
        1-based line. Columns: `field`; `temperature_c` as text, '70', '70.5' or
        'control', '' where there is only a treatment; `treatment`, the name
        of what was done, only where it is more than a temperature for some; the
        four paths as written; `sample` and `landmarks`, '' where not given;
        `exposure_s` and `pixel_size_um` as float, NaN where not given; then the
        unknown columns, untouched, as text.

    Raises
    ------
    UnsoundInputError
        Naming every problem.
    """
    sheet = examine_sheet(path, base_dir)
    base = str(base_dir or "")

    def identity(file: str) -> str:  # a Path would take half a second more for 10,000 fields
        return os.path.normpath(os.path.join(base, file))  # noqa: PTH118

    shared, _ = find_shared_files(sheet.fields, path, identity)
    if problems := [*sheet.problems, *shared]:
        raise UnsoundInputError(sorted(problems, key=lambda p: p.line))
    return sheet.fields


def examine_sheet(
    path: str | Path,
    base_dir: str | Path | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Sheet:
    """Read a sample sheet without raising; files shared by fields are not looked for.

    Parameters
    ----------
    path, base_dir
        As for `read_fields`.
    schema : mapping, optional
        Of a row, like `workflow/schemas/fields.schema.yaml`, which is the default.

    Returns
    -------
    Sheet
    """
    schema = schema or load_schema("fields")
    cells = read_cells(path, base_dir, schema)
    schema = schema["properties"]
    problems = list(cells.problems)
    bad: set[tuple[int, str]] = set()
    columns: dict[str, list[Any]] = {}
    for column in [*schema, *(c for c in cells.columns if c not in schema)]:
        texts = cells.columns.get(column, [""] * len(cells.lines))
        empty_is_bad = column in cells.required
        values: list[Any] = []
        for line, text in zip(cells.lines, texts, strict=True):
            value, what, hint = _read_cell(column, text, schema, empty_is_bad, base_dir)
            values.append(value)
            if what:
                place = f"{path}, line {line}, column {column}"
                problems.append(Problem(place, what, hint, column, line))
                bad.add((line, column))
        columns[column] = values
    if {TEMPERATURE, TREATMENT} <= set(columns):
        named = name_treatments(columns, cells.lines, cells.columns, frozenset(bad), str(path))
        columns[TEMPERATURE], columns[TREATMENT], wrong = named
        problems += wrong
        if is_annealing(name for name in columns[TREATMENT] if name):
            del columns[TREATMENT]
    for name, rules in schema.items():
        if rules.get("x-kind") == "name":
            problems += _repeated_names(cells, name, columns[name], path)
    if "sample" in columns:
        problems += _samples_spelt_otherwise(cells, columns["sample"], path)
    index = pd.Index(cells.lines, name="sheet_line", dtype="int64")
    numbers = [name for name, rules in schema.items() if rules.get("type") == "number"]
    fields = pd.DataFrame(
        {
            name: pd.array(v, dtype=float if name in numbers else "str")
            for name, v in columns.items()
        },
        index=index,
    )
    return Sheet(fields, tuple(sorted(problems, key=lambda p: p.line)), frozenset(bad))


def _read_cell(
    column: str,
    text: str,
    schema: Mapping[str, Any],
    empty_is_bad: bool,
    base_dir: str | Path | None,
) -> tuple[Any, str, str]:
    """Return a cell's value, what is wrong with it ('' if nothing) and what to do."""
    if column not in schema:
        return text, "", ""
    rules = schema[column]
    number = rules.get("type") == "number"
    if text == "":
        what = "no value is given" if empty_is_bad else ""
        hint = f"give one: {rules['description'][:1].lower()}{rules['description'][1:]}"
        return (float("nan") if number else ""), what, hint
    kind = rules.get("x-kind", "")
    if kind == "name":
        return text, *_judge_name(text, rules)
    if kind == "temperature":
        return _read_temperature(text, rules)
    if kind == TREATMENT:
        return read_treatment(text, rules["maxLength"])
    if number:
        value = as_number(text)
        if value is None:
            return (
                float("nan"),
                f"{shown(text)} is not a number",
                number_hint(text, rules["x-unit"]),
            )
        if value <= rules["exclusiveMinimum"] or value > rules["maximum"]:
            what = (
                f"{text} is out of range: it must be above {rules['exclusiveMinimum']} and at "
                f"most {rules['maximum']}"
            )
            return float("nan"), what, f"write it in {rules['x-unit']}"
        return value, "", ""
    if kind in ("movie", "brightfield", "file"):
        return _read_path(text, base_dir or "")
    return text, "", ""


def _judge_name(text: str, rules: Mapping[str, Any]) -> tuple[str, str]:
    if not re.fullmatch(rules["pattern"], text):
        what = (
            f"{shown(text)} cannot be a field's name: letters a-z, digits, '.', '_' and '-' "
            "only, and neither '.' nor '-' at its beginning"
        )
        mended = re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip(".-").strip("_")
        hint = f"write {mended[:100]}, for example" if mended else "choose another name"
        if text.startswith("#"):
            hint += ". To leave a field out, delete its row: '#' does not start a comment here"
        return what, hint
    if len(text) > rules["maxLength"]:
        what = f"this name has {len(text)} characters, more than {rules['maxLength']}"
        return what, "a folder is called so: choose a shorter one"
    return "", ""


def _read_temperature(text: str, rules: Mapping[str, Any]) -> tuple[str, str, str]:
    if text.lower() == CONTROL:
        return CONTROL, "", ""
    value = as_number(text)
    if value is None:
        hint = number_hint(text, rules["x-unit"])
        if nearest(text, [CONTROL], 0.4):
            hint = f"did you mean {CONTROL}?"
        else:
            hint += f", or the word {CONTROL} for re-mounted without annealing"
            hint += f". What is no temperature goes into a column {TREATMENT}"
        return "", f"{shown(text)} is neither a number nor the word {CONTROL}", hint
    low, high = rules["oneOf"][0]["minimum"], rules["oneOf"][0]["maximum"]
    if not low <= value <= high:
        what = f"{text} is out of range: it must be from {low} to {high}"
        return "", what, "write the annealing temperature in degrees C"
    return str(temperature_label(value)), "", ""


def _read_path(text: str, base_dir: str | Path) -> tuple[str, str, str]:
    if "{" in text or "}" in text:
        what = f"{shown(text)} has a curly bracket, which Snakemake would take as a placeholder"
        return "", what, "rename the file or folder, or link to it under another name"
    if _URL.match(text):
        what = f"{shown(text)} is an address, not a file"
        return "", what, "copy the file to a disk of this machine and name it there"
    try:
        MoviePath.parse(text)
        return path_on_disk(text, base_dir), "", ""
    except InputError as error:
        return "", error.what, error.hint


def _repeated_names(
    cells: Cells, column: str, names: Iterable[str], path: str | Path
) -> list[Problem]:
    problems = []
    first: dict[str, tuple[int, str]] = {}
    for line, name in zip(cells.lines, names, strict=True):
        if not name:
            continue
        before, spelt = first.setdefault(name.lower(), (line, name))
        if before == line:
            continue
        what = f"the name {name} is also on line {before}"
        if spelt != name:
            what = (
                f"{name} differs from {spelt} (line {before}) only in upper and lower case; "
                "some file systems would put both into one folder"
            )
        place = f"{path}, line {line}, column {column}"
        problems.append(
            Problem(place, what, f"give every {column} a name of its own", column, line)
        )
    return problems


def _samples_spelt_otherwise(
    cells: Cells, samples: Iterable[str], path: str | Path
) -> list[Problem]:
    """Return samples that differ in spelling only: as two, they would make intervals shorter."""
    problems = []
    first: dict[str, tuple[int, str]] = {}
    for line, name in zip(cells.lines, samples, strict=True):
        before, spelt = first.setdefault(same_to_the_eye(name), (line, name))
        if spelt.strip() != name.strip():
            what = f"{shown(name)} and {shown(spelt)} (line {before}) {ONLY_SPELLING}"
            place = f"{path}, line {line}, column sample"
            hint = "write both alike, so that they are one sample"
            problems.append(Problem(place, what, hint, "sample", line))
    return problems
