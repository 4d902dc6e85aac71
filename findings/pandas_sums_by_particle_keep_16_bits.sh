#!/usr/bin/env bash
# pandas 3.1.1: the sum of uint16 counts by particle is uint16 while all sums fit, so that a loss of 100 counts is
# 65,436; one bright particle makes it 18,446,744,073,709,551,516.
#
# Counts of particles before and after a treatment, uint16 as a camera gives them, groupby("particle")["counts"].sum(),
# and the difference of the two. Series.sum() of the same column is uint64, whatever its values are. One expects the
# sums by group in 64 bits too. They are computed in 64 bits and then put back into 16 if all of them fit: the type of
# the result depends on the brightest particle of the field. With a dim field the difference wraps around at 65,536, a
# number that a table of counts may hold; with one bright particle among them it wraps around at 2 ** 64.
# A remedy: astype(float) or astype("int64") before groupby().
#
# Seen (types; difference of the dim particle, true -100): dim field uint16, 65436; one bright uint64, 2 ** 64 - 100
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile pandas==3.1.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pandas as pd


def difference(bright, dtype=np.uint16):
    """Type of the sums by particle, and by how much the dim particle 1 changes: from 300 to 200 counts."""
    sums = []
    for frames in ([150, 150], [100, 100]):
        counts = np.array([*frames, bright, bright]).astype(dtype)
        table = pd.DataFrame({"particle": [1, 1, 2, 2], "counts": counts})
        sums.append(table.groupby("particle")["counts"].sum())
    before, after = sums
    return str(before.dtype), int((after - before)[1]), str(table["counts"].sum().dtype)


dim, one_bright, signed = difference(1_000), difference(60_000), difference(60_000, np.int64)
print("dim field:", dim)
print("one bright particle:", one_bright)
print("counts in 64 bits with a sign:", signed)
as_seen = dim == ("uint16", 2**16 - 100, "uint64") and one_bright == ("uint64", 2**64 - 100, "uint64")
sys.exit(0 if as_seen and signed[1] == -100 else 1)
PYTHON
