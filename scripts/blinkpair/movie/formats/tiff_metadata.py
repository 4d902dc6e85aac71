"""Frame time, pixel size and channel names out of a TIFF file's texts and tags.

Each program has its own place for them: ImageJ a text of ``key=value`` lines and the resolution
tags, OME an XML text, Micro-Manager JSON in the file and in each page. Where none has it, the
resolution tags count only if they give a size a camera pixel can have in a sample: the usual 72
or 96 dpi mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import numpy as np

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.movie.formats.timing import (
    Statement,
    frame_time,
    interval_of_stamps,
    micrometres,
    seconds,
)

# A pixel in the sample: between a super-resolution camera and a 0.5x lens. 96 dpi is 265 um.
_PIXEL_RANGE_UM = (0.005, 40.0)
_RESOLUTION_UNITS = {2: "inch", 3: "cm"}
_SQUARE_TOLERANCE = 0.01


@dataclass(frozen=True)
class TiffMetadata:
    """Metadata of a file.

    Attributes
    ----------
    pixel_size_um : float or None
    channels : tuple of str
    intervals : tuple of Statement
        On the frame interval, the most trusted first.
    exposure : Statement or None
    acquired_s : float or None
        Seconds since 1970, by OME and Micro-Manager; a TIFF's own date is that of an export.
    stamps_s : (planes,) array
        Time of each plane; empty where there are none.
    notes : tuple of str
    """

    pixel_size_um: float | None = None
    channels: tuple[str, ...] = ()
    intervals: tuple[Statement, ...] = ()
    exposure: Statement | None = None
    acquired_s: float | None = None
    stamps_s: FloatArray = field(default_factory=lambda: np.empty(0))
    notes: tuple[str, ...] = ()

    def timing(self, index: IntArray) -> tuple[float | None, tuple[str, ...]]:
        """Frame time of the planes `index`, and notes (see `frame_time`)."""
        measured, notes = interval_of_stamps((), "the planes' time stamps")
        if index.size and self.stamps_s.size > index.max():
            measured, notes = interval_of_stamps(self.stamps_s[index], measured.where)
        value, more = frame_time((measured, *self.intervals), self.exposure, frames=index.size)
        return value, notes + more


def read_metadata(tif: Any) -> TiffMetadata:
    """Read what the file's program wrote.

    Parameters
    ----------
    tif : tifffile.TiffFile

    Returns
    -------
    TiffMetadata
    """
    if tif.is_ome and (found := _ome(tif)) is not None:
        return found
    if tif.is_micromanager:
        return _micromanager(tif)
    if tif.is_imagej:
        return _imagej(tif)
    size = _resolution_um(tif, None)
    if size is None or not _PIXEL_RANGE_UM[0] <= size <= _PIXEL_RANGE_UM[1]:
        return TiffMetadata()
    return TiffMetadata(
        size, notes=(f"pixel size {size:.4g} um taken from the TIFF resolution tags",)
    )


def _imagej(tif: Any) -> TiffMetadata:
    text = tif.imagej_metadata or {}
    interval = seconds(_number(text.get("finterval")) or 0.0, str(text.get("tunit") or "s"))
    # 'fps' is how fast ImageJ plays a movie, not how fast it was taken.
    stated = (Statement("ImageJ's frame interval", interval),) if interval else ()
    labels = text.get("Labels")
    channels = int(_number(text.get("channels")) or 1)
    names = tuple(map(str, labels[:channels])) if labels and channels > 1 else ()
    return TiffMetadata(
        _resolution_um(tif, str(text.get("unit") or "")),
        channels=names if len(names) == channels and len(set(names)) == channels else (),
        intervals=stated,
        notes=_not_square(tif),
    )


def _ome(tif: Any) -> TiffMetadata | None:
    try:
        root = ElementTree.fromstring(tif.ome_metadata or "")
    except ElementTree.ParseError:
        return None
    pixels = next((one for one in root.iter() if one.tag.endswith("Pixels")), None)
    if pixels is None:
        return None
    attributes = pixels.attrib
    size = _number(attributes.get("PhysicalSizeX"))
    step = _number(attributes.get("TimeIncrement"))
    interval = seconds(step, attributes.get("TimeIncrementUnit", "s")) if step else None
    planes = [one.attrib for one in pixels if one.tag.endswith("Plane")]
    exposure = _number(planes[0].get("ExposureTime")) if planes else None
    channels = [one.attrib for one in pixels if one.tag.endswith("Channel")]
    names = [one.get("Name", "") for one in channels]
    return TiffMetadata(
        micrometres(size, attributes.get("PhysicalSizeXUnit", "um")) if size else None,
        channels=tuple(names) if all(names) else (),
        intervals=(Statement("the OME time increment", interval),),
        exposure=Statement(
            "the OME exposure time",
            seconds(exposure, planes[0].get("ExposureTimeUnit", "s")) if exposure else None,
        ),
        acquired_s=_date_s(
            next((one.text for one in root.iter() if one.tag.endswith("AcquisitionDate")), None)
        ),
        stamps_s=_ome_stamps(attributes, planes),
    )


def _date_s(text: object) -> float | None:
    """Seconds since 1970; Micro-Manager puts a space before the zone."""
    try:
        date = datetime.fromisoformat(re.sub(r" (?=[+-]\d{4}$)", "", str(text).strip()))
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _ome_stamps(attributes: Mapping[str, str], planes: Sequence[Mapping[str, str]]) -> FloatArray:
    """Order the times of the planes as the axes are in the file."""
    order = attributes.get("DimensionOrder", "XYCZT")[:1:-1]  # slowest first, as tifffile has them
    shape = tuple(int(attributes.get(f"Size{axis}", 1)) for axis in order)
    stamps = np.full(shape, np.nan)
    for plane in planes:
        place = tuple(int(plane.get(f"The{axis}", 0)) for axis in order)
        time = _number(plane.get("DeltaT"))
        if time is not None and all(k < n for k, n in zip(place, shape, strict=True)):
            stamps[place] = seconds(time, plane.get("DeltaTUnit", "s")) or np.nan
            if time == 0:
                stamps[place] = 0.0
    return stamps.reshape(-1) if np.isfinite(stamps).any() else np.empty(0)


def _micromanager(tif: Any) -> TiffMetadata:
    """Read a description of the whole in the file's head, and one in each page."""
    summary = (tif.micromanager_metadata or {}).get("Summary") or {}
    first, last = _page_tag(tif, 0), len(tif.pages) - 1
    stated = [Statement("Micro-Manager's planned interval", _ms(summary.get("Interval_ms")))]
    planes = 1
    for key in ("Channels", "Slices", "Positions"):
        planes *= int(_number(summary.get(key)) or 1)
    begin, end = _elapsed_ms(first), _elapsed_ms(_page_tag(tif, last))
    if begin is not None and end is not None and planes == 1 and last > 0:
        stated.insert(0, Statement("the frames' elapsed times", (end - begin) / last / 1e3))
    size = _number(first.get("PixelSizeUm")) or _number(summary.get("PixelSize_um"))
    return TiffMetadata(
        size or None,
        channels=tuple(map(str, summary.get("ChNames") or ())),
        intervals=tuple(stated),
        exposure=Statement("Micro-Manager's exposure", _ms(first.get("Exposure-ms"))),
        acquired_s=_date_s(summary.get("StartTime") or first.get("Time")),
    )


