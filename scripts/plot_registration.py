"""Images and matches of a field -> the figure by which a person judges its registration."""

import xarray as xr

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.figures import registration, style
from blinkpair.figures.captions import caption_text
from blinkpair.movie.reader import read_image
from blinkpair.nanocrystals import catalogues
from blinkpair.run.logs import log_to


def plot_registration(
    brightfields: list[str],
    microspheres: list[str],
    nanocrystals: list[str],
    images: list[str],
    info: str,
    stem: str,
    captions: dict[str, str],
    *,
    pixel_size_um: float,
    field: str,
    note: str,
) -> None:
    """Draw one field; lists hold pre and post. An unreadable image is left out."""
    content = files.read_json(info)
    microsphere_xy = [catalogues.positions(files.read_csv(path)) for path in microspheres]
    nanocrystal_xy = [catalogues.positions(files.read_csv(path)) for path in nanocrystals]
    pixels = []
    for path in brightfields:
        try:
            pixels.append(read_image(path)[0])
        except InputError:
            pixels.append(registration.no_image())
    projections = []
    for path in images:
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            projections.append(dataset["mean"].to_numpy())
    figure = registration.registration_check(
        *pixels,
        content["matrix_brightfield"],
        *microsphere_xy,
        content["microsphere_pairs"],
        *nanocrystal_xy,
        content["nanocrystal_pairs"],
        content["matrix"],
        content,
        pl_pre=projections[0],
        pl_post=projections[1],
        pixel_size_um=pixel_size_um,
        field=field,
        note=note,
    )
    caption = caption_text(captions["registration"], field=field, note=note)
    style.save_figure(figure, stem, caption=caption)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_registration(
        snakemake.params.brightfields,
        snakemake.input.microspheres,
        snakemake.input.nanocrystals,
        snakemake.input.images,
        snakemake.input.registration,
        snakemake.params.stem,
        snakemake.params.captions,
        pixel_size_um=snakemake.params.pixel_size_um,
        field=snakemake.wildcards.field,
        note=snakemake.params.note,
    )
