"""What Micro-Manager writes beside each frame, in image stacks and in NDTiff data sets.

An image stack has a text in a tag of every page; the times of the first and the last page alone
would hide a pause, so that of every frame is read. An NDTiff data set has an index file with the
place of each frame's text.

Input: the pages of a movie. Output: their elapsed times, and the text of the first.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import tifffile

from blinkpair.arrays import FloatArray

_TAG = 51123
_ELAPSED = re.compile(rb'"ElapsedTime-ms"\s*:\s*"?\s*([-+.,\deE]+)')
_MAX_TEXT_BYTES = 2**22


class FrameTexts(NamedTuple):
    """What is written beside the frames of a movie.

    Attributes
    ----------
    first : mapping
        The text of the first frame, parsed; empty where there is none.
    elapsed_s : (frames,) array
        Time since the acquisition began, NaN where a frame's text does not hold it.
    """

    first: Mapping[str, Any]
    elapsed_s: FloatArray


def read_frame_texts(pages: Sequence[Any], *, indexed: bool) -> FrameTexts:
    """Read the texts of the frames of a movie.

    Parameters
    ----------
    pages : sequence of tifffile.TiffPage or TiffFrame
        One a frame, of one file or of several.
    indexed : bool
        They are of an NDTiff data set.

    Returns
    -------
    FrameTexts
    """
    elapsed = np.full(len(pages), np.nan)
    first: Mapping[str, Any] = {}
    for k, text in enumerate(_texts(pages, indexed)):
        if k == 0:
            first = _parsed(text)
        if found := _ELAPSED.search(text):
            elapsed[k] = _milliseconds(found[1]) / 1e3
    return FrameTexts(first, elapsed)


def _texts(pages: Sequence[Any], indexed: bool) -> Iterator[bytes]:
    """Read the texts one by one, each file opened once in a row of frames."""
    index: dict[Path, dict[tuple[str, int], tuple[int, int]]] = {}
    path: Path | None = None
    file: BinaryIO | None = None
    try:
        for page in pages:
            own = Path(page.parent.filehandle.path)
            if file is None or own != path:
                if file is not None:
                    file.close()
                path, file = own, own.open("rb")
            if indexed:  # most of its pages are known by the index only
                if own.parent not in index:
                    index[own.parent] = _indexed(own.parent)
                place = index[own.parent].get((own.name, page.dataoffsets[0]))
            else:
                place = _tag_of(file, page.parent, page.offset)
            if place is None or not 0 < place[1] <= _MAX_TEXT_BYTES:
                yield b""
                continue
            file.seek(place[0])
            yield file.read(place[1])
    finally:
        if file is not None:
            file.close()


def _tag_of(file: BinaryIO, tif: Any, page: int) -> tuple[int, int] | None:
    """Return the place and length of the text of the page at byte `page`."""
    tiff = tif.tiff
    file.seek(page)
    head = file.read(tiff.tagnosize)
    if len(head) < tiff.tagnosize:
        return None
    tags = file.read(struct.unpack(tiff.tagnoformat, head)[0] * tiff.tagsize)
    number = tiff.offsetformat
    tag = tiff.tagformat1 + 2 * number[1:]  # code, type, count, place
    for start in range(0, len(tags) - tiff.tagsize + 1, tiff.tagsize):
        code, _, count, place = struct.unpack_from(tag, tags, start)
        if code == _TAG:
            return place, count
    return None


def _indexed(folder: Path) -> dict[tuple[str, int], tuple[int, int]]:
    """Map file and place of each frame of an NDTiff data set to place and length of its text."""
    try:
        entries = list(tifffile.read_ndtiff_index(folder / "NDTiff.index"))
    except OSError:
        return {}
    return {(entry[1], entry[2]): (entry[7], entry[8]) for entry in entries}


def _parsed(text: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(text.rstrip(b"\0").decode(errors="replace"))
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}


def _milliseconds(text: bytes) -> float:
    """Read a number, which may be written with a decimal comma."""
    try:
        return float(text.rstrip(b",").replace(b",", b"."))
    except ValueError:
        return np.nan
