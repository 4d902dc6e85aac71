"""The pages of a TIFF file, read without their pixels: where each is and how it is stored.

A TIFF file is a chain of pages; each is a table of tags with the place of its pixels and of the
next page. `tifffile` takes the first page for all of them where a text describes the file, and
compares a few elsewhere. So the tables of all pages are read here, one short read each, and
compared as a whole: 20,000 pages take a tenth of a second.

Input: a file, and the places of the pages where an index lists them. Output: a `PageTable`.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError

WIDTH, HEIGHT, COMPRESSION, DESCRIPTION = 256, 257, 259, 270
_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES = 273, 279, 324, 325
_ROWS_PER_STRIP, _JPEG_TABLES = 278, 347
# What makes pages alike: tag, what it is called, its value where it is absent.
_STORAGE = (
    (WIDTH, "width", 0),
    (HEIGHT, "height", 0),
    (258, "bits a pixel", 1),
    (COMPRESSION, "compression", 1),
    (266, "fill order", 1),
    (277, "samples a pixel", 1),
    (284, "planar configuration", 1),
    (317, "predictor", 1),
    (322, "tile width", 0),
    (323, "tile height", 0),
    (339, "sample format", 1),
)
# Bits of the tag on the kind of a page: a preview of another page, a mask.
_KIND, _NO_FRAME = 254, 1 | 4
_MAX_TAGS = 4096  # as in tifffile
_FIRST_TAGS = 32  # among which the description is, because tags are in order
_SIGNED_LONG = 9
# Bytes of a value by the number of its type; 0 for what no place or size is written in.
_TYPE_BYTES = np.array([0, 1, 1, 2, 4, 0, 1, 0, 2, 4, 0, 0, 0, 4, 0, 0, 8, 8, 8, *[0] * 13])


# Places, lengths and JPEG tables of the strips or tiles of a page.
Segments = tuple[Sequence[int], Sequence[int], bytes | None]


class _Layout(NamedTuple):
    """Byte order and widths of classic TIFF and BigTIFF."""

    order: str
    counter: str
    entry: np.dtype[np.void]
    pointer: str


@dataclass(frozen=True)
class PageTable:
    """The pages of one file.

    Attributes
    ----------
    places : (pages,) int64 array
        Where the table of each page is.
    next_place : int
        Where the last page places the next one; 0 at the end of the chain.
    broken : bool
        The file holds no page there: it was cut off, or is damaged.
    """

    path: Path
    places: IntArray
    next_place: int
    broken: bool
    _layout: _Layout = field(repr=False)
    _entries: Sequence[NDArray[np.void]] = field(repr=False)  # by number of tags: (pages, tags)
    _rows: Sequence[IntArray] = field(repr=False)  # which pages these are

    def __len__(self) -> int:
        """Return the number of pages."""
        return self.places.size

    def values(self, tag: int, default: int = 0) -> IntArray:
        """Return the first value of a tag for each page; the place of its values if not inline."""
        return self._values(tag, default)[0]

    @cached_property
    def odd(self) -> IntArray:
        """Pages as large as the first that are stored in another way."""
        if len(self) < 2:
            return np.empty(0, np.int64)
        storage = np.stack([self.values(tag, default) for tag, _, default in _STORAGE], axis=1)
        strips = np.minimum(self.values(_ROWS_PER_STRIP, 2**31), storage[:, 1])
        # The rows of a strip matter to who decodes it; uncompressed ones follow each other.
        kind = self.values(_KIND) & _NO_FRAME
        storage = np.column_stack([storage, np.where(storage[:, 3] == 1, 0, strips), kind])
        differs = storage != storage[0]
        return np.flatnonzero(differs.any(axis=1) & ~differs[:, :2].any(axis=1))

    @cached_property
    def same_size(self) -> bool:
        """Whether all pages have the height and width of the first."""
        if len(self) < 2:
            return True
        sizes = np.stack([self.values(WIDTH), self.values(HEIGHT)])
        return bool((sizes == sizes[:, :1]).all())

    def refuse_odd(self) -> None:
        """Raise InputError if pages of one size are stored in several ways."""
        if not self.odd.size:
            return
        page = int(self.odd[0])
        what = [
            f"{name} {value} and not {first}"
            for tag, name, default in _STORAGE
            for first, value in [self.values(tag, default)[[0, page]].tolist()]
            if first != value
        ]
        raise InputError(
            f"its pages are stored in different ways: page {page} of {len(self)} has "
            f"{', '.join(what) or 'other strips, or is the preview or the mask of another'}",
            "save the movie again in one go, e.g. in ImageJ as TIFF",
            place=self.path,
        )

    def pixel_places(self, frame_bytes: int) -> IntArray | None:
        """Return the first byte of each page's pixels; None where they are not in one piece.

        Parameters
        ----------
        frame_bytes : int
            Bytes of the pixels of one page.
        """
        tiled = bool(self.values(_TILE_OFFSETS).any())
        offsets, counts = self._values(_TILE_OFFSETS if tiled else _STRIP_OFFSETS, -1)
        lengths, _ = self._values(_TILE_BYTES if tiled else _STRIP_BYTES, frame_bytes)
        one = counts == 1
        if (lengths[one] < frame_bytes).any():
            return None
        places = offsets.copy()
        many = np.flatnonzero(~one)
        if not many.size:
            return places
        if tiled:
            return None
        with self.path.open("rb") as file:
            for page in many.tolist():
                start, n_bytes = (
                    self._array(file.fileno(), tag, page) for tag in (_STRIP_OFFSETS, _STRIP_BYTES)
                )
                follows = start.size and start.size == n_bytes.size
                if not follows or (start[:-1] + n_bytes[:-1] != start[1:]).any():
                    return None
                if n_bytes.sum() < frame_bytes:
                    return None
                places[page] = start[0]
        return places

    def segments(self) -> list[Segments]:
        """Return the strips or tiles of each page: places, lengths, and JPEG's tables."""
        tiled = bool(self.values(_TILE_OFFSETS).any())
        tags = (_TILE_OFFSETS, _TILE_BYTES) if tiled else (_STRIP_OFFSETS, _STRIP_BYTES)
        columns = [self._values(tag, -1) for tag in tags]
        single = (columns[0][1] == 1) & (columns[1][1] == 1)
        pairs = zip(*(values.tolist() for values, _ in columns), strict=True)
        found: list[Segments] = [((start,), (n_bytes,), None) for start, n_bytes in pairs]
        tables = self._values(_JPEG_TABLES, 0)[1] > 0
        with self.path.open("rb") as file:
            for page in np.flatnonzero(~single | tables).tolist():
                start, n_bytes = (self._array(file.fileno(), tag, page).tolist() for tag in tags)
                if single[page]:
                    start, n_bytes, _ = found[page]
                own = self.text(page, _JPEG_TABLES) if tables[page] else None
                found[page] = (start, n_bytes if len(n_bytes) == len(start) else (), own)
        return found

    def text(self, page: int, tag: int = DESCRIPTION) -> bytes:
        """Return a text of a page; empty where there is none."""
        with self.path.open("rb") as file:
            values = self._array(file.fileno(), tag, page, raw=True)
        return values.astype(np.uint8).tobytes().rstrip(b"\0")

    def extents(self, tag: int) -> tuple[IntArray, IntArray]:
        """Return the place of the values of a tag and their number for each page; 0 for none."""
        return self._values(tag, 0)

    def _values(self, tag: int, default: int) -> tuple[IntArray, IntArray]:
        """First value and number of values of a tag, for each page."""
        found = np.full(len(self), default, np.int64)
        counts = np.zeros(len(self), np.int64)
        order = self._layout.order
        for rows, entries in zip(self._rows, self._entries, strict=True):
            match = entries["code"] == tag
            has = match.any(axis=1)
            if not has.any():
                continue
            entry = np.ascontiguousarray(entries[np.flatnonzero(has), match.argmax(axis=1)[has]])
            counts[rows[has]] = entry["count"]
            raw = np.ascontiguousarray(entry["value"])
            width = raw.dtype.itemsize
            words = raw.view("u1").reshape(-1, width)
            n_bytes = _TYPE_BYTES[np.minimum(entry["type"], _TYPE_BYTES.size - 1)]
            inline = n_bytes * entry["count"] <= width
            value = words.view(f"{order}u{width}")[:, 0].astype(np.int64)  # a place
            for size in (1, 2, 4, 8)[: 4 if width == 8 else 3]:
                part = inline & (n_bytes == size)
                value[part] = words[part].copy().view(f"{order}u{size}")[:, 0].astype(np.int64)
            signed = inline & (entry["type"] == _SIGNED_LONG)
            value[signed] = value[signed].astype(np.uint32).view(np.int32)
            found[rows[has]] = value
        return found, counts

    def _array(self, file: int, tag: int, page: int, *, raw: bool = False) -> NDArray[np.int64]:
        """All values of a tag of one page; `raw`: its bytes."""
        for rows, entries in zip(self._rows, self._entries, strict=True):
            at = np.flatnonzero(rows == page)
            if not at.size:
                continue
            row = entries[at[0]]
            for entry in row[row["code"] == tag]:
                size = int(_TYPE_BYTES[min(int(entry["type"]), _TYPE_BYTES.size - 1)]) or 1
                n_bytes = size * int(entry["count"])
                data = entry["value"].tobytes()
                if n_bytes > len(data):
                    place = int(np.frombuffer(data, f"{self._layout.order}u{len(data)}")[0])
                    data = _read(file, min(n_bytes, os.fstat(file).st_size), place)
                data = data[: min(n_bytes, len(data)) // size * size]
                if raw:
                    return np.frombuffer(data, np.uint8).astype(np.int64)
                return np.frombuffer(data, f"{self._layout.order}u{size}").astype(np.int64)
        return np.empty(0, np.int64)


def read_pages(path: Path, places: Iterable[int] | None = None, *, limit: int = -1) -> PageTable:
    """Read the tables of the pages of a file.

    Parameters
    ----------
    path : Path
        A TIFF file.
    places : iterable of int, optional
        Where the pages are by an index; default: along the chain.
    limit : int
        Read so many pages at most; default: all.

    Returns
    -------
    PageTable

    Raises
    ------
    InputError
        The chain of pages leads back into itself.
    """
    found: list[int] = []
    tables: dict[int, tuple[list[int], list[bytes]]] = {}
    with path.open("rb", buffering=0) as opened:
        file = opened.fileno()
        layout, first = _head(os.pread(file, 16, 0))
        count, pointer = struct.Struct(layout.counter), struct.Struct(layout.pointer)
        listed = None if places is None else iter(places)
        place = first if listed is None else next(listed, 0)
        seen: set[int] = set()
        broken, guess = False, 16
        while place and len(found) != limit:
            if place in seen:
                raise InputError(
                    f"is damaged: page {len(seen)} of its chain of pages leads back to an earlier "
                    "one",
                    "copy the file again from the microscope's computer",
                    place=path,
                )
            data = _read(file, count.size + guess * layout.entry.itemsize + pointer.size, place)
            n_tags = count.unpack_from(data)[0] if len(data) >= count.size else _MAX_TAGS + 1
            end = count.size + n_tags * layout.entry.itemsize
            if n_tags > guess and n_tags <= _MAX_TAGS:
                guess = n_tags
                data = _read(file, end + pointer.size, place)
            broken = len(data) < end + pointer.size
            if broken:
                break
            seen.add(place)
            rows, raw = tables.setdefault(n_tags, ([], []))
            rows.append(len(found))
            raw.append(data[count.size : end])
            found.append(place)
            (place,) = pointer.unpack_from(data, end)
            if listed is not None:
                place = next(listed, 0)
    return PageTable(
        path=path,
        places=np.array(found, np.int64),
        next_place=place,
        broken=broken,
        _layout=layout,
        _entries=[
            np.frombuffer(b"".join(raw), layout.entry).reshape(len(rows), n_tags)
            for n_tags, (rows, raw) in tables.items()
        ],
        _rows=[np.array(rows, np.int64) for rows, _ in tables.values()],
    )


def first_description(file: int) -> bytes:
    """Return the text of the first page of an open TIFF file; empty where there is none."""
    layout, place = _head(os.pread(file, 16, 0))
    counter, value = struct.Struct(layout.counter), layout.pointer[1]
    entry = struct.Struct(f"{layout.order}HH{value}{value}")
    data = _read(file, counter.size + _FIRST_TAGS * entry.size, place)
    n_tags = counter.unpack_from(data)[0] if len(data) >= counter.size else 0
    for k in range(min(n_tags, (len(data) - counter.size) // entry.size)):
        code, _, n_bytes, at = entry.unpack_from(data, counter.size + k * entry.size)
        if code == DESCRIPTION and n_bytes > entry.size:
            return _read(file, min(n_bytes, os.fstat(file).st_size), at).rstrip(b"\0")
        if code >= DESCRIPTION:  # tags are in order
            break
    return b""


def _read(file: int, n_bytes: int, place: int) -> bytes:
    try:
        return os.pread(file, n_bytes, place)
    except OverflowError:
        return b""
    except OSError as error:
        if error.errno == errno.EINVAL:  # a place that no file has
            return b""
        raise


def _head(head: bytes) -> tuple[_Layout, int]:
    """Byte order, widths, and the place of the first page."""
    order = ">" if head[:2] == b"MM" else "<"
    big = head[2:4] in (b"\x00\x2b", b"\x2b\x00")
    value = 8 if big else 4
    entry = np.dtype(
        [
            ("code", f"{order}u2"),
            ("type", f"{order}u2"),
            ("count", f"{order}u{value}"),
            ("value", f"V{value}"),
        ]
    )
    pointer = f"{order}{'Q' if big else 'I'}"
    layout = _Layout(order, f"{order}{'Q' if big else 'H'}", entry, pointer)
    at = 8 if big else 4
    if len(head) < at + value:
        return layout, 0
    return layout, struct.unpack_from(pointer, head, at)[0]
