#!/usr/bin/env bash
# xarray 2026.9.0: to_netcdf() with encoding packs a value that does not fit into another one: 5,000 counts
# come back as -1,553.6, and 70,000 as 4,464.
#
# Traces are saved in half the space or less with encoding={"dtype": "int16", "scale_factor": 0.1}, as the CF
# conventions describe. That holds -3,276.8 to 3,276.7 counts. One expects a bright frame beyond it to raise
# an error, as NumPy does for a Python number that does not fit, or to be cut to the largest number. It wraps
# around: the brightest frames become the darkest, without a warning, with both engines. So do sums of counts
# that are written as uint16.
# A remedy: check the range before; or dtype float32 with zlib, which loses nothing of counts.
#
# Seen: 5000 -> -1553.6 (netcdf4, h5netcdf); 70000 and -5 as uint16 -> 4464 and 65531; no warning
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  xarray==2026.9.0 netCDF4==1.7.5.1.post1 h5netcdf==1.8.2 h5py==3.16.0 numpy==2.4.6 pandas==2.3.3
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import sys

import numpy as np
import xarray as xr


def written_and_read(values, engine="netcdf4", **encoding):
    """Values after a way through a file."""
    data = xr.Dataset({"counts": ("frame", np.array(values))})
    data.to_netcdf("trace.nc", engine=engine, encoding={"counts": encoding})
    with xr.open_dataset("trace.nc", engine=engine) as file:
        return file["counts"].values.round(1).tolist()


packed = {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -32768}
bright = [written_and_read([100.0, 5000.0], engine, **packed) for engine in ("netcdf4", "h5netcdf")]
whole = written_and_read([300, 70_000, -5], dtype="uint16")
print(f"100 and 5000 packed: {bright[0]} (netcdf4), {bright[1]} (h5netcdf)")
print(f"300, 70000 and -5 as uint16: {whole}")
sys.exit(0 if bright == [[100.0, -1553.6]] * 2 and whole == [300, 4464, 65_531] else 1)
PYTHON
