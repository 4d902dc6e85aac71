"""Tables of types, dwell times and photostability -> their figures."""

from blinkpair import files
from blinkpair.figures import dwell_times, field_pl, panels, style, types
from blinkpair.figures.captions import caption_text
from blinkpair.labels import CLASS_NAMES
from blinkpair.populations.type_states import type_groups
from blinkpair.run.logs import log_to


def plot_blinking(
    nanocrystals: str,
    tables: dict[str, str],
    stems: dict[str, str],
    captions: dict[str, str],
    *,
    reference_s: float,
    note: str,
) -> None:
    """Draw the pooled figures.

    `tables` maps table to file, `stems` and `captions` figure to path and text.
    """
    of_all = type_groups(files.read_csv(nanocrystals, types.COLUMNS))
    table = {
        name: files.read_csv(path, field_pl.COLUMNS if name == "integrated_pl" else None)
        for name, path in tables.items()
    }
    figures = {
        "types": panels.fractions_by_epoch(
            table["types"],
            types.EMISSIVE_NAMES,
            of_what="emissive",
            none="not_fitted",
            empty="none emissive",
            note=note,
        ),
        "type_transitions": types.type_transitions(table["type_transitions"], note=note),
        "delta_by_type": types.delta_by_type(of_all, note=note),
        "alpha_by_change": types.alpha_by_change(of_all, table["alpha_by_change"], note=note),
        "dwell_times": dwell_times.pooled_dwell_times(
            table["dwell_times"], table["dwell_fits"], note=note
        ),
        "photostability": panels.fractions_by_epoch(
            table["photostability"], CLASS_NAMES, of_what="n", empty="none tested", note=note
        ),
        "integrated_pl": field_pl.integrated_pl(
            table["integrated_pl"], table["photostability"], reference_s=reference_s, note=note
        ),
    }
    for name, stem in stems.items():
        caption = caption_text(captions[name], note=note, reference_s=reference_s)
        style.save_figure(figures[name], stem, caption=caption)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_blinking(
        snakemake.input.nanocrystals,
        {name: snakemake.input[name] for name in snakemake.params.tables},
        snakemake.params.stems,
        snakemake.params.captions,
        reference_s=snakemake.params.reference_s,
        note=snakemake.params.note,
    )
