"""Recordings of several files, as Micro-Manager, OME and NDTiff lay them out.

No library writes them: the layouts are those that the programs publish.
"""

from __future__ import annotations

import io
import json
import struct
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile


def stack_bytes(
    frames: np.ndarray,
    *,
    planned: int | None = None,
    first: int = 0,
    elapsed_ms: Sequence[float | str] | None = None,
    axes: Sequence[tuple[int, int, int, int]] | None = None,
    pixel_um: float = 0.16,
    description: bytes = b"",
    **summary: Any,
) -> bytes:
    """Return an image stack of Micro-Manager: summary, pages, index of the pages.

    Parameters
    ----------
    frames : (n, y, x) array
    planned : int, optional
        Frames of the whole recording; default: n.
    first : int
        Number of the first frame here.
    elapsed_ms : sequence, optional
        Of each frame, as a number or a text; default: every 20 ms.
    axes : sequence, optional
        Channel, z, frame and position of each plane; default: frames one after the other.
    pixel_um : float
    description : bytes
        The first page's, e.g. an OME text.
    **summary
        More of the text on the whole.
    """
    n, height, width = frames.shape
    elapsed = 20.0 * (first + np.arange(n)) if elapsed_ms is None else elapsed_ms
    about = {
        "MicroManagerVersion": "2.0",
        "Frames": planned or n,
        "Channels": 1,
        "Slices": 1,
        "Positions": 1,
        "Interval_ms": 0.0,
        "ChNames": ["PL"],
        "Width": width,
        "Height": height,
    }
    head = json.dumps(about | summary).encode()
    out = bytearray(40) + head
    start, places = len(out), []
    for k, frame in enumerate(frames):
        tags = {"ElapsedTime-ms": elapsed[k], "Exposure-ms": 20.0, "PixelSizeUm": pixel_um}
        text = json.dumps(tags).encode() + b"\0"
        places.append(len(out))
        _page(out, frame, text, last=k == n - 1, description=b"" if k else description)
    index = len(out)
    out += struct.pack("<II", 3453623, n)
    for k, place in enumerate(places):
        out += struct.pack("<5I", *((0, 0, first + k, 0) if axes is None else axes[k]), place)
    out[:40] = struct.pack(
        "<2sHI8I", b"II", 42, start, 54773648, index, 0, 0, 0, 0, 2355492, len(head)
    )
    return bytes(out)


def _page(
    out: bytearray, frame: np.ndarray, text: bytes, *, last: bool, description: bytes = b""
) -> int:
    """Append a page of thirteen tags, its pixels and its text; return the pixels' place."""
    height, width = frame.shape
    pixels = len(out) + 2 + 13 * 12 + 4
    tags = [
        *[(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1)],
        *[(262, 3, 1, 1), (273, 4, 1, pixels), (277, 3, 1, 1), (278, 3, 1, height)],
        *[(279, 4, 1, frame.nbytes), (296, 3, 1, 1), (297, 3, 1, 0), (305, 2, 2, 0)],
        (51123, 2, len(text), pixels + frame.nbytes),
    ]
    if description:  # in the place of the program's name
        tags[-2] = (270, 2, len(description), pixels + frame.nbytes + len(text))
        text, tags = text + description, sorted(tags)
    out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    out += struct.pack("<I", 0 if last else pixels + frame.nbytes + len(text))
    out += frame.astype("<u2").tobytes() + text
    return pixels


