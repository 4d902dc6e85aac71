"""Fractions that a TIFF file calls whole numbers.

The tag that tells fractions from whole numbers is left out by some programs, and then pixels are
whole numbers. Of 32 bits, counts and the bits of a fraction cannot be confused: a fraction from
0.000001 to 100,000,000 is the same bits as a whole number of about a billion, which no camera
counts.

Input: a page's type and its first frame. Output: the type of its pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.movie.formats.source import Frames

NOTE = "its tags call the pixels whole numbers; as such they are absurd, and were read as fractions"
_WITHOUT_SIGN = 0x7FFFFFFF
_LEAST, _MOST = np.array([1e-6, 1e8], np.float32).view(np.uint32)
_MOST_OTHERS = 0.001


def holds_fractions(frames: Frames, shape: tuple[int, int], dtype: np.dtype[Any]) -> bool:
    """Return whether whole numbers of 32 bits are fractions by their bits.

    Parameters
    ----------
    frames : Frames
        Of which the first is read.
    shape : (int, int)
        Height and width.
    dtype : numpy dtype
        By the tags, in native byte order.
    """
    if dtype not in (np.uint32, np.int32):
        return False
    first = np.empty((1, *shape), dtype)
    reader = frames.reader(1)
    try:
        reader.read_into(0, first)
    finally:
        reader.close()
    return _are_fractions(first.view(np.uint32))


def _are_fractions(pixels: NDArray[np.uint32]) -> bool:
    size = pixels[pixels != 0] & _WITHOUT_SIGN
    others = np.count_nonzero((size < _LEAST) | (size > _MOST))
    return bool(size.size) and others <= _MOST_OTHERS * size.size
