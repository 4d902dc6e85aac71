#!/usr/bin/env bash
# photutils 3.0.0: aperture photometry of a rectangle with method="exact" is sampled at 32 x 32 points a pixel.
#
# A square aperture of 3 x 3 pixels, usual for single emitters, moves over one bright pixel of 1,000 counts in
# steps of a hundredth of a pixel. The share of the pixel that the square covers is plain arithmetic: 500, 510,
# 520, 530 counts. "exact", the default, whose docstring promises the exact share of every pixel, returns 500,
# 500, 531.25, 531.25: it rounds the edge to 1/32 of a pixel. A slow drift of the stage therefore moves the
# counts in steps of 3 % of a pixel at the edge.
#
# Seen: 0.00 px 500.00, 0.01 px 500.00, 0.02 px 531.25, 0.03 px 531.25
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  photutils==3.0.0 numpy==2.3.5 scipy==1.16.3
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from photutils.aperture import RectangularAperture, aperture_photometry

image = np.zeros((21, 21))
image[10, 12] = 1000.0
seen = []
for step in (0.0, 0.01, 0.02, 0.03):
    # The right edge is in the middle of the bright pixel, and moves on by `step`.
    aperture = RectangularAperture((10.5 + step, 10.0), 3.0, 3.0)
    counts = float(aperture_photometry(image, aperture, method="exact")["aperture_sum"][0])
    print(f"{step:.2f} px: {counts:.2f} counts, covered {1000 * (0.5 + step):.2f}")
    seen.append(counts)
sys.exit(0 if np.allclose(seen, [500, 500, 531.25, 531.25]) else 1)
PYTHON
