"""All results -> one self-contained page that shows them down to the pixels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

import blinkpair
from blinkpair import files
from blinkpair.epochs import EPOCHS
from blinkpair.report.fields import read_field
from blinkpair.report.page import NANOCRYSTAL_COLUMNS, build_page
from blinkpair.report.traces import bins_for
from blinkpair.run.logs import log_to


def build_report(
    tables: list[str],
    provenance: str,
    fields: list[str],
    citation: str | Path,
    output: str,
    *,
    shown: list[dict[str, Any]],
    settings: dict[str, Any],
    note: str,
    ensemble: Sequence[str] = (),
) -> None:
    """Write the report; the first of `tables` is that of the nanocrystals, of all fields.

    `shown` holds the sheet's columns of the fields to show one by one; `ensemble` has the tables
    and the figures of films, or nothing.
    """
    results = {Path(path).stem: files.read_csv(path) for path in tables[1:]}
    results["nanocrystals"] = files.read_csv(tables[0], NANOCRYSTAL_COLUMNS)
    names = [row["field"] for row in shown]
    csv = files.lines_of_fields(tables[0], names)
    of_field: dict[str, dict[str, str]] = {name: {} for name in names}
    for path in map(Path, fields):
        of_field[path.parent.name][path.stem] = str(path)
    reasons = results["fields"].set_index("field")["reason"].fillna("").to_dict()
    bins = bins_for(int(results["nanocrystals"]["field"].isin(names).sum()))
    content = [
        read_field(
            row["field"],
            row | {"reason": reasons[row["field"]]},
            of_field[row["field"]]
            | {f"brightfield_{epoch}": row[f"{epoch}_brightfield"] for epoch in EPOCHS},
            bins,
        )
        for row in shown
    ]
    films = None
    if ensemble:
        from blinkpair.report import ensemble_section

        decays, beside = (files.read_csv(path) for path in ensemble if path.endswith(".csv"))
        figures = [path for path in ensemble if path.endswith(".png")]
        films = ensemble_section.section(
            decays, beside, figures, settings["statistics"]["confidence"]
        )
    page = build_page(
        results,
        csv,
        content,
        settings=settings,
        provenance=files.read_json(provenance),
        citation=yaml.safe_load(Path(citation).read_text(encoding="utf-8")),
        note=note,
        ensemble=films,
    )
    files.write_text(page, output)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    build_report(
        snakemake.input.tables,
        snakemake.input.provenance,
        snakemake.input.fields,
        Path(blinkpair.__file__).parents[2] / "CITATION.cff",
        snakemake.output[0],
        shown=snakemake.params.shown,
        settings=snakemake.params.settings,
        note=snakemake.params.note,
        ensemble=list(snakemake.input.ensemble),
    )
