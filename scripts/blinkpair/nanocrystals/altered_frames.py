"""Detect movies that were processed after they were recorded, from some of their bursts.

A movie whose drift was corrected has an empty border that comes and goes, whose inner edge looks
like nanocrystals that blink. A movie that was averaged or filtered in time has lost its short
events. Neither has frames as a camera records them: pixels at the border are noisy, too, and the
noise of one frame is not that of the next.

Text that was written into the frames, as the time of each, moves with the camera: where it changes
it looks like nanocrystals that do not drift.

Input: bursts of frames, or the images of stretches. Output: the share of frames in which an empty
border has moved, by how much the noise of successive frames is alike, the pixels of a text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.errors import InputError

# An on-fraction is off by no more than the share of such frames.
MAX_MOVING_BORDER_SHARE = 0.01
# 0.50 for a running average of two frames or more, 0.25 for a recursive filter that takes half of
# the frame before, 0.33 for a median of three; -0.04 to 0.03 in 70 simulated movies as recorded.
MAX_NOISE_MEMORY = 0.15
_EVERY_PIXEL = 4  # measures the noise
# Of the median power of the changes: pixels of more show nanocrystals.
_QUIET = 1.5
# Pixels of text, without noise for a stretch and at the background's level right beside it: a
# figure has more. The next pixel of a saturated nanocrystal has a quarter of its light, and a pixel
# of the camera that is stuck for a while is alone.
MAX_TEXT_PIXELS = 12
_TEXT_NOISES, _BESIDE, _STROKE = 10.0, 0.1, 3
# Share of equal values in a line of a camera in the dark, and such lines of the empty ones.
_NEARLY_EMPTY, _BY_NOISE = 0.9, 0.1
_WIDEST = 8  # rows or columns at a border that are looked at


class AlteredFrames:
    """Collects the evidence, burst by burst."""

    def __init__(self) -> None:
        self._widths = np.zeros((4, _WIDEST + 1), np.int64)  # frames by the width at each side
        self._dark = False  # lines within a frame are empty, too
        self._lines = np.zeros(2, np.int64)  # at the border: empty, and empty but for some noise
        self._power: Any = 0.0
        self._products: Any = 0.0

    def add(self, burst: NDArray[Any]) -> None:
        """Add successive frames, (n, y, x)."""
        for side, lines in enumerate(
            (
                burst[:, :_WIDEST],
                burst[:, : -_WIDEST - 1 : -1],
                burst[:, :, :_WIDEST].swapaxes(1, 2),
                burst[:, :, : -_WIDEST - 1 : -1].swapaxes(1, 2),
            )
        ):
            alike = (lines == lines[:, :, :1]).mean(axis=2)
            empty = alike == 1.0
            self._lines += [empty.sum(), ((alike > _NEARLY_EMPTY) & ~empty).sum()]
            widths = np.cumprod(empty, axis=1).sum(axis=1)
            self._widths[side] += np.bincount(widths, minlength=_WIDEST + 1)
        middle = (burst[:, burst.shape[1] // 2], burst[:, :, burst.shape[2] // 2])
        self._dark |= any((line == line[:, :1]).all(axis=1).any() for line in middle)
        some = burst[:, ::_EVERY_PIXEL, ::_EVERY_PIXEL].astype(np.float64)
        change = np.diff(some, axis=0)
        change -= change.mean(axis=(1, 2), keepdims=True)  # of the light
        if len(change) > 1:
            self._power = self._power + (change**2).mean(axis=0)
            self._products = self._products + (change[1:] * change[:-1]).mean(axis=0)

    def moving_border_share(self) -> float:
        """Return the share of frames in which an empty border is not as wide as in most frames.

        Of the side where it is largest. Rows or columns at the border are empty if all values of
        each are equal. A border that is always as wide is a part of the camera that was not read.
        Zero where the middle row or column is empty in a frame: it is black, or of few photons.
        Zero as well where a tenth as many lines are empty but for some noise: a field stop keeps
        the light away from a camera with little noise.
        """
        empty, nearly_empty = self._lines
        if self._dark or nearly_empty > _BY_NOISE * empty:
            return 0.0
        n = self._widths.sum(axis=1)
        return float(np.max((n - self._widths.max(axis=1)) / np.maximum(n, 1)))

    def noise_memory(self) -> float:
        """Return the correlation of successive changes of a pixel, plus 0.5.

        Where the noise of each frame is its own, a change and the next one share one frame with
        opposite signs: their correlation is -0.5, and this number 0. Slow changes of the light drop
        out. Pixels that change more than others, as those of nanocrystals, are left out.
        """
        power, products = np.atleast_1d(self._power), np.atleast_1d(self._products)
        quiet = power <= _QUIET * np.median(power)
        total = float(power[quiet].sum())
        return 0.5 + float(products[quiet].sum()) / total if total > 0 else 0.0


def text_pixels(mean: NDArray[np.float32], variance: NDArray[np.float32]) -> int:
    """Return the number of pixels at which text was written into the frames and then changed.

    Parameters
    ----------
    mean, variance : (S, y, x) float32
        Of each stretch, as in `projections.Projections`.
    """
    from scipy.ndimage import label, minimum_filter

    still = variance == 0
    still &= ~still.all(axis=0)  # a pixel that never changes is dead, or of a bar
    text = np.zeros(mean.shape[1:], bool)
    for s in np.flatnonzero(still.any(axis=(1, 2))):
        apart = np.abs(mean[s] - np.median(mean[s]))
        noise = np.sqrt(np.median(variance[s]))
        cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
        beside = minimum_filter(apart, footprint=cross)
        text |= still[s] & (apart > _TEXT_NOISES * noise) & (beside < _BESIDE * apart)
    strokes, _ = label(text, np.ones((3, 3)))
    size = np.bincount(strokes.ravel())[1:]
    return int(size[size >= _STROKE].sum())


def check_altered(moving_border_share: float, noise_memory: float, name: str) -> list[str]:
    """Refuse a movie with an empty border that moves, report one filtered in time.

    Parameters
    ----------
    moving_border_share, noise_memory : float
        As `AlteredFrames` returns them.
    name : str
        Of the movie, for messages.

    Raises
    ------
    InputError
        If more than `MAX_MOVING_BORDER_SHARE` of the frames have an empty border of another
        width than most.
    """
    if moving_border_share > MAX_MOVING_BORDER_SHARE:
        raise InputError(
            "rows or columns at the border hold one value only, and their number changes: the "
            "frames were shifted after they were recorded (drift correction), and the edge of such "
            "a border looks like nanocrystals that blink",
            "use the frames as the camera recorded them, drift is followed; or cut off the border",
            place=name,
        )
    if noise_memory <= MAX_NOISE_MEMORY:
        return []
    return [
        "the noise of a frame is in part that of the frame before: the movie was averaged or "
        "filtered in time (running average, median, Kalman filter, denoising), so that short "
        "events are lost and durations, alpha and tau are not those of the nanocrystals: use the "
        "frames as the camera recorded them"
    ]
