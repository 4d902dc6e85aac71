#!/usr/bin/env bash
# OpenCV 5.0.0: a float32 frame from a FITS file becomes nothing, and a 16-bit TIFF that ImageJ wrote, opened by
# Pillow, is noise: the bytes of each number are taken in the wrong order.
#
# A frame of 300 counts, Poisson. FITS keeps numbers with the high byte first, and astropy's getdata() returns them
# so, as dtype ">f4": NumPy computes with it as with any other, mean 300. cv2.GaussianBlur() of it has a mean of
# 6e-39, and add() and phaseCorrelate() are as wrong. ImageJ writes its TIFF in that order too:
# np.asarray(Image.open()) is ">u2", and the blurred frame has a mean of 11,440. One expects the numbers of an
# array, or an error, as SimpleITK raises one. The bytes are read as if they were the machine's own; no warning is
# given. tifffile and FITS of unsigned 16 bits, which astropy has to convert, are right, so that the same code works
# for the raw movie and not for the corrected one. phaseCorrelate() of two such frames finds a shift of half the
# frame.
# A remedy: frame.astype(frame.dtype.newbyteorder("=")) before the call.
#
# Seen: FITS float32 mean 6e-39, TIFF by Pillow 1.14e4, by tifffile 300; converted first 300
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  numpy==2.4.6 astropy==8.0.2 opencv-python-headless==5.0.0.93 tifffile==2026.3.3 pillow==13.0.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
import tifffile
from astropy.io import fits
from PIL import Image

counts = np.random.default_rng(0).poisson(300, (64, 64))
fits.writeto("corrected.fits", counts.astype(np.float32))
fits.writeto("raw.fits", counts.astype(np.uint16))
tifffile.imwrite("imagej.tif", counts.astype(np.uint16), imagej=True, byteorder=">")
frames = {
    "FITS, float32": fits.getdata("corrected.fits"),
    "FITS, uint16": fits.getdata("raw.fits"),
    "TIFF by Pillow": np.asarray(Image.open("imagej.tif")),
    "TIFF by tifffile": tifffile.imread("imagej.tif"),
}
right = {}
for name, frame in frames.items():
    blurred, converted = (
        float(cv2.GaussianBlur(each, (5, 5), 1).mean()) for each in (frame, frame.astype(frame.dtype.newbyteorder("=")))
    )
    print(f"{name}: {frame.dtype.str}, mean {frame.mean():.1f}; blurred {blurred:.4g}, converted first {converted:.1f}")
    right[name] = abs(blurred - frame.mean()) < 2
    if abs(converted - frame.mean()) > 2:
        sys.exit(1)
sys.exit(0 if list(right.values()) == [False, True, False, True] else 1)
PYTHON
