"""The contract of every format: the right frames, in any blocks; nothing of a damaged file."""

from __future__ import annotations

import io
from pathlib import Path

import nd2
import numpy as np
import pytest
import tifffile
from PIL import Image

from blinkpair.errors import InputError
from blinkpair.movie.formats.foreign import FOREIGN
from blinkpair.movie.formats.registry import FORMATS
from blinkpair.movie.reader import open_movie
from tests.helpers.nd2_files import TINY
from tests.helpers.sif_files import HEIGHT, WIDTH, sif_header

FRAMES = np.random.default_rng(3).integers(0, 60_000, (12, HEIGHT, WIDTH)).astype(np.uint16)


def tiff() -> tuple[bytes, np.ndarray]:
    out = io.BytesIO()
    tifffile.imwrite(out, FRAMES, photometric="minisblack", metadata={"axes": "TYX"})
    return out.getvalue(), FRAMES


def sif() -> tuple[bytes, np.ndarray]:
    header = sif_header(np.arange(len(FRAMES)) * 2e4)
    frames = FRAMES.astype("<f4")
    return header + frames.tobytes() + b"0\n1\n", frames


def png() -> tuple[bytes, np.ndarray]:
    out = io.BytesIO()
    Image.fromarray(FRAMES[0]).save(out, "png")
    return out.getvalue(), FRAMES[:1]


FILES = {
    "ND2 (.nd2)": lambda: (TINY.read_bytes(), nd2.imread(TINY)),
    "TIFF (.tif)": tiff,
    "Andor SIF (.sif) or spool folder (.sifx)": sif,
    "PNG, JPEG": png,
}


@pytest.fixture(params=[one.name for one in FORMATS])
def file(request, tmp_path) -> tuple[Path, np.ndarray]:
    """Return a small file of each format, under a name without a suffix, and its frames."""
    content, frames = FILES[request.param]()
    path = tmp_path / "movie"
    path.write_bytes(content)
    return path, frames


def test_first_last_and_any_frame_are_those_that_were_written(file):
    path, frames = file
    movie = open_movie(path)
    assert movie.shape == frames.shape
    for k in {0, len(frames) - 1, len(frames) // 2}:
        (block,) = movie.blocks(start=k, stop=k + 1)
        np.testing.assert_array_equal(block[0], frames[k])


@pytest.mark.parametrize("frames_per_block", [1, 5, 100])
def test_blocks_of_any_size_make_up_the_same_movie(file, frames_per_block):
    path, frames = file
    read = np.concatenate(list(open_movie(path).blocks(frames_per_block)))
    np.testing.assert_array_equal(read, frames)


@pytest.mark.parametrize("suffix", [".txt", ".tif", ".nd2", ".png"])
def test_a_wrong_suffix_makes_no_difference(file, suffix):
    path, frames = file
    path = path.rename(path.with_suffix(suffix))
    np.testing.assert_array_equal(next(open_movie(path).blocks(len(frames))), frames)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(file, share):
    path, frames = file
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    try:
        read = np.concatenate(list(open_movie(path).blocks()))
    except InputError:
        return
    # Only what stands behind the frames is missing: the pages of a TIFF that its header describes.
    np.testing.assert_array_equal(read, frames)
    assert share == 0.9


@pytest.mark.parametrize(
    ("name", "start", "program"),
    [
        ("a", b"ZISRAWFILE" + bytes(22), "ZEN"),
        ("a.tif", b"\x70\0\0\0\x12\x34\0\0\x2a" + bytes(20), "LAS X"),
        ("a", b"DCIMG\0\0\0\7" + bytes(20), "HCImage"),
        ("a.SPE", bytes(4100), "LightField"),
        ("a.his", b"IM\x5e\0" + bytes(60), "HiPic"),
        ("a", b"RIFF\x10\x20\0\0AVI LIST", "the program that recorded it"),
        ("a", b"\0\0\0\x18ftypmp42" + bytes(8), "the program that recorded it"),
        ("a.ims", b"\x89HDF\r\n\x1a\n" + bytes(40), "Fiji"),
        ("a.tif", b"\x1f\x8b\x08\0" + bytes(12), "unpack it"),
    ],
)
def test_a_format_that_cannot_be_read_is_named_with_the_way_out(tmp_path, name, start, program):
    path = tmp_path / name
    path.write_bytes(start)
    with pytest.raises(InputError, match="which cannot be read") as caught:
        open_movie(path)
    assert program in caught.value.hint


def test_a_format_that_can_be_read_is_recognised_before_the_suffix_of_another(file):
    path, frames = file
    for suffix in {suffix for one in FOREIGN for suffix in one.suffixes}:
        path = path.rename(path.with_suffix(suffix))
        assert open_movie(path).shape == frames.shape
