"""A movie's catalogue as tables: what `find_nanocrystals` writes and later steps read.

Input: a `Catalogue` (or None where the movie could not be used). Output: tables and datasets with
the same columns in both cases, and back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.nanocrystals.drift import Drift

if TYPE_CHECKING:
    import xarray as xr

    from blinkpair.nanocrystals.finding import Catalogue
    from blinkpair.nanocrystals.projections import Projections

# Means of a frame are alike by chance, most easily those of few photons; those of so many are not.
STRETCH_FRAMES, N_STRETCHES = 20, 16
COLUMNS = ("x", "y", "error_px", "significance", "counts", "wide")


def nanocrystals_table(catalogue: Catalogue | None) -> pd.DataFrame:
    """Return the nanocrystals detected in the movie, one a row."""
    if catalogue is None:
        return pd.DataFrame({name: np.empty(0) for name in COLUMNS})
    return catalogue.table[list(COLUMNS)]


def drift_table(catalogue: Catalogue | None) -> pd.DataFrame:
    """Return the displacement of the sample and the width of the PSF in each stretch of the movie.

    The width, `psf_sigma_px`, is empty where it is not known.
    """
    if catalogue is None:
        empty = {"frame": [0.0], "x_px": [0.0], "y_px": [0.0], "measured": [False]}
        return pd.DataFrame(empty | {"psf_sigma_px": [np.nan]})
    drift = catalogue.drift
    return pd.DataFrame(
        {
            "frame": drift.centre_frame,
            "x_px": drift.xy[:, 0],
            "y_px": drift.xy[:, 1],
            "measured": drift.measured,
            "psf_sigma_px": np.nan if catalogue.focus_px is None else catalogue.focus_px,
        }
    )


def read_drift(table: pd.DataFrame) -> Drift:
    """Rebuild the drift from `drift_table`."""
    return Drift(
        table["frame"].to_numpy(float),
        table[["x_px", "y_px"]].to_numpy(float),
        table["measured"].to_numpy(bool),
    )


def read_focus(table: pd.DataFrame, frames: int) -> FloatArray:
    """Return the width of the PSF in each frame from `drift_table`, (frames,); NaN if unknown."""
    sigma = table["psf_sigma_px"].to_numpy(float)
    return np.interp(np.arange(frames, dtype=float), table["frame"].to_numpy(float), sigma)


def images_dataset(catalogue: Catalogue | None, projections: Projections | None) -> xr.Dataset:
    """Return the movie's mean and brightest bursts at the first frame, and each frame's mean."""
    import xarray as xr

    empty = np.zeros((1, 1), np.float32)
    mean, burst = empty, empty
    frame_mean: FloatArray = np.zeros(1)
    odd = np.zeros(1, bool)
    if catalogue is not None and projections is not None:
        mean, burst = catalogue.images.mean, catalogue.images.burst
        frame_mean, odd = projections.frame_mean, projections.odd
    return xr.Dataset(
        {
            "mean": (("y", "x"), mean, {"units": "counts", "long_name": "mean of the movie"}),
            "burst": (
                ("y", "x"),
                burst,
                {"units": "counts", "long_name": "largest mean of 10 successive frames"},
            ),
            "frame_mean": (
                "frame",
                frame_mean.astype(np.float32),
                {"units": "counts per pixel", "long_name": "mean of all pixels of a frame"},
            ),
            "odd": ("frame", odd.astype(np.int8), {"long_name": "1: it does not show the sample"}),
        },
        # A dimension without numbers is a dummy variable in HDF5.
        coords={
            name: np.arange(length, dtype=np.int32)
            for name, length in zip(
                ("y", "x", "frame"), (*mean.shape, frame_mean.size), strict=True
            )
        },
    )


def read_odd_frames(path: str) -> BoolArray:
    """Return which frames do not show the sample, (frames,), from a file of `images_dataset`."""
    import h5py  # a tenth of a small step's time is what xarray takes for this

    with h5py.File(path) as images:
        return np.asarray(images["odd"][...] > 0)


def describe(catalogue: Catalogue, projections: Projections) -> dict[str, Any]:
    """Return the main numbers of a movie."""
    drift = catalogue.drift
    return {
        "n_nanocrystals": len(catalogue.table),
        "psf_sigma_px": catalogue.psf_sigma_px,
        "drift_max_px": float(np.hypot(*drift.xy.T).max()),
        "drift_start_error_px": drift.start_error_px,
        "drift_measured_fraction": float(drift.measured.mean()),
        "n_hot_pixels": len(catalogue.hot_pixels),
        "hot_pixels": catalogue.hot_pixels,
        "saturated_fraction": projections.saturated_fraction,
        "stretch_digests": stretch_digests(projections.frame_mean),
    }


def stretch_digests(frame_mean: FloatArray) -> list[str]:
    """Return digests of stretches of a movie, by which two movies of one recording are recognised.

    Of all stretches of `STRETCH_FRAMES` successive frames, those with the smallest digests are
    taken: mostly the same ones of a recording that was cut or changed in some frames (Broder 1997,
    doi:10.1109/SEQUEN.1997.666900). Digests are of the changes from frame to frame, which an offset
    leaves as they are. The noise of two recordings is never the same.
    """
    changes = np.diff(frame_mean).astype(np.float32) + np.float32(0)  # without negative zeros
    length = min(STRETCH_FRAMES - 1, len(changes))
    stretches = np.lib.stride_tricks.sliding_window_view(changes, length)
    changing = stretches[stretches.any(axis=1)]  # of a shutter that is closed all may be equal
    digests = {hashlib.sha256(one.tobytes()).hexdigest()[:16] for one in changing}
    return sorted(digests)[:N_STRETCHES]


def positions(table: pd.DataFrame) -> FloatArray:
    """Return x and y of a table, (n, 2)."""
    return table[["x", "y"]].to_numpy(float)


def errors_px(pre: pd.DataFrame, post: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return the standard errors of the positions of both epochs."""
    return pre["error_px"].to_numpy(float), post["error_px"].to_numpy(float)


def start_error_px(infos: Iterable[Mapping[str, Any]]) -> float:
    """Return the error per axis of the drifts' zeros, of all the movies together."""
    return float(np.sqrt(sum(info["drift_start_error_px"] ** 2 for info in infos)))
