"""Spots that are wider than the PSF: no single nanocrystals.

A microsphere can emit, and a clump of nanocrystals is as wide as it is. Their light fades and
returns, which reads as blinking, and microspheres come, go and move between the epochs, which reads
as a change.

Input: mean images of the stretches of a movie, the spots in it, the drift, the width of the PSF.
Output: which spots are wide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.nanocrystals.localisation import cut_windows, pixel_profile

# Widths that are compared, in units of the PSF's. Lenses, focus and a weak neighbour widen the
# image of one nanocrystal by up to a third; the image of a microsphere six pixels across has twice
# the width.
OF_ONE = (1.0, 1.25)
OF_MORE = (1.8, 2.25, 2.8)
REACH = 3.5  # half of the window, in widths of the PSF: the image of a microsphere fits in it
# Twice the log-likelihood ratio from which a spot is wide: by chance in 1 of 1,000,000.
EVIDENCE = 25.0
AT_ONCE = 1_000_000  # values; half a dozen arrays of so many are kept


def are_wide(
    images: NDArray[np.float32],
    weights: FloatArray,
    xy: FloatArray,
    drift: FloatArray,
    *,
    psf_sigma_px: FloatArray | float,
) -> BoolArray:
    """Return which spots fit better with 1.5 times the width of the PSF and more, (n,).

    Blinking changes the amplitude, which is free in each stretch, not the width.

    Parameters
    ----------
    images : (S, y, x) float32
        Mean images of the stretches, background subtracted.
    weights : (S,) float
        Frames of each.
    xy : (n, 2) float
        Spots at the first frame.
    drift : (S, 2) float
    psf_sigma_px : float or (S,) float
        Of the movie, or of each stretch.
    """
    sigma = np.broadcast_to(np.asarray(psf_sigma_px, float), len(drift))
    half = int(np.ceil(REACH * np.median(sigma)))
    share = weights / weights.mean()
    wide = np.zeros(len(xy), bool)
    step = max(1, AT_ONCE // (len(drift) * (2 * half + 1) ** 2))
    for first in range(0, len(xy), step):
        some = slice(first, first + step)
        windows = cut_windows(images, xy[some], drift, half)
        across = windows.columns - drift[None, :, 0, None]
        down = windows.rows - drift[None, :, 1, None]
        inside = windows.inside[:, :, None, None]
        values = inside * _level(windows.values)
        left = []
        for ratio in (*OF_ONE, *OF_MORE):
            width = ratio * sigma[None, :, None]
            gx = pixel_profile(across - xy[some, None, None, 0], width)
            gy = pixel_profile(down - xy[some, None, None, 1], width)
            shape = _level(gy[..., :, None] * gx[..., None, :])
            power = (shape**2).sum(axis=(2, 3))
            amplitude = np.maximum((values * shape).sum(axis=(2, 3)), 0.0) / power
            rest = values - inside * amplitude[..., None, None] * shape
            left.append((rest**2).sum(axis=(2, 3)) @ share)
        of_one, of_more = np.min(left[: len(OF_ONE)], axis=0), np.min(left[len(OF_ONE) :], axis=0)
        n = windows.inside.sum(axis=1) * ((2 * half + 1) ** 2 - 2)
        variance = of_more / np.maximum(n, 1)
        wide[some] = of_one - of_more > EVIDENCE * variance
    return wide


def _level(values: FloatArray) -> FloatArray:
    """Return windows (n, S, h, h) less the mean of each."""
    return np.asarray(values - values.mean(axis=(2, 3), keepdims=True))
