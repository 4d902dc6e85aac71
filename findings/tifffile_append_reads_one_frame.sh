#!/usr/bin/env bash
# tifffile 2026.3.3: a movie that was written frame by frame with append=True is read as its first frame.
#
# 100 frames are written by imwrite("movie.tif", frame, append=True), one call each, as a program does that
# gets them from a camera. imread() returns one frame, 32 x 48, without a warning. One expects the movie, as
# the file has 100 pages, and Pillow counts 100. The first call writes {"shape": [32, 48]} into the
# description of its page; by that, the file holds 100 series of one frame, and imread() reads the first.
# TiffWriter.write() in a loop does the same. What takes a mean or a maximum over frames then works on one.
# A remedy for such a file: imread(path, key=slice(None)). When writing: metadata=None in each call, or
# write(frame, contiguous=True) of one TiffWriter.
#
# Seen: imread (32, 48); 100 pages, 100 series; key=slice(None) and metadata=None (100, 32, 48)
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tifffile==2026.3.3 numpy==2.4.6 pillow==13.0.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import tifffile
from PIL import Image

frames = np.random.default_rng(0).integers(90, 200, (100, 32, 48)).astype(np.uint16)
for number, frame in enumerate(frames):
    tifffile.imwrite("movie.tif", frame, append=number > 0)
    tifffile.imwrite("plain.tif", frame, append=number > 0, metadata=None)
with tifffile.TiffWriter("loop.tif") as writer:
    for frame in frames:
        writer.write(frame)

with tifffile.TiffFile("movie.tif") as file:
    pages, series = len(file.pages), len(file.series)
with Image.open("movie.tif") as image:
    by_pillow = image.n_frames
read = tifffile.imread("movie.tif").shape
loop = tifffile.imread("loop.tif").shape
by_key, plain = tifffile.imread("movie.tif", key=slice(None)), tifffile.imread("plain.tif")
whole = bool((by_key == frames).all() and (plain == frames).all())
print(f"imread {read}, loop {loop}; {pages} pages, {series} series, Pillow {by_pillow}; key=slice(None) {by_key.shape}")
as_seen = read == loop == frames.shape[1:] and pages == series == by_pillow == len(frames)
sys.exit(0 if as_seen and whole else 1)
PYTHON
