#!/usr/bin/env bash
# mahotas 1.4.19: convolve() of a uint16 frame with the weights of a mean, 1/9 each, is 0 in every pixel.
#
# A frame of 100 counts, Poisson, uint16 as the camera gives it. The moving mean, convolve(frame, numpy.ones((3, 3)) /
# 9), is 0 throughout, and 100 of the same frame as float64. With the weights of bilinear interpolation, 0.25, 0.5 and
# 1, it is 100 instead of 400. One expects the mean, or that of whole counts, as scipy.ndimage.convolve() gives: the
# docstring says that the sum is made in doubles, and its warning is of results that do not fit. Before that the weights
# are cast to the type of the image, so that each fraction is 0, which a few words about the argument state; no
# warning is given. mean_filter() of the same frame is right. What is built on it, a background or a matched filter, is
# a dark image.
# A remedy: convolve(frame.astype(float), weights).
#
# Seen (mean): weights of a mean: uint16 0, float64 99.9, SciPy of uint16 99.4; bilinear: uint16 99.9, float64 399.7
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  mahotas==1.4.19 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import mahotas
import numpy as np
from scipy import ndimage

warnings.simplefilter("error")
frame = np.random.default_rng(0).poisson(100, (200, 200)).astype(np.uint16)
mean = np.ones((3, 3)) / 9
bilinear = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
rows = {
    "mean of uint16": mahotas.convolve(frame, mean).mean(),
    "mean of float64": mahotas.convolve(frame.astype(float), mean).mean(),
    "mean of uint16, SciPy": ndimage.convolve(frame, mean).mean(),
    "mean_filter of uint16": mahotas.mean_filter(frame, np.ones((3, 3))).mean(),
    "bilinear, uint16": mahotas.convolve(frame, bilinear).mean(),
    "bilinear, float64": mahotas.convolve(frame.astype(float), bilinear).mean(),
}
for name, value in rows.items():
    print(f"{name}: {value:.1f}")
expected = 0, 100, 99.5, 100, 100, 400
sys.exit(0 if np.abs(np.subtract(list(rows.values()), expected)).max() < 1 and rows["mean of uint16"] == 0 else 1)
PYTHON
