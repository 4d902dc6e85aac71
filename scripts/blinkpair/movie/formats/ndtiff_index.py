"""The index of an NDTiff recording: which plane is where in which file.

An entry is a JSON text of the plane's axes, the name of its file, and eight numbers: place of the
pixels, width, height, type, compression, and three on the plane's metadata; texts after their
lengths, all numbers little-endian in 32 bits.

Input: the file `NDTiff.index`. Output: sizes, planes and places by file, names of the channels.
"""

from __future__ import annotations

import json
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError

# Slowest first: position, time, z, channel.
_AXES = {"position": 0, "time": 1, "z": 2, "channel": 3}
_ENTRY = struct.Struct("<IiiiiIii")
_RGB = 2


@lru_cache(maxsize=4)
def read_index(
    index: Path, changed: int, n_bytes: int
) -> tuple[tuple[int, ...], dict[str, tuple[IntArray, IntArray]], tuple[str, ...]]:
    """Sizes, planes and places by file, and names of the channels.

    The channels are numbered in the order of their first frames, as by tifffile; other readers sort
    them by name. A name in the sheet is right with either.
    """
    data = index.read_bytes()
    at = 0
    rows: list[list[Any]] = []
    files: list[str] = []
    places: list[int] = []
    numbers: list[dict[Any, int]] = [{} for _ in _AXES]
    unknown: dict[str, Any] = {}
    images: set[tuple[int, int, int]] = set()
    while at + 4 <= len(data):
        try:
            length = int.from_bytes(data[at : at + 4], "little")
            axes = json.loads(data[at + 4 : at + 4 + length])
            at += 4 + length
            length = int.from_bytes(data[at : at + 4], "little")
            name = data[at + 4 : at + 4 + length].decode()
            place, width, height, kind, packed, *_ = _ENTRY.unpack_from(data, at + 4 + length)
            at += 4 + length + _ENTRY.size
            row: list[Any] = [0] * len(_AXES)
            for axis, value in axes.items():
                if axis in _AXES:
                    row[_AXES[axis]] = value
                elif unknown.setdefault(axis, value) != value:
                    raise ValueError(f"several images along the axis '{axis}'")
        except (ValueError, TypeError, AttributeError, struct.error) as error:
            raise InputError(
                f"this index of an NDTiff recording cannot be read ({error!r})",
                "copy the whole folder again; or open the movie in ImageJ and save it as TIFF",
                place=index,
            ) from error
        if packed or kind == _RGB:
            raise InputError(
                "lists frames that are compressed or in colour",
                "open the movie in ImageJ and save it as 16-bit TIFF",
                place=index,
            )
        images.add((height, width, kind))
        for number, value in zip(numbers, row, strict=True):
            number.setdefault(value, len(number))
        rows.append(row)
        files.append(name)
        places.append(place)
    if len(images) > 1:
        shown = ", ".join(f"{height} x {width}" for height, width, _ in sorted(images))
        raise InputError(
            f"lists frames of several sizes or types ({shown})",
            "save those of the movie alone as TIFF, e.g. in ImageJ",
            place=index,
        )
    columns = []
    for number, column in zip(numbers, np.array(rows, object).T, strict=True):
        if all(isinstance(value, int) for value in number):
            columns.append(np.array(column, np.int64) - min(number))
        else:
            columns.append(np.array([number[value] for value in column], np.int64))
    planes = np.stack(columns, axis=1) if columns else np.empty((0, len(_AXES)), np.int64)
    named = np.array(files)
    entries = {
        name: (planes[named == name], np.array(places, np.int64)[named == name])
        for name in dict.fromkeys(files)
    }
    channels = tuple(numbers[-1]) if all(isinstance(one, str) for one in numbers[-1]) else ()
    return tuple((planes.max(axis=0, initial=0) + 1).tolist()), entries, channels
