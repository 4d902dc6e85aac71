"""Andor Solis: a SIF file, or a spool folder (a .sifx header and files of raw frames).

The header is read by `sif_parser`, the pixels by plain reads. Rows come in the order they are
stored, as `sif_parser` gives them. A spool folder's frames are in files whose index is written
backwards in the name (1000000000spool.dat is the second); each frame may be followed by bytes
that are not pixels.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from sif_parser.utils import ordered_dat_files as spool_number

from blinkpair.errors import InputError
from blinkpair.movie.formats.raw import RawFrames
from blinkpair.movie.formats.selection import Selection, choose_planes
from blinkpair.movie.formats.source import (
    Source,
    frames_to_read,
    leading,
    native_dtype,
    plausible,
)
from blinkpair.movie.formats.timing import Statement, Times

try:  # a private name: the public functions read the pixels, too
    from sif_parser._sif_open import _open as read_sif_header
except ImportError as error:
    raise ImportError(
        "this version of sif_parser lacks the function that reads a SIF header. Hint: install the "
        "version of envs/run.lock."
    ) from error

# Mono12 keeps each pixel in a word of its own; Mono12Packed does not and is refused.
_ENCODINGS = {"Mono8": "u1", "Mono12": "<u2", "Mono16": "<u2", "Mono32": "<u4"}
# What cameras add to a frame behind its rows: 40 to 800 bytes in the files that were seen, in which
# they are up to two rows.
_MOST_REST_ROWS, _MOST_REST_BYTES = 2, 1024
_STAMP_WRAP_US = 2**32
# Behind the frames, one flag each for whether reference, background, live and source data follow.
_AFTER_FRAMES = re.compile(rb"(?:0\r?\n){4}(?!0\r?\n)|(?:0\r?\n){0,3}1\r?\n")
_LAST_BYTES = re.compile(rb"(?:[01>]\r?\n|SIFX?)\Z")
_END_BYTES = 64
_LEAST_COUNT = 1e-30
_MAX_TEXT_BYTES = 2**22  # the user's notes, the longest text of a header


def open_sif(path: Path, selection: Selection) -> Source:
    """Open a SIF file with its data inside.

    Raises
    ------
    InputError
        A spectrum or several tracks, frames missing, or a choice that is not there.
    """
    header = _header(path)
    width, height = header["size"]
    promised = header["NumberOfFrames"]
    if header["NumberOfSubImages"] != 1 or height < 2:
        raise InputError(
            "holds spectra or several tracks, not images",
            "record with the read mode 'Image'",
            place=path,
        )
    plausible(path, promised, height=height, width=width)
    _check_choices(path, promised, selection)
    dtype = np.dtype("<f4")
    raw = RawFrames(
        paths=(path,),
        offsets=header["offset"] + np.arange(promised, dtype=np.int64) * width * height * 4,
        height=height,
        width=width,
        dtype=dtype,
    )
    there = raw.there()
    _check_end(path, header, raw, leading(there))
    count = frames_to_read(path, there, selection)
    return Source(
        paths=(path,),
        format="Andor SIF",
        shape=(count, height, width),
        dtype=native_dtype(path, dtype),
        frames=raw,
        times=_times(header, count),
        acquired_s=header["ExperimentTime"] or None,
        notes=_unit_notes(header),
    )


def open_spool(folder: Path, selection: Selection) -> Source:
    """Open a spool folder.

    Raises
    ------
    InputError
        A part of it is missing, or its pixels are packed.
    """
    sifx = _only(folder, "*.sifx")
    header = _header(sifx)
    layout = _layout(_only(folder, "*.ini"))
    files = sorted(folder.glob("*spool.dat"), key=lambda p: spool_number(p.name))
    if not files:
        raise InputError(
            "an Andor spool folder without '*spool.dat' files, which hold the frames",
            "copy the whole folder",
            place=folder,
        )
    dtype = np.dtype(_ENCODINGS[layout["PixelEncoding"]])
    height, width = int(layout["AOIHeight"]), int(layout["AOIWidth"])
    row_bytes, frame_bytes = int(layout["AOIStride"]), int(layout["ImageSizeBytes"])
    promised = header["NumberOfFrames"]
    plausible(folder, promised, height=height, width=width)
    _check_choices(folder, promised, selection)
    held = files[0].stat().st_size
    per_file = int(layout.get("ImagesPerFile", 0)) or held // frame_bytes
    if sorted(header["size"]) != sorted((width, height)):
        said = " x ".join(map(str, header["size"]))
        raise _other_recording(
            folder, f"its .sifx has frames of {said}, its .ini {width} x {height}"
        )
    if row_bytes < width * dtype.itemsize or row_bytes % dtype.itemsize:
        what = f"{width} pixels of {dtype.itemsize} bytes are not a row of {row_bytes} bytes"
        raise _other_recording(folder, f"by its .ini {what}")
    if not 0 <= frame_bytes - height * row_bytes <= _MOST_REST_ROWS * row_bytes + _MOST_REST_BYTES:
        what = f"by its .ini {height} rows of {row_bytes} bytes are a frame of {frame_bytes} bytes"
        raise _other_recording(folder, what)
    if len(files) > 1 and held != per_file * frame_bytes:
        what = f"{files[0].name} has {held} bytes, which are not {per_file} frames of {frame_bytes}"
        raise _other_recording(folder, what)
    number, within = np.divmod(np.arange(promised, dtype=np.int64), per_file)
    numbers = np.array([spool_number(file.name) for file in files])
    index = np.minimum(np.searchsorted(numbers, number), len(files) - 1)
    raw = RawFrames(
        paths=tuple(files),
        offsets=np.where(numbers[index] == number, within * frame_bytes, -1),
        height=height,
        width=width,
        dtype=dtype,
        row_bytes=row_bytes,
        file_index=index,
    )
    count = frames_to_read(folder, raw.there(), selection)
    notes = _unit_notes(header)
    if (more := len(files) * per_file - promised) >= per_file:
        notes += (f"{more} frames in its files are more than its .sifx has; they were not used",)
    return Source(
        paths=(sifx, *files),
        notes=notes,
        format="Andor spool folder",
        shape=(count, height, width),
        dtype=native_dtype(folder, dtype),
        frames=raw,
        times=_times(header, count),
        acquired_s=header["ExperimentTime"] or None,
    )


def _other_recording(folder: Path, what: str) -> InputError:
    hint = "copy the whole folder again, one recording in each"
    return InputError(f"its files do not fit together: {what}", hint, place=folder)


def _unit_notes(header: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a note where Solis had converted the counts of the camera."""
    unit = bytes(header["DataType"]).decode("latin-1").strip()
    if unit.lower() in ("counts", ""):
        return ()
    return (f"Solis saved it in '{unit}', not in the camera's counts",)


