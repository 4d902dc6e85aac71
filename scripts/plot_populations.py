"""Tables of all fields -> the figures of the experiment."""

from blinkpair import files
from blinkpair.figures import changes, sensitivity, style
from blinkpair.figures.captions import caption_text
from blinkpair.run.logs import log_to


def plot_populations(
    nanocrystals: str,
    populations: str,
    sensitivity_table: str,
    stems: dict[str, str],
    captions: dict[str, str],
    *,
    dark_cutoff: float,
    method: str,
    threshold_counts: float,
    note: str,
) -> None:
    """Draw the pooled figures; `stems` and `captions` map figure to path and text."""
    table, summary = files.read_csv(nanocrystals, changes.COLUMNS), files.read_csv(populations)
    figures = {
        "delta_histograms": changes.delta_histograms(table, summary, note=note),
        "before_after_scatter": changes.before_after_scatter(table, dark_cutoff, note=note),
        "population_fractions": changes.population_fractions(summary, note=note),
        "sensitivity": sensitivity.sensitivity_figure(
            files.read_csv(sensitivity_table),
            populations=summary,
            method=method,
            threshold_counts=threshold_counts,
            dark_cutoff=dark_cutoff,
            note=note,
        ),
    }
    for name, stem in stems.items():
        caption = caption_text(captions[name], note=note, dark_cutoff=dark_cutoff)
        style.save_figure(figures[name], stem, caption=caption)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_populations(
        snakemake.input.nanocrystals,
        snakemake.input.populations,
        snakemake.input.sensitivity,
        snakemake.params.stems,
        snakemake.params.captions,
        dark_cutoff=snakemake.params.dark_cutoff,
        method=snakemake.params.method,
        threshold_counts=snakemake.params.threshold_counts,
        note=snakemake.params.note,
    )
