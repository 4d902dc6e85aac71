"""TIFF: every way a movie is written into one, and every way it is cut off."""

import os
import struct

import numpy as np
import pytest
import tifffile

from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie
from tests.helpers.set_files import metamorph_bytes

FRAMES, HEIGHT, WIDTH = 23, 24, 40


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(5).integers(0, 4000, (FRAMES, HEIGHT, WIDTH)).astype(np.uint16)


def read(path, size=5, **how):
    return np.concatenate([block.copy() for block in open_movie(path).blocks(size, **how)])


def one_page_each(path, frames, **how):
    with tifffile.TiffWriter(path, **how) as tif:
        for frame in frames:
            tif.write(frame, contiguous=False, metadata=None)


WRITERS = {
    "in one go": lambda p, f: tifffile.imwrite(p, f),
    "BigTIFF": lambda p, f: tifffile.imwrite(p, f, bigtiff=True),
    "big-endian": lambda p, f: tifffile.imwrite(p, f, byteorder=">"),
    "a page each": one_page_each,
    "a page each, BigTIFF": lambda p, f: one_page_each(p, f, bigtiff=True),
    "a page each, big-endian": lambda p, f: one_page_each(p, f, byteorder=">"),
    "many strips": lambda p, f: tifffile.imwrite(p, f, rowsperstrip=5, metadata=None),
    "tiles": lambda p, f: tifffile.imwrite(p, f, tile=(16, 16)),
    "OME": lambda p, f: tifffile.imwrite(p, f, ome=True, metadata={"axes": "TYX"}),
    "ImageJ": lambda p, f: tifffile.imwrite(p, f, imagej=True, metadata={"axes": "TYX"}),
    "frame by frame by a script": lambda p, f: [tifffile.imwrite(p, x, append=True) for x in f],
    "block by block by a script": lambda p, f: [
        tifffile.imwrite(p, f[k : k + 10], append=True, photometric="minisblack")
        for k in range(0, len(f), 10)
    ],
    "zlib": lambda p, f: tifffile.imwrite(p, f, compression="zlib", predictor=True),
    "LZW": lambda p, f: tifffile.imwrite(p, f, compression="lzw", rowsperstrip=7),
    "zstd tiles": lambda p, f: tifffile.imwrite(p, f, compression="zstd", tile=(16, 16)),
    "PackBits ImageJ": lambda p, f: tifffile.imwrite(
        p, f, compression="packbits", imagej=True, metadata={"axes": "TYX"}
    ),
}


@pytest.mark.parametrize("how", WRITERS)
def test_every_kind_gives_back_the_frames(tmp_path, frames, how):
    path = tmp_path / "movie.tif"
    WRITERS[how](path, frames)
    movie = open_movie(path)
    assert movie.shape == frames.shape
    assert movie.dtype == np.uint16
    assert movie.dtype.isnative
    for threads in (1, 3):
        np.testing.assert_array_equal(read(path, threads=threads), frames)
    np.testing.assert_array_equal(next(movie.blocks(6, start=11, stop=14)), frames[11:14])


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]
)
@pytest.mark.parametrize("byteorder", "<>")
def test_counts_are_passed_as_they_are(tmp_path, frames, dtype, byteorder):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames.astype(dtype), byteorder=byteorder)
    assert open_movie(path).dtype == np.dtype(dtype)
    np.testing.assert_array_equal(read(path), frames.astype(dtype))


@pytest.mark.parametrize(
    "how", [{}, {"byteorder": ">"}, {"compression": "zlib", "predictor": 2}, {"tile": (16, 16)}]
)
@pytest.mark.parametrize("kind", [np.uint32, np.int32])
def test_fractions_that_are_called_whole_numbers_are_read_and_reported(tmp_path, frames, how, kind):
    path = tmp_path / "a.tif"
    fractions = (frames - 300.0).astype(np.float32) / 7
    tifffile.imwrite(path, fractions.view(kind), photometric="minisblack", **how)
    np.testing.assert_array_equal(read(path), fractions)
    assert any("read as fractions" in note for note in open_movie(path).notes)


@pytest.mark.parametrize("counts", [(0, 1), (-5, 5), (0, 2**24), (2**29, 2**29 + 2**16)])
def test_whole_numbers_of_32_bits_stay_whole(tmp_path, counts):
    # Sums of 8,000 frames of 16 bits are 2**29.
    whole = np.random.default_rng(0).integers(*counts, (3, HEIGHT, WIDTH)).astype(np.int32)
    tifffile.imwrite(tmp_path / "a.tif", whole, photometric="minisblack")
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), whole)
    assert open_movie(tmp_path / "a.tif").notes == ()


