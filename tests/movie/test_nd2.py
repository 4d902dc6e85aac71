"""Nikon ND2: frames, the true frame interval, and files that are cut off."""

import struct
import zlib
from pathlib import Path

import nd2
import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie
from tests.helpers.nd2_files import TINY, read_chunks, rewrite, set_number, write_nd2

MAPS = Path("/proc/self/maps")


def tiny_frames() -> np.ndarray:
    """What the tiny movie holds: 100 times the frame's number plus the pixel's modulo 97."""
    pixels = np.arange(32 * 48).reshape(32, 48) % 97
    return (100 * np.arange(25)[:, None, None] + pixels).astype(np.uint16)


def read(path, **choices):
    return np.concatenate([block.copy() for block in open_movie(path, **choices).blocks(7)])


def stamped(stamps_ms):
    def change(chunks):
        chunks[b"CustomData|AcqTimesCache!"] = np.asarray(stamps_ms, "<f8").tobytes()

    return change


def test_frames_and_metadata_of_the_tiny_movie():
    movie = open_movie(TINY)
    assert movie.shape == (25, 32, 48)
    assert movie.dtype == np.uint16
    assert movie.exposure_s == pytest.approx(0.020)
    assert movie.pixel_size_um == pytest.approx(0.16)
    assert (movie.channel, movie.format) == ("GFP", "ND2")
    assert movie.notes == (
        "no time stamps; the time loop's period gives 20 ms, a planned value, used that",
    )
    assert movie.pixel_size_from == "the ND2 calibration"
    np.testing.assert_array_equal(read(TINY), tiny_frames())


def test_stamps_win_over_the_period_of_the_time_loop(tmp_path):
    movie = open_movie(rewrite(tmp_path / "a.nd2", stamped(25.0 * np.arange(25) + 3)))
    assert movie.exposure_s == pytest.approx(0.025)
    assert len(movie.notes) == 1
    assert "period gives 20 ms" in movie.notes[0]
    assert "events table gives 25 ms" in movie.notes[0]


def test_period_zero_gives_way_to_the_statistics_of_the_loop(tmp_path):
    def change(chunks):
        loop = chunks[b"ImageMetadataLV!"]
        loop = set_number(loop, "dPeriod", struct.pack("<d", 0.0))
        chunks[b"ImageMetadataLV!"] = set_number(loop, "dAvgPeriodDiff", struct.pack("<d", 500.16))

    movie = open_movie(rewrite(tmp_path / "a.nd2", change))
    assert movie.exposure_s == pytest.approx(0.50016)
    assert "period gives 0; the time loop's statistics gives 500.16 ms" in movie.notes[0]


def test_period_zero_and_nothing_else_is_no_exposure(tmp_path):
    def change(chunks):
        loop = chunks[b"ImageMetadataLV!"]
        chunks[b"ImageMetadataLV!"] = set_number(loop, "dPeriod", struct.pack("<d", 0.0))

    assert open_movie(rewrite(tmp_path / "a.nd2", change)).exposure_s is None


def test_dropped_frames_are_reported_and_do_not_stretch_the_interval(tmp_path):
    stamps = 20.0 * np.arange(25)
    stamps[10:] += 60.0
    movie = open_movie(rewrite(tmp_path / "a.nd2", stamped(stamps)))
    assert movie.exposure_s == pytest.approx(0.020)
    assert "1 gap longer than 1.5 frames (the first before frame 10)" in movie.notes[0]
    assert "about 3 frames were not recorded" in movie.notes[0]


def test_equal_stamps_give_way_to_a_period_that_the_duration_confirms(tmp_path):
    def change(chunks, period_ms):
        stamped(np.full(25, 5.0))(chunks)
        key = b"ImageMetadataLV!"
        chunks[key] = set_number(chunks[key], "dPeriod", struct.pack("<d", period_ms))

    movie = open_movie(rewrite(tmp_path / "a.nd2", lambda chunks: change(chunks, 20.0)))
    assert movie.exposure_s == pytest.approx(0.02)
    assert "all 25 stamps are equal" in movie.notes[0]
    movie = open_movie(rewrite(tmp_path / "b.nd2", lambda chunks: change(chunks, 10.0)))
    assert movie.exposure_s is None
    assert "all 25 stamps are equal" in movie.exposure_from
    movie = open_movie(rewrite(tmp_path / "c.nd2", lambda chunks: change(chunks, 0.0)))
    assert movie.exposure_s is None


@pytest.mark.parametrize(
    "stamps_ms",
    [
        25.0 * np.arange(24),
        25.0 * np.arange(12),
        np.append(25.0 * np.arange(20), np.zeros(5)),
        np.where(np.arange(25) == 7, np.nan, 25.0 * np.arange(25)),
        0.025 * np.arange(25),  # in seconds
    ],
)
def test_an_events_table_that_is_too_short_or_broken_still_counts(tmp_path, stamps_ms):
    movie = open_movie(rewrite(tmp_path / "a.nd2", stamped(stamps_ms)))
    assert movie.exposure_s == pytest.approx(0.025)
    assert any("period gives 20 ms" in note for note in movie.notes)


def test_dead_time_is_reported(tmp_path):
    def change(chunks):
        chunks[b"CustomData|Camera_ExposureTime1!"] = np.full(25, 15.0).tobytes()

    movie = open_movie(rewrite(tmp_path / "a.nd2", change))
    assert movie.exposure_s == pytest.approx(0.020)
    assert "exposure gives 15 ms but frames follow each other every 20 ms" in movie.notes[0]


