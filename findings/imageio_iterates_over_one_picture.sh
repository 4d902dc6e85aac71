#!/usr/bin/env bash
# imageio 2.38.1: imiter() of a TIFF movie of ten frames gives one picture, the whole movie.
#
# `for frame in iio.imiter("movie.tif")` is how imageio goes through a movie. Of ten frames of 32 x 48 px, in a TIFF
# by tifffile or by imageio itself, it runs once, with an array of (10, 32, 48); imread(index=3) raises "list index
# out of range"; improps().shape is that of one frame, (32, 48). Of the same pictures in a GIF it runs ten times.
# One expects a frame each time, whatever the format, as the plugin "pillow" gives of the same file. The series of a
# TIFF are counted as its pictures, and a movie is one series. Code that takes a mean, a background or a list of
# spots of each frame then gets one number for the movie, and no error: most functions of NumPy and SciPy take three
# dimensions too.
# A remedy: plugin="pillow", or imread(path, index=0, page=3) for one frame.
#
# Seen: TIFF one picture of (10, 32, 48), index=3 IndexError, page=3 right; plugin pillow ten of (32, 48); GIF ten
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  imageio==2.38.1 tifffile==2026.3.3 pillow==13.0.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import imageio.v3 as iio
import numpy as np
import tifffile

movie = np.random.default_rng(0).poisson(100, (10, 32, 48)).astype(np.uint16)
tifffile.imwrite("movie.tif", movie)
iio.imwrite("own.tif", movie)
iio.imwrite("movie.gif", movie.astype(np.uint8))


def shapes(path, **options):
    """Shapes of the pictures over which imiter() goes."""
    return [picture.shape[:3] for picture in iio.imiter(path, **options)]


by_default = [shapes("movie.tif"), shapes("own.tif")]
by_pillow, of_gif = shapes("movie.tif", plugin="pillow"), shapes("movie.gif")
try:
    indexed = iio.imread("movie.tif", index=3).shape
except IndexError as error:
    indexed = str(error)
page, properties = iio.imread("movie.tif", index=0, page=3), iio.improps("movie.tif").shape
print(f"TIFF {by_default}, index=3 {indexed}, improps {properties}, page=3 right {np.array_equal(page, movie[3])}")
print(f"TIFF by plugin pillow: {len(by_pillow)} pictures; GIF: {len(of_gif)} pictures")
as_seen = by_default == [[(10, 32, 48)]] * 2 and indexed == "list index out of range" and properties == (32, 48)
sys.exit(0 if as_seen and by_pillow == [(32, 48)] * 10 and len(of_gif) == 10 and np.array_equal(page, movie[3]) else 1)
PYTHON
