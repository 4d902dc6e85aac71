"""Microspheres and nanocrystals of both epochs -> the transform between them."""

from blinkpair import catalogues, field_registration, files, registration_result
from blinkpair.errors import InputError
from blinkpair.landmarks import read_landmarks
from blinkpair.logs import log_to


def register(
    microspheres: list[str],
    microspheres_info: list[str],
    nanocrystals: list[str],
    nanocrystals_info: list[str],
    registration: str,
    *,
    field: str,
    model: str,
    min_microspheres: int,
    max_chance_alignments: float,
    on_failed_field: str,
    landmarks: str,
) -> None:
    """Register one field; lists hold the files of the epochs pre and post.

    Raises
    ------
    InputError
        If the field fails and `on_failed_field` is 'stop'.
    """
    infos = {path: files.read_json(path) for path in nanocrystals_info + microspheres_info}
    try:
        broken = [info["reason"] for info in infos.values() if info["status"] != "ok"]
        if broken:
            raise InputError("; ".join(broken))
        beads = [catalogues.positions(files.read_csv(path)) for path in microspheres]
        tables = [files.read_csv(path) for path in nanocrystals]
        spots = [catalogues.positions(table) for table in tables]
        shape = tuple(infos[nanocrystals_info[0]]["shape"][1:])
        result = field_registration.register_field(
            *beads,
            *spots,
            shape=shape,
            model=model,
            min_microspheres=min_microspheres,
            max_chance_alignments=max_chance_alignments,
            landmarks=read_landmarks(landmarks) if landmarks else None,
            nanocrystal_errors_px=catalogues.errors_px(*tables),
            start_error_px=catalogues.start_error_px(infos[path] for path in nanocrystals_info),
        )
        content = registration_result.describe(
            result,
            nanocrystals_pre=spots[0],
            n_microspheres=(len(beads[0]), len(beads[1])),
            shape=shape,
        )
    except InputError as error:
        content = registration_result.describe_failed(str(error))
    files.write_json({"field": field} | content, registration)
    if content["status"] != "ok" and on_failed_field == "stop":
        raise InputError(
            f"field {field}: {content['reason']}. Hint: set on_failed_field to 'exclude' to go on "
            "without it, or drop it from the sheet."
        )


if __name__ == "__main__":
    log_to(snakemake.log[0])
    register(
        snakemake.input.microspheres,
        snakemake.input.microspheres_info,
        snakemake.input.nanocrystals,
        snakemake.input.nanocrystals_info,
        snakemake.output.registration,
        field=snakemake.wildcards.field,
        model=snakemake.params.model,
        min_microspheres=snakemake.params.min_microspheres,
        max_chance_alignments=snakemake.params.max_chance_alignments,
        on_failed_field=snakemake.params.on_failed_field,
        landmarks=snakemake.params.landmarks,
    )
