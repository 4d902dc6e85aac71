#!/usr/bin/env bash
# RosettaSciIO 0.15.0, the reader of HyperSpy: a TIFF from ImageJ with pixels of 0.5 nm is read with pixels of 0.5 and
# no unit, and its 20 ms a frame as 1.
#
# A TEM movie of five frames, as ImageJ saves it: unit=nm, two pixels a nm, finterval=0.02. file_reader() gives 0.5 for
# both axes of the image, units None, and 1.0 for the time. With unit=um, with the escape \u00B5m that ImageJ writes
# for the Greek letter, or with Angstrom it is the same number without a unit; only the word micron becomes a
# unit. One expects nm of a reader for electron microscopy, whose manual states that it reads scale and unit of ImageJ's
# files, or no scale where the unit is not understood. Images in nm and in um then have one scale of 0.5, a thousand
# times wrong for one of them, and file_writer() writes a copy with an empty unit, so that it is lost for good.
# Nothing is reported.
# A remedy: tifffile.TiffFile(path).imagej_metadata["unit"], put into the axes by hand.
#
# Seen: nm, um, \u00B5m and Angstrom 0.5 and None; micron 0.5 and the unit; time 1.0 and None; the copy of nm: unit ""
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  rosettasciio==0.15.0 tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import numpy as np
import tifffile
from rsciio.tiff import file_reader, file_writer

warnings.simplefilter("error")
frames = np.random.default_rng(0).poisson(100, (5, 32, 48)).astype(np.uint16)
seen = {}
for unit in ("nm", "um", r"\u00B5m", "Angstrom", "micron"):
    metadata = {"axes": "TYX", "unit": unit, "finterval": 0.02}
    tifffile.imwrite("movie.tif", frames, imagej=True, resolution=(2, 2), metadata=metadata)
    signal = file_reader("movie.tif")[0]
    seen[unit] = [(axis["scale"], axis["units"]) for axis in signal["axes"]]
    print(f"{unit}: (scale, unit) of time, y and x {seen[unit]}")
    file_writer("copy.tif", signal)
    with tifffile.TiffFile("movie.tif") as movie, tifffile.TiffFile("copy.tif") as copy:
        units = movie.imagej_metadata["unit"], copy.imagej_metadata["unit"]
    print(f"  tifffile: unit of the movie {units[0]!r}, of the copy {units[1]!r}")
    assert units == (unit, "micron" if unit == "micron" else "")
known = seen.pop("micron")
as_seen = all(axes == [(1.0, None), (0.5, None), (0.5, None)] for axes in seen.values())
sys.exit(0 if as_seen and known == [(1.0, None), (0.5, "\u00b5m"), (0.5, "\u00b5m")] else 1)
PYTHON
