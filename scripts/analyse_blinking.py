"""Traces of both epochs -> states, on-fractions, population and blinking of each nanocrystal."""

from functools import partial
from typing import Any

from blinkpair import files
from blinkpair.blinking.equal_length import equal_length_columns
from blinkpair.blinking.field import BlinkingSettings, analyse_nanocrystals
from blinkpair.blinking.on_fractions import on_fractions_at
from blinkpair.epochs import EPOCHS
from blinkpair.pairing.verdicts import leave_out
from blinkpair.photometry.traces import join_epochs
from blinkpair.run.logs import log_to
from blinkpair.run.side_by_side import run_epochs
from blinkpair.treatments import TEMPERATURE, TREATMENT

KEYS = ("field", TEMPERATURE, TREATMENT)  # of a field, in every table


def analyse_blinking(
    epochs: list[str],
    places: str,
    outputs: dict[str, str],
    *,
    field: dict[str, Any],
    settings: dict[str, Any],
    sensitivity_counts: list[float],
    equal_length_s: float | None,
    verdicts: list[dict[str, Any]],
    threads: int = 1,
) -> None:
    """Analyse one field; `field` holds its columns of the sheet that results carry on.

    `settings` holds the sections threshold, dwell_times and photostability, and dark_cutoff;
    `equal_length_s` the length of the shortest movie of all fields where others are longer;
    `verdicts` the rows of the file of verdicts that are of this field.
    """
    datasets = [files.read_netcdf(path) for path in epochs]
    measured = datasets[0]["nanocrystal"].to_numpy()
    exposure_s = datasets[0].attrs["exposure_s"]
    intensity, empty = (
        {
            epoch: dataset[f"{kind}_{epoch}"].to_numpy()
            for epoch, dataset in zip(EPOCHS, datasets, strict=True)
        }
        for kind in ("intensity", "empty")
    )
    result = analyse_nanocrystals(
        leave_out(files.read_csv(places), verdicts),
        measured,
        intensity,
        empty,
        light={e: d[f"light_{e}"].to_numpy() for e, d in zip(EPOCHS, datasets, strict=True)},
        exposure_s=exposure_s,
        settings=BlinkingSettings.of(settings),
        by_epochs=partial(run_epochs, threads=threads),
    )
    table = result.table
    traces = join_epochs(*datasets, result.states, field["field"], table)
    files.write_netcdf(traces, outputs["traces"])
    counted = result.counted(intensity)
    equal = equal_length_columns(
        table,
        measured,
        result.states,
        counted,
        frames=round(equal_length_s / exposure_s) if equal_length_s else 0,
        dark_cutoff=settings["dark_cutoff"],
    )
    table[list(equal)] = equal
    for position, (name, value) in enumerate(field.items()):
        table.insert(position, name, value)
    files.write_csv(table, outputs["table"])
    sweep = on_fractions_at(measured, counted, sensitivity_counts)
    for name, rows in {
        "on_fractions": sweep.merge(table[["nc_id", "analysed"]], on="nc_id"),
        "durations": result.durations,
        "integrated_pl": result.integrated_pl,
    }.items():
        for position, column in enumerate(c for c in KEYS if c in field):
            rows.insert(position, column, field[column])
        files.write_csv(rows, outputs[name])


if __name__ == "__main__":
    log_to(snakemake.log[0])
    analyse_blinking(
        snakemake.input.epochs,
        snakemake.input.places,
        dict(snakemake.output.items()),
        field=snakemake.params.field,
        settings=snakemake.params.settings,
        sensitivity_counts=snakemake.params.sensitivity_counts,
        equal_length_s=snakemake.params.equal_length_s,
        verdicts=snakemake.params.verdicts,
        threads=snakemake.threads,
    )
