#!/usr/bin/env bash
# rampy 0.6.4: normalise(method="area") of a spectrum over photon energy that was measured over wavelength returns the
# spectrum upside down.
#
# An emission at 2.45 eV, measured from 480 to 520 nm, the energies computed from the wavelengths, so that they descend.
# One expects the area as a positive number: the largest value 12.9 per eV. It is the smallest value, -12.9; the largest
# is nearly 0. The area is Simpson's integral from the first to the last value, which is negative where the axis
# descends. The shape and the area computed again with the same axis (exactly 1) look right. Maximum and position of
# the band are then those of its weakest tail. With wavelengths, which ascend, nothing is wrong.
# A remedy: both arrays in reversed order, or divide by the absolute value of the area.
#
# Seen: ascending 0.00 to 12.86 per eV, maximum at 2.450 eV; descending -12.86 to -0.00, maximum at 2.583 eV
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  rampy==0.6.4 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import rampy

wavelengths = np.linspace(480, 520, 201)  # nm
energies = 1239.84 / wavelengths  # eV, from high to low
emission = 1000 * np.exp(-((energies - 2.45) ** 2) / 0.002)
seen = {}
for name, order in {"ascending": slice(None, None, -1), "descending": slice(None)}.items():
    x, y = energies[order], emission[order]
    spectrum = rampy.normalise(y, x=x, method="area")
    area = np.trapezoid(spectrum, x)
    seen[name] = spectrum.min(), spectrum.max(), x[spectrum.argmax()]
    print("{}: {:.2f} to {:.2f} per eV, maximum at {:.3f} eV, ".format(name, *seen[name]), end="")
    print(f"area with the same axis {area:.3f}")
right = seen["ascending"][0] >= 0 and abs(seen["ascending"][2] - 2.45) < 0.002
turned = np.isclose(seen["descending"][0], -seen["ascending"][1]) and seen["descending"][1] <= 0
sys.exit(0 if right and turned else 1)
PYTHON
