#!/usr/bin/env bash
# roifile 2026.2.10: ImagejRoi.frompoints() makes a freehand outline, not points.
#
# Positions of particles, written for Fiji by the function of that name, open there as one closed outline
# that runs from the first to the last particle; its area and mean, which ImageJ then measures, mean nothing.
# One expects a multi-point selection. The type has to be set afterwards: roi.roitype = ROI_TYPE.POINT. The
# coordinates themselves are right.
#
# Seen: FREEHAND, 3 coordinates; after the remedy POINT, the same 3 coordinates
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check roifile==2026.2.10 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from roifile import ROI_TYPE, ImagejRoi

positions = np.array([[10.5, 20.25], [3.75, 5.5], [100.1, 7.9]])  # x, y
written = ImagejRoi.frompoints(positions)
read = ImagejRoi.frombytes(written.tobytes())
print(read.roitype.name, len(read.coordinates()), "coordinates")
written.roitype = ROI_TYPE.POINT
mended = ImagejRoi.frombytes(written.tobytes())
print(mended.roitype.name, len(mended.coordinates()), "coordinates")
same = np.allclose(read.coordinates(), positions) and np.allclose(mended.coordinates(), positions)
as_seen = read.roitype == ROI_TYPE.FREEHAND and mended.roitype == ROI_TYPE.POINT and same
sys.exit(0 if as_seen else 1)
PYTHON
