#!/usr/bin/env bash
# silx 3.1.3: fit.leastsq() of a decay without sigma states errors that do not depend on the noise, 30 times too small
# here.
#
# A decay of 1,000 counts with a lifetime of 20 frames, 200 points, noise of 30 counts, fitted 200 times. The function
# has the arguments and the first two results of SciPy's curve_fit(), and one expects its errors: without sigma these
# follow the scatter of the points about the fit. The lifetimes of the 200 fits scatter by 0.36 frames; curve_fit()
# states 0.37, leastsq() 0.012, and the same 0.012 at noise of 3 counts. The scatter counts as 1 in the unit of the
# data, whatever it is: after division of the counts by 1,000 the error is 12 frames. Two lifetimes,
# before and after annealing, that differ by a tenth of a frame look different by six standard deviations.
# A remedy: the noise as sigma, or the covariance times chi-square / (points - parameters).
#
# Seen (lifetime, frames): scatter 0.355; curve_fit 0.373; leastsq 0.012, at noise of 3 counts 0.012, in kilocounts 12.4
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  silx==3.1.3 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from scipy.optimize import curve_fit
from silx.math.fit import leastsq

frames = np.arange(200.0)


def decay(t, amplitude, lifetime):
    return amplitude * np.exp(-t / lifetime)


def lifetime_and_error(fit, amplitude, noise, **sigma):
    counts = decay(frames, amplitude, 20.0) + rng.normal(0, noise, len(frames))
    values, covariance = fit(decay, frames, counts, [0.8 * amplitude, 15.0], **sigma)[:2]
    return values[1], np.sqrt(covariance[1][1])


seen = {}
cases = {
    "curve_fit": (curve_fit, 1000, 30, {}),
    "leastsq": (leastsq, 1000, 30, {}),
    "leastsq, noise of 3 counts": (leastsq, 1000, 3, {}),
    "leastsq, kilocounts": (leastsq, 1, 0.03, {}),
    "leastsq with sigma": (leastsq, 1000, 30, {"sigma": np.full(len(frames), 30.0)}),
}
for name, (fit, amplitude, noise, sigma) in cases.items():
    rng = np.random.default_rng(0)
    fits = np.array([lifetime_and_error(fit, amplitude, noise, **sigma) for _ in range(200)])
    seen[name] = fits[:, 0].std(), np.median(fits[:, 1])
    print("{}: scatter {:.3f}, stated error {:.3f} frames".format(name, *seen[name]))
ratio = {name: error / scatter for name, (scatter, error) in seen.items()}
honest = all(0.8 < ratio[name] < 1.2 for name in ("curve_fit", "leastsq with sigma"))
same = np.isclose(seen["leastsq"][1], seen["leastsq, noise of 3 counts"][1], rtol=0.02)
sys.exit(0 if honest and same and ratio["leastsq"] < 0.05 and ratio["leastsq, kilocounts"] > 20 else 1)
PYTHON
