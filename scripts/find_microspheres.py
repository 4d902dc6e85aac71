"""Brightfield image -> positions of the microspheres."""

from typing import Any

from blinkpair import brightfield, files, movie
from blinkpair.errors import InputError
from blinkpair.logs import log_to


def find_microspheres(
    image: str, table: str, info: str, *, diameter_um: float, pixel_size_um: float
) -> None:
    """Find the microspheres of one epoch.

    An unusable image leaves an empty table, and `info` says 'failed' and why.
    """
    outcome: dict[str, Any] = {"status": "ok", "reason": ""}
    found = brightfield.no_microspheres()
    try:
        pixels, header = movie.read_image(image)
        outcome |= {"shape": pixels.shape, "notes": header.notes}
        found = brightfield.find_microspheres(pixels, diameter_um / pixel_size_um)
    except InputError as error:
        outcome |= {"status": "failed", "reason": str(error)}
    files.write_csv(found, table)
    files.write_json(outcome | {"n_microspheres": len(found)}, info)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    find_microspheres(
        snakemake.params.image,
        snakemake.output.table,
        snakemake.output.info,
        diameter_um=snakemake.params.diameter_um,
        pixel_size_um=snakemake.params.pixel_size_um,
    )
