"""Tables and events of all fields -> types of blinking, dwell times, photostability."""

from typing import Any

from blinkpair import files
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.populations import blinking_types, photostability_summary, pooled_dwell_times
from blinkpair.populations.counted import independent_fields
from blinkpair.populations.pools import COLUMNS as DURATION_COLUMNS
from blinkpair.populations.pools import pool_durations
from blinkpair.populations.samples import COLUMN as SAMPLE
from blinkpair.populations.samples import mark_samples
from blinkpair.populations.shared_movies import mark_shared
from blinkpair.populations.type_states import COLUMNS, type_groups
from blinkpair.run.logs import log_to
from blinkpair.statistics.intervals import StatisticsSettings


def summarise_blinking(
    nanocrystals: str,
    fields: str,
    durations: list[str],
    integrated_pl: list[str],
    outputs: dict[str, str],
    *,
    statistics: dict[str, Any],
    dwell_times: dict[str, Any],
    large_change: float,
    movies: dict[str, list[str]],
) -> None:
    """Make the tables per temperature; `durations` and `integrated_pl` have one file a field.

    `movies` holds the two movies of each field that shares one with another.
    """
    intervals = StatisticsSettings(**statistics)
    marked = mark_samples(mark_shared(files.read_csv(nanocrystals, [*COLUMNS, SAMPLE]), movies))
    of_fields = marked.drop_duplicates("field")
    units = dict(zip(of_fields["field"], independent_fields(of_fields), strict=True))
    # By name, so that the tables do not depend on the order of the sheet.
    pools = pool_durations(files.read_batches(sorted(durations), DURATION_COLUMNS), units)
    groups = type_groups(marked)
    tables = {
        "types": blinking_types.summarise_types(groups, intervals),
        "type_transitions": blinking_types.type_transitions(groups, intervals),
        "change_by_type": blinking_types.change_by_type(groups, intervals),
        "alpha_by_change": blinking_types.alpha_by_change(
            groups, intervals, large_change=large_change
        ),
        "dwell_times": pooled_dwell_times.pool_densities(pools),
        "dwell_fits": pooled_dwell_times.pool_fits(pools, DwellTimeSettings(**dwell_times)),
    }
    del marked, groups  # of millions of nanocrystals, before others are read of them
    tables["photostability"] = photostability_summary.summarise_photostability(
        mark_samples(
            mark_shared(
                files.read_csv(nanocrystals, [*photostability_summary.COLUMNS, SAMPLE]), movies
            )
        ),
        intervals,
        files.read_csv(fields),
    )
    for name, rows in tables.items():
        files.write_csv(rows, outputs[name])
    files.join_csv(integrated_pl, outputs["integrated_pl"])


if __name__ == "__main__":
    log_to(snakemake.log[0])
    summarise_blinking(
        snakemake.input.nanocrystals,
        snakemake.input.fields,
        snakemake.input.durations,
        snakemake.input.integrated_pl,
        dict(snakemake.output.items()),
        statistics=snakemake.params.statistics,
        dwell_times=snakemake.params.dwell_times,
        large_change=snakemake.params.large_change,
        movies=snakemake.params.movies,
    )
