"""The text of a sample sheet, split into cells.

`sheet` checks what the cells mean.

Input: a file as an editor or a spreadsheet program saved it. Output: its columns as text, the line
of every row, and what is wrong with the file, its header or the shape of its rows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blinkpair.inputs.problems import Problem, listed, nearest, normalised, printable, shown
from blinkpair.inputs.settings import load_schema
from blinkpair.inputs.sheet_treatments import looks_like_treatment
from blinkpair.treatments import TEMPERATURE, TREATMENT

# A sheet of 10,000 fields has about 3 MB; what is far beyond is a movie named by mistake.
_MOST_BYTES = 100_000_000
_EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# Lines in which a header is looked for that is not on the first.
_MOST_ABOVE = 10
_SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons"}
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Names of the result tables' own columns, which a sheet's column must not have. Most of them
# end in the epoch.
_RESULT_COLUMNS = {
    *("nc_id", "pre_index", "post_index", "pair_distance_px", "registration_error_px"),
    *("neighbour_distance_px", "analysed", "excluded_because", "delta_on_fraction", "population"),
    *("exposure_from", "pixel_size_from"),
}
_RESULT_ENDINGS = ("_pre", "_post", "_pre_s", "_post_s")


@dataclass(frozen=True)
class Sheet:
    """Names for messages: of a sheet, of the setting with its path, and of one row."""

    name: str = "sample sheet"
    setting: str = "fields"
    row: str = "a field"
    may_be_empty: bool = False


@dataclass(frozen=True)
class Cells:
    """The cells of a sheet.

    Attributes
    ----------
    columns : dict of str to list of str
        Name -> one text a row. Known columns are stripped of spaces, unknown ones untouched.
    lines : list of int
        1-based line of every row.
    problems : list of Problem
    required : frozenset of str
        The columns that the sheet has and must fill in.
    """

    columns: dict[str, list[str]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    required: frozenset[str] = frozenset()


def read_cells(
    path: str | Path,
    base_dir: str | Path | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Cells:
    """Read a sheet and split it into cells.

    Parameters
    ----------
    path : path
        As the user wrote it; messages call it so.
    base_dir : path, optional
        Where a relative path starts; default: the working directory.
    schema : mapping, optional
        As in `sheet.examine_sheet`.

    Returns
    -------
    Cells
        Rows of the wrong length, or with a control character, are dropped and reported as problems.
    """
    schema = schema or load_schema("fields")
    sheet = Sheet(**schema.get("x-sheet", {}))
    text, fault = _read_text(Path(base_dir or ".") / path, str(path), sheet)
    if fault:
        return Cells(problems=[fault])
    known, required = list(schema["properties"]), list(schema["required"])
    either = [column for choice in schema.get("anyOf", ()) for column in choice["required"]]
    required = sorted({*required, *either[:1]}, key=known.index)
    lines = [(n, line) for n, line in enumerate(re.split(r"\r\n|\n|\r", text), 1) if line.strip()]
    if not lines:
        hint = f"its first line names the columns: {', '.join(required)}"
        return Cells(problems=[Problem(str(path), f"the {sheet.name} is empty", hint)])

    top, header = lines[0]
    place = f"{path}, line {top}"
    likely = [_known_names(line, known) for _, line in lines[:_MOST_ABOVE]]
    if not likely[0] and max(likely) > 1:
        what = f"the header is on line {lines[likely.index(max(likely))][0]}, not on the first line"
        return Cells(problems=[Problem(place, what, "remove what is above it", line=top)])
    separator = _separator(header, known)
    try:
        names = [_plain(name) for name in _split(header, separator)]
    except csv.Error as error:
        what = f"the header cannot be read ({error})"
        return Cells(problems=[Problem(place, what, "check its quotation marks", line=top)])
    while names and not names[-1]:
        names.pop()
    if len(names) == 1 and len(set(re.split(r"[\s|:]+", header)) & set(known)) > 1:
        what = "the columns are separated by neither tabs, commas nor semicolons"
        hint = "an editor may have turned tabs into spaces: put one tab between two columns"
        return Cells(problems=[Problem(place, what, hint, line=top)])
    # Of both, one cell may be empty: `sheet_treatments` checks them together.
    if set(either[1:]) & set(names):
        required.remove(either[0])
    problems = _judge_header(names, separator, known, required, place, top)
    last_required = max((names.index(c) for c in required if c in names), default=0)

    rows: list[list[str]] = []
    kept: list[int] = []
    for number, line in lines[1:]:
        row, fault = _read_row(line, separator, names, last_required, f"{path}, line {number}")
        if fault:
            problems.append(Problem(fault.place, fault.what, fault.hint, fault.about, number))
        elif row:
            rows.append(row)
            kept.append(number)
    if len(lines) == 1 and not sheet.may_be_empty:
        what = f"the {sheet.name} has a header and no rows"
        problems.append(Problem(str(path), what, f"write one row {sheet.row} below it", line=top))
    columns = {}
    for i, name in enumerate(names):
        texts = [row[i] for row in rows]
        if not name:
            filled = next((n for n, cell in zip(kept, texts, strict=True) if cell.strip()), None)
            if filled:
                what = f"column {i + 1} has no name, but line {filled} has a value in it"
                problems.append(Problem(place, what, "name the column or empty it", line=top))
            continue
        columns[name] = [_plain(cell) for cell in texts] if name in known else texts
    return Cells(columns, kept, problems, frozenset(required) & frozenset(names))


def _read_text(file: Path, name: str, sheet: Sheet) -> tuple[str, Problem | None]:
    """Return the text of a file, or what keeps it from being one."""

    def fault(what: str, hint: str) -> tuple[str, Problem]:
        return "", Problem(name, what, hint)

    save_as = "save it as text, 'CSV UTF-8' or tab-separated, from the spreadsheet program"
    if file.is_dir():
        return fault(f"this is a folder, not a {sheet.name}", "name the file in it")
    if not file.exists():
        close = nearest(file.name, (p.name for p in _siblings(file)), 0.7)
        meant = f"did you mean {file.with_name(close).name}? " if close else ""
        what = f"there is no such {sheet.name}"
        hint = f"{meant}'{sheet.setting}' in the configuration names it, from the working directory"
        return fault(what, hint)
    try:
        if file.stat().st_size > _MOST_BYTES:
            what = f"this file has {file.stat().st_size / 1e6:.0f} MB: too much for a {sheet.name}"
            return fault(what, "name the table, not a movie")
        raw = file.read_bytes()
    except OSError as error:
        return fault(f"the {sheet.name} cannot be read ({error.strerror})", "check its rights")
    if raw.startswith(_EXCEL):
        return fault("this is a workbook of a spreadsheet program, not text", save_as)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return fault("this is UTF-16 text ('Unicode text'), not UTF-8", save_as)
    if b"\x00" in raw:
        return fault("this is not a text file", save_as)
    try:
        return raw.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = len(re.split(rb"\r\n|\n|\r", raw[: error.start]))
        what = f"line {line} has a character that is not UTF-8 (byte 0x{raw[error.start]:02x})"
        return fault(what, save_as)


def _siblings(file: Path) -> list[Path]:
    try:
        return list(file.parent.iterdir())
    except OSError:
        return []


def _plain(cell: str) -> str:
    return cell.strip().strip("\ufeff\u200b").strip()


def _split(line: str, separator: str) -> list[str]:
    """Split one line, with quotes as spreadsheet programs write them."""
    return next(csv.reader([line], delimiter=separator, strict=True))


def _separator(header: str, known: Sequence[str]) -> str:
    """Return the separator under which the header holds most of the known names."""
    return max(_SEPARATORS, key=lambda separator: _score(header, separator, known))


def _known_names(line: str, known: Sequence[str]) -> int:
    """Return how many known names a line holds."""
    return max(_score(line, separator, known)[0] for separator in _SEPARATORS)


def _score(line: str, separator: str, known: Sequence[str]) -> tuple[int, int]:
    """Return how many known names, and how many cells, a line holds under a separator."""
    try:
        names = [normalised(name) for name in _split(line, separator)]
    except csv.Error:
        return (-1, 0)
    return (len(set(names) & set(known)), len(names))


def _judge_header(
    names: Sequence[str],
    separator: str,
    known: Sequence[str],
    required: Sequence[str],
    place: str,
    line: int,
) -> list[Problem]:
    missing = [name for name in required if name not in names]
    problems = []

    def add(what: str, hint: str, column: str = "") -> None:
        problems.append(Problem(place, what, hint, column, line))

    explained = set()
    for i, name in enumerate(names):
        meant = _meant(name, names, known)
        if name and name in names[:i]:
            add(f"the column {name} is there twice", "remove or rename one of them", name)
        elif meant:
            explained.add(meant)
            what = f"there is no column {shown(name)} of that spelling"
            add(what, f"did you mean {meant}?", meant)
        elif name not in known and (name in _RESULT_COLUMNS or name.endswith(_RESULT_ENDINGS)):
            what = f"{shown(name)} is, or looks like, a column that the results have themselves"
            add(what, "rename it; names that end in an epoch belong to the results", name)
        elif _CONTROL_CHARACTERS.search(name):
            add(f"the column's name {shown(name)} holds a control character", "remove it", name)
    if TREATMENT in explained:
        explained.add(TEMPERATURE)
    unexplained = [name for name in missing if name not in explained]
    if unexplained:
        s = "s" if len(unexplained) > 1 else ""
        hint = f"a sheet needs {', '.join(required)}; this one was read as separated by "
        add(f"the column{s} {listed(unexplained)} {'are' if s else 'is'} missing",
            f"{hint}{_SEPARATORS[separator]}")  # fmt: skip
    return problems


def _meant(name: str, names: Sequence[str], known: Sequence[str]) -> str | None:
    """Return the known column that an unknown name most likely stands for.

    The values of a misspelt optional column would be ignored without a message. Columns with
    a unit are therefore recognised by their first word, too.
    """
    if not name or name in known:
        return None
    key = normalised(name)
    if key in known:  # another case, or spaces for underscores
        return key
    absent = [column for column in known if column not in names]
    if close := nearest(name, absent, 0.81):
        return close
    starts = {"exposure": "exposure_s", "pixel": "pixel_size_um", "temp": "temperature_c"}
    if meant := next((c for s, c in starts.items() if key.startswith(s) and c in absent), None):
        return meant
    without = TEMPERATURE not in names and TREATMENT in absent
    return TREATMENT if without and looks_like_treatment(name) else None


def _read_row(
    line: str, separator: str, names: Sequence[str], last_required: int, place: str
) -> tuple[list[str], Problem | None]:
    """Return the cells of a row, as many as the header has; none for a row of empty cells."""
    try:
        cells = _split(line, separator)
    except csv.Error:
        what = "a quotation mark is not closed, or text follows a closed one"
        hint = 'a cell ends on its line, and a " inside a quoted cell is written twice'
        return [], Problem(place, what, hint)
    if not any(cell.strip() for cell in cells):
        return [], None
    for i, cell in enumerate(cells):
        if match := _CONTROL_CHARACTERS.search(cell):
            column = names[i] if i < len(names) else ""
            what = f"{shown(cell)} holds a control character ({printable(match[0])})"
            return [], Problem(f"{place}, column {column or i + 1}", what, "remove it", column)
    if any(cell.strip() for cell in cells[len(names) :]):
        what = f"this row has {len(cells)} cells, the header names {len(names)} columns"
        hint = "put a cell that holds the separator into quotation marks"
        if separator == ",":
            hint += ", and write numbers with a decimal point"
        return [], Problem(place, what, hint)
    if len(cells) <= last_required:
        n = len(cells)
        what = f"this row ends after {n} cell{'s' if n > 1 else ''}, before {names[last_required]}"
        hint = f"separate the cells by {_SEPARATORS[separator]}, as in the header"
        return [], Problem(place, what, hint)
    return (cells + [""] * len(names))[: len(names)], None
