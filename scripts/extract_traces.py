"""Movies and places of the nanocrystals -> their counts in every frame.

Each movie is read once, or not at all where its counts were taken when it was searched.
"""

from functools import partial

import numpy as np

from blinkpair import files
from blinkpair.epochs import EPOCHS
from blinkpair.movie.copies import remove_copies, staged_path
from blinkpair.movie.reader import open_movie
from blinkpair.nanocrystals import catalogues
from blinkpair.photometry import counts
from blinkpair.photometry.apertures import OUT_OF_VIEW, light_course
from blinkpair.photometry.counts import PhotometrySettings
from blinkpair.photometry.first_counts import read_first_counts
from blinkpair.photometry.traces import epoch_dataset
from blinkpair.run.logs import log_to
from blinkpair.run.side_by_side import run_epochs


def extract_traces(
    movies: list[str],
    places: str,
    drifts: list[str],
    images: list[str],
    traces: list[str],
    *,
    exposure_s: float,
    settings: PhotometrySettings,
    threads: int = 1,
) -> None:
    """Measure every nanocrystal of the field in both movies, detected there or not.

    Lists hold the files of the epochs pre and post. A field that was refused has no nanocrystals:
    its movies, which may be the reason, are not opened.
    """
    run_epochs(
        partial(_measure, places, exposure_s=exposure_s, settings=settings),
        list(zip(EPOCHS, movies, drifts, images, traces, strict=True)),
        threads=threads,
    )


def _measure(
    places: str,
    epoch: str,
    pl: str,
    drift: str,
    images: str,
    traces: str,
    *,
    exposure_s: float,
    settings: PhotometrySettings,
) -> None:
    table = files.read_csv(places)
    position = [f"x_{epoch}", f"y_{epoch}"]
    inside = table[~table["excluded_because"].isin(OUT_OF_VIEW)]
    nothing = np.empty((0, 0), np.float32)
    found, light = counts.Measured(nothing, nothing), np.empty(0)
    if len(inside):
        first, course = read_first_counts(images), files.read_csv(drift)
        with open_movie(pl) as frames:
            n_frames = frames.shape[0]
            path = catalogues.read_drift(course).per_frame(n_frames)
            xy = inside[position].to_numpy(float)
            rows = None if first is None else first.rows_of(xy, path, settings)
            if first is not None and rows is not None:
                found = first.of_rows(rows)
            else:
                found = counts.measure(
                    frames,
                    xy,
                    path,
                    aperture_px=settings.aperture_px,
                    background=settings.background,
                    neighbours_xy=table[position].to_numpy(float),
                    empty=True,
                )
        found.counts[:, catalogues.read_odd_frames(images)] = np.nan
        focus = catalogues.read_focus(course, n_frames)
        light = light_course(focus, aperture_px=settings.aperture_px)
    dataset = epoch_dataset(
        found.counts,
        inside,
        epoch=epoch,
        exposure_s=exposure_s,
        empty=found.empty,
        light=light,
    )
    files.write_netcdf(dataset, traces)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    movies = (snakemake.input.pre, snakemake.input.post)
    extract_traces(
        list(map(staged_path, snakemake.params.pl, movies)),
        snakemake.input.places,
        snakemake.input.drifts,
        snakemake.input.images,
        snakemake.output.traces,
        exposure_s=snakemake.params.exposure_s,
        settings=PhotometrySettings(snakemake.params.aperture_px, snakemake.params.background),
        threads=snakemake.threads,
    )
    for path, copies in zip(snakemake.params.pl, movies, strict=True):
        remove_copies(path, copies)
