#!/usr/bin/env bash
# jcamp 1.3.2: writefile() keeps four decimals of y, so that a transient absorption of 1e-4 has three levels.
#
# Differences of absorbance in pump-probe spectra are 1e-5 to 1e-3. A decay from 2e-4 with 100 delays is written and
# read again: y is 0, 0.0001 or 0.0002, and below 5e-5 all is 0. YFACTOR in JCAMP-DX is there for this: numbers on the
# line times the factor. One expects that it is used or that numbers are written with the digits they have, as other
# writers of text do; values of 1e6 keep ten digits. A lifetime fitted to the file is off, and a spectrum in a unit a
# thousand times smaller is right.
# A remedy: y in units of 1e-6, named in YUNITS.
#
# Seen: written 1.93e-4, 1.03e-4, 3.8e-5: read 2e-4, 1e-4, 0; 3 different values of 100; in 1e-6 OD all
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jcamp==1.3.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - > out <<'PYTHON' || { cat out; exit 1; }
import sys

import jcamp
import numpy as np

delay_ps = np.arange(0.0, 1000, 10)
absorbance = 2e-4 * np.exp(-delay_ps / 300)
levels, errors = {}, {}
for unit, factor in (("OD", 1), ("1e-6 OD", 1e6)):
    trace = {"title": "bleach", "xunits": "PICOSECONDS", "yunits": unit, "x": delay_ps, "y": absorbance * factor}
    jcamp.writefile("trace.dx", trace)
    read = jcamp.readfile("trace.dx")["y"] / factor
    levels[unit], errors[unit] = np.unique(read).size, np.abs(read - absorbance).max()
    print(f"result: in {unit}: {levels[unit]} different values of 100, largest error {errors[unit]:.1e}, read "
          f"{read[[1, 20, 50]]}, written {absorbance[[1, 20, 50]].round(7)}")
sys.exit(0 if levels["OD"] == 3 and errors["OD"] > 4e-5 and levels["1e-6 OD"] == 100 else 1)
PYTHON
grep '^result' out
