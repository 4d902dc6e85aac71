#!/usr/bin/env bash
# pylibCZIrw 6.1.0: read(zoom=0.5) of a CZI image takes one pixel of four and drops the others: of 40 spots of one
# pixel 14 are left, and the noise is as large as before.
#
# An image of 128 x 128 px, Poisson counts with a mean of 100, and 40 pixels with 2,000 more. It is written by
# create_czi(), without a pyramid. read(zoom=0.5) is image[::2, ::2], to the last count: a standard deviation of 9.9
# where the mean of four pixels has 5.0, and 14 bright pixels; zoom=0.25 is image[::4, ::4] and has 5. The docstring
# calls zoom a factor between 0 and 1. One expects an image that is read at half its size to be the mean of its pixels,
# so that it can be used to count spots, to choose a field or to average noise. A narrow emitter is there or not by
# its place, and each frame of a movie that drifts shows others: they seem to blink.
# A remedy: read() at full size, and the mean of the blocks.
#
# Seen (pixels above 300, standard deviation of the others): full size 40, 9.9; zoom 0.5: 14, 9.9; zoom 0.25: 5, 9.9;
# mean of 2 x 2 pixels 40, 5.0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pylibCZIrw==6.1.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from pylibCZIrw import czi

rng = np.random.default_rng(1)
level = np.full((128, 128), 100.0)
level.flat[rng.choice(level.size, 40, replace=False)] += 2000
image = rng.poisson(level).astype(np.uint16)
with czi.create_czi("image.czi") as file:
    file.write(data=image[..., None], plane={"T": 0, "C": 0})
with czi.open_czi("image.czi") as file:
    read = {zoom: file.read(plane={"T": 0, "C": 0}, zoom=zoom)[..., 0] for zoom in (1.0, 0.5, 0.25)}
read["mean of 2 x 2"] = image.reshape(64, 2, 64, 2).mean(axis=(1, 3))
bright, noise = {}, {}
for zoom, pixels in read.items():
    is_bright = pixels > 300
    bright[zoom], noise[zoom] = int(is_bright.sum()), float(pixels[~is_bright].std())
    print(f"zoom {zoom}: {pixels.shape}, {bright[zoom]} pixels above 300, standard deviation {noise[zoom]:.1f}")
dropped = all(np.array_equal(read[zoom], image[:: round(1 / zoom), :: round(1 / zoom)]) for zoom in (1.0, 0.5, 0.25))
as_seen = bright[1.0] == 40 and bright[0.5] < 20 and noise[0.5] > 9 and bright["mean of 2 x 2"] > 35
sys.exit(0 if dropped and as_seen and noise["mean of 2 x 2"] < 6 else 1)
PYTHON
