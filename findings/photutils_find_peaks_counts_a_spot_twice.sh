#!/usr/bin/env bash
# photutils 3.0.0: find_peaks() with a box of 11 px finds 114 spots in a dim frame of 100, as two pixels of a spot have
# the same count.
#
# 100 spots, 40 px apart, with a standard deviation of 1.3 px and 15 photons in their brightest pixel, on a background
# of 2, counted as whole photons. find_peaks(counts, threshold=12, box_size=11) takes a pixel for a peak if none in the
# box around it is brighter: where the two brightest pixels of a spot are equal, both are peaks. One expects that the
# size of the box keeps two peaks apart, so that no two are nearer than half of it. With 50 photons it is 109, with
# 1,000 photons 100, so that a test on bright spots does not show it, and of saturated ones it is 243. A spot that is
# counted twice has a neighbour at 1 px: a filter by distance takes both out, and densities are too high.
# A remedy: add a random fraction below 1 to the counts.
#
# Seen (peaks of 100 spots): 15 photons 114, 50 photons 109, 1,000 photons 100; saturated 243; with fractions 100
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  photutils==3.0.0 astropy==8.0.2 scipy==1.17.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from photutils.detection import find_peaks

rng = np.random.default_rng(0)
rows, columns = np.mgrid[:400, :400]
grid = 20 + 40 * np.indices((10, 10)).reshape(2, -1).T
places = grid + rng.uniform(-0.5, 0.5, grid.shape)
spots = sum(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 1.3**2)) for y, x in places)


def peaks(counts, photons):
    """Positions of the peaks above two thirds of the height of a spot."""
    table = find_peaks(counts, threshold=2 + photons * 2 / 3, box_size=11)
    return np.column_stack([table["y_peak"], table["x_peak"]])


def nearest(found):
    """Smallest distance of two peaks in px."""
    distance = np.hypot(*(found[:, None] - found[None]).T)
    return float(distance[distance > 0].min())


frames = {photons: rng.poisson(2 + photons * spots) for photons in (15, 50, 1000)}
dim = peaks(frames[15], 15)
number = {photons: len(peaks(counts, photons)) for photons, counts in frames.items()}
saturated = len(peaks(np.minimum(frames[1000], 800), 1000))
apart = len(peaks(frames[15] + rng.random(rows.shape), 15))
print(f"peaks of 100 spots: {number}; saturated {saturated}; with fractions {apart}")
print(f"nearest two of the dim ones: {nearest(dim):.1f} px apart")
twice = number[15] > 110 and number[50] > 103 and saturated > 200 and nearest(dim) < 2
sys.exit(0 if twice and number[1000] == 100 and apart == 100 else 1)
PYTHON
