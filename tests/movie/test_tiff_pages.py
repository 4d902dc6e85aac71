"""A TIFF's pages against the texts in it, and pages that differ from the first."""

import io
import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie

N = 30


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(5).integers(90, 4000, (N, 16, 24)).astype(np.uint16)


def read(path):
    return np.concatenate([block.copy() for block in open_movie(path).blocks(7)])


def imagej(n, **more):
    lines = {"images": n, "frames": n} | more
    return "ImageJ=1.53t\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def shaped(n):
    return f'{{"shape": [{n}, 16, 24]}}'


def pages(path, frames, text="", *, every=False, odd=None, **how):
    """Write a page for each frame; `odd`: number of one, and how it is written."""
    file = {key: how.pop(key) for key in ("bigtiff", "byteorder") if key in how}
    with tifffile.TiffWriter(path, **file) as tif:
        for k, frame in enumerate(frames):
            own = odd[1] if odd and k == odd[0] else how
            about = text if every or k == 0 else None
            tif.write(
                frame.astype(own.get("dtype", frame.dtype)),
                **{key: value for key, value in own.items() if key != "dtype"},
                description=about or None,
                contiguous=False,
                metadata=None,
                photometric="minisblack",
            )
    return path


def pillow(path, frames, text, **how):
    first, *rest = [Image.fromarray(frame) for frame in frames]
    first.save(path, save_all=True, append_images=rest, tiffinfo={270: text}, **how)
    return path


HOW = [{}, {"compression": "zlib"}, {"rowsperstrip": 5}, {"bigtiff": True}, {"byteorder": ">"}]


@pytest.mark.parametrize("text", [imagej, shaped])
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("every", [False, True])
def test_fewer_images_in_the_text_than_pages(tmp_path, frames, text, how, every):
    path = pages(tmp_path / "a.tif", frames, text(11), every=every, **how)
    np.testing.assert_array_equal(read(path), frames)
    assert "its text describes 11 images, and it holds 30" in open_movie(path).notes[0]


@pytest.mark.parametrize("text", [imagej, shaped])
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("n", [8, 29])
def test_the_hint_on_a_text_that_promises_more_leads_to_the_pages(tmp_path, frames, text, how, n):
    for path in (
        pages(tmp_path / "a.tif", frames[:n], text(N), **how),
        pillow(tmp_path / "b.tif", frames[:n], text(N)),
    ):
        with pytest.raises(InputError, match="promises 30") as caught:
            open_movie(path)
        (kept,) = re.findall(r"::frames=(\d+)", str(caught.value))
        np.testing.assert_array_equal(read(f"{path}::frames={kept}"), frames[:n])


def test_a_text_without_a_number_promises_nothing(tmp_path, frames):
    for text in ("ImageJ=1.53t\n", imagej(1), shaped(1), '{"shape": []}', '{"shape": "?"}'):
        path = pages(tmp_path / "a.tif", frames, text)
        np.testing.assert_array_equal(read(path), frames)


@pytest.mark.parametrize(
    ("axes", "says"),
    [
        ({"channels": 2, "frames": 15}, "holds 2 channels"),
        ({"channels": 4, "frames": 3}, "text describes 12 images .T 3 x C 4., and it holds 30"),
        ({"channels": 2, "slices": 3, "frames": 1}, "describes 6 images .Z 3 x C 2."),
    ],
)
def test_axes_that_the_pages_do_not_fill(tmp_path, frames, axes, says):
    path = pages(tmp_path / "a.tif", frames, imagej(N, **axes))
    with pytest.raises(InputError, match=says):
        open_movie(path)


def test_more_frames_of_two_channels_than_the_text_has(tmp_path, frames):
    path = pages(tmp_path / "a.tif", frames, imagej(12, channels=2, frames=6))
    np.testing.assert_array_equal(read(f"{path}::channel=1"), frames[1::2])
    assert "all of them were read" in open_movie(f"{path}::channel=1").notes[0]


@pytest.mark.parametrize("how", [{}, {"compression": "zlib"}])
def test_an_ome_text_that_does_not_describe_all_pages(tmp_path, frames, how):
    tifffile.imwrite(tmp_path / "a.ome.tif", frames[:11], metadata={"axes": "TYX"})
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        text = tif.ome_metadata
    for about, number in ((text, 11), (text.replace("<Pixels", "<<Pixels"), "none")):
        path = pages(tmp_path / "a.tif", frames, about, **how)
        with pytest.raises(InputError, match=f"text describes {number} of its 30 pages"):
            open_movie(path)


