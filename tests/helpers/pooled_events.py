"""Tables of events as the workflow writes them for one field, epoch and state."""

import numpy as np
import pandas as pd

from tests.helpers.dwell_times import WINDOW

EXPOSURE_S = 0.02


def table_of(durations, *, cut=(), field="f1", temperature_c=100, **columns):
    """Counts of each duration, as the workflow writes them for one field, epoch and state."""
    frames = np.union1d(durations, cut).astype(int)
    return pd.DataFrame(
        {
            "field": field,
            "temperature_c": temperature_c,
            "epoch": "pre",
            "state": "on",
            "subset": 0,
            "duration_frames": frames,
            "n_events": [int(np.sum(np.asarray(durations) == f)) for f in frames],
            "n_cut_by_end": [int(np.sum(np.asarray(cut) == f)) for f in frames],
            "exposure_s": EXPOSURE_S,
            "window_frames": WINDOW,
        }
        | columns
    )
