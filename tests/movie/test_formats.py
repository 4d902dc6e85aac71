"""The contract of every format: the right frames, in any blocks; nothing of a damaged file."""

from __future__ import annotations

import io
import os
import re
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
from tests.helpers.nd2_files import TINY, rewrite
from tests.helpers.set_files import ome_files, stack_bytes, write_ndtiff
from tests.helpers.sif_files import HEIGHT, WIDTH, sif_header, write_spool

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


# Movies of which frames from the eighth or ninth on are not in the file, or not in a file that is
# there. The libraries of ND2, OME and NDTiff fill up with zeros.
def nd2_stopped(folder):
    def stop(chunks):
        for name in [name for name in chunks if name.startswith(b"ImageDataSeq|")]:
            if int(name[13:-1]) >= 8:
                del chunks[name]

    return rewrite(folder / "a.nd2", stop), nd2.imread(TINY)


def tiff_cut(folder, **how):
    path = folder / "a.tif"
    tifffile.imwrite(path, FRAMES, photometric="minisblack", **how)
    with tifffile.TiffFile(path) as tif:
        start = tif.pages.first.dataoffsets[0]
    os.truncate(path, start + 8 * FRAMES[0].nbytes + 5)
    return path, FRAMES


def tiff_of_fewer_pages(folder, **how):
    path = folder / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for k, frame in enumerate(FRAMES[:8]):
            text = "ImageJ=1.53t\nimages=12\nframes=12\n" if k == 0 else None
            tif.write(frame, contiguous=False, metadata=None, description=text, **how)
    return path, FRAMES


def ome_of_fewer_pages(folder):
    path = folder / "a.ome.tif"
    tifffile.imwrite(path, FRAMES, metadata={"axes": "TYX"})
    with tifffile.TiffFile(path) as tif:
        text = tif.ome_metadata
    tifffile.imwrite(path, FRAMES[:8], metadata=None, description=text, ome=False)
    return path, FRAMES


def ome_of_a_plane_not_listed(folder, **how):
    listed = [t for t in range(12) if t != 8]
    data = "".join(f'<TiffData FirstT="{t}" IFD="{k}"/>' for k, t in enumerate(listed))
    text = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" ID="Pixels:0" Type="uint16" '
        f'SizeX="{WIDTH}" SizeY="{HEIGHT}" SizeC="1" SizeZ="1" SizeT="12">{data}</Pixels></Image>'
        "</OME>"
    )
    with tifffile.TiffWriter(folder / "a.ome.tif", ome=False) as tif:
        for k, t in enumerate(listed):
            about = text if k == 0 else None
            tif.write(FRAMES[t], contiguous=False, metadata=None, description=about, **how)
    return folder / "a.ome.tif", FRAMES


def ome_part(folder):
    first, _ = ome_files(FRAMES, 8).items()
    (folder / first[0]).write_bytes(first[1])
    return folder / first[0], FRAMES


def stack_stopped(folder):
    (folder / "a.tif").write_bytes(stack_bytes(FRAMES[:8], planned=12))
    return folder / "a.tif", FRAMES


def stack_in_the_middle(folder):
    for name, some in (("a.tif", slice(8)), ("a_2.tif", slice(10, 12))):
        data = stack_bytes(FRAMES[some], planned=12, first=some.start or 0)
        (folder / name).write_bytes(data)
    return folder / "a.tif", FRAMES


def ndtiff_part(folder):
    files = write_ndtiff(folder, [({"time": t}, frame) for t, frame in enumerate(FRAMES)], 4)
    files[2].unlink()
    return files[0], FRAMES


def ndtiff_gap(folder):
    times = [*range(8), 9, 10, 11, 12]
    planes = [({"time": t}, frame) for t, frame in zip(times, FRAMES, strict=True)]
    return write_ndtiff(folder, planes, 20)[0], FRAMES


def sif_cut(folder):
    content, frames = sif()
    end = len(content) - 4 - 4 * frames[0].nbytes
    (folder / "a.sif").write_bytes(content[:end])
    return folder / "a.sif", frames


def spool_part(folder):
    path = write_spool(folder / "spool", FRAMES, per_file=4)
    (path / "2000000000spool.dat").unlink()
    return path, FRAMES


def parts_cut(folder):
    for name, some in (("a_1.tif", FRAMES[:5]), ("a_2.tif", FRAMES[5:])):
        tifffile.imwrite(folder / name, some, photometric="minisblack", metadata={"axes": "TYX"})
    with tifffile.TiffFile(folder / "a_2.tif") as tif:
        start = tif.pages.first.dataoffsets[0]
    os.truncate(folder / "a_2.tif", start + 3 * FRAMES[0].nbytes + 5)
    return folder / "a_*.tif", FRAMES


