#!/usr/bin/env bash
# scikit-image 0.26.0: a trace binned by block_reduce() ends in a bin that is too low, as if the emitter went off.
#
# A trace of 500 counts, 1,004 frames, is binned by ten frames with block_reduce(trace, 10, numpy.mean): 100 bins of
# 500 counts, and a last one of 200. Of a frame of 130 x 130 px and 100 counts, binned by four, the last row and
# column are 50, and the corner 25; the median of the blocks is 50 too, and their minimum 0.
# downscale_local_mean() does the same. One expects the mean of the four frames that are there, 500, or that an
# incomplete block is left out, as astropy.nddata.block_reduce does. What a block lacks is filled with zeros, and
# the mean is taken over them. Every trace whose length is no multiple ends in an off or a grey event, and a frame
# has a dark border, which drift correction and background estimates take for part of the sample.
# A remedy: cut to a multiple before; or cval=numpy.nan with func=numpy.nanmean.
#
# Seen: trace 500, last bin 200; frame 100, border 50, corner 25; with the remedy 500; astropy 100 bins
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-image==0.26.0 astropy==8.0.2 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from astropy.nddata import block_reduce as astropy_block_reduce
from skimage.measure import block_reduce
from skimage.transform import downscale_local_mean

trace, frame = np.full(1004, 500.0), np.full((130, 130), 100.0)
binned = block_reduce(trace, 10, np.mean)
mended = block_reduce(trace, 10, np.nanmean, cval=np.nan)
image, median = block_reduce(frame, 4, np.mean), block_reduce(frame, 4, np.median)
lowest, scaled = block_reduce(frame, 4, np.min), downscale_local_mean(frame, (4, 4))
by_astropy = astropy_block_reduce(trace, 10, np.mean)
print(f"trace {binned[0]:g}, last of {binned.size} bins {binned[-1]:g}; with nanmean {mended[-1]:g}; "
      f"astropy {by_astropy.size} bins, last {by_astropy[-1]:g}")
print(f"frame {image[0, 0]:g}, border {image[-1, 0]:g}, corner {image[-1, -1]:g}; median {median[-1, 0]:g}, "
      f"minimum {lowest[-1, 0]:g}; downscale_local_mean {scaled[-1, 0]:g}")
as_seen = binned.size == 101 and (binned[:-1] == 500).all() and binned[-1] == 200 and mended[-1] == 500
border = (image[-1, 0], image[-1, -1], median[-1, 0], lowest[-1, 0], scaled[-1, 0]) == (50, 25, 50, 0, 50)
sys.exit(0 if as_seen and border and by_astropy.size == 100 and by_astropy[-1] == 500 else 1)
PYTHON
