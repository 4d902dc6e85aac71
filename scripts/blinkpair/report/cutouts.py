"""What the camera saw around each nanocrystal, before and after.

Input: an image of each epoch and the positions in it. Output: small squares of camera pixels, both
epochs of a nanocrystal on one scale of grey, in 8 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.report.packing import pack
from blinkpair.report.rounding import decimals, round_down, round_up

SIZE_PX = 27
OUTSIDE = 255
_STEPS = 254
# The brightest pixel this near to the nanocrystal is white; a neighbour beyond may be brighter.
_REACH_PX = 4
# A pixel is as precise as its noise: steps finer than this share of it only take space.
_STEP_IN_NOISE = 0.25
_BACKGROUND_PERCENTILE = 5.0


def cut_out(image: ArrayLike, xy: ArrayLike, size_px: int = SIZE_PX) -> NDArray[np.float32]:
    """Cut the camera pixels around each position out of an image.

    Parameters
    ----------
    image : (y, x) array
        Counts; NaN where unknown.
    xy : (n, 2) array
        Positions in px, (0, 0) the centre of the top-left pixel; they may lie outside.
    size_px : int
        Odd.

    Returns
    -------
    (n, size_px, size_px) float32
        The pixel nearest to the position in the middle; NaN outside the sensor.
    """
    half = size_px // 2
    pixels = np.asarray(image, dtype=np.float32)
    centre = nearest_pixel(xy)
    reach = np.arange(-half, half + 1)
    x = centre[:, None, 0] + reach
    y = centre[:, None, 1] + reach
    there_x, there_y = (x >= 0) & (x < pixels.shape[1]), (y >= 0) & (y < pixels.shape[0])
    there = there_y[:, :, None] & there_x[:, None, :]
    out = np.full(there.shape, np.nan, dtype=np.float32)
    row, i, j = np.nonzero(there)
    out[row, i, j] = pixels[y[row, i], x[row, j]]
    return out


def nearest_pixel(xy: ArrayLike) -> IntArray:
    """Return the pixel, (n, 2) of x and y, in which each position lies; halves go up."""
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    return np.floor(points + 0.5).astype(np.int64)


def pack_cutouts(pre: NDArray[np.float32], post: NDArray[np.float32]) -> dict[str, Any]:
    """Bring cut-outs of both epochs to 8 bits, on one scale a nanocrystal.

    Parameters
    ----------
    pre, post : (n, size, size) float32
        From `cut_out`.

    Returns
    -------
    dict
        `size`; `low` and `step`, n numbers each: counts = low + step * code; `white`, n codes: that
        of the brightest pixel near the nanocrystal in either epoch; `pre` and `post`: packed uint8
        of shape (n, size, size), codes 0 to 254 (darker and brighter pixels are cut off there),
        and 255 outside the sensor.
    """
    n, size = pre.shape[0], pre.shape[-1]
    both = np.concatenate([pre, post], axis=1).reshape(n, 2 * size * size)
    near = _near(size)
    inner = np.concatenate([pre[:, near], post[:, near]], axis=1)
    low, noise, white = (np.zeros(n) for _ in range(3))
    seen = np.isfinite(both).any(axis=1)
    if seen.any():
        low[seen] = np.nanpercentile(both[seen], _BACKGROUND_PERCENTILE, axis=1)
        quartiles = np.nanpercentile(both[seen], (25, 50), axis=1)
        noise[seen] = (quartiles[1] - quartiles[0]) / 0.6745
        white[seen] = np.fmax.reduce(inner[seen], axis=1, initial=np.nan)
    low = round_down(low, 0.1)
    span = np.fmax(white - low, 1.0)
    step = round_up(np.fmax(span / _STEPS, _STEP_IN_NOISE * noise), digits=3)
    white_code = np.clip(np.ceil(span / step), 1, _STEPS).astype(int)
    codes = {name: _codes(part, low, step) for name, part in (("pre", pre), ("post", post))}
    return {
        "size": size,
        "low": decimals(low, 1),
        "step": step.tolist(),
        "white": white_code.tolist(),
    } | {name: pack(part) for name, part in codes.items()}


def _near(size: int) -> BoolArray:
    away = np.abs(np.arange(size) - size // 2) <= _REACH_PX
    return away[:, None] & away[None, :]


def _codes(part: NDArray[np.float32], low: FloatArray, step: FloatArray) -> NDArray[np.uint8]:
    codes = np.rint((part - low[:, None, None]) / step[:, None, None])
    codes = np.clip(codes, 0, _STEPS)
    return np.asarray(np.where(np.isnan(part), OUTSIDE, codes), dtype=np.uint8)


def sub_pixel_offsets(xy: ArrayLike) -> list[Any]:
    """Return by how much each position lies off the centre of its pixel, [dx, dy] in px."""
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    return decimals(points - nearest_pixel(points), 2)


def cutouts_content(
    image_pre: ArrayLike, xy_pre: ArrayLike, image_post: ArrayLike, xy_post: ArrayLike
) -> dict[str, Any]:
    """Return packed cut-outs, and where in its central pixel each nanocrystal was.

    Returns
    -------
    dict
        That of `pack_cutouts`, and `offset_pre`, `offset_post`: n pairs [dx, dy] in px.
    """
    return pack_cutouts(cut_out(image_pre, xy_pre), cut_out(image_post, xy_post)) | {
        "offset_pre": sub_pixel_offsets(xy_pre),
        "offset_post": sub_pixel_offsets(xy_post),
    }
