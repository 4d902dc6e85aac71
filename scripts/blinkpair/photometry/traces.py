"""Make datasets of traces: counts with units, exposure and positions.

Input: the counts of one epoch. Output: a dataset of that epoch, and both epochs in one with the
states.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.epochs import EPOCHS
from blinkpair.labels import POPULATION_NAMES

if TYPE_CHECKING:
    import xarray as xr


POPULATIONS = tuple(POPULATION_NAMES)


def epoch_dataset(
    intensity: NDArray[np.float32],
    table: pd.DataFrame,
    *,
    epoch: str,
    exposure_s: float,
    empty: NDArray[np.float32] | None = None,
    light: FloatArray | None = None,
) -> xr.Dataset:
    """Return the counts of one epoch as a dataset with units, exposure and positions.

    Parameters
    ----------
    intensity : (n, frames) float32
        Background-subtracted counts; NaN in frames that do not show the sample.
    table : pandas.DataFrame
        n rows: nc_id and the positions x, y of this epoch.
    epoch : str
        'pre' or 'post'.
    exposure_s : float
        Frame interval.
    empty : (n, m) float32, optional
        Counts at the empty place beside each nanocrystal, from `counts.measure`.
    light : (frames,) float, optional
        From `apertures.light_course`; default: the focus holds.
    """
    import xarray as xr

    light = np.ones(intensity.shape[1]) if light is None else light

    pixel = {"units": "px", "long_name": "position at the first frame; 0 is a pixel's centre"}
    counts = {"units": "counts"}
    dataset = xr.Dataset(
        {
            f"intensity_{epoch}": (
                ("nanocrystal", "frame"),
                intensity,
                counts
                | {
                    "long_name": "counts above background in the aperture, per frame",
                    "exposure_s": exposure_s,
                },
            ),
            f"light_{epoch}": (
                "frame",
                light.astype(np.float32),
                {
                    "units": "1",
                    "long_name": "share of the light in the aperture, relative to its mean",
                },
            ),
            f"x_{epoch}": ("nanocrystal", table[f"x_{epoch}"].to_numpy(float), pixel),
            f"y_{epoch}": ("nanocrystal", table[f"y_{epoch}"].to_numpy(float), pixel),
        },
        coords={
            "nanocrystal": ("nanocrystal", table["nc_id"].to_numpy(np.int64)),
            **_frame_coordinates(intensity.shape[1], exposure_s),
        },
        attrs={"exposure_s": exposure_s},
    )
    if empty is None:
        return dataset
    name = "counts at an empty place beside the nanocrystal, in some of the frames"
    return dataset.assign_coords(sample=np.arange(empty.shape[1], dtype=np.int32)).assign(
        {f"empty_{epoch}": (("nanocrystal", "sample"), empty, counts | {"long_name": name})}
    )


def _frame_coordinates(frames: int, exposure_s: float) -> dict[str, Any]:
    """Return the numbers and the times of frames. A dimension without them is a dummy in HDF5."""
    number = np.arange(frames, dtype=np.int32)
    time = {"units": "s", "long_name": "start of the frame"}
    return {"frame": ("frame", number), "time": ("frame", number * exposure_s, time)}


def join_epochs(
    pre: xr.Dataset,
    post: xr.Dataset,
    states: Mapping[str, BoolArray],
    field: str,
    table: pd.DataFrame | None = None,
) -> xr.Dataset:
    """Return both epochs of a field in one dataset; the nanocrystals are the same in both.

    Parameters
    ----------
    pre, post : xarray.Dataset
        From `epoch_dataset`.
    states : mapping of (n, frames) bool
        True where on, of 'pre' and 'post'; stored as `on_pre` and `on_post`, 0 or 1.
    field : str
        Its name.
    table : pandas.DataFrame, optional
        A row a nanocrystal, of these and others: `nc_id`, `population`, and `threshold_counts_` of
        both epochs, which the dataset then has too.

    Notes
    -----
    Movies may differ by a few frames. The shorter one is filled up with NaN counts and -1 for the
    state.
    """
    import xarray as xr

    longest = max(pre.sizes["frame"], post.sizes["frame"])
    epochs = []
    for epoch, dataset in (("pre", pre), ("post", post)):
        on = xr.DataArray(
            states[epoch].astype(np.int8),
            dims=("nanocrystal", "frame"),
            attrs={"long_name": "1 on, 0 off, -1 no such frame", "units": "1"},
        )
        both = dataset.drop_vars(["frame", "time"]).assign({f"on_{epoch}": on})
        both = both.drop_vars([f"empty_{epoch}", "sample"], errors="ignore")
        missing = longest - both.sizes["frame"]
        if missing:
            fill = {f"intensity_{epoch}": np.nan, f"on_{epoch}": -1, f"light_{epoch}": np.nan}
            both = both.pad({"frame": (0, missing)}, constant_values=fill, keep_attrs=True)
        both[f"on_{epoch}"].encoding = {"zlib": True, "complevel": 1, "shuffle": False}
        epochs.append(both)
    joined = xr.merge(epochs, join="exact", combine_attrs="drop_conflicts")
    frames = _frame_coordinates(longest, pre.attrs["exposure_s"])
    joined = joined.assign_coords(frames).assign_attrs(field=field)
    numbers = joined["nanocrystal"].to_numpy()
    names = np.array([f"{field}, {number}" for number in numbers], dtype=object)
    joined["name"] = ("nanocrystal", names)
    return joined if table is None else joined.assign(_verdicts(table.set_index("nc_id"), numbers))


def _verdicts(table: pd.DataFrame, numbers: NDArray[np.int64]) -> dict[str, Any]:
    """Return population and thresholds as variables; a number with flags opens everywhere."""
    own = table.loc[numbers]
    place = pd.Index(POPULATIONS).get_indexer(pd.Index(own["population"])).astype(np.int8)
    meaning = {
        "long_name": "population, -1 where not analysed",
        "flag_values": np.arange(len(POPULATIONS), dtype=np.int8),
        "flag_meanings": " ".join(POPULATIONS),
    }
    counts = {"units": "counts", "long_name": "counts above background that part on from off"}
    thresholds = {
        name: own[name].to_numpy(float) for name in map("threshold_counts_{}".format, EPOCHS)
    }
    return {
        "population": ("nanocrystal", place, meaning),
        **{name: ("nanocrystal", values, counts) for name, values in thresholds.items()},
    }
