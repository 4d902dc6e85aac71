"""Which part of a movie's frames is enough for a first look.

Input: the shape of a movie. Output: of how many bursts one is read.
"""

from __future__ import annotations

import math

# A movie below 1 GB (16 bits) stays in memory until it is read again.
LARGE_PIXELS = 5e8
# So many frames show what is on for 1 % of the time, place it to a tenth of a pixel and the drift
# to 0.02 px.
ENOUGH_FRAMES = 2500
MAX_BURSTS_APART = 8


def bursts_apart(shape: tuple[int, int, int]) -> int:
    """Return of how many bursts of a movie one is enough to find most of its nanocrystals.

    1 for a movie that fits into the memory of any workstation, where to read it again takes little
    time, and for one of so few frames that all are needed.

    Parameters
    ----------
    shape : tuple of int
        Frames, rows, columns.
    """
    if math.prod(shape) < LARGE_PIXELS:
        return 1
    return min(max(shape[0] // ENOUGH_FRAMES, 1), MAX_BURSTS_APART)
