"""How long a frame lasts: the one place where it is decided, for all formats.

Durations of on and off events are counted in frames, so the number that matters is the time from
one frame to the next. A format collects what its file holds in `Times`; the rules are the same for
all. The first line that applies decides.

==============================================  ===================================================
a movie's file holds                            time per frame
==============================================  ===================================================
time stamps of the frames that are read         the median step, refined by the mean of the regular
                                                steps (`stamps`). Reported: gaps; stamps that are
                                                missing or shared, step back, or come in groups.
                                                Of noisy stamps or a coarse clock: the slope
stamps too noisy or coarse for 2 %              an interval that was measured; else not known
stamps that contradict themselves               not known
stamps that are all equal                       an interval that was measured, or a planned one
                                                that another one or the exposure confirms; reported
an interval that camera or program measured     that interval
(ND2: statistics of the time loop; SIF: cycle
time)
planned intervals that differ from each other   not known
(of ND2 also the time loop's duration)
a planned interval more than twice the exposure not known: the camera may have run freely
a planned interval below the exposure           the exposure; reported
a planned interval (ND2: period of the time     that interval; reported
loop; OME: TimeIncrement; ImageJ: finterval;
Micro-Manager: Interval_ms)
an exposure                                     the exposure; reported
nothing                                         not known
==============================================  ===================================================

A result below 0.1 ms or above 10 s, the limit of the sample sheet, is not known either: its unit is
another one. Every disagreement beyond 2 % is reported. A single image needs no interval; its
exposure counts. Not known means: the sheet or the configuration has to give the value.

Input: what a file holds on time. Output: seconds, where they are from, notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.movie.formats.stamps import measure, spoken

# Two values that differ by less are equal: clock and rounding errors are below a percent.
_TOLERANCE = 0.02
# The shortest: no camera delivers whole frames faster. The longest: as in the sample sheet.
SHORTEST_S, LONGEST_S = 1e-4, 10.0
# A camera that waits between frames for longer than it exposes them is rather one that does not.
_MOST_EXPOSURES = 2.0
# Seconds in the units that ImageJ, OME and Micro-Manager write.
_SECONDS = {
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "us": 1e-6, "usec": 1e-6, "microseconds": 1e-6, "ns": 1e-9,
    "min": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0,
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One place of a file that holds the time of a frame.

    Attributes
    ----------
    where : str
        In words, e.g. 'the time loop's period'.
    seconds : float or None
        None where the place is empty; 0 where it holds 0.
    planned : bool
        It was set before the recording, not measured.
    """

    where: str
    seconds: float | None
    planned: bool = False

    @property
    def usable(self) -> bool:
        """A positive, finite number."""
        return self.seconds is not None and bool(np.isfinite(self.seconds)) and self.seconds > 0


@dataclass(frozen=True)
class Times:
    """What a file holds on the time of its frames.

    Attributes
    ----------
    stamps_s : (frames,) array
        Seconds, one for each frame that is read, NaN where it has none; empty without stamps.
    where : str
        Name of the stamps, in words.
    intervals : tuple of Statement
        On the time from frame to frame, the most trusted first.
    exposure : Statement or None
    """

    stamps_s: FloatArray = field(default_factory=lambda: np.empty(0))
    where: str = "the time stamps"
    intervals: tuple[Statement, ...] = ()
    exposure: Statement | None = None


class FrameTime(NamedTuple):
    """The time per frame.

    Attributes
    ----------
    seconds : float or None
    source : str
        Where it is from, in words; where it is not known, why, or '' where nothing was there.
    notes : tuple of str
        What the owner of the file should read.
    camera_exposure_s : float or None
        How long the camera collected light in each frame; None where the file does not hold it.
    """

    seconds: float | None
    source: str = ""
    notes: tuple[str, ...] = ()
    camera_exposure_s: float | None = None


def frame_time(times: Times, frames: int) -> FrameTime:
    """Decide the time from frame to frame by the rules above.

    Parameters
    ----------
    times : Times
    frames : int
        Frames of the movie.

    Returns
    -------
    FrameTime
    """
    exposure = times.exposure if times.exposure is not None and times.exposure.usable else None
    found = _decide(times, exposure, frames)
    return found._replace(camera_exposure_s=exposure.seconds) if exposure else found


def _decide(times: Times, exposure: Statement | None, frames: int) -> FrameTime:
    """Return the time from frame to frame, without the exposure, which is None if not usable."""
    if frames < 2:
        known = [*([exposure] if exposure else []), *times.intervals]
        first = next((one for one in known if one.usable), None)
        return FrameTime(first.seconds, first.where) if first else FrameTime(None)
    planned = [one for one in times.intervals if one.planned and one.usable]
    measured = measure(
        times.stamps_s,
        times.where,
        exposure_s=exposure.seconds if exposure else None,
        planned_s=planned[0].seconds if planned else None,
    )
    candidates = [Statement(times.where, measured.seconds)]
    candidates += [one for one in times.intervals if not one.planned]
    chosen = next((one for one in candidates if one.usable), None)
    refused = (measured.refused,) if measured.refused else ()
    if refused and not chosen and measured.empty and _confirmed(planned, exposure):
        return _within_limits(
            planned[0], (*refused, f"{_gives(planned[0])}, a planned value, used that")
        )
    if refused and not (chosen and (measured.imprecise or measured.empty)):
        return _unknown(measured.refused, measured.notes)
    if chosen is None:
        return _without_measurement(planned, exposure, measured.notes)
    notes = (
        measured.notes
        + refused
        + tuple(
            f"{_gives(other)}; {_gives(chosen)}, used that"
            for other in times.intervals
            if other is not chosen and other.seconds is not None and _differ(other, chosen)
        )
    )
    if exposure is not None and _differ(exposure, chosen):
        notes += (_dead_time(exposure, chosen),)
    return _within_limits(chosen, notes)


