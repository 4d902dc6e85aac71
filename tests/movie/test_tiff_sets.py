"""Recordings of several TIFF files: Micro-Manager, OME and NDTiff, whatever lies beside them."""

import shutil

import numpy as np
import pytest
import tifffile

from blinkpair.errors import ChoiceError, InputError
from blinkpair.movie.reader import open_movie
from tests.helpers.set_files import ome_files, stack_bytes, write_ndtiff

FRAMES, HEIGHT, WIDTH = 9, 16, 24
BORN = {"StartTime": "2024-05-02 10:00:00.000 +0200"}


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(5).integers(0, 4000, (FRAMES, HEIGHT, WIDTH)).astype(np.uint16)


@pytest.fixture(scope="module")
def other(frames):
    """Another recording of the same size."""
    return frames + np.uint16(9000)


def write(path, data):
    path.write_bytes(data)
    return path


def write_stacks(folder, frames, *names, **summary):
    """Write a Micro-Manager recording over two files, five frames in the first."""
    for name, part, first in zip(names, (frames[:5], frames[5:]), (0, 5), strict=True):
        write(folder / name, stack_bytes(part, planned=FRAMES, first=first, **summary))
    return folder / names[0]


def write_ome(folder, frames, **how):
    for name, data in ome_files(frames, 5, **how).items():
        write(folder / name, data)
    return folder


def read(path):
    return np.concatenate([block.copy() for block in open_movie(path).blocks(4)])


def test_micromanager(tmp_path, frames):
    path = write(tmp_path / "a_MMStack.tif", stack_bytes(frames))
    movie = open_movie(path)
    assert (movie.shape, movie.format) == (frames.shape, "Micro-Manager TIFF")
    assert movie.exposure_s == pytest.approx(0.020)
    assert movie.pixel_size_um == pytest.approx(0.16)
    assert movie.channel == "PL"
    np.testing.assert_array_equal(read(path), frames)


def test_elapsed_times_win_over_the_planned_interval(tmp_path, frames):
    # A camera that runs freely: the planned interval is 0, the exposure leaves out the read-out.
    elapsed = 31.0 * np.arange(FRAMES) + 400
    movie = open_movie(write(tmp_path / "a.tif", stack_bytes(frames, elapsed_ms=elapsed)))
    assert movie.exposure_s == pytest.approx(0.031)
    assert any("planned interval gives 0" in note for note in movie.notes)
    assert any("exposure gives 20 ms but frames follow" in note for note in movie.notes)


def test_a_stack_in_two_files(tmp_path, frames):
    # Micro-Manager starts a new file every 4 GB; both carry the summary of the whole.
    first = write_stacks(tmp_path, frames, "run_MMStack.ome.tif", "run_MMStack_1.ome.tif")
    second = first.with_name("run_MMStack_1.ome.tif")
    for path in (first, second, tmp_path / "run_MMStack*.ome.tif"):
        movie = open_movie(path)
        assert [one.name for one in movie.paths] == [first.name, second.name]
        np.testing.assert_array_equal(read(path), frames)
    second.unlink()
    with pytest.raises(InputError, match=r"promises 9, the file holds 5"):
        open_movie(first)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (("a_Pos0", "a_Pos0_1"), ("a_Pos0 (2)", "a_Pos0_1 (2)")),
        (("a_Pos0.ome", "a_Pos0_1.ome"), ("a_Pos0.ome copy", "a_Pos0_1.ome copy")),
        (("a_Pos0_pre", "a_Pos0_1_pre"), ("a_Pos0_post", "a_Pos0_1_post")),
        (("pre", "pre_1"), ("post", "post_1")),
    ],
)
def test_two_recordings_of_the_same_settings_in_one_folder(tmp_path, frames, other, mine, theirs):
    # Older summaries hold no date: those of two recordings are the same to the letter.
    for names, content in ((mine, frames), (theirs, other)):
        write_stacks(tmp_path, content, *(f"{name}.tif" for name in names))
    for names, content in ((mine, frames), (theirs, other)):
        np.testing.assert_array_equal(read(tmp_path / f"{names[0]}.tif"), content)
        np.testing.assert_array_equal(read(tmp_path / f"{names[1]}.tif"), content)
    with pytest.raises(ChoiceError, match="hold the same frames of one recording"):
        open_movie(tmp_path / "*.tif")


def test_a_renamed_stack_opens_if_its_summary_is_of_it_alone(tmp_path, frames, other):
    write_stacks(tmp_path, frames, "before.tif", "rest of before.tif", **BORN)
    write_stacks(tmp_path, other, "after.tif", "zz.tif", StartTime="2024-05-02 11:00:00.000 +0200")
    np.testing.assert_array_equal(read(tmp_path / "before.tif"), frames)
    np.testing.assert_array_equal(read(tmp_path / "zz.tif"), other)
    with pytest.raises(ChoiceError, match=r"not of one recording: \w+"):
        open_movie(tmp_path / "*.tif")


