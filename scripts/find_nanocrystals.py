"""Movies -> nanocrystals, drift and the images that show them; each movie is read once."""

from functools import partial
from typing import TYPE_CHECKING, Any

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.movie.copies import staged_path
from blinkpair.movie.reader import open_movie
from blinkpair.nanocrystals import catalogues, finding
from blinkpair.nanocrystals.frame_quality import check_frames
from blinkpair.nanocrystals.projections import project
from blinkpair.nanocrystals.stage_jumps import time_jumps
from blinkpair.run.logs import log_to
from blinkpair.run.side_by_side import run_epochs

if TYPE_CHECKING:
    from blinkpair.pairing.one_pass import Places


def find_nanocrystals(
    movies: list[str],
    tables: list[str],
    drifts: list[str],
    images: list[str],
    infos: list[str],
    *,
    psf_sigma_px: float,
    one_pass_settings: dict[str, Any] | None = None,
    threads: int = 1,
) -> None:
    """Find the nanocrystals of one field; lists hold the files of the epochs pre and post.

    With `one_pass_settings` (the arguments of `one_pass.OnePassSettings`) their counts are taken in
    the same pass: the movies are too long to be read twice. An unusable movie leaves empty tables,
    and its entry of `infos` has the status 'failed' and the reason.
    """
    places: tuple[Places | None, Places | None] = (None, None)
    if one_pass_settings is not None:
        # Here: few fields need the registration, which takes 0.3 s to load.
        from blinkpair.pairing import one_pass

        search = partial(one_pass.first_catalogue, psf_sigma_px=psf_sigma_px)
        first = run_epochs(search, [[movie] for movie in movies], threads=threads)
        places = one_pass.places_to_measure(first, one_pass.OnePassSettings(**one_pass_settings))
    calls = list(zip(movies, places, tables, drifts, images, infos, strict=True))
    run_epochs(partial(_find_in_movie, psf_sigma_px=psf_sigma_px), calls, threads=threads)


def _find_in_movie(
    pl: str,
    places: "Places | None",
    table: str,
    drift: str,
    images: str,
    info: str,
    *,
    psf_sigma_px: float,
) -> None:
    outcome: dict[str, Any] = {"status": "ok", "reason": "", "remarks": [], "n_rarely_on": 0}
    catalogue, projections, counts = None, None, None
    try:
        with open_movie(pl) as frames:
            outcome |= {"shape": frames.shape, "notes": frames.notes}
            if places is None:
                projections = project(frames)
            else:
                from blinkpair.pairing import one_pass

                projections, counts = one_pass.project_and_measure(frames, places)
        outcome["remarks"] += check_frames(projections, pl)
        found = finding.find_nanocrystals(projections, psf_sigma_px=psf_sigma_px)
        if found.reflection is not None:
            found.reflection.refuse_twice(pl)
        catalogue = time_jumps(frames, found)
        outcome["remarks"] += catalogue.drift.remarks()
        if catalogue.reflection is not None:
            outcome["remarks"].append(catalogue.reflection.remark())
        outcome["remarks"] += filter(None, [catalogue.turning])
        if counts is not None:
            catalogue, n_dropped = one_pass.drop_unmeasured(catalogue, counts, projections)
            outcome["n_rarely_on"] = n_dropped
        outcome |= catalogues.describe(catalogue, projections)
    except InputError as error:
        outcome |= {"status": "failed", "reason": str(error)}
    dataset = catalogues.images_dataset(catalogue, projections)
    if catalogue is not None and counts is not None:
        dataset = dataset.assign(counts.variables())
    files.write_csv(catalogues.nanocrystals_table(catalogue), table)
    files.write_csv(catalogues.drift_table(catalogue), drift)
    files.write_netcdf(dataset, images)
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
        one_pass_settings=snakemake.params.one_pass,
        threads=snakemake.threads,
    )
