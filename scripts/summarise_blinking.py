"""Tables and events of all fields -> types of blinking, dwell times, photostability."""

from typing import Any

import pandas as pd

from blinkpair import blinking_types, files, photostability_summary, pooled_dwell_times
from blinkpair.logs import log_to


def summarise_blinking(
    nanocrystals: str,
    durations: list[str],
    integrated_pl: list[str],
    outputs: dict[str, str],
    *,
    statistics: dict[str, Any],
    dwell_times: dict[str, Any],
    large_change: float,
) -> None:
    """Make the tables per temperature; `durations` and `integrated_pl` have one file a field."""
    table = files.read_csv(nanocrystals)
    events = pd.concat([files.read_csv(path) for path in durations], ignore_index=True)
    tables = {
        "types": blinking_types.summarise_types(table, **statistics),
        "type_transitions": blinking_types.type_transitions(table, **statistics),
        "change_by_type": blinking_types.change_by_type(table, **statistics),
        "alpha_by_change": blinking_types.alpha_by_change(
            table, large_change=large_change, **statistics
        ),
        "dwell_times": pooled_dwell_times.pool_densities(events),
        "dwell_fits": pooled_dwell_times.pool_fits(events, **dwell_times),
        "photostability": photostability_summary.summarise_photostability(table, **statistics),
        "integrated_pl": pd.concat(
            [files.read_csv(path) for path in integrated_pl], ignore_index=True
        ),
    }
    for name, rows in tables.items():
        files.write_csv(rows, outputs[name])


if __name__ == "__main__":
    log_to(snakemake.log[0])
    summarise_blinking(
        snakemake.input.nanocrystals,
        snakemake.input.durations,
        snakemake.input.integrated_pl,
        dict(snakemake.output.items()),
        statistics=snakemake.params.statistics,
        dwell_times=snakemake.params.dwell_times,
        large_change=snakemake.params.large_change,
    )
