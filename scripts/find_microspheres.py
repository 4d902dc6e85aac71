"""Brightfield images of both epochs -> positions of the microspheres."""

from typing import Any

from blinkpair import files
from blinkpair.brightfield import microspheres
from blinkpair.brightfield.seen import image_diameter_px
from blinkpair.errors import InputError
from blinkpair.movie.reader import read_image
from blinkpair.run.logs import log_to


def find_microspheres(
    images: list[str],
    tables: list[str],
    infos: list[str],
    *,
    diameter_um: float,
    pixel_size_um: float,
) -> None:
    """Find the microspheres of one field; lists hold the files of the epochs pre and post.

    An unusable image leaves an empty table, and its entry of `infos` has the status 'failed'.
    """
    for image, table, info in zip(images, tables, infos, strict=True):
        outcome: dict[str, Any] = {"status": "ok", "reason": "", "diameter_px": None}
        found = microspheres.no_microspheres()
        try:
            pixels, header = read_image(image)
            outcome |= {"shape": pixels.shape, "notes": header.notes}
            given_px = diameter_um / pixel_size_um
            found = microspheres.find_microspheres(pixels, given_px)
            seen_px = image_diameter_px(pixels, found[["x", "y"]].to_numpy(), given_px)
            outcome |= {"diameter_px": seen_px}
        except InputError as error:
            outcome |= {"status": "failed", "reason": str(error)}
        files.write_csv(found, table)
        files.write_json(outcome | {"n_microspheres": len(found)}, info)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    find_microspheres(
        snakemake.params.images,
        snakemake.output.tables,
        snakemake.output.infos,
        diameter_um=snakemake.params.diameter_um,
        pixel_size_um=snakemake.params.pixel_size_um,
    )