def test_a_renamed_stack_without_a_date_needs_a_pattern(tmp_path, frames):
    write_stacks(tmp_path, frames, "before.tif", "rest of before.tif")
    with pytest.raises(InputError, match=r"whether rest of before\.tif belongs to it.*a pattern"):
        open_movie(tmp_path / "before.tif")
    np.testing.assert_array_equal(read(tmp_path / "*before.tif"), frames)


@pytest.mark.parametrize("summary", [{}, BORN])
def test_what_else_lies_beside_a_stack_does_no_harm(tmp_path, frames, other, summary):
    names = ("run_MMStack.ome.tif", "run_MMStack_1.ome.tif")
    first = write_stacks(tmp_path, frames, *names, **summary)
    tifffile.imwrite(tmp_path / "run_MMStack_crop.tif", other[:3, :8, :8], imagej=True)
    tifffile.imwrite(tmp_path / "run_MMStack_AVG.tif", other[0].astype(np.float32))
    write(tmp_path / "run_MMStack_2.ome.tif", b"")
    write(tmp_path / "run_MMStack_3.ome.tif", first.read_bytes()[:200])
    write(tmp_path / "run_MMStack (old).ome.tif", stack_bytes(other[:5], planned=9, **summary))
    copied = stack_bytes(other[:4], planned=9, first=5, **summary)
    write(tmp_path / "run_MMStack_1 - Copy.ome.tif", copied)
    np.testing.assert_array_equal(read(first), frames)
    notes = [note for note in open_movie(first).notes if "was not used" in note]
    assert len(notes) == len(summary)


def test_files_with_the_same_frames_that_names_do_not_tell_apart(tmp_path, frames, other):
    first = write_stacks(tmp_path, frames, "a.tif", "b.tif", **BORN)
    write(tmp_path / "c.tif", stack_bytes(other[5:], planned=9, first=5, **BORN))
    with pytest.raises(ChoiceError, match=r"b\.tif and c\.tif beside it hold the same frames"):
        open_movie(first)


