"""The files behind a path of the sample sheet.

Input: a file, a pattern (``run_*.tif``) for a movie that was split over files, or a spool folder,
with or without choices. Output: files and choices.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from blinkpair.errors import ChoiceError, InputError
from blinkpair.movie.formats.selection import MoviePath, Selection

PathLike = str | os.PathLike[str]
# What the files of a recording of several files are called.
_OF_SETS = (".tif", ".tiff")


def movie_files(path: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    """List the files behind a path of the sample sheet, so that a workflow can watch them.

    Patterns are resolved, a spool folder stands for the files in it, and a TIFF file of a recording
    of several files for all of them. Of a TIFF named alone the head is read, of others nothing.

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
    files, selection, called = resolve(path)
    if len(files) == 1 and files[0].suffix.lower() in _OF_SETS:
        return _recording(files[0], selection.position, called)
    for file in files:
        folder = file.parent if file.suffix.lower() == ".sifx" else file
        if folder.is_dir():
            listed += sorted((p for p in folder.iterdir() if p.is_file()), key=natural_key)
        else:
            listed.append(file)
    return tuple(listed)


def first_file(path: PathLike) -> Path:
    """Return the file that a path of the sample sheet names, which need not exist yet."""
    return Path(MoviePath.parse(os.fspath(path)).file).expanduser()


def _recording(file: Path, position: str | None, called: str) -> tuple[Path, ...]:
    """The files of one recording, with their index; the file itself where that is not clear."""
    from blinkpair.movie.file_set import find_files
    from blinkpair.movie.formats.tiff_shares import INDEX

    try:
        (part,) = find_files([file], called, position).parts
    except (InputError, OSError):  # who opens the movie reports it
        return (file,)
    indexed = any(share.kind == "NDTiff" for share in part.shares)
    return (*part.files, file.with_name(INDEX)) if indexed else part.files


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
