"""Arrays as text in a page, which a browser can unpack.

In a page `DecompressionStream('deflate')` and a typed array give the numbers back, which in JSON
would take three to five times the space.

Input: arrays of small integers. Output: text.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pack(array: NDArray[Any]) -> str:
    """Pack the bytes of an array: little endian, row after row, deflated, in base64.

    Parameters
    ----------
    array : array of integers, any shape
        Its type and shape are not stored; the code that unpacks it has them.

    Returns
    -------
    str
        Base64 of a zlib stream (RFC 1950), what browsers call 'deflate'. The same array gives the
        same text.

    Raises
    ------
    ValueError
        If the array holds no integers.
    """
    if array.dtype.kind not in "iu":
        raise ValueError(f"an array of {array.dtype} is packed as integers, with its scale apart")
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return base64.b64encode(zlib.compress(little.tobytes(), 9)).decode("ascii")


def leb128(values: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """Write whole numbers as LEB128: seven bits a byte, low ones first, the top bit for 'more'.

    Parameters
    ----------
    values : (n,) array of integers
        From 0 to 2^35 - 1.

    Returns
    -------
    (m,) uint8
        One to five bytes a number.

    Raises
    ------
    ValueError
        If a number is negative or too large.
    """
    numbers = np.asarray(values, dtype=np.int64).ravel()
    if numbers.size and (numbers.min() < 0 or numbers.max() >= 1 << 35):
        raise ValueError("a number is outside 0 to 2^35 - 1")
    size = np.ones(numbers.size, dtype=np.int64)
    for power in (7, 14, 21, 28):
        size += numbers >= (1 << power)
    start = np.cumsum(size) - size
    out = np.empty(int(size.sum()), dtype=np.uint8)
    for place in range(5):
        has = size > place
        part = (numbers[has] >> (7 * place)) & 0x7F
        out[start[has] + place] = part | np.where(size[has] > place + 1, 0x80, 0)
    return out
