"""List on and off events: how long each nanocrystal stayed in a state, and when.

`count_durations` counts how often each duration occurred; fields are pooled from these counts.

Conventions: an event is a maximal run of frames in one state. `start_frame` is the first frame
of the run (0-based), `duration_frames` the number of frames in it, at least 1, so the run ends
before frame start_frame + duration_frames. The window cuts the first and the last run of every
trace: `censored_start` marks the run that contains the first frame, `censored_end` the one that
contains the last; how long these lasted outside the window is unknown. A trace that never
changes state is one event, censored at both ends.

Input: boolean states (nanocrystal, frame). Output: one row an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import BoolArray, IntArray, row_runs
from blinkpair.errors import InputError

COLUMNS = (
    "nanocrystal",
    "state",
    "start_frame",
    "duration_frames",
    "censored_start",
    "censored_end",
)
# Of the nanocrystals of a field; ten give a standard error to 24 % of it, 1 / sqrt(2 (n - 1)).
N_SUBSETS = 10


def run_lengths(states: ArrayLike) -> pd.DataFrame:
    """List the on and off events of every trace.

    Parameters
    ----------
    states : (n, frames) bool array
        True where on. One trace may be given as (frames,).

    Returns
    -------
    DataFrame
        `nanocrystal` (row of `states`), `state` (True: on), `start_frame`, `duration_frames`,
        `censored_start`, `censored_end`, in order of nanocrystal, then time. The durations of
        one nanocrystal add up to the number of frames.

    Raises
    ------
    InputError
        If the states are not boolean or not one or two dimensional.
    """
    on = np.asarray(states)
    if on.dtype != np.bool_ or on.ndim not in (1, 2):
        raise InputError(
            f"states is a {on.ndim}-dimensional array of {on.dtype}",
            "pass booleans of shape (nanocrystals, frames), as `states.assign_states` returns them",
        )
    frames = on.shape[-1]
    nanocrystal, start, duration, state = row_runs(on)
    columns = (nanocrystal, state, start, duration, start == 0, start + duration == frames)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def cut_on_events(states: BoolArray, other: BoolArray) -> IntArray:
    """Return how often on events of each trace are cut where other states of it remain on.

    A frame that noise takes below a fixed threshold cuts an on event in two.

    Parameters
    ----------
    states, other : (n, frames) bool arrays
        True where on.

    Returns
    -------
    (n,) int array
        Off events between two on events of `states` with all their frames on in `other`.
    """
    trace, start, duration, state = row_runs(states)
    end = start + duration
    off = ~state & (start > 0) & (end < states.shape[1])
    on_until = np.pad(np.cumsum(other, axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    lasts = on_until[trace, end] - on_until[trace, start] == duration
    return np.bincount(trace[off & lasts], minlength=len(states))


def as_arrays(events: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Return the columns of a table as arrays: quicker where each nanocrystal is looked up."""
    return {str(name): column.to_numpy() for name, column in events.items()}


def events_to_fit(
    events: pd.DataFrame | Mapping[str, NDArray[Any]],
    nanocrystal: int,
    *,
    state: bool = True,
    with_first: bool = False,
) -> tuple[IntArray, BoolArray]:
    """Select the events of one nanocrystal that a dwell-time fit can use.

    The event cut at the start is left out: the age at which it entered the window is unknown.
    The one cut at the end began inside and is kept, flagged. `with_first` keeps the first one, too,
    flagged: it lasted at least so long.

    Parameters
    ----------
    events : DataFrame, or mapping of arrays
        As `run_lengths` returns it, or `as_arrays` of that.
    nanocrystal : int
        Which one.
    state : bool
        True for on events, False for off events.
    with_first : bool

    Returns
    -------
    durations_frames, censored : (m,) arrays
        What `dwell_fits.fit_dwell_times` takes.
    """
    # The table is in order of nanocrystal, so its events are one slice.
    low, high = np.searchsorted(np.asarray(events["nanocrystal"]), [nanocrystal, nanocrystal + 1])
    is_on, durations, first, cut = (
        np.asarray(events[name])[low:high]
        for name in ("state", "duration_frames", "censored_start", "censored_end")
    )
    keep = is_on == state
    if not with_first:
        keep &= ~first
    return durations[keep].astype(np.int64), (cut | first)[keep]


def count_durations(events: pd.DataFrame, nanocrystals: ArrayLike) -> pd.DataFrame:
    """Count how often each duration occurred in some nanocrystals, in ten subsets of them.

    Nanocrystals differ, so that the errors of what is fitted to the events of many come from the
    scatter between subsets of nanocrystals, not from the number of events.

    Parameters
    ----------
    events : DataFrame
        As `run_lengths` returns it.
    nanocrystals : (m,) int array
        Which ones.

    Returns
    -------
    DataFrame
        `state` ('on' or 'off'), `subset` (0 to 9: the last digit of the nanocrystal's number),
        `duration_frames`, `n_events` (complete), `n_cut_by_end`. Events cut by the start of the
        trace are left out, as in `events_to_fit`.
    """
    kept = events[events["nanocrystal"].isin(np.asarray(nanocrystals)) & ~events["censored_start"]]
    cut = kept["censored_end"].to_numpy(bool)
    table = pd.DataFrame(
        {
            "state": np.where(kept["state"], "on", "off"),
            "subset": kept["nanocrystal"].to_numpy() % N_SUBSETS,
            "duration_frames": kept["duration_frames"].to_numpy(),
            "n_events": (~cut).astype(np.int64),
            "n_cut_by_end": cut.astype(np.int64),
        }
    )
    return table.groupby(["state", "subset", "duration_frames"], as_index=False).sum()
