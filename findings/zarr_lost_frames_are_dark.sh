#!/usr/bin/env bash
# zarr 3.1.6: a frame whose file got lost is read as zero counts, without an error or a warning.
#
# A movie of ten frames of about 100 counts in a Zarr folder, one frame a chunk, which is one file. The file of
# frame 4 is missing, as after a copy that was not complete: the movie still has ten frames, and frame 4 is 0 in
# each pixel. One expects an error, as from a TIFF or HDF5 file that was cut. By the format a chunk without a file
# holds the fill value, 0 by default: a frame that was never written, or that is zero throughout, has none either.
# So the array itself cannot tell whether it is whole; nchunks_initialized counts the files, 9 of 10. A missing
# frame of a blinking emitter is one more dark event, and the mean image is too low.
# A remedy: nchunks_initialized compared with nchunks after each copy, with write_empty_chunks on when writing.
#
# Seen: means of frames 3, 4 and 5: about 100, 0, about 100; nchunks_initialized 9 of 10; nothing reported
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  zarr==3.1.6 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import os
import sys
import warnings

import numpy as np
import zarr

warnings.simplefilter("error")
counts = np.random.default_rng(0).poisson(100, (10, 32, 48)).astype(np.uint16)
movie = zarr.create_array("movie.zarr", shape=counts.shape, chunks=(1, 32, 48), dtype="uint16")
movie[:] = counts
before = zarr.open_array("movie.zarr", mode="r")[:]
os.remove("movie.zarr/c/4/0/0")
opened = zarr.open_array("movie.zarr", mode="r")
means = opened[:].mean(axis=(1, 2))
print(f"shape {opened.shape}, means of frames 3 to 5 {means[3:6].round(1)}")
print(f"{opened.nchunks_initialized} of {opened.nchunks} chunks have a file")
as_seen = opened.shape == (10, 32, 48) and means[4] == 0 and abs(means[[3, 5]] - 100).max() < 2
chunks = opened.nchunks_initialized, opened.nchunks
sys.exit(0 if as_seen and np.array_equal(before, counts) and chunks == (9, 10) else 1)
PYTHON
