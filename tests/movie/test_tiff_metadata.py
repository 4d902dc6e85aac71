"""TIFF: time per frame, pixel size and date out of its texts and tags, and which of its images."""

import io
import re

import numpy as np
import pytest
import tifffile

from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie
from tests.helpers.set_files import ome_files, stack_bytes, write_ndtiff

FRAMES, HEIGHT, WIDTH = 23, 24, 40


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(5).integers(0, 4000, (FRAMES, HEIGHT, WIDTH)).astype(np.uint16)


def read(path):
    return np.concatenate([block.copy() for block in open_movie(path).blocks(5)])


@pytest.mark.parametrize(
    ("unit", "resolution", "size"),
    [("micron", 6.25, 0.16), ("\\u00B5m", 6.25, 0.16), ("um", 6.25, 0.16), ("nm", 0.00625, 0.16),
     ("pixel", 6.25, None)],
)  # fmt: skip
def test_pixel_size_by_imagej(tmp_path, frames, unit, resolution, size):
    path = tmp_path / "movie.tif"
    how = {"axes": "TYX", "unit": unit, "finterval": 20.0, "tunit": "ms"}
    tifffile.imwrite(path, frames, imagej=True, resolution=(resolution,) * 2, metadata=how)
    movie = open_movie(path)
    assert movie.pixel_size_um == (None if size is None else pytest.approx(size, rel=1e-6))
    assert movie.exposure_s == pytest.approx(0.02)
    assert movie.format == "ImageJ TIFF"


def test_playback_speed_is_not_the_frame_interval(tmp_path, frames):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames, imagej=True, metadata={"axes": "TYX", "fps": 7.0})
    assert open_movie(path).exposure_s is None


def test_metadata_by_ome(tmp_path, frames):
    path = tmp_path / "movie.ome.tif"
    how = {
        "axes": "TYX",
        "PhysicalSizeX": 160.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 160.0,
        "PhysicalSizeYUnit": "nm",
        "TimeIncrement": 20.0,
        "TimeIncrementUnit": "ms",
        "Channel": {"Name": ["GFP"]},
    }
    tifffile.imwrite(path, frames, metadata=how)
    movie = open_movie(path)
    assert movie.pixel_size_um == pytest.approx(0.16)
    assert movie.exposure_s == pytest.approx(0.02)
    assert (movie.channel, movie.format) == ("GFP", "OME-TIFF")
    assert movie.notes == (
        "no time stamps; the OME time increment gives 20 ms, a planned value, used that",
    )
    assert movie.exposure_from == "the OME time increment"
    assert movie.pixel_size_from == "the OME pixel size"


@pytest.mark.parametrize(
    ("missing", "increment", "exposure_s"),
    [([0], 5.0, 0.02), ([22], 5.0, 0.02), (range(1, 23, 2), 5.0, 0.02), (range(23), 20.0, None)],
)
def test_a_planned_increment_does_not_stand_in_for_a_missing_stamp(
    tmp_path, frames, missing, increment, exposure_s
):
    path = tmp_path / "movie.ome.tif"
    stamps = (0.02 * np.arange(FRAMES)).tolist()
    how = {"axes": "TYX", "Plane": {"DeltaT": stamps}}
    tifffile.imwrite(path, frames, metadata=how, ome=True)
    head, *planes = tifffile.tiffcomment(path).split("<Plane ")
    for k in missing:
        planes[k] = re.sub('DeltaT="[^"]*"', "", planes[k])
    text = "<Plane ".join([head, *planes])
    text = text.replace("<Pixels ", f'<Pixels TimeIncrement="{increment}" ')
    tifffile.tiffcomment(path, text.encode())
    movie = open_movie(path)
    assert movie.exposure_s == (None if exposure_s is None else pytest.approx(exposure_s))
    assert any(f"OME time increment {'gives' if exposure_s else 'would'}" in n for n in movie.notes)


def test_measured_times_of_the_planes_win_in_ome(tmp_path, frames):
    path = tmp_path / "movie.ome.tif"
    planes = {"DeltaT": (0.033 * np.arange(FRAMES)).tolist(), "ExposureTime": [0.02] * FRAMES}
    how = {"axes": "TYX", "TimeIncrement": 0.02, "Plane": planes}
    tifffile.imwrite(path, frames, metadata=how)
    movie = open_movie(path)
    assert movie.exposure_s == pytest.approx(0.033)
    assert any("time increment gives 20 ms" in note for note in movie.notes)
    assert any("exposure time gives 20 ms but frames follow" in note for note in movie.notes)


