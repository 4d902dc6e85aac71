#!/usr/bin/env bash
# SciPy 1.17.1: stats.spearmanr() of a change at four temperatures, each lower than the one before it, has p = 0; at
# five temperatures p is 1e-24.
#
# Mean changes of the on-fraction after annealing at 70, 85, 100 and 120 degrees: -6, -14, -20 and -33 points. Four
# values have 24 orders, of which two are monotonic, so that p of a trend is 2/24 = 0.083; of three values it is 0.33,
# of five 0.017. One expects an approximation for small samples to be rough, not to state certainty: for four values p
# is 0.0, for three as well, for five 1e-24. Nothing is reported. Student's distribution with n - 2 degrees of freedom
# is used, and a rank correlation of 1 makes its statistic infinite, whatever n is. kendalltau() of the same values
# counts the orders. A p of 0 passes each threshold and each correction for many tests.
# A remedy: kendalltau(), or permutation_test() of the correlation.
#
# Seen (spearmanr, kendalltau): three values 0, 0.333; four 0, 0.0833; five 1.4e-24, 0.0167; four by permutation 0.0833
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W error - <<'PYTHON'
import sys

import numpy as np
from scipy.stats import kendalltau, permutation_test, spearmanr

TEMPERATURES = np.array([70, 85, 100, 120, 140])  # degrees C
CHANGES = np.array([-6, -14, -20, -33, -41])  # points
seen = {}
for n in (3, 4, 5):
    seen[n] = [float(test(TEMPERATURES[:n], CHANGES[:n]).pvalue) for test in (spearmanr, kendalltau)]
    print("{} values: spearmanr p = {:.3g}, kendalltau p = {:.3g}".format(n, *seen[n]))
trend = permutation_test(
    (CHANGES[:4],), lambda change: spearmanr(TEMPERATURES[:4], change).statistic, permutation_type="pairings"
)
print(f"4 values, by permutation: p = {trend.pvalue:.3g}")
as_seen = seen[3][0] == seen[4][0] == 0 and seen[5][0] < 1e-20
sys.exit(0 if as_seen and min(seen[4][1], trend.pvalue) > 0.08 else 1)
PYTHON
