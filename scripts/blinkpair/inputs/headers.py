"""The header of a movie or image, or the error that keeps it from being read.

Rows and columns of the sheet are added by `row_checks`. Input: a path of the sample sheet. Output:
numbers of frames and pixels, exposure and pixel size; or an error.
"""

from __future__ import annotations

import glob
import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blinkpair.cores import usable_cores
from blinkpair.errors import ChoiceError, InputError
from blinkpair.inputs.contents import FileState, file_states, path_files, sample
from blinkpair.inputs.problems import nearest, shown
from blinkpair.movie.formats.selection import MoviePath

if TYPE_CHECKING:
    from blinkpair.inputs.header_cache import HeaderCache

# Opening waits for a file server most of the time, but where the files are at hand it is work for a
# processor, in which threads only hinder each other. Processes take a second to start.
_MOST_PROCESSES, _THREADS = 4, 16
_QUOTES = ("'", '"', "’", "”", "»", "`")


Open = Callable[[str], Any]


@dataclass(frozen=True)
class Header:
    """Metadata of a file.

    Attributes
    ----------
    frames, height, width : int
    dtype : str
        NumPy's name of the type of its pixels.
    format : str
        Of the file, in a user's words.
    exposure_s, pixel_size_um, acquired_s : float or None
    notes : tuple of str
        Remarks of its reader.
    exposure_from, pixel_size_from : str
        Where the file holds the two, or why it does not give them.
    files : tuple of FileState
        All files of the movie.
    sample, pixels : str
        Digests of some of its bytes and of its pixels, equal for copies; of pixels also for the
        same recording in another format, and empty where they show none.
    alone : bool
        It is of one file, and no other file decides which ones make the movie.
    camera_exposure_s : float or None
        As in `movie.Movie`.
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
    exposure_from: str = ""
    pixel_size_from: str = ""
    files: tuple[FileState, ...] = ()
    sample: str = ""
    pixels: str = ""
    alone: bool = False
    camera_exposure_s: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width


def read_headers(
    paths: Iterable[str],
    base: str = "",
    *,
    open_movie: Open | None = None,
    cache: HeaderCache | None = None,
    many: int = 2000,
    part: int = 200,
) -> dict[str, Header | InputError]:
    """Return the headers of many files; see `read_header`.

    Parameters
    ----------
    paths, base, open_movie
        As in `read_header`.
    cache : HeaderCache, optional
        What earlier starts have read; new headers are added.
    many, part : int
        So many files are read in processes, so many at a time.
    """
    ordered = sorted(set(paths))
    if cache is None:
        return _read_all(ordered, base, open_movie, many, part)
    known: dict[str, Header | InputError] = {**cache.known_headers(ordered, base)}
    new = _read_all([path for path in ordered if path not in known], base, open_movie, many, part)
    cache.add_headers(new, base)
    known |= new
    return {path: known[path] for path in ordered}


def _read_all(
    ordered: list[str], base: str, open_movie: Open | None, many: int, part: int
) -> dict[str, Header | InputError]:
    if len(ordered) < many:
        return _read_some(ordered, base, open_movie, _THREADS)
    parts = [ordered[i : i + part] for i in range(0, len(ordered), part)]
    processes = usable_cores(_MOST_PROCESSES)
    threads = _THREADS // processes
    read = partial(_read_some, base=base, open_movie=open_movie, threads=threads)
    # Not forked: the process that plans may have threads of its own.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            return {
                path: header for found in pool.map(read, parts) for path, header in found.items()
            }
    except BrokenProcessPool:  # started from a notebook or a script that cannot be imported again
        return _read_some(ordered, base, open_movie, _THREADS)


def _read_some(
    paths: list[str], base: str, open_movie: Open | None, threads: int
) -> dict[str, Header | InputError]:
    read = partial(read_header, base=base, open_movie=open_movie)
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(paths, pool.map(read, paths), strict=True))


def read_header(path: str, base: str = "", open_movie: Open | None = None) -> Header | InputError:
    """Open a movie or image and return its header.

    Parameters
    ----------
    path : str
        As in the sheet, with its '::' choices.
    base : str, optional
        Folder where a relative path starts; default: the working directory.
    open_movie : callable, optional
        Default: `movie.reader.open_movie`.

    Returns
    -------
    Header, or the error where it cannot be opened: a `ChoiceError` if the sheet has to be mended.
    """
    # Of all formats: loaded only when files are opened.
    from blinkpair.movie import reader
    from blinkpair.movie.equal_frames import pixel_sample
    from blinkpair.movie.movie import Movie
    from blinkpair.movie.paths import movie_files

    bare = MoviePath.parse(path).file
    if problem := access_problem(bare, base):
        return problem
    full = os.path.join(base, path)  # noqa: PTH118 (a Path would eat the slashes of '::' choices)
    try:
        movie = (open_movie or reader.open_movie)(full)
        alone = len(movie.paths) == 1
        files = file_states(movie.paths if alone else path_files(movie_files(full), movie.paths))
        own_sample = sample(files)
        pixels = pixel_sample(movie) if isinstance(movie, Movie) else ""
        alone = alone and isinstance(movie, Movie) and _is_alone(movie.paths[0], full)
    except InputError as error:
        names = (full, os.path.join(base, bare))  # noqa: PTH118
        place = "" if error.place in names else error.place
        hint = error.hint or "check that the file opens in the program that wrote it"
        return type(error)(error.what, hint, place)
    except Exception as error:  # a damaged file can make a reader fail in any way
        text = " ".join(str(error).split())[:200]
        return InputError(
            f"{shown(path)} cannot be read ({type(error).__name__}: {text})",
            "check that the file is complete and opens in the program that wrote it",
        )
    frames, height, width = movie.shape
    return Header(
        frames,
        height,
        width,
        str(movie.dtype),
        movie.format,
        movie.exposure_s,
        movie.pixel_size_um,
        movie.acquired_s,
        movie.notes,
        movie.exposure_from,
        movie.pixel_size_from,
        files,
        own_sample,
        pixels,
        alone,
        movie.camera_exposure_s,
    )


def _is_alone(file: Path, path: str) -> bool:
    """Return whether a movie of one file is that by this file and its name alone."""
    from blinkpair.movie.formats.registry import share_of
    from blinkpair.movie.paths import first_file

    if file != first_file(path):  # found by a pattern, or in a folder
        return False
    share = share_of(file)
    return share is None or (share.whole and share.leads and share.kind != "NDTiff")


def access_problem(path: str, base: str = "") -> ChoiceError | None:
    """Return the error of a path with nothing at it, or nothing that may be read; else None.

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
            return ChoiceError(
                f"{shown(path)} is a link to {target}, which is not there", "mend the link"
            )
    except OSError as error:  # a name too long, a folder without rights
        return ChoiceError(
            f"{shown(path)} cannot be reached ({error.strerror})", "check path and rights"
        )
    if glob.has_magic(path):
        if glob.glob(str(full), recursive=True):  # noqa: PTH207 (the pattern may be absolute)
            return None
        folder = next(parent for parent in full.parents if not glob.has_magic(str(parent)))
        if folder.is_dir() and (problem := _unreadable(folder, str(folder))):
            return problem
        return ChoiceError(f"no file matches the pattern {shown(path)}", _where(full, base))
    return ChoiceError(f"there is no file {shown(path)}", _where(full, base))


