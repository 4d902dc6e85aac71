"""Which nanocrystals to show as examples, and their traces.

Input: the nanocrystal table and the trace files. Output: for each population and for each class of
photostability a nanocrystal, and its traces and states.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.on_fractions import COUNTED
from blinkpair.blinking.photostability import CLASSES
from blinkpair.epochs import EPOCHS
from blinkpair.labels import CONTROL, temperature_labels

# What the examples are chosen by, and what is written beside their traces.
COLUMNS = (
    "field",
    "nc_id",
    "temperature_c",
    "population",
    "delta_on_fraction",
    *(
        f"{name}_{epoch}"
        for epoch in EPOCHS
        for name in (
            "photostability",
            "on_fraction",
            "p_on_level",
            "p_off_fraction",
            "threshold_counts",
        )
    ),
)


class Examples(NamedTuple):
    """Traces of the chosen nanocrystals; n rows."""

    pre: NDArray[np.float32]
    post: NDArray[np.float32]
    thresholds: FloatArray
    on_fractions: FloatArray
    exposure_s: FloatArray
    labels: list[str]


class States(NamedTuple):
    """When one nanocrystal was on, of each epoch (frames,) bool."""

    on: dict[str, BoolArray]
    exposure_s: float


def choose(nanocrystals: pd.DataFrame) -> pd.DataFrame:
    """Return a typical nanocrystal of each population, the same for the same table.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        All fields.

    Returns
    -------
    pandas.DataFrame
        Their rows, with a `label`; the one closest to the median change of its population, at the
        temperature with the most of them.
    """
    rows = []
    for population in COUNTED:
        at = np.flatnonzero((nanocrystals["population"] == population).to_numpy(bool))
        if not at.size:
            continue
        warm = nanocrystals["temperature_c"].iloc[at]
        annealed = (temperature_labels(warm) != CONTROL).to_numpy(bool)
        if annealed.any():
            at, warm = at[annealed], warm[annealed]
        most = warm.value_counts().sort_index().idxmax()
        at = at[(warm == most).to_numpy(bool)]
        change = nanocrystals["delta_on_fraction"].iloc[at]
        distance = (change - change.median()).abs().to_numpy(float)
        chosen = nanocrystals.iloc[at[np.argsort(distance, kind="stable")[:1]]]
        rows.append(_labelled(chosen, population.replace("_", " ")))
    return pd.concat(rows) if rows else _labelled(nanocrystals.head(0), "")


def choose_by_photostability(nanocrystals: pd.DataFrame) -> pd.DataFrame:
    """Return a clear nanocrystal of each class of photostability, the same for the same table.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        All fields.

    Returns
    -------
    pandas.DataFrame
        Their rows, with a `label` that names the epoch. Of the stable ones the one closest to
        the median on-fraction; of the others the one with the smallest p value.
    """
    rows = []
    for name in CLASSES:
        places, orders = [], []
        for epoch in EPOCHS:
            at = np.flatnonzero((nanocrystals[f"photostability_{epoch}"] == name).to_numpy(bool))
            if name == "stable":
                fraction = nanocrystals[f"on_fraction_{epoch}"].iloc[at]
                order = (fraction - fraction.median()).abs()
            else:
                p_values = [f"p_on_level_{epoch}", f"p_off_fraction_{epoch}"]
                order = nanocrystals[p_values].iloc[at].min(axis=1)
            places.append(at)
            orders.append(order.to_numpy(float))
        # Those without an order, NaN, come last.
        for row in np.argsort(np.concatenate(orders), kind="stable")[:1]:
            when = "before" if row < places[0].size else "after"
            own = nanocrystals.iloc[[np.concatenate(places)[row]]]
            rows.append(_labelled(own, f"{name.replace('_', ' ')} {when}"))
    return pd.concat(rows) if rows else _labelled(nanocrystals.head(0), "")


def _labelled(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    names = zip(rows["field"], rows["nc_id"], strict=True)
    return rows.assign(label=[f"{what}: {field}, {nc_id}" for field, nc_id in names])


def read_traces(chosen: pd.DataFrame, traces: Mapping[str, str]) -> Examples:
    """Read the traces of the chosen nanocrystals, padded with NaN where movies differ in length.

    Parameters
    ----------
    chosen : pandas.DataFrame
        Nanocrystals with a `label`.
    traces : mapping of str to path
        Field to its `traces.nc`.
    """
    import xarray as xr

    pre, post = [], []
    exposure_s = []
    for row in chosen.itertuples():
        with xr.open_dataset(traces[str(row.field)], engine="h5netcdf") as dataset:
            one = dataset.sel(nanocrystal=row.nc_id)
            pre.append(one["intensity_pre"].to_numpy())
            post.append(one["intensity_post"].to_numpy())
            exposure_s.append(float(dataset.attrs["exposure_s"]))
    thresholds = chosen[["threshold_counts_pre", "threshold_counts_post"]].to_numpy(float)
    fractions = chosen[["on_fraction_pre", "on_fraction_post"]].to_numpy(float)
    labels = list(chosen["label"])
    times = np.array(exposure_s, np.float64)
    return Examples(_padded(pre), _padded(post), thresholds, fractions, times, labels)


def read_states(field: str, nc_id: int, traces: Mapping[str, str]) -> States:
    """Read when one nanocrystal was on.

    Parameters
    ----------
    field, nc_id : str, int
        Which one.
    traces : mapping of str to path
        Field to its `traces.nc`.
    """
    import xarray as xr

    with xr.open_dataset(traces[field], engine="h5netcdf") as dataset:
        one = dataset.sel(nanocrystal=nc_id)
        on = {epoch: one[f"on_{epoch}"].to_numpy() for epoch in EPOCHS}
        exposure_s = float(dataset.attrs["exposure_s"])
    return States({epoch: states[states >= 0] == 1 for epoch, states in on.items()}, exposure_s)


def _padded(traces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    longest = max((len(trace) for trace in traces), default=0)
    padded = np.full((len(traces), longest), np.nan, np.float32)
    for row, trace in zip(padded, traces, strict=True):
        row[: len(trace)] = trace
    return padded