def test_imagej_hyperstack_above_4_gb_has_one_page(tmp_path):
    # 9,000 frames of 512 x 512 x 2 bytes are 4.7 GB, more than a TIFF can address: ImageJ writes
    # one page and puts the number of frames into its text. The file is sparse.
    count, size = 9000, 512 * 512 * 2
    path = tmp_path / "movie.tif"
    small = np.zeros((1, 512, 512), np.uint16)
    text = f"ImageJ=1.53t\nimages={count}\nframes={count}\nunit=micron\nfinterval=0.02\n"
    tifffile.imwrite(path, small, metadata=None, description=text, resolution=(6.25, 6.25))
    with tifffile.TiffFile(path) as tif:
        start = tif.pages.first.dataoffsets[0]
    last = np.random.default_rng(1).integers(0, 9, (2, 512, 512)).astype(np.uint16)
    with path.open("r+b") as file:
        file.seek(start + (count - 2) * size)
        file.write(last.tobytes())
    movie = open_movie(path)
    assert movie.shape == (count, 512, 512)
    assert (movie.exposure_s, movie.pixel_size_um) == (0.02, pytest.approx(0.16))
    (block,) = movie.blocks(3, start=count - 3)
    assert not block[0].any()
    np.testing.assert_array_equal(block[1:], last)
    os.truncate(path, start + 8500 * size + 1000)
    with pytest.raises(InputError, match=r"promises 9000, the file holds 8500.*::frames=8500"):
        open_movie(path)
    assert open_movie(f"{path}::frames=8500").shape == (8500, 512, 512)


@pytest.mark.parametrize(
    "how", ["in one go", "BigTIFF", "ImageJ", "OME", "a page each", "zlib", "LZW"]
)
@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_a_movie_that_is_cut_off_is_refused(tmp_path, frames, how, keep):
    path = tmp_path / "movie.tif"
    WRITERS[how](path, frames)
    os.truncate(path, int(path.stat().st_size * keep))
    with pytest.raises(
        InputError, match=r"movie\.tif: .*(missing at the end|cut off|not one|damaged)"
    ):
        open_movie(path)


@pytest.mark.parametrize("how", ["in one go", "ImageJ", "a page each"])
def test_what_is_left_of_it_can_be_used(tmp_path, frames, how):
    path = tmp_path / "movie.tif"
    WRITERS[how](path, frames)
    os.truncate(path, int(path.stat().st_size * 0.5))
    with pytest.raises(InputError, match=r"::frames=(\d+)") as caught:
        open_movie(path)
    left = int(str(caught.value).split("::frames=")[1].split("'")[0])
    # Half of the file, within a frame and the headers.
    assert 0.5 * FRAMES - 2 <= left <= 0.5 * FRAMES + 1
    np.testing.assert_array_equal(read(f"{path}::frames={left}"), frames[:left])


def test_only_the_directory_at_the_end_is_lost(tmp_path, frames):
    # All pixels are there, and the first page says how many frames they are.
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames)
    with tifffile.TiffFile(path) as tif:
        os.truncate(path, tif.pages.first.dataoffsets[0] + frames.nbytes)
    np.testing.assert_array_equal(read(path), frames)


def test_asking_for_more_frames_than_there_are(tmp_path, frames):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames)
    with pytest.raises(InputError, match="is more frames than the 23"):
        open_movie(f"{path}::frames=24")


def test_damage_within_a_compressed_movie_names_the_frame(tmp_path, frames):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames, compression="zlib")
    with tifffile.TiffFile(path) as tif:
        place = tif.pages[12].dataoffsets[0]
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 40)
    for threads in (1, 3):
        with pytest.raises(InputError, match="frame 12 cannot be decoded"):
            read(path, threads=threads)


def test_channels_and_planes_need_a_choice(tmp_path, frames):
    path = tmp_path / "movie.tif"
    stack = frames[:20].reshape(5, 2, 2, HEIGHT, WIDTH)
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "TZCYX", "Labels": ["BF", "PL"]})
    with pytest.raises(InputError, match=r"2 z planes.*2 channels.*::z=0::channel=BF"):
        open_movie(path)
    with pytest.raises(InputError, match="2 z planes"):
        open_movie(f"{path}::channel=PL")
    np.testing.assert_array_equal(read(f"{path}::channel=PL::z=1"), stack[:, 1, 1])
    np.testing.assert_array_equal(read(f"{path}::z=0::channel=0"), stack[:, 0, 0])
    assert open_movie(path, channel="pl", z=0).channel == "PL"
    with pytest.raises(InputError, match=r"no channel 'GFP'.*0 'BF', 1 'PL'"):
        open_movie(path, channel="GFP", z=0)


def test_large_planes_between_the_frames_are_left_out(tmp_path):
    # Planes of 32 kB: stepping around them is cheaper than reading them.
    stack = np.random.default_rng(6).integers(0, 4000, (9, 2, 128, 128)).astype(np.uint16)
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "TCYX"})
    np.testing.assert_array_equal(read(f"{path}::channel=1"), stack[:, 1])


def test_a_plain_imagej_stack_is_a_movie(tmp_path, frames):
    # ImageJ calls the images of any stack z slices, unless somebody has said otherwise.
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames, imagej=True, metadata={"axes": "ZYX"})
    movie = open_movie(path)
    assert movie.shape == frames.shape
    assert "z slices" in movie.notes[0]
    assert open_movie(path, z=3).shape == (1, HEIGHT, WIDTH)


