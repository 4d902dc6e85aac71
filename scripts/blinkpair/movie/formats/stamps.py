"""The time from frame to frame, measured on the time stamps of the frames of a movie.

Stamps are the time at which a frame was exposed, or only that at which the computer received it.
So they may be missing, equal, step back, be late one by one, or come in groups that a buffer handed
over together. The median of the steps decides which steps are regular, and the mean of the regular
ones is the result, because stamps are often rounded to a millisecond. Where noise or a coarse clock
leaves few steps regular, or many stamps equal, the result is the slope of the stamps between gaps,
if its error is small.

Input: a stamp for each frame. Output: seconds a frame, and in words what is odd about the stamps.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.movie.formats.stamp_line import AROUND, OFF, Line, agree, lasting, slips_of_clock

# More steps than this share, and than this number, are not gaps: the stamps come in groups.
_MOST_GAPS, _FEW_GAPS = 0.1, 2
_NO_TIME_S = 1e15  # a damaged number
# More shared stamps than this share are of a coarse clock.
_MANY_SHARED = 0.1
# So few groups show the time only if they are equal.
_FEW_GROUPS = 4
# Largest scatter of stamps about their line, in steps, and twice its slope's relative error.
_MOST_SCATTER, _MOST_ERROR = 0.6, 0.02
# Spread of a few steps, in steps, above which their mean is not certain.
_UNEVEN = 0.05
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
    imprecise : bool
        They do not contradict themselves: an interval that was measured may take their place.
    empty : bool
        They hold nothing: so may a planned one that something else confirms.
    """

    seconds: float | None = None
    refused: str = ""
    notes: tuple[str, ...] = ()
    imprecise: bool = False
    empty: bool = False


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
        return Measured(refused=f"{where}: all {times.size} stamps are equal", empty=True)
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
    coarse = n_shared > _MANY_SHARED * stamps.size
    steps = _Steps.of(frame[keep], times[keep])
    line = _line_instead(steps, frame[keep | shared], times[keep | shared], coarse, exposure_s)
    if line is not None:
        if n_shared and line.slope < _NOT_FASTER * (exposure_s or 0.0):
            return _not_used(notes)
        return _by_line(line, where, notes)
    return _by_steps(steps, where, notes, n_shared, exposure_s, planned_s)


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


class _Steps(NamedTuple):
    """Stamps that increase, and what is between them.

    Attributes
    ----------
    frame, times : (stamps,) arrays
    step, span : (stamps - 1,) arrays
        Seconds and frames from one to the next.
    typical : float
        Median seconds a frame.
    gaps : (stamps - 1,) bool array
        Frames were lost, or the recording paused.
    """

    frame: IntArray
    times: FloatArray
    step: FloatArray
    span: IntArray
    typical: float
    gaps: NDArray[np.bool_]

    @classmethod
    def of(cls, frame: IntArray, times: FloatArray) -> _Steps:
        """Find the gaps."""
        step, span = np.diff(times), np.diff(frame)
        typical = _lower_median(step / span)
        gaps = lasting(step - span * typical, OFF * typical)
        return cls(frame, times, step, span, typical, gaps)

    @property
    def even(self) -> bool:
        """Whether half of them are nearly equal, and their mean is certain."""
        each = self.step / self.span
        spread = 1.4826 * float(np.median(np.abs(each - self.typical)))
        most = max(_UNEVEN, _MOST_ERROR / 4 * each.size)
        return agree(each, self.typical) and spread <= most * self.typical


def _line_instead(
    steps: _Steps, frame: IntArray, times: FloatArray, coarse: bool, exposure_s: float | None
) -> Line | None:
    """Return the line through all stamps where steps show noise or a clock, and it fits them."""
    typical = steps.typical
    as_exposed = bool(exposure_s) and abs(typical / (exposure_s or 1.0) - 1) < _MOST_ERROR
    slips = not as_exposed and slips_of_clock(steps.step - steps.span * typical, typical)
    if steps.even and not coarse and not slips:
        return None
    tick = _lower_median(steps.step) if coarse else slips * typical
    line = Line.of(frame, times, tick)
    if line.scatter < _MOST_SCATTER * max(tick, line.slope):
        return line
    return line._replace(uncertain=1.0) if coarse else None


