"""The time from frame to frame, measured on the time stamps of the frames of a movie.

Stamps are the time at which a frame was exposed, or only that at which the computer received it.
So they may be missing, equal, step back, be late one by one, or come in groups that a buffer handed
over together. The median of the steps decides which steps are regular, and the mean of the regular
ones is the result, because stamps are often rounded to a millisecond.

Input: a stamp for each frame. Output: seconds a frame, and in words what is odd about the stamps.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray, IntArray

# A step is regular if it is within so many frames of the median one, or if the next make up for it.
_OFF = 0.5
# Stamps on either side of a step that show whether it lasts.
_AROUND = 10
# More steps than this share, and than this number, are not gaps: the stamps come in groups.
_MOST_GAPS, _FEW_GAPS = 0.1, 2
_NO_TIME_S = 1e15  # a damaged number
# Frames cannot follow each other faster than they are exposed; clocks agree within so much.
_NOT_FASTER = 0.9


@dataclass(frozen=True)
class Measured:
    """Result of `measure`.

    Attributes
    ----------
    seconds : float or None
        None where the stamps do not give it.
    refused : str
        Why it cannot be known, where the stamps contradict themselves: a planned value must not
        take their place. Empty elsewhere.
    notes : tuple of str
    """

    seconds: float | None = None
    refused: str = ""
    notes: tuple[str, ...] = ()


def measure(
    stamps_s: ArrayLike,
    where: str,
    exposure_s: float | None = None,
    planned_s: float | None = None,
) -> Measured:
    """Measure the time from frame to frame.

    Parameters
    ----------
    stamps_s : (frames,) array
        Seconds, one a frame; NaN where a frame has none.
    where : str
        How a note calls them.
    exposure_s, planned_s : float, optional
        Frames do not follow each other faster; decides between frames that were lost often and
        stamps that come in groups.

    Returns
    -------
    Measured
    """
    stamps = np.asarray(stamps_s, dtype=np.float64)
    frame = np.flatnonzero(np.abs(stamps) < _NO_TIME_S)  # nor NaN
    times = stamps[frame]
    if times.size < 2 or not times.any():  # a file without stamps, or one that holds zeros
        return Measured()
    if not np.ptp(times):
        return Measured(refused=f"{where}: all {times.size} stamps are equal")
    notes: list[str] = []
    if times.size < stamps.size:
        notes.append(f"{where}: {times.size} of {stamps.size} frames have a time stamp")
    if times.size < min(3, stamps.size):
        return Measured(refused=notes[0])
    keep = _longest_increase(times)
    last = np.maximum.accumulate(np.where(keep, np.arange(keep.size), -1))
    shared = ~keep & (last >= 0) & (times == times[last])
    if n_back := int((~keep & ~shared).sum()):
        if 2 * n_back > times.size or keep.sum() < 2:
            return Measured(refused=f"{where}: stamps do not increase from frame to frame")
        notes.append(f"{where}: {n_back} of {times.size} step back and were left out")
    if n_shared := int(shared.sum()):
        notes.append(f"{where}: {n_shared} of {times.size} frames share a time stamp with another")
    frame, times = frame[keep], times[keep]
    steps, span = np.diff(times), np.diff(frame)
    typical = _lower_median(steps / span)
    excess = steps - span * typical
    gaps = _lasting(excess, excess > _OFF * typical, _OFF * typical)
    seconds = float(steps[~gaps].sum() / span[~gaps].sum())
    if gaps.sum() > max(_FEW_GAPS, _MOST_GAPS * gaps.size):
        by_group = _by_group(frame[1:][gaps], times[1:][gaps])
        at_least_s = exposure_s or planned_s
        if not at_least_s or max(seconds, by_group) < _NOT_FASTER * at_least_s:
            return Measured(
                refused=f"{where}: irregular, most stamps follow after {spoken(typical)}, "
                f"{int(gaps.sum())} of {gaps.size} after longer times, so that a frame may last "
                f"{spoken(typical)} or {spoken(by_group)}"
            )
        if seconds < _NOT_FASTER * at_least_s:
            notes.append(f"{where}: stamps come in groups; the time is that between groups")
            return Measured(by_group, notes=tuple(notes))
    if n_shared and exposure_s and seconds < _NOT_FASTER * exposure_s:
        notes[-1] += "; the others follow faster than frames are exposed; not used"
        return Measured(notes=tuple(notes))
    if n_gaps := int(gaps.sum()):
        lost = float(np.rint(excess[gaps] / typical).sum())
        notes.append(
            f"{where}: {n_gaps} gap{'s' if n_gaps > 1 else ''} longer than 1.5 frames (the "
            f"first before frame {frame[1:][gaps][0]}): about {lost:.0f} frames were not recorded, "
            "or the recording paused"
        )
    return Measured(seconds, notes=tuple(notes))


def spoken(value_s: float | None) -> str:
    """Write a time with its unit."""
    if not value_s:
        return "0"
    return f"{value_s * 1e3:.6g} ms" if value_s < 1 else f"{value_s:.6g} s"


def _longest_increase(times: FloatArray) -> NDArray[np.bool_]:
    """Mark the longest series that increases throughout; of equal stamps the first."""
    if (np.diff(times) > 0).all():
        return np.ones(times.size, bool)
    ends: list[float] = []  # the smallest last stamp of a series of each length
    places: list[int] = []
    before = np.full(times.size, -1)
    for k, time in enumerate(times.tolist()):
        length = bisect_left(ends, time)
        before[k] = places[length - 1] if length else -1
        if length == len(ends):
            ends.append(time)
            places.append(k)
        elif time < ends[length]:
            ends[length], places[length] = time, k
    keep = np.zeros(times.size, bool)
    k = places[-1]
    while k >= 0:
        keep[k] = True
        k = int(before[k])
    return keep


def _lasting(excess: FloatArray, long: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """Leave out long steps that the stamps around make up for: one stamp was late or early."""
    ahead = np.concatenate([[0.0], np.cumsum(excess)])  # of regular steps
    lasting = long.copy()
    for k in np.flatnonzero(long).tolist():
        before, after = ahead[max(0, k + 1 - _AROUND) : k + 1], ahead[k + 1 : k + 1 + _AROUND]
        lasting[k] = np.median(after) - np.median(before) > least
    return lasting


def _by_group(frame: IntArray, times: FloatArray) -> float:
    """Seconds a frame between the first frames of groups, without pauses."""
    steps, span = np.diff(times), np.diff(frame)
    typical = _lower_median(steps / span)
    regular = np.abs(steps / span - typical) <= _OFF * typical
    return float(steps[regular].sum() / span[regular].sum())


def _lower_median(values: FloatArray) -> float:
    return float(np.percentile(values, 50, method="lower"))
