#!/usr/bin/env bash
# boost-histogram 1.8.1: of 512 frames in 512 bins that begin with them, 22 bins have no frame and 22 have two.
#
# Frames of 25 ms begin at 0, 25, 50 ms ...; a regular axis of 512 bins from 0 to 12.8 s has its edges there. A value on
# an edge belongs to the bin above it: each of the times is exactly equal, to the last digit, to the lower edge that
# axis.edges states. One expects one frame in each bin, as numpy.histogram() counts them. Each twentieth bin or so is
# empty and the one before it has two: the bin comes from a division whose last digit may fall below the whole number,
# and is not compared with the edges. numpy does that. boost_histogram.numpy.histogram(), which has the arguments of
# numpy's, does not either. Sums of counts by time get a dark and a bright bin beside each other, as if an emitter
# went off for a frame.
# A remedy: numpy.histogram(); edges half a frame before the times; or a Variable axis with the same edges.
#
# Seen: empty bins 22, bins with two 22, the same by boost_histogram.numpy; numpy 0 and 0; Variable axis 0 and 0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile boost-histogram==1.8.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import boost_histogram as bh
import numpy as np

FRAMES, FRAME_S = 512, 0.025
times = np.arange(FRAMES) * FRAME_S
axis = bh.axis.Regular(FRAMES, 0, FRAMES * FRAME_S)
on_the_edges = np.array_equal(axis.edges[:-1], times)


def filled(axis):
    """Counts of the times in the bins of an axis."""
    return bh.Histogram(axis).fill(times).values()


def empty_and_double(counts):
    return int((counts == 0).sum()), int((counts == 2).sum())


regular = empty_and_double(filled(axis))
alike = empty_and_double(bh.numpy.histogram(times, FRAMES, (0, FRAMES * FRAME_S))[0])
variable = empty_and_double(filled(bh.axis.Variable(axis.edges)))
beside = empty_and_double(np.histogram(times, FRAMES, (0, FRAMES * FRAME_S))[0])
print("times equal to the lower edges:", on_the_edges)
print("empty and double bins:", regular, "boost_histogram.numpy", alike, "Variable", variable, "numpy", beside)
as_seen = on_the_edges and regular == alike and min(regular) > 10 and variable == beside == (0, 0)
sys.exit(0 if as_seen else 1)
PYTHON
