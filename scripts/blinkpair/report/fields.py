"""All that the page shows of one field.

Input: traces, states, images, positions, the registration, drift and light of a field. Output: one
dict that JSON can hold, small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.epochs import EPOCHS
from blinkpair.figures.overlay import map_back, residuals
from blinkpair.labels import temperature_label
from blinkpair.report.cutouts import cutouts_content
from blinkpair.report.field_images import field_images
from blinkpair.report.language import known
from blinkpair.report.rounding import decimals, significant
from blinkpair.report.traces import dwell_counts, pack_runs, thin_traces

if TYPE_CHECKING:
    import xarray as xr

MATCHED, BEFORE_ONLY, AFTER_ONLY = 0, 1, 2


def field_content(
    name: str,
    row: Mapping[str, Any],
    traces: xr.Dataset,
    registration: Mapping[str, Any],
    *,
    brightfields: Mapping[str, NDArray[Any] | None],
    projections: Mapping[str, NDArray[Any] | None],
    movie_frames: Mapping[str, int],
    microspheres: Mapping[str, FloatArray],
    nanocrystals: Mapping[str, FloatArray],
    drift: Mapping[str, pd.DataFrame],
    light: pd.DataFrame,
    bins: int,
) -> dict[str, Any]:
    """Prepare a field for the page.

    Parameters
    ----------
    name : str
        Of the field.
    row : mapping
        Its row of the sample sheet: `temperature_c` and, if there, `sample`, `pixel_size_um`.
    traces : xarray.Dataset
        Content of `traces.nc`; without nanocrystals where the field was refused.
    registration : mapping
        Content of `registration.json`.
    brightfields : mapping of str to (y, x) array
        Images of 'pre' and 'post'; None where unreadable.
    projections : mapping of str to (y, x) array
        The brightest burst of each movie, at its first frame; None where unreadable.
    movie_frames : mapping of str to int
        Frames of each movie, used where no nanocrystal was measured.
    microspheres, nanocrystals : mapping of str to (n, 2) array
        What was found in each epoch, in px of that epoch.
    drift : mapping of str to DataFrame
        `frame, x_px, y_px, measured` of each epoch.
    light : DataFrame
        `epoch, time_s, integrated_pl` (counts a frame).
    bins : int
        Largest number of bins of a trace, from `traces.bins_for`.

    Returns
    -------
    dict
        See the keys below. Positions are px, of PL unless they are microspheres'; what is not
        finite is None.
    """
    exposure_s = float(traces.attrs["exposure_s"])
    on = {epoch: traces[f"on_{epoch}"].to_numpy() for epoch in EPOCHS}
    frames = {epoch: _frames(on[epoch], movie_frames[epoch]) for epoch in EPOCHS}
    intensity = {e: traces[f"intensity_{e}"].to_numpy()[:, : frames[e]] for e in EPOCHS}
    xy = {e: np.stack([traces[f"{axis}_{e}"].to_numpy() for axis in "xy"], axis=1) for e in EPOCHS}
    places = [
        _no_counts() if projections[e] is None else np.asarray(projections[e]) for e in EPOCHS
    ]
    to_post, to_post_bf = _matrices(registration)
    sample = str(row.get("sample") or "")
    return {
        "name": name,
        "temperature_c": str(temperature_label(row["temperature_c"])),
        "sample": sample,
        "status": registration["status"],
        "reason": registration.get("reason") or "",
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
        "cutouts": cutouts_content(places[0], xy["pre"], places[1], xy["post"]),
        "images": field_images(
            brightfields["pre"],
            brightfields["post"],
            projections["pre"],
            projections["post"],
            matrix_brightfield=to_post_bf,
            matrix=to_post,
        ),
        "matrix": registration.get("matrix"),
        "microspheres": _marks(microspheres, registration.get("microsphere_pairs"), to_post_bf),
        "residuals": {
            "microspheres": _arrows(
                microspheres, registration.get("microsphere_pairs"), to_post_bf
            ),
            "nanocrystals": _arrows(nanocrystals, registration.get("nanocrystal_pairs"), to_post),
        },
        "drift": {epoch: _drift(drift[epoch], exposure_s) for epoch in EPOCHS},
        "integrated_pl": {epoch: _light(light, epoch) for epoch in EPOCHS},
    }


def read_field(
    name: str, row: Mapping[str, Any], files: Mapping[str, str], bins: int
) -> dict[str, Any]:
    """Read the files of a field and prepare them for the page.

    Parameters
    ----------
    name, row, bins
        As in `field_content`.
    files : mapping of str to path
        `traces`, `registration`, `integrated_pl`, and with `_pre` and `_post` each
        `brightfield` (as in the sheet), `images`, `microspheres`, `nanocrystals`, `drift`.
    """
    import xarray as xr

    from blinkpair.files import read_csv, read_json
    from blinkpair.nanocrystals import catalogues

    tables = {
        what: {epoch: read_csv(files[f"{what}_{epoch}"]) for epoch in EPOCHS}
        for what in ("microspheres", "nanocrystals", "drift")
    }
    projections, movie_frames = {}, {}
    for epoch in EPOCHS:
        with xr.open_dataset(files[f"images_{epoch}"], engine="h5netcdf") as images:
            usable = images["burst"].size > 1  # one pixel stands for a movie that was not
            projections[epoch] = images["burst"].to_numpy() if usable else None
            movie_frames[epoch] = int(images.sizes["frame"]) if usable else 0
    return field_content(
        name,
        row,
        xr.load_dataset(files["traces"], engine="h5netcdf"),
        read_json(files["registration"]),
        brightfields={epoch: _read_image(files[f"brightfield_{epoch}"]) for epoch in EPOCHS},
        projections=projections,
        movie_frames=movie_frames,
        microspheres={e: catalogues.positions(t) for e, t in tables["microspheres"].items()},
        nanocrystals={e: catalogues.positions(t) for e, t in tables["nanocrystals"].items()},
        drift=tables["drift"],
        light=read_csv(files["integrated_pl"]),
        bins=bins,
    )


def _read_image(path: str) -> FloatArray | None:
    from blinkpair.errors import InputError
    from blinkpair.movie import reader

    try:
        return reader.read_image(path)[0]
    except InputError:
        return None


def _frames(on: NDArray[np.int8], movie_frames: int) -> int:
    """Frames that the epoch has; the shorter movie is filled up with -1."""
    if not on.size:
        return movie_frames
    there = np.flatnonzero((on >= 0).any(axis=0))
    return int(there[-1]) + 1 if there.size else 0


def _no_counts() -> FloatArray:
    return np.empty((0, 0))


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
