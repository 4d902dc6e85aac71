"""What every format hands over: a file's description and a way to read its frames.

A format module turns a path into a `Source` by reading headers only. A `Source` holds no open
file: `Source.frames.reader(threads)` opens one for as long as somebody reads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from blinkpair.errors import InputError
from blinkpair.movie.formats.pixel_size import PixelStatement
from blinkpair.movie.formats.timing import Times

if TYPE_CHECKING:
    from blinkpair.movie.formats.selection import Selection
    from blinkpair.movie.formats.tiff_shares import Share

# What the kernels downstream are compiled for; bool, complex, 16-bit float are no camera's output.
_DTYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")
# Larger numbers are those of a damaged header: frames of 8192 x 8192 pixels, a thousand times as
# many frames as the paper's. Both fit into memory.
_MAX_PIXELS = 2**26
_MAX_PLANES = 20_000_000
_PIECE_BYTES = 2 * 1024 * 1024
# Note of an image whose grey values were saved as colours.
GREY_AS_RGB = "its grey values were saved as colours (RGB), as programs show them on the screen"


class FrameReader(Protocol):
    """An open file."""

    def read_into(self, start: int, out: NDArray[Any]) -> None:
        """Fill `out`, a C-contiguous (n, y, x) array, with the frames from `start` on."""

    def close(self) -> None:
        """Give the file back."""


class Frames(Protocol):
    """Where the frames of a file are, and how they are stored."""

    def reader(self, threads: int, give_up: bool = False) -> FrameReader:
        """Open the file; `threads` matters only where frames must be decoded.

        With `give_up`, what was read is dropped from the system's cache of files.
        """


@dataclass(frozen=True)
class Opened:
    """What is opened together.

    Attributes
    ----------
    files : tuple of Path
        One file or spool folder, or the files of one recording.
    shares : tuple of Share
        What the files state on that recording; empty where they do not.
    absent : str
        What the recording lacks, in words.
    """

    files: tuple[Path, ...]
    shares: tuple[Share, ...] = ()
    absent: str = ""


@dataclass(frozen=True)
class Source:
    """One opened file, or spool folder.

    Attributes
    ----------
    paths : tuple of Path
        All files that belong to it.
    format : str
        In a user's words, e.g. 'ND2', 'ImageJ TIFF'.
    shape : tuple of int
        (frames, y, x)
    dtype : numpy dtype
        As stored, in native byte order.
    frames : Frames
        Reads the pixels.
    times : Times
        What it holds on the time of its frames.
    pixels : tuple of PixelStatement
        What it holds on the size of a pixel, the most trusted first.
    acquired_s : float or None
        When the recording began: seconds since 1970 by the microscope's own clock.
    channel : str or None
    notes : tuple of str
        What a user should read.
    """

    paths: tuple[Path, ...]
    format: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    frames: Frames
    times: Times = field(default_factory=Times)
    pixels: tuple[PixelStatement, ...] = ()
    acquired_s: float | None = None
    channel: str | None = None
    notes: tuple[str, ...] = ()


def read_no_further(file: int) -> None:
    """Switch off the reading ahead of an open file by the system.

    A file that is read from its end has no use for it: the bytes behind were read and given up
    before, so that every byte would be read twice.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)


def give_up_cached(file: int, start: int, end: int) -> None:
    """Drop bytes of an open file that is read from its end from the system's cache of files.

    Linux keeps files in pieces of up to 2 MB and drops whole ones only: the piece that reaches into
    the bytes after these, which were given up before, is included.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, start, end + _PIECE_BYTES - start, os.POSIX_FADV_DONTNEED)


def native_dtype(path: Path, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in native byte order.

    Raises
    ------
    InputError
        Not a type of a camera's counts.
    """
    native = dtype.newbyteorder("=")
    if native.str[1:] not in _DTYPES:
        raise InputError(
            f"its pixels are of type {dtype.name}, which is not one a camera delivers",
            "export the movie as 16-bit or 32-bit grey values",
            place=path,
        )
    return native


