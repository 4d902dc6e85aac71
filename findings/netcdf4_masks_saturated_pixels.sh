#!/usr/bin/env bash
# netCDF4 1.7.5: pixels of 65,535 counts in a uint16 variable are masked when they are read, so that the
# mean, the maximum and the sum of a frame leave out what was saturated.
#
# A frame of 16-bit counts is written: 100, 200 and two saturated pixels, 65,535. No fill value is given, and
# the file holds none. Read back, `variable[:]` has two masked values; its maximum is 200 and its mean 150
# instead of 32,842. One expects data without a fill value to come back as they were written. 65,535 is the
# default fill value of the type, which stands for what was never written, and the 16-bit camera's largest
# count. A check for saturation finds nothing. xarray reads all four pixels from the same file, with either
# engine. fill_value=False in createVariable(), which writes no fill values, does not change it.
# A remedy: variable.set_auto_mask(False) before it is read.
#
# Seen: netCDF4 maximum 200, mean 150 of 2 pixels; fill_value=False 200; set_auto_mask(False) 65535; xarray
# 65535
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  netCDF4==1.7.5.1.post1 xarray==2026.9.0 numpy==2.4.6 pandas==2.3.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import netCDF4
import numpy as np
import xarray as xr

frame = np.array([100, 200, 65_535, 65_535], np.uint16)
with netCDF4.Dataset("frame.nc", "w") as file:
    file.createDimension("pixel", 4)
    file.createVariable("counts", "u2", "pixel")[:] = frame
    file.createVariable("unfilled", "u2", "pixel", fill_value=False)[:] = frame
with netCDF4.Dataset("frame.nc") as file:
    counts = file["counts"]
    as_read = counts[:]
    unfilled = int(file["unfilled"][:].max())
    counts.set_auto_mask(False)
    unmasked = int(counts[:].max())
    has_fill_value = "_FillValue" in counts.ncattrs()
with xr.open_dataset("frame.nc", engine="netcdf4") as data:
    by_xarray = int(data["counts"].max())
maximum, mean, pixels = int(as_read.max()), float(as_read.mean()), int(as_read.count())
print(f"fill value in the file: {has_fill_value}")
print(f"netCDF4: maximum {maximum}, mean {mean:g} of {pixels} pixels")
print(f"set_auto_mask(False) {unmasked}, fill_value=False {unfilled}, xarray {by_xarray}")
whole = unmasked == by_xarray == 65_535 and unfilled == 200
sys.exit(0 if whole and not has_fill_value and (maximum, mean, pixels) == (200, 150, 2) else 1)
PYTHON
