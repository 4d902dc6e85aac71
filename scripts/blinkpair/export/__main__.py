"""Results of a field for other programs, from the command line.

Input: the results folder of a run, the name of a field, and numbers of nanocrystals. Output: files
for Fiji, Picasso and spreadsheets in a folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from blinkpair import files
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.export import localisations, overlays, rois, single
from blinkpair.nanocrystals import catalogues

Named = Iterator[tuple[str, bytes]]


def export_field(results: Path, field: str) -> Named:
    """Yield name and content of each file of a field: regions, mean images, localisations.

    Raises
    ------
    InputError
        No such field in the results, or one that was refused.
    """
    folder, registration = _field_folder(results, field)
    table = files.read_csv(folder / "nanocrystals.csv")
    for epoch in EPOCHS:
        yield f"nanocrystals_{epoch}.zip", rois.roi_set(table, epoch)
    means = {}
    for epoch in EPOCHS:
        with xr.open_dataset(folder / f"images_{epoch}.nc") as images:
            means[epoch] = images["mean"].to_numpy().astype(float)
    images_ = overlays.mean_images(means["pre"], means["post"], registration["matrix"])
    yield from ((f"{name}.tif", content) for name, content in images_.items())
    pixel_size_um = _pixel_size(results, field)
    with xr.open_dataset(folder / "traces.nc") as traces:
        for epoch in EPOCHS:
            yield from _picasso(folder, epoch, table, traces, pixel_size_um)


def export_nanocrystal(results: Path, field: str, nc_id: int) -> Named:
    """Yield name and content of each table of one nanocrystal: trace, events, P(t).

    Raises
    ------
    InputError
        No such field or nanocrystal, or one that was not measured.
    """
    folder, _ = _field_folder(results, field)
    with xr.open_dataset(folder / "traces.nc") as traces:
        if nc_id not in traces["nanocrystal"]:
            raise InputError(
                f"field {field} has no trace of a nanocrystal {nc_id}",
                "look its number up in the column nc_id of nanocrystals.csv; those with "
                "excluded_because 'outside' or 'edge' were not measured",
            )
        one = traces.sel(nanocrystal=nc_id)
        counts = {epoch: one[f"intensity_{epoch}"].to_numpy() for epoch in EPOCHS}
        states = {epoch: one[f"on_{epoch}"].to_numpy().astype(int) for epoch in EPOCHS}
        exposure_s = float(traces.attrs["exposure_s"])
    events = single.event_table(states, exposure_s)
    tables = {
        "trace": single.trace_table(counts, states, exposure_s),
        "events": events,
        "p_of_t": single.density_table(events, exposure_s),
    }
    for name, table in tables.items():
        yield f"nanocrystal_{nc_id:05d}_{name}.csv", table.to_csv(index=False).encode()


def _field_folder(results: Path, field: str) -> tuple[Path, dict[str, Any]]:
    folder = results / "fields" / field
    if not (folder / "registration.json").is_file():
        raise InputError(
            f"there are no results of a field {field} in {results}",
            "give the folder of the results with --results, and a field of the sample sheet",
        )
    registration = files.read_json(folder / "registration.json")
    if registration["status"] != "ok":
        raise InputError(
            f"field {field} was refused: {registration['reason']}", "choose another field"
        )
    return folder, registration


def _pixel_size(results: Path, field: str) -> float | None:
    path = results / "fields.csv"
    if not path.is_file():
        return None
    fields = files.read_csv(path).set_index("field")
    value = fields["pixel_size_um"].get(field) if "pixel_size_um" in fields else None
    return None if value is None or pd.isna(value) else float(value)


def _picasso(
    folder: Path, epoch: str, table: pd.DataFrame, traces: xr.Dataset, pixel_size_um: float | None
) -> Named:
    info = files.read_json(folder / f"nanocrystals_{epoch}.json")
    errors = files.read_csv(folder / f"nanocrystals_{epoch}.csv")["error_px"].to_numpy(float)
    rows = table.set_index("nc_id").loc[traces["nanocrystal"].to_numpy()]
    own = rows[f"{epoch}_index"].to_numpy(int)
    places = np.where(own >= 0, np.append(errors, np.nan)[own], rows["registration_error_px"])
    drift = catalogues.read_drift(files.read_csv(folder / f"drift_{epoch}.csv"))
    frames = int(info["shape"][0])
    found = localisations.localisations(
        rows[[f"x_{epoch}", f"y_{epoch}"]].to_numpy(float),
        places,
        traces[f"on_{epoch}"].to_numpy()[:, :frames] == 1,
        traces[f"intensity_{epoch}"].to_numpy()[:, :frames],
        drift.per_frame(frames),
        psf_sigma_px=float(info["psf_sigma_px"]),
    )
    contents = localisations.picasso_files(found, info["shape"], pixel_size_um)
    yield from ((f"picasso_{epoch}{suffix}", content) for suffix, content in contents.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, and print their names; 1 with a message where that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m blinkpair.export", description=__doc__)
    parser.add_argument("field", help="name of the field, as in the sample sheet")
    parser.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    parser.add_argument("--to", type=Path, help="folder for the files; default: export/FIELD")
    parser.add_argument(
        *("--nanocrystal", "-n"), type=int, nargs="+", default=[], metavar="NUMBER",
        help="write trace, events and P(t) of these (nc_id) as CSV instead",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    folder = chosen.to or Path("export") / chosen.field
    try:
        made = (
            [file for n in chosen.nanocrystal for file in export_nanocrystal(
                chosen.results, chosen.field, n)]
            if chosen.nanocrystal
            else list(export_field(chosen.results, chosen.field))
        )  # fmt: skip
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made:
        files.write_bytes(content, folder / name)
        print(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