def test_frames_in_a_row_behind_one_page_and_further_pages_elsewhere(tmp_path, frames):
    # Neither the row nor the pages alone are the movie.
    path = tmp_path / "a.tif"
    text = imagej(10)
    tifffile.imwrite(path, frames[:1], metadata=None, description=text)
    with tifffile.TiffFile(path) as tif:
        page = tif.pages.first
        end = page.dataoffsets[0] + 10 * page.nbytes
    data = bytearray(path.read_bytes()[: page.dataoffsets[0]] + frames[:10].tobytes())
    assert len(data) == end
    path.write_bytes(data)
    np.testing.assert_array_equal(read(path), frames[:10])
    with tifffile.TiffWriter(path, append="force") as tif:
        tif.write(frames[10], metadata=None)
    with pytest.raises(InputError, match="describes 10 images, its 2 pages others"):
        open_movie(path)


@pytest.mark.parametrize("n", [3, 10])
def test_blocks_of_frames_behind_a_page_each(tmp_path, frames, n):
    path = tmp_path / "a.tif"
    how = {"photometric": "minisblack", "truncate": True}
    tifffile.imwrite(path, frames, **how)
    np.testing.assert_array_equal(read(path), frames)
    path.unlink()
    for k in range(0, N, n):
        tifffile.imwrite(path, frames[k : k + n], append=True, **how)
    with pytest.raises(InputError, match="frames without a page behind its pages"):
        open_movie(path)


@pytest.mark.parametrize("text", ["", imagej(N), shaped(N)])
@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ({"compression": "zlib"}, "page 17 of 30 has compression 8 and not 1"),
        ({"dtype": np.int16}, "page 17 of 30 has sample format 2 and not 1"),
        ({"dtype": np.uint32}, "page 17 of 30 has bits a pixel 32 and not 16"),
        ({"predictor": True, "compression": "zlib"}, "page 17 of 30 has compression 8 and not 1"),
    ],
)
def test_a_page_that_is_stored_in_another_way(tmp_path, frames, text, odd, says):
    path = pages(tmp_path / "a.tif", frames, text, odd=(17, odd))
    for asked in (path, f"{path}::position=0", f"{path}::frames=20"):
        with pytest.raises(InputError, match=says):
            open_movie(asked)


@pytest.mark.parametrize(
    ("software", "text"),
    [
        ("SI.VERSION_MAJOR = 2021\nSI.hChannels.channelSave = [1;2;4]", ""),
        ("", "scanimage.SI4.channelsSave = [1 2 3]\nscanimage.SI4.x = 4"),
        ("", "state.configName='x'\rstate.acq.savingChannel1=1\rstate.acq.savingChannel2=0\r"
         "state.acq.savingChannel3=1\rstate.acq.savingChannel4=1\r"),
    ],
)  # fmt: skip
def test_the_channels_that_scanimage_writes_in_turn(tmp_path, frames, software, text):
    how = {"photometric": "minisblack", "metadata": None, "description": text or None}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames, **how, software=software or None)
    with pytest.raises(InputError, match="holds 3 channels"):
        open_movie(path)
    np.testing.assert_array_equal(read(f"{path}::channel=1"), frames[1::3])
    tifffile.imwrite(path, frames[:-1], **how, software=software or None)
    with pytest.raises(InputError, match="describes 3 channels, and it holds 29 pages"):
        open_movie(path)
    one = software.replace("[1;2;4]", "1").replace("SI4", "SI")
    if software:
        tifffile.imwrite(path, frames, **how, software=one)
        np.testing.assert_array_equal(read(path), frames)


@pytest.mark.parametrize("kind", [1, 4])
def test_previews_and_masks_are_no_frames(tmp_path, frames, kind):
    path = tmp_path / "a.tif"
    how = {"photometric": "minisblack", "metadata": None, "contiguous": False}
    with tifffile.TiffWriter(path) as tif:
        for frame in frames:
            tif.write(frame, **how)
            tif.write(frame, subfiletype=1, **how)
    # Tag 254 with a preview (1), made a mask (4) here.
    of = [np.array([254, 4, 1, 0, n, 0], "<u2").tobytes() for n in (1, kind)]
    path.write_bytes(path.read_bytes().replace(*of))
    with pytest.raises(InputError, match="the preview or the mask of another"):
        open_movie(path)


