"""What the header of one movie or image says, or what keeps it from being read.

Comes in: a path of the sample sheet. Goes out: its numbers of frames and pixels,
exposure and pixel size; or what is wrong and what to do, in two sentences. It
knows nothing of rows and columns; `inputs` puts those in front.
"""

from __future__ import annotations

import glob
import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from blinkpair.errors import ChoiceError, InputError
from blinkpair.inputs.problems import nearest, shown
from blinkpair.movie.formats.selection import split_path

# Opening waits for a file server most of the time, but where the files are at hand it is work for a
# processor, in which threads only hinder each other. Processes take a second to start.
_MANY, _PART = 2000, 200
_PROCESSES, _THREADS = 4, 4


class Fault(NamedTuple):
    """Why there is no header.

    Attributes
    ----------
    what, hint : str
        What is wrong, what to do: two sentences.
    in_file : bool
        The file is there and named rightly, but cannot be used: it is damaged, or not a movie.
    """

    what: str
    hint: str
    in_file: bool = False


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    frames, height, width : int
    dtype : str
        NumPy's name of the type of its pixels.
    format : str
        Of the file, in a user's words.
    exposure_s, pixel_size_um, acquired_s : float or None
    notes : tuple of str
        What its reader found remarkable.
    """

    frames: int
    height: int
    width: int
    dtype: str
    format: str
    exposure_s: float | None
    pixel_size_um: float | None
    acquired_s: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width


def read_headers(paths: Iterable[str], base: str = "") -> dict[str, Header | Fault]:
    """Look at many files at once; see `read_header`."""
    ordered = sorted(set(paths))
    if len(ordered) < _MANY:
        return _read_some(ordered, base, _PROCESSES * _THREADS)
    parts = [ordered[i : i + _PART] for i in range(0, len(ordered), _PART)]
    look = partial(_read_some, base=base, threads=_THREADS)
    # Not forked: the process that plans may have threads of its own.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(_PROCESSES, mp_context=context) as pool:
            return {path: seen for found in pool.map(look, parts) for path, seen in found.items()}
    except BrokenProcessPool:  # started from a notebook or a script that cannot be imported again
        return _read_some(ordered, base, _PROCESSES * _THREADS)


def _read_some(paths: list[str], base: str, threads: int) -> dict[str, Header | Fault]:
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(paths, pool.map(partial(read_header, base=base), paths), strict=True))


def read_header(path: str, base: str = "") -> Header | Fault:
    """Open a movie or image and return what its header says.

    Parameters
    ----------
    path : str
        As in the sheet, with its '::' choices.
    base : str, optional
        Folder where a relative path starts; default: the working directory.

    Returns
    -------
    Header, or Fault where it cannot be opened.
    """
    from blinkpair.movie.reader import (
        open_movie,  # the readers of all formats: only when files are opened
    )

    bare, _ = split_path(path)
    if fault := access_problem(bare, base):
        return fault
    full = os.path.join(base, path)  # noqa: PTH118 (a Path would eat the slashes of '::' choices)
    try:
        movie = open_movie(full)
    except InputError as error:
        what, _, hint = str(error).partition("Hint: ")
        for prefix in (full, os.path.join(base, bare)):  # noqa: PTH118
            what = what.removeprefix(f"{prefix}: ").strip()
        hint = hint.strip() or "check that the file opens in the program that wrote it."
        return Fault(what, hint, in_file=not isinstance(error, ChoiceError))
    except Exception as error:  # a damaged file can make a reader fail in any way
        text = " ".join(str(error).split())[:200]
        what = f"{shown(path)} cannot be read ({type(error).__name__}: {text})."
        hint = "check that the file is complete and opens in the program that wrote it."
        return Fault(what, hint, in_file=True)
    return Header(
        *movie.shape,
        str(movie.dtype),
        movie.format,
        movie.exposure_s,
        movie.pixel_size_um,
        movie.acquired_s,
        movie.notes,
    )


def access_problem(path: str, base: str = "") -> Fault | None:
    """Say why there is nothing at a path, or nothing that may be read; None where there is.

    Parameters
    ----------
    path : str
        A file, folder or pattern, without '::' choices.
    base : str, optional
        Folder where a relative path starts.
    """
    full = Path(base) / path
    try:
        if full.exists():
            return _unreadable(full, path)
        if full.is_symlink():
            target = os.readlink(full)  # noqa: PTH115
            return Fault(
                f"{shown(path)} is a link to {target}, which is not there.", "mend the link."
            )
    except OSError as error:  # a name too long, a folder without rights
        return Fault(
            f"{shown(path)} cannot be reached ({error.strerror}).", "check path and rights."
        )
    if glob.has_magic(path):
        if glob.glob(str(full), recursive=True):  # noqa: PTH207 (the pattern may be absolute)
            return None
        folder = next(parent for parent in full.parents if not glob.has_magic(str(parent)))
        if folder.is_dir() and (fault := _unreadable(folder, str(folder))):
            return fault
        return Fault(f"no file matches the pattern {shown(path)}.", _where(full, base))
    return Fault(f"there is no file {shown(path)}.", _where(full, base))


def _unreadable(full: Path, path: str) -> Fault | None:
    """Say that a file or folder may not be read, and who can change it; None where it may."""
    if os.access(full, os.R_OK):
        return None
    hint = "ask its owner for the right to read it."
    if hasattr(os, "getuid") and full.stat().st_uid == os.getuid():
        hint = f"run: chmod u+r{'x' * full.is_dir()} {path!r}."
    return Fault(f"{shown(path)} may not be read by you.", hint)


def _where(full: Path, base: str) -> str:
    """Say what to do about a missing file: the first missing part, and what looks like it."""
    if "\\" in str(full):
        return "write the path with / between folders, not with \\."
    parent, name = full.parent, full.name
    while not parent.is_dir() and parent != parent.parent:
        parent, name = parent.parent, parent.name
    start = f"relative paths start at {base or Path.cwd()}."
    try:
        close = None if glob.has_magic(name) else nearest(name, sorted(os.listdir(parent)), 0.7)  # noqa: PTH208
    except OSError:
        close = None
    if close:
        return f"did you mean {parent / close}?"
    if name != full.name and not glob.has_magic(name):
        return f"there is no folder {parent / name}; {start}"
    return f"check the name; {start}"
