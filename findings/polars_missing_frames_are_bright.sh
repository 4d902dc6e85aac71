#!/usr/bin/env bash
# polars 2.1.0: frames without a value, NaN, count as the brightest: 55 % of a trace are above the threshold, where it
# is 25 %, and its median is the on level.
#
# A trace of 100 frames: 45 at 100 counts, 25 at 600, and 30 that could not be measured, NaN, as NumPy code writes them.
# (trace > 300).mean() is 0.55, 0.25 in NumPy; filter(trace > 300) keeps 55 rows, 30 of them NaN. median() is 600, where
# NumPy has NaN, and 100 by nanmedian(). quantile(0.9) is NaN, and max() is 600, as it leaves NaN out. One expects a
# comparison with NaN to be false, as in IEEE arithmetic and NumPy, and a median to be NaN or without the frames that
# are missing. NaN is a number to polars, larger than all others, and only null is a missing value; from_numpy() keeps
# NaN. An on fraction that is computed so grows with the number of lost frames.
# A remedy: fill_nan(None) once, when the trace is made.
#
# Seen: above 300: 0.55 (NumPy 0.25), median 600, quantile(0.9) NaN, max 600; after fill_nan(None) 25 of 70, 100, 600
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  polars==2.1.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import polars as pl

counts = np.array([100.0] * 45 + [600.0] * 25 + [np.nan] * 30)
counts = np.random.default_rng(0).permutation(counts)
table = pl.from_numpy(counts[:, None], schema=["counts"])


def summary(trace):
    """Fraction above 300, median, 90th percentile, maximum, and rows above 300."""
    frame = trace.to_frame()
    above = (trace > 300).mean()
    return above, trace.median(), trace.quantile(0.9), trace.max(), frame.filter(pl.col("counts") > 300).height


by_numpy = float((counts > 300).mean()), float(np.median(counts)), float(np.nanmedian(counts))
as_it_is, remedy = summary(table["counts"]), summary(table["counts"].fill_nan(None))
print(f"NumPy: {by_numpy[0]:.2f} above 300, median {by_numpy[1]}, nanmedian {by_numpy[2]}")
print("polars: {:.2f} above 300, median {}, 90th percentile {}, maximum {}, {} rows above 300".format(*as_it_is))
print("fill_nan(None): {:.2f} above 300, median {}, 90th percentile {}, maximum {}, {} rows above 300".format(*remedy))
as_seen = as_it_is[:2] == (0.55, 600) and np.isnan(as_it_is[2]) and as_it_is[3:] == (600, 55)
right = abs(remedy[0] - 25 / 70) < 1e-9 and remedy[1:] == (100, 600, 600, 25)
sys.exit(0 if as_seen and right and by_numpy[0] == 0.25 and by_numpy[2] == 100 else 1)
PYTHON
