"""TIFF data sets with an index of their own: Micro-Manager, and OME over several files."""

import json
import re
import struct

import numpy as np
import pytest
import tifffile

from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie
from tests.helpers.ndtiff_files import write_ndtiff

FRAMES, HEIGHT, WIDTH = 9, 16, 24


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(5).integers(0, 4000, (FRAMES, HEIGHT, WIDTH)).astype(np.uint16)


def write_micromanager(
    path, frames, *, planned=None, interval_ms=0.0, elapsed_ms=None, first=0, pixel_um=0.16
):
    """Write an image stack as Micro-Manager documents it: summary, pages, index of the pages."""
    elapsed = 20.0 * np.arange(len(frames)) if elapsed_ms is None else elapsed_ms
    summary = json.dumps(
        {
            "MicroManagerVersion": "2.0",
            "Frames": planned or len(frames),
            "Channels": 1,
            "Slices": 1,
            "Positions": 1,
            "Interval_ms": interval_ms,
            "ChNames": ["PL"],
            "Width": WIDTH,
            "Height": HEIGHT,
        }
    ).encode()
    out = bytearray(40) + summary
    start, places = len(out), []
    for k, frame in enumerate(frames):
        about = {"ElapsedTime-ms": elapsed[k], "Exposure-ms": 20.0, "PixelSizeUm": pixel_um}
        text = json.dumps(about).encode() + b"\0"
        places.append(len(out))
        pixels = len(out) + 2 + 13 * 12 + 4
        last = k == len(frames) - 1
        # Thirteen tags a page, which tifffile counts on where it skips them.
        tags = [
            *[(256, 4, 1, WIDTH), (257, 4, 1, HEIGHT), (258, 3, 1, 16), (259, 3, 1, 1)],
            *[(262, 3, 1, 1), (273, 4, 1, pixels), (277, 3, 1, 1), (278, 3, 1, HEIGHT)],
            *[(279, 4, 1, frame.nbytes), (296, 3, 1, 1), (297, 3, 1, 0), (305, 2, 2, 0)],
            (51123, 2, len(text), pixels + frame.nbytes),
        ]
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        out += struct.pack("<I", 0 if last else pixels + frame.nbytes + len(text))
        out += frame.astype("<u2").tobytes() + text
    index = len(out)
    out += struct.pack("<II", 3453623, len(frames))
    for k, place in enumerate(places):
        out += struct.pack("<5I", 0, 0, first + k, 0, place)
    out[:40] = struct.pack(
        "<2sHI8I", b"II", 42, start, 54773648, index, 0, 0, 0, 0, 2355492, len(summary)
    )
    path.write_bytes(out)
    return path


def read(path):
    return np.concatenate([block.copy() for block in open_movie(path).blocks(4)])


def test_micromanager(tmp_path, frames):
    path = write_micromanager(tmp_path / "a_MMStack.tif", frames)
    movie = open_movie(path)
    assert (movie.shape, movie.format) == (frames.shape, "Micro-Manager TIFF")
    assert movie.exposure_s == pytest.approx(0.020)
    assert movie.pixel_size_um == pytest.approx(0.16)
    assert movie.channel == "PL"
    np.testing.assert_array_equal(read(path), frames)


def test_elapsed_times_win_over_the_planned_interval(tmp_path, frames):
    # A camera that runs freely: the planned interval is 0, the exposure leaves out the read-out.
    elapsed = 31.0 * np.arange(FRAMES) + 400
    movie = open_movie(write_micromanager(tmp_path / "a.tif", frames, elapsed_ms=elapsed))
    assert movie.exposure_s == pytest.approx(0.031)
    assert any("planned interval gives 0" in note for note in movie.notes)
    assert any("exposure gives 20 ms but frames follow" in note for note in movie.notes)


LATER = 5000.0 * (np.arange(FRAMES) > 3)


@pytest.mark.parametrize(
    ("elapsed_ms", "interval_ms", "exposure_s", "note"),
    [
        (20.0 * np.arange(FRAMES) + LATER, 0.0, 0.020, "1 gap .*before frame 4"),
        (20.0 * np.arange(FRAMES) + 5000.0 * (np.arange(FRAMES) > 0), 0.0, 0.020, "before frame 1"),
        (20.0 * np.arange(FRAMES) + 5000.0 * (np.arange(FRAMES) > 7), 0.0, 0.020, "before frame 8"),
        (np.zeros(FRAMES), 0.0, 0.020, "no interval between frames is given"),
        (np.zeros(FRAMES), 1000.0, None, "whether the camera waited"),
        ([f"{20.4 * k:.1f}".replace(".", ",") for k in range(FRAMES)], 0.0, 0.0204, ""),
    ],
)
def test_elapsed_times_of_every_frame_count(
    tmp_path, frames, elapsed_ms, interval_ms, exposure_s, note
):
    path = write_micromanager(
        tmp_path / "a.tif", frames, elapsed_ms=list(elapsed_ms), interval_ms=interval_ms
    )
    movie = open_movie(path)
    assert movie.exposure_s == (None if exposure_s is None else pytest.approx(exposure_s))
    assert re.search(note, "\n".join(movie.notes))


