#!/usr/bin/env bash
# xarray 2026.9.0: frames of a NetCDF file that were never written are read as 65,535 counts, or 9.97e36 as float32.
#
# Two traces share the unlimited dimension frame; one has ten frames, the other stopped after six, as when one camera
# or one writer ends early. netCDF4 returns the four missing values as masked. One expects NaN of xarray, which turns
# the missing values of a file into NaN (mask_and_scale is on). open_dataset() returns 65,535 in the frames of uint16
# and 9.97e36 in those of float32, with either engine, with no warning. The file has no attribute _FillValue; the
# library then fills in the default value of the type, which netCDF4 knows and xarray does not look for. An emitter
# that was not filmed is on, and the mean of the float32 trace is 4e36.
# A remedy: _FillValue as an attribute when the variable is created; netCDF4 then writes it and xarray reads NaN.
#
# Seen: netCDF4 4 values masked; xarray, both engines: 65535 and 9.97e+36; with _FillValue: 4 NaN
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  xarray==2026.9.0 netCDF4==1.7.5.1.post1 h5netcdf==1.8.2 h5py==3.16.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W error::FutureWarning - <<'PYTHON'
import sys

import netCDF4
import numpy as np
import xarray as xr

with netCDF4.Dataset("traces.nc", "w") as file:
    file.createDimension("frame", None)
    file.createVariable("whole", "u2", ("frame",))[:] = np.full(10, 500)
    for name, kind, fill in (("counts", "u2", None), ("traces", "f4", None), ("marked", "f4", np.nan)):
        file.createVariable(name, kind, ("frame",), fill_value=fill)[:6] = np.full(6, 500)
with netCDF4.Dataset("traces.nc") as file:
    masked = [int(np.ma.count_masked(file[name][:])) for name in ("counts", "traces")]
print("netCDF4", netCDF4.__version__, "masked", masked, "xarray", xr.__version__)
as_seen = masked == [4, 4]
for engine in ("netcdf4", "h5netcdf"):
    with xr.open_dataset("traces.nc", engine=engine) as data:
        counts, traces, marked = (data[name].values for name in ("counts", "traces", "marked"))
    print(f"{engine}: counts {counts[5:8]}, traces {traces[5:8]}, mean {traces.mean():.1e}; marked {marked[5:8]}")
    as_seen = as_seen and (counts[6:] == 65_535).all() and (traces[6:] > 9e36).all() and np.isnan(marked[6:]).all()
sys.exit(0 if as_seen else 1)
PYTHON