def test_lossless_compression(tmp_path):
    def change(chunks):
        key = b"ImageAttributesLV!"
        chunks[key] = set_number(chunks[key], "eCompression", struct.pack("<i", 0))
        for i in range(25):
            name = f"ImageDataSeq|{i}!".encode()
            chunks[name] = chunks[name][:8] + zlib.compress(chunks[name][8:])

    path = rewrite(tmp_path / "a.nd2", change)
    for threads in (1, 3):
        got = [b.copy() for b in open_movie(path).blocks(4, threads=threads)]
        np.testing.assert_array_equal(np.concatenate(got), tiny_frames())


def test_lossy_compression_is_refused(tmp_path):
    def change(chunks):
        key = b"ImageAttributesLV!"
        chunks[key] = set_number(chunks[key], "eCompression", struct.pack("<i", 1))

    with pytest.raises(InputError, match="compressed with loss"):
        open_movie(rewrite(tmp_path / "a.nd2", change))


def test_padded_rows(tmp_path):
    # Rows of 100 bytes, of which 96 are pixels.
    def change(chunks):
        key = b"ImageAttributesLV!"
        chunks[key] = set_number(chunks[key], "uiWidthBytes", struct.pack("<I", 100))
        for i, frame in enumerate(tiny_frames()):
            rows = np.zeros((32, 50), "<u2")
            rows[:, :48] = frame
            chunks[f"ImageDataSeq|{i}!".encode()] = bytes(8) + rows.tobytes()

    np.testing.assert_array_equal(read(rewrite(tmp_path / "a.nd2", change)), tiny_frames())


def test_interleaved_channels(tmp_path):
    # Two components a pixel, side by side; the names stay those of the single channel.
    def change(chunks):
        key = b"ImageAttributesLV!"
        new = set_number(chunks[key], "uiWidthBytes", struct.pack("<I", 192))
        chunks[key] = set_number(new, "uiComp", struct.pack("<I", 2))
        for i, frame in enumerate(tiny_frames()):
            both = np.stack([frame, 7 + frame], axis=2).astype("<u2")
            chunks[f"ImageDataSeq|{i}!".encode()] = bytes(8) + both.tobytes()

    path = rewrite(tmp_path / "a.nd2", change)
    with pytest.raises(InputError, match=r"2 channels.*::channel="):
        open_movie(path)
    np.testing.assert_array_equal(read(path, channel=0), tiny_frames())
    np.testing.assert_array_equal(read(f"{path}::channel=1"), tiny_frames() + 7)


def test_a_file_without_its_chunk_map_was_cut_off(tmp_path):
    path = tmp_path / "cut.nd2"
    path.write_bytes(TINY.read_bytes()[:150_000])
    with pytest.raises(InputError, match=r"cut\.nd2: the chunk map.*cut off.*copy the file again"):
        open_movie(path)


def test_a_frame_missing_in_the_middle_ends_the_movie(tmp_path):
    path = rewrite(tmp_path / "a.nd2", lambda chunks: chunks.pop(b"ImageDataSeq|9!"))
    with pytest.raises(
        InputError, match=r"in the middle.*promises 25, the file holds 24; .* frame 9,"
    ):
        open_movie(path)


def test_a_map_that_points_nowhere_is_damage(tmp_path):
    path = write_nd2(tmp_path / "a.nd2", read_chunks())
    data = bytearray(path.read_bytes())
    place = data.find(struct.pack("<I", 0x0ABECEDA), 4096 * 3)
    data[place : place + 4] = b"oops"
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        open_movie(path)


def test_the_old_kind_is_refused(tmp_path):
    path = tmp_path / "old.nd2"
    path.write_bytes(b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(100))
    with pytest.raises(InputError, match="old kind"):
        open_movie(path)


@pytest.mark.skipif(not MAPS.exists(), reason="Linux lists the memory maps of a process")
def test_frames_are_read_without_a_memory_map(tmp_path):
    # The library gives frames through one only, which some clusters charge to the job.
    path = tmp_path / "unmapped.nd2"
    path.write_bytes(TINY.read_bytes())
    frames = []
    for block in open_movie(path).blocks(10):
        frames.append(block.copy())
        assert path.name not in MAPS.read_text()
    np.testing.assert_array_equal(np.concatenate(frames), tiny_frames())
    with nd2.ND2File(path) as file:
        file.read_frame(0)
        assert path.name in MAPS.read_text()


def test_a_frame_whose_chunk_is_too_short_is_missing(tmp_path):
    def shorten(chunks):
        chunks[b"ImageDataSeq|12!"] = chunks[b"ImageDataSeq|12!"][:-200]

    path = rewrite(tmp_path / "movie.nd2", shorten)
    with pytest.raises(InputError, match=r"promises 25, the file holds 24; .* frame 12,"):
        open_movie(path)
    assert open_movie(f"{path}::frames=12").shape[0] == 12


def test_frames_beyond_the_loops_are_reported(tmp_path):
    def lengthen(chunks):
        chunks[b"ImageDataSeq|25!"] = chunks[b"ImageDataSeq|24!"]

    movie = open_movie(rewrite(tmp_path / "movie.nd2", lengthen))
    assert movie.shape[0] == 25
    assert "1 frames in the file are more than its loops have" in movie.notes[0]


def test_a_header_of_another_number_of_bits_is_refused(tmp_path):
    def halve(chunks):
        name = b"ImageAttributesLV!"
        chunks[name] = set_number(chunks[name], "uiBpcInMemory", struct.pack("<I", 8))

    with pytest.raises(InputError, match="48 bytes in a row of pixels, 96 from row to row"):
        open_movie(rewrite(tmp_path / "movie.nd2", halve))
