#!/usr/bin/env bash
# astropy 8.0.2: rayleightest() of ten directions that agree has a negative p value, -4e-6.
#
# The directions of ten emitters that are aligned, as on a stretched film: 40 degrees with a scatter of 10. The Rayleigh
# test asks whether directions prefer one; one expects p between 0 and 1, here very small. Below 50 directions the
# function multiplies exp(-n R^2) by a correction in powers of 1 / n. It holds for weak alignment: where 7 to 11
# directions agree, the correction is negative, and p with it, in nearly all samples of 8, 9 or 10. A minus sign is easy
# to miss in a table of tests, -log10(p) is NaN, and "p < 0.05" is true of it. There is no warning.
# A remedy: pingouin.circ_rayleigh(), which computes exp(sqrt(1 + 4 n + 4 (n^2 - n^2 R^2)) - 1 - 2 n).
#
# Seen: negative p in 198, 200, 200, 200 and 23 of 200 samples of 7, 8, 9, 10 and 11 directions; the example -4.2e-06,
# the formula of the remedy 7.5e-07
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check astropy==8.0.2 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from astropy import units as u
from astropy.stats import rayleightest

rng = np.random.default_rng(0)
example = rng.normal(40, 10, 10)
n, resultant = 10, abs(np.exp(1j * np.radians(example)).mean())
usual = np.exp(np.sqrt(1 + 4 * n + 4 * (n**2 - (n * resultant) ** 2)) - 1 - 2 * n)
p = float(rayleightest(example * u.deg))
print(f"ten directions, R = {resultant:.3f}: p = {p:.1e}; usual formula {usual:.1e}")
negative = {}
for n in (7, 8, 9, 10, 11):
    samples = (rng.normal(40, 10, n) * u.deg for _ in range(200))
    negative[n] = sum(float(rayleightest(sample)) < 0 for sample in samples)
print("samples of 200 with a negative p, by number of directions:", negative)
as_seen = p < 0 < usual and all(negative[n] > 180 for n in (7, 8, 9, 10)) and negative[11] > 0
sys.exit(0 if as_seen else 1)
PYTHON
