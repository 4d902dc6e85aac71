#!/usr/bin/env bash
# scikit-image 0.26.0: feature.blob_doh() places a symmetric spot one pixel up and to the left, and reports a width of
# 7 px where it is 3 px.
#
# One spot without noise, a Gaussian in the middle of pixel (50, 50), sigma 3, 4 and 6 px; searched for with sigma 1
# to 10 px in steps of 1 and of 0.5 px. One expects (50, 50) and its sigma, as blob_log() finds them: the determinant
# of the Hessian of such a spot is largest at the middle and at the scale of the spot, and the reference says that the
# radius of the blob is about sigma. blob_doh() finds (49, 49) each time, and sigma 5, 7 and 10 px with the coarse
# steps and 7, 9 and 10 px with the fine ones. It computes the derivatives with boxes of whole pixels in place of
# Gaussians, as SURF does. Spots are off in one direction, which nothing shows within one image, and are 1.4 px from
# where blob_log() has them. A remedy: blob_log().
#
# Seen: blob_log (50, 50) with sigma 3.0, 4.0, 6.0; blob_doh (49, 49) with 5, 7, 10 and 7, 9, 10
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-image==0.26.0 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import sys

import numpy as np
from skimage.feature import blob_doh, blob_log

y, x = np.mgrid[:101, :101]
seen = []
for sigma, steps in ((3, 10), (4, 10), (6, 10), (3, 19), (4, 19), (6, 19)):
    scales = {"min_sigma": 1, "max_sigma": 10, "num_sigma": steps}
    spot = np.exp(-((y - 50) ** 2 + (x - 50) ** 2) / (2 * sigma**2))
    log, doh = blob_log(spot, threshold=0.05, **scales), blob_doh(spot, **scales)
    found = f"blob_log {log.tolist()}, blob_doh {doh.tolist()}"
    print(f"sigma {sigma}, {steps} scales: {found}")
    seen.append(len(log) == len(doh) == 1)
    seen.append(np.allclose(log, [50, 50, sigma]))
    seen.append(np.allclose(doh[0, :2], 49) and doh[0, 2] > 1.5 * sigma)
sys.exit(0 if all(seen) else 1)
PYTHON
