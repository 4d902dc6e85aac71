"""The ensemble sheet: one row a measurement of a film, read and checked with its files.

Columns and ranges are those of `workflow/schemas/ensemble.schema.yaml`.

Input: a text table as for `sheet`. Output: its rows, complete; and everything that is wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blinkpair.errors import InputError
from blinkpair.inputs.headers import access_problem
from blinkpair.inputs.problems import Problem, as_number, listed, nearest, number_hint, shown
from blinkpair.inputs.settings import load_schema
from blinkpair.inputs.sheet_text import read_cells
from blinkpair.inputs.sheet_treatments import read_treatment
from blinkpair.inputs.spelling import path_on_disk
from blinkpair.treatments import CONTROL, TEMPERATURE, TREATMENT, treatment_name

FILE_COLUMNS = ("file", "irf")
UNANNEALED = "unannealed"
_ONLY = {
    "tcspc": ("irf", "bin_ps", "rate_mhz"),
    "ta": ("probe_nm", "probe_ev", "first_row", "start_ps", "fixed_tau_ps"),
}

Row = dict[str, Any]


def examine_ensemble(
    path: str | Path, base_dir: str | Path | None = None
) -> tuple[list[Row], list[Problem]]:
    """Read the ensemble sheet and look into its files, without raising.

    Parameters
    ----------
    path : path
    base_dir : path, optional
        Where relative paths start; default: the working directory.

    Returns
    -------
    rows : list of dict
        Every column of the schema: texts, numbers, None for a number not given. `temperature_c` is
        the one name of temperature and treatment.
    problems : list of Problem
        By line.
    """
    schema = load_schema("ensemble")
    cells = read_cells(path, base_dir, schema)
    problems = list(cells.problems)
    rows: list[Row] = []
    bad: set[tuple[int, str]] = set()

    def add(line: int, column: str, what: str, hint: str) -> None:
        problems.append(Problem(f"{path}, line {line}, column {column}", what, hint, column, line))
        bad.add((line, column))

    for i, line in enumerate(cells.lines):
        row: Row = {"line": line}
        for column, rules in schema["properties"].items():
            text = cells.columns[column][i] if column in cells.columns else ""
            row[column], what, hint = _read_cell(
                text, rules, column in schema["required"], base_dir
            )
            if what:
                add(line, column, what, hint)
        _complete(row, bad, add)
        rows.append(row)
    _check_names(rows, add)
    _check_repeats(rows, add)
    for row in rows:
        for column in FILE_COLUMNS:
            name = str(row[column]).partition("::")[0]
            if name and (missing := access_problem(name)):
                add(row["line"], column, missing.what, missing.hint)
        clean = not any(at == row["line"] for at, _ in bad)
        if clean and (found := _check_files(row)):
            add(row["line"], *found)
    _check_groups(rows, bad, add)
    return rows, sorted(problems, key=lambda problem: problem.line)


def _read_cell(
    text: str, rules: Mapping[str, Any], needed: bool, base_dir: str | Path | None
) -> tuple[Any, str, str]:
    """Return a cell's value, what is wrong with it ('' if nothing) and what to do."""
    number, kind = rules.get("type") == "number", rules.get("x-kind", "")
    meaning = f"{rules['description'][:1].lower()}{rules['description'][1:]}"
    if text == "":
        what = "no value is given" if needed else ""
        return (None if number else ""), what, f"give one: {meaning}"
    if number:
        return _read_number(text, rules)
    if "enum" in rules:
        micro = (
            text.lower().replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u")
        )
        choice = text if text in rules["enum"] else micro
        if choice in rules["enum"]:
            return choice, "", ""
        close = nearest(text, rules["enum"])
        hint = f"did you mean {close}? " if close else ""
        return "", f"{shown(text)} is not one of the choices", hint + listed(rules["enum"], "or")
    if kind == "temperature":
        return _read_temperature(text, rules)
    if kind == "treatment":
        return read_treatment(text, rules["maxLength"])
    if kind == "name":
        if not re.fullmatch(rules["pattern"], text) or len(text) > rules["maxLength"]:
            what = f"{shown(text)} cannot be a measurement's name"
            return text, what, "use letters a-z, digits, '.', '_' and '-', 60 at most"
        return text, "", ""
    if kind == "file":
        if "{" in text or "}" in text:
            return "", f"{shown(text)} has a curly bracket", "rename the file"
        name, mark, curve = text.partition("::")
        return path_on_disk(name, base_dir or "") + mark + curve, "", ""
    return text, "", ""


def _read_number(text: str, rules: Mapping[str, Any]) -> tuple[float | None, str, str]:
    value = as_number(text)
    if value is None:
        return None, f"{shown(text)} is not a number", number_hint(text, rules["x-unit"])
    low, high = rules["exclusiveMinimum"], rules["maximum"]
    if not low < value <= high:
        what = f"{text} is out of range: it must be above {low} and at most {high}"
        return None, what, f"write it in {rules['x-unit']}"
    return value, "", ""


