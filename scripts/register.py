"""What was found in both epochs -> the transform, and the same nanocrystals in both."""

from typing import Any

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.movie.reader import read_image
from blinkpair.pairing.field import EpochTables, register_and_pair
from blinkpair.pairing.places import PairingSettings
from blinkpair.registration.fields import RegistrationSettings
from blinkpair.run.logs import log_to


def register(
    microspheres: list[str],
    microspheres_info: list[str],
    nanocrystals: list[str],
    nanocrystals_info: list[str],
    drifts: list[str],
    outputs: dict[str, str],
    *,
    field: str,
    brightfields: list[str],
    diameter_px: float,
    on_failed_field: str,
    registration: dict[str, Any],
    landmarks: str,
    pairing: dict[str, float],
) -> None:
    """Register one field and pair its nanocrystals; lists hold the files of pre and post.

    Of a refused field the reason and an empty table of places are written.

    Raises
    ------
    InputError
        If the field is refused and `on_failed_field` is 'stop'.
    """
    epochs = [
        EpochTables(
            files.read_csv(microspheres[k]),
            files.read_json(microspheres_info[k]),
            files.read_csv(nanocrystals[k]),
            files.read_json(nanocrystals_info[k]),
            files.read_csv(drifts[k]),
        )
        for k in range(2)
    ]
    content, paired = register_and_pair(
        *epochs,
        brightfields=lambda: (read_image(brightfields[0])[0], read_image(brightfields[1])[0]),
        diameter_px=diameter_px,
        landmarks=landmarks,
        registration=RegistrationSettings(**registration),
        pairing=PairingSettings(**pairing),
    )
    files.write_json({"field": field} | content, outputs["registration"])
    files.write_csv(paired.table, outputs["places"])
    files.write_json(paired.summary(), outputs["pairing"])
    if content["status"] != "ok" and on_failed_field == "stop":
        raise InputError(
            f"field {field}: {content['reason']}",
            "set on_failed_field to 'exclude' to continue without it, or drop it from the sheet",
        )


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
        brightfields=snakemake.params.brightfields,
        diameter_px=snakemake.params.diameter_um / snakemake.params.pixel_size_um,
        on_failed_field=snakemake.params.on_failed_field,
        registration=snakemake.params.registration,
        landmarks=snakemake.params.landmarks,
        pairing=snakemake.params.pairing,
    )