def _check_end(path: Path, header: Mapping[str, Any], raw: RawFrames, present: int) -> None:
    """Check that the frames are where the header puts them, by what follows the last one.

    A file with bytes or a frame lost before, or with a header that was misread, has every later
    pixel in a wrong place. One that is cut off at its end has not.
    """
    promised = raw.offsets.size
    end = header["offset"] + promised * raw.frame_bytes
    with path.open("rb") as file:
        file.seek(-min(_END_BYTES, path.stat().st_size), 2)
        has_end = _LAST_BYTES.search(file.read()) is not None
        file.seek(end)
        after = file.read(_END_BYTES)
        file.seek(end - 4 * raw.width)
        row = file.read(4 * raw.width) if present == promised else b""
    # Counts whose bytes are shifted by half a pixel are far below one.
    last = np.frombuffer(row, raw.dtype)
    shifted = not np.isfinite(last).all() or ((np.abs(last) < _LEAST_COUNT) & (last != 0)).any()
    known = header["ImageLength"] == raw.width * raw.height and not shifted
    if known and (_AFTER_FRAMES.match(after) if present == promised else not has_end):
        return
    raise InputError(
        "what follows its last frame is not the end of a SIF file: bytes or frames before it are "
        "lost, or its header is of a version that is not known",
        "copy the file again, or export the movie as TIFF in Andor Solis",
        place=path,
    )


def _header(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            return dict(read_sif_header(_HeaderOnly(file))[3])
    # The text has many versions; on an unknown one the parser raises errors of many kinds.
    except Exception as error:
        if isinstance(error, OSError):
            raise
        raise InputError(
            f"its SIF header cannot be read ({type(error).__name__}: {error}); the file is cut "
            "off or of an unknown version",
            "copy it again, or export the movie as TIFF in Andor Solis",
            place=path,
        ) from error


class _HeaderOnly:
    """A file as its header's parser may read it: not beyond the end, and not all of the movie.

    At the end `sif_parser` would wait for the rest of a word for ever; and a damaged length of a
    text would have it read gigabytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        """Read as many bytes."""
        if not 0 <= size <= _MAX_TEXT_BYTES:
            raise ValueError(f"a text of {size} bytes")
        return self._some(self._file.read(size), size)

    def readline(self) -> bytes:
        """Read a line."""
        return self._some(self._file.readline(_MAX_TEXT_BYTES), 1)

    @staticmethod
    def _some(data: bytes, size: int) -> bytes:
        if size and not data:
            raise EOFError("the file ends within its header")
        return data


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise InputError(
            f"an Andor spool folder has one '{pattern}' file, this one has {len(found)}",
            "give the folder as Solis wrote it, one movie in each",
            place=folder,
        )
    return found[0]


def _layout(path: Path) -> Mapping[str, str]:
    """Frame layout out of acquisitionmetadata.ini."""
    parser = configparser.ConfigParser(interpolation=None)  # '%' is text
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InputError(f"not an acquisition's description ({error}).", place=path) from error
    layout = {key: value for part in parser.sections() for key, value in parser[part].items()}
    needed = ("AOIHeight", "AOIWidth", "AOIStride", "PixelEncoding", "ImageSizeBytes")
    missing = [key for key in needed if key not in layout]
    if missing:
        raise InputError(f"{', '.join(missing)} missing", "copy the spool folder again", place=path)
    if layout["PixelEncoding"] not in _ENCODINGS:
        raise InputError(
            f"pixels are stored as '{layout['PixelEncoding']}'; {', '.join(_ENCODINGS)} can be "
            "read",
            "export the movie as TIFF in Andor Solis",
            place=path,
        )
    return layout


def _check_choices(path: Path, frames: int, selection: Selection) -> None:
    """Refuse a choice of channel or plane: these files have neither."""
    choose_planes(str(path), {"T": frames}, selection)


def _times(header: Mapping[str, Any], frames: int) -> Times:
    """Return the stamps of the frames, the camera's cycle time and its exposure."""
    stamps = np.array([header.get(f"timestamp_of_{i}", 0) for i in range(frames)], np.float64)
    # Microseconds in 32 bits start again from 0 after 72 minutes.
    wraps = np.cumsum(np.diff(stamps, prepend=0.0) < -_STAMP_WRAP_US / 2)
    cycle = header["StackCycleTime"] or header["CycleTime"]
    return Times(
        (stamps + wraps * _STAMP_WRAP_US) * 1e-6,
        intervals=(Statement("the header's cycle time", cycle or None),),
        exposure=Statement("the header's exposure", header["ExposureTime"] or None),
    )
