#!/usr/bin/env bash
# numba 0.68.1: np.median() of a trace with missing frames, NaN, is a number in a compiled loop, and another one if the
# same frames come in another order.
#
# A blinking trace of 101 frames, on in 60 of them, five of them missing. np.median() of NumPy is NaN, which shows that
# a frame is missing; one expects the same of the compiled function, as np.mean(), np.max() and np.percentile() are NaN
# there too. np.median() compares with NaN while it selects, and each comparison is false, so that the selection ends
# anywhere: the median changes with the order of the frames, down to the level of another state. np.percentile(trace,
# 50) is NaN, so the two are not the same either.
# A remedy: np.nanmedian(), which is right in compiled code.
#
# Seen (100 orders of the frames): NumPy NaN in all; numba NaN in 8, 100 to 496 in the others, true 486.5
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile numba==0.68.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from numba import njit

median = njit(lambda trace: np.median(trace))
percentile = njit(lambda trace: np.percentile(trace, 50))
nanmedian = njit(lambda trace: np.nanmedian(trace))

rng = np.random.default_rng(0)
trace = np.concatenate([rng.poisson(500, 60), rng.poisson(100, 41)]).astype(float)
trace[rng.choice(101, 5, replace=False)] = np.nan
orders = [rng.permutation(trace) for _ in range(100)]

true = float(np.nanmedian(trace))
found = np.array([median(order) for order in orders])
print(f"median of the frames that are there {true}")
print(f"np.median(): {np.isnan(found).sum()} NaN, values from {np.nanmin(found)} to {np.nanmax(found)}")
off = int((abs(found - true) > 0.5).sum())
print(f"not the median of the other frames: {off} of 100")
missing_shown = all(np.isnan(percentile(order)) and np.isnan(np.median(order)) for order in orders)
right = all(nanmedian(order) == true for order in orders)
as_seen = np.isnan(found).sum() < 30 and off > 30 and missing_shown and right
sys.exit(0 if as_seen else 1)
PYTHON
