"""Writes NDTiff data sets as Micro-Manager documents them: pages, and an index file beside them."""

import json
import struct
from pathlib import Path

import numpy as np

NAME = "run_NDTiffStack.tif"


def write_ndtiff(folder: Path, frames, axes, texts) -> Path:
    """Write a data set of one file.

    Parameters
    ----------
    frames : (n, y, x) uint16 array
        In the order of recording.
    axes, texts : sequence of mapping
        The place of each frame among the axes, and what is written beside it.
    """
    folder.mkdir()
    height, width = np.shape(frames)[1:]
    summary = json.dumps({"MicroManagerVersion": "2.0", "PixelSize_um": 1.0}).encode()
    out = bytearray(28) + summary
    out[:28] = struct.pack("<2sHI5I", b"II", 42, len(out), 483729, 3, 0, 2355492, len(summary))
    index = bytearray()
    for k, (frame, place, about) in enumerate(zip(frames, axes, texts, strict=True)):
        text = json.dumps(about).encode()
        pixels = len(out) + 2 + 9 * 12 + 4
        after = pixels + frame.nbytes
        tags = [
            *[(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1)],
            *[(262, 3, 1, 1), (273, 4, 1, pixels), (278, 3, 1, height), (279, 4, 1, frame.nbytes)],
            (51123, 2, len(text), after),
        ]
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        out += struct.pack("<I", 0 if k == len(frames) - 1 else after + len(text))
        out += frame.astype("<u2").tobytes() + text
        key = json.dumps(place).encode()
        index += struct.pack("<I", len(key)) + key + struct.pack("<I", len(NAME)) + NAME.encode()
        index += struct.pack("<IiiiiIii", pixels, width, height, 1, 0, after, len(text), 0)
    (folder / NAME).write_bytes(out)
    (folder / "NDTiff.index").write_bytes(index)
    return folder / NAME
