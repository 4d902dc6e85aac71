"""The planes of a recording in its files.

Input: the share of each file. Output: a `Layout`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError
from blinkpair.movie.formats.source import plausible
from blinkpair.movie.formats.tiff_layout import Layout, places_of
from blinkpair.movie.formats.tiff_pages import PageTable, Segments, read_pages
from blinkpair.movie.formats.tiff_shares import AXES, INDEX, Share


def set_layout(shares: Sequence[Share], tif: Any) -> Layout:
    """Find the planes of a recording in its files.

    Parameters
    ----------
    shares : sequence of Share
    tif : tifffile.TiffFile
        One of the files.

    Returns
    -------
    Layout
        `sizes` are those of the whole recording; planes of files that are not there are missing.

    Raises
    ------
    InputError
        The files do not fit together.
    """
    path, frame = shares[0].path, tif.pages.first
    sizes = np.max([share.sizes for share in shares], axis=0).tolist()
    plausible(path, math.prod(sizes))
    planes = [np.ravel_multi_index(share.planes.T, sizes).reshape(-1) for share in shares]
    # As far as there are planes; what is promised beyond them is missing.
    count = max(int(one.max(initial=-1)) for one in planes) + 1
    offsets = np.full(count, -1, np.int64)
    index = np.zeros(count if len(shares) > 1 else 0, np.int64)
    segments: dict[int, Segments | None] = {}
    for number, (share, at) in enumerate(zip(shares, planes, strict=True)):
        found, pieces = _places(share, frame)
        if len(shares) > 1:
            index[at] = number
        if found is None:
            segments |= dict(zip(at.tolist(), pieces, strict=True))
        else:
            offsets[at] = found
    own = np.unique(np.concatenate([share.planes[:, 0] for share in shares]))
    return Layout(
        {axis: n for axis, n in zip(AXES, sizes, strict=True) if n > 1},
        None if segments else offsets,
        [segments.get(plane) for plane in range(count)] if segments else (),
        files=tuple(share.path for share in shares),
        file_index=index if len(shares) > 1 else None,
        channels=next((share.channels for share in shares if share.channels), ()),
        position=int(own[0]) if own.size == 1 and sizes[0] > 1 else None,
    )


def _places(share: Share, frame: Any) -> tuple[IntArray | None, Sequence[Segments | None]]:
    """Places or segments of the planes in one file, as `places_of`."""
    path, places = share.path, share.places
    if share.kind == "NDTiff":
        table = read_pages(path)
        _refuse_stranger(table, frame, path)
        own = table.pixel_places(frame.nbytes)
        few, many = (places, own) if own is None or own.size >= places.size else (own, places)
        if many is None or not np.isin(few, many).all():
            raise InputError(
                f"{INDEX} has other places for its frames than they are at",
                "copy the whole folder again from the microscope's computer",
                place=path,
            )
        return places, ()
    numbered = share.kind == "OME"
    table = read_pages(path, None if numbered else np.unique(places[places > 0]).tolist())
    _refuse_stranger(table, frame, path)
    table.refuse_odd()
    if numbered:
        rows = np.where((places >= 0) & (places < len(table)), places, -1)
    else:
        place_of = {int(place): row for row, place in enumerate(table.places)}
        rows = np.array([place_of.get(place, -1) for place in places.tolist()], np.int64)
    return places_of(table, rows, frame)


def _refuse_stranger(table: PageTable, frame: Any, path: Path) -> None:
    """Refuse a file whose first page is stored in another way than `frame`."""
    if not len(table):
        return
    stored = (int(table.values(257)[0]), int(table.values(256)[0]), int(table.values(259, 1)[0]))
    bits = int(table.values(258, 1)[0])
    here = (frame.imagelength, frame.imagewidth, int(frame.compression))
    if stored != here or bits != frame.bitspersample:
        raise InputError(
            f"its frames are of {stored[0]} x {stored[1]} pixels of {bits} bits (compression "
            f"{stored[2]}), those of {Path(frame.parent.filehandle.path).name} of {here[0]} x "
            f"{here[1]} pixels of {frame.bitspersample} bits (compression {here[2]})",
            "copy all files of the recording again",
            place=path,
        )