def frame_time_of_parts(
    parts: Sequence[Times], frames: Sequence[int], names: Sequence[str]
) -> FrameTime:
    """Decide the time from frame to frame of a movie in several files.

    Parameters
    ----------
    parts : sequence of Times
        One a file; where each file is a single frame, their stamps are one series.
    frames : sequence of int
        Frames of each file.
    names : sequence of str
        Of the files, for notes.

    Returns
    -------
    FrameTime
        That of the first file with more than a frame; files that differ from it are reported.
    """
    if max(frames) < 2 or len(parts) == 1:
        stamps = [part.stamps_s if part.stamps_s.size else np.array([np.nan]) for part in parts]
        series = parts[0].stamps_s if len(parts) == 1 else np.concatenate(stamps)
        return frame_time(replace(parts[0], stamps_s=series), sum(frames))
    found = [
        (name, frame_time(part, n))
        for part, n, name in zip(parts, frames, names, strict=True)
        if n > 1
    ]
    (name, first), *others = found
    notes = list(first.notes)
    for other, one in others:
        notes += [f"{other}: {note}" for note in one.notes if note not in first.notes]
        if one.seconds and first.seconds and abs(one.seconds / first.seconds - 1) > _TOLERANCE:
            notes.append(
                f"frame times differ: {first.seconds:.6g} in {name}, {one.seconds:.6g} in {other}; "
                "used the first"
            )
    return first._replace(notes=tuple(notes))


def seconds(value: float, unit: str | None) -> float | None:
    """Convert a time; None where the unit is not one of time (no unit means seconds)."""
    factor = _SECONDS.get(plain_unit(unit) or "s")
    return None if factor is None else value * factor


def plain_unit(unit: str | None) -> str:
    """One spelling of a unit: both micro signs, and ImageJ's escaped one, become u."""
    text = (unit or "").strip().lower().replace("\\u00b5", "u").replace("\\u03bc", "u")
    return text.replace("µ", "u").replace("μ", "u")


def _without_measurement(
    planned: Sequence[Statement], exposure: Statement | None, notes: tuple[str, ...]
) -> FrameTime:
    """Decide where no stamps are and nothing was measured."""
    if planned:
        plan = planned[0]
        other = next((one for one in planned if _differ(one, plan)), None)
        if other is not None:
            reason = f"{_gives(plan)} and {_gives(other)}, and no time stamps decide"
            return _unknown(reason, notes)
        note = f"no time stamps; {_gives(plan)}, a planned value, used that"
        if exposure is None or not _differ(plan, exposure):
            return _within_limits(plan, (*notes, note))
        ratio = (plan.seconds or 0.0) / (exposure.seconds or 1.0)
        if ratio > _MOST_EXPOSURES:
            reason = (
                f"{_gives(plan)}, {_gives(exposure)}, and no time stamps show whether the camera "
                "waited between frames"
            )
            return _unknown(reason, notes)
        if ratio > 1:
            return _within_limits(plan, (*notes, _dead_time(exposure, plan), note))
        note = (
            f"no time stamps; {_gives(plan)}, less than the exposure; {_gives(exposure)}, used that"
        )
        return _within_limits(exposure, (*notes, note))
    if exposure is None:
        return FrameTime(None, "", notes)
    note = f"no interval between frames is given; {_gives(exposure)}, used that"
    return _within_limits(exposure, (*notes, note))


def _confirmed(planned: Sequence[Statement], exposure: Statement | None) -> bool:
    """Whether a planned interval agrees with all else that a file holds, and there is something."""
    others = [*planned[1:], *([exposure] if exposure else [])]
    return bool(planned and others) and not any(_differ(one, planned[0]) for one in others)


def _within_limits(chosen: Statement, notes: tuple[str, ...]) -> FrameTime:
    value = chosen.seconds or 0.0
    if SHORTEST_S <= value <= LONGEST_S:
        return FrameTime(value, chosen.where, notes)
    reason = (
        f"{chosen.where} would be {spoken(value)} a frame, outside of {spoken(SHORTEST_S)} to "
        f"{spoken(LONGEST_S)}: its unit may be another one"
    )
    return _unknown(reason, notes)


def _unknown(reason: str, notes: tuple[str, ...]) -> FrameTime:
    return FrameTime(None, reason, (*notes, f"{reason}; the time per frame is not known from it"))


def _gives(one: Statement) -> str:
    return f"{one.where} gives {spoken(one.seconds)}"


def _dead_time(exposure: Statement, chosen: Statement) -> str:
    return (
        f"{_gives(exposure)} but frames follow each other every {spoken(chosen.seconds)}: "
        "durations count the latter"
    )


def _differ(one: Statement, other: Statement) -> bool:
    return not np.isclose(one.seconds or 0.0, other.seconds or 0.0, rtol=_TOLERANCE, atol=0.0)
