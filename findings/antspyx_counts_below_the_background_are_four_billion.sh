#!/usr/bin/env bash
# antspyx 0.6.3: from_numpy() of a background-subtracted frame of int16 or int32 makes -5 counts 4,294,967,291, so that
# the mean of the frame is 2 billion where it is 0.25.
#
# A frame of 32 x 32 px minus its offset of 100 counts: whole numbers about zero with a noise of 5, and one spot of 500.
# ANTs has no signed whole numbers in Python. One expects an error that names the type, or float32, in which all these
# counts are exact, and which from_numpy() makes of float64. It makes uint32 of them, without a warning: half of the
# background is above every spot, and a registration or a mean works with it. Shape, type of the object and the pixels
# above zero are right, and an image of uint16 or of floats is as well, so that a test with raw frames shows nothing.
# A remedy: from_numpy(frame.astype("float32")).
#
# Seen: mean and largest count: NumPy 0.25 and 500; int16 and int32 2,109,734,912 and 4,294,967,295; float32 0.25
# and 500
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

frame = np.random.default_rng(0).normal(0, 5, (32, 32)).round().astype(int)
frame[16, 16] = 500
print(f"NumPy: mean {frame.mean():.2f}, largest {frame.max()}, {(frame < 0).sum()} px below 0")
as_seen = True
for dtype in ("int16", "int32", "float32"):
    pixels = ants.from_numpy(frame.astype(dtype)).numpy()
    print(f"{dtype}: {pixels.dtype}, mean {pixels.mean():.2f}, largest {pixels.max():.0f}")
    expected = frame if dtype == "float32" else np.where(frame < 0, frame + 2**32, frame)
    as_seen &= bool((pixels == expected).all())
sys.exit(0 if as_seen else 1)
PYTHON
