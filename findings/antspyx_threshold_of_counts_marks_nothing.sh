#!/usr/bin/env bash
# antspyx 0.6.3: threshold_image() of a uint16 frame finds no pixel above 200 where nine have 600 counts, and between 0
# and 250 it finds all, also those with 600.
#
# A frame of 32 x 32 px, a background of 100 counts and a spot of 3 x 3 px with 600. from_numpy(frame) has the right
# mean and maximum, 600. threshold_image(image, 200) is to be 1 in the nine pixels of the spot; it is 0 everywhere.
# threshold_image(image, 0, 250) is to be 1 outside the spot; it is 1,065,353,216 in every pixel. Of the frame as
# float32 both masks are right. The function takes the bits of the whole numbers for those of float32, in which all
# counts of a camera are about 1e-43, and 1.0 comes back as the whole number with its bits. An empty mask looks like a
# frame without spots; there is no error and no warning.
# A remedy: from_numpy(frame.astype("float32")).
#
# Seen: uint16: 0 px above 200 (of 9), 1,024 px of 0 to 250 (of 1,015), each 1,065,353,216; float32: 9 and 1,015 px of 1
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check antspyx==0.6.3 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import ants
import numpy as np

frame = np.full((32, 32), 100)
frame[10:13, 10:13] = 600

seen = {}
for dtype in ("uint16", "float32"):
    image = ants.from_numpy(frame.astype(dtype))
    assert image.max() == 600 and abs(image.mean() - frame.mean()) < 1e-3
    above = ants.threshold_image(image, 200).numpy()
    below = ants.threshold_image(image, 0, 250).numpy()
    seen[dtype] = int((above > 0).sum()), int((below > 0).sum()), int(below.max())
    print(f"{dtype}: above 200 {seen[dtype][0]} px, 0 to 250 {seen[dtype][1]} px, each {seen[dtype][2]}")
sys.exit(0 if seen == {"uint16": (0, 1024, 0x3F800000), "float32": (9, 1015, 1)} else 1)
PYTHON
