"""The chunks of an ND2 file: where each is, and what is in it.

An ND2 file is a row of named chunks with a map of names and places at its end. The `nd2` library
(0.12) reads the metadata from them. It returns frames from a memory map of the whole file, whose
pages count as the job's own memory on some clusters, and zeros for a frame that is not in the file.
So the places of the frames, and the two arrays with a value per frame (time stamps, exposures), are
read here. Layout: a chunk is (magic, bytes of the name, bytes of the data, name, data); the map
is a chunk of (name ending in '!', place, size); the last 40 bytes are a signature and the place
of the map. Numbers are little-endian.

Input: a file. Output: the places and contents of its chunks.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError

_MAP_SIGNATURE = b"ND2 CHUNK MAP SIGNATURE 0000001!"
_HEADER = struct.Struct("<IIQ")
_MAGIC = 0x0ABECEDA
_IMAGE = b"ImageDataSeq|"
_METADATA = b"Image"  # what the names of all that the `nd2` library reads begin with
_PLACE_BYTES = 16
# The data of a frame's chunk open with its time stamp.
STAMP_BYTES = 8


class ChunkMap:
    """The map of one file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        The file has no map: it was cut off; or a chunk of metadata does not end within it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[bytes, int] = {}
        self._bytes: dict[bytes, int] = {}  # of their data
        with path.open("rb") as file:
            self._size = file.seek(0, 2)
            file.seek(max(0, self._size - 40))
            tail = file.read(40)
            place = int.from_bytes(tail[32:], "little")
            if not tail.startswith(_MAP_SIGNATURE) or place >= self._size:
                raise InputError(
                    "the chunk map at the end of this ND2 file is missing: the recording or a copy "
                    "of it was cut off",
                    "copy the file again from the microscope's computer; if it is like that there, "
                    "too, open it in NIS-Elements and save it anew",
                    place=path,
                )
        data = self._data(place)
        start = 0
        while (end := data.find(b"!", start) + 1) and end + _PLACE_BYTES <= len(data):
            name = data[start:end]
            if name == _MAP_SIGNATURE:
                break
            self._places[name] = int.from_bytes(data[end : end + 8], "little")
            self._bytes[name] = int.from_bytes(data[end + 8 : end + 16], "little")
            start = end + _PLACE_BYTES
        with path.open("rb") as file:
            for name, place in self._places.items():
                if name.startswith(_METADATA) and not name.startswith(_IMAGE):
                    self._extent(file, place)

    def frames(self, least_bytes: int = 0) -> dict[int, int]:
        """Map the number of each frame (plane of all loops) to the place of its chunk.

        Parameters
        ----------
        least_bytes : int
            Frames whose chunk has less data are left out.
        """
        return {
            int(name[len(_IMAGE) : -1]): place
            for name, place in self._places.items()
            if name.startswith(_IMAGE) and self._bytes[name] >= least_bytes
        }

    def values(self, name: str) -> FloatArray:
        """Return a custom array with a number per frame; empty where there is none."""
        place = self._places.get(f"CustomData|{name}!".encode())
        if place is None:
            return np.empty(0)
        data = self._data(place)
        return np.frombuffer(data[: len(data) // 8 * 8], "<f8").astype(np.float64)

    def header_bytes(self, place: int) -> int | None:
        """Bytes from a chunk's start to its data; None where the file ends before."""
        with self._path.open("rb") as file:
            file.seek(place)
            header = file.read(_HEADER.size)
        return None if len(header) < _HEADER.size else self._parse(header, place)[0]

    def _data(self, place: int) -> bytes:
        with self._path.open("rb") as file:
            start, n_bytes = self._extent(file, place)
            file.seek(place + start)
            return file.read(n_bytes)

    def _extent(self, file: BinaryIO, place: int) -> tuple[int, int]:
        """Bytes of a chunk before its data, and of its data, which has to be there in full."""
        file.seek(min(place, self._size))
        header = file.read(_HEADER.size)
        start, n_bytes = self._parse(header.ljust(_HEADER.size, b"\0"), place)
        if place + start + n_bytes > self._size:
            raise self._damaged(place)
        return start, n_bytes

    def _parse(self, header: bytes, place: int) -> tuple[int, int]:
        try:
            return parse_header(header)
        except ValueError:
            raise self._damaged(place) from None

    def _damaged(self, place: int) -> InputError:
        return InputError(
            f"the chunk map of this ND2 file points to a place ({place}) where no chunk is, or "
            "only a part of one: the file is damaged",
            "copy it again from the microscope's computer",
            place=self._path,
        )


def parse_header(header: bytes) -> tuple[int, int]:
    """Bytes of a chunk before its data, and bytes of its data.

    Raises
    ------
    ValueError
        Not the start of a chunk.
    """
    magic, name_bytes, data_bytes = _HEADER.unpack(header)
    if magic != _MAGIC:
        raise ValueError("no chunk starts here")
    return _HEADER.size + name_bytes, data_bytes


HEADER_BYTES = _HEADER.size
