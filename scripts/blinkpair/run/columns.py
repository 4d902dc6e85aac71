"""The dictionary of every column: a data package beside the results, and docs/columns.md.

    python -m blinkpair.run.columns docs/columns.md

Input: `workflow/schemas/columns.schema.yaml`. Output: the columns of each file, as a Frictionless
data package (Table Schema, https://specs.frictionlessdata.io) and as text.
"""

from __future__ import annotations

import csv
import functools
import itertools
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from blinkpair import files
from blinkpair.inputs.settings import load_schema

MISSING = "it is never empty"
RESULTS = "results"
HEAD = """# Every column

A column of the sample sheet that is not known is carried on as text, beside those listed here. Unit
1 is a fraction or a ratio; where nothing stands under *empty*, no cell is empty. Written by
`python -m blinkpair.run.columns` from `workflow/schemas/columns.schema.yaml`;
`results/datapackage.json` holds the same for programs, as a [Frictionless data
package](https://specs.frictionlessdata.io).

A name is put together in one order: the quantity, the state it is of (`on`, `off`), the epoch
(`pre`, `post`), a statistic of it (`se`, `low`, `high`) or the recipe (`fixed`, `best`), the unit.
`counts` and `frames` inside a name belong to the quantity (`threshold_counts_pre`,
`fitted_from_frames_on_pre`). Older names that are kept because scripts use them: `blinking_pre`,
`p_truncated_pre` and `p_fit_pre` (and `_post`) are of the on events; `pre_index` and `post_index`
begin with the epoch. EPOCH below is `pre` or `post`.
"""


@functools.cache
def _dictionary() -> dict[str, Any]:
    return dict(load_schema("columns"))


def _expanded(names: Iterable[str]) -> list[tuple[str, str, dict[str, str]]]:
    """Return each name with its placeholders filled in, as written, and what fills them."""
    places = _dictionary()["placeholders"]
    found = []
    for name in names:
        used = [key for key in places if f"{{{key}}}" in name]
        for values in itertools.product(*(places[key] for key in used)):
            fill = dict(zip(used, values, strict=True))
            found.append((_filled(name, fill), name, fill))
    return found


def _filled(text: str, fill: Mapping[str, str]) -> str:
    for key, value in fill.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def _entry(file: str, name: str, fill: Mapping[str, str], table: str) -> dict[str, Any]:
    entries = _dictionary()[table]
    entry = entries.get(f"{file}/{name}") or entries[name]
    return {
        key: _filled(value, fill) if isinstance(value, str) else value
        for key, value in entry.items()
    }


def columns_of(file: str, epoch: str = "") -> dict[str, dict[str, Any]]:
    """Return the columns of a table, or the variables of a NetCDF file, by name.

    Parameters
    ----------
    file : str
        Its name below the results as in the dictionary, for example `fields/{field}/places.csv`.
    epoch : str, optional
        `pre` or `post`, of a file of one epoch; both where it is not given.
    """
    is_table = file in _dictionary()["files"]
    names = _dictionary()["files"][file]["columns"] if is_table else _dictionary()["netcdf"][file]
    table = "columns" if is_table else "variables"
    return {
        name: _entry(file, raw, fill, table)
        for name, raw, fill in _expanded(names)
        if not epoch or fill.get("epoch", epoch) == epoch
    }


def pattern_of(path: str) -> str:
    """Return the name in `columns.schema.yaml` of a file of results; '' if it has none.

    Parameters
    ----------
    path : str
        Below the results: `fields/N2_f1/drift_pre.csv`.
    """
    known = [*_dictionary()["files"], *_dictionary()["netcdf"]]
    parts = path.split("/")
    if len(parts) == 3 and parts[0] == "fields":
        own = _dictionary()["files"].get(parts[2], {})
        if own.get("per_field"):
            return parts[2]
        parts[1] = "{field}"
    for name in known:
        if any(filled == "/".join(parts) for filled, _, _ in _expanded([name])):
            return name
    return ""


