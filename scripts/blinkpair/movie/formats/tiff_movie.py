"""TIFF in its kinds: plain multi-page, BigTIFF, ImageJ, OME, Micro-Manager, compressed or not.

`tifffile` reads the headers and finds how pages make up a movie (`tiff_layout`); uncompressed
frames are then read straight from their places, the others decoded page by page. A file that
was cut off still opens, with fewer pages, so what the header promises is compared with what is
there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError
from blinkpair.movie.formats.decoded import Decode, DecodedFrames, ReadAt
from blinkpair.movie.formats.raw import RawFrames
from blinkpair.movie.formats.selection import Selection, choose_planes
from blinkpair.movie.formats.source import (
    Frames,
    Source,
    frames_to_read,
    native_dtype,
    plausible,
    refuse_colour,
)
from blinkpair.movie.formats.tiff_layout import Layout, find_layout
from blinkpair.movie.formats.tiff_metadata import TiffMetadata

_KINDS = {"imagej": "ImageJ TIFF", "ome": "OME-TIFF", "micromanager": "Micro-Manager TIFF"}
# Values of the tag PhotometricInterpretation.
_WHITE_IS_ZERO = 0
_COLOUR = (2, 6)  # RGB, YCbCr
_PALETTE = 3
# Strips of a page are fetched by one read if at most this many times their bytes are spanned.
_MAX_SPREAD = 1.5

Segments = tuple[Sequence[int], Sequence[int], bytes | None]


def open_tiff(path: Path, selection: Selection, *, alone: bool = True) -> Source:
    """Open a TIFF movie or image.

    Parameters
    ----------
    path : Path
    selection : Selection
    alone : bool
        False for one part of a list of files: an OME or Micro-Manager file then stands for
        itself and does not call in the other parts.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        Frames missing, a colour image, images of several sizes, or a choice left open.
    """
    # Without these, each part of a set would stand for all of it.
    single = {} if alone else {"is_mmstack": False, "_multifile": False}
    with _messages_aside(), tifffile.TiffFile(path, **single) as tif:
        try:
            page = tif.pages.first  # and not len(tif.pages), which walks through all of them
        except IndexError:
            raise InputError(
                "a TIFF file without a page: the recording or a copy of it was cut off",
                "copy the file again from the microscope's computer",
                place=path,
            ) from None
        _check_page(path, page, tif)
        return _describe(path, tif, selection)


def _check_page(path: Path, page: Any, tif: Any) -> None:
    """Refuse pixels that are no counts of a camera."""
    # ImageJ writes 8-bit counts shown in false colours as a palette image.
    palette = page.photometric == _PALETTE and not tif.is_imagej
    if page.samplesperpixel > 1 or page.photometric in _COLOUR or palette:
        raise refuse_colour(path, "this is a colour (RGB or palette) image")
    if page.dtype is None:  # which numpy would take for float64
        raise InputError(
            f"pixels of {page.bitspersample} bits cannot be read",
            "export the movie as 16-bit grey values",
            place=path,
        )
    plausible(path, height=page.imagelength, width=page.imagewidth)
    if page.is_tiled:
        plausible(path, height=page.tilelength, width=page.tilewidth)


def _describe(path: Path, tif: Any, selection: Selection) -> Source:
    layout = find_layout(path, tif, selection.position)
    page = layout.page
    _check_page(path, page, tif)
    dtype = native_dtype(path, page.dtype)
    shape = (page.imagelength, page.imagewidth)
    metadata = TiffMetadata(tif, layout)
    planes = choose_planes(
        str(path),
        layout.sizes,
        selection if layout.images == 1 else replace(selection, position=None),
        channel_names=metadata.channels,
        z_is_time=bool(tif.is_imagej),
    )
    present = _leading(planes.index, layout)
    frames: Frames
    if layout.offsets is not None:
        paths, file_index = _files(path, layout, present)
        frames = RawFrames(
            paths=paths,
            offsets=layout.offsets[present],
            height=shape[0],
            width=shape[1],
            dtype=page.dtype.newbyteorder(tif.byteorder),
            file_index=file_index,
        )
        n_present = frames.count_present()
        starts = frames.offsets.tolist()
    else:
        pages = [layout.pages[int(i)] for i in present]
        if any(one.parent is not tif for one in pages):
            raise InputError(
                "a compressed movie that goes on in other files",
                "name all of them with a pattern, e.g. 'movie_*.tif'",
                place=path,
            )
        paths, file_index = (path,), None
        table = [(one.dataoffsets, one.databytecounts, one.jpegtables) for one in pages]
        frames = DecodedFrames(path, _decoder(page, table))
        n_present = _count_whole(table, path.stat().st_size)
        starts = [offsets[0] if offsets else -1 for offsets, *_ in table]
    promised = planes.index.size
    count = frames_to_read(path, promised, n_present, selection.frames, more=layout.broken)
    kind = next((name for flag, name in _KINDS.items() if getattr(tif, f"is_{flag}")), "TIFF")
    numbers = [0] * count if file_index is None else file_index.tolist()
    places = [(paths[k], start) for k, start in zip(numbers, starts[:count], strict=False)]
    described = metadata.describe(planes.index[:count], places)
    notes = layout.notes + planes.notes
    if page.photometric == _WHITE_IS_ZERO:
        notes += ("a tag asks for 0 to be shown as white; counts are as stored",)
    return Source(
        paths=paths,
        format=kind if page.compression == 1 else f"{kind}, {page.compression.name} compression",
        shape=(count, *shape),
        dtype=dtype,
        frames=frames,
        times=described.times,
        pixels=described.pixels,
        acquired_s=described.acquired_s,
        channel=planes.channel,
        notes=notes,
    )


def _leading(index: IntArray, layout: Layout) -> IntArray:
    """Return the frames before the first whose page is not there."""
    if layout.pages:
        there = np.array([one is not None for one in layout.pages], bool)
    else:
        there = np.ones(0 if layout.offsets is None else layout.offsets.size, bool)
    missing = np.ones(index.size, bool)
    within = index < there.size
    missing[within] = ~there[index[within]]
    return index[: int(np.argmax(missing))] if missing.any() else index


def _files(path: Path, layout: Layout, index: IntArray) -> tuple[tuple[Path, ...], IntArray | None]:
    """List the files of a movie, and which of them holds each frame (None: all in one)."""
    if not layout.pages:
        return (path,), None
    parents = [layout.pages[int(i)].parent for i in index]
    files = {id(parent): Path(parent.filehandle.path) for parent in parents}
    if len(files) < 2:
        return tuple(files.values()) or (path,), None
    number = {key: k for k, key in enumerate(files)}
    return tuple(files.values()), np.array([number[id(one)] for one in parents], np.int64)


def _decoder(page: Any, table: Sequence[Segments]) -> Decode:
    """Decode a page from its segments (strips or tiles).

    Parameters
    ----------
    page : tifffile.TiffPage
        Describes how all pages are stored.
    table : sequence of (offsets, byte counts, JPEG tables)
        One entry a frame.
    """
    decode_segment = page.decode
    height, width = page.imagelength, page.imagewidth

    def decode(read_at: ReadAt, i: int, out: NDArray[Any]) -> None:
        offsets, counts, tables = table[i]
        first = min(offsets)
        span = max(map(int.__add__, offsets, counts)) - first
        together = read_at(first, span) if span <= _MAX_SPREAD * sum(counts) else None
        for k, (offset, count) in enumerate(zip(offsets, counts, strict=True)):
            if together is None:
                data = read_at(offset, count)
            else:
                data = together[offset - first : offset - first + count]
            segment, (_, _, y, x, _), (_, h, w, _) = decode_segment(data, k, jpegtables=tables)
            if segment is None:  # an empty segment stands for zeros
                out[y : y + h, x : x + w] = 0
            else:
                out[y : y + h, x : x + w] = segment[0, : height - y, : width - x, 0]

    return decode


def _count_whole(table: Sequence[Segments], size: int) -> int:
    """Count the frames before the first that has a byte beyond the end of the file."""
    for k, (offsets, counts, _) in enumerate(table):
        # Negative where damage made signed numbers of them.
        if (
            not offsets
            or min(*offsets, *counts) < 0
            or max(map(int.__add__, offsets, counts)) > size
        ):
            return k
    return len(table)


@contextmanager
def _messages_aside() -> Iterator[None]:
    """Keep what tifffile logs on odd files from the user, who gets a note or an error instead."""

    def aside(record: logging.LogRecord) -> bool:
        logging.getLogger(__name__).debug("tifffile: %s", record.getMessage())
        return False

    logger = logging.getLogger("tifffile")
    logger.addFilter(aside)
    try:
        yield
    finally:
        logger.removeFilter(aside)
