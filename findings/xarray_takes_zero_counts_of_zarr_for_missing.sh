#!/usr/bin/env bash
# xarray 2026.9.0 with zarr 3.1.6: open_zarr() of a dim movie in Zarr format 2 takes each pixel without a photon for
# missing: the mean is 1.1 counts where it is 0.2.
#
# zarr.create_array(zarr_format=2) of a uint16 movie with 0.2 photons a pixel, and the names of its axes in the
# attribute _ARRAY_DIMENSIONS, by which xarray reads such arrays. xarray.open_zarr() gives float32, 82 % of the pixels
# are NaN, and mean() is 1.10. One expects the integers that are stored, and the mean 0.20, as zarr itself gives them,
# and xarray too where the same array is in format 3. In format 2 zarr writes a fill value of 0, the value of chunks
# that were never written, without being asked for one; xarray reads it as the mark of missing values, and leaves these
# out of means without a word. Of a brighter movie few pixels are lost, so that it looks right: only the dim ones go
# wrong, by 1 / (1 - exp(-mean)). A trace of whole dark frames has no dark level left.
# A remedy: open_zarr(mask_and_scale=False); or format 3.
#
# Seen: format 2 float32, 82 % missing, mean 1.10; format 3 uint16, mean 0.20; mask_and_scale=False uint16, mean 0.20
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  xarray==2026.9.0 zarr==3.1.6 dask==2026.8.0 numpy==2.4.6 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import xarray as xr
import zarr

AXES = ["time", "y", "x"]
counts = np.random.default_rng(0).poisson(0.2, (50, 64, 64)).astype(np.uint16)


def read(zarr_format, **options):
    """Type, share of missing pixels and mean of the movie that zarr wrote, as xarray gives it."""
    folder = f"format{zarr_format}.zarr"
    group = zarr.open_group(folder, mode="w", zarr_format=zarr_format)
    names = {"dimension_names": AXES} if zarr_format == 3 else {"attributes": {"_ARRAY_DIMENSIONS": AXES}}
    array = group.create_array("movie", shape=counts.shape, dtype=counts.dtype, chunks=(10, 64, 64), **names)
    array[:] = counts
    assert np.array_equal(array[:], counts)
    movie = xr.open_zarr(folder, consolidated=False, **options)["movie"]
    return str(movie.dtype), float(movie.isnull().mean()), float(movie.mean())


rows = {"format 2": read(2), "format 3": read(3), "format 2, mask_and_scale=False": read(2, mask_and_scale=False)}
for name, (dtype, missing, mean) in rows.items():
    print(f"{name}: {dtype}, {missing:.0%} missing, mean {mean:.2f}")
masked, *right = rows.values()
as_seen = masked[0] == "float32" and masked[1] == (counts == 0).mean() and masked[2] > 1
sys.exit(0 if as_seen and all(row == ("uint16", 0.0, counts.mean()) for row in right) else 1)
PYTHON
