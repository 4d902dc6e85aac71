#!/usr/bin/env bash
# tifftools 1.7.0 with tifffile 2026.3.3: of two parts of a movie that were joined, tifffile.imread() returns the first.
#
# Cameras and export programs split long movies into files of 2 or 4 GB. `tifftools concat first.tif second.tif
# whole.tif` joins them without a change of their pixels: two parts of ten frames, means 100 and 200, make a file of
# 20 pages. imread() of it is (10, 32, 48), mean 100, where tifffile wrote the parts, as plain TIFF or as OME-TIFF; no
# error, no warning. One expects 20 frames. The first page keeps its description, a shape of (10, 32, 48) or SizeT="10",
# which is that of one part, and the reader takes its word; bfconvert of Bio-Formats 7.3.1 has ten frames of the OME
# file as well, 20 of the plain one. The second half of the blinking, and of the bleaching, is missing. Of ImageJ's
# parts imread() makes (2, 10, 32, 48), after a line in the log.
# A remedy: the number of pages, `tifftools dump` or len(TiffFile(path).pages), and imread(path, key=slice(None)).
#
# Seen: 20 pages each; imread (10, 32, 48) of plain and OME parts, (2, 10, 32, 48) of ImageJ's; by key (20, 32, 48)
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  tifftools==1.7.0 tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
cat > seen.py <<'PYTHON'
import logging
import subprocess
import sys
import warnings

import numpy as np
import tifffile

logging.disable()
warnings.simplefilter("error")
rng = np.random.default_rng(0)
parts = [rng.poisson(mean, (10, 32, 48)).astype(np.uint16) for mean in (100, 200)]
whole = np.concatenate(parts)
kinds = {"plain": {}, "OME": {"ome": True}, "ImageJ": {"imagej": True}}
seen = {}
for kind, options in kinds.items():
    names = [f"{kind}_{part}.tif" for part in ("first", "second", "whole")]
    for name, part in zip(names, parts):
        tifffile.imwrite(name, part, metadata={"axes": "TYX"}, **options)
    subprocess.run([sys.executable, "-m", "tifftools", "concat", *names], check=True)
    movie = tifffile.imread(names[2])
    by_page = tifffile.imread(names[2], key=slice(None))
    with tifffile.TiffFile(names[2]) as file:
        pages = len(file.pages)
    seen[kind] = pages, movie.shape, np.array_equal(by_page, whole)
    print(f"{kind}: {pages} pages; imread {movie.shape}, mean {movie.mean():.0f}; all by key: {seen[kind][2]}")
half, two = (20, (10, 32, 48), True), (20, (2, 10, 32, 48), True)
sys.exit(0 if seen == {"plain": half, "OME": half, "ImageJ": two} else 1)
PYTHON
"$folder/venv/bin/python" seen.py