def _not_used(notes: list[str]) -> Measured:
    """Return that shared stamps cannot be those of the frames."""
    notes[-1] += "; the others follow faster than frames are exposed; not used"
    return Measured(notes=tuple(notes))


def _by_line(line: Line, where: str, notes: list[str]) -> Measured:
    """Return the slope if its error is small, or why it is not used."""
    if line.uncertain > _MOST_ERROR:
        return Measured(
            refused=f"{where}: they scatter by {spoken(line.scatter)}, so that the time per frame "
            f"follows from them to {100 * line.uncertain:.0f} % only",
            notes=tuple(notes),
            imprecise=True,
        )
    if line.gaps.size:
        notes.append(
            f"{where}: {line.gaps.size} gap{'s' if line.gaps.size > 1 else ''} (the first before "
            f"frame {line.gaps[0]}): frames were not recorded, or the recording paused"
        )
    return Measured(line.slope, notes=tuple(notes))


def _by_steps(
    steps: _Steps,
    where: str,
    notes: list[str],
    n_shared: int,
    exposure_s: float | None,
    planned_s: float | None,
) -> Measured:
    """Return the mean of the regular steps, or the time between groups of stamps."""
    gaps = steps.gaps
    seconds = float(steps.step[~gaps].sum() / steps.span[~gaps].sum())
    n_gaps = int(gaps.sum())
    if not steps.even or n_gaps > max(_FEW_GAPS, _MOST_GAPS * gaps.size):
        by_group, alike = _by_group(steps.frame[1:][gaps], steps.times[1:][gaps])
        least = _NOT_FASTER * (exposure_s or planned_s or np.inf)
        in_groups = seconds < least
        if max(seconds, by_group) < least or not (alike if in_groups else steps.even):
            return Measured(
                refused=f"{where}: irregular, most stamps follow after {spoken(steps.typical)}, "
                f"{n_gaps} of {gaps.size} after longer times, so that a frame may last "
                f"{spoken(steps.typical)} or {spoken(by_group)}"
            )
        if in_groups:
            notes.append(f"{where}: stamps come in groups; the time is that between groups")
            return Measured(by_group, notes=tuple(notes))
    if n_shared and seconds < _NOT_FASTER * (exposure_s or 0.0):
        return _not_used(notes)
    if n_gaps:
        excess = steps.step - steps.span * steps.typical
        lost = float(np.rint(excess[gaps] / steps.typical).sum())
        notes.append(
            f"{where}: {n_gaps} gap{'s' if n_gaps > 1 else ''} longer than 1.5 frames (the "
            f"first before frame {steps.frame[1:][gaps][0]}): about {lost:.0f} frames were not "
            "recorded, or the recording paused"
        )
    return Measured(seconds, notes=tuple(notes))


def _by_group(frame: IntArray, times: FloatArray) -> tuple[float, bool]:
    """Seconds a frame between the first frames of groups without pauses, and if groups agree."""
    if frame.size < _FEW_GAPS + 1:
        return 0.0, False
    steps, span = np.diff(times), np.diff(frame)
    typical = _lower_median(steps / span)
    regular = np.abs(steps / span - typical) <= OFF * typical
    seconds = float(steps[regular].sum() / span[regular].sum())
    each = steps[regular] / span[regular]
    alike = regular.sum() >= AROUND and agree(2 * each, typical)
    equal = regular.sum() >= _FEW_GROUPS and np.ptp(each) <= _MOST_ERROR * typical
    return seconds, bool(alike or equal)


def _lower_median(values: FloatArray) -> float:
    return float(np.percentile(values, 50, method="lower"))
