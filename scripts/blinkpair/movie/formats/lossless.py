"""Whether a compression of TIFF keeps the counts of the camera.

| compression | keeps them |
| --- | --- |
| none, LZW, deflate, PackBits, LZMA, Zstandard, PNG | always |
| JPEG | in its lossless process |
| JPEG 2000 | with the reversible transform and all coding passes (`jpeg2000`) |
| LERC | with an error of 0, or of 0.5 in whole numbers |
| JPEG XR, JPEG XL, WebP, and others | not known |

Input: the first bytes of a compressed image. Output: kept, altered or not known.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from blinkpair.movie.formats.jpeg2000 import is_whole

# Numbers of the tag Compression.
_ALWAYS = (1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 34926, 34933, 50000, 50013)
_JPEG, _JPEG_2000, _LERC = (6, 7, 33007, 34892), (33003, 33004, 33005, 34712), (34887,)
_LERC_PARAMETERS = 50674
_LERC_MAGIC = b"Lerc2 "
_DEFLATE, _ZSTD = 1, 2  # what LERC's parameters have it compressed by once more


def keeps_counts(page: Any, stored: Callable[[], bytes]) -> bool | None:
    """Return whether a page's compression keeps counts; None where it is not known.

    Parameters
    ----------
    page : tifffile.TiffPage
    stored : callable
        Returns its first strip or tile; not called where the kind of compression decides.
    """
    kind = int(page.compression)
    if kind in _ALWAYS:
        return True
    if kind not in (*_JPEG, *_JPEG_2000, *_LERC):
        return None
    data = stored()
    if kind in _JPEG:
        return _lossless_jpeg(data)
    if kind in _JPEG_2000:
        return _reversible(data)
    error = _lerc_error(page, data)
    return None if error is None else error <= (0.5 if page.dtype.kind in "iu" else 0.0)


def _lossless_jpeg(data: bytes) -> bool | None:
    for marker, _ in _markers(data, 2):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker in (0xC3, 0xC7, 0xCB, 0xCF)
    return None


def _reversible(data: bytes) -> bool | None:
    start = data.find(b"\xff\x4f\xff\x51")
    for marker, at in _markers(data, start + 2) if start >= 0 else ():
        if marker == 0x52 and at + 13 < len(data):
            return is_whole(data[start:]) if data[at + 13] == 1 else False
    return None


def _markers(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield the markers of a JPEG or JPEG 2000 stream and their places."""
    while at + 4 <= len(data) and data[at] == 0xFF:
        yield data[at + 1], at
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def _lerc_error(page: Any, data: bytes) -> float | None:
    """Largest error that a LERC stream allows."""
    tag = page.tags.get(_LERC_PARAMETERS)
    packed = int(tag.value[1]) if tag is not None else 0
    if packed == _DEFLATE:
        data = zlib.decompress(data)
    elif packed == _ZSTD:
        import imagecodecs

        data = bytes(imagecodecs.zstd_decode(data))
    if not data.startswith(_LERC_MAGIC):
        return None
    (version,) = struct.unpack_from("<i", data, 6)
    # A checksum since version 3, dimensions since 4, eight bytes of flags since 6.
    at = 34 + 4 * (version >= 3) + 4 * (version >= 4) + 8 * (version >= 6)
    return float(struct.unpack_from("<d", data, at)[0])