@pytest.mark.parametrize(
    ("dpi", "unit", "size"), [(96, "INCH", None), (62500, "CENTIMETER", 0.16), (72, None, None)]
)
def test_resolution_tags_count_only_where_they_make_sense(tmp_path, frames, dpi, unit, size):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames, resolution=(dpi, dpi), resolutionunit=unit)
    movie = open_movie(path)
    assert movie.pixel_size_um == (None if size is None else pytest.approx(size))
    assert bool(movie.notes) == (size is not None)


@pytest.mark.parametrize(
    ("unit", "resolution", "says"),
    [
        ("inch", 1200.0, r"1200 dpi \(21\.17 um a pixel\), a printer's"),
        ("micron", 1.0, "exactly 1 um, which stands for 'not calibrated'"),
        ("micron", 0.05, "20 um, outside of 0.005 to 5 um"),
        ("micron", 400.0, "0.0025 um, outside of 0.005 to 5 um"),
    ],
)
def test_a_size_that_no_microscope_has_is_not_believed(tmp_path, frames, unit, resolution, says):
    path = tmp_path / "movie.tif"
    how = {"axes": "TYX", "unit": unit, "finterval": 0.02}
    tifffile.imwrite(path, frames, imagej=True, resolution=(resolution,) * 2, metadata=how)
    movie = open_movie(path)
    assert movie.pixel_size_um is None
    assert re.search(says, movie.pixel_size_from)
    assert any(re.search(says, note) for note in movie.notes)


@pytest.mark.parametrize("dpi", [1200, 2400, 4800, 9600, 12000])
def test_a_resolution_for_printers_is_reported(tmp_path, frames, dpi):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, frames, resolution=(dpi, dpi), resolutionunit="INCH")
    movie = open_movie(path)
    assert movie.pixel_size_um is None
    assert f"its TIFF resolution tag gives {dpi} dpi" in movie.pixel_size_from


def write_two_ome_images(path, frames):
    """Write two images of an own size, times and pixels each."""
    with tifffile.TiffWriter(path, ome=True) as writer:
        for k, (name, stack) in enumerate({"focus": frames[:7, :10], "movie": frames}.items()):
            how = {
                "axes": "TYX",
                "Name": name,
                "TimeIncrement": 5.0 - k,
                "PhysicalSizeX": 0.2 - k / 10,
            }
            how |= {"AcquisitionDate": f"2023-11-14T2{k}:13:20"}
            times = (0.5 - 0.48 * k) * np.arange(len(stack))
            how |= {"Plane": {"DeltaT": times.tolist()}}
            writer.write(stack, photometric="minisblack", metadata=how)


def test_any_image_of_a_file_with_its_own_time_and_pixel_size(tmp_path, frames):
    path = tmp_path / "two.ome.tif"
    write_two_ome_images(path, frames)
    with pytest.raises(InputError, match=r"0: 7 x 10 x 40 'focus', 1: .*'::position=1'"):
        open_movie(path)
    found = [open_movie(f"{path}::position={k}") for k in range(2)]
    assert [movie.shape for movie in found] == [(7, 10, WIDTH), frames.shape]
    assert [movie.exposure_s for movie in found] == pytest.approx([0.5, 0.02])
    assert [movie.pixel_size_um for movie in found] == pytest.approx([0.2, 0.1])
    assert found[1].acquired_s == found[0].acquired_s + 3600
    np.testing.assert_array_equal(read(f"{path}::position=1"), frames)
    with pytest.raises(InputError, match=r"has no image '2': it holds 2 images"):
        open_movie(f"{path}::position=2")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_the_second_of_several_plain_images(tmp_path, frames, compression):
    path = tmp_path / "two.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(frames[0, :10, :12], resolution=(5e4, 5e4), resolutionunit="CENTIMETER")
        how = {"resolution": (6.25e4,) * 2, "resolutionunit": "CENTIMETER"}
        tif.write(frames, compression=compression, photometric="minisblack", **how)
    np.testing.assert_array_equal(read(f"{path}::position=1"), frames)
    assert open_movie(f"{path}::position=1").pixel_size_um == pytest.approx(0.16)


