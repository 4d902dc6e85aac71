"""Movie and places of the nanocrystals -> their counts in every frame; the movie is read once."""

import numpy as np

from blinkpair import files
from blinkpair.movie.copies import remove_copies, staged_path
from blinkpair.movie.reader import open_movie
from blinkpair.nanocrystals import catalogues
from blinkpair.photometry import counts
from blinkpair.photometry.apertures import OUT_OF_VIEW, light_course
from blinkpair.photometry.counts import PhotometrySettings
from blinkpair.photometry.traces import epoch_dataset
from blinkpair.run.logs import log_to


def extract_traces(
    pl: str,
    places: str,
    drift: str,
    traces: str,
    *,
    epoch: str,
    exposure_s: float,
    settings: PhotometrySettings,
) -> None:
    """Measure every nanocrystal of the field in the movie of one epoch, detected there or not.

    A field that was refused has none: its movie, which may be the reason, is not opened.
    """
    table = files.read_csv(places)
    position = [f"x_{epoch}", f"y_{epoch}"]
    inside = table[~table["excluded_because"].isin(OUT_OF_VIEW)]
    nothing = np.empty((0, 0), np.float32)
    found, light = counts.Measured(nothing, nothing), np.empty(0)
    if len(inside):
        with open_movie(pl) as frames:
            n_frames, course = frames.shape[0], files.read_csv(drift)
            path = catalogues.read_drift(course).per_frame(n_frames)
            focus = catalogues.read_focus(course, n_frames)
            light = light_course(focus, aperture_px=settings.aperture_px)
            found = counts.measure(
                frames,
                inside[position].to_numpy(float),
                path,
                aperture_px=settings.aperture_px,
                background=settings.background,
                neighbours_xy=table[position].to_numpy(float),
                empty=True,
            )
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
    extract_traces(
        staged_path(snakemake.params.pl, snakemake.input.movie),
        snakemake.input.places,
        snakemake.input.drift,
        snakemake.output.traces,
        epoch=snakemake.wildcards.epoch,
        exposure_s=snakemake.params.exposure_s,
        settings=PhotometrySettings(snakemake.params.aperture_px, snakemake.params.background),
    )
    remove_copies(snakemake.params.pl, snakemake.input.movie)
