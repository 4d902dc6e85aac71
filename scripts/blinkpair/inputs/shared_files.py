"""Find files that stand in two places of the sample sheet.

Input: the table of the sheet, and which files are copies. Output: problems and notes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from blinkpair.inputs.columns import BRIGHTFIELD_COLUMNS, MOVIE_COLUMNS, PATH_COLUMNS
from blinkpair.inputs.problems import Problem, shown
from blinkpair.movie.formats.selection import MoviePath
from blinkpair.treatments import TEMPERATURE, TREATMENT


class _Use(NamedTuple):
    """A cell of the sheet that names a file.

    `file` is equal for equal files, `content` for equal bytes and the same choice of frames.
    """

    line: int
    field: str
    treatment: str
    column: str
    path: str
    file: Hashable
    content: Hashable

    def is_movie(self) -> bool:
        return self.column in MOVIE_COLUMNS


def find_shared_files(
    fields: pd.DataFrame,
    sheet: str | Path,
    identity: Callable[[str], Hashable],
    by_bytes: Mapping[Hashable, Hashable] | None = None,
    by_frames: Mapping[Hashable, Hashable] | None = None,
) -> tuple[list[Problem], list[str]]:
    """Return the problems and notes of files that stand in two places of the sheet, or as copies.

    ================================================  =========================================
    shared                                            result
    ================================================  =========================================
    by two columns of one field                       problem: every pair would be perfect
    a brightfield image by two fields                 note
    the movie before by two treatments                note
    a movie after that is the movie before of         note: a series of treatments
    another field
    the same, and the series returns to its           problem: in one field the epochs are
    beginning                                         exchanged
    the movie after, or the movie before of one       problem: its nanocrystals would be
    treatment, by two fields                          counted twice
    an image and a movie of two fields                problem
    ================================================  =========================================

    Parameters
    ----------
    fields : DataFrame
        As from `read_fields`.
    sheet : path
        For the messages.
    identity : callable
        Path without its '::' choices -> what is equal for equal files.
    by_bytes, by_frames : mapping, optional
        As from `copies.find_copies`. The same frames in two files of one field are left to the
        step that reads them.

    Returns
    -------
    problems : list of Problem
    notes : list of str
    """
    problems: list[Problem] = []
    notes: list[str] = []
    by_bytes, by_frames = by_bytes or {}, by_frames or {}
    uses: dict[Hashable, list[_Use]] = {}
    movies: dict[int, tuple[str, dict[str, Hashable]]] = {}
    treatments = fields.get(TREATMENT, fields[TEMPERATURE])
    rows = zip(
        fields.index, fields["field"], treatments,
        *(fields[c] for c in PATH_COLUMNS), strict=True,
    )  # fmt: skip
    for line, field, treatment, *paths in rows:
        for column, path in zip(PATH_COLUMNS, paths, strict=True):
            if not path:
                continue
            parsed = MoviePath.parse(path)
            file = identity(parsed.file)
            own = (file, parsed.selection.of_recording())
            content = by_bytes.get(own, own)
            recording = by_frames.get(content, content)
            movies.setdefault(line, (field, {}))[1][column] = recording
            use = _Use(line, field, treatment, column, path, file, content)
            same_recording = uses.setdefault(recording, [])
            for other in same_recording:
                if use.content != other.content and not _may_be_a_copy(use, other):
                    continue
                if _may_share(use, other):
                    notes.append(
                        f"{sheet}, line {line}, column {column} (field {field}): the file is "
                        f"{_also(use, other)} the {other.column} of field {other.field} "
                        f"(line {other.line})."
                    )
                    continue
                problems.append(_problem(use, other, sheet))
                break
            same_recording.append(use)
    return [*problems, *_circular_series(movies, sheet)], notes


def _may_be_a_copy(use: _Use, other: _Use) -> bool:
    """Return whether equal frames in other bytes count: of one kind, in two rows."""
    return use.line != other.line and use.is_movie() == other.is_movie()


def _may_share(use: _Use, other: _Use) -> bool:
    """Return whether two cells may name one recording; see the table of `find_shared_files`."""
    if use.line == other.line:
        return False
    columns = {use.column, other.column}
    return (
        columns <= set(BRIGHTFIELD_COLUMNS)
        or columns == set(MOVIE_COLUMNS)
        or (columns == {"pre_pl"} and use.treatment != other.treatment)
    )


def _also(use: _Use, other: _Use) -> str:
    is_copy = use.file != other.file
    return "a copy (of the same bytes or frames) of" if is_copy else "also"


def _problem(use: _Use, other: _Use, sheet: str | Path) -> Problem:
    """Return the problem of two cells that may not name one recording."""
    if use.line == other.line:
        same = f"{_also(use, other)} that" if use.file != other.file else "the same file as"
        what = f"this is {same} in column {other.column}: {shown(use.path)}"
        hint = "name the file of this epoch and kind"
    else:
        follows, hint = "one file cannot be a brightfield image and a movie", "name another file"
        if use.is_movie() and other.is_movie():
            follows = "its nanocrystals would be counted twice"
            hint += ", or remove one of the two rows"
        what = (
            f"{shown(use.path)} is {_also(use, other)} the {other.column} of field {other.field} "
            f"(line {other.line}): {follows}"
        )
    place = f"{sheet}, line {use.line}, column {use.column}"
    return Problem(place, what, hint, use.column, int(use.line))


def _circular_series(
    movies: Mapping[int, tuple[str, Mapping[str, Hashable]]], sheet: str | Path
) -> list[Problem]:
    """Return a problem for each series of treatments that ends with the movie it began with.

    `movies` has the field and the recording of each column of a row, by line.
    """
    pre, post = MOVIE_COLUMNS
    made_by = {own[post]: line for line, (_, own) in movies.items() if post in own}
    problems: list[Problem] = []
    seen: set[int] = set()
    for start in movies:
        walk: list[int] = []
        line: int | None = start
        while line is not None and line not in seen:
            seen.add(line)
            walk.append(line)
            line = made_by.get(movies[line][1].get(pre))
        circle = sorted(walk[walk.index(line) :]) if line in walk else []
        if len(circle) > 1:
            names = [f"{movies[one][0]} (line {one})" for one in circle]
            what = (
                f"the movie after each of the fields {', '.join(names[:-1])} and {names[-1]} is "
                "the movie before another of them: these movies have no order in time, and their "
                "nanocrystals would be counted twice"
            )
            hint = (
                "in one of the rows the files before and after are exchanged, or it is one row "
                "too many: correct or remove it"
            )
            place = f"{sheet}, line {circle[-1]}, column {post}"
            problems.append(Problem(place, what, hint, post, circle[-1]))
    return problems
