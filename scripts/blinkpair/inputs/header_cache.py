"""Headers that an earlier start has read, so that a start opens only files that are new or changed.

A header is used again if size, times and inode of its file are the same. Where the files beside it
decide which of them make the movie, no file of the folder may have changed. What was changed less
than a minute before a start is read again at the next one: a second change within a tick of a
clock, or within the difference between the clocks of two computers, would not show.

Input: paths of the sample sheet, the file of the cache. Output: headers, and the cache.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.inputs.contents import FileState, digest, file_states
from blinkpair.inputs.headers import Header
from blinkpair.movie.formats.selection import MoviePath

_SETTLED_NS = 60 * 10**9
# A file server answers several at a time.
_THREADS, _PART = 16, 250


class HeaderCache:
    """Headers by path, kept in a file that may be damaged, deleted or written by two runs at once.

    Parameters
    ----------
    file : Path
    version : str
        Of all that reads headers: those of another version are not used.
    """

    def __init__(self, file: Path, version: str) -> None:
        self._file, self._version = file, version
        self._started_ns = time.time_ns()
        self._folders: dict[str, tuple[str, int]] = {}
        self._kept: dict[str, tuple[str, dict[str, Any]]] = {}
        try:
            mark, _, text = file.read_bytes().partition(b"\n")
        except OSError:
            return
        if mark == self._mark(text):
            self._kept = json.loads(text)

    def known_headers(self, paths: Iterable[str], base: str) -> dict[str, Header]:
        """Return the headers of the paths whose files have not changed.

        Parameters
        ----------
        paths : iterable of str
            As in the sheet, with their '::' choices.
        base : str
            Folder where relative paths start.
        """
        asked = [path for path in paths if os.path.join(base, path) in self._kept]  # noqa: PTH118
        parts = [asked[i : i + _PART] for i in range(0, len(asked), _PART)]

        def of_part(part: list[str]) -> dict[str, Header]:
            found = {path: self._known(os.path.join(base, path)) for path in part}  # noqa: PTH118
            return {path: header for path, header in found.items() if header is not None}

        with ThreadPoolExecutor(_THREADS) as pool:
            found = pool.map(of_part, parts)
            return {path: header for part in found for path, header in part.items()}

    def add_headers(self, headers: Mapping[str, Header | InputError], base: str) -> None:
        """Keep headers that were just read; of a folder that cannot be written nothing is kept."""
        new = {}
        for path, header in headers.items():
            if isinstance(header, Header) and header.files:
                full = os.path.join(base, path)  # noqa: PTH118
                state, newest_ns = self._state(full, header)
                if state and newest_ns < self._started_ns - _SETTLED_NS:
                    new[full] = state, vars(header)
        if not new:
            return
        self._kept |= new
        text = json.dumps(self._kept, default=lambda number: number.item()).encode()
        try:
            with files.atomic_write(self._file) as aside:
                aside.write_bytes(self._mark(text) + b"\n" + text)
        except (InputError, OSError):
            return

    def _mark(self, text: bytes) -> bytes:
        return hashlib.sha256(self._version.encode() + text).hexdigest().encode()

    def _known(self, full: str) -> Header | None:
        state, values = self._kept[full]
        states = tuple(FileState(*one) for one in values["files"])
        header = Header(**{**values, "notes": tuple(values["notes"]), "files": states})
        return header if self._state(full, header)[0] == state else None

    def _state(self, full: str, header: Header) -> tuple[str, int]:
        """Return a digest of what decides a header, '' for none, and when it was changed last."""
        if header.alone:
            return _digest(file_states([header.files[0].path]))
        folder = os.path.dirname(header.files[0].path)  # noqa: PTH120
        named = os.path.dirname(MoviePath.parse(full).file)  # noqa: PTH120
        if glob.has_magic(named):
            return "", 0
        if folder not in self._folders:
            self._folders[folder] = _of_folder(folder)
        return self._folders[folder]


def _of_folder(folder: str) -> tuple[str, int]:
    try:
        with os.scandir(folder or ".") as entries:
            beside = sorted(entry.path for entry in entries if not entry.is_dir())
        # When a file was added or removed last; not in the digest, as folders are added, too.
        changed_ns = os.stat(folder or ".").st_mtime_ns  # noqa: PTH116
    except OSError:
        return "", 0
    return _digest(file_states(beside), changed_ns)


def _digest(states: tuple[FileState, ...], changed_ns: int = 0) -> tuple[str, int]:
    times_ns = [ns for one in states for ns in (one.modified_ns, one.changed_ns)]
    return (digest(states) if states else ""), max([changed_ns, *times_ns])
