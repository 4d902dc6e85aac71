"""The file formats that can be read, one row each, and the choice among them.

The format follows from a file's first bytes and not from its name, which people change. Each format
is in a module of its own that is imported when a file of it is opened, because the libraries behind
them take a while to load.

Input: a file or spool folder. Output: a `Source`.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from blinkpair.errors import InputError
from blinkpair.movie.formats.foreign import EXPORT_ZARR, name_and_export
from blinkpair.movie.formats.selection import Selection
from blinkpair.movie.formats.source import Opened, Source
from blinkpair.movie.formats.tiff_shares import Share, read_share


def _tiff(some: Opened, selection: Selection) -> Source:
    from blinkpair.movie.formats.tiff_movie import open_tiff

    return open_tiff(some, selection)


def _nd2(some: Opened, selection: Selection) -> Source:
    from blinkpair.movie.formats.nd2_movie import open_nd2

    return open_nd2(some.files[0], selection)


def _andor(some: Opened, selection: Selection) -> Source:
    from blinkpair.movie.formats.andor import open_sif, open_spool

    path = some.files[0]
    if path.suffix.lower() == ".sifx":
        return open_spool(path.parent, selection)
    return open_sif(path, selection)


def _image(some: Opened, selection: Selection) -> Source:
    from blinkpair.movie.formats.image import open_image

    return open_image(some.files[0], selection)


class Format(NamedTuple):
    """A format: its name for the user, its first bytes, and what opens it."""

    name: str
    starts: tuple[bytes, ...]
    open: Callable[[Opened, Selection], Source]


FORMATS = (
    Format("ND2 (.nd2)", (b"\xda\xce\xbe\x0a", b"\x00\x00\x00\x0cjP  "), _nd2),
    Format("TIFF (.tif)", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff),
    Format(
        "Andor SIF (.sif) or spool folder (.sifx)",
        (b"Andor Technology Multi-Channel File",),
        _andor,
    ),
    Format("PNG, JPEG", (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"), _image),
)


def open_source(some: Opened, selection: Selection) -> Source:
    """Open one file or spool folder, or the files of one recording, by reading headers.

    Parameters
    ----------
    some : Opened
        Files.
    selection : Selection
        Which channel, plane or stage position is the movie.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        Missing, empty, of a format that is not known, damaged, or with a choice left open.
    """
    with _damage_named(some.files[0]):
        return _open(some, selection)


def share_of(path: Path) -> Share | None:
    """Return the share of a recording that a file holds; None for a movie of one file.

    Raises
    ------
    InputError
        As `open_source`.
    """
    with _damage_named(path):
        return read_share(path)


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn the errors of damaged files into an `InputError`."""
    try:
        yield
    except (InputError, ImportError):  # a library that is missing is no fault of the file
        raise
    except PermissionError as error:
        raise InputError(
            f"you have no permission to read this file ({error.strerror})",
            "ask its owner, or copy it to where you can",
            place=path,
        ) from error
    except OSError as error:
        # The disk's trouble, not the file's: let it be tried again. A place that cannot be, as a
        # damaged header names it, is the file's.
        if error.errno not in (None, errno.EINVAL, errno.EOVERFLOW):
            raise
        raise _damaged(path, error) from error
    # Libraries raise anything from IndexError to struct.error on a damaged file.
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    cause = f"{type(error).__name__}: {error}"[:300]
    return InputError(
        f"cannot be read; it is damaged or of a variant that is not known ({cause})",
        "copy the file again from the microscope's computer; if it opens in ImageJ, save "
        "it there as TIFF",
        place=path,
    )


def _open(some: Opened, selection: Selection) -> Source:
    path = some.files[0]
    if path.is_dir():
        if any((path / name).exists() for name in (".zgroup", ".zarray", "zarr.json")):
            raise InputError("is a Zarr folder, which cannot be read", EXPORT_ZARR, place=path)
        if not any(path.glob("*.sifx")):
            raise InputError(
                "a folder, but not an Andor spool folder (no .sifx file in it)",
                "give the movie's file, or a pattern such as 'folder/*.tif'",
                place=path,
            )
        from blinkpair.movie.formats.andor import open_spool

        return open_spool(path, selection)
    if not path.exists():
        where = "" if path.parent.exists() else f" (nor does the folder {path.parent})"
        raise InputError(
            f"does not exist{where}",
            "relative paths start at the working directory; check the spelling, capitals included",
            place=path,
        )
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise InputError(
            "is empty (0 bytes)", "was copying it interrupted, or the disk full?", place=path
        )
    for one in FORMATS:
        if start.startswith(one.starts):
            return one.open(some, selection)
    if foreign := name_and_export(path, start):
        name, export = foreign
        raise InputError(f"is {name}, which cannot be read", export, place=path)
    text = all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in start)
    raise InputError(
        f"is {'a text file' if text else 'of a format that is not known'}, whatever its "
        f"name says (it starts with {start[:12]!r})",
        f"{', '.join(one.name for one in FORMATS)} can be read",
        place=path,
    )
