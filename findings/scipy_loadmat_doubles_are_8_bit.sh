#!/usr/bin/env bash
# SciPy 1.17.1: loadmat() gives a trace that is double in MATLAB as uint8, and a background that is subtracted from
# it wraps around: 5 counts below it are 251.
#
# A MAT file (version 5 to 7) may store an array of doubles in the smallest type of integers that holds its values,
# and the format's own class of the array says that it is double: MATLAB and Octave write whole numbers so. A trace
# of 90, 95, 200, 210 and 88 counts comes back as uint8. trace - 100 is 246, 251, 100, 110 and 244: the off frames
# are brighter than the on frames, without a warning; trace * 2 and differences of frames go wrong too. One expects
# the class that the file states, double, or at least one type for one kind of measurement: a brighter trace is
# uint16, and one with a single fraction float64, so that the same code is right for one file and not for the next.
# A remedy: mat_dtype=True.
#
# Seen: dtype uint8, minus 100: 246, 251, 100, 110, 244; brighter uint16; a fraction float64; mat_dtype=True right
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import struct
import sys

import numpy as np
from scipy.io import loadmat

MI_INT8, MI_INT32, MI_UINT32, MI_MATRIX, MX_DOUBLE_CLASS = 1, 5, 6, 14, 6
MI_TYPES = {"u1": 2, "u2": 4, "f8": 9}


def element(kind, content):
    """A data element of the format: type, length, content, padded to 8 bytes."""
    return struct.pack("<II", kind, len(content)) + content + b"\0" * (-len(content) % 8)


def write_mat(counts):
    """A MAT file of version 5 with a row of the class double, in the smallest of three types of storage."""
    values = np.array(counts, dtype=float)
    stored = next(kind for kind in MI_TYPES if np.array_equal(values.astype(kind), values))
    matrix = (
        element(MI_UINT32, struct.pack("<II", MX_DOUBLE_CLASS, 0))
        + element(MI_INT32, struct.pack("<ii", 1, values.size))
        + element(MI_INT8, b"trace")
        + element(MI_TYPES[stored], values.astype(stored).tobytes())
    )
    header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    with open("trace.mat", "wb") as file:
        file.write(header + element(MI_MATRIX, matrix))


def read(counts):
    """The trace as loadmat() gives it, and with mat_dtype=True."""
    write_mat(counts)
    return [loadmat("trace.mat", mat_dtype=as_class)["trace"][0] for as_class in (False, True)]


COUNTS = [90, 95, 200, 210, 88]
trace, doubles = read(COUNTS)
types = [str(read([value, *COUNTS])[0].dtype) for value in (90, 300, 90.5)]
print(f"{trace.dtype}: minus 100 {(trace - 100).tolist()}; mat_dtype=True {(doubles - 100).tolist()}")
print("types of three traces:", types)
as_seen = (trace - 100).tolist() == [246, 251, 100, 110, 244] and types == ["uint8", "uint16", "float64"]
sys.exit(0 if as_seen and (doubles - 100).tolist() == [-10, -5, 100, 110, -12] else 1)
PYTHON
