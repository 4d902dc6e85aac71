#!/usr/bin/env bash
# SciPy 1.17.1: ndimage.gaussian_filter() of a uint16 frame is darker than the frame, by one count.
#
# A camera frame of 100 counts with Poisson noise, uint16 as it comes from the file. Its mean is 99.95; after
# gaussian_filter(frame, 2) it is 98.95, after uniform_filter(frame, 9) 99.06, after convolve() with weights that
# sum to 1 99.46. As float64, each keeps 99.95. One expects values rounded to whole counts, which keep the mean,
# as shift(), rotate() and zoom() of the same module do: 99.95. The filters cut the fraction off, and those
# that go along one axis after the other do it once for each axis. A background that was smoothed so, and
# subtracted, leaves one count in every pixel: 28 counts in an aperture of radius 3 px, where dim
# emitters have 100; the sum of frames, or a second filter, adds more. The type of the result is uint16 too, so that
# `frame - smooth` wraps around below zero.
# A remedy: output=numpy.float32.
#
# Seen: frame 99.95; uint16: gaussian 98.95, uniform 99.06, convolve 99.46, shift 99.95; float64 99.95 each
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from scipy import ndimage

frame = np.random.default_rng(0).poisson(100, (256, 256)).astype(np.uint16)
filters = {
    "gaussian": lambda image, **kind: ndimage.gaussian_filter(image, 2, **kind),
    "uniform": lambda image, **kind: ndimage.uniform_filter(image, 9, **kind),
    "convolve": lambda image, **kind: ndimage.convolve(image, np.full((5, 5), 1 / 25), **kind),
    "shift": lambda image, **kind: ndimage.shift(image, (0.5, 0.5), mode="mirror", **kind),
}
means = {name: (apply(frame).mean(), apply(frame.astype(float)).mean()) for name, apply in filters.items()}
mended = ndimage.gaussian_filter(frame, 2, output=np.float32).mean()
print(f"frame {frame.mean():.2f}; gaussian with output=float32 {mended:.2f}")
for name, (whole, real) in means.items():
    print(f"{name}: uint16 {whole:.2f}, float64 {real:.2f}")
lost = {name: real - whole for name, (whole, real) in means.items()}
as_seen = abs(lost["gaussian"] - 1) < 0.05 and lost["uniform"] > 0.8 and abs(lost["convolve"] - 0.5) < 0.05
sys.exit(0 if as_seen and abs(lost["shift"]) < 0.05 and abs(mended - frame.mean()) < 0.05 else 1)
PYTHON
