"""Andor Solis: SIF files and spool folders."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.movie.paths import movie_files
from blinkpair.movie.reader import open_movie
from tests.helpers.sif_files import HEIGHT, WIDTH, sif_header, write_spool
from tests.helpers.tiny_experiment import ROOT

COUNT = 12


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(3)
    return rng.integers(500, 4000, (COUNT, HEIGHT, WIDTH)).astype(np.uint16)


def write_sif(path, frames, stamps_us=None, **how):
    stamps = np.zeros(len(frames)) if stamps_us is None else stamps_us
    path.write_bytes(sif_header(stamps, **how) + frames.astype("<f4").tobytes() + b"0\n1\n")
    return path


def read(path, size=5):
    return np.concatenate([block.copy() for block in open_movie(path).blocks(size)])


def test_sif_file(tmp_path, frames):
    path = write_sif(tmp_path / "movie.sif", frames)
    movie = open_movie(path)
    assert movie.shape == frames.shape
    assert (movie.dtype, movie.format) == (np.float32, "Andor SIF")
    assert (movie.exposure_s, movie.pixel_size_um, movie.notes) == (0.02, None, ())
    np.testing.assert_array_equal(read(path), frames)


def test_stamps_win_over_the_header_and_go_on_after_their_wrap(tmp_path, frames):
    stamps = (2**32 - 60_000 + 25_000 * np.arange(COUNT)) % 2**32
    movie = open_movie(write_sif(tmp_path / "movie.sif", frames, stamps))
    assert movie.exposure_s == pytest.approx(0.025)
    assert any("cycle time gives 20 ms" in note for note in movie.notes)


def test_stamps_shared_by_frames_are_not_used(tmp_path, frames):
    stamps = 1000 * (np.arange(COUNT) // 4)
    movie = open_movie(write_sif(tmp_path / "movie.sif", frames, stamps))
    assert movie.exposure_s == pytest.approx(0.02)
    assert "share a time stamp" in movie.notes[-1]


def test_the_cycle_time_is_the_time_of_a_frame(tmp_path, frames):
    movie = open_movie(write_sif(tmp_path / "movie.sif", frames, cycle_s=0.03, exposure_s=0.02))
    assert movie.exposure_s == pytest.approx(0.03)
    assert "exposure gives 20 ms but frames follow each other every 30 ms" in movie.notes[0]


def test_sif_file_that_is_cut_off(tmp_path, frames):
    path = write_sif(tmp_path / "movie.sif", frames)
    header = len(sif_header(np.zeros(COUNT)))
    os.truncate(path, header + 7 * WIDTH * HEIGHT * 4 + 3)
    with pytest.raises(InputError, match="promises 12, the file holds 7"):
        open_movie(path)
    np.testing.assert_array_equal(read(f"{path}::frames=7"), frames[:7])
    os.truncate(path, 300)
    with pytest.raises(InputError, match="SIF header cannot be read"):
        open_movie(path)


@pytest.mark.parametrize("end", [b"0\n1\n", b"0\n0\n0\n0\n", b"0\n0\n0\n0\n<?xml?>\n"])
@pytest.mark.parametrize("lost", [1, 2, 3, 4, 8, 16, WIDTH * 4, WIDTH * HEIGHT * 4])
def test_bytes_or_a_frame_lost_before_the_pixels_are_refused(tmp_path, frames, end, lost):
    # Every pixel after them would be in a wrong place, and the file is long enough for some frames.
    header = sif_header(np.zeros(COUNT))
    data = frames.astype("<f4").tobytes()
    path = tmp_path / "movie.sif"
    for at in (0, len(data) // 2 // 4 * 4):
        path.write_bytes(header + data[:at] + data[at + lost :] + end)
        for choice in ("", "::frames=7"):
            with pytest.raises(InputError, match="not the end of a SIF file"):
                open_movie(f"{path}{choice}")
    path.write_bytes(header + data + end)
    np.testing.assert_array_equal(read(path), frames)


def test_a_sif_header_of_another_version_is_refused(tmp_path, frames):
    path = write_sif(tmp_path / "movie.sif", frames)
    header = sif_header(np.zeros(COUNT))
    # More bytes behind the stamps than the parser knows of.
    path.write_bytes(header + b"65538 7\n" + path.read_bytes()[len(header) :])
    with pytest.raises(InputError, match="of a version that is not known"):
        open_movie(path)


def test_several_tracks_are_refused(tmp_path, frames):
    with pytest.raises(InputError, match="several tracks"):
        open_movie(write_sif(tmp_path / "movie.sif", frames, tracks=2))


@pytest.mark.parametrize("encoding", ["Mono16", "Mono32"])
@pytest.mark.parametrize(
    ("per_file", "pad", "tail"), [(5, 4, 48), (1, 0, 0), (1, 0, 800), (4, 0, 0)]
)
def test_spool_folder(tmp_path, frames, encoding, per_file, pad, tail):
    folder = tmp_path / "spool"
    write_spool(folder, frames, per_file=per_file, encoding=encoding, pad=pad, tail=tail)
    movie = open_movie(folder)
    assert movie.shape == frames.shape
    assert movie.dtype == {"Mono16": np.uint16, "Mono32": np.uint32}[encoding]
    assert movie.exposure_s == pytest.approx(0.02)
    np.testing.assert_array_equal(read(folder), frames)
    np.testing.assert_array_equal(read(folder / "Spooled files.sifx", size=12), frames)
    assert len(movie_files(folder)) == len(movie_files(folder / "Spooled files.sifx"))


def test_a_percent_sign_in_the_description_of_a_spool_folder_is_text(tmp_path, frames):
    folder = write_spool(tmp_path / "spool", frames)
    with (folder / "acquisitionmetadata.ini").open("a", encoding="utf-8") as file:
        file.write("[notes]\nLaser = 50 %\n")
    np.testing.assert_array_equal(read(folder), frames)


def test_spool_folder_without_its_last_or_a_middle_file(tmp_path, frames):
    folder = write_spool(tmp_path / "spool", frames)
    (folder / "2000000000spool.dat").unlink()
    with pytest.raises(InputError, match="promises 12, the file holds 10"):
        open_movie(folder)
    (folder / "1000000000spool.dat").rename(folder / "2000000000spool.dat")
    with pytest.raises(InputError, match=r"in the middle.*holds 7; .* frame 5,.*::frames=5'"):
        open_movie(folder)
    assert open_movie(f"{folder}::frames=5").shape[0] == 5


def test_incomplete_spool_folders(tmp_path, frames):
    folder = write_spool(tmp_path / "spool", frames)
    ini = folder / "acquisitionmetadata.ini"
    text = ini.read_text(encoding="utf-8-sig")
    ini.write_text(text.replace("Mono16", "Mono12Packed"))
    with pytest.raises(InputError, match=r"Mono12Packed.*TIFF in Andor Solis"):
        open_movie(folder)
    ini.write_text(text.replace("AOIStride", "Stride"))
    with pytest.raises(InputError, match="AOIStride missing"):
        open_movie(folder)
    ini.unlink()
    with pytest.raises(InputError, match=r"one '\*\.ini' file, this one has 0"):
        open_movie(folder)


def test_a_folder_that_is_no_spool_folder(tmp_path):
    with pytest.raises(InputError, match="not an Andor spool folder"):
        open_movie(tmp_path)


def test_another_version_of_the_library_is_no_damaged_file(tmp_path):
    path = tmp_path / "movie.sif"
    path.write_bytes(sif_header(np.arange(2) * 2e4))
    other = tmp_path / "sif_parser"
    other.mkdir()
    for module, text in (("__init__", ""), ("utils", "ordered_dat_files = 0"), ("_sif_open", "")):
        (other / f"{module}.py").write_text(text)
    code = "import sys; from blinkpair.movie.reader import open_movie; open_movie(sys.argv[1])"
    python = subprocess.run(
        [sys.executable, "-c", code, path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "scripts")])},
        capture_output=True,
        text=True,
    )
    wrong = r"ImportError: this version of sif_parser lacks.*envs/run\.lock"
    assert re.search(wrong, python.stderr)


def test_frames_beyond_those_of_the_header_are_reported(tmp_path, frames):
    folder = write_spool(tmp_path / "spool", frames)
    (folder / "Spooled files.sifx").write_bytes(sif_header(np.zeros(5)))
    movie = open_movie(folder)
    assert movie.shape[0] == 5
    assert "10 frames in its files are more than its .sifx has" in movie.notes[0]


@pytest.mark.parametrize(
    ("setting", "other", "says"),
    [
        ("ImagesPerFile = 5", "ImagesPerFile = 4", "which are not 4 frames of 408"),
        ("AOIStride = 36", "AOIStride = 30", "16 pixels of 2 bytes are not a row of 30 bytes"),
        ("AOIStride = 36", "AOIStride = 37", "16 pixels of 2 bytes are not a row of 37 bytes"),
        ("AOIStride = 36", "AOIStride = 42", "10 rows of 42 bytes are a frame of 408 bytes"),
        ("ImageSizeBytes = 408", "ImageSizeBytes = 2040", "10 rows of 36 bytes are a frame of"),
        ("AOIHeight = 10", "AOIHeight = 8", r".sifx has frames of 16 x 10, its .ini 16 x 8"),
    ],
)
def test_a_description_of_another_recording_is_refused(tmp_path, frames, setting, other, says):
    folder = write_spool(tmp_path / "spool", frames)
    ini = folder / "acquisitionmetadata.ini"
    ini.write_text(ini.read_text("utf-8-sig").replace(setting, other), "utf-8-sig")
    with pytest.raises(InputError, match=f"do not fit together: .*{says}"):
        open_movie(folder)


def test_counts_that_solis_converted_are_reported(tmp_path, frames):
    path = write_sif(tmp_path / "movie.sif", frames)
    path.write_bytes(path.read_bytes().replace(b"6\nCounts", b"7\nPhotons"))
    assert open_movie(path).notes == ("Solis saved it in 'Photons', not in the camera's counts",)