@pytest.mark.parametrize(
    ("date", "acquired_s"),
    [("2023-11-14T22:13:20", 1.7e9), ("2023-11-14T22:13:20+01:00", 1.7e9 - 3600), ("soon", None)],
)
def test_ome_says_when_it_was_taken(tmp_path, date, acquired_s):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(
            np.zeros((3, 8, 9), np.uint16), metadata={"axes": "TYX", "AcquisitionDate": date}
        )
    assert open_movie(path).acquired_s == acquired_s


def micromanager(path, frames, **how):
    path.write_bytes(stack_bytes(frames, **how))
    return open_movie(path)


LATER = 5000.0 * (np.arange(FRAMES) > 3)


@pytest.mark.parametrize(
    ("elapsed_ms", "interval_ms", "exposure_s", "note"),
    [
        (20.0 * np.arange(FRAMES) + LATER, 0.0, 0.020, "1 gap .*before frame 4"),
        (20.0 * np.arange(FRAMES) + 5000.0 * (np.arange(FRAMES) > 0), 0.0, 0.020, "before frame 1"),
        (20.0 * np.arange(FRAMES) + 5000.0 * (np.arange(FRAMES) > 21), 0.0, 0.020, "frame 22"),
        (np.zeros(FRAMES), 0.0, 0.020, "no interval between frames is given"),
        (np.zeros(FRAMES), 1000.0, None, "whether the camera waited"),
    ],
)
def test_elapsed_times_of_every_frame_count(
    tmp_path, frames, elapsed_ms, interval_ms, exposure_s, note
):
    movie = micromanager(
        tmp_path / "a.tif", frames, elapsed_ms=elapsed_ms.tolist(), Interval_ms=interval_ms
    )
    assert movie.exposure_s == (None if exposure_s is None else pytest.approx(exposure_s))
    assert re.search(note, "\n".join(movie.notes))


def test_elapsed_times_as_text_with_a_decimal_comma(tmp_path, frames):
    elapsed = [f"{20.4 * k:.1f}".replace(".", ",") for k in range(FRAMES)]
    assert micromanager(tmp_path / "a.tif", frames, elapsed_ms=elapsed).exposure_s == pytest.approx(
        0.0204
    )