def plausible(path: Path | str, planes: int = 1, *, height: int = 1, width: int = 1) -> None:
    """Refuse implausible numbers of a header, before memory is allocated.

    Parameters
    ----------
    path : path
        For the message.
    planes : int
        Frames of all channels, planes and positions together.
    height, width : int
        Pixels of a frame.

    Raises
    ------
    InputError
        None, less than none, or more than any camera records.
    """
    if not 1 <= planes <= _MAX_PLANES:
        promised = f"{planes} frames"
    elif min(height, width) < 1 or height * width > _MAX_PIXELS:
        promised = f"frames of {height} x {width} pixels"
    else:
        return
    raise InputError(
        f"its header promises {promised}, which no camera delivers: it is damaged",
        "copy the file again from the microscope's computer",
        place=path,
    )


def grey_of(pixels: NDArray[Any]) -> NDArray[Any] | None:
    """Return the grey values (y, x) that an image (y, x, 3) repeats as red, green and blue.

    A last channel of two or four (opacity) is left out if it is the same everywhere. None where the
    others differ in any pixel: then it is a colour image.
    """
    if pixels.shape[-1] in (2, 4):
        if np.ptp(pixels[..., -1]):
            return None
        pixels = pixels[..., :-1]
    grey = pixels[..., 0]
    return grey if (pixels == grey[..., None]).all() else None


def refuse_colour(path: Path, what: str) -> InputError:
    """Return the error of a colour image, with how to get a grey one."""
    return InputError(
        f"{what}; the counts of a camera cannot be had back from colours",
        "export it as 16-bit grey values (in ImageJ: Image > Type > 16-bit; in "
        "NIS-Elements: export without 'apply LUTs')",
        place=path,
    )


def frames_to_read(
    path: Path,
    there: NDArray[np.bool_],
    selection: Selection,
    *,
    more: bool = False,
    absent: str = "",
) -> int:
    """Compare the frames that a header states with those that the file holds.

    Parameters
    ----------
    path : Path
    there : (frames,) bool array
        Which of the frames that the header states are complete.
    selection : Selection
        Frames to read (the user's ``::frames=`` and ``::skip=`` together), and those in the parts
        before.
    more : bool
        There were more frames than promised, though it is not known how many.
    absent : str
        What is known to be missing, in words.

    Returns
    -------
    int
        Number of frames to read.

    Raises
    ------
    InputError
        Frames are missing and the path does not choose to do without them.
    """
    promised, present = there.size, leading(there)
    limit = selection.frames
    wanted = promised if limit is None else min(limit, promised)
    enough = limit is not None and limit <= present if more else wanted <= present
    if enough and promised > 0:
        return wanted
    again = "copy the file again from the microscope's computer"
    because = f" ({absent})" if absent else ""
    if absent:
        again = "copy all files of the recording; if they were renamed, name them with a pattern"
    later = int(there[present:].sum())
    if later:
        what = (
            f"frames are missing {'in the middle' if present else 'at the beginning'}: its header "
            f"promises {promised}, the file holds "
            f"{present + later}; the first missing one is frame {present}, counted from 0"
        )
    elif present:
        what = (
            f"frames are missing at the end: its header promises {'more than ' if more else ''}"
            f"{promised}, the file holds {present}"
        )
    else:
        what = f"promises {promised} frames, but not one is there in full"
    usable = selection.before + present - selection.skip
    if present and usable > 0:
        again += (
            f"; to use {'those before it' if later else 'what is there'}, append "
            f"'::frames={usable}' to the path"
        )
    raise InputError(f"{what}{because}", again, place=path)


def leading(there: NDArray[np.bool_]) -> int:
    """Return how many frames are there before the first one that is missing."""
    return there.size if there.all() else int(np.argmin(there))
