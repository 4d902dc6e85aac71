#!/usr/bin/env bash
# numba 0.68.1: the difference of two uint16 pixels in a compiled loop, 97 - 100, is 18,446,744,073,709,551,613.
#
# A movie frame and a background, uint16 as the camera gives them, are subtracted pixel by pixel inside @njit, into an
# array of floats: frame[i] - background[i]. 105, 97 and 600 counts less 100 are 5, 1.8e19 and 500. One expects -3, as
# a loop is written with single numbers in mind, or at worst what NumPy has for the same line, 65,533. The same
# function without @njit gives 65,533, and so does `frame - background` of whole arrays inside @njit: two ways of
# writing the same in compiled code differ by 1.8e19. Numbers of fewer than 64 bits become 64-bit ones when they are
# subtracted, and those without a sign stay so: it wraps at 2^64, not at 2^16. There is no error and no warning, and
# only pixels below the background are wrong. A number that is written out, frame[i] - 100, has a sign, and is right.
# A remedy: float(frame[i]) - background[i], or one of the two arrays as int64.
#
# Seen: loop in @njit 5, 1.8e19, 500; arrays in @njit and both in NumPy 65533; frame[i] - 100 and float() -3
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  numba==0.68.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from numba import njit

frame = np.array([105, 97, 600], np.uint16)
background = np.full(3, 100, np.uint16)


def by_pixel(counts, level):
    out = np.empty(counts.size)
    for i in range(counts.size):
        out[i] = counts[i] - level[i]
    return out


@njit
def whole(counts, level):
    return counts - level


@njit
def written_out(counts):
    out = np.empty(counts.size)
    for i in range(counts.size):
        out[i] = counts[i] - 100
    return out


@njit
def with_float(counts, level):
    out = np.empty(counts.size)
    for i in range(counts.size):
        out[i] = float(counts[i]) - level[i]
    return out


with np.errstate(over="ignore"):
    rows = {
        "loop in njit": njit(by_pixel)(frame, background),
        "loop without njit": by_pixel(frame, background),
        "arrays in njit": whole(frame, background),
        "arrays in NumPy": frame - background,
        "loop in njit, 100 written out": written_out(frame),
        "loop in njit, float()": with_float(frame, background),
        "loop in njit, int64 background": njit(by_pixel)(frame, background.astype(np.int64)),
    }
for name, values in rows.items():
    print(f"{name}: {values.tolist()}")
second = [float(values[1]) for values in rows.values()]
others = all(values[0] == 5 and values[2] == 500 for values in rows.values())
sys.exit(0 if others and second == [2.0**64, 65533, 65533, 65533, -3, -3, -3] else 1)
PYTHON
