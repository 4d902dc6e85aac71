"""Read the texts that Micro-Manager writes beside each frame, in image stacks and NDTiff data sets.

An image stack has a text in a tag of every page. The texts of all frames are read, because the
times of the first and the last page alone would not show a pause. An NDTiff data set has an index
file with the place of each frame's text.

Input: the places of a movie's frames. Output: their elapsed times, and the text of the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import tifffile

from blinkpair.arrays import FloatArray
from blinkpair.movie.formats.tiff_pages import read_pages

_STRIP_OFFSETS, _TEXT = 273, 51123
_ELAPSED = re.compile(rb'"ElapsedTime-ms"\s*:\s*"?\s*([-+.,\deE]+)')
_MAX_TEXT_BYTES = 2**22

Texts = dict[int, tuple[int, int]]  # place of a frame's pixels -> place and length of its text


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


def read_frame_texts(frames: Sequence[tuple[Path, int]], *, indexed: bool) -> FrameTexts:
    """Read the texts of the frames of a movie.

    Parameters
    ----------
    frames : sequence of (Path, int)
        The file that holds each frame, and the place of its first pixel.
    indexed : bool
        They are of an NDTiff data set.

    Returns
    -------
    FrameTexts
    """
    elapsed = np.full(len(frames), np.nan)
    first: Mapping[str, Any] = {}
    for k, text in enumerate(_texts(frames, indexed)):
        if k == 0:
            first = _parsed(text)
        if found := _ELAPSED.search(text):
            elapsed[k] = _milliseconds(found[1]) / 1e3
    return FrameTexts(first, elapsed)


def _texts(frames: Iterable[tuple[Path, int]], indexed: bool) -> Iterator[bytes]:
    """Read the texts one by one, each file opened once in a row of frames."""
    known: dict[Path, Texts] = {}
    path: Path | None = None
    file: BinaryIO | None = None
    try:
        for own, pixels in frames:
            if file is None or own is not path:
                if file is not None:
                    file.close()
                path, file = own, own.open("rb")
                if own not in known:
                    known[own] = _indexed(own) if indexed else _in_pages(own)
            place, n_bytes = known[own].get(pixels, (0, 0))
            file.seek(place)
            yield file.read(n_bytes) if 0 < n_bytes <= _MAX_TEXT_BYTES else b""
    finally:
        if file is not None:
            file.close()


def _in_pages(path: Path) -> Texts:
    """Return the texts in the pages of an image stack."""
    table = read_pages(path)
    texts, lengths = table.extents(_TEXT)
    extents = zip(texts.tolist(), lengths.tolist(), strict=True)
    return dict(zip(table.values(_STRIP_OFFSETS).tolist(), extents, strict=True))


def _indexed(path: Path) -> Texts:
    """Return the texts of a file of an NDTiff data set."""
    entries = tifffile.read_ndtiff_index(path.parent / "NDTiff.index")
    return {entry[2]: (entry[7], entry[8]) for entry in entries if entry[1] == path.name}


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
