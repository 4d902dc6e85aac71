"""What was found in both epochs -> the transform, and the same nanocrystals in both."""

from collections.abc import Iterable
from typing import Any

from blinkpair import catalogues, field_registration, files, registration_result
from blinkpair.errors import InputError
from blinkpair.field_checks import check_found, check_movies, check_pairing
from blinkpair.landmarks import read_landmarks
from blinkpair.logs import log_to
from blinkpair.pairing import no_nanocrystals, pair_nanocrystals


def register(
    microspheres: list[str],
    microspheres_info: list[str],
    nanocrystals: list[str],
    nanocrystals_info: list[str],
    drifts: list[str],
    outputs: dict[str, str],
    *,
    field: str,
    on_failed_field: str,
    registration: dict[str, Any],
    landmarks: str,
    pairing: dict[str, float],
) -> None:
    """Register one field and pair its nanocrystals; lists hold the files of pre and post.

    A field that is refused leaves its reason, and an empty table of places.

    Raises
    ------
    InputError
        If the field fails and `on_failed_field` is 'stop'.
    """
    infos = {path: files.read_json(path) for path in nanocrystals_info + microspheres_info}
    paired = no_nanocrystals()
    try:
        _refuse_broken(infos.values())
        beads = [catalogues.positions(files.read_csv(path)) for path in microspheres]
        tables = [files.read_csv(path) for path in nanocrystals]
        spots = [catalogues.positions(table) for table in tables]
        check_movies(*(infos[path] for path in nanocrystals_info))
        frames, *shape = infos[nanocrystals_info[0]]["shape"]
        result = field_registration.register_field(
            *beads,
            *spots,
            shape=tuple(shape),
            landmarks=read_landmarks(landmarks) if landmarks else None,
            nanocrystal_errors_px=catalogues.errors_px(*tables),
            start_error_px=catalogues.start_error_px(infos[path] for path in nanocrystals_info),
            **registration,
        )
        content = registration_result.describe(
            result,
            nanocrystals_pre=spots[0],
            n_microspheres=(len(beads[0]), len(beads[1])),
            shape=tuple(shape),
        )
        if content["status"] == "ok":
            check_found(*(infos[path] for path in nanocrystals_info))
            drift_pre, drift_post = (
                catalogues.read_drift(files.read_csv(path)).per_frame(frames) for path in drifts
            )
            hot = [infos[path]["hot_pixels"] for path in nanocrystals_info]
            paired = pair_nanocrystals(
                *tables,
                registration_result.from_description(content),
                drift_pre=drift_pre,
                drift_post=drift_post,
                shape=tuple(shape),
                hot_pixels=(hot[0], hot[1]),
                **pairing,
            )
            check_pairing(paired)
    except InputError as error:
        content, paired = registration_result.describe_failed(str(error)), no_nanocrystals()
    files.write_json({"field": field} | content, outputs["registration"])
    files.write_csv(paired.table, outputs["places"])
    files.write_json(paired.summary(), outputs["pairing"])
    if content["status"] != "ok" and on_failed_field == "stop":
        raise InputError(
            f"field {field}: {content['reason']}. Hint: set on_failed_field to 'exclude' to go on "
            "without it, or drop it from the sheet."
        )


def _refuse_broken(infos: Iterable[dict[str, Any]]) -> None:
    """Raise what kept the images and movies of a field from being read."""
    broken = [info["reason"] for info in infos if info["status"] != "ok"]
    if broken:
        raise InputError("; ".join(broken))


if __name__ == "__main__":
    log_to(snakemake.log[0])
    register(
        snakemake.input.microspheres,
        snakemake.input.microspheres_info,
        snakemake.input.nanocrystals,
        snakemake.input.nanocrystals_info,
        snakemake.input.drifts,
        dict(snakemake.output.items()),
        field=snakemake.wildcards.field,
        on_failed_field=snakemake.params.on_failed_field,
        registration=snakemake.params.registration,
        landmarks=snakemake.params.landmarks,
        pairing=snakemake.params.pairing,
    )