INCOMPLETE = {
    "ND2, stopped": nd2_stopped,
    "TIFF, cut": tiff_cut,
    "BigTIFF, cut": lambda folder: tiff_cut(folder, bigtiff=True),
    "ImageJ, cut": lambda folder: tiff_cut(folder, imagej=True, metadata={"axes": "TYX"}),
    "ImageJ, fewer pages": tiff_of_fewer_pages,
    "ImageJ, fewer pages, deflated": lambda folder: tiff_of_fewer_pages(folder, compression="zlib"),
    "OME, fewer pages": ome_of_fewer_pages,
    "OME, a plane not listed": ome_of_a_plane_not_listed,
    "OME, a plane not listed, deflated": lambda folder: ome_of_a_plane_not_listed(
        folder, compression="zlib"
    ),
    "OME, a file missing": ome_part,
    "Micro-Manager, stopped": stack_stopped,
    "Micro-Manager, a file missing": stack_in_the_middle,
    "NDTiff, a file missing": ndtiff_part,
    "NDTiff, a frame missing": ndtiff_gap,
    "SIF, cut": sif_cut,
    "spool folder, a file missing": spool_part,
    "parts, the last one cut": parts_cut,
}


@pytest.mark.parametrize("kind", INCOMPLETE)
def test_frames_that_are_not_in_the_file_are_refused_and_the_others_can_be_used(tmp_path, kind):
    path, frames = INCOMPLETE[kind](tmp_path)
    with pytest.raises(
        InputError, match=r"frames are missing (at the end|in the middle)"
    ) as caught:
        open_movie(path)
    (hint,) = re.findall(r"'::frames=(\d+)'", str(caught.value))
    assert hint == "8"
    movie = open_movie(f"{path}::frames=8")
    np.testing.assert_array_equal(np.concatenate(list(movie.blocks(3))), frames[:8])
    with pytest.raises(InputError):
        open_movie(f"{path}::frames=9")


def test_a_movie_whose_first_file_is_missing_has_no_hint(tmp_path):
    (_, _), (name, data) = ome_files(FRAMES, 8).items()
    (tmp_path / name).write_bytes(data)
    with pytest.raises(
        InputError, match=r"missing at the beginning: .*\(a\.ome\.tif is not"
    ) as caught:
        open_movie(tmp_path / name)
    assert "::frames" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "start", "program"),
    [
        ("a", b"ZISRAWFILE" + bytes(22), "ZEN"),
        ("a.tif", b"\x70\0\0\0\x12\x34\0\0\x2a" + bytes(20), "LAS X"),
        ("a", b"DCIMG\0\0\0\7" + bytes(20), "HCImage"),
        ("a.SPE", bytes(4100), "not with the Bio-Formats importer"),
        ("a.fits", b"SIMPLE  =" + bytes(71), "not with the Bio-Formats importer"),
        ("a.his", b"IM\x5e\0" + bytes(60), "HiPic"),
        ("a", b"RIFF\x10\x20\0\0AVI LIST", "the program that recorded it"),
        ("a", b"\0\0\0\x18ftypmp42" + bytes(8), "the program that recorded it"),
        ("a.ims", b"\x89HDF\r\n\x1a\n" + bytes(40), "Fiji"),
        ("a.tif", b"\x1f\x8b\x08\0" + bytes(12), "unpack it"),
        ("a.cxd", b"\xd0\xcf\x11\xe0" + bytes(60), "Bio-Formats"),
        ("a", b"\xfe\xed\0\0N\0o\0r\0p\0i\0x\0 \0s\0e\0q\0", "the program that wrote it"),
        ("a", b"OMAS_BF_\n" + bytes(60), "Imspector"),
        ("a.dv", bytes(1024), "the program that wrote it"),
        ("a.companion.ome", b'<?xml version="1.0"?><OME>', ".ome.tif files"),
        ("a.ptu", b"PQTTTR\0\0" + bytes(60), "sheet of films"),
        ("0000000000spool.dat", bytes(400), "spool folder"),
        ("a.webm", b"\x1aE\xdf\xa3" + bytes(60), "the program that recorded it"),
    ],
)
def test_a_format_that_cannot_be_read_is_named_with_the_way_out(tmp_path, name, start, program):
    path = tmp_path / name
    path.write_bytes(start)
    with pytest.raises(InputError, match="which cannot be read") as caught:
        open_movie(path)
    assert program in caught.value.hint


@pytest.mark.parametrize("file", [".zgroup", "zarr.json"])
def test_a_zarr_folder_is_named_with_the_way_out(tmp_path, file):
    (tmp_path / file).write_text("{}")
    with pytest.raises(InputError, match=r"is a Zarr folder, which cannot be read.*napari"):
        open_movie(tmp_path)


def test_a_format_that_can_be_read_is_recognised_before_the_suffix_of_another(file):
    path, frames = file
    for suffix in {suffix for one in FOREIGN for suffix in one.suffixes}:
        path = path.rename(path.with_suffix(suffix))
        assert open_movie(path).shape == frames.shape
