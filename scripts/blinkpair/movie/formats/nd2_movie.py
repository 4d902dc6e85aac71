"""Nikon ND2: headers through the `nd2` library, pixels by plain reads.

The interval between frames stands in three places, and the time loop's own period, the first
one anybody looks at, can be 0; `timing` decides. Channels are interleaved pixel by pixel, so each
frame holds all of them.
"""

from __future__ import annotations

import math
import warnings
import zlib
from pathlib import Path
from typing import Any

import nd2
import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError
from blinkpair.movie.formats.decoded import Decode, DecodedFrames, ReadAt
from blinkpair.movie.formats.nd2_chunks import HEADER_BYTES, STAMP_BYTES, ChunkMap, parse_header
from blinkpair.movie.formats.pixel_size import PixelStatement
from blinkpair.movie.formats.raw import RawFrames
from blinkpair.movie.formats.selection import Selection, choose_planes
from blinkpair.movie.formats.source import (
    Frames,
    Source,
    frames_to_read,
    leading,
    native_dtype,
    plausible,
    refuse_colour,
)
from blinkpair.movie.formats.timing import SHORTEST_S, Statement, Times

_JULIAN_DAY_1970 = 2440587.5
_MOST_PADDING = 8  # bytes at the end of a row
_LEGACY_MAGIC = b"\x00\x00\x00\x0c"


