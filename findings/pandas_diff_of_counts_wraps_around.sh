#!/usr/bin/env bash
# pandas 3.1.1: diff() of a uint16 trace gives 65,528.0 where it falls by 8 counts; diff() of the same column after
# groupby() gives -8.0.
#
# A trace of 105, 97 and 110 counts, uint16 as the camera gives them, in a Series. trace.diff() is NaN, 65528.0 and
# 13.0, as float64, and so is DataFrame.diff(); of uint8 it is 248.0, of uint32 4294967288.0. groupby().diff(), which
# one writes for many emitters in one table, is NaN, -8.0 and 13.0, and `trace - trace.shift()` and pct_change() have
# the sign too. One expects that floats hold the sign, and the same word to mean the same with groups. The difference
# is taken in the type of the counts, where it wraps around, and made into floats afterwards. A jump of 65,528 is as
# large as the brightest on event: each small step down passes a search for steps up, and their scatter, an estimate of
# the noise, is that of the wrapping.
# A remedy: trace.astype("int64").diff().
#
# Seen (97 after 105): Series and DataFrame 65528.0, uint8 248.0, uint32 4294967288.0; groupby, shift, int64 -8.0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pandas==3.1.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import pandas as pd

warnings.simplefilter("error")
trace = pd.Series([105, 97, 110], dtype="uint16", name="counts")
table = trace.to_frame().assign(emitter=1)
rows = {
    "Series": trace.diff(),
    "DataFrame": trace.to_frame().diff()["counts"],
    "uint8": trace.astype("uint8").diff(),
    "uint32": trace.astype("uint32").diff(),
    "groupby": table.groupby("emitter")["counts"].diff(),
    "shift": trace - trace.shift(),
    "pct_change times value": trace.pct_change() * trace.shift(),
    "int64": trace.astype("int64").diff(),
}
for name, steps in rows.items():
    print(f"{name}: {steps.tolist()} {steps.dtype}")
second = [round(float(steps[1]), 6) for steps in rows.values()]
third = all(abs(steps[2] - 13) < 1e-6 for steps in rows.values())
floats = all(steps.dtype == "float64" for steps in rows.values())
sys.exit(0 if third and floats and second == [65528, 65528, 248, 4294967288, -8, -8, -8, -8] else 1)
PYTHON
