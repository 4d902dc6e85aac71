"""A grey image that a program saved as an RGB TIFF, as microscopes' programs export brightfield.

Input: the only page of a TIFF file. Output: its grey values, if red, green and blue are the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from blinkpair.movie.formats.decoded import DecodedFrames, ReadAt
from blinkpair.movie.formats.selection import Selection, choose_planes
from blinkpair.movie.formats.source import GREY_AS_RGB, Source, grey_of, native_dtype, plausible

# Of the tag PhotometricInterpretation.
RGB = 2
_PIXEL_BY_PIXEL = 1
# Of the tag Compression: none, LZW, deflate.
_LOSSLESS = (1, 5, 8, 32946)


def grey_rgb(path: Path, page: Any, tif: Any, selection: Selection) -> Source | None:
    """Return the image of a page of three equal colours; None if it is another.

    Movies are none: of these, every frame would have to be read.
    """
    stored = (page.photometric, page.planarconfig, page.imagedepth)
    if stored != (RGB, _PIXEL_BY_PIXEL, 1) or page.compression not in _LOSSLESS:
        return None
    plausible(path, height=page.imagelength, width=page.imagewidth)
    if len(tif.pages) > 1 or (grey := grey_of(page.asarray())) is None:
        return None
    choose_planes(str(path), {}, selection)

    def decode(read_at: ReadAt, i: int, out: NDArray[Any]) -> None:
        out[...] = grey

    return Source(
        paths=(path,),
        format="RGB TIFF",
        shape=(1, *grey.shape),
        dtype=native_dtype(path, grey.dtype),
        frames=DecodedFrames((path,), decode),
        notes=(GREY_AS_RGB,),
    )
