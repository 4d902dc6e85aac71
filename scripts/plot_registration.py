"""Images and matches of fields -> the figures by which a person judges their registrations."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import h5py

from blinkpair import files
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.figures import registration, style
from blinkpair.figures.captions import caption_text
from blinkpair.movie.reader import read_image
from blinkpair.nanocrystals import catalogues
from blinkpair.run.logs import log_to


def plot_registration(
    fields: list[dict[str, Any]],
    results: list[str],
    stems: dict[str, str],
    captions: dict[str, str],
) -> None:
    """Draw a figure of each field; an unreadable image is left out.

    `fields` holds the columns field, pre_brightfield, post_brightfield, pixel_size_um and note of
    each; `results` the files of all of them, each below a folder of the field's name; `stems` the
    paths of the figures without suffix.
    """
    of_field: dict[str, dict[str, str]] = defaultdict(dict)
    for path in map(Path, results):
        of_field[path.parent.name][path.stem] = str(path)
    for row in fields:
        field, own = row["field"], of_field[row["field"]]
        views = []
        for epoch in EPOCHS:
            try:
                brightfield = read_image(row[f"{epoch}_brightfield"])[0]
            except InputError:
                brightfield = registration.no_image()
            microspheres, nanocrystals = (
                catalogues.positions(files.read_csv(own[f"{kind}_{epoch}"]))
                for kind in ("microspheres", "nanocrystals")
            )
            with h5py.File(own[f"images_{epoch}"]) as images:
                projection = images["mean"][...]
            views.append(
                registration.EpochView(brightfield, microspheres, nanocrystals, projection)
            )
        figure = registration.registration_check(
            *views,
            files.read_json(own["registration"]),
            pixel_size_um=row["pixel_size_um"],
            field=field,
            note=row["note"],
        )
        caption = caption_text(captions["registration"], field=field, note=row["note"])
        style.save_figure(figure, stems[field], caption=caption)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_registration(
        snakemake.params.fields,
        snakemake.input.results,
        snakemake.params.stems,
        snakemake.params.captions,
    )
