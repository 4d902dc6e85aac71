"""What is in the input files, without reading them whole: states, samples and checksums.

A movie is 10 GB: reading all of it again would take as long as analysing it.

Input: the files behind a path of the sample sheet. Output: the state of each, and digests that are
equal for equal files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

CHECKSUM_BYTES = 1 << 20
SAMPLE_BYTES = 4096


class FileState(NamedTuple):
    """A file as the disk describes it.

    Attributes
    ----------
    path : str
    size : int
        Bytes.
    modified_ns, changed_ns : int
        When its content was written, which copies keep, and when anything of it was changed, which
        nobody can set; nanoseconds since 1970.
    inode : int
        Its number on the disk, another one for another file under the same name.
    """

    path: str
    size: int
    modified_ns: int
    changed_ns: int
    inode: int


def digest(*parts: object) -> str:
    """Return 16 hexadecimal digits that are equal for equal parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def file_states(paths: Iterable[str | os.PathLike[str]]) -> tuple[FileState, ...]:
    """Return the states of files; those that are not there are left out."""
    states = []
    for given in paths:
        path = os.fspath(given)
        try:
            found = os.stat(path)  # noqa: PTH116 (a Path would take half a second for 10,000 fields)
        except OSError:
            continue
        times_ns = found.st_mtime_ns, found.st_ctime_ns
        states.append(FileState(path, found.st_size, *times_ns, found.st_ino))
    return tuple(states)


def path_files(listed: Sequence[Path], read: Sequence[Path] = ()) -> list[Path]:
    """Return all files of a movie: those its path names, and those its header names besides.

    Parameters
    ----------
    listed : sequence of Path
        As from `movie.paths.movie_files`.
    read : sequence of Path
        As of the opened movie; they lie beside the first one.
    """
    names = {file.name for file in listed}
    return [*listed, *(listed[0].with_name(p.name) for p in read if p.name not in names)]


def sample(files: Sequence[FileState]) -> str:
    """Return a digest of a movie's sizes and of 4 KiB from the middle of its middle file.

    Two recordings differ in it by their noise. Copies have it in common, and so may images without
    noise: `copies` decides then.
    """
    if not files:
        return ""
    middle = files[len(files) // 2]
    file = os.open(middle.path, os.O_RDONLY)
    try:
        read = os.pread(file, SAMPLE_BYTES, middle.size // 2)
    finally:
        os.close(file)
    return hashlib.sha256(f"{[one.size for one in files]}".encode() + read).hexdigest()[:16]


def fast_checksum(path: str | Path) -> str:
    """SHA-256 of a file's size and its first and last MiB.

    A file that was exchanged, cut or acquired anew differs; one changed only in the middle is not
    noticed.
    """
    file = Path(path)
    size = file.stat().st_size
    result = hashlib.sha256(str(size).encode())
    with file.open("rb") as stream:
        result.update(stream.read(CHECKSUM_BYTES))
        if size > CHECKSUM_BYTES:
            stream.seek(max(CHECKSUM_BYTES, size - CHECKSUM_BYTES))
            result.update(stream.read(CHECKSUM_BYTES))
    return result.hexdigest()