def data_package(nanocrystals: str | Path, *, films: bool = False) -> dict[str, Any]:
    """Return the Frictionless data package of a run.

    Parameters
    ----------
    nanocrystals : path
        Its table of nanocrystals, whose header has the columns of the user's sheet, and those that
        not every run has.
    films : bool
        Whether the run has a sheet of films.
    """
    with Path(nanocrystals).open(encoding="utf-8", newline="") as table:
        header = next(csv.reader(table))
    own = [name for name in header if name not in columns_of("nanocrystals.csv")]
    resources: list[dict[str, Any]] = []
    per_field: list[dict[str, Any]] = []
    for file, entry in _dictionary()["files"].items():
        if entry.get("of_films") and not films:
            continue
        fields = [
            _field(name, column)
            for name, column in columns_of(file).items()
            if name in header or not column.get("optional")
        ]
        if file in ("nanocrystals.csv", "fields.csv"):
            meaning = "column of the sample sheet"
            fields += [{"name": name, "type": "string", "description": meaning} for name in own]
        resource = {
            "name": file.replace("/", "-").removesuffix(".csv").translate({123: None, 125: None}),
            "path": file,
            "profile": "tabular-data-resource",
            "description": f"one row for {entry['row']}",
            "encoding": "utf-8",
            "schema": {"fields": fields, "missingValues": [""]},
        }
        (per_field if "{" in file else resources).append(resource)
    arrays = [
        {"path": file, "variables": [{"name": n, **e} for n, e in columns_of(file).items()]}
        for file in _dictionary()["netcdf"]
    ]
    return {
        "profile": "data-package",
        "name": "blinkpair-results",
        "title": "Results of blinkpair",
        "resources": resources,
        # Of thousands of fields each would be a resource of its own; the path is a pattern here.
        "per_field": per_field,
        "netcdf": arrays,
    }


def _field(name: str, column: Mapping[str, Any]) -> dict[str, Any]:
    field: dict[str, Any] = {"name": name, "type": column["type"], "description": column["meaning"]}
    if column["type"] == "boolean":
        field |= {"trueValues": ["True"], "falseValues": ["False"]}
    if "unit" in column:
        field["unit"] = column["unit"]
    field["empty"] = column.get("empty", MISSING)
    limits: dict[str, Any] = {} if "empty" in column else {"required": True}
    if "range" in column:
        ends = zip(("minimum", "maximum"), column["range"], strict=True)
        limits |= {key: end for key, end in ends if end != "inf"}
    if "values" in column:
        limits["enum"] = column["values"]
    return field | ({"constraints": limits} if limits else {})


def as_markdown() -> str:
    """Return the text of docs/columns.md."""
    text = [HEAD]
    for file, entry in _dictionary()["files"].items():
        copy = f", and the same in `fields/NAME/{file}`" if entry.get("per_field") else ""
        text += [f"## `{_named(file)}`\n", f"One row for {entry['row']}{copy}.\n", _TABLE]
        text += [_line(name, raw, fill, file, "columns") for name, raw, fill in _short(file)]
        text.append("")
    for file in _dictionary()["netcdf"]:
        text += [f"## `{_named(file)}`\n", "NetCDF (HDF5).\n", _TABLE]
        text += [_line(name, raw, fill, file, "variables") for name, raw, fill in _short(file)]
        text.append("")
    return "\n".join(text)


_TABLE = "| column | type | unit | range | meaning | empty |\n| --- | --- | --- | --- | --- | --- |"


def _named(file: str) -> str:
    return file.replace("{field}", "NAME").replace("{epoch}", "EPOCH")


def _short(file: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return the names of a file with epochs left open, which are alike."""
    known = _dictionary()
    names = known["files"][file]["columns"] if file in known["files"] else known["netcdf"][file]
    return [
        (name, raw, fill)
        for name, raw, fill in _expanded(names)
        if fill.get("epoch", "pre") == "pre"
    ]


def _line(name: str, raw: str, fill: Mapping[str, str], file: str, table: str) -> str:
    shown = _filled(raw, dict(fill) | {"epoch": "EPOCH"}) if "epoch" in fill else name
    entry = _entry(file, raw, dict(fill) | ({"epoch": "EPOCH"} if "epoch" in fill else {}), table)
    low, high = entry.get("range", ("", ""))
    limits = f"{low} to {high}" if "range" in entry and high != "inf" else f"{low} or more"
    if "range" not in entry:
        limits = ", ".join(f"`{value}`" for value in entry.get("values", ()))
    empty = entry.get("empty", "")
    cells = [f"`{shown}`", entry["type"], entry.get("unit", ""), limits, entry["meaning"], empty]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page."""
    files.write_text(as_markdown(), sys.argv[1])


if __name__ == "__main__":
    main()
