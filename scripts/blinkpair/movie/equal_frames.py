"""Whether two files hold the same recording, in whatever format.

Input: opened movies. Output: a digest of a few pixels, and whether whole frames are equal.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from blinkpair.errors import InputError
from blinkpair.movie.formats.raw import RawFrames
from blinkpair.movie.movie import Movie

_PIXELS = 2048  # of the sample, 4 KiB on the disk


def pixel_sample(movie: Movie) -> str:
    """Return a digest of some rows in the middle of the first frame, as numbers of any type.

    Empty where these are all equal or cannot be read. Of uncompressed frames nothing else is read.
    """
    _, height, width = movie.shape
    rows = min(height, -(-_PIXELS // width))
    top = (height - rows) // 2
    part = movie._parts[0]
    try:
        if isinstance(part.frames, RawFrames):
            first = part.frames
            of_rows = replace(
                first,
                offsets=first.offsets[:1] + top * first.stride,
                file_index=None if first.file_index is None else first.file_index[:1],
                height=rows,
            )
            pixels = np.empty((1, rows, width), movie.dtype)
            reader = of_rows.reader(1)
            try:
                reader.read_into(0, pixels)
            finally:
                reader.close()
        else:
            pixels = _frame(movie, 0)[top : top + rows]
    except InputError:  # reported by the step that reads all
        return ""
    if (pixels == pixels.flat[0]).all():
        return ""
    numbers = pixels.astype(np.float64).tobytes()
    return hashlib.sha256(f"{height} {width} ".encode() + numbers).hexdigest()[:16]


def first_frame(movie: Movie) -> str:
    """Return a digest of the first frame, as numbers of any type.

    Raises
    ------
    InputError
        It is damaged.
    """
    return hashlib.sha256(_frame(movie, 0).astype(np.float64).tobytes()).hexdigest()[:16]


def same_frames(one: Movie, other: Movie) -> bool:
    """Return whether the first, the middle and the last frame that both have are equal.

    Raises
    ------
    InputError
        One of them is damaged.
    """
    if one.shape[1:] != other.shape[1:]:
        return False
    last = min(one.shape[0], other.shape[0]) - 1
    places = sorted({0, last // 2, last})
    return all(np.array_equal(_frame(one, k), _frame(other, k)) for k in places)


def _frame(movie: Movie, k: int) -> NDArray[np.generic]:
    (block,) = movie.blocks(1, k, k + 1, threads=1)
    frame: NDArray[np.generic] = block[0]
    return frame
