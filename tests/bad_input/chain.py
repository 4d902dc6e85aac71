"""The workflow's steps one after the other in this process: a field in a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest import mock

import pandas as pd
import xarray as xr

from analyse_blinking import analyse_blinking
from blinkpair import files
from blinkpair.epochs import EPOCHS
from blinkpair.photometry.counts import PhotometrySettings
from blinkpair.run import launch, sheet_columns
from extract_traces import extract_traces
from find_nanocrystals import find_nanocrystals
from register import register
from summarise import summarise


def analyse(folder: Path, config: dict) -> Path:
    """Check and analyse the experiment of a folder, as its rules do; return its results.

    The pooled tables are made, figures and report are not.
    """
    with chdir(folder), _traces_in_memory():
        settings, fields, *_ = launch.prepare(config, (), submitted=False)
        carried = sheet_columns.carried_columns(fields)
        for row in fields.to_dict("records"):
            _analyse_field(row, {name: row[name] for name in carried}, settings)
        _pool(fields[sheet_columns.field_columns(fields)], settings)
    return folder / "results"


@contextmanager
def _traces_in_memory() -> Iterator[None]:
    """Hand traces from step to step, and wait for no disk: for small fields half of the time."""
    traces: dict[str, xr.Dataset] = {}
    write = files.write_netcdf

    def keep(dataset: xr.Dataset, path: str) -> None:
        if Path(path).name.startswith("traces"):
            traces[path] = dataset
        else:
            write(dataset, path)

    handed = mock.patch.multiple(files, write_netcdf=keep, read_netcdf=traces.pop)
    with handed, mock.patch("os.fsync"):
        yield


def _both(folder: Path, pattern: str) -> list[str]:
    return [str(folder / pattern.format(epoch)) for epoch in EPOCHS]


def _analyse_field(row: dict, carried: dict, settings: dict) -> None:
    folder = Path("results/fields") / row["field"]
    found = ["nanocrystals_{}.csv", "drift_{}.csv", "images_{}.nc", "nanocrystals_{}.json"]
    tables, drifts, images, infos = (_both(folder, name) for name in found)
    movies = [row[f"{epoch}_pl"] for epoch in EPOCHS]
    sigma = settings["nanocrystals"]["psf_sigma_px"]
    find_nanocrystals(movies, tables, drifts, images, infos, psf_sigma_px=sigma)
    places = str(folder / "places.csv")
    register(
        [row[f"{epoch}_brightfield"] for epoch in EPOCHS],
        tables,
        infos,
        drifts,
        {
            "microspheres": _both(folder, "microspheres_{}.csv"),
            "microspheres_info": _both(folder, "microspheres_{}.json"),
            "registration": str(folder / "registration.json"),
            "places": places,
            "pairing": str(folder / "pairing.json"),
        },
        field=row["field"],
        diameter_px=settings["microspheres"]["diameter_um"] / row["pixel_size_um"],
        on_failed_field=settings["on_failed_field"],
        registration=settings["registration"],
        landmarks=row["landmarks"],
        pairing={
            "tolerance_px": settings["pairing"]["tolerance_px"],
            "min_separation_px": settings["nanocrystals"]["min_separation_px"],
            "aperture_px": settings["photometry"]["aperture_px"],
        },
    )
    traces = _both(folder, "traces_{}.nc")
    extract_traces(
        movies,
        places,
        drifts,
        images,
        traces,
        exposure_s=row["exposure_s"],
        settings=PhotometrySettings(**settings["photometry"]),
    )
    outputs = ["on_fractions", "durations", "integrated_pl"]
    analyse_blinking(
        traces,
        places,
        {name: str(folder / f"{name}.csv") for name in outputs}
        | {"traces": str(folder / "traces.nc"), "table": str(folder / "nanocrystals.csv")},
        field=carried,
        settings=settings,
        sensitivity_counts=settings["sensitivity"]["counts"],
        equal_length_s=None,
        verdicts=[],
    )


def _pool(sheet: pd.DataFrame, settings: dict) -> None:
    results = Path("results")

    def of_fields(name: str) -> list[str]:
        return [str(results / "fields" / field / name) for field in sheet["field"]]

    pooled = ["nanocrystals", "fields", "populations", "methods", "sensitivity", "verdicts"]
    summarise(
        of_fields("nanocrystals.csv"),
        of_fields("on_fractions.csv"),
        of_fields("registration.json"),
        of_fields("pairing.json"),
        sheet.to_dict("records"),
        {name: str(results / f"{name}.csv") for name in pooled},
        statistics=settings["statistics"],
        dark_cutoff=settings["dark_cutoff"],
        dark_cutoffs=settings["sensitivity"]["dark_cutoffs"],
        movies={},
        checked=[],
        verdicts={},
    )
