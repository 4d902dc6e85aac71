#!/usr/bin/env bash
# picassosr 0.11.3: io.import_ts() of a ThunderSTORM table numbers the frames from the first localization on: an emitter
# that is dark for 200 of 1,000 frames lights up at once, and two parts of one movie are out of step.
#
# Two tables of one movie of 1,000 frames, as one exports them by channel or region: an emitter that is on in frames 200
# to 259 and 500 to 519 (from 0), and another in frames 30 to 89. ThunderSTORM counts frames from 1, so that one expects
# that 1 is subtracted. The smallest frame of the table is: the first emitter is on from frame 0, the other one as well,
# and both seem to light up together; the metadata say 320 frames and 60. Dark times at the start, which a power law
# makes the longest, are gone, and on-fractions are 0.25 and 1 instead of 0.08 and 0.06. So it is with a table that
# Picasso itself exported, with frames from 0, by export_thunderstorm().
# A remedy: add a row for frame 1, or add the smallest frame less 1 again, and set the number of frames.
#
# Seen: frames 200-519 become 0-319 of 320, frames 30-89 become 0-59 of 60; by Picasso's own export 200-519: 0-319
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile picassosr==0.11.3
cd "$folder"
QT_QPA_PLATFORM=offscreen "$folder/venv/bin/python" -W ignore - > out <<'PYTHON' || { cat out; exit 1; }
import sys

import numpy as np
import pandas as pd
from picasso import io

PIXEL_NM = 160.0
EVENTS = {"first": np.r_[200:260, 500:520], "second": np.r_[30:90]}
seen = {}
for name, frames in EVENTS.items():
    columns = {"frame": frames + 1.0, "x [nm]": 1600, "y [nm]": 1600, "sigma [nm]": 130, "intensity [photon]": 500}
    columns |= {"offset [photon]": 10, "bkgstd [photon]": 3, "uncertainty_xy [nm]": 10}
    pd.DataFrame(columns).to_csv(f"{name}.csv", index=False)
    table, info = io.import_ts(f"{name}.csv", PIXEL_NM)
    seen[name] = (int(table.frame.min()), int(table.frame.max()), info[0]["Frames"])
    fraction = len(table) / info[0]["Frames"]
    print(f"result: {name}: frames {frames.min()} to {frames.max()} of 1000 are {seen[name][0]} to {seen[name][1]} "
          f"of {seen[name][2]}; on-fraction {fraction:.2f} instead of {frames.size / 1000:.2f}")
table, info = io.import_ts("first.csv", PIXEL_NM)
table["frame"] += 200  # as Picasso has it if it located the emitter itself
io.export_thunderstorm("own.csv", table, [info[0] | {"Frames": 1000}])
own = pd.read_csv("own.csv")
again, _ = io.import_ts("own.csv", PIXEL_NM)
print(f"result: exported by Picasso as {own.frame.min()} to {own.frame.max()}, read as {again.frame.min()} to "
      f"{again.frame.max()}")
sys.exit(0 if seen == {"first": (0, 319, 320), "second": (0, 59, 60)} and own.frame.min() == 200
         and again.frame.min() == 0 else 1)
PYTHON
grep '^result' out
