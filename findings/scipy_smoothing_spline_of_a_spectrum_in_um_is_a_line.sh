#!/usr/bin/env bash
# SciPy 1.17.1: interpolate.make_smoothing_spline() of a spectrum of 300 points over wavelengths in um is a straight
# line, over nm it is right, and over pm it follows the noise.
#
# A line of 1,000 counts at 515 nm with Poisson noise, smoothed with the strength that the function finds itself by
# generalized cross-validation, without a setting. Cross-validation asks for the strength that predicts left-out points
# best: one expects the same curve whatever the unit of the wavelength. Over um the curve has no maximum: the line falls
# off evenly from end to end. The search for the strength goes through absolute numbers, whose unit is the cube of that
# of the wavelength: a factor of 1,000 there is one of 1e9 here. Over m it is an error, which names an ill-posed
# problem; over um there is neither an error nor a warning.
# A remedy: wavelengths divided by their spacing, then steps are 1.
#
# Seen (curve minus the spectrum without noise, standard deviation, and maximum): nm 2.3, 1020; um 334, 370; pm 16, 1084
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile scipy==1.17.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from scipy.interpolate import make_smoothing_spline

SCALES = {"nm": 1, "um": 1e-3, "pm": 1e3, "steps": 299 / 80}
wavelengths_nm = np.linspace(480, 560, 300)
true = 1000 * np.exp(-((wavelengths_nm - 515) ** 2) / 2 / 8**2) + 20
counts = np.random.default_rng(0).poisson(true).astype(float)

off, top, bend = {}, {}, {}
for unit, per_nm in SCALES.items():
    wavelengths = wavelengths_nm * per_nm
    curve = make_smoothing_spline(wavelengths, counts)(wavelengths)
    off[unit], top[unit], bend[unit] = np.std(curve - true), curve.max(), np.ptp(np.diff(curve))
    print(f"{unit}: standard deviation {off[unit]:.1f}, maximum {top[unit]:.0f}, bend {bend[unit]:.2g}")
as_seen = off["nm"] < 5 and off["steps"] < 6 and off["um"] > 300 and bend["um"] < 1e-3 and off["pm"] > 3 * off["nm"]
sys.exit(0 if as_seen else 1)
PYTHON
