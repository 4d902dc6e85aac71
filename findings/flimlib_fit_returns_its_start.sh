#!/usr/bin/env bash
# flimlib 2.2.5: GCI_marquardt_fitting_engine() returns the lifetime that it was started with where that was
# too long, as the result.
#
# Decays of Poisson counts, 1,000 in the first of 256 channels of 12.5 ns, lifetime 3 ns, started with 2 ns:
# 37 of 40 fits find 3 ns. Started with 6 ns, all 40 return 6 ns, to the last digit. With
# noise_type="NOISE_MLE", the one for few photons, 39 of 40 decays of 1 ns that are started with 1.2 ns
# return 1.2 ns. One expects a Levenberg-Marquardt fit to come from there to the minimum, or to report that
# it has not; no error is raised, and param, fitted and covar are filled in. Only chisq shows it: 15,000
# instead of 250. A map of lifetimes that starts each pixel with the mean of all has the mean wherever a
# pixel is shorter. Some fits that move return NaN.
# A remedy: start from GCI_triple_integral_fitting_engine() of the same decay, and compare param with the
# start.
#
# Seen: 3 ns from 2 ns: 0 of 40 at the start; from 6 ns: 40; MLE, 1 ns from 1.2 ns: 39, median chisq 1,560
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check flimlib==2.2.5 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import flimlib
import numpy as np

CHANNELS, WINDOW_NS, COUNTS, FITS = 256, 12.5, 1000, 40
time_ns = np.arange(CHANNELS) * WINDOW_NS / CHANNELS


def fits(lifetime_ns, start_ns, counts, **how):
    """Fits that return their start, that are within 10 % of the truth, and the median of chisq."""
    found, chisq = [], []
    for seed in range(FITS):
        decay = np.random.default_rng(seed).poisson(COUNTS * np.exp(-time_ns / lifetime_ns))
        start = np.array([0, counts, start_ns], np.float32)
        fit = flimlib.GCI_marquardt_fitting_engine(
            WINDOW_NS / CHANNELS, decay.astype(np.float32), start.copy(), **how
        )
        found.append(float(fit.param[2]))
        chisq.append(float(fit.chisq))
    found = np.array(found)
    unchanged = int((found == np.float32(start_ns)).sum())
    return unchanged, int((np.abs(found / lifetime_ns - 1) < 0.1).sum()), float(np.nanmedian(chisq))


near = fits(3, 2, 1000)
far = fits(3, 6, 500)
likelihood = fits(1, 1.2, 1000, noise_type="NOISE_MLE")
for name, row in (("3 ns from 2 ns", near), ("3 ns from 6 ns", far), ("MLE, 1 from 1.2", likelihood)):
    print("{}: {} of 40 return the start, {} within 10 %, chisq {:.3g}".format(name, *row))
as_seen = near[0] == 0 and near[1] > 30 and far[0] == FITS and likelihood[0] > 30
sys.exit(0 if as_seen else 1)
PYTHON