def _unreadable(full: Path, path: str) -> ChoiceError | None:
    """Return the error of a file or folder that may not be read, and who can change it."""
    if os.access(full, os.R_OK):
        return None
    hint = "ask its owner for the right to read it"
    if hasattr(os, "getuid") and full.stat().st_uid == os.getuid():
        hint = f"run: chmod u+r{'x' * full.is_dir()} {path!r}"
    return ChoiceError(f"{shown(path)} may not be read by you", hint)


def _where(full: Path, base: str) -> str:
    """Return the hint for a missing file: the first missing part, or a similar name."""
    if "\\" in str(full):
        return "write the path with / between folders, not with \\"
    if full.name.endswith(_QUOTES):
        return "write the path without quotation marks"
    parent, name = full.parent, full.name
    while not parent.is_dir() and parent != parent.parent:
        parent, name = parent.parent, parent.name
    start = f"relative paths start at {base or Path.cwd()}"
    try:
        close = None if glob.has_magic(name) else nearest(name, sorted(os.listdir(parent)), 0.7)  # noqa: PTH208
    except OSError:
        close = None
    if close:
        return f"did you mean {parent / close}?"
    if name != full.name and not glob.has_magic(name):
        return f"there is no folder {parent / name}; {start}"
    return f"check the name; {start}"