def test_pages_that_are_volumes_are_refused(tmp_path, frames):
    path = tmp_path / "a.tif"
    how = {"photometric": "minisblack", "metadata": None, "volumetric": True}
    tifffile.imwrite(path, frames.reshape(5, 6, 16, 24), **how)
    with pytest.raises(InputError, match="each of its pages holds 6 planes"):
        open_movie(path)


def test_compressed_pages_of_other_strips(tmp_path, frames):
    how = {"compression": "zlib"}
    path = pages(tmp_path / "a.tif", frames, odd=(17, how | {"rowsperstrip": 4}), **how)
    with pytest.raises(InputError, match="page 17 of 30 has other strips"):
        open_movie(path)
    # Uncompressed ones follow each other, however many they are.
    path = pages(tmp_path / "a.tif", frames, odd=(17, {"rowsperstrip": 4}))
    np.testing.assert_array_equal(read(path), frames)


def test_a_page_of_another_size_within_an_imagej_stack(tmp_path, frames):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for k, frame in enumerate(frames):
            tif.write(
                frame[:8] if k == 17 else frame,
                contiguous=False,
                metadata=None,
                description=imagej(N) if k == 0 else None,
            )
    with pytest.raises(InputError, match=r"several sizes \(8 x 24, 16 x 24\)"):
        open_movie(path)


def test_an_array_whose_axes_have_no_names(tmp_path, frames):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames.reshape(15, 2, 16, 24), photometric="minisblack")
    with pytest.raises(InputError, match="arranged as 15 x 2, and nothing says which"):
        open_movie(path)
    tifffile.imwrite(path, frames.reshape(15, 2, 16, 24), metadata={"axes": "TCYX"})
    np.testing.assert_array_equal(read(f"{path}::channel=1"), frames[1::2])


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"compression": "jpeg"}, r"compressed with loss \(JPEG\)"),
        ({"compression": "jpeg2000", "compressionargs": {"level": 60}}, r"loss \(JPEG2000\)"),
        (
            {"compression": "jpeg2000", "compressionargs": {"level": 120, "reversible": True}},
            r"loss \(JPEG2000\)",
        ),
        ({"compression": "lerc", "compressionargs": {"level": 2.0}}, r"loss \(LERC\)"),
        (
            {"compression": "lerc", "compressionargs": {"level": 2.0, "compression": "deflate"}},
            r"loss \(LERC\)",
        ),
        ({"compression": "jpegxl", "compressionargs": {"distance": 1.0}}, "JPEGXL, of which it is"),
        ({"compression": "jpegxr", "compressionargs": {"level": 90}}, "JPEGXR, of which it is not"),
    ],
)
def test_lossy_compression_is_refused(tmp_path, frames, how, says):
    tifffile.imwrite(tmp_path / "a.tif", frames, photometric="minisblack", **how)
    with pytest.raises(InputError, match=f"{says}.*use the original recording"):
        open_movie(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "how",
    [
        {"compression": "jpeg", "compressionargs": {"lossless": True}},
        *({"compression": name} for name in ("jpeg2000", "lerc", "png", "lzma", "zstd")),
        {"compression": "lerc", "compressionargs": {"compression": "zstd"}},
    ],
)
def test_lossless_compression_is_read(tmp_path, frames, how):
    tifffile.imwrite(tmp_path / "a.tif", frames, photometric="minisblack", **how)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), frames)


def test_lossless_lerc_of_floats(tmp_path, frames):
    real = frames.astype(np.float32) / 7
    out = io.BytesIO()
    tifffile.imwrite(out, real, photometric="minisblack", compression="lerc")
    (tmp_path / "a.tif").write_bytes(out.getvalue())
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), real)


def test_a_movie_of_jpeg_images_is_refused(tmp_path, frames):
    for k in range(3):
        Image.fromarray((frames[k] // 16).astype(np.uint8)).save(tmp_path / f"a{k}.jpg")
    assert "alters counts" in open_movie(tmp_path / "a1.jpg").notes[0]
    with pytest.raises(InputError, match="a movie of JPEG images"):
        open_movie(tmp_path / "a*.jpg")
