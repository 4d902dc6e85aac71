"""Where the planes of a TIFF file are, and how many its header promises.

Three traps are dealt with here. ImageJ above 4 GB writes a single page for the whole movie and
puts the number of frames into a text. Where a file is cut off, the chain of pages ends in
nothing, which most readers pass over in silence. And where it is damaged the chain can lead back
into itself, and be followed for ever.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blinkpair.arrays import IntArray
from blinkpair.errors import ChoiceError, InputError
from blinkpair.movie.formats.source import plausible, refuse_colour

# Kinds of tifffile whose number of planes is read off the chain of pages and nowhere else.
_BY_CHAIN = ("uniform", "generic", "shaped")


@dataclass(frozen=True)
class Layout:
    """Places of all planes.

    Attributes
    ----------
    sizes : mapping
        Axis letter -> length without Y and X, slowest first, as promised.
    page : tifffile.TiffPage
        Describes how the planes are stored.
    offsets : (planes,) int64 array or None
        First byte of each plane, as far as known; None where planes must be decoded.
    pages : sequence
        tifffile's page of each plane, None where missing; empty where one page stands for all.
    broken : bool
        The chain of pages points beyond the file: there were more planes than `sizes` holds.
    notes : tuple of str
    name : str
        The image's own.
    image, images : int
        Which of how many images of the file it is.
    """

    sizes: Mapping[str, int]
    page: Any
    offsets: IntArray | None
    pages: Sequence[Any] = ()
    broken: bool = False
    notes: tuple[str, ...] = ()
    name: str = ""
    image: int = 0
    images: int = 1


def find_layout(path: Path, tif: Any, position: str | None) -> Layout:
    """Find the planes of a file.

    Parameters
    ----------
    path : Path
    tif : tifffile.TiffFile
    position : str or None
        Which image to take where a file holds several of them.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        Several images and no choice, axes that are no movie, or a trap for who would read on.
    """
    _refuse_circle(path, tif)
    _refuse_ome_traps(path, tif)
    page, series = tif.pages.first, tif.series
    own: dict[str, Any] = {}
    if tif.is_imagej and len(series) == 1 and series[0].kind != "imagej" and page.is_final:
        # tifffile gives up on an ImageJ header that promises more than is there.
        sizes = _imagej_sizes(tif)
        return Layout(sizes, page, _in_a_row(path, page.dataoffsets[0], sizes, page.nbytes))
    if len(series) > 1 and position is None and (joined := _join_shaped(series)):
        pages, notes = joined
        sizes, kind = {"I": len(pages)}, "shaped"
    else:
        image = _only_series(path, series, position)
        one, notes, page = series[image], (), series[image].keyframe
        if page.samplesperpixel > 1:
            raise refuse_colour(path, "this is a colour (RGB or palette) image")
        if one.axes[-2:] != "YX":
            raise InputError(
                f"its axes are {one.axes} with lengths {one.shape}; y and x must come last",
                "export the movie as plain grey frames, one after the other",
                place=path,
            )
        sizes, kind = dict(zip(one.axes[:-2], one.shape[:-2], strict=True)), one.kind
        own = {"name": one.name, "image": image, "images": len(series)}
        if one.dataoffset is not None and kind not in ("uniform", "generic"):
            offsets = _in_a_row(path, one.dataoffset, sizes, page.nbytes)
            return Layout(sizes, page, offsets, notes=notes, **own)
        pages = _pages_of(one)
    if kind == "mmstack":
        sizes = _planned(tif, sizes)
    # A declared axis gives the number of planes there should be; a mere chain does not.
    broken = _chain_broken(tif) and kind in _BY_CHAIN
    if broken and len(series) == 1:
        pages = [tif.pages.get(k, aspage=False) for k in range(len(tif.pages))]
        sizes = {"I": len(pages)}
    if not all(each is None or each.is_final for each in pages):
        return Layout(sizes, page, None, pages, broken=broken, notes=notes, **own)
    # tifffile gives offset 0 to a page that an index names and the file does not hold.
    pages = [each if each is not None and each.dataoffsets[0] else None for each in pages]
    offsets = np.array([-1 if each is None else each.dataoffsets[0] for each in pages], np.int64)
    return Layout(sizes, page, offsets, pages, broken=broken, notes=notes, **own)


def _in_a_row(path: Path, start: int, sizes: Mapping[str, int], n_bytes: int) -> IntArray:
    planes = math.prod(sizes.values())
    plausible(path, planes)
    return start + np.arange(planes, dtype=np.int64) * n_bytes


def _imagej_sizes(tif: Any) -> dict[str, int]:
    """Axes by ImageJ's text, in its usual order."""
    text = tif.imagej_metadata or {}
    sizes = {
        axis: int(text.get(key, 1))
        for axis, key in (("T", "frames"), ("Z", "slices"), ("C", "channels"))
    }
    if max(sizes.values()) <= 1:
        sizes = {"T": max(1, int(text.get("images", 1)))}
    return sizes


