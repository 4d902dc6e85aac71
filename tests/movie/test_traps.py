"""Headers that promise the absurd, lead in circles or unfold without end: refused at once."""

import io
import itertools
import re
import struct
import zlib

import numpy as np
import pytest
import tifffile

from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie
from tests.helpers.mutants import FRAMES, fate, limits, read_movie, tiff_of
from tests.helpers.nd2_files import HEADER, TINY, rewrite, set_number
from tests.helpers.sif_files import sif_header


def refusal(path, data=None):
    """What is said of a file; the alarm is for a reader that waits or walks for ever."""
    if data is not None:
        path.write_bytes(data)
    with limits(20, 100):
        assert fate(read_movie, path) == "refused"
    with pytest.raises(InputError) as caught:
        read_movie(path)
    return str(caught.value)


def pages(bigtiff=False, **how):
    """A TIFF file with a page of its own for each frame, and its tags."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=bigtiff) as tif:
        for frame in FRAMES:
            tif.write(frame, contiguous=False, metadata=None, photometric="minisblack", **how)
    data = file.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        return bytearray(data), [page.tags for page in tif.pages]


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("back", [0, 1])
def test_pages_that_lead_in_a_circle_are_refused(tmp_path, bigtiff, back):
    data, _ = pages(bigtiff)
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        last, target = tif.pages[-1], tif.pages[back]
        at = last.offset + tif.tiff.tagnosize + len(last.tags) * tif.tiff.tagsize
        struct.pack_into(tif.tiff.offsetformat, data, at, target.offset)
    assert "leads back to an earlier one" in refusal(tmp_path / "a.tif", data)


@pytest.mark.parametrize("tag", ["ImageWidth", "ImageLength"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("value", [0, 2**32 - 1])
def test_a_frame_of_absurd_size_is_refused(tmp_path, tag, compression, value):
    data, tags = pages(compression=compression)
    struct.pack_into("<HII", data, tags[0][tag].offset + 2, 4, 1, value)  # as LONG, one of them
    assert "no camera delivers" in refusal(tmp_path / "a.tif", data)


@pytest.mark.parametrize("tag", ["TileWidth", "TileLength"])
def test_a_tile_of_absurd_size_is_refused(tmp_path, tag):
    data, tags = pages(compression="zlib", tile=(16, 16))
    struct.pack_into("<HII", data, tags[0][tag].offset + 2, 4, 1, 2**24)
    assert "no camera delivers" in refusal(tmp_path / "a.tif", data)


@pytest.mark.parametrize("tag", ["StripOffsets", "StripByteCounts"])
def test_a_place_before_the_file_is_refused(tmp_path, tag):
    data, tags = pages(compression="zlib")
    for own in tags:
        struct.pack_into("<HIi", data, own[tag].offset + 2, 9, 1, -5)  # as SLONG, one of them
    assert "not one is there in full" in refusal(tmp_path / "a.tif", data)


@pytest.mark.parametrize("frames", [10**8, 10**12, 10**30])
def test_an_absurd_number_of_frames_is_refused(tmp_path, frames):
    path = tmp_path / "a.tif"
    text = f"ImageJ=1.53t\nimages={frames}\nframes={frames}\nunit=micron\n"
    tifffile.imwrite(path, FRAMES[:1], metadata=None, description=text)
    assert f"promises {frames} frames" in refusal(path)
    with tifffile.TiffFile(io.BytesIO(tiff_of("OME"))) as tif:
        xml = tif.ome_metadata
    for axis in "TZCX":
        absurd = re.sub(f'Size{axis}="\\d+"', f'Size{axis}="{frames}"', xml)
        tifffile.imwrite(path, FRAMES, metadata=None, description=absurd, photometric="minisblack")
        assert "no camera delivers" in refusal(path)


def test_an_ome_text_that_unfolds_is_refused(tmp_path):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffFile(io.BytesIO(tiff_of("OME"))) as tif:
        xml = tif.ome_metadata
    names = "abcdefghij"
    laughs = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {name} "{10 * f"&{before};"}">' for before, name in itertools.pairwise(names)
    )
    bomb = xml.replace("?>", f"?><!DOCTYPE OME [{laughs}]>", 1)
    bomb = bomb.replace("<Image ", "<Description>&j;</Description><Image ", 1)
    tifffile.imwrite(path, FRAMES, metadata=None, description=bomb, photometric="minisblack")
    assert "defines a document type" in refusal(path)


def test_a_strip_unfolds_to_its_frame_and_no_further(tmp_path):
    data, tags = pages(compression="zlib")
    bomb = zlib.compress(bytes(2**27), 9)
    struct.pack_into("<I", data, tags[0]["StripOffsets"].valueoffset, len(data))
    struct.pack_into("<I", data, tags[0]["StripByteCounts"].valueoffset, len(bomb))
    path = tmp_path / "a.tif"
    path.write_bytes(data + bomb)
    with limits(20, 100):
        assert fate(read_movie, path) in ("read", "refused")


def test_a_deflated_nd2_frame_unfolds_to_its_size_and_no_further(tmp_path):
    bomb = zlib.compress(bytes(2**27), 9)

    def change(chunks):
        key = b"ImageAttributesLV!"
        chunks[key] = set_number(chunks[key], "eCompression", struct.pack("<i", 0))
        for i in range(25):
            chunks[f"ImageDataSeq|{i}!".encode()] = bytes(8) + bomb

    path = rewrite(tmp_path / "a.nd2", change)
    with limits(20, 100):
        first = next(open_movie(path).blocks(1, threads=1))
    assert not first.any()


@pytest.mark.parametrize("n_bytes", [2**22, 2**40, 2**64 - 1])
@pytest.mark.parametrize("name", [b"ImageAttributesLV!", b"ImageMetadataSeqLV|0!"])
def test_a_chunk_that_does_not_end_within_its_file_is_refused(tmp_path, n_bytes, name):
    data = bytearray(TINY.read_bytes())
    at = data.index(name)  # behind the chunk's header
    struct.pack_into("<Q", data, at - HEADER.size + 8, n_bytes)
    assert "only a part of one" in refusal(tmp_path / "a.nd2", data)


def test_a_sif_header_that_ends_anywhere_is_refused_and_not_waited_for(tmp_path):
    data = sif_header(np.zeros(3))
    for end in range(36, len(data) - 1, 7):
        assert "Hint: " in refusal(tmp_path / "a.sif", data[:end])


@pytest.mark.parametrize("length", [-1, 2**33])
def test_a_text_in_a_sif_header_is_not_the_movie(tmp_path, length):
    data = sif_header(np.zeros(3)).replace(b"65538 4\ntext", f"65538 {length}\ntext".encode())
    assert f"a text of {length} bytes" in refusal(tmp_path / "a.sif", data)
