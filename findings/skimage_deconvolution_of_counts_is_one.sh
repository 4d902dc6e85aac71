#!/usr/bin/env bash
# scikit-image 0.26.0: restoration.richardson_lucy() of a frame in counts returns 1 in every pixel.
#
# A frame of 100 counts with one spot of 5,000 counts, sigma 1.5 px, as floats, is deconvolved with its point-spread
# function in 10 iterations. One expects counts: Richardson-Lucy is made for photon counts and keeps their sum. The
# result is 1.0 in every pixel, a sum of 4,096 for 414,093 counts, without an error or a warning: what exceeds 1 is
# cut by default, after the iterations, "for skimage pipeline compatibility". A uint16 frame is not divided by 65,535,
# as in other functions of the package, and becomes 1 everywhere as well. A remedy: clip=False.
#
# Seen: floats and uint16 1.0 everywhere, sum 4096; with clip=False the sum is that of the frame, 414,093, and the
# brightest pixel 835 counts instead of 435
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
from skimage.restoration import richardson_lucy

rng = np.random.default_rng(0)
y, x = np.mgrid[-10:11, -10:11]
psf = np.exp(-(y**2 + x**2) / (2 * 1.5**2))
psf /= psf.sum()
frame = rng.poisson(100, (64, 64)).astype(float)
frame[20:41, 20:41] += rng.poisson(5000 * psf)
rows = {
    "the frame": frame,
    "float": richardson_lucy(frame, psf, 10),
    "float, clip=False": richardson_lucy(frame, psf, 10, clip=False),
    "uint16": richardson_lucy(frame.astype(np.uint16), psf, 10),
}
for name, image in rows.items():
    print(f"{name}: {image.min():.3f} to {image.max():.3f}, sum {image.sum():.0f}")
ones = all((rows[name] == 1).all() for name in ("float", "uint16"))
kept = np.isclose(rows["float, clip=False"].sum(), frame.sum()) and rows["float, clip=False"].max() > 800
sys.exit(0 if ones and kept else 1)
PYTHON
