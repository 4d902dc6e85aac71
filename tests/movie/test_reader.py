"""What all formats share: blocks, split movies, choices behind a path, bad input."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import tifffile

from blinkpair.errors import InputError
from blinkpair.movie.formats.raw import RawFrames
from blinkpair.movie.formats.selection import MoviePath
from blinkpair.movie.movie import Movie, from_array
from blinkpair.movie.paths import movie_files, natural_key
from blinkpair.movie.reader import open_movie, read_image
from tests.helpers.nd2_files import TINY

SHAPE = (30, 12, 20)


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(2).integers(0, 4000, SHAPE).astype(np.uint16)


@pytest.fixture
def parts(tmp_path, frames):
    """Split a movie over three files whose names sort wrongly as text."""
    for name, part in (("1", frames[:13]), ("2", frames[13:20]), ("10", frames[20:])):
        how = {"axes": "TYX", "finterval": 0.02}
        tifffile.imwrite(tmp_path / f"run_{name}.tif", part, imagej=True, metadata=how)
    return tmp_path / "run_*.tif"


@pytest.mark.parametrize("size", [1, 7, 30, 1000])
def test_blocks(tmp_path, frames, size):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames)
    blocks = list(open_movie(path).blocks(size))
    lengths = [len(block) for block in blocks]
    assert sum(lengths) == 30
    assert set(lengths[:-1]) <= {size}
    assert 0 < lengths[-1] <= size
    for block in blocks:
        assert block.flags.c_contiguous
        assert block.flags.writeable
        assert block.dtype.isnative
    np.testing.assert_array_equal(np.concatenate(blocks), frames)


@pytest.mark.parametrize(("start", "stop"), [(0, 30), (3, 30), (5, 17), (12, 14), (29, 30), (8, 8)])
def test_parts_of_a_movie(parts, frames, start, stop):
    blocks = list(open_movie(parts).blocks(4, start, stop))
    np.testing.assert_array_equal(
        np.concatenate([np.empty((0, *SHAPE[1:]), np.uint16), *blocks]), frames[start:stop]
    )


def test_frames_beyond_the_movie_are_a_mistake_of_the_caller(frames):
    movie = from_array(frames)
    for wrong in ({"stop": 31}, {"start": -1}, {"start": 5, "stop": 4}, {"frames": 0}):
        with pytest.raises(ValueError, match="frame"):
            movie.blocks(**wrong)


def test_memory_is_used_again_only_when_nobody_looks(tmp_path, frames):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames)
    # Blocks that are kept, or of which a view is kept, stay as they were.
    kept = [block[:, 2:4] for block in open_movie(path).blocks(3)]
    np.testing.assert_array_equal(np.concatenate(kept), frames[:, 2:4])
    # A loop that keeps none lives on three pieces of memory: its own block, the next, and the one
    # that is read meanwhile (now and then a fourth, where the reading thread lets go late).
    places = [block.__array_interface__["data"][0] for block in open_movie(path).blocks(1)]
    assert len(places) == 30
    assert len(set(places)) <= 6


def test_a_loop_may_stop_early_and_errors_of_the_reading_arrive(tmp_path, frames):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames)
    movie = open_movie(path)
    for block in movie.blocks(3):
        np.testing.assert_array_equal(block, frames[:3])
        break
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(InputError, match=r"ends before.*still being written or copied"):
        list(movie.blocks(3))


def test_two_iterations_at_a_time(tmp_path, frames):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames)
    with open_movie(path) as movie:
        for first, second in zip(movie.blocks(3), movie.blocks(3), strict=True):
            np.testing.assert_array_equal(first, second)


def test_a_block_is_about_8_mb():
    movie = from_array(np.zeros((40, 512, 512), np.uint16))
    assert movie.frames_per_block == 16  # 16 x 512 x 512 x 2 bytes = 8 MiB
    assert len(next(movie.blocks())) == 16
    assert from_array(np.zeros((3, 4, 5), np.uint8)).frames_per_block == 3


def test_a_movie_split_over_files(parts, frames):
    movie = open_movie(parts)
    assert movie.shape == SHAPE
    assert [path.name for path in movie.paths] == ["run_1.tif", "run_2.tif", "run_10.tif"]
    assert movie.notes == (
        "3 files were joined in this order: run_1.tif, run_2.tif, run_10.tif",
        "of the numbers of its files, 3 to 9 are not there: are parts missing?",
        "its parts are not of one length: run_1.tif has 13 frames, run_2.tif 7",
        "no time stamps; ImageJ's frame interval gives 20 ms, a planned value, used that",
    )
    assert movie.exposure_s == pytest.approx(0.02)
    np.testing.assert_array_equal(np.concatenate(list(movie.blocks(8))), frames)
    listed = [str(path) for path in reversed(movie.paths)]
    np.testing.assert_array_equal(np.concatenate(list(open_movie(listed).blocks())), frames)


def test_the_first_frames_of_a_split_movie(parts, frames):
    movie = open_movie(f"{parts}::frames=15")
    assert len(movie.paths) == 2
    np.testing.assert_array_equal(np.concatenate(list(movie.blocks())), frames[:15])
    with pytest.raises(InputError, match="more frames than the 30"):
        open_movie(f"{parts}::frames=31")


@pytest.mark.parametrize("skip", [1, 13, 16, 29])
def test_a_movie_without_its_first_frames_begins_with_the_one_after(parts, frames, skip):
    movie = open_movie(f"{parts}::skip={skip}")
    assert movie.shape[0] == 30 - skip
    np.testing.assert_array_equal(np.concatenate(list(movie.blocks(4))), frames[skip:])
    again = list(movie.blocks(4, last_pass=True))
    np.testing.assert_array_equal(np.concatenate(again[::-1]), frames[skip:])


def test_frames_are_counted_from_the_first_that_is_not_skipped(parts, frames):
    movie = open_movie(f"{parts}::skip=10::frames=15")
    np.testing.assert_array_equal(np.concatenate(list(movie.blocks())), frames[10:25])
    with pytest.raises(InputError, match="more frames than the 20 after those that are skipped"):
        open_movie(f"{parts}::skip=10::frames=21")
    with pytest.raises(InputError, match="leaves none of the 30 frames"):
        open_movie(f"{parts}::skip=30")


def test_frames_that_are_left_out_are_named_and_blanks_do_not_count(parts):
    movie = open_movie(f"{parts}:: skip = 10")
    assert movie.notes[0] == "its first 10 frames are left out, as chosen; frame 0 is the next one"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("::skip=0", "or leave it out to use all frames"),
        ("::skip=", "has no value"),
        ("::skip=3::skip=4", "stands there twice"),
    ],
)
def test_a_choice_that_cannot_be_made_has_its_cure(parts, choice, message):
    with pytest.raises(InputError, match=message):
        open_movie(f"{parts}{choice}")


def test_an_image_has_no_frames_to_skip(tmp_path, frames):
    tifffile.imwrite(tmp_path / "bf.tif", frames[0])
    with pytest.raises(InputError, match="write it behind the movies, not an image"):
        read_image(tmp_path / "bf.tif::skip=1")


def test_the_time_per_frame_is_that_of_the_frames_that_are_not_skipped(tmp_path, frames):
    # Warm-up: the first 12 frames came every 50 ms, the others every 20 ms.
    stamps_ms = np.cumsum(np.where(np.arange(30) < 12, 50.0, 20.0))
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tif:
        planes = {"DeltaT": (stamps_ms / 1000).tolist(), "DeltaTUnit": ["s"] * 30}
        tif.write(frames, metadata={"axes": "TYX", "Plane": planes})
    assert open_movie(tmp_path / "a.ome.tif::skip=12").exposure_s == pytest.approx(0.02)
    assert open_movie(tmp_path / "a.ome.tif::frames=12").exposure_s == pytest.approx(0.05)


def test_parts_that_do_not_fit(parts, frames):
    extra = parts.parent / "run_11.tif"
    tifffile.imwrite(extra, frames[:, :5])
    with pytest.raises(InputError, match=r"12 x 20, run_11\.tif of 5 x 20"):
        open_movie(parts)
    tifffile.imwrite(extra, frames.astype(np.int32))
    with pytest.raises(InputError, match=r"type uint16, run_11\.tif of int32"):
        open_movie(parts)
    how = {"axes": "TYX", "finterval": 0.04}
    tifffile.imwrite(extra, frames, imagej=True, metadata=how)
    differ = "frame times differ: 0.02 in run_1.tif, 0.04 in run_11.tif; used the first"
    assert differ in open_movie(parts).notes


def test_a_file_whose_name_looks_like_a_pattern(tmp_path, frames):
    path = tmp_path / "field[1].tif"
    tifffile.imwrite(path, frames)
    assert open_movie(path).shape == SHAPE


def test_natural_order():
    names = ["a10", "a9", "A1b", "a1a", "a", "9", "10"]
    assert sorted(names, key=natural_key) == ["9", "10", "a", "a1a", "A1b", "a9", "a10"]
    # Whatever the order in which a disk lists them.
    for listed in (["a1", "A1", "a1b"], ["a1b", "A1", "a1"]):
        assert sorted(listed, key=natural_key) == ["A1", "a1", "a1b"]


def test_choices_behind_a_path():
    parsed = MoviePath.parse("d/a::b.nd2::channel=FITC, 488::z=3::frames=20")
    assert parsed.file == "d/a::b.nd2"
    choice = parsed.selection
    assert (choice.channel, choice.z, choice.frames) == ("FITC, 488", "3", 20)
    assert MoviePath.parse("a.nd2::Z=time").selection.z == "time"
    for wrong, why in (
        ("a.nd2::chanel=GFP", "not a choice.*::channel=..."),
        ("a.nd2::z=top", "a number counted from 0"),
        ("a.nd2::frames=0", "1 or more"),
        ("a.nd2::channel=", "has no value"),
    ):
        with pytest.raises(InputError, match=why):
            MoviePath.parse(wrong)


def test_files_behind_a_path(parts):
    assert [path.name for path in movie_files(f"{parts}::frames=3")] == [
        "run_1.tif",
        "run_2.tif",
        "run_10.tif",
    ]
    assert movie_files("not/there.nd2::channel=0") == (Path("not/there.nd2"),)


def test_frames_of_two_files_that_seem_to_follow_each_other(tmp_path, frames):
    # The second file's frame starts where one behind the first file's would.
    size = frames[0].nbytes
    for name, place, frame in (("a", 0, frames[0]), ("b", size, frames[1])):
        (tmp_path / name).write_bytes(bytes(place) + frame.tobytes() + bytes(2 * size))
    raw = RawFrames(
        paths=(tmp_path / "a", tmp_path / "b"),
        offsets=np.array([0, size]),
        height=SHAPE[1],
        width=SHAPE[2],
        dtype=frames.dtype,
        file_index=np.array([0, 1]),
    )
    out = np.empty((2, *SHAPE[1:]), frames.dtype)
    with closing(raw.reader(1)) as reader:
        reader.read_into(0, out)
    np.testing.assert_array_equal(out, frames[:2])


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("kind", ["raw", "parts", "zlib"])
def test_the_last_pass_reads_the_same_frames_from_the_end(
    tmp_path, parts, frames, kind, large, monkeypatch
):
    monkeypatch.setattr(Movie, "_is_large", lambda movie: large)
    path = parts
    if kind != "parts":
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, frames, compression="zlib" if kind == "zlib" else None)
    blocks = list(open_movie(path).blocks(7, 2, 27, last_pass=True))
    assert [len(block) for block in blocks] == [4, 7, 7, 7]
    np.testing.assert_array_equal(np.concatenate(blocks[::-1]), frames[2:27])


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="cannot ask what is in memory")
def test_what_is_read_for_the_last_time_makes_room_if_it_is_large(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((64, 128, 128), np.uint16), contiguous=True)

    def held() -> int:
        """Count the pages of the file that are in memory."""
        pages = 0
        with path.open("rb", buffering=0) as file:
            for place in range(0, path.stat().st_size - 4096, 4096):
                try:
                    pages += os.preadv(file.fileno(), [bytearray(4096)], place, os.RWF_NOWAIT) > 0
                except BlockingIOError:
                    continue
                except OSError:
                    pytest.skip("this file system does not say what is in memory")
        return pages

    with path.open("rb") as file:
        os.fsync(file.fileno())  # what is not on the disk yet cannot be given up
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if held() > 16:
        pytest.skip("this file system keeps what it is told to give up")
    list(open_movie(path).blocks(8))
    assert held() > 500
    list(open_movie(path).blocks(8, last_pass=True))
    assert held() > 500  # a small movie may be used again
    monkeypatch.setattr(Movie, "_is_large", lambda movie: True)
    list(open_movie(path).blocks(8, last_pass=True))
    assert held() < 50  # but for the pages that two blocks share


def test_frames_in_memory(frames):
    movie = from_array(frames.astype(">u2"), exposure_s=0.02, pixel_size_um=0.16)
    assert (movie.shape, movie.dtype, movie.exposure_s) == (SHAPE, np.uint16, 0.02)
    np.testing.assert_array_equal(np.concatenate(list(movie.blocks(4))), frames)


def test_bad_input_is_named(tmp_path):
    (tmp_path / "empty.tif").touch()
    (tmp_path / "text.tif").write_text("field\ttemperature_c\n")
    (tmp_path / "noise.nd2").write_bytes(bytes(range(128, 256)))
    (tmp_path / "stub.tif").write_bytes(b"II*\0\x08\0\0\0")
    (tmp_path / "header.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    for name, why in (
        ("gone.nd2", r"does not exist\. Hint"),
        ("no/folder.nd2", r"nor does the folder"),
        ("empty.tif", r"is empty \(0 bytes\)"),
        ("text.tif", "is a text file"),
        ("noise.nd2", "format that is not known"),
        ("stub.tif", "without a page|damaged"),
        ("header.png", "damaged"),
        ("gone_*.tif", "no file matches"),
    ):
        with pytest.raises(InputError, match=why) as caught:
            open_movie(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))
        assert "Hint: " in str(caught.value)
    with pytest.raises(InputError, match="no file is given"):
        open_movie([])


def test_formats_are_loaded_when_they_are_met():
    # A step must start in less than a second; the libraries of all formats take longer together.
    code = (
        "import sys; import blinkpair.movie as m; "
        "heavy = {'nd2', 'tifffile', 'sif_parser', 'PIL', 'scipy', 'pandas'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules); "
        f"m.open_movie({str(TINY)!r}); assert not {{'tifffile', 'PIL'}} & set(sys.modules)"
    )
    scripts = Path(__file__).parents[2] / "scripts"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(scripts)})