def ome_files(
    frames: np.ndarray,
    split: int,
    names: Sequence[str] = ("a.ome.tif", "b.ome.tif"),
    *,
    first_has_text: bool = False,
    **how: Any,
) -> dict[str, bytes]:
    """Return the two files of an OME recording by name; each describes the whole.

    Parameters
    ----------
    frames : (n, y, x) uint16 array
    split : int
        Frames in the first file.
    names : sequence of str
    first_has_text : bool
        The second one refers to the first for the description.
    **how
        For tifffile, e.g. ``compression``.
    """
    n, height, width = frames.shape
    ids = [f"urn:uuid:{uuid.uuid4()}" for _ in names]
    parts = (range(split), range(split, n))
    data = "".join(
        f'<TiffData FirstT="{t}" IFD="{k}" PlaneCount="1">'
        f'<UUID FileName="{name}">{own}</UUID></TiffData>'
        for name, own, part in zip(names, ids, parts, strict=True)
        for k, t in enumerate(part)
    )
    space = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'
    image = (
        f'<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" ID="Pixels:0" Type="uint16" '
        f'SizeX="{width}" SizeY="{height}" SizeC="1" SizeZ="1" SizeT="{n}" PhysicalSizeX="0.16" '
        f'TimeIncrement="0.02">{data}</Pixels></Image>'
    )
    refer = f'<BinaryOnly MetadataFile="{names[0]}" UUID="{ids[0]}"/>'
    files = {}
    for k, (name, own, part) in enumerate(zip(names, ids, parts, strict=True)):
        inner = refer if k and first_has_text else image
        text = f'<?xml version="1.0" encoding="UTF-8"?><OME {space} UUID="{own}">{inner}</OME>'
        out = io.BytesIO()
        with tifffile.TiffWriter(out) as tif:
            for i, t in enumerate(part):
                about = text if i == 0 else None
                tif.write(frames[t], contiguous=False, metadata=None, description=about, **how)
        files[name] = out.getvalue()
    return files


def write_ndtiff(
    folder: Path,
    planes: Sequence[tuple[dict[str, Any], np.ndarray]],
    per_file: int,
    elapsed_ms: Sequence[float] | None = None,
):
    """Write an NDTiff recording of version 3.

    Parameters
    ----------
    folder : Path
    planes : sequence of (axes, (y, x) array)
        In the order in which they were taken.
    per_file : int
        Planes in each file.
    elapsed_ms : sequence of float, optional
        Of each plane; default: every 20 ms.

    Returns
    -------
    list of Path
        The files with the frames.
    """
    index, files = bytearray(), []
    for number, begin in enumerate(range(0, len(planes), per_file)):
        path = folder / f"NDTiffStack{f'_{number}' if number else ''}.tif"
        head = json.dumps({"PixelSize_um": 0.16}).encode()
        out = bytearray(28) + head
        start, some = len(out), planes[begin : begin + per_file]
        for k, (axes, frame) in enumerate(some):
            time = 20.0 * (begin + k) if elapsed_ms is None else elapsed_ms[begin + k]
            text = json.dumps({"ElapsedTime-ms": time, "PixelSizeUm": 0.11, "Axes": axes}).encode()
            place = _page(out, frame, text + b"\0", last=k == len(some) - 1)
            about, name = json.dumps(axes).encode(), path.name.encode()
            index += struct.pack("<I", len(about)) + about + struct.pack("<I", len(name)) + name
            size = (place, frame.shape[1], frame.shape[0], 1, 0)
            index += struct.pack("<IiiiiIii", *size, place + frame.nbytes, len(text), 0)
        out[:28] = struct.pack("<2sHI5I", b"II", 42, start, 483729, 3, 0, 2355492, len(head))
        path.write_bytes(out)
        files.append(path)
    (folder / "NDTiff.index").write_bytes(index)
    return files


def metamorph_bytes(frames: np.ndarray, created_ms: Sequence[int], pixel_um: float = 0.16) -> bytes:
    """Return a stack of MetaMorph (STK): one page, planes in a row, UIC tags on all planes.

    Parameters
    ----------
    frames : (n, y, x) uint16 array
    created_ms : (n,) sequence
        Since midnight, of each plane.
    pixel_um : float
    """
    n, height, width = frames.shape
    about = 8 + 2 + 12 * 12 + 4
    times = about + 60
    waves, pixels = times + 24 * n, times + 32 * n
    tags = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)),
        *(
            (273, 4, 1, pixels),
            (277, 3, 1, 1),
            (278, 3, 1, height),
            (279, 4, 1, 2 * height * width),
        ),
        *((33628, 4, 2, about), (33629, 5, n, times), (33630, 5, n, waves)),
    ]
    out = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    out += b"".join(struct.pack("<HHII", *tag) for tag in tags) + struct.pack("<I", 0)
    # Names and places of what is on all planes: XCalibration, CalibrationUnits.
    out += struct.pack("<4I", 4, about + 16, 6, about + 24)
    out += struct.pack("<3I", round(pixel_um * 1e6), 10**6, 3) + b"um\0"
    out = out.ljust(times, b"\0")
    out += b"".join(struct.pack("<6I", 0, 1, 2459000, int(ms), 0, 0) for ms in created_ms)
    return out + struct.pack("<2I", 488, 1) * n + frames.astype("<u2").tobytes()