def test_a_channel_of_a_stack_has_the_times_of_its_own_frames(tmp_path, frames):
    axes = [(k % 2, 0, k // 2, 0) for k in range(22)]
    how = {"planned": 11, "Channels": 2, "ChNames": ["BF", "PL"], "axes": axes}
    path = tmp_path / "a.tif"
    path.write_bytes(stack_bytes(frames[:22], **how, elapsed_ms=(20.0 * np.arange(22)).tolist()))
    assert open_movie(f"{path}::channel=PL").exposure_s == pytest.approx(0.04)


def test_a_pixel_of_exactly_one_micrometre_is_not_calibrated(tmp_path, frames):
    movie = micromanager(tmp_path / "a.tif", frames, pixel_um=1.0)
    assert movie.pixel_size_um is None
    assert "exactly 1 um, which stands for 'not calibrated'" in movie.pixel_size_from
    assert any("the pixel size is not known from it" in note for note in movie.notes)


def test_a_stack_that_holds_an_ome_text_has_the_times_of_its_frames(tmp_path, frames):
    # As Micro-Manager writes it; here the OME text has the times of some other recording.
    path = tmp_path / "other.ome.tif"
    how = {"axes": "TYX", "Plane": {"DeltaT": (0.5 * np.arange(FRAMES)).tolist()}}
    tifffile.imwrite(path, frames, ome=True, metadata=how)
    text = tifffile.tiffcomment(path).encode() + b"\0"
    movie = micromanager(tmp_path / "a.ome.tif", frames, description=text)
    assert movie.exposure_s == pytest.approx(0.02)
    assert movie.exposure_from == "the frames' elapsed times"


@pytest.mark.parametrize("order", ["TCYX", "CTYX"])
def test_the_planes_of_one_channel_have_their_own_stamps_and_exposure(tmp_path, frames, order):
    path = tmp_path / "a.ome.tif"
    stack = frames[:20].reshape(
        (10, 2, HEIGHT, WIDTH) if order[0] == "T" else (2, 10, HEIGHT, WIDTH)
    )
    time, channel = np.meshgrid(np.arange(10), np.arange(2), indexing="ij")
    stamps = 0.05 * time + 0.03 * channel + 7 * (channel * time > 5)  # a pause in the second one
    exposures = 0.01 + 0.03 * channel
    if order[0] == "C":
        stamps, exposures = stamps.T, exposures.T
    planes = {"DeltaT": stamps.ravel().tolist(), "ExposureTime": exposures.ravel().tolist()}
    tifffile.imwrite(path, stack, ome=True, metadata={"axes": order, "Plane": planes})
    found = [open_movie(f"{path}::channel={k}") for k in range(2)]
    assert [movie.exposure_s for movie in found] == pytest.approx([0.05, 0.05])
    assert ["before frame 6" in "".join(movie.notes) for movie in found] == [False, True]
    assert "exposure time gives 10 ms" in found[0].notes[0]
    assert "exposure time gives 40 ms" in found[1].notes[-1]


@pytest.mark.parametrize("per_file", [5, 8])
@pytest.mark.parametrize("inner", ["channel", "z"])
def test_ndtiff_with_several_planes_a_frame(tmp_path, frames, inner, per_file):
    # Two planes of 20 ms each, so that a frame of either comes every 40 ms; a pause near the end.
    names = ["BF", "PL"] if inner == "channel" else [0, 1]
    planes = [({"time": k // 2, inner: names[k % 2]}, frames[k]) for k in range(8)]
    elapsed = 20.0 * np.arange(8) + 3000.0 * (np.arange(8) > 5) + 777
    path = write_ndtiff(tmp_path, planes, per_file, elapsed.tolist())[0]
    for k in range(2):
        movie = open_movie(f"{path}::{inner}={k}")
        assert movie.shape == (4, HEIGHT, WIDTH)
        assert (movie.exposure_s, movie.pixel_size_um) == (pytest.approx(0.04), 0.11)
        assert any("1 gap" in note and "before frame 3" in note for note in movie.notes)


def test_the_second_file_of_an_ome_recording_has_the_times_of_its_own_planes(tmp_path, frames):
    files = ome_files(frames, 10)
    planes = "".join(
        f'<Plane TheC="0" TheZ="0" The{"T"}="{k}" DeltaT="{0.03 * k + 2 * (k > 14)}"/>'
        for k in range(FRAMES)
    ).encode()
    for name, data in files.items():
        with tifffile.TiffFile(io.BytesIO(data)) as tif:
            text = tif.ome_metadata.encode().replace(b"</Pixels>", planes + b"</Pixels>")
        (tmp_path / name).write_bytes(data)
        tifffile.tiffcomment(tmp_path / name, text)
    movie = open_movie(tmp_path / "a.ome.tif")
    assert movie.exposure_s == pytest.approx(0.03)
    assert any("before frame 15" in note for note in movie.notes)


def test_a_position_of_an_ome_recording_of_several_files_has_its_own_times(tmp_path, frames):
    ids = {"a.ome.tif": "urn:uuid:1", "b.ome.tif": "urn:uuid:2"}
    images = "".join(
        f'<Image ID="Image:{k}"><AcquisitionDate>2023-11-14T2{k}:13:20</AcquisitionDate>'
        f'<Pixels DimensionOrder="XYCZT" ID="Pixels:{k}" Type="uint16" SizeX="{WIDTH}" SizeC="1" '
        f'SizeY="{HEIGHT}" SizeZ="1" SizeT="10" PhysicalSizeX="0.{k + 1}">'
        + "".join(
            f'<TiffData FirstT="{t}" IFD="{t}" PlaneCount="1"><UUID FileName="{name}">{own}</UUID>'
            f'</TiffData><Plane TheC="0" TheZ="0" The{"T"}="{t}" DeltaT="{0.02 * (k + 1) * t}"/>'
            for t in range(10)
        )
        + "</Pixels></Image>"
        for k, (name, own) in enumerate(ids.items())
    )
    space = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    for k, (name, own) in enumerate(ids.items()):
        text = f'<?xml version="1.0"?><OME xmlns="{space}" UUID="{own}">{images}</OME>'
        with tifffile.TiffWriter(tmp_path / name) as tif:
            for t in range(10):
                description = None if t else text
                tif.write(frames[10 * k + t], metadata=None, description=description)
    for k in range(2):
        movie = open_movie(f"{tmp_path / 'a.ome.tif'}::position={k}")
        assert movie.exposure_s == pytest.approx(0.02 * (k + 1))
        assert movie.pixel_size_um == pytest.approx(0.1 * (k + 1))
        assert movie.acquired_s == 1.7e9 + 3600 * (k - 2)
        np.testing.assert_array_equal(next(movie.blocks(10)), frames[10 * k : 10 * k + 10])
