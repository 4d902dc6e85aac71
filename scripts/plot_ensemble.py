"""Tables and curves of the films -> their figures."""

from blinkpair import files
from blinkpair.figures import ensemble, style
from blinkpair.run.logs import log_to


def plot_ensemble(beside: str, curves: str, stems: dict[str, str], *, note: str) -> None:
    """Draw the figures of the ensemble; `stems` maps figure to path."""
    import xarray as xr

    with xr.open_dataset(curves, engine="h5netcdf") as data:
        measured = ensemble.measurements(data.load())
    figures = {
        "ensemble_decays": ensemble.decays(measured, note=note),
        "ensemble_bleach": ensemble.bleaches(measured, note=note),
        "ensemble_bleach_map": ensemble.bleach_maps(measured, note=note),
        "ensemble_beside": ensemble.beside(files.read_csv(beside), note=note),
    }
    for name, stem in stems.items():
        style.save_figure(figures[name], stem)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_ensemble(
        snakemake.input.beside,
        snakemake.input.curves,
        snakemake.params.stems,
        note=snakemake.params.note,
    )
