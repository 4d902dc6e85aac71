"""Lay out a new experiment in a folder: sample sheet, settings, and how to run it there.

    python -m blinkpair.run.new FOLDER [--movies FOLDER]

Nothing is run, and nothing that is there is overwritten.

Input: a folder to be made, and one with movies. Output: `config/fields.tsv` with the files that
were found, `config/config.yaml` with the settings to look at, and `README.md` with the commands.
"""

from __future__ import annotations

import argparse
import csv
import io
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.problems import listed
from blinkpair.run.found_files import (
    EPOCH_WORDS,
    NO_EPOCH,
    FoundFiles,
    empty_cells,
    find_files,
    missing,
)
from blinkpair.treatments import TEMPERATURE

SOURCE = Path(__file__).parents[3]
MOST_NAMED = 10
COLUMNS = ["field", TEMPERATURE, *PATH_COLUMNS]

_SETTINGS = """\
# The settings to look at first, each with its default; all others: {all}
# Diameter of your microspheres, in micrometres.
microspheres:
  diameter_um: 1.0

# On is above so many counts above background (the paper's recipe). Other gain, exposure or light:
# method hmm needs no threshold: it takes off from an empty place beside each nanocrystal.
threshold:
  method: fixed
  counts: 100

# Time per frame in seconds and width of a pixel in micrometres, where the movies do not hold them.
# {exposure}
exposure_s: null
# {pixel}
pixel_size_um: null

# A field that cannot be read or registered: exclude it and go on, or stop.
on_failed_field: exclude
"""
_README = """\
- Sample sheet: `config/fields.tsv`, settings: `config/config.yaml`; every column: `{columns}`.
- In this folder, look at the plan with `{run} -n`, then run `{run}`.
- Then open `results/report.html`. For Fiji and Picasso: `{python} -m blinkpair.export FIELD`.
- An `ImportError` before the plan: modules of another environment; run `unset PYTHONPATH` first.
"""


def lay_out(folder: str | Path, movies: str | Path | None = None) -> str:
    """Write sample sheet, settings and README, and return what to do next.

    Parameters
    ----------
    folder : path
        Of the experiment; it is made where it is not there.
    movies : path, optional
        A folder below which the movies and images lie.

    Raises
    ------
    InputError
        If one of the files is there already, or no folder with movies.
    """
    home = Path(folder)
    if home.resolve().is_relative_to(SOURCE):
        raise InputError(
            "this folder is a part of blinkpair itself",
            "choose one outside, so that an update does not touch your results",
            place=folder,
        )
    sheet, settings, readme = (
        home / name for name in ("config/fields.tsv", "config/config.yaml", "README.md")
    )
    for path in (sheet, settings, readme):
        if path.exists():
            raise InputError(
                "this file is there already", "choose another folder, or rename it", place=path
            )
    found = find_files(movies, home) if movies else FoundFiles()
    run = _command()
    files.write_text(_sheet(found), sheet)
    text = _SETTINGS.format(
        all=SOURCE / "config" / "config.yaml",
        exposure=_in_movies(found, missing(found.movies, lambda movie: movie.exposure_s)),
        pixel=_in_movies(found, missing(found.movies, lambda movie: movie.pixel_size_um)),
    )
    files.write_text(text, settings)
    columns = SOURCE / "config" / "README.md"
    files.write_text(_README.format(run=run, python=_python(), columns=columns), readme)
    return "\n".join([*_summary(found, movies), *_next_steps(home, run, found)])


def _command() -> str:
    beside = Path(sys.executable).with_name("snakemake")
    program = str(beside) if beside.exists() else "snakemake"
    return shlex.join([program, "-s", str(SOURCE / "Snakefile"), "--cores", "all"])


def _python() -> str:
    """Return the start of a command of the library, which works in any folder."""
    return f"PYTHONPATH={shlex.quote(str(SOURCE / 'scripts'))} {shlex.quote(sys.executable)}"


def _sheet(found: FoundFiles) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, delimiter="\t", lineterminator="\n")
    table.writeheader()
    table.writerows(found.rows)
    return text.getvalue()


def _in_movies(found: FoundFiles, without: int) -> str:
    n = len(found.movies)
    if not n:
        return "null: every movie holds it, or the sheet."
    return f"{n - without} of the {n} movies that were found hold it."


def _summary(found: FoundFiles, movies: str | Path | None) -> list[str]:
    if movies is None:
        return []
    whole = sum(all(row[column] for column in PATH_COLUMNS) for row in found.rows)
    fields = _counted(len(found.rows), "field")
    lines = [f"{fields} found in {movies}, {whole} with all four files."]
    joined = [f"{path}: {words}" for path, words in found.joined.items()]
    if joined:
        lines.append("  check the fields whose names differ in these words (by their first file):")
        lines += [f"    {text}" for text in _some(joined)]
    named = [f"in no field: {path}: {why}" for path, why in found.without_place.items()]
    lines += [f"  {text}" for text in _some(named)]
    if NO_EPOCH in found.without_place.values():
        lines.append(f"  words for the epoch, between spaces, _ or -: {EPOCH_WORDS}")
    return lines


def _some(lines: list[str]) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = len(lines) - MOST_NAMED
    return lines[:MOST_NAMED] + ([f"and {more} more"] if more > 0 else [])


def _counted(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"


def _next_steps(home: Path, run: str, found: FoundFiles) -> list[str]:
    empty = empty_cells(found.rows)
    cells = listed([f"{_counted(n, 'cell')} of {column}" for column, n in empty.items()] or [""])
    what = f"fill in {cells}" if empty else "check it"
    if not found.rows:
        what = "write one row a field"
    return [
        f"1. Sample sheet: {home / 'config' / 'fields.tsv'}: {what}. For anything but annealing, "
        "add a column treatment.",
        f"2. Settings: {home / 'config' / 'config.yaml'}",
        "3. Look at the plan, then run:",
        f"   cd {shlex.quote(str(home))}",
        f"   {run} -n",
        f"   {run}",
        "4. Open results/report.html there.",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m blinkpair.run.new",
        description="Lay out a new experiment: sample sheet, settings, and how to run it.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="of the experiment, to be made")
    parser.add_argument("--movies", metavar="FOLDER", help="where the movies and images lie")
    given = parser.parse_args(arguments)
    try:
        print(lay_out(given.folder, given.movies))
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
