#!/usr/bin/env bash
# lmfitxps 4.2.0: with binding energies in ascending order the weaker line of a doublet is drawn 28 eV from its place,
# and the area above a Tougaard background is 3,093 where it is 3,823 with the same points in descending order.
#
# Cs 3d: lines at 724.2 eV and, 14.0 eV above it, at 738.2 eV, on a step background, from 715 to 750 eV. The x of both
# functions is described as the energies of the spectrum, and the model as one that works for kinetic and for binding
# energies and detects which. One expects the same curve for the same points, as from shirley_calculate(). The scale is
# taken from the order: ascending values are kinetic energies, in which the other line is 14 eV lower, 710.2 eV, and the
# electrons of the background come from the other side. Text files of binding energies are as often ascending, sorting
# is harmless elsewhere, and a fit with free soc or height_ratio makes up for the wrong side by another doublet. The
# scale of the background, B, is negative then, which is the one sign of it.
# A remedy: reverse x and y, so that binding energies descend.
#
# Seen: descending: lines at 738.15 and 724.2 eV, B 3,557, area 3,823; ascending: 724.2 eV alone, B -6,632, area 3,093;
# Shirley's area: 3,345 in both
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  lmfitxps==4.2.0 lmfit==1.3.4 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from lmfitxps.backgrounds import shirley_calculate, tougaard_calculate
from lmfitxps.models import ConvGaussianDoniachDublett
from scipy.signal import find_peaks

ascending = np.arange(715, 750, 0.05)
lines = sum(
    height * np.exp(-0.5 * ((ascending - center) / 0.8) ** 2)
    for center, height in ((724.2, 1000), (738.2, 667))
)
spectrum = lines + 200 + 0.001 * np.cumsum(lines)
model = ConvGaussianDoniachDublett()
params = model.make_params(
    amplitude=1000, sigma=0.3, gamma=0.0, gaussian_sigma=0.6, center=724.2, soc=14.0, height_ratio=0.667,
    fct_coster_kronig=1.0,
)
found = {}
for name, step in (("descending", -1), ("ascending", 1)):
    energy, counts = ascending[::step], spectrum[::step]
    peaks = sorted(float(energy[i].round(2)) for i in find_peaks(model.eval(params, x=energy), height=100)[0])
    tougaard, scale = tougaard_calculate(energy, counts)
    areas = [abs(np.trapezoid(counts - under, energy)) for under in (tougaard, shirley_calculate(energy, counts))]
    found[name] = (peaks, scale, *areas)
    print("{}: lines {}, B {:.0f}, area above Tougaard {:.0f}, Shirley {:.0f}".format(name, *found[name]))
down, up = found["descending"], found["ascending"]
as_seen = len(down[0]) == 2 and up[0] == [724.2] and down[1] > 3000 and up[1] < -6000
sys.exit(0 if as_seen and down[2] > 3800 and up[2] < 3110 and np.isclose(down[3], up[3], rtol=1e-4) else 1)
PYTHON
