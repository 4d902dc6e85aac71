"""TIFF in its kinds: plain multi-page, BigTIFF, ImageJ, OME, Micro-Manager, compressed or not.

`tifffile` reads the headers and finds how pages make up a movie (`tiff_layout`); uncompressed
frames are then read straight from their places, the others decoded page by page. A file that
was cut off still opens, with fewer pages; the number of frames in the header is therefore compared
with that in the file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
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
from blinkpair.movie.formats.lossless import keeps_counts
from blinkpair.movie.formats.raw import RawFrames, file_sizes
from blinkpair.movie.formats.selection import Selection, choose_planes
from blinkpair.movie.formats.source import (
    Frames,
    Opened,
    Source,
    frames_to_read,
    leading,
    native_dtype,
    plausible,
    refuse_colour,
)
from blinkpair.movie.formats.tiff_floats import NOTE, holds_fractions
from blinkpair.movie.formats.tiff_layout import Layout, find_layout
from blinkpair.movie.formats.tiff_metadata import TiffMetadata
from blinkpair.movie.formats.tiff_pages import Segments
from blinkpair.movie.formats.tiff_rgb import RGB, grey_rgb
from blinkpair.movie.formats.tiff_sets import set_layout

_KINDS = {"imagej": "ImageJ TIFF", "ome": "OME-TIFF", "micromanager": "Micro-Manager TIFF"}
# Values of the tag PhotometricInterpretation.
_WHITE_IS_ZERO = 0
_COLOUR = (RGB, 6)  # and YCbCr
_PALETTE = 3
# Strips of a page are fetched by one read if at most this many times their bytes are spanned.
_MAX_SPREAD = 1.5


def open_tiff(some: Opened, selection: Selection) -> Source:
    """Open a TIFF movie or image.

    Parameters
    ----------
    some : Opened
        Files.
    selection : Selection

    Returns
    -------
    Source

    Raises
    ------
    InputError
        Frames missing, a colour image, images of several sizes, or a choice left open.
    """
    path = next((share.path for share in some.shares if share.leads), some.files[0])
    # The files of a movie are known here; tifffile would decide by their names.
    how = {"is_mmstack": False, "_multifile": False}
    with _messages_aside(), tifffile.TiffFile(path, **how) as tif:
        try:
            page = tif.pages.first  # and not len(tif.pages), which walks through all of them
        except IndexError:
            raise InputError(
                "a TIFF file without a page: the recording or a copy of it was cut off",
                "copy the file again from the microscope's computer",
                place=path,
            ) from None
        if image := grey_rgb(path, page, tif, selection):
            return image
        _check_page(path, page, tif)
        return _describe(path, tif, selection, some)


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
    if page.imagedepth > 1:
        raise InputError(
            f"each of its pages holds {page.imagedepth} planes, of which programs read the first",
            "save the movie again with one page a frame, in the program that wrote it",
            place=path,
        )
    plausible(path, height=page.imagelength, width=page.imagewidth)
    if page.compression == 1:
        _check_uncompressed(path, page)
    if page.is_tiled:
        plausible(path, height=page.tilelength, width=page.tilewidth)


def _check_uncompressed(path: Path, page: Any) -> None:
    """Refuse uncompressed pixels that programs read in different ways."""
    packed = -(-page.imagewidth * page.bitspersample // 8) * page.imagelength
    if page.bitspersample % 8 and sum(page.databytecounts) != packed:
        raise InputError(
            f"its tags give {page.bitspersample} bits a pixel, its pixels take "
            f"{8 * sum(page.databytecounts) / (page.imagewidth * page.imagelength):.3g}",
            "export the movie as 16-bit grey values",
            place=path,
        )
    if page.predictor != 1:
        raise InputError(
            "a predictor without a compression: which of its counts are differences is not known",
            "save the movie again without a predictor, in the program that wrote it",
            place=path,
        )
    if page.fillorder != 1:
        raise InputError(
            "a tag asks for the bits of each byte in reverse, which some programs ignore",
            "save the movie again as 16-bit grey values, in the program that wrote it",
            place=path,
        )


def _describe(path: Path, tif: Any, selection: Selection, some: Opened) -> Source:
    """Return the frames that are chosen in an open file or set, and what its metadata hold."""
    if some.shares:
        layout = set_layout(some.shares, tif)
        if selection.position is None and layout.position is not None:
            selection = replace(selection, position=str(layout.position))
    else:
        layout = find_layout(path, tif, selection.position)
    page = layout.page or tif.pages.first
    _check_page(path, page, tif)
    _refuse_loss(path, page, tif)
    dtype = native_dtype(path, page.dtype)
    shape = (page.imagelength, page.imagewidth)
    metadata = TiffMetadata(tif, layout, some.shares[0].kind if some.shares else "")
    planes = choose_planes(
        str(path),
        layout.sizes,
        selection if layout.images == 1 else replace(selection, position=None),
        channel_names=layout.channels or metadata.channels,
        z_is_time=bool(tif.is_imagej),
    )
    there = _listed(planes.index, layout)
    files = layout.files or (path,)
    frames, held, places = _frames(files, page, tif, layout, planes.index[: leading(there)])
    there[: held.size] = held
    count = frames_to_read(path, there, selection, more=layout.broken, absent=some.absent)
    notes = layout.notes + planes.notes
    if holds_fractions(frames, shape, dtype):
        dtype = np.dtype(np.float32)
        if isinstance(frames, RawFrames):
            frames = replace(frames, dtype=dtype.newbyteorder(tif.byteorder))
        notes += (NOTE,)
    kind = next((name for flag, name in _KINDS.items() if getattr(tif, f"is_{flag}")), "TIFF")
    described = metadata.describe(planes.index[:count], lambda: places()[:count])
    if page.photometric == _WHITE_IS_ZERO:
        notes += ("a tag asks for 0 to be shown as white; counts are as stored",)
    if tif.is_imagej and "c1" in (about := tif.imagej_metadata or {}) and about["c1"] != 1:
        notes += (f"ImageJ shows them times {about['c1']:g} (a calibration); counts are as stored",)
    return Source(
        paths=files,
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


def _frames(
    files: tuple[Path, ...], page: Any, tif: Any, layout: Layout, present: IntArray
) -> tuple[Frames, NDArray[np.bool_], Callable[[], list[tuple[Path, int]]]]:
    """Return the images `present`, which of them their files hold whole, and where each begins.

    The places (file, byte) are a function: few formats need them, and of 20,000 frames they take
    4 ms, four times the rest of a header.
    """
    file_index = None if layout.file_index is None else layout.file_index[present]

    def in_files(starts: list[int]) -> list[tuple[Path, int]]:
        numbers = [0] * len(starts) if file_index is None else file_index.tolist()
        return [(files[k], start) for k, start in zip(numbers, starts, strict=False)]

    if layout.offsets is not None:
        raw = RawFrames(
            paths=files,
            offsets=layout.offsets[present],
            height=page.imagelength,
            width=page.imagewidth,
            dtype=page.dtype.newbyteorder(tif.byteorder),
            file_index=file_index,
        )
        return raw, raw.there(), lambda: in_files(raw.offsets.tolist())
    table = [one for i in present.tolist() if (one := layout.segments[i]) is not None]
    held = _held(table, file_sizes(files, file_index, len(table)))
    decoded = DecodedFrames(files, _decoder(page, table), file_index)
    return decoded, held, lambda: in_files([offsets[0] if offsets else -1 for offsets, *_ in table])


def _refuse_loss(path: Path, page: Any, tif: Any) -> None:
    """Refuse a compression that alters counts, or may do so."""

    def stored() -> bytes:
        start = page.dataoffsets[0]
        tif.filehandle.seek(start)
        # Of a damaged file the count may be larger than the memory.
        n_bytes = min(page.databytecounts[0], max(tif.filehandle.size - start, 0))
        data: bytes = tif.filehandle.read(n_bytes)
        return data

    kept = keeps_counts(page, stored)
    if kept:
        return
    name = page.compression.name
    if kept is None:
        raise InputError(
            f"compressed as {name}, of which it is not known whether its counts are those of the "
            "camera",
            "use the original recording; or, if nothing was lost, save it without compression",
            place=path,
        )
    raise InputError(
        f"compressed with loss ({name}): its counts are not those of the camera",
        "use the original recording",
        place=path,
    )


def _listed(index: IntArray, layout: Layout) -> NDArray[np.bool_]:
    """Mark the frames of which the place is known."""
    if layout.offsets is not None:
        known = layout.offsets >= 0
    else:
        known = np.array([one is not None for one in layout.segments], bool)
    listed = np.zeros(index.size, bool)
    within = index < known.size
    listed[within] = known[index[within]]
    return listed


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
            if segment is not None and segment.dtype.kind != out.dtype.kind:  # `tiff_floats`
                segment = segment.astype(np.uint32).view(out.dtype)
            if segment is None:  # an empty segment stands for zeros
                out[y : y + h, x : x + w] = 0
            else:
                out[y : y + h, x : x + w] = segment[0, : height - y, : width - x, 0]

    return decode


def _held(table: Sequence[Segments], sizes: IntArray) -> NDArray[np.bool_]:
    """Mark the frames that have no byte beyond the end of their file."""
    held = [
        # Negative where damage made signed numbers of them.
        bool(offsets)
        and min(*offsets, *counts) >= 0
        and max(map(int.__add__, offsets, counts)) <= size
        for (offsets, counts, _), size in zip(table, sizes.tolist(), strict=True)
    ]
    return np.array(held, bool)


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
