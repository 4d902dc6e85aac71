"""Check the movies and images that a sample sheet names, before anything is started.

Only headers are read, so that a slip in the last row of a sheet is reported within seconds and not
after a night.

Input: the table of fields and the settings. Output: exposure and pixel size of every field, notes
on what a user should know, and one error that lists everything that cannot work.
"""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from blinkpair.errors import InputError
from blinkpair.inputs import movie_record
from blinkpair.inputs.columns import KNOWN_COLUMNS, MOVIE_COLUMNS, PATH_COLUMNS
from blinkpair.inputs.contents import FileState, file_states
from blinkpair.inputs.copies import find_copies
from blinkpair.inputs.header_cache import HeaderCache
from blinkpair.inputs.headers import Header, Open, access_problem, read_headers
from blinkpair.inputs.problems import Problem, UnsoundInputError
from blinkpair.inputs.quantities import EXPOSURE, PIXEL_SIZE, resolve
from blinkpair.inputs.row_checks import (
    Findings,
    Row,
    check_microspheres,
    check_row,
    grouped,
)
from blinkpair.inputs.settings import examine_settings
from blinkpair.inputs.shared_files import find_shared_files
from blinkpair.inputs.sheet import examine_sheet
from blinkpair.inputs.sheet_treatments import overlooked_treatments
from blinkpair.inputs.verdicts import examine_verdicts
from blinkpair.movie.formats.selection import MoviePath

log = logging.getLogger(__name__)

# Frames, rows, columns by which memory and time of jobs are planned where movies are to come: the
# paper's.
ASSUMED_SHAPE = (20_000, 512, 512)


class Checked(NamedTuple):
    """What a run starts with.

    Attributes
    ----------
    settings : dict
        As from `settings.load_settings`.
    fields : DataFrame
        As from `sheet.read_fields`, with `exposure_s` and `pixel_size_um` known for all and the
        columns of `movie_record`.
    shapes : DataFrame
        Indexed by `field`: `frames`, `height`, `width` of its movies, the longer one's frames.
    notes : list of str
        What the user should read; nothing in it keeps the run from starting.
    inputs : dict
        Path of the sheet -> the states of its files.
    ensemble : list of dict
        As from `ensemble_sheet.examine_ensemble`; empty without an ensemble sheet.
    verdicts : list of dict
        As from `verdicts.examine_verdicts`; empty without a file of verdicts.
    """

    settings: dict[str, Any]
    fields: pd.DataFrame
    shapes: pd.DataFrame
    notes: list[str]
    inputs: dict[str, Sequence[FileState]]
    ensemble: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]


def check_everything(
    config: Mapping[str, Any] | None,
    base_dir: str | Path | None = None,
    config_files: Iterable[str | Path] = (),
    open_movie: Open | None = None,
    cache: HeaderCache | None = None,
) -> Checked:
    """Check configuration, sample sheet and movies, and report all errors together.

    Parameters
    ----------
    config : mapping or None
        As Snakemake read it.
    base_dir : path, optional
        Where relative paths start; default: the working directory.
    config_files : iterable of paths, optional
        Where `config` came from, to name the lines of its errors.
    open_movie : callable, optional
        As in `headers.read_header`.
    cache : HeaderCache, optional
        As in `headers.read_headers`.

    Returns
    -------
    Checked

    Raises
    ------
    UnsoundInputError
    """
    settings, problems = examine_settings(config, config_files)
    unsound = {problem.about for problem in problems}
    if "fields" in unsound:  # which sheet is meant is not known
        raise UnsoundInputError(problems)
    sheet = examine_sheet(settings["fields"], base_dir)
    fields, findings = examine_inputs(
        sheet.fields,
        settings,
        base_dir,
        sheet.bad_cells,
        frozenset(unsound),
        open_movie,
        cache,
    )
    of_the_sheet = [*sheet.problems, *findings.problems]
    ensemble, of_films = _examine_ensemble(settings["ensemble"], base_dir, findings)
    names = () if sheet.problems else fields["field"]
    verdicts, of_verdicts, notes = examine_verdicts(settings["verdicts"], names, base_dir)
    if sheet.problems:  # names of fields are not known
        of_verdicts = [problem for problem in of_verdicts if problem.about != "field"]
    if problems or of_the_sheet or of_films or of_verdicts:
        by_line = sorted(of_the_sheet, key=lambda p: p.line)
        raise UnsoundInputError([*problems, *by_line, *of_films, *of_verdicts])
    shapes = pd.DataFrame.from_dict(
        findings.shapes, orient="index", columns=["frames", "height", "width"]
    ).rename_axis("field")
    findings.notes += notes
    return Checked(settings, fields, shapes, findings.notes, findings.inputs, ensemble, verdicts)


