"""A straight line through time stamps that noise or a coarse clock scatters.

Input: the stamps of frames. Output: the line, with its jumps where the recording paused, and how
well it is known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray

# A step is a gap if it is longer by so many frames than the typical one.
OFF = 0.5
# Stamps on either side of a step that show whether it lasts.
AROUND = 10
# Steps are even if their quartiles are at most so far apart, in steps.
_UNEVEN = 0.2
# A jump of the line is above so many standard deviations of a stamp.
_CLEAR = 3.0
_ROUNDS = 3
# A clock slips at even distances: at least so many times, and this share of them.
_FEW_SLIPS, _MOST_SLIPS = 3, 0.8


class Line(NamedTuple):
    """A straight line through stamps, with a jump at each gap.

    Attributes
    ----------
    slope : float
        Seconds a frame.
    scatter : float
        Standard deviation of the stamps about it, seconds.
    error : float
        Standard error of the slope. Stamps of one value, as a coarse clock gives, count as one.
    gaps : (gaps,) int array
        Frames that follow one.
    """

    slope: float
    scatter: float
    error: float
    gaps: IntArray

    @classmethod
    def of(cls, frame: IntArray, times: FloatArray, tick: float) -> Line:
        """Fit it by least squares; clocks jump by `tick`."""
        span = np.diff(frame)
        slope = _even_slope(frame, times)
        for _ in range(_ROUNDS):  # what is a gap depends on the slope, and the other way round
            excess = np.diff(times) - span * slope
            noise = 1.4826 * float(np.median(np.abs(excess))) / np.sqrt(2)
            least = max(OFF * slope, _CLEAR * noise, 1.5 * tick)
            gaps = lasting(excess, least)
            part = np.concatenate([[0], np.cumsum(gaps)])
            size = np.bincount(part)
            x, y = (v - (np.bincount(part, v) / size)[part] for v in (frame, times))
            slope = float(x @ y / (x @ x))
        n = np.unique(times).size
        left = max(n - size.size - 1, 1)
        scatter = float(np.sqrt(((y - slope * x) ** 2).mean() * n / left))
        error = scatter / float(np.sqrt(x @ x * n / times.size))
        return cls(slope, scatter, error, frame[1:][gaps])


def _even_slope(frame: IntArray, times: FloatArray) -> float:
    """Median slope between stamps so many frames apart that most slopes agree."""
    apart = 1
    while True:
        slopes = (times[apart:] - times[:-apart]) / (frame[apart:] - frame[:-apart])
        middle = float(np.median(slopes))
        if agree(2 * slopes, middle) or 4 * apart > times.size:
            return middle or float(np.ptp(times) / np.ptp(frame))
        apart *= 2


def lasting(excess: FloatArray, least: float) -> NDArray[np.bool_]:
    """Mark steps longer by `least`, but those that the stamps around make up for.

    There, one stamp was late or early.
    """
    long = excess > least
    ahead = np.concatenate([[0.0], np.cumsum(excess)])  # of regular steps
    lasting = long.copy()
    for k in np.flatnonzero(long).tolist():
        before, after = ahead[max(0, k + 1 - AROUND) : k + 1], ahead[k + 1 : k + 1 + AROUND]
        lasting[k] = np.median(after) - np.median(before) > least
    return lasting


def agree(steps: FloatArray, typical: float) -> bool:
    """Whether half of the steps are nearly equal; of three, one may be a pause."""
    low = np.percentile(steps, 25, method="higher")
    high = np.percentile(steps, 75, method="lower")
    return bool(high - low <= _UNEVEN * typical)


def slips_of_clock(excess: FloatArray, typical: float) -> bool:
    """Whether single frames seem to be lost at even distances: the ticks of a clock are shorter.

    Parameters
    ----------
    excess : (steps,) array
        What each step is longer than the frames it spans, seconds.
    typical : float
        Seconds a frame by most steps.
    """
    slips = np.flatnonzero((excess > OFF * typical) & (excess < (1 + OFF) * typical))
    distances = np.diff(slips)
    if slips.size < _FEW_SLIPS:
        return False
    even = np.abs(distances - np.median(distances)) <= 1
    return bool(even.mean() >= _MOST_SLIPS)
