#!/usr/bin/env bash
# changepy 0.4.0: normal_mean(data, variance) finds none of 39 steps; given the standard deviation instead of the
# variance, all of them.
#
# A blinking trace, off at 100 and on at 600 counts, noise 60: each step is eight standard deviations. The cost
# function normal_mean(trace, 3600), whose docstring says "variance (float): variance", leads pelt() to no step at
# all. normal_mean(trace, 60) leads to all 39, and four to six more. One expects the argument to be what it is
# called. The cost is divided by the square of the argument: it is the standard deviation, and a variance in its
# place makes the penalty for a step 3,600 times as large. With a variance of 1, as in data that were normalised,
# there is no difference. An emitter whose blinking is looked for by the docstring is always on.
# A remedy: the standard deviation.
#
# Seen: variance 3600: no step in five traces; standard deviation 60: 39 of 39 right, 4 to 6 false
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  changepy==0.4.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from changepy import pelt
from changepy.costs import normal_mean

NOISE = 60.0
found = {NOISE**2: [], NOISE: []}
for seed in range(5):
    rng = np.random.default_rng(seed)
    states = np.repeat(np.arange(40) % 2, 2 + rng.geometric(1 / 15, 40))
    trace = 100 + 500 * states + rng.normal(0, NOISE, states.size)
    steps = set((np.flatnonzero(np.diff(states)) + 1).tolist())
    for given, counts in found.items():
        points = {int(point) for point in pelt(normal_mean(trace, given), trace.size)} - {0}
        counts.append((len(points & steps), len(points - steps)))
for given, counts in found.items():
    print(f"variance={given:.0f}: right and false steps {counts} of 39")
as_seen = max(right + false for right, false in found[NOISE**2]) == 0
sys.exit(0 if as_seen and min(right for right, _ in found[NOISE]) >= 38 else 1)
PYTHON
