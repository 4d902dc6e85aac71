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
from blinkpair.movie.formats.tiff_layout import Layout
from blinkpair.movie.formats.tiff_pages import PageTable, read_pages
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
    pages: dict[int, Any] = {}
    for number, (share, at) in enumerate(zip(shares, planes, strict=True)):
        found = _pixel_places(share, frame)
        if len(shares) > 1:
            index[at] = number
        if isinstance(found, list):
            pages |= dict(zip(at.tolist(), found, strict=True))
        else:
            offsets[at] = found
    own = np.unique(np.concatenate([share.planes[:, 0] for share in shares]))
    return Layout(
        {axis: n for axis, n in zip(AXES, sizes, strict=True) if n > 1},
        None if pages else offsets,
        [pages.get(plane) for plane in range(count)] if pages else (),
        files=tuple(share.path for share in shares),
        file_index=index if len(shares) > 1 else None,
        channels=next((share.channels for share in shares if share.channels), ()),
        position=int(own[0]) if own.size == 1 and sizes[0] > 1 else None,
    )


def _pixel_places(share: Share, frame: Any) -> IntArray | list[Any]:
    """First byte of planes' pixels, -1 where missing; or tifffile's pages, to be decoded."""
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
        return places
    numbered = share.kind == "OME"
    table = read_pages(path, None if numbered else np.unique(places[places > 0]).tolist())
    _refuse_stranger(table, frame, path)
    table.refuse_odd()
    row = places if numbered else np.searchsorted(table.places, places)
    there = (row >= 0) & (row < len(table))
    row = np.where(there, row, 0)
    if not numbered and len(table):
        there &= table.places[row] == places
    found = table.pixel_places(frame.nbytes) if frame.is_final else None
    if found is not None:
        return np.where(there, found[row], -1) if len(table) else np.full(places.size, -1)
    if not numbered:
        raise InputError(
            "the frames of this Micro-Manager stack are compressed or in pieces",
            "open it in Micro-Manager or ImageJ and save it as TIFF",
            place=path,
        )
    import tifffile

    with tifffile.TiffFile(path, is_mmstack=False, _multifile=False) as own_file:
        pages = [own_file.pages.get(k, aspage=True) for k in range(len(table))]
    return [pages[k] if ok else None for k, ok in zip(row.tolist(), there, strict=True)]


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
