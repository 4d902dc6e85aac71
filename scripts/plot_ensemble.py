"""Tables and curves of the films -> their figures."""

from blinkpair import files
from blinkpair.figures import ensemble, style
from blinkpair.figures.captions import caption_text
from blinkpair.run.logs import log_to


def plot_ensemble(
    beside: str, curves: str, stems: dict[str, str], captions: dict[str, str], *, note: str
) -> None:
    """Draw the figures of the ensemble; `stems` and `captions` map figure to path and text."""
    measured = ensemble.measurements(files.read_netcdf(curves))
    figures = {
        "ensemble_decays": ensemble.decays(measured, note=note),
        "ensemble_bleach": ensemble.bleaches(measured, note=note),
        "ensemble_bleach_map": ensemble.bleach_maps(measured, note=note),
        "ensemble_beside": ensemble.beside(files.read_csv(beside), note=note),
    }
    for name, stem in stems.items():
        caption = caption_text(captions[name], note=note)
        style.save_figure(figures[name], stem, caption=caption)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_ensemble(
        snakemake.input.beside,
        snakemake.input.curves,
        snakemake.params.stems,
        snakemake.params.captions,
        note=snakemake.params.note,
    )
