"""Brightfields and nanocrystals of both epochs -> microspheres, transform, same nanocrystals."""

import functools
from typing import Any

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.movie.reader import read_image
from blinkpair.pairing.field import EpochTables, microspheres_of, register_and_pair
from blinkpair.pairing.places import PairingSettings
from blinkpair.registration.fields import RegistrationSettings
from blinkpair.run.logs import log_to


def register(
    brightfields: list[str],
    nanocrystals: list[str],
    nanocrystals_info: list[str],
    drifts: list[str],
    outputs: dict[str, Any],
    *,
    field: str,
    diameter_px: float,
    on_failed_field: str,
    registration: dict[str, Any],
    landmarks: str,
    pairing: dict[str, float],
) -> None:
    """Find the microspheres of one field, register it and pair its nanocrystals.

    Lists hold the files of pre and post. Of a refused field the reason and an empty table of places
    are written. An unusable image leaves an empty table of microspheres, with the status 'failed'.

    Raises
    ------
    InputError
        If the field is refused and `on_failed_field` is 'stop'.
    """
    read = functools.cache(read_image)
    epochs = []
    for k, image in enumerate(brightfields):
        table, info = outputs["microspheres"][k], outputs["microspheres_info"][k]
        found, outcome = microspheres_of(read, image, diameter_px)
        files.write_csv(found, table)
        files.write_json(outcome, info)
        epochs.append(
            EpochTables(
                files.read_csv(table),
                files.read_json(info),
                files.read_csv(nanocrystals[k]),
                files.read_json(nanocrystals_info[k]),
                files.read_csv(drifts[k]),
            )
        )
    content, paired = register_and_pair(
        *epochs,
        brightfields=lambda: (read(brightfields[0])[0], read(brightfields[1])[0]),
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
        snakemake.params.brightfields,
        snakemake.input.nanocrystals,
        snakemake.input.nanocrystals_info,
        snakemake.input.drifts,
        dict(snakemake.output.items()),
        field=snakemake.wildcards.field,
        diameter_px=snakemake.params.diameter_um / snakemake.params.pixel_size_um,
        on_failed_field=snakemake.params.on_failed_field,
        registration=snakemake.params.registration,
        landmarks=snakemake.params.landmarks,
        pairing=snakemake.params.pairing,
    )