def test_a_stack_whose_first_file_ends_between_two_channels(tmp_path, frames):
    # Channel, z, frame and position of each plane; the second of frame 2 is in the next file.
    axes = [(k % 2, 0, k // 2, 0) for k in range(8)]
    for name, some in (("a.tif", slice(5)), ("a_1.tif", slice(5, 8))):
        data = stack_bytes(
            frames[:8][some], planned=4, axes=axes[some], Channels=2, ChNames=["BF", "PL"]
        )
        write(tmp_path / name, data)
    for path in (tmp_path / "a.tif", tmp_path / "a*.tif"):
        np.testing.assert_array_equal(read(f"{path}::channel=PL"), frames[1:8:2])
        np.testing.assert_array_equal(read(f"{path}::channel=BF"), frames[:8:2])


def test_a_file_of_one_position_stands_for_it(tmp_path, frames, other):
    for name, content, k in (("a_Pos0.tif", frames, 0), ("a_Pos1.tif", other, 1)):
        axes = [(0, 0, t, k) for t in range(FRAMES)]
        write(tmp_path / name, stack_bytes(content, axes=axes, Positions=2, **BORN))
    np.testing.assert_array_equal(read(tmp_path / "a_Pos1.tif"), other)
    np.testing.assert_array_equal(read(f"{tmp_path}/a_Pos1.tif::position=0"), frames)
    with pytest.raises(ChoiceError, match="holds 2 positions"):
        open_movie(tmp_path / "a_Pos*.tif")


def test_the_pages_of_a_stack_may_have_any_number_of_tags(tmp_path, frames):
    # tifffile takes the pixels to begin 162 bytes behind an indexed page.
    data = bytearray(stack_bytes(frames))
    with tifffile.TiffFile(write(tmp_path / "a.tif", data)) as tif:
        page = tif.pages[4]
    moved = data[page.offset : page.offset + 162] + bytes(50) + frames[4].tobytes()
    at = data.index((273).to_bytes(2, "little") + (4).to_bytes(2, "little"), page.offset)
    shift = len(data) - page.offset
    moved[at - page.offset + 8 : at - page.offset + 12] = (len(data) + 162 + 50).to_bytes(
        4, "little"
    )
    index = data.rindex(page.offset.to_bytes(4, "little"))
    data[index : index + 4] = (page.offset + shift).to_bytes(4, "little")
    np.testing.assert_array_equal(read(write(tmp_path / "a.tif", data + moved)), frames)


def test_ome_over_several_files(tmp_path, frames):
    write_ome(tmp_path, frames)
    movie = open_movie(tmp_path / "a.ome.tif")
    assert movie.shape == frames.shape
    assert [path.name for path in movie.paths] == ["a.ome.tif", "b.ome.tif"]
    assert (movie.exposure_s, movie.pixel_size_um) == (0.02, 0.16)
    for name in ("a.ome.tif", "b.ome.tif", "?.ome.tif"):
        np.testing.assert_array_equal(read(tmp_path / name), frames)


@pytest.mark.parametrize("how", [{"compression": "zlib"}, {"first_has_text": True}])
def test_ome_compressed_or_with_one_text_for_all(tmp_path, frames, how):
    write_ome(tmp_path, frames, **how)
    for name in ("a.ome.tif", "b.ome.tif", "?.ome.tif"):
        np.testing.assert_array_equal(read(tmp_path / name), frames)
        assert open_movie(tmp_path / name).pixel_size_um == 0.16


def test_ome_without_its_second_file(tmp_path, frames):
    write_ome(tmp_path, frames)
    (tmp_path / "b.ome.tif").unlink()
    with pytest.raises(InputError, match=r"promises 9, the file holds 5 \(b\.ome\.tif is not besi"):
        open_movie(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(read(f"{tmp_path}/a.ome.tif::frames=5"), frames[:5])


def test_ome_beside_the_second_file_of_another_recording(tmp_path, frames, other):
    for name, content in (("mine", frames), ("theirs", other)):
        (tmp_path / name).mkdir()
        write_ome(tmp_path / name, content)
    shutil.copy(tmp_path / "theirs" / "b.ome.tif", tmp_path / "mine")
    with pytest.raises(InputError, match=r"b\.ome\.tif beside it is of another recording"):
        open_movie(tmp_path / "mine" / "a.ome.tif")
    with pytest.raises(ChoiceError, match="not of one recording"):
        open_movie(tmp_path / "mine" / "?.ome.tif")


def test_a_renamed_ome_recording_by_a_pattern(tmp_path, frames):
    write_ome(tmp_path, frames)
    (tmp_path / "a.ome.tif").rename(tmp_path / "pre_2.ome.tif")  # the UUIDs order them
    (tmp_path / "b.ome.tif").rename(tmp_path / "pre_1.ome.tif")
    np.testing.assert_array_equal(read(tmp_path / "pre_*.tif"), frames)
    with pytest.raises(InputError, match=r"b\.ome\.tif is not beside it.*with a pattern"):
        open_movie(tmp_path / "pre_2.ome.tif")


def test_an_ome_file_that_was_renamed_beside_another_of_its_old_name(tmp_path, frames, other):
    # Without a UUID of its own, tifffile would read the file that has the name in the text.
    for name, content in (("mine.tif", frames), ("a.tif", other)):
        data = '<TiffData IFD="0" PlaneCount="9"><UUID FileName="a.tif">urn:a</UUID></TiffData>'
        text = (
            '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
            '<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" ID="Pixels:0" Type="uint16" '
            f'SizeX="{WIDTH}" SizeY="{HEIGHT}" SizeC="1" SizeZ="1" SizeT="9">{data}</Pixels>'
            "</Image></OME>"
        )
        how = {"metadata": None, "ome": False, "photometric": "minisblack"}
        tifffile.imwrite(tmp_path / name, content, description=text, **how)
    np.testing.assert_array_equal(read(tmp_path / "mine.tif"), frames)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), other)


def ndtiff(folder, frames, channels=("PL", "BF"), per_file=5):
    """Eight planes of two channels, taken in turn."""
    n = len(channels)
    axes = [{"time": k // n, "channel": channels[k % n]} for k in range(8)]
    return write_ndtiff(folder, list(zip(axes, frames, strict=False)), per_file)


@pytest.mark.parametrize("channels", [("PL", "BF"), ("BF", "PL")])
def test_channels_of_ndtiff_go_by_their_names(tmp_path, frames, channels):
    # Readers number them by acquisition or by name.
    files = ndtiff(tmp_path, frames, channels)
    for path in (*files, tmp_path / "NDTiffStack*.tif"):
        for k, name in enumerate(channels):
            movie = open_movie(path, channel=name)
            assert (movie.channel, len(movie.paths)) == (name, 2)
            got = np.concatenate([block.copy() for block in movie.blocks(3)])
            np.testing.assert_array_equal(got, frames[k:8:2])


def test_ndtiff_without_a_file_or_its_index(tmp_path, frames):
    first, second = ndtiff(tmp_path, frames)
    second.rename(tmp_path / "gone")
    with pytest.raises(
        InputError, match=r"promises 4, the file holds 2 \(NDTiffStack_1\.tif is no"
    ):
        open_movie(first, channel="BF")
    (tmp_path / "gone").rename(second)
    (tmp_path / "NDTiff.index").unlink()
    with pytest.raises(InputError, match=r"no NDTiff\.index beside it lists"):
        open_movie(first, channel="BF")


def test_ndtiff_with_the_index_of_another_recording(tmp_path, frames):
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
    first, _ = ndtiff(tmp_path / "mine", frames)
    ndtiff(tmp_path / "theirs", frames, ("a longer name", "BF"))
    shutil.copy(tmp_path / "theirs" / "NDTiff.index", tmp_path / "mine")
    with pytest.raises(InputError, match=r"NDTiff\.index has other places"):
        open_movie(first, channel="BF")


def test_ndtiff_frames_of_two_cameras_are_refused(tmp_path, frames):
    planes = [({"time": k // 2, "channel": "LR"[k % 2]}, frames[k][: 15 + k % 2]) for k in range(6)]
    path = write_ndtiff(tmp_path, planes, 10, [20.0 * k for k in range(6)])[0]
    with pytest.raises(InputError, match="frames of several sizes or types"):
        open_movie(f"{path}::channel=L")
