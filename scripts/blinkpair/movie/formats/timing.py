"""How long a frame lasts, from several places of a file.

Durations of on and off events are counted in frames, so the number that matters is the time
from one frame to the next. Files state it as a nominal period (which can be 0, or simply not
what happened), as time stamps (which are measured), and as the camera's exposure (which leaves
out the dead time). A measured one wins over a nominal one, that over the exposure, and every
disagreement is put into words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

# Two values that differ by less are equal: clock and rounding errors are below a percent.
_TOLERANCE = 0.02
# Seconds in the units that ImageJ, OME and Micro-Manager write.
_SECONDS = {
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "us": 1e-6, "usec": 1e-6, "microseconds": 1e-6, "ns": 1e-9,
    "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0,
}  # fmt: skip
_MICROMETRES = {
    "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0,
    "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "inch": 25400.0, "in": 25400.0, "å": 1e-4,
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One place of a file that holds the time of a frame.

    Attributes
    ----------
    where : str
        In words, e.g. 'the events table'.
    seconds : float or None
        None where the place is empty; 0 where it holds 0.
    """

    where: str
    seconds: float | None

    @property
    def usable(self) -> bool:
        """A positive, finite number."""
        return self.seconds is not None and bool(np.isfinite(self.seconds)) and self.seconds > 0


def frame_time(
    intervals: Sequence[Statement], exposure: Statement | None = None, *, frames: int = 2
) -> tuple[float | None, tuple[str, ...]]:
    """Decide the time from frame to frame.

    Parameters
    ----------
    intervals : sequence of Statement
        Statements on the interval, the most trusted first.
    exposure : Statement, optional
        The exposure, used where no interval is known.
    frames : int
        Frames of the movie: a single one needs no interval.

    Returns
    -------
    seconds : float or None
        None where the file holds none.
    notes : tuple of str
        Contradictions, in words.
    """
    if frames < 2:
        known = [one for one in (exposure, *intervals) if one is not None and one.usable]
        return (known[0].seconds if known else None), ()
    chosen = next((one for one in intervals if one.usable), None)
    if chosen is None or chosen.seconds is None:
        if exposure is None or not exposure.usable:
            return None, ()
        return exposure.seconds, (
            f"no interval between frames is given; {exposure.where} gives "
            f"{_spoken(exposure.seconds)}, used that",
        )
    notes = tuple(
        f"{other.where} gives {_spoken(other.seconds)}; {chosen.where} gives "
        f"{_spoken(chosen.seconds)}, used that"
        for other in intervals
        if other is not chosen and other.seconds is not None and _differ(other, chosen)
    )
    if exposure is not None and exposure.usable and _differ(exposure, chosen):
        notes += (
            f"{exposure.where} gives {_spoken(exposure.seconds)} but frames follow each other "
            f"every {_spoken(chosen.seconds)}: durations count the latter",
        )
    return chosen.seconds, notes


def interval_of_stamps(
    stamps_s: ArrayLike, where: str = "the time stamps"
) -> tuple[Statement, tuple[str, ...]]:
    """Measure the frame interval on time stamps.

    The mean of the steps, without those longer than 1.5 times the median: a dropped frame
    leaves a gap that must not stretch all others. The mean and not the median, because stamps
    are often rounded to a millisecond.

    Parameters
    ----------
    stamps_s : (frames,) array
        Seconds, one a frame.
    where : str
        How a note calls them.

    Returns
    -------
    statement : Statement
        `seconds` is None where the stamps are absent, equal or not increasing.
    notes : tuple of str
        Lists the number of gaps.
    """
    stamps = np.asarray(stamps_s, dtype=np.float64)
    if stamps.size < 2 or not np.isfinite(stamps).all():
        return Statement(where, None), ()
    steps = np.diff(stamps)
    if steps.min() <= 0:
        if steps.any():
            note = f"{where} do not increase from frame to frame and were not used"
            return Statement(where, None), (note,)
        return Statement(where, None), ()
    typical = float(np.median(steps))
    regular = steps[steps <= 1.5 * typical]
    n_gaps = int(steps.size - regular.size)
    notes: tuple[str, ...] = ()
    if n_gaps:
        lost = float(np.rint(steps[steps > 1.5 * typical] / typical - 1).sum())
        first = int(np.argmax(steps > 1.5 * typical)) + 1
        notes = (
            f"{where} have {n_gaps} gap{'s' if n_gaps > 1 else ''} longer than 1.5 frames (the "
            f"first before frame {first}): about {lost:.0f} frames were not recorded",
        )
    return Statement(where, float(regular.mean())), notes


def seconds(value: float, unit: str | None) -> float | None:
    """Convert a time; None where the unit is not one of time (no unit means seconds)."""
    factor = _SECONDS.get(_plain(unit) or "s")
    return None if factor is None else value * factor


def micrometres(value: float, unit: str | None) -> float | None:
    """Convert a length; None where the unit is missing or not one of length ('pixel')."""
    factor = _MICROMETRES.get(_plain(unit))
    return None if factor is None else value * factor


def _plain(unit: str | None) -> str:
    """One spelling of a unit: both micro signs, and ImageJ's escaped one, become u."""
    text = (unit or "").strip().lower().replace("\\u00b5", "u").replace("\\u03bc", "u")
    return text.replace("µ", "u").replace("μ", "u")


def _differ(one: Statement, other: Statement) -> bool:
    return not np.isclose(one.seconds or 0.0, other.seconds or 0.0, rtol=_TOLERANCE, atol=0.0)


def _spoken(value: float | None) -> str:
    if not value:
        return "0"
    return f"{value * 1e3:.6g} ms" if value < 1 else f"{value:.6g} s"
