"""PNG and JPEG: a brightfield image, or a movie with a file for each frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from blinkpair.errors import InputError
from blinkpair.movie.formats.decoded import DecodedFrames, ReadAt
from blinkpair.movie.formats.selection import Selection, choose_planes
from blinkpair.movie.formats.source import (
    GREY_AS_RGB,
    Source,
    grey_of,
    native_dtype,
    refuse_colour,
)

# Pillow's name of an image whose pixels are grey -> what numpy makes of it.
_GREY = {"L": "u1", "I;16": "u2", "I;16B": "u2", "I": "i4", "F": "f4"}
# Of one that repeats them as colours, or has an opacity as well.
_CHANNELS = {"LA": "u1", "RGB": "u1", "RGBA": "u1"}


def open_image(path: Path, selection: Selection) -> Source:
    """Open a PNG or JPEG file as a movie of one frame.

    Raises
    ------
    InputError
        A colour image, an animation, or a choice that is not there.
    """
    with Image.open(path) as image:
        kind, mode, (width, height) = str(image.format), image.mode, image.size
        if getattr(image, "n_frames", 1) > 1:
            raise InputError("an animation", "export the movie as TIFF", place=path)
        grey = mode in _GREY or (mode in _CHANNELS and grey_of(np.asarray(image)) is not None)
    if not grey:
        raise refuse_colour(path, f"this is not a grey image (its mode is {mode})")
    choose_planes(str(path), {}, selection)
    notes: tuple[str, ...] = ("JPEG compression alters counts",) if kind == "JPEG" else ()
    notes += (GREY_AS_RGB,) if mode.startswith("RGB") else ()

    def decode(read_at: ReadAt, i: int, out: NDArray[Any]) -> None:
        with Image.open(path) as image:
            pixels = np.asarray(image)
        out[...] = pixels if pixels.ndim == 2 else pixels[..., 0]

    return Source(
        paths=(path,),
        format=kind,
        shape=(1, height, width),
        dtype=native_dtype(path, np.dtype((_GREY | _CHANNELS)[mode])),
        frames=DecodedFrames((path,), decode),
        notes=notes,
    )
