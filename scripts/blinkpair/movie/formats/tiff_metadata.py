"""Read times, pixel size and channel names from the texts and tags of a TIFF file.

Each program has its own place for them: ImageJ a text of ``key=value`` lines and the resolution
tags, OME an XML text, Micro-Manager JSON in the file and beside each frame. Those of the image and
of the planes that are read count. `timing` and `pixel_size` decide which values are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.movie.formats.micromanager import read_frame_texts
from blinkpair.movie.formats.pixel_size import PixelStatement, micrometres
from blinkpair.movie.formats.tiff_layout import Layout
from blinkpair.movie.formats.timing import Statement, Times, plain_unit, seconds

_RESOLUTION_UNITS = {2: "inch", 3: "cm"}
_DAY_S = 86400.0
_STAMPS = "the planes' time stamps"


class Described(NamedTuple):
    """What a file holds on the frames of a movie.

    Attributes
    ----------
    times : Times
    pixels : tuple of PixelStatement
    acquired_s : float or None
        Seconds since 1970, by OME and Micro-Manager; a TIFF's own date is that of an export.
    """

    times: Times
    pixels: tuple[PixelStatement, ...] = ()
    acquired_s: float | None = None


class TiffMetadata:
    """The texts of an open file.

    Parameters
    ----------
    tif : tifffile.TiffFile
    layout : Layout
        Which image of the file is read.
    kind : str
        'Micro-Manager' or 'NDTiff' where an index of theirs gives the planes.
    """

    def __init__(self, tif: Any, layout: Layout, kind: str = "") -> None:
        self._tif, self._layout, self._kind = tif, layout, kind
        self._page = layout.page or tif.pages.first
        self._ome = _OmeText.of(tif, layout) if tif.is_ome else None
        self._summary: Mapping[str, Any] = {}
        if tif.is_micromanager:
            self._summary = (tif.micromanager_metadata or {}).get("Summary") or {}

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the file; empty where it has none."""
        if self._ome is not None and self._ome.channels:
            return self._ome.channels
        if self._tif.is_micromanager:
            return tuple(map(str, self._summary.get("ChNames") or ()))
        return _imagej_channels(self._tif) if self._tif.is_imagej else ()

    def describe(
        self, index: IntArray, places: Callable[[], Sequence[tuple[Path, int]]]
    ) -> Described:
        """Return what the file holds on some planes.

        Parameters
        ----------
        index : (frames,) int array
            Their numbers in the file, in the order of time.
        places : callable
            Returns the file of each, and the place of its first pixel.
        """
        ome = self._ome.describe(self._layout, index) if self._ome is not None else None
        if self._tif.is_micromanager:
            if ome is None or self._kind in ("Micro-Manager", "NDTiff"):
                return self._micromanager(places())
            if not np.isfinite(ome.times.stamps_s).any():
                beside = self._micromanager(places()).times
                times = Times(beside.stamps_s, beside.where, ome.times.intervals, beside.exposure)
                return ome._replace(times=times)
        if ome is not None:
            return ome
        if self._tif.is_stk:
            return _metamorph(self._tif.stk_metadata, index)
        return _imagej(self._tif, self._page) if self._tif.is_imagej else _plain(self._page)

    def _micromanager(self, places: Sequence[tuple[Path, int]]) -> Described:
        """Read the description of the whole in the file's head, and those beside the frames."""
        first, elapsed_s = read_frame_texts(places, indexed=self._kind == "NDTiff")
        exposure = _ms(first.get("Exposure-ms", first.get("Exposure")))
        planned = _ms(self._summary.get("Interval_ms"))
        return Described(
            Times(
                elapsed_s,
                "the frames' elapsed times",
                (Statement("Micro-Manager's planned interval", planned, planned=True),),
                Statement("Micro-Manager's exposure", exposure),
            ),
            tuple(
                PixelStatement("Micro-Manager's pixel size", _number(size))
                for size in (first.get("PixelSizeUm"), self._summary.get("PixelSize_um"))
            ),
            _date_s(self._summary.get("StartTime") or first.get("Time")),
        )


