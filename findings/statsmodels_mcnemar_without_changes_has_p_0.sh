#!/usr/bin/env bash
# statsmodels 0.15.0: mcnemar(exact=False) of a field in which no emitter changed has p = 0.
#
# 200 emitters are bright before and after a treatment, 114 dark before and after, and none changed. exact=False is the
# chi-square form for large samples, which 314 are. One expects p = 1, as from the exact form, or an error: there is not
# one pair that differs. The continuity correction, on by default, takes 1 from a difference of 0, and 1 / 0 is a
# statistic of infinity: the strongest evidence there is, in a table of which the row passes every threshold and every
# correction for many tests. Without the correction p is NaN. One emitter more in one corner, and p is 1 again. A
# RuntimeWarning of NumPy about a division is all that tells the two apart.
# A remedy: the exact form, the default, which is as fast.
#
# Seen: no changes: exact p 1, chi-square inf and p 0, without correction NaN; one change: p 1, and 0.317 without
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar

rows = {}
for changed in (0, 1, 3):
    table = np.array([[200, changed], [0, 114]])
    found = [mcnemar(table), mcnemar(table, exact=False), mcnemar(table, exact=False, correction=False)]
    rows[changed] = [float(test.pvalue) for test in found]
    print("{} changed: exact p {:.3g}, chi-square {:.3g}, p {:.3g}, without correction {:.3g}".format(
        changed, rows[changed][0], found[1].statistic, *rows[changed][1:]))
as_seen = rows[0][:2] == [1, 0] and np.isnan(rows[0][2])
sys.exit(0 if as_seen and rows[1][:2] == [1, 1] and 0.3 < rows[1][2] < 0.33 else 1)
PYTHON
