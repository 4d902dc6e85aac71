"""Check apertures against the sensor and against bad pixels, without a movie.

Input: positions, drift and the sensor. Output: which apertures stay inside, which are clear.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray, neighbours

# An empty place lies so far from any nanocrystal, where a PSF of 1.1 px has ended, and at most so
# far from its own: the background is then nearly the same.
EMPTY_FROM_PX = 5.5
EMPTY_UP_TO_PX = 16.0
_ON_EDGE_PX = 1e-6  # an aperture that ends on the edge is on the sensor, whatever the last digit
EMPTY_FRAMES = 2000  # about so many give the noise of the off level to 2 %
# In `excluded_because`: no aperture on the sensor in one epoch, hence no counts.
OUT_OF_VIEW = ("outside", "edge")


def reach_px(aperture_px: float) -> float:
    """Return half the width of the aperture, pixels."""
    return aperture_px / 2


def light_share(psf_sigma_px: FloatArray, *, aperture_px: float) -> FloatArray:
    """Return the share of a nanocrystal's light inside the aperture, for each width of the PSF.

    Of a Gaussian whose centre may lie anywhere in a pixel, erf(a / (2 sqrt(2) s))^2: a pixel
    spreads the light evenly over its area, around a centre that is not the light's own, so that
    s^2 = sigma^2 + 2/12.

    Examples
    --------
    >>> light_share(np.array([0.75, 1.35]), aperture_px=3).round(2)
    array([0.85, 0.51])
    """
    from scipy.special import erf

    seen = np.sqrt(np.square(psf_sigma_px) + 2 / 12)
    return np.asarray(erf(reach_px(aperture_px) / (np.sqrt(2) * seen)) ** 2)


def light_course(psf_sigma_px: FloatArray, *, aperture_px: float) -> FloatArray:
    """Return by how much more of a nanocrystal's light the aperture holds than in the mean frame.

    Parameters
    ----------
    psf_sigma_px : (frames,) float
        Width of the PSF in each frame; NaN where it is not known.

    Returns
    -------
    (frames,) float
        Exactly 1 where the focus holds or is not known. Counts divided by it are those of a movie
        with the mean share throughout.
    """
    if not np.ptp(psf_sigma_px) > 0:
        return np.ones(len(psf_sigma_px))
    share = light_share(psf_sigma_px, aperture_px=aperture_px)
    return np.asarray(share / share.mean())


def at_mean_focus(counts: NDArray[np.float32], light: FloatArray | None) -> NDArray[np.float32]:
    """Return (n, frames) counts as at the mean share of the light; themselves where it is 1."""
    if light is None or (light == 1).all():
        return counts
    return np.asarray(counts / light.astype(np.float32))


def light_change(psf_sigma_px: FloatArray, *, aperture_px: float) -> float:
    """Return the largest change of the share of light in the aperture: 0.5 is half as much again.

    NaN where the width is not known.
    """
    share = light_share(psf_sigma_px, aperture_px=aperture_px)
    return float(share.max() / share.min() - 1)


def aperture_stays_inside(
    xy: FloatArray, drift: FloatArray, shape: tuple[int, int], *, aperture_px: float
) -> BoolArray:
    """Return whether the aperture of each nanocrystal stays on the sensor at any drift.

    Parameters
    ----------
    xy : (n, 2) float
    drift : (frames, 2) float
    shape : tuple of int
        Rows and columns of the sensor.
    """
    inside = moved_inside(xy, drift, shape, aperture_px=aperture_px)
    return np.asarray((np.abs(inside - xy) <= _ON_EDGE_PX).all(axis=1))


def moved_inside(
    xy: FloatArray, drift: FloatArray, shape: tuple[int, int], *, aperture_px: float
) -> FloatArray:
    """Return the nearest places (n, 2) whose aperture stays on the sensor at any drift.

    Parameters are those of `aperture_stays_inside`.
    """
    half = reach_px(aperture_px)
    low = half - 0.5 - drift.min(axis=0)
    high = np.array(shape[::-1]) - 0.5 - half - drift.max(axis=0)
    return np.clip(xy, low, high)


def aperture_is_clear(
    xy: FloatArray, drift: FloatArray, pixels: FloatArray, *, aperture_px: float
) -> BoolArray:
    """Return whether the aperture of each nanocrystal is clear of some pixels at any drift.

    Parameters
    ----------
    xy : (n, 2) float
    drift : (frames, 2) float
    pixels : (m, 2)
        Column and row of each.
    """
    reach = reach_px(aperture_px) + 0.5  # to the edge of a pixel
    low = xy + drift.min(axis=0) - reach
    high = xy + drift.max(axis=0) + reach
    pixels = pixels.reshape(-1, 2)
    clear = np.ones(len(xy), bool)
    # One at a time: an sCMOS has tens of thousands of such pixels.
    for k, (a, b) in enumerate(zip(low, high, strict=True)):
        for pixel in pixels[((pixels > a) & (pixels < b)).all(axis=1)]:
            # The path of a drift does not go through all of the box around it.
            clear[k] &= not (np.abs(pixel - xy[k] - drift) < reach).all(axis=1).any()
    return clear


def empty_places(
    xy: FloatArray,
    others: FloatArray,
    drift: FloatArray,
    shape: tuple[int, int],
    *,
    aperture_px: float,
) -> FloatArray:
    """Return a place without a nanocrystal near each nanocrystal, (n, 2); nan where there is none.

    It is the nearest one at whole pixels from the nanocrystal: an aperture cuts the pixels there in
    the same way, so that its noise is the same.

    Parameters
    ----------
    xy : (n, 2) float
        Nanocrystals.
    others : (m, 2) float
        All known nanocrystals, these included.
    drift : (frames, 2) float
    shape : tuple of int
        Rows and columns of the sensor.
    """
    reach = int(EMPTY_UP_TO_PX)
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    away = np.hypot(dx, dy)
    chosen = (away >= EMPTY_FROM_PX) & (away <= EMPTY_UP_TO_PX)
    steps = np.column_stack([dx[chosen], dy[chosen]])[np.argsort(away[chosen], kind="stable")]
    found = np.full((len(xy), 2), np.nan)
    for k, near in enumerate(neighbours(xy, others, EMPTY_UP_TO_PX + EMPTY_FROM_PX)):
        places = xy[k] + steps
        apart = np.hypot(*(places[:, None] - others[near][None]).transpose(2, 0, 1))
        clear = (apart >= EMPTY_FROM_PX).all(axis=1)
        clear &= aperture_stays_inside(places, drift, shape, aperture_px=aperture_px)
        if clear.any():
            found[k] = places[int(np.argmax(clear))]
    return found


def empty_frames(frames: int) -> IntArray:
    """Return the frames of a movie in which the empty places are measured."""
    return np.arange(0, frames, max(frames // EMPTY_FRAMES, 1))
