"""Movies that a workflow copied to another disk before they are read."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from blinkpair.errors import InputError
from blinkpair.movie.paths import PathLike, movie_files

log = logging.getLogger(__name__)


def staged_path(path: PathLike, files: Sequence[PathLike]) -> str:
    """Return the path of a movie whose files were copied elsewhere.

    Parameters
    ----------
    path : path
        As in the sample sheet.
    files : sequence of paths
        Its files in the order of `movie_files`, or copies of them below another folder under the
        same path; none where they are not inputs of the rule. Other files that its header names
        may follow.

    Returns
    -------
    str
        `path`, or the same place among the copies, with its '::' choices.

    Raises
    ------
    OSError
        A copy is not there, or is not of its file as it is now. No fault of the movie: the job
        fails, and is done again with new copies, where an `InputError` would refuse the field.
    """
    there = list(movie_files(path))
    here = [Path(file) for file in files][: len(there)]
    if not here or here == there:
        return os.fspath(path)
    inner = str(there[0]).lstrip("/")
    root = str(here[0]).removesuffix(inner)
    if len(here) != len(there) or here != [Path(root + str(f).lstrip("/")) for f in there]:
        raise InputError(f"the copies {here[0]} ... are not those of its files.", place=path)
    for copied, original in zip(here, there, strict=True):
        new, old = copied.stat(), original.stat()
        if (new.st_size, int(new.st_mtime)) != (old.st_size, int(old.st_mtime)):
            raise OSError(f"{copied} is not a copy of {original} as it is now. Hint: remove it.")
    # As in the sheet: a file, folder or pattern, and its choices.
    copy = root + os.fspath(path).removeprefix("./").lstrip("/")
    log.info("read from the copy %s", copy)
    return copy


def remove_copies(path: PathLike, files: Sequence[PathLike]) -> None:
    """Remove the copies of a movie after they were read for the last time; originals stay.

    Snakemake takes copies for shared by all nodes and would leave them where they are.

    Parameters
    ----------
    path, files
        As for `staged_path`.
    """
    originals = {file.resolve() for file in movie_files(path)}
    for file in map(Path, files):
        if file.resolve() not in originals:
            file.unlink(missing_ok=True)
