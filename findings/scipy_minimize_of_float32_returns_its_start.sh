#!/usr/bin/env bash
# SciPy 1.17.1: optimize.minimize() of a likelihood of float32 data returns its start, as a success.
#
# A decay of 1,000 counts with a lifetime of 3 ns, fitted by maximum likelihood from 800 counts and 2 ns; the counts are
# float32, as many readers and GPU programs give them, and so is the likelihood. One expects a fit that is a little less
# exact, or an error. minimize() takes the slope from a step of 1.5e-8, which changes no digit of a float32 number: the
# slope is 0 in all directions, and the start is a minimum. success is True and the message that of a good fit; without
# a method and with L-BFGS-B. least_squares() and curve_fit() choose the step by the type of the numbers and are right,
# so that one expects the same of minimize().
# A remedy: astype(float) before the fit; or method="Nelder-Mead".
#
# Seen (ns): float64 3.03; float32 2.0, the start, success, 0 iterations, both; Nelder-Mead 3.02, least_squares 3.03
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
from scipy.optimize import least_squares, minimize

START = [800.0, 2.0, 10.0]
times_ns = np.linspace(0, 20, 400)
counts = np.random.default_rng(0).poisson(1000 * np.exp(-times_ns / 3) + 5)


def fits(dtype):
    """Lifetime, success and iterations by method, of the same counts in a type."""
    times, seen = times_ns.astype(dtype), counts.astype(dtype)

    def model(parameters):
        height, lifetime, background = np.asarray(parameters, dtype)
        return height * np.exp(-times / lifetime) + background

    def cost(parameters):
        expected = np.maximum(model(parameters), dtype(1e-9))
        return (expected - seen * np.log(expected)).sum()

    results = {}
    for method in (None, "L-BFGS-B", "Nelder-Mead"):
        bounds = None if method is None else [(1, None), (0.1, None), (0, None)]
        fit = minimize(cost, START, method=method, bounds=bounds)
        results[method] = (float(fit.x[1]), bool(fit.success), fit.nit)
    squares = least_squares(lambda parameters: model(parameters) - seen, START)
    return results, float(squares.x[1])


double, _ = fits(np.float64)
single, squares = fits(np.float32)
print("float64:", double)
print("float32:", single, "least_squares", squares)
as_seen = all(abs(lifetime - 3) < 0.05 for lifetime, _, _ in double.values())
as_seen &= single[None] == single["L-BFGS-B"] == (2.0, True, 0)
as_seen &= abs(single["Nelder-Mead"][0] - 3) < 0.05 and abs(squares - 3) < 0.05
sys.exit(0 if as_seen else 1)
PYTHON
