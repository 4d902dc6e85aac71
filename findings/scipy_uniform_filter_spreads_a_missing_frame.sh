#!/usr/bin/env bash
# SciPy 1.17.1: ndimage.uniform_filter1d() of a trace with one missing frame, NaN, is NaN from there to the end, and
# uniform_filter() of an image with one missing pixel is NaN in everything below and to the right of it.
#
# A trace of 2,000 frames, frame 100 missing, smoothed over five frames. One expects NaN in the five frames whose
# window holds it, as from correlate1d() and pandas' rolling().mean(), or 17 as from gaussian_filter1d() with sigma 2.
# 1,902 frames are NaN. Of an image of 100 x 100 px, pixel (30, 40) missing, smoothed by 3 x 3 px, 4,331 pixels are NaN
# instead of 9. The mean of a window is that of the one before, plus what comes in, minus what goes out, and NaN minus
# NaN stays NaN. For the same reason a pixel of 1e17 leaves 0 behind it where the trace is 1. One bad frame takes the
# rest of the movie, and nanmean() over the result is the mean of its beginning, without a warning.
# A remedy: correlate1d(trace, numpy.full(5, 0.2)).
#
# Seen: 1902 frames (correlate1d 5, rolling 5, gaussian_filter1d 17), 4331 pixels (convolve 9); behind 1e17: 0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scipy==1.17.1 numpy==2.4.6 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import numpy as np
import pandas as pd
from scipy import ndimage

warnings.simplefilter("error")
trace = np.ones(2000)
trace[100] = np.nan
image = np.ones((100, 100))
image[30, 40] = np.nan
bright = np.ones(2000)
bright[100] = 1e17


def missing(values):
    return int(np.isnan(np.asarray(values)).sum())


rows = {
    "uniform_filter1d": missing(ndimage.uniform_filter1d(trace, 5)),
    "correlate1d": missing(ndimage.correlate1d(trace, np.full(5, 0.2))),
    "rolling (besides its ends)": missing(pd.Series(trace).rolling(5, center=True).mean()[2:-2]),
    "gaussian_filter1d": missing(ndimage.gaussian_filter1d(trace, 2)),
    "uniform_filter of an image": missing(ndimage.uniform_filter(image, 3)),
    "convolve of an image": missing(ndimage.convolve(image, np.full((3, 3), 1 / 9))),
}
behind = ndimage.uniform_filter1d(bright, 5)[110:]
for name, count in rows.items():
    print(f"{name}: {count} NaN")
print(f"ten frames behind 1e17: {behind.min()} to {behind.max()}")
sys.exit(0 if list(rows.values()) == [1902, 5, 5, 17, 4331, 9] and not behind.any() else 1)
PYTHON
