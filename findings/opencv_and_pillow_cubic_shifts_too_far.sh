#!/usr/bin/env bash
# OpenCV 5.0.0 and Pillow 13.0.0: cubic interpolation moves an image by 0.136 and 0.172 px where 0.1 px is
# asked for.
#
# A spot (float32, sigma 1.3 px) is moved along x, and its centre of mass compared with the shift asked for.
# cv2.warpAffine with INTER_LINEAR: right at every shift (of a float64 image, to 1/32 px). With INTER_CUBIC,
# which one takes for better quality, 0.05 becomes 0.071, 0.1 becomes 0.136 and 0.9 becomes 0.864; Pillow's
# transform() with BICUBIC goes 0.093, 0.172 and 0.828. It is the same for spots of 0.8 and 3 px, as it comes from
# the weights alone. One expects cubic interpolation to be at least as right as linear. The kernel has a
# coefficient: -0.75 in OpenCV and -1 here in Pillow; only -0.5 keeps straight lines straight, and shifts right.
# A movie whose drift is corrected with it keeps steps of 0.05 to 0.1 px, and a colour channel that is mapped on
# another is off by as much.
# A remedy: linear interpolation, or scipy.ndimage.shift (order 3).
#
# Seen: asked for 0.05 0.1 0.25 0.75 0.9; OpenCV linear the same, cubic 0.071 0.136 0.297 0.703 0.864; Pillow
# linear the same, cubic 0.093 0.172 0.344 0.656 0.828; scipy the same
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.3.5 scipy==1.16.3
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
from PIL import Image
from scipy import ndimage

y, x = np.mgrid[:61, :61]
ASKED = (0.05, 0.1, 0.25, 0.75, 0.9)


def by_opencv(flags):
    return lambda spot, shift: cv2.warpAffine(
        spot, np.array([[1, 0, shift], [0, 1, 0.0]]), spot.shape, flags=flags
    )


def by_pillow(method):
    return lambda spot, shift: Image.fromarray(spot).transform(
        spot.shape, Image.Transform.AFFINE, (1, 0, -shift, 0, 1, 0), method
    )


WAYS = {
    "OpenCV linear": by_opencv(cv2.INTER_LINEAR),
    "OpenCV cubic": by_opencv(cv2.INTER_CUBIC),
    "Pillow linear": by_pillow(Image.Resampling.BILINEAR),
    "Pillow cubic": by_pillow(Image.Resampling.BICUBIC),
    "scipy": lambda spot, shift: ndimage.shift(spot, (0, shift), order=3),
}


def moved(sigma, way):
    """How far the centre of mass of a spot moves along x, for each shift asked for."""
    spot = np.float32(1000 * np.exp(-((y - 30) ** 2 + (x - 30) ** 2) / 2 / sigma**2))
    images = [np.asarray(way(spot, shift), float) for shift in ASKED]
    return [float((image * x).sum() / image.sum()) - 30 for image in images]


expected = dict.fromkeys(WAYS, ASKED)
expected["OpenCV cubic"] = (0.071, 0.136, 0.297, 0.703, 0.864)
expected["Pillow cubic"] = (0.093, 0.172, 0.344, 0.656, 0.828)
as_seen = True
for name, way in WAYS.items():
    seen = moved(1.3, way)
    print(name, *(f"{shift:.3f}" for shift in seen))
    for shifts in (seen, moved(0.8, way), moved(3.0, way)):
        as_seen &= np.allclose(shifts, expected[name], atol=0.002)
sys.exit(0 if as_seen else 1)
PYTHON
