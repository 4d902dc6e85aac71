#!/usr/bin/env bash
# SimpleITK 2.5.7: a uint16 frame times 1.5 is the frame, and times 0.8 it is zero.
#
# A frame of 100 counts is to be scaled, by a gain or by the ratio of two exposures. One expects frame * 1.5 to be 150,
# as floats or at least as whole numbers, as frame / 2 is a float image. The number is cut to the type of the pixels
# first, so that 1.5 is 1 and 0.8 is 0: frame * 1.5 and frame + 0.9 are the frame, frame * 0.8 is 0 and frame / 0.8
# infinite. The result of a factor between 1 and 2 looks right. There is no error and no warning.
# A remedy: sitk.Cast(frame, sitk.sitkFloat32) first.
#
# Seen: uint16: * 1.5 100, * 0.8 0, + 0.9 100, / 0.8 inf; float32: 150, 80, 100.9, 125
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check simpleitk==2.5.7 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import SimpleITK as sitk

seen = {}
for dtype in ("uint16", "float32"):
    frame = sitk.GetImageFromArray(np.full((32, 32), 100, dtype))
    results = (frame * 1.5, frame * 0.8, frame + 0.9, frame / 0.8)
    seen[dtype] = [round(float(sitk.GetArrayFromImage(result).mean()), 2) for result in results]
    print(f"{dtype}: * 1.5, * 0.8, + 0.9, / 0.8:", seen[dtype])
sys.exit(0 if seen == {"uint16": [100, 0, 100, float("inf")], "float32": [150, 80, 100.9, 125]} else 1)
PYTHON
