#!/usr/bin/env bash
# PIMS 0.7: of an ImageJ movie above 4 GB, which has a single page entry, pims.open() has one frame; the tifffile that
# it reads with has all.
#
# ImageJ saves a stack that is too large for the offsets of a TIFF, from 4 GB on, with one page and the number of images
# in its description; the other frames follow the first one without entries. tifffile writes the same layout with
# imagej=True and truncate=True, here for 50 frames of 64 x 64 px. One expects 50 frames, as tifffile.imread() gives and
# as PIMS opens the file by tifffile. len() is 1: PIMS counts the pages. Nothing is reported: a mean or a maximum over
# the movie is that of its first frame, and a trajectory has one position. The same movie with 50 pages, as ImageJ saves
# a shorter one, has 50 frames, so that a short test shows nothing.
# A remedy: tifffile.memmap(path), which trackpy takes as well.
#
# Seen (frames by PIMS and by tifffile): one page 1 and 50; 50 pages 50 and 50
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  pims==0.7 numpy==2.4.6 tifffile==2026.3.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pims
import tifffile

movie = np.random.default_rng(0).poisson(100, (50, 64, 64)).astype(np.uint16)
seen = {}
for name, one_page in (("one page", True), ("50 pages", False)):
    tifffile.imwrite("movie.tif", movie, imagej=True, truncate=one_page, metadata={"axes": "TYX"})
    with pims.open("movie.tif") as opened:
        seen[name] = (len(opened), len(tifffile.imread("movie.tif")))
        print(f"{name}: {seen[name][0]} frames by PIMS ({type(opened).__name__}), {seen[name][1]} by tifffile")
        assert np.array_equal(opened[0], movie[0]) and np.array_equal(tifffile.imread("movie.tif"), movie)
sys.exit(0 if seen == {"one page": (1, 50), "50 pages": (50, 50)} else 1)
PYTHON
