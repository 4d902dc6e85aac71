#!/usr/bin/env bash
# Pint 0.25.3: the range of temperatures from 70 to 120 degC, numpy.ptp(), is 323.15 K, where numpy.std() of them is a
# difference.
#
# Three annealing temperatures, 70, 100 and 120 degC. Pint knows that a difference of two temperatures is another
# quantity: the standard deviation is 20.5 delta_degC, which is 20.5 K, and numpy.diff() gives 30 and 20 K. One expects
# of ptp(), the largest minus the smallest, 50 delta_degC as well. It is 50 degC, a temperature, which in K is 323.15:
# an error of 273 in an Arrhenius plot or a heating rate. max() - min() of the same array is right. There is no warning.
# A remedy: temperatures.max() - temperatures.min().
#
# Seen, in K: std 20.5, diff 30 and 20, max - min 50, ptp 323.15
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pint==0.25.3 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pint

temperatures = pint.UnitRegistry().Quantity(np.array([70.0, 100.0, 120.0]), "degC")
kelvin = {
    "std": np.std(temperatures).to("K").magnitude,
    "diff": np.diff(temperatures).to("K").magnitude,
    "max - min": (temperatures.max() - temperatures.min()).to("K").magnitude,
    "ptp": np.ptp(temperatures).to("K").magnitude,
}
print("in K:", *(f"{name} {value.round(2)};" for name, value in kelvin.items()), "ptp is", np.ptp(temperatures))
expected = {"std": 20.55, "diff": [30, 20], "max - min": 50, "ptp": 323.15}
sys.exit(0 if all(np.allclose(kelvin[name], expected[name], atol=0.01) for name in expected) else 1)
PYTHON
