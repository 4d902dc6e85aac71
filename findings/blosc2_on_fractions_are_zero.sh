#!/usr/bin/env bash
# blosc2 4.14.1: on-fractions, on frames divided by frames, are 0.0 for all emitters, and frames divided by on frames
# have no fractions, as float64.
#
# Two compressed arrays of whole numbers: 500, 100 and 900 on frames of 1,000. (on / frames)[:] is 0.0, 0.0, 0.0 and
# its dtype float64; (frames / on)[:] is 2.0, 10.0 and 1.0. One expects 0.5, 0.1 and 0.9, as of NumPy arrays, whose
# interface NDArray has, and as the dtype promises. blosc2.divide() and lazyexpr("on / frames") do the same, and the
# types uint16 and int32 as well, the latter as float32. With a number or a NumPy array below the line, on / 1000 or
# on / frames[:], the fractions are there. Two integer arrays are divided as in C, and the result is then made a
# float. There is no warning: with a dark cutoff of 0.1 every emitter is dark.
# A remedy: 1.0 * on / frames.
#
# Seen: on / frames 0, 0, 0 as float64; frames / on 2, 10, 1; on / 1000 and 1.0 * on / frames 0.5, 0.1, 0.9
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile blosc2==4.14.1 numpy==2.4.6
cd "$folder"
cat > seen.py <<'PYTHON'
import sys
import warnings

import blosc2
import numpy as np

warnings.simplefilter("error")
on_frames, all_frames = np.array([500, 100, 900]), np.array([1000, 1000, 1000])
wrong, right = [], []
for dtype in ("uint16", "int32", "int64"):
    on, frames = blosc2.asarray(on_frames.astype(dtype)), blosc2.asarray(all_frames.astype(dtype))
    by_array = {
        "on / frames": on / frames,
        "blosc2.divide": blosc2.divide(on, frames),
        "lazyexpr": blosc2.lazyexpr("on / frames", {"on": on, "frames": frames}),
    }
    for name, fractions in by_array.items():
        print(f"{dtype}, {name}: {fractions[:]} as {fractions[:].dtype}")
        wrong.append(fractions[:].dtype.kind == "f" and not fractions[:].any())
    wrong.append((frames / on)[:].tolist() == [2, 10, 1])
    for fractions in (on / 1000, on / frames[:], 1.0 * on / frames):
        right.append(np.allclose(fractions[:], on_frames / all_frames))
print(f"frames / on: {(frames / on)[:]}; on / 1000: {(on / 1000)[:]}; of NumPy arrays: {on[:] / frames[:]}")
sys.exit(0 if all(wrong) and all(right) else 1)
PYTHON
"$folder/venv/bin/python" seen.py