class _OmeText:
    """The images of an OME text among which the movie is."""

    def __init__(self, images: Sequence[ElementTree.Element]) -> None:
        self._images = images
        names = [one.get("Name", "") for one in _pixels(images[0]) if one.tag.endswith("Channel")]
        self.channels = tuple(names) if all(names) else ()

    @classmethod
    def of(cls, tif: Any, layout: Layout) -> _OmeText | None:
        """Return the image that is read, or all where positions are an axis; None if not found."""
        try:
            root = ElementTree.fromstring(tif.ome_metadata or "")
        except ElementTree.ParseError:
            return None
        found = [one for one in root if one.tag.endswith("Image") and len(_pixels(one))]
        if len(found) == layout.sizes.get("R", 0):
            return cls(found)
        if len(found) != layout.images:  # some of them are without data
            found = [one for one in found if not layout.name or one.get("Name") == layout.name]
            return cls(found) if len(found) == 1 else None
        return cls([found[layout.image]])

    def describe(self, layout: Layout, index: IntArray) -> Described:
        """Return what the text holds on the planes `index`."""
        sizes = {axis: n for axis, n in layout.sizes.items() if axis != "R"}
        per_image = math.prod(sizes.values())
        image = self._images[int(index[0]) // per_image if len(self._images) > 1 else 0]
        index = index % per_image if len(self._images) > 1 else index
        about = _pixels(image).attrib
        interval = _seconds(_pixels(image), "TimeIncrement")
        stamps_s, exposure_s = _plane_times(_pixels(image), sizes, index)
        width, height = (
            micrometres(size, about.get(f"PhysicalSize{axis}Unit", "um")) if size else None
            for axis in "XY"
            for size in [_number(about.get(f"PhysicalSize{axis}"))]
        )
        date = next((one.text for one in image if one.tag.endswith("AcquisitionDate")), None)
        return Described(
            Times(
                stamps_s,
                _STAMPS,
                (Statement("the OME time increment", interval, planned=True),),
                Statement("the OME exposure time", exposure_s),
            ),
            (PixelStatement("the OME pixel size", width, height),),
            _date_s(date),
        )


def _pixels(image: ElementTree.Element) -> ElementTree.Element:
    """Return the description of an image's planes; an empty one where it has none."""
    found = (one for one in image if one.tag.endswith("Pixels"))
    return next(found, ElementTree.Element("Pixels"))


def _plane_times(
    pixels: ElementTree.Element, sizes: Mapping[str, int], index: IntArray
) -> tuple[FloatArray, float | None]:
    """Return the stamps of some planes in seconds, NaN without, and the exposure of the first.

    Parameters
    ----------
    pixels : Element
    sizes : mapping
        Axis letter -> length, slowest first, of the planes that `index` counts.
    index : (frames,) int array
    """
    lengths = {axis: int(pixels.get(f"Size{axis}", 1)) for axis in "TZC"}
    stamps_s = np.full(math.prod(sizes.values()), np.nan)
    # A part of a set has other planes than the text describes.
    if math.prod(lengths.values()) != stamps_s.size:
        return np.full(index.size, np.nan), None
    exposure_s = None
    steps, step = {}, 1
    for axis in reversed([axis for axis in sizes if axis in lengths]):  # those longer than 1
        steps[f"The{axis}"] = step, sizes[axis]
        step *= sizes[axis]
    for plane in pixels:
        if not plane.tag.endswith("Plane"):
            continue
        at = 0
        for axis, (step, length) in steps.items():
            place = int(plane.get(axis, 0))
            at = at + place * step if 0 <= place < length and at >= 0 else -1
        if at >= 0 and (time := _seconds(plane, "DeltaT")) is not None:
            stamps_s[at] = time
        if at == index[0]:
            exposure_s = _seconds(plane, "ExposureTime")
    return stamps_s[index], exposure_s


def _seconds(element: ElementTree.Element, key: str) -> float | None:
    """Return a time that an attribute gives; None where it is absent or its unit is none."""
    value = _number(element.get(key))
    return None if value is None else seconds(value, element.get(f"{key}Unit", "s"))


def _imagej(tif: Any, page: Any) -> Described:
    text = tif.imagej_metadata or {}
    interval = seconds(_number(text.get("finterval")) or 0.0, str(text.get("tunit") or "s"))
    # 'fps' is how fast ImageJ plays a movie, not how fast it was taken.
    stated = (Statement("ImageJ's frame interval", interval, planned=True),) if interval else ()
    unit = str(text.get("unit") or "")
    inches = plain_unit(unit) in ("in", "inch")  # ImageJ takes over a printer's setting
    where = "its TIFF resolution tag" if inches else "ImageJ's pixel size"
    return Described(Times(intervals=stated), (_by_tags(page, unit, where, by_tag=inches),))


def _imagej_channels(tif: Any) -> tuple[str, ...]:
    text = tif.imagej_metadata or {}
    labels, n = text.get("Labels"), int(_number(text.get("channels")) or 1)
    names = tuple(map(str, labels[:n])) if labels and n > 1 else ()
    return names if len(names) == n and len(set(names)) == n else ()


def _metamorph(about: Mapping[str, Any], index: IntArray) -> Described:
    """Time of day of each plane, and the calibration, of a MetaMorph stack (STK)."""
    created_s = np.asarray(about.get("TimeCreated", ()), np.float64) / 1e3  # since midnight
    created_s += _DAY_S * np.cumsum(np.diff(created_s, prepend=0.0) < -_DAY_S / 2)
    stamps_s = np.full(index.size, np.nan)
    known = index < created_s.size
    stamps_s[known] = created_s[index[known]]
    unit = str(about.get("CalibrationUnits", ""))
    size = _number(about.get("XCalibration"))
    width = micrometres(size, unit) if size else None
    return Described(Times(stamps_s, _STAMPS), (PixelStatement("MetaMorph's calibration", width),))


def _plain(page: Any) -> Described:
    tag = page.tags.get("ResolutionUnit")
    unit = _RESOLUTION_UNITS.get(int(tag.value) if tag is not None else 2, "")
    return Described(Times(), (_by_tags(page, unit, "its TIFF resolution tag", by_tag=True),))


def _by_tags(page: Any, unit: str, where: str, *, by_tag: bool) -> PixelStatement:
    """Size of a pixel by the resolution tags."""
    width, height = (
        micrometres(1.0 / per_unit, unit) if per_unit else None
        for name in ("XResolution", "YResolution")
        for per_unit in [_resolution(page, name)]
    )
    return PixelStatement(where, width, height, by_tag=by_tag)


def _resolution(page: Any, name: str) -> float | None:
    tag = page.tags.get(name)
    if tag is None or not isinstance(tag.value, tuple) or not tag.value[1]:
        return None
    return float(tag.value[0]) / float(tag.value[1])


def _date_s(text: object) -> float | None:
    """Seconds since 1970; Micro-Manager puts a space before the zone."""
    try:
        date = datetime.fromisoformat(re.sub(r" (?=[+-]\d{4}$)", "", str(text).strip()))
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _ms(value: Any) -> float | None:
    number = _number(value)
    return None if number is None else number / 1e3


def _number(value: Any) -> float | None:
    """Read a number out of whatever a program wrote."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
