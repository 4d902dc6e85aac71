"""The files that speed is measured on: a simulated field of the paper's size, and other formats.

Written once, they are used again.

Input: a folder and a number of frames. Output: both movies as TIFF, the first one as ND2, and its
first 1,000 frames compressed.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from blinkpair.movie.reader import open_movie
from blinkpair.simulate import Camera, FieldDesign, write_experiment
from tests.helpers import nd2_files

SIZE_PX = 512
COMPRESSED_FRAMES = 1000


def write_field(folder: Path, frames: int) -> pd.DataFrame:
    """Return the sample sheet of one field of about 200 nanocrystals that can be analysed."""
    sheet = folder / f"sheet_{frames}.csv"
    if not sheet.exists():
        design = FieldDesign(
            camera=Camera(shape=(SIZE_PX, SIZE_PX)),
            frames=frames,
            n_nanocrystals=330,
            min_distance_px=6.5,
        )
        table = write_experiment(folder / f"movies_{frames}", {"big": ("100", design, 5)})
        table.to_csv(sheet, index=False)
    return pd.read_csv(sheet, dtype=str)


def write_nd2(tiff: str, path: Path) -> Path:
    """Write the frames of a movie into an ND2 file as NIS-Elements lays them out."""
    if path.exists():
        return path
    movie = open_movie(tiff)
    count, height, width = movie.shape
    chunks = nd2_files.read_chunks()
    attributes = chunks[b"ImageAttributesLV!"]
    for name, value in {
        "uiWidth": width,
        "uiWidthBytes": 2 * width,
        "uiHeight": height,
        "uiTileWidth": width,
        "uiTileHeight": height,
        "uiSequenceCount": count,
    }.items():
        attributes = nd2_files.set_number(attributes, name, struct.pack("<I", value))
    metadata = nd2_files.set_number(
        chunks[b"ImageMetadataLV!"], "uiCount", struct.pack("<I", count)
    )
    other = {
        b"ImageAttributesLV!": attributes,
        b"ImageMetadataLV!": metadata,
        b"ImageMetadataSeqLV|0!": chunks[b"ImageMetadataSeqLV|0!"],
    }
    partial = path.with_suffix(".part")
    source = nd2_files.TINY.read_bytes()
    table = b""
    with partial.open("wb") as file:
        _, names, size = nd2_files.HEADER.unpack_from(source, 0)
        file.write(source[: nd2_files.HEADER.size + names + size].ljust(4096, b"\0"))

        def chunk(name: bytes, data: bytes) -> None:
            nonlocal table
            table += name + struct.pack("<QQ", file.tell(), len(data))
            header = nd2_files.HEADER.pack(0x0ABECEDA, 4096 - nd2_files.HEADER.size, len(data))
            file.write((header + name).ljust(4096, b"\0") + data)
            file.write(b"\0" * (-file.tell() % 4096))

        for name, data in other.items():
            chunk(name, data)
        i = 0
        for block in movie.blocks():
            for frame in block:
                stamp = struct.pack("<d", 20.0 * i)
                chunk(b"ImageDataSeq|%d!" % i, stamp + frame.tobytes())
                i += 1
        place = file.tell()
        table += nd2_files.MAP + struct.pack("<Q", place)
        file.write(nd2_files.HEADER.pack(0x0ABECEDA, len(nd2_files.FILEMAP), len(table)))
        file.write(nd2_files.FILEMAP + table)
    partial.replace(path)
    return path


def write_compressed(tiff: str, folder: Path, compression: str) -> Path:
    """Write the first frames of a movie as a compressed TIFF."""
    path = folder / f"{compression}.tif"
    if not path.exists():
        frames = np.concatenate(list(open_movie(f"{tiff}::frames={COMPRESSED_FRAMES}").blocks()))
        with tifffile.TiffWriter(path.with_suffix(".part"), bigtiff=True) as writer:
            for frame in frames:
                writer.write(frame, compression=compression, contiguous=False, metadata=None)
        path.with_suffix(".part").replace(path)
    return path
