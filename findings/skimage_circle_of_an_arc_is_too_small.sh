#!/usr/bin/env bash
# scikit-image 0.26.0: CircleModel of an arc of a microsphere's rim, 60 degrees of it seen, has a radius of 15 px where
# it is 20 px.
#
# Rims of touching or cut microspheres are seen in part. 60 points on an arc, radius 20 px, each with an error of 0.5 px
# along x and y; 200 draws. The docstring says that the squared distances of the points to the circle are minimized: one
# expects radii that scatter more on a short arc, about the true one. CircleModel minimizes another sum, of differences
# of squares that can be solved without iterations, and leans to small circles the shorter the arc is: 18.8 px for 90
# degrees, and 15.1 px for 60, below the truth in all 200 draws, where the distances give 20.0 and 19.9 px. The center
# comes nearer to the arc. On the whole circle both are right, so that a test of it shows nothing.
# A remedy: scipy.optimize.least_squares() of the distances, started from the CircleModel.
#
# Seen: median radius of 200 for arcs of 360, 90 and 60 degrees: CircleModel 20.02, 18.77, 15.12; distances 20.01,
# 19.98, 19.89; sum of squared distances on 60 degrees, over that of the minimum: 1.32
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  scikit-image==0.26.0 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from scipy.optimize import least_squares
from skimage.measure import CircleModel

RADIUS, CENTER, ERROR, POINTS, DRAWS = 20.0, 50.0, 0.5, 60, 200


def rim(degrees, seed):
    """Points (n, 2) on an arc of the rim, with errors."""
    draw = np.random.default_rng(seed)
    angle = np.radians(draw.uniform(0, degrees, POINTS))
    arc = CENTER + RADIUS * np.column_stack((np.cos(angle), np.sin(angle)))
    return arc + draw.normal(0, ERROR, arc.shape)


def distances(circle, points):
    """Distance of each point to the circle (x, y, radius)."""
    return np.hypot(*(points - circle[:2]).T) - circle[2]


rows = {}
for degrees in (360, 90, 60):
    radii, ratios = [], []
    for seed in range(DRAWS):
        points = rim(degrees, seed)
        model = CircleModel.from_estimate(points)
        found = [*model.center, model.radius]
        best = least_squares(distances, [CENTER, CENTER, RADIUS], args=(points,)).x
        radii.append((model.radius, best[2]))
        ratios.append(np.sum(distances(found, points) ** 2) / np.sum(distances(best, points) ** 2))
    rows[degrees] = (*np.median(radii, axis=0), np.median(ratios), (np.array(radii)[:, 0] < RADIUS).mean())
    print("{} degrees: CircleModel {:.2f} px, distances {:.2f} px, squares {:.2f} of the minimum, {:.0%} below".format(
        degrees, *rows[degrees]))
model, best, ratio, below = np.transpose([rows[degrees] for degrees in (360, 90, 60)])
as_seen = abs(model[0] - 20) < 0.1 and 18.4 < model[1] < 19.2 and 14.7 < model[2] < 15.6 and below[2] == 1
sys.exit(0 if as_seen and np.abs(best - 20).max() < 0.3 and ratio[2] > 1.2 else 1)
PYTHON
