"""Traces as datasets: counts with units, exposure and positions.

In: the counts of one epoch. Out: a dataset of that epoch, and both epochs in one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr


def epoch_dataset(
    intensity: NDArray[np.float32], table: pd.DataFrame, *, epoch: str, exposure_s: float
) -> xr.Dataset:
    """Counts of one epoch with what is needed to read them.

    Parameters
    ----------
    intensity : (n, frames) float32
        Background-subtracted counts.
    table : pandas.DataFrame
        n rows: nc_id and the positions x, y of this epoch.
    epoch : str
        'pre' or 'post'.
    exposure_s : float
        Frame interval.
    """
    import xarray as xr

    pixel = {"units": "px", "long_name": "position at the first frame; 0 is a pixel's centre"}
    return xr.Dataset(
        {
            f"intensity_{epoch}": (
                ("nanocrystal", "frame"),
                intensity,
                {
                    "units": "counts",
                    "long_name": "counts above background in the aperture, per frame",
                    "exposure_s": exposure_s,
                },
            ),
            f"x_{epoch}": ("nanocrystal", table[f"x_{epoch}"].to_numpy(float), pixel),
            f"y_{epoch}": ("nanocrystal", table[f"y_{epoch}"].to_numpy(float), pixel),
        },
        coords={"nanocrystal": ("nanocrystal", table["nc_id"].to_numpy(np.int64))},
        attrs={"exposure_s": exposure_s},
    )


def join_epochs(pre: xr.Dataset, post: xr.Dataset, field: str) -> xr.Dataset:
    """Both epochs of a field in one dataset; the nanocrystals are the same in both."""
    import xarray as xr

    joined = xr.merge([pre, post], join="exact", combine_attrs="drop_conflicts")
    return joined.assign_attrs(field=field)
