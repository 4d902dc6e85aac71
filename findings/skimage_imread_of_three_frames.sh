#!/usr/bin/env bash
# scikit-image 0.26.0: io.imread() of a movie of three or four frames returns one picture in colour.
#
# Grey stacks of 32 x 48 px, uint16, are written as TIFF, one page a frame. Of five frames imread() returns
# (5, 32, 48); of three (32, 48, 3), and of four (32, 48, 4): the frames stand last. One expects the order of the
# axes to be that of the file, whatever its number of frames; tifffile, by which it reads, gives (3, 32, 48).
# A length of three or four in the first place is taken for red, green, blue and alpha, though each page states that
# it is grey. Code that was tried on long movies then takes rows of pixels for frames: data[0] is a
# 48 x 3 strip. It meets short stacks: three filters, the last part of a movie that was split, four quadrants.
# A remedy: tifffile.imread.
#
# Seen: five (5, 32, 48), three (32, 48, 3), four (32, 48, 4); tifffile (3, 32, 48), (4, 32, 48)
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-image==0.26.0 tifffile==2026.3.3 numpy==2.4.6 scipy==1.17.1 pillow==13.0.0 imageio==2.38.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import tifffile
from skimage import io

frames = np.random.default_rng(0).integers(90, 200, (5, 32, 48)).astype(np.uint16)
seen, by_tifffile, grey = {}, {}, True
for number in (5, 3, 4):
    path = f"{number}.tif"
    tifffile.imwrite(path, frames[:number], photometric="minisblack")
    with tifffile.TiffFile(path) as file:
        grey &= len(file.pages) == number and file.pages[0].photometric == tifffile.PHOTOMETRIC.MINISBLACK
    seen[number], by_tifffile[number] = io.imread(path).shape, tifffile.imread(path).shape
print(f"one grey page a frame: {grey}; skimage {seen}; tifffile {by_tifffile}")
as_seen = grey and seen == {5: (5, 32, 48), 3: (32, 48, 3), 4: (32, 48, 4)}
sys.exit(0 if as_seen and by_tifffile == {number: (number, 32, 48) for number in (5, 3, 4)} else 1)
PYTHON
