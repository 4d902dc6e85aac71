#!/usr/bin/env bash
# sdt-python 20.1.4: BayesOffline() finds a second change within the first 15 frames of 16 of 20 traces with one step.
#
# A trace in counts that falls from 500 to 100 after 100 of 200 frames, Poisson noise, and the detection of changes by
# Bayes with a Gaussian of unknown mean and variance. One expects one change at 100; adding a constant to all frames
# should change nothing. The step is found in all traces, and in most of them also one after 1 to 14 frames, with a
# probability above a half: an emitter that seems to switch on at the start of the movie. The model counts one frame of
# zero counts with each segment, as its knowledge beforehand: an outlier for a segment near 500. Of constant traces none
# is cut, so that a test on such does not show it. The unit does not help: in thousands of counts it is 17 of 20.
# A remedy: subtract the mean of the trace; then no trace has it.
#
# Seen (traces of 20 with a change in the first 15 frames): as counted 16, in kcounts 17, without the mean 0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  sdt-python==20.1.4 scipy==1.17.1 numpy==2.4.6 numba==0.68.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from sdt import changepoint

SCALES = {"as counted": lambda trace: trace, "kcounts": lambda trace: trace / 1000, "no mean": lambda t: t - t.mean()}
rng = np.random.default_rng(1)
constant = rng.poisson(500, (20, 200)).astype(float)
steps = rng.poisson(np.repeat([500, 100], 100), (20, 200)).astype(float)
finder = changepoint.BayesOffline("const", "gauss")


def changes(trace):
    return np.asarray(finder.find_changepoints(trace, prob_threshold=0.5))


early = {}
as_seen = True
for name, scaled in SCALES.items():
    found = [changes(scaled(trace)) for trace in steps]
    early[name] = sum(bool(np.any(change < 15)) for change in found)
    at_step = sum(bool(np.any(abs(change - 100) <= 2)) for change in found)
    cut = sum(len(changes(scaled(trace))) > 0 for trace in constant)
    print(f"{name}: early {early[name]}, at the step {at_step}, constant traces cut {cut}; first trace {found[0]}")
    as_seen &= at_step == 20 and cut == 0
sys.exit(0 if as_seen and min(early["as counted"], early["kcounts"]) > 10 and early["no mean"] == 0 else 1)
PYTHON
