"""Files of real microscopes, kept beside the project and not in it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie, read_image

REAL = Path(__file__).parents[3] / "shared" / "realdata"

pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real files is not beside this checkout"
)


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "exposure_s", "pixel_size_um"),
    [
        ("arcadia-example-timelapse.nd2", (53, 64, 64), "uint16", 0.50016, 0.325),
        ("arcadia-example-multichannel.nd2::channel=DAPI", (1, 256, 256), "uint16", None, 0.32339),
        ("arcadia-example-cerevisiae.nd2::channel=DIC", (1, 256, 256), "uint16", None, 0.108333),
        ("arcadia-example-pbmc.nd2::channel=3", (1, 256, 256), "uint16", None, 0.646781),
        ("arcadia-example-zstack.nd2::z=5", (1, 128, 128), "uint16", 0.5, 0.32339),
        # 10.6 s a frame by its stamps: more than the sheet allows, so the sheet is asked for it.
        ("pims-cluster.nd2::channel=0::z=4", (3, 31, 38), "uint16", None, 0.167809),
        ("pims_stuck.tif", (5, 512, 512), "uint16", None, None),
        ("sifparser_image_DU897.sif", (1, 512, 512), "float32", 1.0, None),
        ("sif_spool_mono32", (10, 200, 200), "uint32", 0.00358489, None),
        ("sif_spool_mono32/Spooled files.sifx", (10, 200, 200), "uint32", 0.00358489, None),
        ("trackpy_brightfield/bf_*.png", (50, 500, 500), "uint8", None, None),
        ("sample_field/pre_pl.nd2", (600, 160, 160), "uint16", 0.020, 0.16),
        ("sample_field/post_bf.nd2", (1, 160, 160), "uint16", None, 0.16),
    ],
)
def test_shape_and_metadata(name, shape, dtype, exposure_s, pixel_size_um):
    movie = open_movie(REAL / name)
    assert movie.shape == shape
    assert movie.dtype == np.dtype(dtype)
    for found, expected in ((movie.exposure_s, exposure_s), (movie.pixel_size_um, pixel_size_um)):
        assert found == (None if expected is None else pytest.approx(expected, rel=1e-4))
    assert sum(len(block) for block in movie.blocks(9)) == shape[0]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("arcadia-example-multichannel.nd2", r"4 channels \(0 'Mono', 1 'DAPI'.*::channel=Mono"),
        ("arcadia-example-zstack.nd2", r"11 z planes \(0 to 10\).*::z=0"),
        ("pims-cluster.nd2", r"10 z planes.*2 channels.*::z=0::channel=5-FAM/pH 9\.0"),
        ("sdt_pMHC_AF647_200k_000.npz", "an archive or a compressed file"),
        ("README.md", "text file"),
    ],
)
def test_what_cannot_be_read_as_it_is(name, says):
    with pytest.raises(InputError, match=says):
        open_movie(REAL / name)


def test_period_zero_is_replaced_by_the_measured_one_and_said():
    movie = open_movie(REAL / "arcadia-example-timelapse.nd2")
    assert movie.notes == (
        "the time loop's period gives 0; the events table gives 500.16 ms, used that",
    )


@pytest.mark.parametrize(
    "name", [p.name for p in sorted(REAL.glob("*.nd2"))] + ["sample_field/post_pl.nd2"]
)
def test_frames_are_those_of_the_nd2_library(name):
    import nd2

    stack = nd2.imread(REAL / name, xarray=True)
    for channel in range(stack.sizes.get("C", 1)):
        for z in range(stack.sizes.get("Z", 1)):
            expected = stack
            for axis, k in (("C", channel), ("Z", z)):
                expected = expected.isel({axis: k}) if axis in stack.dims else expected
            choices = {"channel": channel} if "C" in stack.dims else {}
            choices |= {"z": z} if "Z" in stack.dims else {}
            got = np.concatenate([b.copy() for b in open_movie(REAL / name, **choices).blocks(7)])
            np.testing.assert_array_equal(got, expected.data.reshape(got.shape))


def test_frames_are_those_of_the_sif_library():
    import sif_parser

    expected, _ = sif_parser.np_open(str(REAL / "sifparser_image_DU897.sif"))
    np.testing.assert_array_equal(read_image(REAL / "sifparser_image_DU897.sif")[0], expected[0])
    expected, _ = sif_parser.np_spool_open(str(REAL / "sif_spool_mono32"))
    got = np.concatenate(list(open_movie(REAL / "sif_spool_mono32").blocks(3)))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        # As the files' own texts say, in the zone of the microscope.
        ("arcadia-example-timelapse.nd2", "2025-03-27 23:22"),
        ("pims-cluster.nd2", "2014-06-18 13:55"),
        ("sifparser_image_DU897.sif", "2009-09-30 17:01"),
    ],
)
def test_real_files_say_when_they_were_taken(name, taken):
    choices = "::channel=0::z=0" if name.startswith("pims") else ""
    acquired_s = open_movie(f"{REAL / name}{choices}").acquired_s
    assert f"{datetime.fromtimestamp(acquired_s, UTC):%Y-%m-%d %H:%M}" == taken
