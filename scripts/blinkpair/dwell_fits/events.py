"""Count the events of a trace, or of many traces together, by duration.

A law of dwell times needs only these counts, and a thousand million events of ten thousand fields
have some thousand durations.

Input: durations in whole frames. Output: how often each occurred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError


@dataclass(frozen=True)
class Events:
    """How often each duration occurred: all that the likelihood of either law needs of events.

    Attributes
    ----------
    frames : (m,) int array
        Durations that occurred, whole frames, ascending, each once.
    complete, cut : (m,) int arrays
        Complete events of each, and those that the end of the trace cut there.
    """

    frames: IntArray
    complete: IntArray
    cut: IntArray

    def from_frames(self, first: int) -> Events:
        """Return the events of at least `first` frames."""
        keep = self.frames >= first
        return Events(self.frames[keep], self.complete[keep], self.cut[keep])

    @property
    def n_complete(self) -> int:
        """Complete events."""
        return int(self.complete.sum())

    @property
    def n_cut(self) -> int:
        """Events cut by the end of a trace."""
        return int(self.cut.sum())

    @property
    def durations(self) -> IntArray:
        """Durations of complete events, each once."""
        return self.frames[self.complete > 0]


def count_events(
    durations_frames: ArrayLike, censored: ArrayLike | None, window_frames: int
) -> Events:
    """Return single events, checked and counted by duration.

    Parameters
    ----------
    durations_frames : (n,) array
        Durations in whole frames, 1..window_frames.
    censored : (n,) bool array, optional
        True where the end of the trace cut the event; none is without it.
    window_frames : int
        Frames of the trace.

    Raises
    ------
    InputError
        If a value is no such duration.
    """
    raw = np.asarray(durations_frames)
    if raw.size == 0:
        raw = raw.astype(np.int64)
    if raw.ndim != 1:
        raise InputError(
            f"durations_frames has {raw.ndim} dimensions",
            "pass the durations of one nanocrystal as a flat array",
        )
    if window_frames < 1:
        raise InputError(f"window_frames is {window_frames}", "pass the frames of the trace")
    bad = ~np.isfinite(raw) | (raw != np.rint(raw)) | (raw < 1) | (raw > window_frames)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"durations_frames[{at}] is {raw[at]}: not a whole number of frames from 1 to "
            f"window_frames = {window_frames}",
            "divide seconds by the exposure and round, and pass the length of the whole trace "
            "as window_frames",
        )
    cut = np.zeros(len(raw), dtype=bool)
    if censored is not None:
        cut = np.asarray(censored, dtype=bool)
        if cut.shape != raw.shape:
            raise InputError(
                f"censored has shape {cut.shape}, durations_frames {raw.shape}", "one flag an event"
            )
    frames, place = np.unique(raw.astype(np.int64), return_inverse=True)
    complete, n_cut = (np.bincount(place[chosen], minlength=frames.size) for chosen in (~cut, cut))
    return Events(frames, complete.astype(np.int64), n_cut.astype(np.int64))


def merge_events(parts: Sequence[Events]) -> Events:
    """Return the events of several sets together."""
    frames = reduce(np.union1d, [own.frames for own in parts])
    counts = np.zeros((2, frames.size), np.int64)
    for own in parts:
        counts[:, np.searchsorted(frames, own.frames)] += own.complete, own.cut
    return Events(frames, *counts)
