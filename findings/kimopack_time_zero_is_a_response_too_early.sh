#!/usr/bin/env bash
# KiMoPack 7.14.1: a fit of transient absorption puts time zero 0.19 ps too early where the response of the instrument
# is 0.2 ps wide, and finds 0.08 ps for a lifetime of 0.2 ps.
#
# Two components, each with its spectrum, decay behind a Gaussian response with a full width at half maximum of 0.2 ps,
# centred at time zero; noise a thousandth of the signal. Fit_Global() of the parallel model, started at the truth, with
# the resolution held at the 0.2 ps that are known from the response, and time zero free. One expects the lifetimes and
# time zero, as the data are the convolution that global analysis is about. 0.2 ps comes out as 0.079 ps, 0.1 ps as
# 0.073, with time zero at -0.05 ps; at 0.5 and 1 ps the lifetimes are right and time zero is -0.19 ps. The exponentials
# are not convolved but multiplied by a rise, whose middle is the resolution behind t0: a shape that no component has.
# A remedy: fit from some widths of the response behind time zero on, or use a program that convolves.
#
# Seen (true first lifetime: fitted, t0): 0.1: 0.073, -0.05; 0.2: 0.079, -0.05; 0.5: 0.503, -0.19; 1.0: 0.974, -0.19 ps;
# a convolution fitted by SciPy: 0.100, 0.200, 0.500 and 0.999 ps with t0 = 0.000
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  KiMoPack==7.14.1 numpy==2.3.5 scipy==1.16.3 pandas==2.3.3 matplotlib==3.10.7 lmfit==1.3.4
cd "$folder"
MPLBACKEND=Agg "$folder/venv/bin/python" -W ignore - > out <<'PYTHON' || { cat out; exit 1; }
import sys

import KiMoPack.plot_func
import lmfit
import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.special import erfc

FWHM_PS, SLOW_PS = 0.2, 5.0
sigma = FWHM_PS / np.sqrt(8 * np.log(2))
delay = np.concatenate([np.arange(-1, 2, 0.02), np.geomspace(2, 100, 60)])
wavelength = np.linspace(450, 650, 20)
spectra = np.exp(-0.5 * (np.subtract.outer([500, 580], wavelength) / [[20], [25]]) ** 2)


def signal(tau, zero=0.0):
    """An exponential behind the response, by delay."""
    return 0.5 * np.exp(sigma**2 / 2 / tau**2 - (delay - zero) / tau) * erfc(
        (sigma / tau - (delay - zero) / sigma) / np.sqrt(2))


def fitted(matrix, fast):
    """First lifetime and time zero by KiMoPack."""
    fit = KiMoPack.plot_func.TA("film", ds=pd.DataFrame(matrix, index=delay, columns=wavelength))
    fit.par = lmfit.Parameters()
    fit.par.add("k0", value=1 / fast)
    fit.par.add("k1", value=1 / SLOW_PS)
    fit.par.add("t0", value=0.0, min=-0.5, max=0.5)
    fit.par.add("resolution", value=FWHM_PS, vary=False)
    fit.mod = "exponential"
    fit.Fit_Global(dump_paras=False)
    return 1 / float(fit.par_fit["k0"].value), float(fit.par_fit["t0"].value)


def convolved(matrix, fast):
    """First lifetime and time zero by the convolution, spectra by linear least squares."""
    def misfit(parameters):
        decays = np.stack([signal(tau, parameters[2]) for tau in parameters[:2]], 1)
        return (decays @ np.linalg.lstsq(decays, matrix, rcond=None)[0] - matrix).ravel()
    return least_squares(misfit, [1.3 * fast, SLOW_PS, 0.02]).x[[0, 2]]


seen = {}
for fast in (0.1, 0.2, 0.5, 1.0):
    matrix = np.outer(signal(fast), spectra[0]) + np.outer(signal(SLOW_PS), spectra[1])
    matrix += np.random.default_rng(0).normal(0, 1e-3, matrix.shape)
    seen[fast], truth = fitted(matrix, fast), convolved(matrix, fast)
    print("result: {} ps: KiMoPack {:.3f} ps with t0 {:.2f}; convolution {:.3f} ps with t0 {:.3f}".format(
        fast, *seen[fast], *truth))
    assert abs(truth[0] / fast - 1) < 0.02 and abs(truth[1]) < 0.01
sys.exit(0 if seen[0.2][0] < 0.1 and seen[0.5][1] < -0.15 and seen[1.0][1] < -0.15 else 1)
PYTHON
grep '^result' out
