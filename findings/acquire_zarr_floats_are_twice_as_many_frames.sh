#!/usr/bin/env bash
# acquire-zarr 0.10.0: append() of ten frames of floats to a stream of uint16 writes twenty frames of other numbers.
#
# A stream of uint16, frames of 32 x 48 px, as a camera needs it, of a length that is not known before. append(movie) of
# ten frames of 100 counts writes ten frames, mean 100. Of the same frames as float32, after a background or an offset
# was subtracted, there are twenty frames with a mean of 8,500; of float64 forty; of frames with the high byte first,
# as FITS files have them, ten with a mean of 25,600. One expects the numbers to be converted, as NumPy, h5py and zarr
# do on assignment, or an error, as the stream has a type. The bytes are taken as they come, without an error or a
# warning. An announced length, array_size_px=10, makes the floats an error; the other order of bytes passes, and
# still shows spots.
# A remedy: frames.astype("uint16") before each append().
#
# Seen (frames, mean): uint16 10, 100; float32 20, 8,548; float64 40, 10,252; high byte first 10, 25,608
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  acquire-zarr==0.10.0 zarr==3.1.6 numpy==2.4.6
cd "$folder"
cat > seen.py <<'PYTHON'
import sys
import warnings

import acquire_zarr
import numpy as np
import zarr

warnings.simplefilter("error")
counts = np.random.default_rng(0).poisson(100, (10, 32, 48))
SPACE, TIME = acquire_zarr.DimensionType.SPACE, acquire_zarr.DimensionType.TIME


def axis(name, kind, size, chunk):
    """One axis of the stream."""
    return acquire_zarr.Dimension(
        name=name, kind=kind, array_size_px=size, chunk_size_px=chunk, shard_size_chunks=1
    )


seen = {}
for number, dtype in enumerate(("uint16", "float32", "float64", ">u2")):
    axes = [axis("t", TIME, 0, 5), axis("y", SPACE, 32, 32), axis("x", SPACE, 48, 48)]
    array = acquire_zarr.ArraySettings(dimensions=axes, data_type=np.uint16)
    settings = acquire_zarr.StreamSettings(store_path=f"{number}.zarr", arrays=[array])
    stream = acquire_zarr.ZarrStream(settings)
    frames = counts.astype(dtype)
    stream.append(frames)
    stream.close()
    stored = zarr.open_array(f"{number}.zarr", mode="r")[:]
    assert np.array_equal(stored.ravel(), frames.view("<u2").ravel())  # the bytes as they are
    seen[dtype] = len(stored), round(float(stored.mean()))
    print("{}: {} frames, mean {}".format(dtype, *seen[dtype]))
as_seen = {"uint16": (10, 100), "float32": (20, 8548), "float64": (40, 10252), ">u2": (10, 25608)}
sys.exit(0 if seen == as_seen else 1)
PYTHON
"$folder/venv/bin/python" seen.py