def _planned(tif: Any, sizes: Mapping[str, int]) -> dict[str, int]:
    """Give the time axis of a Micro-Manager stack the length that was planned.

    tifffile shortens it to what it finds, be it that the acquisition was stopped or that a
    second file of 4 GB was left behind.
    """
    frames = int((tif.micromanager_metadata or {}).get("Summary", {}).get("Frames") or 1)
    if frames > sizes.get("T", 1) and next(iter(sizes), "T") == "T":
        return {**sizes, "T": frames}
    if frames > 1 and "T" not in sizes:
        return {"T": frames, **sizes}
    return dict(sizes)


def _join_shaped(series: Sequence[Any]) -> tuple[list[Any], tuple[str, ...]] | None:
    """Join what a script wrote frame by frame, or block by block, with tifffile."""
    first = series[0]
    alike = all(
        one.kind == "shaped"
        and one.shape[-2:] == first.shape[-2:]
        and one.dtype == first.dtype
        and len(one.shape) <= 3
        and one.axes[-2:] == "YX"
        for one in series
    )
    if not alike:
        return None
    notes: tuple[str, ...] = ()
    if any(len(one.shape) == 3 for one in series):
        notes = (f"its {len(series)} series of frames were joined in the order of the file",)
    return [page for one in series for page in _pages_of(one)], notes


def _only_series(path: Path, series: Sequence[Any], position: str | None) -> int:
    """Return the number of the image that is the movie."""
    if len(series) == 1:
        return 0
    if position is not None and position.isdecimal() and int(position) < len(series):
        return int(position)
    shown = ", ".join(
        f"{k}: {' x '.join(map(str, one.shape))}{f' {one.name!r}' if one.name else ''}"
        for k, one in enumerate(series[:8])
    )
    more = ", ..." if len(series) > 8 else ""
    what = f"holds {len(series)} images of its own kind each ({shown}{more})"
    if position is not None:
        what = f"has no image '{position}': it {what}"
    raise ChoiceError(
        what,
        f"append the number of the movie to the path, '::position=0' to "
        f"'::position={len(series) - 1}', or export the movie alone",
        place=path,
    )


def _pages_of(series: Any) -> list[Any]:
    """Pages of a series, as far as the chain goes."""
    pages: list[Any] = []
    try:
        for k in range(len(series)):
            pages.append(series[k])
    except IndexError:
        pass
    return pages


def _refuse_circle(path: Path, tif: Any) -> None:
    """Follow the chain of pages, as tifffile would for ever where it leads back into itself."""
    file, tiff = tif.filehandle, tif.tiff
    place, seen = tif.pages.first.offset, set()
    while place and place not in seen:
        seen.add(place)
        file.seek(place)
        count = file.read(tiff.tagnosize)
        if len(count) < tiff.tagnosize:
            return
        file.seek(struct.unpack(tiff.tagnoformat, count)[0] * tiff.tagsize, 1)
        pointer = file.read(tiff.offsetsize)
        if len(pointer) < tiff.offsetsize:
            return
        place = struct.unpack(tiff.offsetformat, pointer)[0]
    if place:
        raise InputError(
            f"is damaged: page {len(seen)} of its chain of pages leads back to an earlier one",
            "copy the file again from the microscope's computer",
            place=path,
        )


def _refuse_ome_traps(path: Path, tif: Any) -> None:
    """Look at an OME text before it is parsed, and before room is made for all it promises."""
    text = tif.ome_metadata or ""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities can unfold to any length
        raise InputError(
            "its OME text defines a document type, which no microscope's program writes",
            "open the movie in ImageJ and save it as TIFF",
            place=path,
        )
    for pixels in re.findall(r"<(?:\w+:)?Pixels\b[^>]*>", text):
        sizes = {axis: int(n) for axis, n in re.findall(r"\bSize([XYZCT])\s*=\s*.(\d+)", pixels)}
        height, width = sizes.pop("Y", 1), sizes.pop("X", 1)
        plausible(path, math.prod(sizes.values()) or 1, height=height, width=width)


def _chain_broken(tif: Any) -> bool:
    """Return whether the last page points to a next one that the file does not hold."""
    place = tif.pages.next_page_offset
    if not place:
        return False
    tif.filehandle.seek(place)
    pointer = tif.filehandle.read(tif.tiff.offsetsize)
    if len(pointer) < tif.tiff.offsetsize:
        return True
    return bool(struct.unpack(tif.tiff.offsetformat, pointer)[0])