def test_a_pixel_of_exactly_one_micrometre_is_not_calibrated(tmp_path, frames):
    movie = open_movie(write_micromanager(tmp_path / "a.tif", frames, pixel_um=1.0))
    assert movie.pixel_size_um is None
    assert "exactly 1 um, which stands for 'not calibrated'" in movie.pixel_size_from
    assert any("the pixel size is not known from it" in note for note in movie.notes)


@pytest.mark.parametrize("inner", ["channel", "z"])
def test_ndtiff_with_several_planes_a_frame(tmp_path, frames, inner):
    # Two planes of 20 ms each, so that a frame of either comes every 40 ms; a pause in the middle.
    names = ["BF", "PL"] if inner == "channel" else [0, 1]
    elapsed = 20.0 * np.arange(8) + 3000.0 * (np.arange(8) > 5) + 777
    axes = [{"time": k // 2, inner: names[k % 2]} for k in range(8)]
    texts = [{"ElapsedTime-ms": t, "Exposure": 20.0, "PixelSizeUm": 0.11} for t in elapsed]
    path = write_ndtiff(tmp_path / "run", frames[:8], axes, texts)
    for k in range(2):
        movie = open_movie(f"{path}::{inner}={k}")
        assert movie.shape == (4, HEIGHT, WIDTH)
        assert (movie.exposure_s, movie.pixel_size_um) == (pytest.approx(0.04), 0.11)
        assert any("1 gap" in note and "before frame 3" in note for note in movie.notes)


def test_an_acquisition_that_was_stopped_early(tmp_path, frames):
    path = write_micromanager(tmp_path / "a.tif", frames, planned=20)
    with pytest.raises(InputError, match=r"promises 20, the file holds 9.*::frames=9"):
        open_movie(path)
    np.testing.assert_array_equal(read(f"{path}::frames=9"), frames)


def test_a_stack_in_two_files(tmp_path, frames):
    # Micro-Manager starts a new file every 4 GB; both carry the summary of the whole.
    first, second = (tmp_path / f"run_MMStack{k}.ome.tif" for k in ("", "_1"))
    write_micromanager(first, frames[:5], planned=9)
    write_micromanager(second, frames[5:], planned=9, first=5)
    movie = open_movie(first)
    assert movie.shape == frames.shape
    assert set(movie.paths) == {first, second}
    np.testing.assert_array_equal(read(first), frames)
    # By a pattern each file stands for itself, or every frame would come twice.
    np.testing.assert_array_equal(read(tmp_path / "run_MMStack*.ome.tif"), frames)
    second.unlink()
    with pytest.raises(InputError, match=r"promises 9, the file holds 5"):
        open_movie(first)


def write_ome_set(folder, frames, split):
    """Write an OME movie over two files, both with the text that describes the whole."""
    named = ((0, split, "a.ome.tif"), (split, FRAMES, "b.ome.tif"))
    data = "".join(
        f'<TiffData FirstT="{begin + k}" IFD="{k}" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:{name}</UUID></TiffData>'
        for begin, end, name in named
        for k in range(end - begin)
    )
    for begin, end, name in named:
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{name}"><Image ID="Image:0"><Pixels DimensionOrder="XYCZT" '
            f'ID="Pixels:0" Type="uint16" SizeX="{WIDTH}" SizeY="{HEIGHT}" SizeC="1" SizeZ="1" '
            f'SizeT="{FRAMES}" PhysicalSizeX="0.16" TimeIncrement="0.02">{data}</Pixels></Image>'
            "</OME>"
        )
        with tifffile.TiffWriter(folder / name) as tif:
            for k, frame in enumerate(frames[begin:end]):
                description = text if k == 0 else None
                tif.write(frame, contiguous=False, metadata=None, description=description)
    return folder


def test_ome_over_several_files(tmp_path, frames):
    write_ome_set(tmp_path, frames, 5)
    movie = open_movie(tmp_path / "a.ome.tif")
    assert movie.shape == frames.shape
    assert [path.name for path in movie.paths] == ["a.ome.tif", "b.ome.tif"]
    assert (movie.exposure_s, movie.pixel_size_um) == (0.02, 0.16)
    np.testing.assert_array_equal(read(tmp_path / "a.ome.tif"), frames)
    # Named one by one, or by a pattern, each stands for itself.
    np.testing.assert_array_equal(read(tmp_path / "?.ome.tif"), frames)


def test_ome_without_its_second_file(tmp_path, frames):
    write_ome_set(tmp_path, frames, 5)
    (tmp_path / "b.ome.tif").unlink()
    with pytest.raises(InputError, match="promises 9, the file holds 5"):
        open_movie(tmp_path / "a.ome.tif")
