"""What stands in a movie's cell of the sample sheet -> the files behind it, in order.

A path may be a pattern (``run_*.tif``) for a movie that was split over files, or a spool folder;
choices may stand behind it (see `movie`). Nothing is opened here.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from blinkpair.errors import ChoiceError
from blinkpair.movie.formats.selection import Selection, split_path

PathLike = str | os.PathLike[str]


def movie_files(path: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    """List the files behind a path of the sample sheet, without opening them.

    Choices are taken off, patterns are resolved, and a spool folder stands for the files in it,
    so that a workflow can watch them.

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
    """Turn what a user wrote into files in order, choices, and a name for messages."""
    if not isinstance(path, str | os.PathLike):
        if not path:
            raise ChoiceError("no file is given for this movie", "name at least one")
        split = [split_path(os.fspath(one)) for one in path]
        files = sorted((Path(bare).expanduser() for bare, _ in split), key=natural_key)
        if any(selection != split[0][1] for _, selection in split):
            raise ChoiceError("the parts of a movie carry different '::' choices.", place=files[0])
        return files, split[0][1], str(files[0])
    bare, selection = split_path(os.fspath(path))
    file = Path(bare).expanduser()
    if file.exists() or not glob.has_magic(bare):
        return [file], selection, bare
    found = sorted(map(Path, glob.glob(str(file), recursive=True)), key=natural_key)  # noqa: PTH207
    if not found:
        raise ChoiceError(
            "no file matches this pattern",
            "relative paths start at the working directory; check the spelling, capitals included",
            place=bare,
        )
    return found, selection, bare
