"""Tables of all fields -> nanocrystals, fields, populations by each recipe, sensitivity."""

from typing import Any

import pandas as pd

from blinkpair import files
from blinkpair.inputs.made_by_rules import check_equal_lengths
from blinkpair.pairing.verdicts import verdict_outcomes
from blinkpair.populations import (
    brightness,
    dead_time,
    field_remarks,
    light_slope,
    near_limit,
    overlaps,
    recipes,
    samples,
    sensitivity,
    shared_movies,
)
from blinkpair.populations import table as populations
from blinkpair.populations.left_out import LEFT_OUT
from blinkpair.run.logs import log_to
from blinkpair.statistics.intervals import StatisticsSettings
from blinkpair.treatments import as_in_library

# Arrays and a mapping of registration.json that are null where a field was refused.
NO_COLUMNS = ("matrix", "matrix_brightfield", "translation_px", "error_model")


def summarise(
    tables: list[str],
    on_fractions: list[str],
    registrations: list[str],
    pairings: list[str],
    sheet: list[dict[str, Any]],
    outputs: dict[str, str],
    *,
    statistics: dict[str, Any],
    dark_cutoff: float,
    dark_cutoffs: list[float],
    movies: dict[str, list[str]],
    checked: list[str],
    verdicts: dict[str, list[dict[str, Any]]],
) -> None:
    """Pool the fields; `sheet` holds each field's name and temperature, in the order of files.

    `checked` holds what is known of each field's movies where these were made during the run,
    `movies` the two movies of each field that shares one with another, `verdicts` the rows of the
    file of verdicts of each field that has some.

    A field that was refused has a row in `fields` with its reason, and no nanocrystals.
    """
    if checked:
        records = [files.read_json(file) for file in checked]
        sheet = [row | record for row, record in zip(sheet, records, strict=True)]
        if statistics["equal_length"]:
            check_equal_lengths(pd.DataFrame(sheet))
    files.join_csv(tables, outputs["nanocrystals"])
    columns = [*populations.COLUMNS, *populations.OPTIONAL, *recipes.COLUMNS, *near_limit.COLUMNS]
    columns += [*field_remarks.COLUMNS, *light_slope.COLUMNS, LEFT_OUT, samples.COLUMN]
    columns += [*brightness.COLUMNS, *overlaps.COLUMNS, *(shared_movies.PLACES if movies else ())]
    nanocrystals = samples.mark_samples(files.read_csv(outputs["nanocrystals"], columns))
    nanocrystals = shared_movies.mark_shared(nanocrystals, movies)
    settings = StatisticsSettings(**statistics)
    first = shared_movies.first_fields(movies)
    fields = pd.DataFrame(
        [
            row
            | {"same_nanocrystals_as": first.get(row["field"], "")}
            | _at_a_glance(files.read_json(registration), files.read_json(pairing))
            for row, registration, pairing in zip(sheet, registrations, pairings, strict=True)
        ]
    )
    shares = field_remarks.undetermined_share(nanocrystals)
    fields["undetermined_share"] = fields["field"].astype(str).map(shares)
    otherwise = field_remarks.otherwise_by_best(nanocrystals)
    fields["otherwise_by_best_share"] = fields["field"].astype(str).map(otherwise)
    ratios = brightness.brightness_ratios(nanocrystals)
    for column in (brightness.RATIO, brightness.RATIO_SE):
        fields[column] = fields["field"].astype(str).map(ratios[column])
    fixed = field_remarks.by_fixed_threshold(nanocrystals)
    remarks = (
        brightness.remarks(ratios, fixed),
        dead_time.remarks(fields, fixed),
        overlaps.remarks(nanocrystals, fields),
        field_remarks.remarks(nanocrystals),
        light_slope.remarks(nanocrystals, fixed),
    )
    fields["reason"] = [
        "; ".join(filter(None, (row["reason"], *(own.get(str(row["field"])) for own in remarks))))
        for row in fields.fillna({"reason": ""}).to_dict("records")
    ]
    known = as_in_library(fields)
    sweep = files.read_batches(on_fractions, sensitivity.COLUMNS)
    files.write_csv(fields, outputs["fields"])
    own = populations.summarise_populations(nanocrystals, known, settings, dark_cutoff=dark_cutoff)
    files.write_csv(own, outputs["populations"])
    judged = {
        row["field"]: files.read_csv(table)
        for row, table in zip(sheet, tables, strict=True)
        if row["field"] in verdicts
    }
    files.write_csv(verdict_outcomes(judged, verdicts), outputs["verdicts"])
    both = recipes.summarise_recipes(nanocrystals, known, settings, dark_cutoff=dark_cutoff)
    files.write_csv(both, outputs["methods"])
    files.write_csv(
        sensitivity.sensitivity_table(sweep, dark_cutoffs=dark_cutoffs), outputs["sensitivity"]
    )


def _at_a_glance(registration: dict[str, Any], pairing: dict[str, Any]) -> dict[str, Any]:
    """Columns of `fields.csv`: the numbers of a field's registration, without its matrices."""
    flat = {
        name: value
        for name, value in registration.items()
        if name not in ("field", *NO_COLUMNS) and not isinstance(value, list | dict)
    }
    return flat | pairing


if __name__ == "__main__":
    log_to(snakemake.log[0])
    summarise(
        snakemake.input.tables,
        snakemake.input.on_fractions,
        snakemake.input.registrations,
        snakemake.input.pairings,
        snakemake.params.sheet,
        dict(snakemake.output.items()),
        statistics=snakemake.params.statistics,
        dark_cutoff=snakemake.params.dark_cutoff,
        dark_cutoffs=snakemake.params.dark_cutoffs,
        movies=snakemake.params.movies,
        checked=list(snakemake.input.checked),
        verdicts=snakemake.params.verdicts,
    )
