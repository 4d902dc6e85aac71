"""Which nanocrystals to show as examples, and their traces.

In: the nanocrystal table and the trace files. Out: for each population of the hottest
annealing the nanocrystal closest to the population's median change, and its traces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.populations import COUNTED
from blinkpair.table_labels import CONTROL, temperature_labels


class Examples(NamedTuple):
    """Traces of the chosen nanocrystals; n rows."""

    pre: NDArray[np.float32]
    post: NDArray[np.float32]
    thresholds: NDArray[np.float64]
    exposure_s: float
    labels: list[str]


def choose(nanocrystals: pd.DataFrame, *, each: int = 1) -> pd.DataFrame:
    """Typical nanocrystals of each population, the same ones for the same table.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        All fields.
    each : int
        How many of each population.

    Returns
    -------
    pandas.DataFrame
        Their rows; those closest to the median change of their population, at the temperature
        with the most of them.
    """
    analysed = nanocrystals[nanocrystals["population"].isin(COUNTED)]
    rows = []
    for population in COUNTED:
        group = analysed[analysed["population"] == population]
        if group.empty:
            continue
        labels = pd.Series(temperature_labels(group["temperature_c"]), index=group.index)
        annealed = group[(labels != CONTROL).to_numpy()]
        group = annealed if len(annealed) else group
        most = group["temperature_c"].value_counts().sort_index().idxmax()
        group = group[group["temperature_c"] == most]
        distance = (group["delta_on_fraction"] - group["delta_on_fraction"].median()).abs()
        rows.append(group.loc[distance.sort_values(kind="stable").index[:each]])
    return pd.concat(rows) if rows else analysed.head(0)


def read_traces(chosen: pd.DataFrame, traces: Mapping[str, str]) -> Examples:
    """Read the traces of the chosen nanocrystals, padded with NaN where movies differ in length.

    Parameters
    ----------
    chosen : pandas.DataFrame
        From `choose`.
    traces : mapping of str to path
        Field to its `traces.nc`.
    """
    import xarray as xr

    pre, post, labels = [], [], []
    exposure_s = 1.0
    for row in chosen.itertuples():
        with xr.open_dataset(traces[str(row.field)], engine="h5netcdf") as dataset:
            one = dataset.sel(nanocrystal=row.nc_id)
            pre.append(one["intensity_pre"].to_numpy())
            post.append(one["intensity_post"].to_numpy())
            exposure_s = float(dataset.attrs["exposure_s"])
        name = str(row.population).replace("_", " ")
        labels.append(f"{name}: {row.field}, {row.nc_id}")
    thresholds = chosen[["threshold_counts_pre", "threshold_counts_post"]].to_numpy(float)
    return Examples(_padded(pre), _padded(post), thresholds, exposure_s, labels)


def _padded(traces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    longest = max((len(trace) for trace in traces), default=0)
    padded = np.full((len(traces), longest), np.nan, np.float32)
    for row, trace in zip(padded, traces, strict=True):
        row[: len(trace)] = trace
    return padded
