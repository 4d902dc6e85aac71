#!/usr/bin/env bash
# scikit-image 0.26.0: random_noise(frame, mode="poisson") of a constant frame of 100 counts, uint16, has pixels of
# 0 and of 65,535 counts, and the noise of other frames depends on how many different values they have.
#
# Shot noise for a simulated camera frame: 100 counts have a standard deviation of 10. random_noise() returns
# fractions of 65,535; times 65,535 the frame has a mean of 118 and a standard deviation of 2,792: almost all
# pixels are 0. A frame that rises from 100 to 199 counts has noise of 275 instead of 12, and the same as floats, with
# clip=False, 1.1. Only a constant float frame with clip=False is right, 10.0; if one row of it differs, it is 0.9.
# One expects the noise of the values as counts, as "Poisson-distributed noise generated from the data" says, or
# at least the same for the same pixel. The image is multiplied by a power of two, the next one above the number of
# its different values, noise is drawn, and it is divided again; uint16 is a fraction of 65,535 before that.
# There is no warning. A remedy: numpy.random.Generator.poisson(frame).
#
# Seen: 2792 for 10 counts; gradient 275 for 12.2, as floats 1.08; constant floats 10.0, with another row 0.88
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-image==0.26.0 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import sys

import numpy as np
from skimage.util import random_noise

flat = np.full((100, 100), 100, np.uint16)
gradient = flat + np.arange(100, dtype=np.uint16)
row = flat.astype(float)
row[0] = np.linspace(100, 101, 100)
seen = []
for name, frame in (
    ("constant, uint16", flat),
    ("gradient, uint16", gradient),
    ("gradient, float", gradient.astype(float)),
    ("constant, float", flat.astype(float)),
    ("constant but for one row, float", row),
):
    unit = 65535 if frame.dtype == np.uint16 else 1
    noisy = unit * random_noise(frame, mode="poisson", rng=0, clip=unit > 1)
    noise, true = (noisy - frame)[1:].std(), np.sqrt(frame[1:].mean())
    mean = np.random.default_rng(0).poisson(frame).mean()
    print(f"{name}: mean {noisy.mean():.1f} (poisson() {mean:.1f}), noise {noise:.2f} for {true:.2f} counts")
    seen.append(noise / true)
values = np.unique(65535 * random_noise(flat, mode="poisson", rng=0)).tolist()
print("values of the constant uint16 frame:", values)
kept = seen[0] > 200 and seen[1] > 15 and seen[2] < 0.15 and 0.98 < seen[3] < 1.02 and seen[4] < 0.15
sys.exit(0 if kept and values == [0, 65535] else 1)
PYTHON