@pytest.mark.parametrize("form", ["imagej", "ome"])
def test_an_array_without_named_axes_is_a_movie(tmp_path, frames, form):
    # tifffile names the frames of such an array channels; ImageJ shows at most 7 of them.
    path = tmp_path / "movie.tif"
    eight = np.concatenate([frames] * 4)[:8]
    tifffile.imwrite(path, eight, **{form: True})
    with tifffile.TiffFile(path) as tif:
        assert tif.series[0].axes == "CYX"
    movie = open_movie(path)
    assert movie.shape == (8, HEIGHT, WIDTH)
    assert any("8 channels" in note for note in movie.notes)
    np.testing.assert_array_equal(read(path), eight)
    tifffile.imwrite(path, eight[:7], **{form: True})
    with pytest.raises(InputError, match="holds 7 channels"):
        open_movie(path)


def test_channels_of_ome_that_have_names_are_channels(tmp_path, frames):
    path = tmp_path / "movie.ome.tif"
    names = {"axes": "CYX", "Channel": {"Name": [f"{500 + 10 * k} nm" for k in range(8)]}}
    tifffile.imwrite(path, np.concatenate([frames] * 4)[:8], metadata=names)
    with pytest.raises(InputError, match="holds 8 channels"):
        open_movie(path)


def test_a_z_stack_of_ome_needs_a_word(tmp_path, frames):
    path = tmp_path / "movie.ome.tif"
    tifffile.imwrite(path, frames, metadata={"axes": "ZYX"})
    with pytest.raises(InputError, match="::z=time"):
        open_movie(path)
    np.testing.assert_array_equal(read(f"{path}::z=time"), frames)


def test_a_choice_that_the_file_does_not_offer(tmp_path, frames):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames)
    assert open_movie(f"{path}::channel=0").shape == frames.shape
    with pytest.raises(InputError, match="no channel 'GFP'"):
        open_movie(f"{path}::channel=GFP")


def test_colour_is_refused(tmp_path):
    path = tmp_path / "rgb.tif"
    tifffile.imwrite(path, np.zeros((4, 20, 30, 3), np.uint8), photometric="rgb")
    with pytest.raises(InputError, match=r"rgb\.tif: .*colour.*16-bit"):
        open_movie(path)


def test_images_of_different_size_need_a_choice(tmp_path, frames):
    path = tmp_path / "two.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(frames)
        tif.write(frames[0, :10, :12])
    with pytest.raises(InputError, match=r"2 images.*23 x 24 x 40.*10 x 12.*::position=0"):
        open_movie(path)
    np.testing.assert_array_equal(read(f"{path}::position=0"), frames)


def test_an_inverted_display_is_said(tmp_path, frames):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames, photometric="miniswhite")
    assert "0 to be shown as white" in open_movie(path).notes[0]
    np.testing.assert_array_equal(read(path), frames)


def test_bits_are_refused(tmp_path):
    path = tmp_path / "bits.tif"
    tifffile.imwrite(path, np.zeros((20, 32), bool))
    with pytest.raises(InputError, match="of type bool"):
        open_movie(path)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ((258, 3, 1, 16), (258, 3, 1, 12), "tags give 12 bits a pixel, its pixels take 16"),
        ((277, 3, 1, 1), (317, 3, 1, 2), "a predictor without a compression"),
        ((277, 3, 1, 1), (266, 3, 1, 2), "the bits of each byte in reverse"),
    ],
)
def test_uncompressed_pixels_that_programs_read_differently_are_refused(
    tmp_path, frames, before, after, says
):
    path = tmp_path / "movie.tif"
    one_page_each(path, frames)
    before, after = (struct.pack("<HHII", *tag) for tag in (before, after))
    path.write_bytes(path.read_bytes().replace(before, after))
    with pytest.raises(InputError, match=says):
        open_movie(path)


def test_pixels_packed_in_12_bits_are_read(tmp_path, frames):
    path = tmp_path / "movie.tif"
    with tifffile.TiffWriter(path) as tif:
        for frame in frames:
            tif.write(frame, bitspersample=12, photometric="minisblack", metadata=None)
    np.testing.assert_array_equal(read(path), frames)


def test_a_stack_of_metamorph_across_midnight(tmp_path, frames):
    path = tmp_path / "movie.stk"
    path.write_bytes(metamorph_bytes(frames, (86_399_900 + 20 * np.arange(FRAMES)) % 86_400_000))
    movie = open_movie(path)
    np.testing.assert_array_equal(read(path), frames)
    assert movie.exposure_s == pytest.approx(0.02)
    assert movie.pixel_size_um == pytest.approx(0.16)
    path.write_bytes(path.read_bytes()[: -5 * HEIGHT * WIDTH * 2])
    with pytest.raises(InputError, match="promises 23, the file holds 18"):
        open_movie(path)


def test_a_calibration_of_grey_values_is_reported(tmp_path, frames):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames, imagej=True, metadata={"axes": "TYX", "c0": 0.0, "c1": 2.5})
    assert "ImageJ shows them times 2.5 (a calibration)" in open_movie(path).notes[0]
    np.testing.assert_array_equal(read(path), frames)
