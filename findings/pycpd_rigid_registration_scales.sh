#!/usr/bin/env bash
# pycpd 2.0.0: RigidRegistration changes the scale, and takes scale=False without an effect or a complaint.
#
# 40 points are turned, shifted and enlarged by 10 %. "Rigid" promises rotation and shift, which cannot bring
# them together: a user who knows that the magnification did not change expects large residuals, and sees a
# wrong match by them. RigidRegistration fits a factor of 1.1 and residuals as small as the noise. The class
# has no argument to hold the scale; it hands unknown keywords on to a base class that drops them, so that
# scale=False, which one would try next, is accepted and ignored, as any other word is.
#
# Seen: factor 1.0999, residual 0.22 px; the same with scale=False, and with a keyword that does not exist
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pycpd==2.0.0 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from pycpd import RigidRegistration

rng = np.random.default_rng(0)
turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
before = rng.uniform(0, 512, (40, 2))
after = 1.1 * before @ turn.T + [20, -10] + rng.normal(0, 0.1, before.shape)
grown = []
for options in ({}, {"scale": False}, {"no_such_keyword": 1}):
    moved, _ = RigidRegistration(X=after, Y=before, max_iterations=500, **options).register()
    factor = np.linalg.norm(moved[0] - moved[1]) / np.linalg.norm(before[0] - before[1])
    print(options or "default", f"factor {factor:.4f}, residual {np.abs(moved - after).max():.2f} px")
    grown.append(abs(factor - 1.1) < 0.001)
sys.exit(0 if all(grown) else 1)
PYTHON