def _read_temperature(text: str, rules: Mapping[str, Any]) -> tuple[str, str, str]:
    words = rules["oneOf"][1]["enum"]
    if text.lower() in words:
        return text.lower(), "", ""
    value = as_number(text)
    if value is None:
        close = nearest(text, words, 0.5)
        hint = f"did you mean {close}?" if close else number_hint(text, rules["x-unit"])
        return "", f"{shown(text)} is neither a number nor {listed(words, 'or')}", hint
    low, high = rules["oneOf"][0]["minimum"], rules["oneOf"][0]["maximum"]
    if not low <= value <= high:
        return "", f"{text} is out of range: {low} to {high}", "write degrees C"
    return f"{value:g}", "", ""


def _complete(row: Row, bad: set[tuple[int, str]], add: Any) -> None:
    """Fill in the group and the one name of the treatment, and check what belongs together."""
    line, technique = row["line"], row["technique"]
    degrees, treatment = row[TEMPERATURE], row[TREATMENT]
    if not degrees and not treatment and not {(line, TEMPERATURE), (line, TREATMENT)} & bad:
        hint = f"give degrees C, {UNANNEALED} or {CONTROL}, or a {TREATMENT}"
        add(line, TEMPERATURE, "no temperature is given", hint)
    if UNANNEALED in (degrees, treatment.lower()):
        row[TEMPERATURE] = UNANNEALED
    elif treatment:
        row[TEMPERATURE] = treatment_name(treatment, degrees)
    for other, columns in _ONLY.items():
        for column in columns if technique and other != technique else ():
            if row[column] not in ("", None):
                add(line, column, f"this is of {other} only, and the row is of {technique}",
                    "empty the cell")  # fmt: skip
    if row["probe_nm"] and row["probe_ev"]:
        add(line, "probe_ev", "probe_nm and probe_ev are both given", "empty one of them")
    if row["components"] and not float(row["components"]).is_integer():
        add(line, "components", f"{row['components']:g} is not a whole number", "write 1 to 4")
    row["group"] = row["group"] or technique


def _check_names(rows: list[Row], add: Any) -> None:
    first: dict[str, int] = {}
    for row in rows:
        name = str(row["measurement"]).lower()
        before = first.setdefault(name, row["line"])
        if name and before != row["line"]:
            what = f"the name {row['measurement']} is also on line {before}"
            add(row["line"], "measurement", what, "give every measurement a name of its own")


def _check_files(row: Row) -> tuple[str, str, str] | None:
    """Return the column, what is wrong with its file and what to do; None if all can be read."""
    from blinkpair.ensemble.channels import in_photons
    from blinkpair.ensemble.readers.decay import read_decay
    from blinkpair.ensemble.readers.matrix import read_matrix

    column = "file"
    try:
        if row["technique"] == "ta":
            read_matrix(row["file"], row["time_unit"], row["first_row"])
            return None
        given = row["bin_ps"], row["time_unit"], row["rate_mhz"]
        decay = in_photons(read_decay(row["file"], *given))
        if not row["irf"]:
            return None
        column = "irf"
        if row["irf"] == row["file"]:
            return column, "this is the decay itself", "name the file of the response, or none"
        response = read_decay(row["irf"], *given)
    except InputError as error:
        return column, f"{row[column]}: {error.what}", error.hint
    if not math.isclose(decay.bin_ns, response.bin_ns, rel_tol=1e-3):
        what = (
            f"a channel of the response is {1e3 * response.bin_ns:.6g} ps wide, that of the decay "
            f"{1e3 * decay.bin_ns:.6g} ps"
        )
        return column, what, "record both with the same range and resolution"
    return None


def _check_repeats(rows: list[Row], add: Any) -> None:
    """Check that no file is given for two treatments, which would then be alike."""
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(str(row["file"]), row)
        if row["file"] and before[TEMPERATURE] != row[TEMPERATURE]:
            what = f"line {before['line']} has the same file for another treatment"
            hint = "name the file of this one; ::curve=N chooses one of several curves"
            add(row["line"], "file", what, hint)


def _check_groups(rows: list[Row], bad: set[tuple[int, str]], add: Any) -> None:
    """Check that the measurements of a group ask for the same number of exponentials."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if any(at == row["line"] for at, _ in bad):
            continue
        one = first.setdefault((row["technique"], row["group"]), row)
        if one["components"] != row["components"]:
            what = f"line {one['line']} of the same group has another number of components"
            add(row["line"], "components", what, "write the same, or name another group")
        for column in ("start_ps", "fixed_tau_ps"):
            if one[column] != row[column]:
                what = f"line {one['line']} of the same group has another {column}"
                add(row["line"], column, what, "write the same, or name another group")
        if bool(one["irf"]) != bool(row["irf"]):
            what = (
                f"line {one['line']} of the same group has {'a' if one['irf'] else 'no'} response"
            )
            hint = "give all of a group a response or none: a tail fit has other amplitudes"
            add(row["line"], "irf", what, hint)
