"""One nanocrystal as tables: its trace, its events and P(t).

Input: counts and states of one nanocrystal. Output: tables for a spreadsheet or a plot.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from blinkpair.blinking.run_lengths import run_lengths
from blinkpair.dwell_fits.histograms import log_binned_density
from blinkpair.epochs import EPOCHS

_NAMES = {True: "on", False: "off"}


def trace_table(
    counts: Mapping[str, ArrayLike], states: Mapping[str, ArrayLike], exposure_s: float
) -> pd.DataFrame:
    """Return one row a frame: frame, time_s, and counts and state of both epochs.

    Parameters
    ----------
    counts : mapping of (frames,) array
        Counts above background, by epoch.
    states : mapping of (frames,) array
        1 on, 0 off, -1 no such frame, by epoch.
    exposure_s : float
        Time per frame.
    """
    frames = np.arange(np.asarray(counts[EPOCHS[0]]).size)
    table = pd.DataFrame({"frame": frames, "time_s": frames * exposure_s})
    for epoch in EPOCHS:
        state = pd.Series(np.asarray(states[epoch], np.int8))
        table[f"counts_{epoch}"] = np.where(state >= 0, counts[epoch], np.nan)
        table[f"on_{epoch}"] = state.astype("Int8").where(state >= 0)
    return table


def event_table(states: Mapping[str, ArrayLike], exposure_s: float) -> pd.DataFrame:
    """Return one row an event: epoch, state, first frame, duration; cut off by the movie or not."""
    parts = []
    for epoch in EPOCHS:
        known = np.asarray(states[epoch])
        events = run_lengths((known[known >= 0] == 1)[None, :])
        parts.append(
            pd.DataFrame(
                {
                    "epoch": epoch,
                    "state": events["state"].map(_NAMES),
                    "first_frame": events["start_frame"],
                    "duration_s": events["duration_frames"] * exposure_s,
                    "duration_frames": events["duration_frames"],
                    "cut_off": events["censored_start"] | events["censored_end"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def density_table(events: pd.DataFrame, exposure_s: float) -> pd.DataFrame:
    """Return P(t) of the complete events of `event_table`, by epoch and state, in log bins."""
    whole = events[~events["cut_off"]]
    parts = []
    for epoch in EPOCHS:
        for state in _NAMES.values():
            rows = whole[(whole["epoch"] == epoch) & (whole["state"] == state)]
            density = log_binned_density(rows["duration_frames"], exposure_s=exposure_s)
            parts.append(density.assign(epoch=epoch, state=state))
    return pd.concat(parts, ignore_index=True)
