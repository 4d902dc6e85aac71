"""Long movies: what is read once against what is read twice, on simulated fields."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
from scipy.spatial import KDTree

from benchmarks.accuracy.other_microscope import HEAD
from benchmarks.page import run, text_of
from blinkpair.arrays import FloatArray
from blinkpair.blinking.field import BlinkingSettings, analyse_nanocrystals
from blinkpair.epochs import EPOCHS
from blinkpair.inputs.settings import load_settings
from blinkpair.movie.reader import open_movie
from blinkpair.nanocrystals import catalogues, sampling
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.projections import project
from blinkpair.pairing import one_pass
from blinkpair.pairing.field import EpochTables, microspheres_of, register_and_pair
from blinkpair.pairing.places import PairingSettings
from blinkpair.photometry.apertures import OUT_OF_VIEW
from blinkpair.photometry.counts import Measured, PhotometrySettings, measure
from blinkpair.registration.fields import RegistrationSettings
from blinkpair.simulate import Camera, FieldDesign, simulate_field

FRAMES, SIZE, NANOCRYSTALS = 20_000, 160, 55
SHIFT_PX = (8.0, -12.0)
FIELDS: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "ordinary, others": {},
    "four in ten dark": {"populations": (0.2, 0.2, 0.2, 0.4)},
    "on at 60 to 200 counts": {"counts_when_on": (60.0, 200.0)},
    "drift of 12 px": {"drift_px": 12.0, "settling_px": 4.0},
    "focus creeps to 1.3 px": {"psf_sigma_end_px": (1.3, 1.3)},
    "three microspheres": {"n_microspheres": 3, "populations": (0.2, 0.2, 0.2, 0.4)},
}
SAME_PX = 1.2
SEEN_FROM = 0.01


def design_of(name: str) -> FieldDesign:
    return FieldDesign(
        camera=Camera(shape=(SIZE, SIZE)),
        frames=FRAMES,
        n_nanocrystals=NANOCRYSTALS,
        shift_px=SHIFT_PX,
        **FIELDS[name],
    )


def compare(name: str) -> dict[str, Any]:
    """Analyse a field both ways; the smaller movies here are taken for long ones."""
    sampling.LARGE_PIXELS = 0
    design = design_of(name)
    field = simulate_field(design, 100 + list(FIELDS).index(name))
    with tempfile.TemporaryDirectory() as folder:
        movies = [str(Path(folder, f"{epoch}.tif")) for epoch in EPOCHS]
        images = [str(Path(folder, f"bf_{epoch}.tif")) for epoch in EPOCHS]
        for epoch, movie, image in zip(EPOCHS, movies, images, strict=True):
            with tifffile.TiffWriter(movie, bigtiff=True) as file:
                file.write(
                    (frame for block in field.film(epoch) for frame in block),
                    shape=(FRAMES, SIZE, SIZE),
                    dtype="uint16",
                    photometric="minisblack",
                    contiguous=True,
                )
            tifffile.imwrite(image, getattr(field, f"brightfield_{epoch}"))
        settings = one_pass.OnePassSettings(
            brightfields=images,
            diameter_px=design.microsphere_diameter_px,
            landmarks="",
            registration=load_settings({})["registration"],
            pairing={},
            photometry={},
        )
        first = [one_pass.first_catalogue(movie, psf_sigma_px=0.9) for movie in movies]
        places = one_pass.places_to_measure(first, settings)
        twice, once, again = [], [], 0
        for movie, at in zip(movies, places, strict=True):
            assert at is not None, f"{name}: nothing to measure in the first frames"
            with open_movie(movie) as frames:
                projections, counts = one_pass.project_and_measure(frames, at)
                catalogue = find_nanocrystals(project(frames))
            kept, _ = one_pass.drop_unmeasured(catalogue, counts, projections)
            twice.append((movie, projections, catalogue, None))
            once.append((movie, projections, kept, counts))
        full, again_full = _analyse(settings, twice)
        short, again = _analyse(settings, once)
    assert not again_full
    return _row(name, field.truth, full, short, again)


def _analyse(settings: one_pass.OnePassSettings, epochs: list[Any]) -> tuple[pd.DataFrame, int]:
    """Return the table of a field, and how many of its movies were read again."""
    read = one_pass.read_image
    found = [microspheres_of(read, path, settings.diameter_px) for path in settings.brightfields]
    tables = [
        EpochTables(
            *microspheres,
            catalogues.nanocrystals_table(catalogue),
            {
                "status": "ok",
                "shape": (FRAMES, SIZE, SIZE),
                **catalogues.describe(catalogue, projections),
            },
            catalogues.drift_table(catalogue),
        )
        for microspheres, (_, projections, catalogue, _) in zip(found, epochs, strict=True)
    ]
    _, paired = register_and_pair(
        *tables,
        brightfields=lambda: (
            read(settings.brightfields[0])[0],
            read(settings.brightfields[1])[0],
        ),
        diameter_px=settings.diameter_px,
        landmarks="",
        registration=RegistrationSettings(**settings.registration),
        pairing=PairingSettings(),
    )
    inside = paired.table[~paired.table["excluded_because"].isin(OUT_OF_VIEW)]
    traces, again = {}, 0
    for epoch, (movie, _, catalogue, counts) in zip(EPOCHS, epochs, strict=True):
        xy = inside[[f"x_{epoch}", f"y_{epoch}"]].to_numpy(float)
        drift = catalogue.drift.per_frame(FRAMES)
        rows = counts.rows_of(xy, drift, PhotometrySettings()) if counts is not None else None
        again += counts is not None and rows is None
        known = paired.table[[f"x_{epoch}", f"y_{epoch}"]].to_numpy(float)
        traces[epoch] = counts.of_rows(rows) if rows is not None else _read(
            movie, xy, drift, known
        )  # fmt: skip
    result = analyse_nanocrystals(
        paired.table,
        inside["nc_id"].to_numpy(),
        {epoch: traces[epoch].counts for epoch in EPOCHS},
        {epoch: traces[epoch].empty for epoch in EPOCHS},
        exposure_s=0.02,
        settings=BlinkingSettings.of(load_settings({})),
    )
    return result.table, again


def _read(movie: str, xy: FloatArray, drift: FloatArray, known: FloatArray) -> Measured:
    with open_movie(movie) as frames:
        return measure(frames, xy, drift, neighbours_xy=known, empty=True)


def _row(
    name: str, truth: pd.DataFrame, full: pd.DataFrame, short: pd.DataFrame, again: int
) -> dict[str, Any]:
    position = ["x_pre", "y_pre"]
    away, match = KDTree(short[position]).query(full[position])
    pairs = full[away < SAME_PX].reset_index(), short.loc[match[away < SAME_PX]].reset_index()
    both = pairs[0]["analysed"] & pairs[1]["analysed"]
    a, b = (table[both] for table in pairs)
    steps = [
        np.abs(a[f"on_fraction_{e}_{recipe}"] - b[f"on_fraction_{e}_{recipe}"]).max()
        for e in EPOCHS
        for recipe in ("fixed", "best")
    ]
    seen = truth[truth[["on_fraction_pre", "on_fraction_post"]].max(axis=1) >= SEEN_FROM]
    listed = [KDTree(table[position]).query(seen[position])[0] < SAME_PX for table in (full, short)]
    counted = full["analysed"] & (full["population"] != "dark")
    return {
        "field": name,
        "n (two passes)": int(counted.sum()),
        "of them missing": int((away[counted] >= SAME_PX).sum()),
        "other population": int((a["population"].to_numpy() != b["population"].to_numpy()).sum()),
        "largest change of an on-fraction": float(np.nanmax(steps)),
        "on for 1 % and more, listed by two": int(listed[0].sum()),
        "of them not by one": int((listed[0] & ~listed[1]).sum()),
        "dark in both, not listed": int((away[full["analysed"] & ~counted] >= SAME_PX).sum()),
        "movies read again": again,
    }


def long_movies(pool: Executor, _share: float) -> Iterator[str]:
    yield "## Long movies: read once or twice"
    yield (
        f"One field of {SIZE} x {SIZE} px and {FRAMES} frames a row, its movies taken for long "
        f"ones: one burst in {sampling.bursts_apart((FRAMES, 512, 512))} is searched first. *On "
        "for 1 %*: the true share of the time in either epoch. On-fractions by both recipes."
    )
    table = pd.DataFrame(list(pool.map(compare, FIELDS)))
    yield text_of(table)
    total = table.sum(numeric_only=True)
    wrong = total["of them missing"] + total["other population"]
    yield (
        f"Together {wrong} of {total['n (two passes)']} of n are missing or in another population. "
        f"Of {total['on for 1 % and more, listed by two']} that are on for 1 % and more, "
        f"{total['of them not by one']} are not listed (at most 1 % was asked for): they are in "
        "no n."
    )


if __name__ == "__main__":
    run(__doc__ or "", HEAD, {"long": long_movies})
