"""Each kind of file a run writes, and how it is written; and each on a disk that fills up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from blinkpair import files
from blinkpair.errors import WriteError
from blinkpair.figures import style
from blinkpair.run.launch import Launch, save_launch
from tests.helpers.faults import PAGE, fill

ROWS = pd.DataFrame(np.random.default_rng(5).normal(size=(600, 4)), columns=list("abcd"))
TRACES = xr.Dataset({"intensity_pre": (("nanocrystal", "frame"), ROWS.to_numpy(np.float32))})


def write_figures(path: Path) -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot(ROWS["a"], ROWS["b"])
    axes.pcolormesh(ROWS.to_numpy())
    style.save_figure(figure, path.with_suffix(""))


def write_joined(path: Path) -> None:
    part = path.parents[1] / "part.csv"
    if not part.exists():
        files.write_csv(ROWS, part)
    files.join_csv([part, part], path)


def write_kept(path: Path) -> None:
    fields = ROWS.assign(field=[f"f{i}" for i in range(len(ROWS))])
    shapes = fields[["field", "a"]].set_index("field")
    launched = Launch({"a": 1}, fields, shapes, b"field\ta\n", {})
    save_launch(launched, started="2024-05-02T10:00:00Z")  # the same bytes at any time


WRITERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "table": ("t.csv", lambda path: files.write_csv(ROWS, path)),
    "joined table": ("t.csv", write_joined),
    "JSON": ("t.json", lambda path: files.write_json({"rows": ROWS.to_numpy()}, path)),
    "NetCDF": ("t.nc", lambda path: files.write_netcdf(TRACES, path)),
    "text": ("report.html", lambda path: files.write_text("<p>µ</p>\n" * 3000, path)),
    "figures": ("f.svg", write_figures),
    "kept for submitted jobs": (".snakemake/blinkpair/fields.csv", write_kept),
}


def contents(disk: Path) -> dict[str, bytes]:
    """Every file by its path, but for what fills the disk."""
    return {
        str(path.relative_to(disk)): path.read_bytes()
        for path in sorted(disk.rglob("*"))
        if path.is_file() and path.name != "filling"
    }


def write_on_a_full_disk(disk: Path, kind: str, tries: int) -> tuple[int, list[str]]:
    """Write a kind of file where too little room is left, from none to a page less than it needs.

    Returns
    -------
    int
        How many amounts of room were tried.
    list of str
        What went wrong: not told in words, half a file, one left aside, other bytes afterwards.
    """
    name, write = WRITERS[kind]
    path = disk / name
    write(path)
    whole = contents(disk)
    pages = sum(-(-len(content) // PAGE) for content in whole.values())
    for file in whole:
        (disk / file).unlink()
    wrong = []
    rooms = sorted({round(share * (pages - 1)) for share in np.linspace(0, 1, tries)})
    for free in rooms:
        filling = fill(disk, free)
        try:
            write(path)
            wrong.append(f"{free} pages: nothing was told")
        except WriteError as error:
            missing = whole.keys() - contents(disk).keys()
            told = "the disk is full. Hint: free some space and start the same command again"
            if told not in str(error) or not any(file in str(error) for file in missing):
                wrong.append(f"{free} pages: {error}")
        except Exception as error:
            wrong.append(f"{free} pages: {error!r}")
        there = contents(disk)
        # What is there was finished before: nothing half, nothing aside.
        wrong += [f"{free} pages: {file}" for file in there if there[file] != whole.get(file)]
        filling.unlink()
        for file in there:
            (disk / file).unlink()
    write(path)
    if contents(disk) != whole:
        wrong.append("with room again, other bytes")
    return len(rooms), wrong
