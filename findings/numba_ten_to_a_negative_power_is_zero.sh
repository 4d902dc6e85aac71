#!/usr/bin/env bash
# numba 0.68.1: 10 ** exponent with the exponent -9 is 0 in a compiled function.
#
# A compiled loop turns ticks into seconds: ticks * 10**exponent, with the exponent from the header of the file, -9 for
# ns. Python gives 1e-09, and NumPy raises an error for arrays of integers. One expects one of the two. For two integers
# numba's power is an integer, so that a negative exponent is cut to 0: all times are zero, and their rate infinite.
# With the exponent written in the code, 10**-9, it is right, so that a test of the line does not show it; and so is an
# exponent that is a float.
# A remedy: 10.0**exponent.
#
# Seen: 10 ** exponent Python 1e-09, numba 0; 10 ** -9 in the code 1e-09; 10.0 ** exponent 1e-09
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


def seconds(ticks, exponent):
    return ticks * 10**exponent


def seconds_written(ticks):
    return ticks * 10**-9


def seconds_float(ticks, exponent):
    return ticks * 10.0**exponent


ticks = np.array([25_000, 50_000])
python = seconds(ticks, -9)
compiled = njit(seconds)(ticks, -9)
written = njit(seconds_written)(ticks)
as_float = njit(seconds_float)(ticks, -9)
print("Python", python, "numba", compiled, "exponent in the code", written, "10.0", as_float)
right = np.allclose([python, written, as_float], ticks * 1e-9, atol=0)
sys.exit(0 if right and not compiled.any() else 1)
PYTHON