def open_nd2(path: Path, selection: Selection) -> Source:
    """Open an ND2 file.

    Parameters
    ----------
    path : Path
    selection : Selection

    Returns
    -------
    Source

    Raises
    ------
    InputError
        No chunk map, frames missing, a colour image, or a choice left open.
    """
    with path.open("rb") as file:
        if file.read(4) == _LEGACY_MAGIC:
            raise InputError(
                "an ND2 file of the old kind (JPEG 2000, before 2010)",
                "open it in NIS-Elements and save it anew, or export it as TIFF",
                place=path,
            )
    chunks = ChunkMap(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library misses, `timing` deals with
        with nd2.ND2File(path) as file:
            return _describe(path, file, chunks, selection)


def _describe(path: Path, file: Any, chunks: ChunkMap, selection: Selection) -> Source:
    """Return the frames that are chosen in an open file, and what its metadata hold."""
    sizes, attributes = dict(file.sizes), file.attributes
    if sizes.pop("S", 1) > 1:
        raise refuse_colour(path, "this is a colour (RGB) image")
    shape = (attributes.heightPx, attributes.widthPx)
    plausible(path, height=shape[0], width=shape[1])
    planes = choose_planes(
        str(path),
        {axis: n for axis, n in sizes.items() if axis not in "YX"},
        selection,
        channel_names=[one.channel.name for one in file.metadata.channels or ()],
        interleaved=True,
    )
    dtype = np.dtype(file.dtype).newbyteorder("<")
    raw = _is_raw(path, attributes.compressionType)
    used = attributes.widthPx * attributes.componentCount * dtype.itemsize
    stride = attributes.widthBytes or used
    if raw and not used <= stride < used + _MOST_PADDING:
        raise InputError(
            f"its header contradicts itself: {used} bytes in a row of pixels, {stride} from row to "
            "row",
            "open it in NIS-Elements and save it anew, or export it as TIFF",
            place=path,
        )
    places = chunks.frames(STAMP_BYTES + stride * (shape[0] - 1) + used if raw else 0)
    there = np.array([int(i) in places for i in planes.index])
    starts = [places[int(i)] for i in planes.index[: leading(there)]]
    layout: dict[str, Any] = {
        "row_bytes": stride,
        "samples": attributes.componentCount,
        "sample": planes.sample,
    }
    frames: Frames
    if raw:
        frames = RawFrames(
            paths=(path,),
            offsets=_pixel_offsets(path, chunks, starts),
            height=shape[0],
            width=shape[1],
            dtype=dtype,
            **layout,
        )
        held = frames.there()
        there[: held.size] = held
    else:
        frames = DecodedFrames((path,), _inflate(starts, dtype, **layout))
    count = frames_to_read(path, there, selection)
    notes = planes.notes
    if (more := len(places) - math.prod(n for axis, n in sizes.items() if axis not in "YXC")) > 0:
        notes += (f"{more} frames in the file are more than its loops have; they were not used",)
    return Source(
        paths=(path,),
        format="ND2",
        shape=(count, *shape),
        dtype=native_dtype(path, dtype),
        frames=frames,
        times=_times(file, chunks, planes.index[:count]),
        pixels=(_pixel(file),),
        acquired_s=_acquired_s(file, chunks, int(planes.index[0])),
        channel=planes.channel,
        notes=notes,
    )


def _is_raw(path: Path, compression: str | None) -> bool:
    """Return whether pixels are stored as they are; refuse a compression with loss."""
    if compression in (None, "none", "lossless"):
        return compression != "lossless"
    raise InputError(
        f"compressed with loss ('{compression}'): its counts are not those of the camera",
        "use the original recording",
        place=path,
    )


def _pixel_offsets(path: Path, chunks: ChunkMap, places: list[int]) -> IntArray:
    """First pixel of each frame, from the places of their chunks.

    The length of a chunk's header is taken from the first, the middle and the last frame, which
    must agree: to read all of 20,000 would take as long as a movie on a slow disk.
    """
    probes = {places[0], places[len(places) // 2], places[-1]} if places else set()
    lengths = {n for n in map(chunks.header_bytes, probes) if n is not None}
    if len(lengths) > 1:
        raise InputError(
            "its frames are stored in different ways",
            "export the movie as TIFF in NIS-Elements",
            place=path,
        )
    return np.array(places, np.int64) + (lengths.pop() if lengths else 0) + STAMP_BYTES


def _inflate(
    places: list[int], dtype: np.dtype[Any], *, row_bytes: int, samples: int, sample: int
) -> Decode:
    """Decode NIS-Elements' lossless compression: a frame's pixels deflated, one stream each."""

    def decode(read_at: ReadAt, i: int, out: NDArray[Any]) -> None:
        data_start, data_bytes = parse_header(read_at(places[i], HEADER_BYTES))
        skip = data_start + STAMP_BYTES
        step = samples * dtype.itemsize
        stride = row_bytes or out.shape[1] * step
        deflated = read_at(places[i] + skip, data_bytes - STAMP_BYTES)
        # No more than a frame, whatever a damaged one would unfold to.
        pixels = zlib.decompressobj().decompress(deflated, len(out) * stride)
        out[...] = np.ndarray(
            out.shape,
            dtype,
            buffer=pixels,
            offset=sample * dtype.itemsize,
            strides=(stride, step),
        )

    return decode


def _times(file: Any, chunks: ChunkMap, index: IntArray) -> Times:
    """Return the stamps of the events table, and what the time loops hold."""
    table, where = chunks.values("AcqTimesCache") / 1e3, "the events table"
    stamps_s = np.full(index.size, np.nan)
    known = index < table.size
    stamps_s[known] = table[index[known]]
    steps = np.diff(stamps_s[known])
    if steps.size and 0 < np.median(steps) < SHORTEST_S:  # not in milliseconds, as it should be
        stamps_s, where = stamps_s * 1e3, "the events table, read in seconds,"
    statements: list[Statement] = []
    for loop in file.experiment or ():
        if loop.type == "TimeLoop":
            statements += _of_loop(loop.parameters, loop.count, alone=not steps.any())
        elif loop.type == "NETimeLoop":
            for phase in loop.parameters.periods:
                statements += _of_loop(phase, phase.count, alone=not steps.any())
    exposures_s = chunks.values("Camera_ExposureTime1") / 1e3
    exposure = None
    if exposures_s.size > index[0]:
        exposure = Statement("the camera's exposure", float(exposures_s[index[0]]))
    return Times(stamps_s, where, tuple(statements), exposure)


def _of_loop(phase: Any, count: int, *, alone: bool) -> list[Statement]:
    """Return a time loop's statistics and period, and its duration where no stamps are.

    The duration is a planned one, too: that of a recording that was stopped, or in which the
    camera was slower than planned, does not belong to the number of its frames.
    """
    # Statistics of 0 were not recorded, as opposed to a period of 0, which misleads.
    average = (phase.periodDiff.avg if phase.periodDiff else 0.0) / 1e3
    found = [
        Statement("the time loop's statistics", average or None),
        Statement("the time loop's period", phase.periodMs / 1e3, planned=True),
    ]
    if alone and phase.periodMs > 0 and phase.durationMs > 0:
        # Of so many frames, or from the first to the last one.
        each = [phase.durationMs / 1e3 / max(n, 1) for n in (count, count - 1)]
        each_s = min(each, key=lambda value: abs(value - phase.periodMs / 1e3))
        found.append(Statement("the time loop's duration", each_s, planned=True))
    return found


def _acquired_s(file: Any, chunks: ChunkMap, first: int) -> float | None:
    """When the first frame was taken; files that other programs wrote have no times."""
    if not chunks.values("AcqTimesCache").size:
        return None
    try:
        day = float(file.frame_metadata(first).channels[0].time.absoluteJulianDayNumber)
    except (AttributeError, IndexError, TypeError):
        return None
    return (day - _JULIAN_DAY_1970) * 86400 if day > _JULIAN_DAY_1970 else None


def _pixel(file: Any) -> PixelStatement:
    """Side of a pixel, unless the objective was not calibrated."""
    channels = file.metadata.channels
    calibrated = channels[0].volume.axesCalibrated if channels else None
    size = file.voxel_size()
    known = calibrated is None or calibrated[0]
    return PixelStatement(
        "the ND2 calibration",
        float(size.x) if known else None,
        float(size.y) if known else None,
        calibrated=bool(calibrated),
    )