def _examine_ensemble(
    path: str | None, base_dir: str | Path | None, findings: Findings
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Check the ensemble sheet, where there is one, and take down the states of its files."""
    if not path:
        return [], []
    from blinkpair.inputs.ensemble_sheet import FILE_COLUMNS, examine_ensemble

    rows, problems = examine_ensemble(path, base_dir)
    for name in (row[column].partition("::")[0] for row in rows for column in FILE_COLUMNS):
        if name:
            findings.inputs[name] = file_states([Path(base_dir or "", name)])
    return rows, problems


def check_inputs(
    fields: pd.DataFrame,
    settings: Mapping[str, Any],
    base_dir: str | Path | None = None,
    open_movie: Open | None = None,
) -> list[str]:
    """Check the movies and images of all fields.

    Parameters
    ----------
    fields : DataFrame
        As from `sheet.read_fields`. Its columns `exposure_s` and `pixel_size_um`
        are filled in, so that nobody has to open the movies again for them.
    settings : mapping
        As from `settings.load_settings`.
    base_dir : path, optional
        Where relative paths start; default: the working directory.
    open_movie : callable, optional
        As in `headers.read_header`.

    Returns
    -------
    list of str
        Notes for the user.

    Raises
    ------
    UnsoundInputError
        Naming every file that is missing, unreadable or does not fit.
    """
    resolved, findings = examine_inputs(fields, settings, base_dir, open_movie=open_movie)
    if findings.problems:
        raise UnsoundInputError(findings.problems)
    for quantity in (EXPOSURE, PIXEL_SIZE):
        fields[quantity.column] = resolved[quantity.column]
    return findings.notes


def examine_inputs(
    fields: pd.DataFrame,
    settings: Mapping[str, Any],
    base_dir: str | Path | None = None,
    bad_cells: frozenset[tuple[int, str]] = frozenset(),
    bad_settings: frozenset[str] = frozenset(),
    open_movie: Open | None = None,
    cache: HeaderCache | None = None,
) -> tuple[pd.DataFrame, Findings]:
    """Check the movies and images of all fields without raising.

    Parameters
    ----------
    fields, settings, base_dir
        As for `check_inputs`; empty paths are passed over.
    bad_cells : frozenset of (int, str), optional
        Cells of the sheet that were reported already; what follows from them is not.
    bad_settings : frozenset of str, optional
        Settings that were reported already.
    open_movie, cache : optional
        As in `headers.read_headers`.

    Returns
    -------
    fields : DataFrame
        A copy with exposure and pixel size filled in, NaN where unknown, and the other columns of
        `movie_record`.
    findings : Findings
    """
    base = "" if base_dir is None else str(base_dir)
    sheet = str(settings["fields"])
    findings = Findings()
    to_come = settings["made_by_rules"]
    paths = () if to_come else (path for c in PATH_COLUMNS for path in fields[c] if path)
    opened = read_headers(paths, base, open_movie=open_movie, cache=cache)
    resolved: dict[str, list[Any]] = {column: [] for column in movie_record.RECORD_COLUMNS}
    for line, row in zip(fields.index, fields.to_dict("records"), strict=True):
        headers = {c: h for c in PATH_COLUMNS if isinstance(h := opened.get(row[c]), Header)}
        skipped = {c: MoviePath.parse(row[c]).selection.skip for c in headers}
        one = Row(sheet, int(line), str(row["field"]), headers, findings, skipped)
        damaged = _take_files(one, row, opened, base, to_come=to_come)
        check_row(one, settings)
        for column in MOVIE_COLUMNS:
            for text in headers[column].notes if column in headers else ():
                one.note(column, f"{text.rstrip('.')}.")
        # An image in the place of a movie is reported; that it has no time per frame follows.
        no_movie = any(headers[c].frames == 1 for c in MOVIE_COLUMNS if c in headers)
        for quantity in (EXPOSURE, PIXEL_SIZE):
            reported = (
                no_movie
                or damaged
                or (line, quantity.column) in bad_cells
                or quantity.column in bad_settings
            )
            may_differ = quantity is PIXEL_SIZE and settings["registration"]["model"] != "rigid"
            value, source = resolve(
                one, quantity, row[quantity.column], settings, reported, may_differ
            )
            resolved[quantity.column].append(value)
            resolved[quantity.source].append(source)
        for column, text in movie_record.of_epochs(headers).items():
            resolved[column].append(text)
        if "microspheres.diameter_um" not in bad_settings:
            check_microspheres(one, settings["microspheres"]["diameter_um"], value, source)

    def identity(file: str) -> str:  # a Path would take a second more for 10,000 fields
        return os.path.realpath(os.path.join(base, file))  # noqa: PTH118

    shared, shared_notes = find_shared_files(
        fields, sheet, identity, *find_copies(opened, identity, base)
    )
    findings.notes = grouped(findings.notes)
    findings.problems += shared
    _place_refusals(findings, may_exclude=settings["on_failed_field"] == "exclude", n=len(fields))
    findings.notes += shared_notes
    findings.notes += overlooked_treatments(fields, KNOWN_COLUMNS, sheet)
    known = fields.assign(**resolved)
    cut = bool(settings["statistics"]["equal_length"])
    findings.notes += movie_record.describe_lengths(known, cut=cut)
    findings.notes += movie_record.describe_frame_times(known)
    return known, findings


def _place_refusals(findings: Findings, *, may_exclude: bool, n: int) -> None:
    """Add the refusals of `n` fields to the notes, or to the problems if they end the run.

    The problems are sorted by line.
    """
    lost = {problem.line for problem in findings.refusals}
    if may_exclude and len(lost) < n:
        findings.notes += [f"{p} The field will be refused." for p in findings.refusals]
    else:
        findings.problems += findings.refusals
    findings.problems.sort(key=lambda problem: problem.line)


def _take_files(
    one: Row,
    row: Mapping[Hashable, Any],
    opened: Mapping[str, Header | InputError],
    base: str,
    *,
    to_come: bool,
) -> bool:
    """Enter the states of a row's files and the shape of its movies in the findings.

    Returns
    -------
    bool
        Whether a file refuses the field. What is wrong with a file is in the findings.
    """
    findings = one.findings
    before = len(findings.refusals)
    for column in PATH_COLUMNS:
        if isinstance(error := opened.get(row[column]), InputError):
            one.unreadable(column, error)
    if row["landmarks"] and (problem := access_problem(str(row["landmarks"]), base)):
        one.unreadable("landmarks", problem)
    damaged = len(findings.refusals) > before
    for column in (*PATH_COLUMNS, "landmarks"):
        if path := row[column]:
            # What rules make is known to Snakemake by the rule, not by its content.
            by_rule = to_come and column in PATH_COLUMNS
            findings.inputs[path] = () if by_rule else _files(path, opened.get(path), base)
    for column in PATH_COLUMNS if to_come else ():
        if glob.has_magic(MoviePath.parse(row[column]).file):
            what = "a pattern cannot be resolved before the files are made (made_by_rules)"
            one.problem(column, what, "name one file")
    movies = [one.headers[c] for c in MOVIE_COLUMNS if c in one.headers]
    if movies or damaged:  # of a field that is refused hardly anything is read
        frames = max((movie.frames for movie in movies), default=1)
        size = next((h.size for h in (*movies, *one.headers.values())), (1, 1))
        findings.shapes[one.name] = (frames, *size)
    elif to_come:
        findings.shapes[one.name] = ASSUMED_SHAPE
    return damaged


def _files(path: str, seen: Header | InputError | None, base: str) -> Sequence[FileState]:
    """Return the states of the files of a path, also of one that has no header."""
    from blinkpair.movie.paths import movie_files

    if isinstance(seen, Header):
        return seen.files
    try:
        return file_states(movie_files(os.path.join(base, path)))  # noqa: PTH118
    except (InputError, OSError):  # reported with the path
        return ()
