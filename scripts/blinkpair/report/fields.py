"""All that the page shows of one field.

Input: the files of a field: traces, images, positions, registration, drift, integrated PL. Output:
one dict that JSON can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.epochs import EPOCHS
from blinkpair.figures.overlay import map_back, no_image, residuals
from blinkpair.labels import temperature_label
from blinkpair.report.cutouts import cutouts_content
from blinkpair.report.field_images import field_images
from blinkpair.report.language import known
from blinkpair.report.rounding import decimals, significant
from blinkpair.report.traces import dwell_counts, pack_runs, thin_traces
from blinkpair.treatments import treatment_in

MATCHED, BEFORE_ONLY, AFTER_ONLY = 0, 1, 2


def read_field(
    name: str, row: Mapping[str, Any], files: Mapping[str, str], bins: int
) -> dict[str, Any]:
    """Read the files of a field and prepare them for the page.

    Parameters
    ----------
    name : str
        Of the field.
    row : mapping
        Its row of the sample sheet: `temperature_c` and, if there, `treatment`, `sample`,
        `pixel_size_um`; and, from `fields.csv`, `reason`: why it was refused, or what to check.
    files : mapping of str to path
        `traces`, `registration`, `integrated_pl`, and with `_pre` and `_post` each
        `brightfield` (as in the sheet), `images`, `microspheres`, `nanocrystals`, `drift`.
    bins : int
        Largest number of bins of a trace, from `traces.bins_for`.

    Returns
    -------
    dict
        See the keys below. Positions are px, of PL unless they are microspheres'; what is not
        finite is None.
    """
    import xarray as xr

    from blinkpair.files import read_csv, read_json
    from blinkpair.nanocrystals import catalogues

    tables = {
        what: {epoch: read_csv(files[f"{what}_{epoch}"]) for epoch in EPOCHS}
        for what in ("microspheres", "nanocrystals", "drift")
    }
    microspheres, nanocrystals = (
        {epoch: catalogues.positions(table) for epoch, table in tables[what].items()}
        for what in ("microspheres", "nanocrystals")
    )
    bursts = {epoch: _burst(files[f"images_{epoch}"]) for epoch in EPOCHS}
    traces = xr.load_dataset(files["traces"], engine="h5netcdf")
    registration = read_json(files["registration"])
    light = read_csv(files["integrated_pl"])
    exposure_s = float(traces.attrs["exposure_s"])
    on = {epoch: traces[f"on_{epoch}"].to_numpy() for epoch in EPOCHS}
    frames = {epoch: _frames(on[epoch], bursts[epoch][1]) for epoch in EPOCHS}
    intensity = {e: traces[f"intensity_{e}"].to_numpy()[:, : frames[e]] for e in EPOCHS}
    xy = {e: np.stack([traces[f"{axis}_{e}"].to_numpy() for axis in "xy"], axis=1) for e in EPOCHS}
    pl_pre, pl_post = (bursts[epoch][0] for epoch in EPOCHS)
    to_post, to_post_bf = _matrices(registration)
    pairs, pairs_bf = (registration.get(f"{w}_pairs") for w in ("nanocrystal", "microsphere"))
    return {
        "name": name,
        "temperature_c": str(temperature_label(treatment_in(row))),
        "sample": str(row.get("sample") or ""),
        "status": registration["status"],
        "reason": str(row.get("reason") or ""),
        "evidence": registration.get("evidence") or "",
        "rotation_deg": _rounded(registration.get("rotation_deg"), 3),
        "scale": _rounded(registration.get("scale"), 5),
        "exposure_s": exposure_s,
        "pixel_size_um": _rounded(row.get("pixel_size_um"), 6),
        "frames": frames,
        "nc_ids": traces["nanocrystal"].to_numpy().tolist(),
        "traces": thin_traces(intensity, bins),
        "runs": {epoch: pack_runs(states) for epoch, states in on.items()},
        "dwell": dwell_counts(on),
        "cutouts": cutouts_content(
            no_image() if pl_pre is None else pl_pre,
            xy["pre"],
            no_image() if pl_post is None else pl_post,
            xy["post"],
        ),
        "images": field_images(
            _read_image(files["brightfield_pre"]),
            _read_image(files["brightfield_post"]),
            pl_pre,
            pl_post,
            matrix_brightfield=to_post_bf,
            matrix=to_post,
        ),
        "matrix": registration.get("matrix"),
        "microspheres": _marks(microspheres, pairs_bf, to_post_bf),
        "residuals": {
            "microspheres": _arrows(microspheres, pairs_bf, to_post_bf),
            "nanocrystals": _arrows(nanocrystals, pairs, to_post),
        },
        "drift": {epoch: _drift(tables["drift"][epoch], exposure_s) for epoch in EPOCHS},
        "integrated_pl": {epoch: _light(light, epoch) for epoch in EPOCHS},
    }


def _burst(images: str) -> tuple[NDArray[np.float32] | None, int]:
    """Return the brightest burst at each pixel of a movie, and its frames; None and 0 without."""
    import xarray as xr

    with xr.open_dataset(images, engine="h5netcdf") as stored:
        if stored["burst"].size <= 1:  # one pixel stands for a movie that could not be used
            return None, 0
        return stored["burst"].to_numpy(), int(stored.sizes["frame"])


def _read_image(path: str) -> FloatArray | None:
    from blinkpair.errors import InputError
    from blinkpair.movie import reader

    try:
        return reader.read_image(path)[0]
    except InputError:
        return None


def _frames(on: NDArray[np.int8], movie_frames: int) -> int:
    """Return the number of frames of the epoch; the shorter movie is filled up with -1."""
    if not on.size:
        return movie_frames
    there = np.flatnonzero((on >= 0).any(axis=0))
    return int(there[-1]) + 1 if there.size else 0


def _matrices(registration: Mapping[str, Any]) -> tuple[FloatArray | None, FloatArray | None]:
    """Return those of PL and of brightfield; where one is missing the other takes its place."""
    pl, brightfield = registration.get("matrix"), registration.get("matrix_brightfield")
    if registration["status"] != "ok":
        return None, None
    pl, brightfield = (m if m is not None else n for m, n in ((pl, brightfield), (brightfield, pl)))
    if pl is None:
        return None, None
    return np.asarray(pl, dtype=float), np.asarray(brightfield, dtype=float)


def _pairs(pairs: ArrayLike | None) -> NDArray[np.intp]:
    return np.asarray([] if pairs is None else pairs).astype(np.intp).reshape(-1, 2)


def _marks(
    found: Mapping[str, FloatArray], pairs: ArrayLike | None, to_post: FloatArray | None
) -> list[list[Any]]:
    """List [x, y, which]; those after are brought back where the field is registered."""
    both = _pairs(pairs if to_post is not None else None)
    pre, post = found["pre"], found["post"]
    back = post if to_post is None else map_back(post, to_post)
    groups = (
        (MATCHED, pre[both[:, 0]]),
        (BEFORE_ONLY, np.delete(pre, both[:, 0], axis=0)),
        (AFTER_ONLY, np.delete(back, both[:, 1], axis=0)),
    )
    return [[*xy, which] for which, places in groups for xy in decimals(places, 2)]


def _arrows(
    found: Mapping[str, FloatArray], pairs: ArrayLike | None, to_post: FloatArray | None
) -> list[list[Any]]:
    """List [x, y, dx, dy] of the matched: where before, and by how much after lies off it."""
    if to_post is None:
        return []
    before, off = residuals(found["pre"], found["post"], _pairs(pairs), to_post)
    return [[*xy, *arrow] for xy, arrow in zip(decimals(before, 2), decimals(off, 3), strict=True)]


def _drift(table: pd.DataFrame, exposure_s: float) -> dict[str, list[Any]]:
    return {
        "time_s": significant((table["frame"].to_numpy(float) + 0.5) * exposure_s, 5),
        "x_px": decimals(table["x_px"], 3),
        "y_px": decimals(table["y_px"], 3),
        "measured": table["measured"].to_numpy(bool).tolist(),
    }


def _light(light: pd.DataFrame, epoch: str) -> dict[str, list[Any]]:
    own = light[light["epoch"] == epoch]
    return {
        "time_s": significant(own["time_s"], 5),
        "counts": significant(own["integrated_pl"], 4),
    }


def _rounded(value: Any, places: int) -> float | None:
    return round(float(value), places) if known(value) else None
