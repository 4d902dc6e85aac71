"""Nanocrystals of both epochs and the transform -> one table with a place in each."""

from blinkpair import catalogues, files, registration_result
from blinkpair.logs import log_to
from blinkpair.pairing import no_nanocrystals, pair_nanocrystals


def pair(
    nanocrystals: list[str],
    nanocrystals_info: list[str],
    drifts: list[str],
    registration: str,
    table: str,
    info: str,
    *,
    tolerance_px: float,
    min_separation_px: float,
    aperture_px: float,
) -> None:
    """Pair one field; lists hold the files of the epochs pre and post.

    A field that was refused leaves an empty table.
    """
    transform = registration_result.from_description(files.read_json(registration))
    if transform.status != "ok":
        result = no_nanocrystals()
    else:
        pre, post = (files.read_csv(path) for path in nanocrystals)
        frames, height, width = files.read_json(nanocrystals_info[0])["shape"]
        drift_pre, drift_post = (
            catalogues.read_drift(files.read_csv(path)).per_frame(frames) for path in drifts
        )
        result = pair_nanocrystals(
            pre,
            post,
            transform,
            drift_pre=drift_pre,
            drift_post=drift_post,
            shape=(height, width),
            tolerance_px=tolerance_px,
            min_separation_px=min_separation_px,
            aperture_px=aperture_px,
        )
    files.write_csv(result.table, table)
    files.write_json(
        {
            "n_pairs": int((result.table["detected_pre"] & result.table["detected_post"]).sum()),
            "expected_chance_pairs": result.expected_chance_pairs,
        },
        info,
    )


if __name__ == "__main__":
    log_to(snakemake.log[0])
    pair(
        snakemake.input.nanocrystals,
        snakemake.input.nanocrystals_info,
        snakemake.input.drifts,
        snakemake.input.registration,
        snakemake.output.table,
        snakemake.output.info,
        tolerance_px=snakemake.params.tolerance_px,
        min_separation_px=snakemake.params.min_separation_px,
        aperture_px=snakemake.params.aperture_px,
    )
