"""Find the planes of a TIFF file, and the number that its header states.

Places come from the pages of the file. A text (ImageJ's, tifffile's) names the axes, and the number
of planes only where the pages leave it open: ImageJ above 4 GB writes a single page for the whole
movie. Programs copy such texts into files of other lengths.

| text | pages | read |
| --- | --- | --- |
| none | n | n frames |
| n planes | n | n planes |
| fewer than n | n | n planes if only the number of frames has to change, reported; else refused |
| more than n | n, with page tables between | n planes: frames are missing |
| more than n | frames in a row, no page table among them | the planes of the text |
| more than n | anything else | refused |

Pages of one size that are stored in several ways are refused, and so is a chain of pages that leads
back into itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blinkpair.arrays import IntArray
from blinkpair.errors import ChoiceError, InputError
from blinkpair.movie.formats.source import plausible, refuse_colour
from blinkpair.movie.formats.tiff_axes import (
    SAVE_AGAIN,
    frames_not_channels,
    imagej_sizes,
    named,
    scanimage_sizes,
    shaped_sizes,
)
from blinkpair.movie.formats.tiff_pages import (
    HEIGHT,
    WIDTH,
    PageTable,
    Segments,
    read_pages,
)
from blinkpair.movie.formats.tiff_shares import refuse_ome_traps

# Kinds of tifffile that have an arrangement of their own.
_ARRANGED = (
    "lsm", "mmstack", "ome", "ndtiff", "fluoview", "stk", "sis", "svs", "scn", "qpi", "ndpi", "bif",
    "avs", "eer", "philips", "scanimage", "nih", "mdgel",
)  # fmt: skip
_NAMED_CHANNEL = re.compile(r"<(?:\w+:)?Channel\b[^>]*\bName=")


@dataclass(frozen=True)
class Layout:
    """Places of all planes.

    Attributes
    ----------
    sizes : mapping
        Axis letter -> length without Y and X, slowest first, as promised.
    offsets : (planes,) int64 array or None
        First byte of each plane, -1 where it is missing; None where planes must be decoded.
    segments : sequence
        Strips or tiles of each plane, None where missing; empty where `offsets` are known.
    broken : bool
        The chain of pages points beyond the file: there were more planes than `sizes` holds.
    files : tuple of Path
        Which the planes are in; empty for the file itself.
    file_index : (planes,) int64 array or None
        Number in `files` of each plane; None for one file.
    channels : tuple of str
        Names by an index of the planes, which a description of the whole may order otherwise.
    position : int or None
        The only one of several positions whose planes are there.
    notes : tuple of str
    page : tifffile.TiffPage or None
        Describes how the planes are stored; None for the first page of the file.
    name : str
        The image's own.
    image, images : int
        Which of how many images of the file it is.
    """

    sizes: Mapping[str, int]
    offsets: IntArray | None
    segments: Sequence[Segments | None] = ()
    broken: bool = False
    files: tuple[Path, ...] = ()
    file_index: IntArray | None = None
    channels: tuple[str, ...] = ()
    position: int | None = None
    notes: tuple[str, ...] = ()
    page: Any = None
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
    table = read_pages(path)
    refuse_ome_traps(path, tif.ome_metadata or "")
    table.refuse_odd()
    arranged = any(getattr(tif, f"is_{kind}") for kind in _ARRANGED)
    if table.same_size and not arranged and (position is None or len(tif.series) == 1):
        return _by_chain(path, tif, table)
    if tif.is_ome and table.same_size:
        _refuse_other_ome(path, tif, len(table))
    image = _only_series(path, tif.series, position)
    one = tif.series[image]
    page = one.keyframe
    own: dict[str, Any] = {
        "page": page,
        "name": one.name,
        "image": image,
        "images": len(tif.series),
    }
    if page.samplesperpixel > 1:
        raise refuse_colour(path, "this is a colour (RGB or palette) image")
    if one.axes[-2:] != "YX":
        raise InputError(
            f"its axes are {one.axes} with lengths {one.shape}; y and x must come last",
            "export the movie as plain grey frames, one after the other",
            place=path,
        )
    sizes = named(path, one.axes[:-2], one.shape[:-2])
    if tif.is_scanimage:
        sizes = scanimage_sizes(path, tif.pages.first, sizes)
    elif one.kind == "ome" and not _NAMED_CHANNEL.search(tif.ome_metadata):
        sizes, own["notes"] = frames_not_channels(sizes)
    pages = _pages_of(one)
    if one.dataoffset is not None and len(pages) < math.prod(sizes.values()):
        places = table.pixel_places(page.nbytes)
        offsets = _in_a_row(path, table, places, one.dataoffset, sizes, page.nbytes)
        if offsets is not None:
            return Layout(sizes, offsets, **own)
    known = {int(place): row for row, place in enumerate(table.places)}
    # tifffile gives offset 0 to a page that a text names and the file does not hold.
    rows = np.array([-1 if page is None else known.get(page.offset, -1) for page in pages], int)
    _refuse_other_size(path, table, rows)
    return Layout(sizes, *places_of(table, rows, page), **own)


def places_of(
    table: PageTable, rows: IntArray, page: Any
) -> tuple[IntArray | None, Sequence[Segments | None]]:
    """Return the places of planes, or their segments where they must be decoded.

    Parameters
    ----------
    table : PageTable
    rows : (planes,) array
        The page of each plane; -1 where it is missing.
    page : tifffile.TiffPage
        Describes how all are stored.

    Returns
    -------
    offsets : (planes,) int64 array or None
    segments : sequence of Segments or None
    """
    if len(table) == 1 and page.is_final:
        places: IntArray | None = np.array(page.dataoffsets[:1], np.int64)
    else:
        places = table.pixel_places(page.nbytes) if page.is_final else None
    if places is not None:
        return np.where(rows < 0, -1, np.append(places, -1)[rows]), ()
    segments = table.segments()
    return None, [segments[row] if row >= 0 else None for row in rows.tolist()]


def _refuse_other_ome(path: Path, tif: Any, n_pages: int) -> None:
    """Refuse an OME text that does not describe all pages."""
    if tif.series[0].kind == "ome":
        planes = sum(page is not None for one in tif.series for page in _pages_of(one))
    else:  # tifffile gave up on it
        planes = 0
    if planes < n_pages > 1:
        raise InputError(
            f"its OME text describes {planes or 'none'} of its {n_pages} pages",
            SAVE_AGAIN,
            place=path,
        )


def _by_chain(path: Path, tif: Any, table: PageTable) -> Layout:
    """Take all pages of the chain, under the axes that a text names."""
    page, n_pages = tif.pages.first, len(table)
    sizes: dict[str, int]
    notes: tuple[str, ...]
    sizes, notes = {"I": n_pages}, ()
    if tif.is_imagej:
        sizes, notes = imagej_sizes(tif)
    elif page.is_shaped:
        sizes, notes = shaped_sizes(path, table, page.description)
    stated = math.prod(sizes.values())
    plausible(path, stated)
    places, segments = places_of(table, np.arange(n_pages), page)
    if places is not None and stated > n_pages:
        offsets = _in_a_row(path, table, places, int(places[0]), sizes, page.nbytes)
        if offsets is not None:
            return Layout(sizes, offsets, notes=notes)
    if stated < n_pages:
        sizes, more = _lengthened(path, sizes, n_pages)
        notes += more
    # A text gives the number of planes there should be; a mere chain does not.
    broken = table.broken and stated <= n_pages
    return Layout(sizes, places, segments, broken=broken, notes=notes)


def _in_a_row(
    path: Path,
    table: PageTable,
    places: IntArray | None,
    start: int,
    sizes: Mapping[str, int],
    n_bytes: int,
) -> IntArray | None:
    """Places of planes that follow each other without a page each; None where pages are between.

    Raises
    ------
    InputError
        The pages that are there lie elsewhere.
    """
    planes = math.prod(sizes.values())
    plausible(path, planes)
    end = start + planes * n_bytes
    tables = np.append(table.places, table.next_place if table.broken else 0)
    if ((tables >= start) & (tables < end)).any():
        return None
    row = start + np.arange(planes, dtype=np.int64) * n_bytes
    if places is not None and not np.isin(places, row).all():
        raise InputError(
            f"its text describes {planes} images, its {len(table)} pages others",
            SAVE_AGAIN,
            place=path,
        )
    return row


def _lengthened(
    path: Path, sizes: Mapping[str, int], n_pages: int
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Give the frames of a file the number that its pages make."""
    long = {axis: n for axis, n in sizes.items() if n > 1}
    stated = math.prod(long.values())
    if stated == 1:
        return {"I": n_pages}, ()
    axis = next(iter(long)) if len(long) == 1 else "T"
    others = stated // long.get(axis, 1)
    if axis not in long or n_pages % others:
        shown = " x ".join(f"{axis} {n}" for axis, n in long.items())
        raise InputError(
            f"its text describes {stated} images ({shown}), and it holds {n_pages} pages",
            SAVE_AGAIN,
            place=path,
        )
    note = f"its text describes {stated} images, and it holds {n_pages}: all of them were read"
    return {**long, axis: n_pages // others}, (note,)


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


def _refuse_other_size(path: Path, table: PageTable, rows: IntArray) -> None:
    """Refuse an image whose pages are of several sizes."""
    own = rows[rows >= 0]
    sizes = set(zip(*(table.values(tag)[own].tolist() for tag in (HEIGHT, WIDTH)), strict=True))
    if len(sizes) > 1:
        shown = ", ".join(f"{height} x {width}" for height, width in sorted(sizes))
        raise InputError(f"its pages are of several sizes ({shown})", SAVE_AGAIN, place=path)
