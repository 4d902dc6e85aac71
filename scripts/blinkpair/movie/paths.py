"""The files behind a path of the sample sheet. Nothing is opened here.

Input: a file, a pattern (``run_*.tif``) for a movie that was split over files, or a spool folder,
with or without choices. Output: files and choices.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from blinkpair.errors import ChoiceError
from blinkpair.movie.formats.selection import MoviePath, Selection

PathLike = str | os.PathLike[str]


def movie_files(path: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    """List the files behind a path of the sample sheet, without opening them.

    Patterns are resolved, and a spool folder stands for the files in it, so that a workflow can
    watch them.

    Parameters
    ----------
    path : path, or sequence of paths

    Returns
    -------
    tuple of Path

    Raises
    ------
    InputError
        A pattern matches nothing, or a choice is misspelt. A missing file is not an error here.
    """
    listed: list[Path] = []
    for file in resolve(path)[0]:
        folder = file.parent if file.suffix.lower() == ".sifx" else file
        if folder.is_dir():
            listed += sorted((p for p in folder.iterdir() if p.is_file()), key=natural_key)
        else:
            listed.append(file)
    return tuple(listed)


def natural_key(path: PathLike) -> list[tuple[int, int, str]]:
    """Sort key that reads numbers in a name as numbers: part2 comes before part10."""
    pieces = re.split(r"(\d+)", str(path))
    key = [(1, int(p), p) if p.isdecimal() else (2, 0, p.lower()) for p in pieces if p]
    return [*key, (0, 0, str(path))]  # of names that differ in case alone, not the disk's order


def resolve(path: PathLike | Sequence[PathLike]) -> tuple[list[Path], Selection, str]:
    """Return the files of a path in order, its choices, and a name for messages."""
    if not isinstance(path, str | os.PathLike):
        if not path:
            raise ChoiceError("no file is given for this movie", "name at least one")
        parts = [MoviePath.parse(os.fspath(one)) for one in path]
        files = sorted((Path(part.file).expanduser() for part in parts), key=natural_key)
        if any(part.selection != parts[0].selection for part in parts):
            raise ChoiceError("the parts of a movie have different '::' choices", place=files[0])
        return files, parts[0].selection, str(files[0])
    parsed = MoviePath.parse(os.fspath(path))
    file = Path(parsed.file).expanduser()
    if file.exists() or not glob.has_magic(parsed.file):
        return [file], parsed.selection, parsed.file
    found = sorted(map(Path, glob.glob(str(file), recursive=True)), key=natural_key)  # noqa: PTH207
    if not found:
        raise ChoiceError(
            "no file matches this pattern",
            "relative paths start at the working directory; check the spelling, capitals included",
            place=parsed.file,
        )
    return found, parsed.selection, parsed.file
