"""Files that are damaged, of another kind, or of another type of number."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from tests.bad_input.cases import case, slow_case
from tests.bad_input.field_files import Files, imagej_bytes, tiff_bytes
from tests.helpers.sif_files import HEIGHT, WIDTH, sif_header

TINY_ND2 = Path(__file__).parents[1] / "data" / "tiny_movie.nd2"


def _movie(files: Files) -> np.ndarray:
    return files.arrays["post_pl"]


@case("movie cut off in the middle", "refused", "promises 200, the file holds (99|100).*::frames=")
def _(files):
    whole = imagej_bytes(_movie(files))
    files.raw["post_pl"] = whole[: len(whole) // 2]


@slow_case(
    "the last ten frames missing", "refused", "promises 200, the file holds 19[01].*::frames=19"
)
def _(files):
    files.raw["post_pl"] = imagej_bytes(_movie(files))[: -10 * 2 * 128 * 128]


@slow_case("the chain of pages cut off", "refused", "promises more than 6, the file holds 6")
def _(files):
    files.raw["post_pl"] = tiff_bytes(_movie(files))[: -2 * 128 * 128]


@slow_case("movie cut off in its header", "refused", "cut off|damaged")
def _(files):
    files.raw["post_pl"] = tiff_bytes(_movie(files))[:100]


@slow_case("movie of zero bytes", "refused", r"is empty \(0 bytes\)")
def _(files):
    files.raw["post_pl"] = b""


@case("brightfield of zero bytes", "refused", r"is empty \(0 bytes\)")
def _(files):
    files.raw["pre_brightfield"] = b""


@slow_case("text named .tif", "refused", "is a text file, whatever its name says")
def _(files):
    files.raw["post_pl"] = b"time\tcounts\n0\t1\n" * 20


@slow_case("a CZI file", "refused", "is a CZI file of Zeiss ZEN.*export it from ZEN as OME-TIFF")
def _(files):
    files.raw["post_pl"] = b"ZISRAWFILE" + bytes(5000)
    files.names["post_pl"] = "a_czi_file.czi"


@slow_case("noise named .tif", "refused", "of a format that is not known")
def _(files):
    files.raw["post_pl"] = np.random.default_rng(1).bytes(5000)


@slow_case("ND2 without its chunk map", "refused", "chunk map.*is missing: the recording")
def _(files):
    files.raw["post_pl"] = TINY_ND2.read_bytes()[:-4096]


@slow_case("RGB brightfield", "refused", "colour.*export it as 16-bit grey")
def _(files):
    image = (files.arrays["post_brightfield"] // 64).astype(np.uint8)
    out = io.BytesIO()
    tifffile.imwrite(out, np.stack([image, image // 2, image], axis=-1), photometric="rgb")
    files.raw["post_brightfield"] = out.getvalue()


@case("pixels that are complex numbers", "refused", "not one a camera delivers")
def _(files):
    files.arrays["post_pl"] = _movie(files)[:60].astype(np.complex64)


@case("NaN in one pixel of a float movie", "refused", "1 frame.*frame 3, hold NaN or infinite")
def _(files):
    files.arrays["post_pl"] = _movie(files).astype(np.float32)
    files.arrays["post_pl"][3, 5, 5] = np.nan


@slow_case("infinity in one pixel of a float movie", "refused", "frame 3, hold NaN or infinite")
def _(files):
    files.arrays["post_pl"] = _movie(files).astype(np.float64)
    files.arrays["post_pl"][3, 5, 5] = np.inf


@slow_case("infinity in a brightfield image", "refused", "1 pixels are not finite")
def _(files):
    files.arrays["post_brightfield"] = files.arrays["post_brightfield"].astype(np.float32)
    files.arrays["post_brightfield"][5, 5] = np.inf


@slow_case("a name in another Unicode spelling than the sheet's", "analysed")
def _(files):
    files.names["post_pl"] = unicodedata.normalize("NFD", "grün_post.tif")
    files.cells["post_pl"] = unicodedata.normalize("NFC", "movies/grün_post.tif")


@case("one movie, copied, for both epochs", "stops", "is a copy .* of that in column pre_pl")
def _(files):
    files.raw["pre_pl"] = files.raw["post_pl"] = tiff_bytes(_movie(files))


@case("movie as 32-bit float", "analysed")
def _(files):
    files.arrays["post_pl"] = _movie(files).astype(np.float32)


def _fractions_called_whole(files: Files, **how: Any) -> None:
    out = io.BytesIO()
    bits = _movie(files).astype(np.float32).view(np.uint32)
    tifffile.imwrite(out, bits, photometric="minisblack", metadata=None, **how)
    files.raw["post_pl"] = out.getvalue()
    files.cells |= {"exposure_s": "0.02", "pixel_size_um": "0.16"}


@slow_case("movie as 32-bit float without the tag for it", "analysed")
def _(files):
    _fractions_called_whole(files)


@slow_case("compressed 32-bit float without the tag for it", "analysed")
def _(files):
    _fractions_called_whole(files, compression="zlib", predictor=2, byteorder=">")


@slow_case("movie as signed 16-bit", "analysed")
def _(files):
    files.arrays["post_pl"] = _movie(files).astype(np.int16)


@slow_case("movie as 32-bit integers", "analysed")
def _(files):
    files.arrays["post_pl"] = _movie(files).astype(np.uint32)


@case("signed counts below zero, offset subtracted", "analysed")
def _(files):
    files.arrays["post_pl"] = (_movie(files).astype(np.int32) - 300).astype(np.int16)


@case("movie of 8 bits, threshold in counts", "stops", "post_pl.*8 bits.*method: hmm")
def _(files):
    files.arrays["post_pl"] = (_movie(files) // 8).clip(0, 255).astype(np.uint8)


@case("several channels", "stops", r"holds 2 channels.*::channel=0")
def _(files):
    both = np.stack([_movie(files)[:100]] * 2, axis=1)
    files.raw["post_pl"] = tiff_bytes(both, axes="TCYX")


@case("several z planes", "stops", r"holds 3 z planes.*::z=0.*::z=time")
def _(files):
    planes = np.stack([_movie(files)[:60]] * 3, axis=1)
    files.raw["post_pl"] = tiff_bytes(planes, axes="TZYX")


@slow_case("one of several channels, chosen in the sheet", "analysed")
def _(files):
    dim = np.full_like(_movie(files), 100)
    files.raw["post_pl"] = tiff_bytes(np.stack([dim, _movie(files)], axis=1), axes="TCYX")
    files.choices["post_pl"] = "::channel=1"


@case("more frames chosen than there are", "stops", "is more frames than the 200 it holds")
def _(files):
    files.choices["post_pl"] = "::frames=500"


@case("movies of different length", "stops", "150 frames, pre_pl 200.*::frames=150")
def _(files):
    files.arrays["post_pl"] = _movie(files)[:150]


@case("movies of different exposure", "stops", "time per frame is 0.05 s here and 0.02 s in pre_pl")
def _(files):
    files.raw["post_pl"] = tiff_bytes(_movie(files), exposure_s=0.05)


@case("another magnification by the files", "stops", "pixel size is 0.107 um here and 0.16 um")
def _(files):
    files.raw["post_pl"] = tiff_bytes(_movie(files), pixel_um=0.107)


@case("another binning after annealing", "stops", "64 x 64 pixels, those of pre_pl 128 x 128")
def _(files):
    for column in ("post_pl", "post_brightfield"):
        files.arrays[column] = files.arrays[column][..., ::2, ::2].copy()


@case("brightfield given as PL", "stops", "an image stands where the movie belongs")
def _(files):
    files.arrays["post_pl"] = files.arrays["post_brightfield"]


@case("PL given as brightfield", "stops", "has 200 frames: is this the movie")
def _(files):
    files.arrays["post_brightfield"] = _movie(files)


@case("epochs exchanged, by the files' dates", "stops", "before that of pre_pl")
def _(files):
    for column, date in (("pre_pl", "2024-05-02T10:00:00"), ("post_pl", "2024-05-02T09:00:00")):
        files.raw[column] = tiff_bytes(files.arrays[column], AcquisitionDate=date)


def _with_stamps(files: Files, stamps_s: np.ndarray) -> bytes:
    """Return the movie with a stamp for each frame, beside a planned interval that is not true."""
    out = io.BytesIO()
    plan = {"axes": "TYX", "TimeIncrement": 5.0, "PhysicalSizeX": 0.16, "PhysicalSizeY": 0.16}
    how = {"ome": True, "photometric": "minisblack"}
    planes = {"DeltaT": stamps_s.tolist()}
    tifffile.imwrite(out, _movie(files), **how, metadata=plan | {"Plane": planes})
    return out.getvalue()


@slow_case("a pause of a minute between two frames", "analysed")
def _(files):
    frames = np.arange(len(_movie(files)))
    files.raw["post_pl"] = _with_stamps(files, 0.02 * frames + 60.0 * (frames > 99))


@slow_case("frames handed over by fours, a stamp each four", "analysed")
def _(files):
    files.raw["post_pl"] = _with_stamps(files, 0.08 * (np.arange(len(_movie(files))) // 4))


@case(
    "time stamps that are all equal", "stops", "time per frame is not known.*are equal.*exposure_s"
)
def _(files):
    files.raw["post_pl"] = _with_stamps(files, np.full(len(_movie(files)), 5.0))


@case("an interval of 20 without a unit", "stops", "20 s a frame, outside of.*column exposure_s")
def _(files):
    files.raw["post_pl"] = tiff_bytes(_movie(files), exposure_s=20.0)


@slow_case("the same interval beside the sheet's", "analysed")
def _(files):
    files.raw["post_pl"] = tiff_bytes(_movie(files), exposure_s=20.0)
    files.cells["exposure_s"] = "0.02"


@case("a pixel of 1 um, not calibrated", "stops", "exactly 1 um.*column pixel_size_um")
def _(files):
    files.raw["post_pl"] = tiff_bytes(_movie(files), pixel_um=1.0)


@case("a resolution of 1200 dpi, for printing", "stops", "1200 dpi.*column pixel_size_um")
def _(files):
    out = io.BytesIO()
    text = {"axes": "TYX", "finterval": 0.02, "unit": "inch"}
    tifffile.imwrite(out, _movie(files), imagej=True, resolution=(1200, 1200), metadata=text)
    files.raw["post_pl"] = out.getvalue()


def _behind_a_small_image(files: Files) -> bytes:
    out = io.BytesIO()
    say = {"TimeIncrement": 0.02, "PhysicalSizeX": 0.16, "PhysicalSizeY": 0.16}
    with tifffile.TiffWriter(out, ome=True) as writer:
        image = _movie(files)[0, ::2, ::2]
        writer.write(image, photometric="minisblack", metadata={"axes": "YX"})
        writer.write(_movie(files), photometric="minisblack", metadata={"axes": "TYX"} | say)
    return out.getvalue()


@case("two images in a file", "stops", "holds 2 images.*::position=0' to '::position=1'")
def _(files):
    files.raw["post_pl"] = _behind_a_small_image(files)


@slow_case("the second image of a file, chosen in the sheet", "analysed")
def _(files):
    files.raw["post_pl"] = _behind_a_small_image(files)
    files.choices["post_pl"] = "::position=1"


@slow_case("a SIF file with a pixel lost before the others", "refused", "not the end of a SIF file")
def _(files):
    frames = np.full((60, HEIGHT, WIDTH), 500, "<f4").tobytes()
    files.raw["post_pl"] = sif_header(np.zeros(60)) + frames[4:] + b"0\n0\n0\n0\n"
