#!/usr/bin/env bash
# jcamp 1.3.2: writefile() of a spectrum from a spectrometer, with its uneven steps, writes a file in which the line of
# 505.0 nm is at 492.4 nm.
#
# A grating spreads the wavelengths unevenly over the pixels: 400 to 700 nm on 1,024 pixels, steps from 0.35 nm down to
# 0.24 nm; a line at 505.0 nm. JCAMP-DX has (XY..XY) for such data and (X++(Y..Y)) for even steps, both of which the
# package reads. One expects the first, or an error. The second is written, whatever x is: x at the start of each line
# of text, which is right, and the first, the last and the number. A reader takes these: the same package has the line
# 12.6 nm to the blue, while the ends of the spectrum agree, so that a look at the range shows nothing.
# A remedy: interpolate to even steps before writing.
#
# Seen: steps 0.352 to 0.235 nm; written 505.0 nm; read 492.4 nm, largest error of x 15 nm; even steps: 505.0 nm
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

pixel = np.linspace(0, 1, 1024)
axes = {"uneven": 400 + 360 * pixel - 60 * pixel**2, "even": 400 + 300 * pixel}
shifts = {}
for name, wavelength in axes.items():
    counts = 1000 * np.exp(-0.5 * ((wavelength - 505.0) / 10) ** 2)
    spectrum = {"title": "film", "xunits": "NANOMETERS", "yunits": "COUNTS", "x": wavelength, "y": counts}
    jcamp.writefile(f"{name}.dx", spectrum)
    read = jcamp.readfile(f"{name}.dx")
    line = np.average(read["x"], weights=read["y"] * np.gradient(read["x"]))
    shifts[name] = (line, np.abs(read["x"] - wavelength).max(), np.abs(read["y"] - counts).max())
    steps = np.diff(wavelength)
    print("result: {}, steps {:.3f} to {:.3f} nm: line at {:.2f} nm, error of x {:.2f} nm".format(
        name, steps[0], steps[-1], *shifts[name][:2]))
as_seen = shifts["uneven"][0] < 493 and shifts["uneven"][1] > 10 and shifts["uneven"][2] < 0.01
sys.exit(0 if as_seen and abs(shifts["even"][0] - 505) < 0.01 and shifts["even"][1] < 0.01 else 1)
PYTHON
grep '^result' out
