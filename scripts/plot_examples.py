"""Tables and traces of all fields -> the traces of typical nanocrystals."""

from blinkpair import examples, files
from blinkpair.figures import style, trajectories
from blinkpair.logs import log_to


def plot_examples(nanocrystals: str, traces: dict[str, str], stem: str, *, note: str) -> None:
    """Draw one nanocrystal of each population before and after; `traces` maps field to file."""
    chosen = examples.choose(files.read_csv(nanocrystals))
    shown = examples.read_traces(chosen, traces)
    figure = trajectories.example_traces(
        shown.pre, shown.post, shown.thresholds, shown.exposure_s, shown.labels, note=note
    )
    style.save_figure(figure, stem)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_examples(
        snakemake.input.nanocrystals,
        dict(zip(snakemake.params.fields, snakemake.input.traces, strict=True)),
        snakemake.params.stem,
        note=snakemake.params.note,
    )
