"""Movies -> nanocrystals, drift and the images that show them; each movie is read once."""

from functools import partial
from typing import Any

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.movie.copies import staged_path
from blinkpair.movie.reader import open_movie
from blinkpair.nanocrystals import catalogues, finding
from blinkpair.nanocrystals.frame_quality import check_frames
from blinkpair.nanocrystals.projections import project
from blinkpair.run.logs import log_to
from blinkpair.run.side_by_side import run_epochs


def find_nanocrystals(
    movies: list[str],
    tables: list[str],
    drifts: list[str],
    images: list[str],
    infos: list[str],
    *,
    psf_sigma_px: float,
    threads: int = 1,
) -> None:
    """Find the nanocrystals of one field; lists hold the files of the epochs pre and post.

    An unusable movie leaves empty tables, and its entry of `infos` has the status 'failed' and
    the reason.
    """
    calls = list(zip(movies, tables, drifts, images, infos, strict=True))
    run_epochs(partial(_find_in_movie, psf_sigma_px=psf_sigma_px), calls, threads=threads)


def _find_in_movie(
    pl: str, table: str, drift: str, images: str, info: str, *, psf_sigma_px: float
) -> None:
    outcome: dict[str, Any] = {"status": "ok", "reason": ""}
    catalogue, projections = None, None
    try:
        with open_movie(pl) as frames:
            outcome |= {"shape": frames.shape, "notes": frames.notes}
            projections = project(frames)
        outcome["notes"] += tuple(check_frames(projections, pl))
        catalogue = finding.find_nanocrystals(projections, psf_sigma_px=psf_sigma_px)
        outcome |= catalogues.describe(catalogue, projections)
    except InputError as error:
        outcome |= {"status": "failed", "reason": str(error)}
    files.write_csv(catalogues.nanocrystals_table(catalogue), table)
    files.write_csv(catalogues.drift_table(catalogue), drift)
    files.write_netcdf(catalogues.images_dataset(catalogue, projections), images)
    files.write_json(outcome, info)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    find_nanocrystals(
        list(map(staged_path, snakemake.params.pl, (snakemake.input.pre, snakemake.input.post))),
        snakemake.output.tables,
        snakemake.output.drifts,
        snakemake.output.images,
        snakemake.output.infos,
        psf_sigma_px=snakemake.params.psf_sigma_px,
        threads=snakemake.threads,
    )
