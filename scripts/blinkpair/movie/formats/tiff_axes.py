"""The axes of the planes of a TIFF file by the texts that ImageJ, tifffile and ScanImage write.

Input: an open file. Output: axis letter -> length without Y and X, slowest first.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blinkpair.errors import InputError
from blinkpair.movie.formats.tiff_pages import DESCRIPTION, PageTable

SAVE_AGAIN = "save the movie again as TIFF, in the program that wrote it or in ImageJ"
MAX_CHANNELS = 7  # of an image that ImageJ shows in colours: CompositeImage.MAX_CHANNELS
# How ScanImage lists the channels it saved, since version 4 and before.
_SAVED = re.compile(r"channels?Save\s*=\s*\[?([\d;,\s]+)")
_SAVED_ONE = re.compile(r"savingChannel\d+\s*=\s*1\b")


def scanimage_sizes(path: Path, page: Any, sizes: Mapping[str, int]) -> dict[str, int]:
    """Axes with the channels that ScanImage writes in turn, a page each."""
    text = f"{page.software}\n{page.description}"
    saved = _SAVED.search(text)
    channels = len(re.findall(r"\d+", saved[1])) if saved else len(_SAVED_ONE.findall(text))
    pages = math.prod(sizes.values())
    if channels < 2:
        return dict(sizes)
    if pages % channels:
        raise InputError(
            f"its text describes {channels} channels, and it holds {pages} pages",
            SAVE_AGAIN,
            place=path,
        )
    return {"T": pages // channels, "C": channels}


def imagej_sizes(tif: Any) -> tuple[dict[str, int], tuple[str, ...]]:
    """Axes by ImageJ's text, and notes."""
    text = tif.imagej_metadata or {}
    order = str(text.get("order", "czt")).lower()
    keys = {"t": "frames", "z": "slices", "c": "channels"}
    if sorted(order) != ["c", "t", "z"]:
        order = "czt"
    sizes = {axis.upper(): _count(text.get(keys[axis], 1)) for axis in reversed(order)}
    if max(sizes.values()) <= 1:
        sizes = {"T": _count(text.get("images", 1))}
    return frames_not_channels(sizes)


def frames_not_channels(sizes: Mapping[str, int]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Axes where more channels than any camera has are frames, and notes.

    tifffile takes the first axis of an array for channels where a script does not name it, in
    files for ImageJ and in OME-TIFF (2026.3.3).
    """
    channels = sizes.get("C", 1)
    if channels > MAX_CHANNELS and math.prod(sizes.values()) == channels:
        note = f"its text describes {channels} channels of one frame: they were read as frames"
        return {"T": channels}, (note,)
    return dict(sizes), ()


def _count(value: Any) -> int:
    """Return a number of images out of a text; 1 where there is none."""
    if isinstance(value, float) and not math.isfinite(value):
        return 1
    return max(1, int(value)) if isinstance(value, int | float) else 1


def shaped_sizes(
    path: Path, table: PageTable, first: str
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Axes by tifffile's texts: one for each array that a script wrote."""
    if len(table) == 1:
        return named(path, *_shape(first.encode())), ()
    found: list[tuple[str, tuple[int, ...]]] = []
    end = 0
    described = np.flatnonzero(table.values(DESCRIPTION, -1) != -1).tolist()
    for page in described:
        if page >= end:
            text = table.text(page)
            if b'"truncated": true' in text and len(table) > 1:
                raise InputError(
                    "has frames without a page behind its pages", SAVE_AGAIN, place=path
                )
            found.append(_shape(text))
            end = page + math.prod(found[-1][1])
            if end > 1 and len(described) == len(table):  # a text copied into every page
                break
    if len(found) == 1:
        return named(path, *found[0]), ()
    for axes, shape in found:
        if len(shape) > 1:
            named(path, "Q" * len(axes), shape)
    notes = (f"its {len(found)} series of frames were joined in the order of the file",)
    return {"I": sum(math.prod(shape) for _, shape in found)}, (
        notes if any(shape for _, shape in found) else ()
    )


def _shape(text: bytes) -> tuple[str, tuple[int, ...]]:
    """Axes and lengths before y and x, by the text of one array."""
    try:
        about = json.loads(text)
        full = [int(n) for n in about["shape"]]
        axes = str(about.get("axes", ""))
    except (ValueError, KeyError, TypeError):
        return "", ()
    if len(axes) != len(full):
        axes = "Q" * (len(full) - 2) + "YX"
    if axes.endswith("S") and full[-1] == 1:
        axes, full = axes[:-1], full[:-1]
    if len(full) < 2 or min(full) < 1:
        return "", ()
    long = [(axis, n) for axis, n in zip(axes[:-2], full[:-2], strict=True) if n > 1]
    return "".join(axis for axis, _ in long), tuple(n for _, n in long)


def named(path: Path, axes: str, shape: Sequence[int]) -> dict[str, int]:
    """Axis letter -> length; several axes without a name are refused."""
    long = [(axis, n) for axis, n in zip(axes, shape, strict=True) if n > 1]
    if len(dict(long)) < len(long):
        raise InputError(
            f"its images are arranged as {' x '.join(str(n) for _, n in long)}, and nothing says "
            "which of it is time",
            "export the movie alone, one frame after the other",
            place=path,
        )
    return dict(long)
