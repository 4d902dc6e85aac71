"""Movies of several files, of pages that differ, and of a text that describes another movie."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import tifffile

from tests.bad_input.cases import case, slow_case
from tests.bad_input.field_files import Files, imagej_bytes, tiff_bytes
from tests.helpers.set_files import metamorph_bytes, ome_files, stack_bytes

KNOWN = {"exposure_s": "0.02", "pixel_size_um": "0.16"}


def _split(files: Files, *follows: str) -> None:
    """Split the movie after annealing: its own file, and the others by what follows its name."""
    first, *rest = [
        tiff_bytes(some) for some in np.array_split(files.arrays["post_pl"], len(follows) + 1)
    ]
    files.raw["post_pl"] = first
    files.parts["post_pl"] = dict(zip(follows, rest, strict=True))
    files.patterns["post_pl"] = "*"


def _pages(files: Files, text: str = "", odd: int = -1, **how: Any) -> bytes:
    """Return the movie with a page for each frame, a text in the first, and an odd page."""
    files.cells |= KNOWN
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as tif:
        for k, frame in enumerate(files.arrays["post_pl"]):
            own = {"compression": "zlib"} if k == odd else how
            about = text if text and k == 0 else None
            tif.write(frame, contiguous=False, metadata=None, description=about, **own)
    return out.getvalue()


def _stamped(files: Files, stamps_s: np.ndarray) -> bytes:
    """Return the movie as OME-TIFF with a time stamp for each plane, and no planned interval."""
    out = io.BytesIO()
    planes = {"DeltaT": stamps_s.tolist()}
    about = {"axes": "TYX", "PhysicalSizeX": 0.16, "PhysicalSizeY": 0.16, "Plane": planes}
    how: dict[str, Any] = {"ome": True, "photometric": "minisblack"}
    tifffile.imwrite(out, files.arrays["post_pl"], metadata=about, **how)
    return out.getvalue()


def _imagej(n: int) -> str:
    return f"ImageJ=1.53t\nimages={n}\nframes={n}\nfinterval=0.02\n"


@slow_case("parts NAME, NAME-1 and NAME-2", "analysed")
def _(files):
    _split(files, "-1", "-2")


@slow_case("parts NAME and NAME (2)", "analysed")
def _(files):
    _split(files, " (2)")


@slow_case("parts with a gap in their numbers", "analysed")
def _(files):
    _split(files, "_1", "_7")


@case("a copy among the parts", "stops", "is a copy of.*a part is there twice")
def _(files):
    _split(files, "_1")
    files.parts["post_pl"]["_2"] = files.parts["post_pl"]["_1"]


@case("an old version among the parts", "stops", "order of its 3 files does not follow from their")
def _(files):
    _split(files, "_1", "_1_old")


@case("two channels of single files", "stops", "differ in 2 numbers.*two channels")
def _(files):
    _split(files, "_c0_t0", "_c0_t1", "_c1_t0", "_c1_t1")
    files.patterns["post_pl"] = "_c*"


@slow_case(
    "the second OME file of another recording", "refused", "beside it is of another recording"
)
def _(files):
    names = ("post_of_a_set.tif", "post_of_a_set_1.tif")
    mine, theirs = (ome_files(files.arrays[column], 120, names) for column in ("post_pl", "pre_pl"))
    files.names["post_pl"], files.raw["post_pl"] = names[0], mine[names[0]]
    files.parts["post_pl"] = {"_1": theirs[names[1]]}


@slow_case("two Micro-Manager stacks by 'keep both files'", "analysed")
def _(files):
    for column, kept in (("pre_pl", " (2)"), ("post_pl", "")):
        for follows, some in (("", slice(120)), ("_1", slice(120, 200))):
            data = stack_bytes(files.arrays[column][some], planned=200, first=some.start or 0)
            files.parts.setdefault("post_pl", {})[follows + kept] = data
    files.raw["post_pl"] = files.parts["post_pl"].pop("")


@slow_case(
    "a Micro-Manager stack without its second file",
    "refused",
    "in the middle.*promises 200, the file holds 160; .* frame 80,.*::frames=80",
)
def _(files):
    movie = files.arrays["post_pl"]
    first, _, third = (
        stack_bytes(movie[some], planned=200, first=some.start)
        for some in (slice(0, 80), slice(80, 120), slice(120, 200))
    )
    files.raw["post_pl"], files.parts["post_pl"] = first, {"_2": third}


@slow_case("the text of a shorter ImageJ stack", "analysed")
def _(files):
    files.raw["post_pl"] = _pages(files, _imagej(40))


@slow_case(
    "the text of a longer ImageJ stack", "refused", "promises 300, the file holds 200.*frames=200"
)
def _(files):
    files.raw["post_pl"] = _pages(files, _imagej(300))


@slow_case("the text of a longer ImageJ stack, used as the hint says", "analysed")
def _(files):
    files.raw["post_pl"] = _pages(files, _imagej(300))
    files.choices["post_pl"] = "::frames=200"


@slow_case("a page of another compression", "refused", "page 77 of 200 has compression 8 and not 1")
def _(files):
    files.raw["post_pl"] = _pages(files, odd=77)


@slow_case("JPEG 2000 with loss", "refused", "compressed with loss .JPEG2000.")
def _(files):
    files.raw["post_pl"] = _pages(files, compression="jpeg2000", compressionargs={"level": 60})


@slow_case("reversible JPEG 2000 cut to a quality", "refused", "compressed with loss .JPEG2000.")
def _(files):
    how = {"level": 120, "reversible": True}
    files.raw["post_pl"] = _pages(files, compression="jpeg2000", compressionargs=how)


@slow_case("a stack of MetaMorph", "analysed")
def _(files):
    movie = files.arrays["post_pl"]
    files.raw["post_pl"] = metamorph_bytes(movie, 36_000_000 + 20 * np.arange(len(movie)))


@slow_case("16-bit pixels with tags of 12 bits", "refused", "tags give 12 bits a pixel, its pixels")
def _(files):
    as_is, packed = (struct.pack("<HHII", 258, 3, 1, bits) for bits in (16, 12))
    files.raw["post_pl"] = _pages(files).replace(as_is, packed)


@slow_case("a predictor without a compression", "refused", "a predictor without a compression")
def _(files):
    samples, predictor = (struct.pack("<HHII", tag, 3, 1, n) for tag, n in ((277, 1), (317, 2)))
    files.raw["post_pl"] = _pages(files).replace(samples, predictor)


@slow_case("the bits of each byte in reverse", "refused", "bits of each byte in reverse")
def _(files):
    samples, order = (struct.pack("<HHII", tag, 3, 1, n) for tag, n in ((277, 1), (266, 2)))
    files.raw["post_pl"] = _pages(files).replace(samples, order)


@slow_case("pages of several planes each", "refused", "each of its pages holds 8 planes")
def _(files):
    out = io.BytesIO()
    movie = files.arrays["post_pl"]
    how: dict[str, Any] = {"volumetric": True, "photometric": "minisblack", "metadata": None}
    tifffile.imwrite(out, movie.reshape(-1, 8, *movie.shape[1:]), **how)
    files.raw["post_pl"] = out.getvalue()
    files.cells |= KNOWN


@slow_case(
    "a preview of the same size after each frame", "refused", "the preview or the mask of another"
)
def _(files):
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as tif:
        for frame in files.arrays["post_pl"]:
            for kind in (0, 1):
                how: dict[str, Any] = {"subfiletype": kind, "contiguous": False, "metadata": None}
                tif.write(frame >> kind, photometric="minisblack", **how)
    files.raw["post_pl"] = out.getvalue()
    files.cells |= KNOWN


@case("two channels in turn, as ScanImage writes them", "stops", "holds 2 channels.*::channel=0")
def _(files):
    files.raw["post_pl"] = _scanimage(files)


@slow_case("one of ScanImage's channels, chosen in the sheet", "analysed")
def _(files):
    files.raw["post_pl"] = _scanimage(files)
    files.choices["post_pl"] = "::channel=1"


def _scanimage(files: Files) -> bytes:
    out = io.BytesIO()
    movie = files.arrays["post_pl"]
    both = np.stack([movie // 2, movie], axis=1).reshape(-1, *movie.shape[1:])
    how: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    tifffile.imwrite(out, both, software="SI.hChannels.channelSave = [1;2]", **how)
    files.cells |= KNOWN
    return out.getvalue()


@case("the end of an interrupted copy, filled with zeros", "refused", "do not show what the")
def _(files):
    whole = bytearray(imagej_bytes(files.arrays["post_pl"]))
    whole[-60 * 2 * 128 * 128 :] = bytes(60 * 2 * 128 * 128)
    files.raw["post_pl"] = bytes(whole)


@slow_case("time stamps of a clock of 15.6 ms", "analysed")
def _(files):
    # The clock of Windows; the time per frame has to be that of the movie before, 20 ms.
    files.raw["post_pl"] = _stamped(files, np.floor(np.arange(200) * 0.02 / 0.015625) * 0.015625)


@case("time stamps in whole seconds", "stops", "scatter by .* so that the time per frame")
def _(files):
    files.raw["post_pl"] = _stamped(files, np.floor(np.arange(200) * 0.02))


@slow_case("an array whose axes have no names", "refused", "arranged as 100 x 2")
def _(files):
    out = io.BytesIO()
    movie = files.arrays["post_pl"]
    tifffile.imwrite(out, movie.reshape(100, 2, *movie.shape[1:]), photometric="minisblack")
    files.raw["post_pl"] = out.getvalue()
    files.cells |= KNOWN
