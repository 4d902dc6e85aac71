#!/usr/bin/env bash
# PIMS 0.7 with trackpy 0.7: of every second frame of a movie, movie[::2], no two positions are linked: 25 particles at
# rest become 500.
#
# A movie of 40 frames with 25 particles that drift by 0.02 px a frame, opened by pims.open(). trackpy.batch(movie[::2])
# and link(search_range=3), as one does to try settings on a long movie. One expects 25 trajectories of 20 positions, as
# of the same frames in a NumPy array. There are 500 of one position, and filter_stubs() leaves none. A frame of PIMS
# carries its number in the file, also in a slice or a list of frames, and batch() writes 0, 2, 4 into the table; link()
# takes 1, 3, 5 for frames in which every particle was lost. memory=1 links them. Nothing is reported, and settings of
# detection are changed that were right.
# A remedy: numpy.asarray(movie)[::2], or memory of at least the step less 1.
#
# Seen (trajectories, median length): all frames 25, 40; movie[::2] 500, 1 and with memory=1 25, 20; array 25, 20
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  trackpy==0.7 pims==0.7 numpy==2.3.5 scipy==1.16.3 pandas==2.3.3 matplotlib==3.10.7 tifffile==2026.3.3
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
import pims
import tifffile
import trackpy

FRAMES, SIZE = 40, 124
trackpy.quiet()
rng = np.random.default_rng(0)
y, x = (axis.ravel() for axis in np.meshgrid(np.arange(15, 110, 20), np.arange(15, 110, 20), indexing="ij"))
row, column = np.mgrid[:SIZE, :SIZE]


def frame(number):
    """Poisson counts of all particles, sigma 1.5 px, on 100 counts."""
    distance2 = (column - x[:, None, None] - 0.02 * number) ** 2 + (row - y[:, None, None]) ** 2
    return rng.poisson(100 + 500 * np.exp(-distance2 / 2 / 1.5**2).sum(0)).astype(np.uint16)


tifffile.imwrite("movie.tif", np.stack([frame(number) for number in range(FRAMES)]), photometric="minisblack")
movie = pims.open("movie.tif")
cases = {
    "all frames": (movie, 0),
    "movie[::2]": (movie[::2], 0),
    "movie[::2], memory=1": (movie[::2], 1),
    "array of movie[::2]": (np.asarray(movie)[::2], 0),
}
seen = []
for name, (frames, memory) in cases.items():
    positions = trackpy.batch(frames, 9, minmass=500, processes=1)
    linked = trackpy.link(positions, search_range=3, memory=memory)
    lengths = linked.groupby("particle").size()
    kept = trackpy.filter_stubs(linked, 3).particle.nunique()
    seen.append((lengths.size, int(lengths.median()), kept))
    print("{}: {} trajectories, median length {}, {} after filter_stubs()".format(name, *seen[-1]))
sys.exit(0 if seen == [(25, 40, 25), (500, 1, 0), (25, 20, 25), (25, 20, 25)] else 1)
PYTHON
