#!/usr/bin/env bash
# hmmlearn 0.3.3: GaussianHMM finds two levels in a trace of counts, and none in the same trace in Mcps.
#
# 5,000 frames of 20 ms, off at 0 and on at 500 counts, noise 60 counts, dwell times of 50 frames: the levels
# lie eight standard deviations apart. GaussianHMM(2).fit() and predict() put every frame into the right
# state. The same trace in millions of counts a second (0 and 0.025, noise 0.003): half of the frames are
# in the wrong state, and both levels lie near the mean; monitor_.converged is True. One expects a unit
# to change the levels by its factor and nothing else. The fit starts from the variance of the trace plus
# min_covar=0.001, in the square of whatever unit the trace has: 0.03 Mcps, more than the levels are apart, from
# where it does not come back, with 5,000 iterations neither. covars_prior=0.01 widens the levels as well.
# A remedy: divide the trace by its standard deviation, or give both arguments in the unit of the trace.
#
# Seen: counts 0 % wrong, levels 2 and 500 | Mcps 50 % wrong, levels 0.01193 and 0.01199 (truth 0 and 0.025) |
# Mcps, covars_prior=0, min_covar=1e-12: 0 % wrong
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  hmmlearn==0.3.3 numpy==2.3.5 scipy==1.16.3 scikit-learn==1.7.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from hmmlearn.hmm import GaussianHMM

rng = np.random.default_rng(0)
on = np.cumsum(rng.random(5000) < 0.02) % 2
counts = 500.0 * on + rng.normal(0, 60, on.size)


def wrong(trace, **options):
    """Share of frames in the wrong state, the levels, and whether the fit says that it converged."""
    column = trace[:, None]
    model = GaussianHMM(2, n_iter=200, random_state=0, **options).fit(column)
    state = model.predict(column)
    if model.means_[1, 0] < model.means_[0, 0]:
        state = 1 - state
    return (state != on).mean(), np.sort(model.means_.ravel()), model.monitor_.converged


in_mcps = counts / 0.020 / 1e6
seen = []
for name, trace, options in (
    ("counts", counts, {}),
    ("Mcps", in_mcps, {}),
    ("Mcps, no prior", in_mcps, {"covars_prior": 0, "min_covar": 1e-12}),
):
    share, levels, converged = wrong(trace, **options)
    print(f"{name}: {share:.0%} of frames wrong, levels {levels[0]:.4g} and {levels[1]:.4g}, {converged=}")
    seen.append(share)
sys.exit(0 if seen[0] == 0 and seen[1] > 0.3 and seen[2] == 0 else 1)
PYTHON