def _elapsed_ms(tag: Mapping[str, Any]) -> float | None:
    return _number(tag.get("ElapsedTime-ms"))


def _page_tag(tif: Any, k: int) -> Mapping[str, Any]:
    """Micro-Manager's description of one page."""
    try:
        tag = tif.pages.get(k, aspage=True).tags.get("MicroManagerMetadata")
    except (IndexError, ValueError):  # not a page of its own
        tag = None
    value = tag.value if tag is not None else None
    return value if isinstance(value, Mapping) else {}


def _resolution_um(tif: Any, unit: str | None) -> float | None:
    """Side of a pixel by the XResolution tag, in `unit` or that of the ResolutionUnit tag."""
    pixels_per_unit = _resolution(tif, "XResolution")
    if not pixels_per_unit:
        return None
    if unit is None:
        tag = tif.pages.first.tags.get("ResolutionUnit")
        unit = _RESOLUTION_UNITS.get(int(tag.value) if tag is not None else 2, "")
    return micrometres(1.0 / pixels_per_unit, unit)


def _resolution(tif: Any, name: str) -> float | None:
    tag = tif.pages.first.tags.get(name)
    if tag is None or not isinstance(tag.value, tuple) or not tag.value[1]:
        return None
    return float(tag.value[0]) / float(tag.value[1])


def _not_square(tif: Any) -> tuple[str, ...]:
    x, y = _resolution(tif, "XResolution"), _resolution(tif, "YResolution")
    if x and y and abs(x - y) > _SQUARE_TOLERANCE * x:
        return (f"its pixels are not square ({1 / x:.4g} by {1 / y:.4g}); the width was used",)
    return ()


def _ms(value: Any) -> float | None:
    number = _number(value)
    return None if number is None else number / 1e3


def _number(value: Any) -> float | None:
    """Read a number out of whatever a program wrote."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
