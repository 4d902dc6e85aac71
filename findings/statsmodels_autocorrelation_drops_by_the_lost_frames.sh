#!/usr/bin/env bash
# statsmodels 0.15.0: acf() of a blinking trace that misses 30 % of its frames, NaN, is 0.67 one frame later where it is
# 0.96, with missing="conservative"; with "drop" all times of decay are 30 % too short.
#
# An emitter that stays on or off for 25 frames; 30 % of the frames were lost at random. "conservative" is described to
# leave missing values out of the means and of the products: one expects a noisier curve about the true one. The
# products that are there are added up, but the sum is divided by the number of all frames, 1 at lag 0 and about 0.7 of
# the truth from lag 1 on: a step at the start, as white noise makes it, of which the size is the part of lost frames.
# Anyone who takes that step for shot noise has a trace with 30 % too much of it. "drop" joins the frames that are
# left, so that a lag of 12 is one of 17. A remedy: missing="conservative" with adjusted=True.
#
# Seen (lags 1, 5, 12): all frames 0.96, 0.80, 0.52; conservative 0.67, 0.55, 0.37; with adjusted 0.96, 0.80, 0.52;
# drop 0.94, 0.71, 0.32
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from statsmodels.tsa.stattools import acf

LAGS = [1, 5, 12]
draw = np.random.default_rng(0)
trace = np.repeat(draw.integers(0, 2, 800), 25) * 400.0 + draw.poisson(100, 20_000)
lost = np.where(draw.random(trace.size) < 0.3, np.nan, trace)
rows = {
    "all frames": acf(trace, nlags=12),
    "conservative": acf(lost, nlags=12, missing="conservative"),
    "conservative, adjusted": acf(lost, nlags=12, missing="conservative", adjusted=True),
    "drop": acf(lost, nlags=12, missing="drop"),
}
for name, row in rows.items():
    print(f"{name}: {row[LAGS].round(3).tolist()}")
true, conservative, adjusted, drop = (row[LAGS] for row in rows.values())
as_seen = np.allclose(conservative / true, 0.7, atol=0.03) and np.allclose(adjusted, true, atol=0.03)
sys.exit(0 if as_seen and abs(drop[2] - rows["all frames"][12]) > 0.15 else 1)
PYTHON
