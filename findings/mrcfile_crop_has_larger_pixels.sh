#!/usr/bin/env bash
# mrcfile 1.5.4: an image that is cut has pixels of twice the size, and a size set before the data is 0.
#
# A TEM image of 60 x 80 px with pixels of 2.5 A in an MRC file is replaced by a quarter of it with
# set_data(data[:30, :40]): voxel_size is then (5.0, 5.0, 2.5), where one expects 2.5: the docstring of voxel_size
# calls it the size of a voxel, and that of set_data() speaks of dimensions and statistics only. Binned by two,
# data[::2, ::2], it is 5.0 too, and right. The file keeps the length of the whole image in A, and voxel_size is
# that divided by the number of pixels, so that set_data() takes each other shape for a change of sampling. Setting
# voxel_size before set_data() in a new file is accepted, without a warning, and 0 is read back. Every nanocrystal
# in the cut is then twice as large.
# A remedy: voxel_size set again after each set_data().
#
# Seen: cut (5.0, 5.0, 2.5), binned (5.0, 5.0, 2.5), set before the data (0.0, 0.0, 0.0), set again (2.5, 2.5, 2.5)
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  mrcfile==1.5.4 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import mrcfile
import numpy as np

warnings.simplefilter("error")
image = np.random.default_rng(0).poisson(100, (60, 80)).astype(np.int16)


def sizes(*steps):
    """Size of a voxel (A: x, y, z) in a file in which these arrays were set as data, and sizes set as the size."""
    with mrcfile.new("image.mrc", overwrite=True) as file:
        for step in steps:
            if isinstance(step, float):
                file.voxel_size = step
            else:
                file.set_data(step)
    with mrcfile.open("image.mrc") as file:
        return tuple(float(size) for size in file.voxel_size.tolist())


seen = {
    "whole": sizes(image, 2.5),
    "cut": sizes(image, 2.5, image[:30, :40].copy()),
    "binned": sizes(image, 2.5, image[::2, ::2].copy()),
    "set before the data": sizes(2.5, image),
    "set again": sizes(image, 2.5, image[:30, :40].copy(), 2.5),
}
for name, size in seen.items():
    print(f"{name}: {size}")
expected = [(2.5,) * 3, (5, 5, 2.5), (5, 5, 2.5), (0,) * 3, (2.5,) * 3]
sys.exit(0 if list(seen.values()) == expected else 1)
PYTHON
