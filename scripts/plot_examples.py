"""Tables and traces of all fields -> traces and dwell times of single nanocrystals."""

from typing import Any

from blinkpair import files
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.figures import dwell_examples, dwell_times, examples, style
from blinkpair.figures.captions import caption_text
from blinkpair.figures.traces import ShownTrend, example_traces
from blinkpair.run.logs import log_to


def plot_examples(
    nanocrystals: str,
    traces: dict[str, str],
    stems: dict[str, str],
    captions: dict[str, str],
    *,
    fits: dict[str, Any],
    significance: float,
    note: str,
) -> None:
    """Draw nanocrystals of each population, class and type; `traces` maps field to file."""
    table = files.read_csv(nanocrystals, examples.COLUMNS)
    typical = examples.choose(table)
    by_class, left_out = examples.choose_by_photostability(table, significance)
    del table  # of millions of nanocrystals, before others of its columns are read
    clear = dwell_examples.choose_dwell_examples(
        files.read_csv(nanocrystals, dwell_examples.COLUMNS)
    )
    trends = [ShownTrend(r.trend_epoch, r.trend, r.remark) for r in by_class.itertuples()]
    for name, chosen, more in (
        ("example_traces", typical, {}),
        ("example_photostability", by_class, {"trends": trends, "left_out": left_out}),
    ):
        shown = examples.read_traces(chosen, traces)
        figure = example_traces(
            shown.pre,
            shown.post,
            shown.thresholds,
            shown.exposure_s,
            shown.labels,
            on_fractions=shown.on_fractions,
            note=note,
            **more,
        )
        style.save_figure(figure, stems[name], caption=caption_text(captions[name], note=note))
    events, settings = [], DwellTimeSettings(**fits)
    for row in clear.itertuples():
        states = examples.read_states(str(row.field), int(row.nc_id), traces)
        events.append(
            dwell_examples.measure_dwell_example(
                str(row.label), states.on, exposure_s=states.exposure_s, settings=settings
            )
        )
    figure = dwell_times.example_dwell_times(events, note=note)
    caption = caption_text(captions["example_dwell_times"], note=note)
    style.save_figure(figure, stems["example_dwell_times"], caption=caption)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_examples(
        snakemake.input.nanocrystals,
        dict(zip(snakemake.params.fields, snakemake.input.traces, strict=True)),
        snakemake.params.stems,
        snakemake.params.captions,
        fits=snakemake.params.fits,
        significance=snakemake.params.significance,
        note=snakemake.params.note,
    )
