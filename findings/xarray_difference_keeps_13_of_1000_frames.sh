#!/usr/bin/env bash
# xarray 2026.9.0: a trace minus its background has 13 of 1,000 frames, because the times differ by less than 1e-12 s.
#
# Both traces have 1,000 frames of 20 ms. The times of one are the number of the frame times 0.02 s, those of the other
# the sum of the exposures before it, as a log of a camera gives them; they agree to 3e-13 s. trace - background has 13
# frames, those whose times are equal to the last bit, and its mean is that of the 13. One expects 1,000 differences,
# or an error, as for arrays of two lengths. xarray takes the frames whose times are the same in both, and drops the
# others without a warning. dataset["background"] = background leaves 987 of its values NaN, and a Dataset of the two
# has 1,987 frames. xarray.where() refuses the same two.
# A remedy: xarray.set_options(arithmetic_join="exact"), which is an error here; or one array of times for both.
#
# Seen (frames): difference 13, NaN 987, Dataset 1987; with arithmetic_join="exact" an error
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  xarray==2026.9.0 numpy==2.4.6 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import xarray as xr

FRAMES, EXPOSURE_S = 1000, 0.02
by_number = np.arange(FRAMES) * EXPOSURE_S
by_sum = np.cumsum(np.full(FRAMES, EXPOSURE_S)) - EXPOSURE_S
rng = np.random.default_rng(0)
trace = xr.DataArray(rng.poisson(500, FRAMES), dims="time", coords={"time": by_number})
background = xr.DataArray(np.full(FRAMES, 100), dims="time", coords={"time": by_sum})

difference = trace - background
assigned = xr.Dataset({"trace": trace})
assigned["background"] = background
missing = int(assigned["background"].isnull().sum())
both = xr.Dataset({"trace": trace, "background": background}).sizes["time"]
try:
    with xr.set_options(arithmetic_join="exact"):
        trace - background
    refused = False
except ValueError:
    refused = True
print(f"times agree to {np.abs(by_sum - by_number).max():.0e} s")
print(f"frames of the difference: {difference.size}; NaN in the Dataset: {missing}; frames of both: {both}")
print(f"mean {float(difference.mean()):.1f}, of all frames {float(trace.mean()) - 100:.1f}; exact refuses: {refused}")
sys.exit(0 if (difference.size, missing, both, refused) == (13, 987, 1987, True) else 1)
PYTHON
