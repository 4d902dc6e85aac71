"""Traces of both epochs -> states, on-fractions and the population of each nanocrystal."""

from typing import Any

import xarray as xr

from blinkpair import files
from blinkpair.blinking import EPOCHS, analyse_nanocrystals, on_fractions_at
from blinkpair.logs import log_to
from blinkpair.traces import join_epochs


def analyse_blinking(
    epochs: list[str],
    places: str,
    traces: str,
    table: str,
    on_fractions: str,
    *,
    field: dict[str, Any],
    threshold: dict[str, Any],
    dark_cutoff: float,
    dwell_times: dict[str, Any],
    sensitivity_counts: list[float],
) -> None:
    """Analyse one field; `field` holds its columns of the sheet that results carry on."""
    pre, post = (xr.load_dataset(path, engine="h5netcdf") for path in epochs)
    files.write_netcdf(join_epochs(pre, post, field["field"]), traces)
    measured = pre["nanocrystal"].to_numpy()
    intensity = {
        epoch: dataset[f"intensity_{epoch}"].to_numpy()
        for epoch, dataset in zip(EPOCHS, (pre, post), strict=True)
    }
    result = analyse_nanocrystals(
        files.read_csv(places),
        measured,
        intensity,
        exposure_s=pre.attrs["exposure_s"],
        threshold=threshold,
        dark_cutoff=dark_cutoff,
        dwell_times=dwell_times,
    )
    for position, (name, value) in enumerate(field.items()):
        result.insert(position, name, value)
    files.write_csv(result, table)
    sweep = on_fractions_at(measured, intensity, sensitivity_counts)
    sweep = sweep.merge(result[["nc_id", "analysed"]], on="nc_id")
    sweep.insert(0, "field", field["field"])
    sweep.insert(1, "temperature_c", field["temperature_c"])
    files.write_csv(sweep, on_fractions)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    analyse_blinking(
        snakemake.input.epochs,
        snakemake.input.places,
        snakemake.output.traces,
        snakemake.output.table,
        snakemake.output.on_fractions,
        field=snakemake.params.field,
        threshold=snakemake.params.threshold,
        dark_cutoff=snakemake.params.dark_cutoff,
        dwell_times=snakemake.params.dwell_times,
        sensitivity_counts=snakemake.params.sensitivity_counts,
    )
