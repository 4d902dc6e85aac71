"""Files that stand in two places of the sample sheet.

Input: the table of the sheet, and which files are copies. Output: the problems and notes of files
that are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path

import pandas as pd

from blinkpair.inputs.columns import BRIGHTFIELD_COLUMNS, MOVIE_COLUMNS, PATH_COLUMNS
from blinkpair.inputs.problems import Problem, shown
from blinkpair.movie.formats.selection import MoviePath
from blinkpair.treatments import TEMPERATURE, TREATMENT


def find_shared_files(
    fields: pd.DataFrame,
    sheet: str | Path,
    identity: Callable[[str], Hashable],
    by_bytes: Mapping[Hashable, Hashable] | None = None,
    by_frames: Mapping[Hashable, Hashable] | None = None,
) -> tuple[list[Problem], list[str]]:
    """Find files that stand in two places of the sheet, themselves or as copies.

    The two epochs of one field cannot be one file: every pair would be perfect.
    Two fields may share a brightfield image, or the movie before two different
    treatments, or one's movie after may be the next one's movie before (a series of
    treatments); that is worth a note. The same movie in the same role of the same
    treatment, or after two treatments, counts its nanocrystals twice, and so does a
    series that comes back to where it began: in one of its fields the epochs are
    exchanged.

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
    uses: dict[Hashable, list[tuple[int, str, str, str, Hashable, Hashable]]] = {}
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
            own = identity(parsed.file)
            content = by_bytes.get((own, parsed.selection), (own, parsed.selection))
            recording = by_frames.get(content, content)
            movies.setdefault(line, (field, {}))[1][column] = recording
            earlier = uses.setdefault(recording, [])
            place = f"{sheet}, line {line}, column {column}"
            is_movie = column in MOVIE_COLUMNS
            for other_line, other_field, other_treatment, other_column, other, its in earlier:
                alike = line != other_line and is_movie == (other_column in MOVIE_COLUMNS)
                if content != its and not alike:
                    continue
                is_copy = own != other
                also = "a copy (of the same bytes or frames) of" if is_copy else "also"
                if line == other_line:
                    same = f"{also} that" if is_copy else "the same file as"
                    what = f"this is {same} in column {other_column}: {shown(path)}"
                    hint = "name the file of this epoch and kind"
                elif {column, other_column} <= set(BRIGHTFIELD_COLUMNS) or (
                    {column, other_column} == set(MOVIE_COLUMNS)
                    or (column == other_column == "pre_pl" and treatment != other_treatment)
                ):
                    notes.append(
                        f"{place} (field {field}): the file is {also} the {other_column} of field "
                        f"{other_field} (line {other_line})."
                    )
                    continue
                else:
                    both_movies = {column, other_column} <= set(MOVIE_COLUMNS)
                    follows = (
                        "its nanocrystals would be counted twice"
                        if both_movies
                        else "one file cannot be a brightfield image and a movie"
                    )
                    what = (
                        f"{shown(path)} is {also} the {other_column} of field {other_field} "
                        f"(line {other_line}): {follows}"
                    )
                    hint = "name another file"
                    hint += ", or remove one of the two rows" if both_movies else ""
                problems.append(Problem(place, what, hint, column, int(line)))
                break
            earlier.append((line, field, treatment, column, own, content))
    return [*problems, *_circular_series(movies, sheet)], notes


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
