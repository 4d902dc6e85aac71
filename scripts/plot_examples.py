"""Tables and traces of all fields -> traces and dwell times of single nanocrystals."""

from typing import Any

from blinkpair import files
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.figures import dwell_examples, dwell_times, examples, style, trajectories
from blinkpair.run.logs import log_to


def plot_examples(
    nanocrystals: str,
    traces: dict[str, str],
    stems: dict[str, str],
    *,
    fits: dict[str, Any],
    note: str,
) -> None:
    """Draw nanocrystals of each population, class and type; `traces` maps field to file."""
    table = files.read_csv(nanocrystals, examples.COLUMNS)
    typical, by_class = examples.choose(table), examples.choose_by_photostability(table)
    del table  # of millions of nanocrystals, before others of its columns are read
    clear = dwell_examples.choose_dwell_examples(
        files.read_csv(nanocrystals, dwell_examples.COLUMNS)
    )
    for name, chosen in {"example_traces": typical, "example_photostability": by_class}.items():
        shown = examples.read_traces(chosen, traces)
        figure = trajectories.example_traces(
            shown.pre,
            shown.post,
            shown.thresholds,
            shown.exposure_s,
            shown.labels,
            on_fractions=shown.on_fractions,
            note=note,
        )
        style.save_figure(figure, stems[name])
    events, settings = [], DwellTimeSettings(**fits)
    for row in clear.itertuples():
        states = examples.read_states(str(row.field), int(row.nc_id), traces)
        events.append(
            dwell_examples.measure_dwell_example(
                str(row.label), states.on, exposure_s=states.exposure_s, settings=settings
            )
        )
    figure = dwell_times.example_dwell_times(events, note=note)
    style.save_figure(figure, stems["example_dwell_times"])


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_examples(
        snakemake.input.nanocrystals,
        dict(zip(snakemake.params.fields, snakemake.input.traces, strict=True)),
        snakemake.params.stems,
        fits=snakemake.params.fits,
        note=snakemake.params.note,
    )
