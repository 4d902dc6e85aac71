#!/usr/bin/env bash
# trackpy 0.7: locate() works with 256 grey levels on a float image and with 65,536 on a uint16 one.
#
# Three spots of 30,000, 1,000 and 300 counts on a background of 100 with a noise of 5: each is far above the
# noise. As uint16 all three are found. As float32 or float64, the type of every image from which a
# background was subtracted, only the brightest is: after its band-pass filter, locate() scales a float image
# to the range of uint8, in which a spot a thirtieth as bright as the brightest keeps a few grey levels.
# Nothing is reported. One expects at least as much from a float image as from whole numbers.
# A remedy: round to uint16 (or uint32) before the call.
#
# Seen: uint16 3 spots, float32 1 spot, float64 1 spot
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  trackpy==0.7 numpy==2.3.5 scipy==1.16.3 pandas==2.3.3 matplotlib==3.10.7
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import trackpy

trackpy.quiet()
rng = np.random.default_rng(0)
y, x = np.mgrid[:64, :128]
spots = ((30_000, 32, 32), (300, 32, 80), (1_000, 20, 100))  # counts, y, x
image = 100 + rng.normal(0, 5, y.shape)
for counts, row, column in spots:
    image += counts * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 2 / 1.2**2)

found = {}
for dtype in ("uint16", "float32", "float64"):
    table = trackpy.locate(image.astype(dtype), 7, minmass=500)
    near = [np.hypot(table.y - row, table.x - column).min() < 0.5 for _, row, column in spots]
    found[dtype] = sum(near), len(table)
    print(f"{dtype}: {sum(near)} of 3 spots found, {len(table)} in all")
sys.exit(0 if found == {"uint16": (3, 3), "float32": (1, 1), "float64": (1, 1)} else 1)
PYTHON
