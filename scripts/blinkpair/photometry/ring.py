"""The ring around a nanocrystal whose pixels give the background.

Input: nothing. Output: its pixels, and its runs of pixels side by side.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import IntArray

# The ring begins where even a PSF of 1.1 px has ended and holds about 100 pixels, so that its
# median adds little noise (aperture_px^2 x 1.25 sigma / 10).
RING_INNER_PX = 4.5
RING_OUTER_PX = 7.3
RING_REACH = int(RING_OUTER_PX)


def ring_offsets() -> IntArray:
    """Return (r, 2) column and row of the pixels from the nanocrystal's own one, row by row."""
    dy, dx = np.mgrid[-RING_REACH : RING_REACH + 1, -RING_REACH : RING_REACH + 1]
    radius = np.hypot(dx, dy)
    ring = (radius >= RING_INNER_PX) & (radius <= RING_OUTER_PX)
    return np.column_stack([dx[ring], dy[ring]]).astype(np.int64)


def ring_runs() -> list[tuple[int, int, int]]:
    """Return column and row of the first pixel and the length of each run of pixels in a row."""
    ring = ring_offsets()
    breaks = np.flatnonzero((np.diff(ring[:, 0]) != 1) | (np.diff(ring[:, 1]) != 0)) + 1
    runs = np.split(ring, breaks)
    return [(int(run[0, 0]), int(run[0, 1]), len(run)) for run in runs]
