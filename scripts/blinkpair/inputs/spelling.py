"""The spelling of a file's name on the disk.

'é' is one character or two, a letter and an accent, and most disks keep what they were given: files
that were copied from a Mac often have two, a sheet typed elsewhere has one.

Input: a path as it stands in the sample sheet. Output: the path of the same name that is there.
"""

from __future__ import annotations

import glob
import os
import unicodedata

from blinkpair.errors import ChoiceError, InputError
from blinkpair.movie.formats.selection import MoviePath


def path_on_disk(path: str, base: str | os.PathLike[str] = "") -> str:
    """Return a path of the sheet with the home folder filled in and its names spelt as on the disk.

    Parameters
    ----------
    path : str
        A file, folder or pattern, with its '::' choices.
    base : path, optional
        Where a relative path starts; default: the working directory.

    Returns
    -------
    str
        The path itself where nothing of that name is there.

    Raises
    ------
    ChoiceError
        A pattern finds files under both spellings.
    """
    whole = os.path.expanduser(path) if path.startswith("~") else path  # noqa: PTH111
    if whole.isascii():
        return whole
    try:
        file = MoviePath.parse(whole).file
    except InputError:  # reported where the choices are read
        return whole
    return _spelt(file, base) + whole[len(file) :]


def _spelt(file: str, base: str | os.PathLike[str]) -> str:
    full = os.path.join(base, file)  # noqa: PTH118 (an empty base stays empty)
    if os.path.lexists(full):
        return file
    folder, name = os.path.split(file.rstrip("/"))
    if not name:
        return file
    if folder.strip("/"):
        folder = _spelt(folder, base)
    there = os.path.join(base, folder)  # noqa: PTH118
    if glob.has_magic(name):
        return os.path.join(folder, _pattern_on_disk(there, name))  # noqa: PTH118
    wanted = unicodedata.normalize("NFC", name)
    try:
        names = os.listdir(there or ".")  # noqa: PTH208
    except OSError:
        return file
    found = [one for one in names if unicodedata.normalize("NFC", one) == wanted]
    return os.path.join(folder, found[0]) if len(found) == 1 else file  # noqa: PTH118


def _pattern_on_disk(folder: str, pattern: str) -> str:
    spelt = {unicodedata.normalize("NFC", pattern), unicodedata.normalize("NFD", pattern)}
    found = [one for one in spelt if glob.glob(one, root_dir=folder or ".")]  # noqa: PTH207
    if len(found) > 1:
        raise ChoiceError(
            "this pattern finds files whose names are spelt in two ways, with accents as "
            "characters of their own and without",
            "rename the files alike, with plain letters",
            place=pattern,
        )
    return found[0] if found else pattern
