"""The curves of all measurements: data, fits, residuals, matrices.

Input: fitted measurements. Output: the content of `decay_curves.nc`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.tables import Measured, bleach_choices


def curves(groups: Sequence[Sequence[Measured]]) -> Any:
    """Return the curves as a Dataset.

    Returns
    -------
    xarray.Dataset
        For each measurement NAME: `NAME_time_ns`, `NAME_data`, `NAME_fit`, `NAME_residual` (in
        standard deviations; NaN outside of the fit); bleaches have `NAME_map` over
        `NAME_map_time_ns` and `NAME_probe_ev`. Attributes of the data: technique, temperature.
    """
    import xarray as xr

    out: dict[str, Any] = {}
    for one in (one for group in groups for one in group):
        name = one.row["measurement"]
        time, data, used, response = _drawn(one)
        fitted, residual = np.full(data.size, np.nan), np.full(data.size, np.nan)
        fitted[used], residual[used] = one.fit.fitted, one.fit.residuals
        if one.trace is not None:
            fitted *= one.trace.sign()
        about = {
            "technique": one.row["technique"],
            "temperature_c": str(one.row["temperature_c"]),
            "sample": one.row["sample"],
        }
        dim = f"{name}_point"
        out[f"{name}_time_ns"] = (dim, time, {"units": "ns"})
        out[f"{name}_data"] = (dim, data, about)
        out[f"{name}_fit"] = (dim, fitted)
        out[f"{name}_residual"] = (dim, residual)
        if response is not None:
            out[f"{name}_response"] = (dim, response)
        if one.matrix is not None and one.trace is not None:
            dims = (f"{name}_delay", f"{name}_probe")
            out[f"{name}_map_time_ns"] = (dims[0], 1e-3 * one.matrix.delay_ps, {"units": "ns"})
            out[f"{name}_probe_ev"] = (dims[1], one.matrix.probe_ev, {"units": "eV"})
            out[f"{name}_map"] = (dims, one.matrix.change)
    return xr.Dataset(out)


def _drawn(one: Measured) -> tuple[FloatArray, FloatArray, Any, FloatArray | None]:
    """Return times in ns, values, which of them were fitted, and the response at its place."""
    if one.trace is not None:
        used = one.trace.delay_ps >= bleach_choices(one.row)[0]
        return 1e-3 * one.trace.delay_ps, one.trace.value, used, None
    assert one.prepared is not None
    counts = one.prepared.decay.counts
    time = np.asarray(one.prepared.decay.bin_ns * (np.arange(counts.size) + 0.5), dtype=np.float64)
    response = None
    if one.prepared.response is not None:
        response = np.zeros(counts.size)
        n = min(counts.size, one.prepared.response.size)
        response[:n] = one.prepared.response[:n]
    return time, counts, slice(*one.prepared.window), response
