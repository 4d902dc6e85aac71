"""A straight line through time stamps that noise or a coarse clock scatters.

Input: the stamps of frames. Output: the line, with its jumps where the recording paused, and how
well it is known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.movie.formats.stamp_lattice import difference_of_another

# A step is a gap if it is longer by so many frames than the typical one.
OFF = 0.5
# Stamps on either side of a step that show whether it lasts.
AROUND = 10
# Steps are even if their quartiles are at most so far apart, in steps.
_UNEVEN = 0.2
# A jump of the line is above so many standard deviations of a stamp.
_CLEAR = 3.0
_ROUNDS = 3
# One more jump is certain above so many standard errors; one of a frame cannot be excluded within
# so many. More of them do not change the slope of a long series.
_CERTAIN, _NOT_EXCLUDED, _MOST_JUMPS = 4.0, 3.0, 20
# Times that differ by less are the same.
_NOT_ANOTHER = 0.02
# No clock is finer.
_FINEST_S = 1e-9
# A clock slips at even distances: at least so many times, and this share of them.
_FEW_SLIPS, _MOST_SLIPS = 5, 0.8


class Line(NamedTuple):
    """A straight line through stamps, with a jump at each gap.

    Attributes
    ----------
    slope : float
        Seconds a frame.
    scatter : float
        Standard deviation of the stamps about it, seconds.
    uncertain : float
        Share by which the slope may be wrong: two standard errors, or what one more lost frame
        would change if the scatter does not exclude it, or the difference of another time that
        explains the stamps as well with lost frames. Stamps of one value, as a coarse clock gives,
        count as one.
    gaps : (gaps,) int array
        Frames that follow one.
    """

    slope: float
    scatter: float
    uncertain: float
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
            fit = _Fit(frame, times, gaps)
            slope = fit.slope
        for _ in range(_MOST_JUMPS):
            jump, error, change = fit.one_more()
            likely = np.where(jump > OFF * fit.slope, jump / error, 0.0)
            if likely.max() < _CERTAIN:
                break
            gaps[likely.argmax()] = True
            fit = _Fit(frame, times, gaps)
        if fit.slope <= 0:
            return cls(fit.slope, fit.scatter, 1.0, frame[1:][gaps])
        possible = jump + _NOT_EXCLUDED * error > fit.slope
        uncertain = max(2 * fit.error / fit.slope, np.max(change[possible], initial=0.0))
        # With a coarse clock the place of a stamp within its frame is not known.
        if not tick:
            other = difference_of_another(
                frame, times, fit.slope, fit.scatter, int(gaps.sum()), _NOT_ANOTHER
            )
            uncertain = max(uncertain, other)
        return cls(fit.slope, fit.scatter, float(uncertain), frame[1:][gaps])


class _Fit:
    """Least squares of a line with given jumps; scatter and error as in `Line`, in seconds."""

    def __init__(self, frame: IntArray, times: FloatArray, gaps: NDArray[np.bool_]) -> None:
        part = np.concatenate([[0], np.cumsum(gaps)])
        self._size = np.bincount(part)
        x, y = (v - (np.bincount(part, v) / self._size)[part] for v in (frame, times))
        # Two stamps without a jump between them have 0.5; no line is known by less.
        self._part, self._x, self._square = part, x, max(float(x @ x), 0.5)
        self.slope = float(x @ y) / self._square
        self._left_over = y - self.slope * x
        # Stamps that count, of those there are.
        self._n = np.unique(times).size
        self._share = self._n / times.size
        self.scatter = self._deviation(float(self._left_over @ self._left_over), 1)
        self.error = self.scatter / float(np.sqrt(self._square * self._share))

    def _deviation(self, square: Any, parameters: int) -> Any:
        """Standard deviation of a stamp, from the sum of squares that a fit leaves."""
        free = max(self._n - self._size.size - parameters, 1)
        return np.sqrt(np.maximum(square, 0.0) * self._share / free)

    def one_more(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Fit one more jump at each step.

        Returns
        -------
        jump, error : (stamps - 1,) arrays
            Its height and standard error, seconds; 0 where there is one already.
        change : (stamps - 1,) array
            Share by which a jump of a frame's length there would change the slope.
        """
        # A jump is a regressor of 0 before and 1 after it, less what parts and slope explain of
        # it (Frisch and Waugh, 1933). Values about the mean of a part sum to 0 over it, so that
        # their sum after the jump is that before it with the other sign.
        before = np.arange(self._x.size) - np.concatenate([[0], np.cumsum(self._size)])[self._part]
        size = self._size[self._part]
        along = -np.cumsum(self._x)[:-1]
        square = (before * (size - before) / size)[1:] - along**2 / self._square
        there = square < 1e-6
        square = np.where(there, 1.0, square)
        onto = np.where(there, 0.0, -np.cumsum(self._left_over)[:-1])
        total = float(self._left_over @ self._left_over)
        deviation = np.maximum(self._deviation(total - onto**2 / square, 2), _FINEST_S)
        error = deviation / np.sqrt(square * self._share)
        change = np.where(there, 0.0, np.abs(along) / self._square)
        return onto / square, np.where(there, _FINEST_S, error), change


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
