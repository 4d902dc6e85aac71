"""The report: one HTML file that contains everything it shows.

The tables are made here and can be read without any script; the plots are Plotly's, drawn in the
browser from the data in the page. By its content security policy the page loads nothing.

Input: the result tables, what `fields.read_field` prepared of the fields to show, and how the run
was made. Output: the text of the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blinkpair import files, labels
from blinkpair.blinking.equal_length import have_same_length
from blinkpair.blinking.on_fractions import COUNTED
from blinkpair.dwell_fits.histograms import count_limits
from blinkpair.epochs import EPOCHS
from blinkpair.figures import style
from blinkpair.labels import CONTROL, temperature_label
from blinkpair.report import (
    blinking_tables,
    cells,
    citations,
    methods_short,
    methods_text,
    result_sentences,
    run_summary,
    tables,
    verdicts,
)
from blinkpair.report.language import some_of
from blinkpair.report.packing import pack

# Columns of the nanocrystals of all fields that the page uses.
NANOCRYSTAL_COLUMNS = (
    "field",
    "temperature_c",
    "analysed",
    "excluded_because",
    "population",
    "delta_on_fraction",
    *(f"two_emitters_{epoch}" for epoch in EPOCHS),
)
BIN_POINTS = 5  # as in figures.changes: 40 bins from -100 to +100 points
PAGE = Path(__file__).parent / "page"
STYLES = ("page.css", "sections.css")
SCRIPTS = (
    "data.js",
    "plot.js",
    "answer.js",
    "selection.js",
    "browse.js",
    "nanocrystal.js",
    "dwell.js",
    "single.js",
    "verdicts.js",
    "fields.js",
    "robust.js",
    "main.js",
)


def build_page(
    results: Mapping[str, pd.DataFrame],
    nanocrystals_csv: str,
    fields: Sequence[Mapping[str, Any]],
    *,
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
    citation: Mapping[str, Any],
    note: str = "",
    ensemble: Mapping[str, Any] | None = None,
) -> str:
    """Write the report of a run.

    Parameters
    ----------
    results : mapping of str to DataFrame
        The tables of `results/` by name, of all fields: nanocrystals (of these the
        `NANOCRYSTAL_COLUMNS`), fields, populations, methods,
        sensitivity, types, type_transitions, change_by_type, alpha_by_change, photostability,
        verdicts.
    nanocrystals_csv : str
        Header and rows of `nanocrystals.csv` of the fields to show, unchanged.
    fields : sequence of mappings
        From `fields.read_field`.
    settings, provenance, citation : mapping
        Every setting; the content of `provenance.json` and of `CITATION.cff`.
    note : str
        Written above everything, for example `simulated`.
    ensemble : mapping, optional
        From `ensemble_section.section`, where films were measured.

    Returns
    -------
    str
        HTML.
    """
    import jinja2
    import yaml
    from plotly.offline import get_plotlyjs

    confidence = settings["statistics"]["confidence"]
    answers = _answers(results, settings)
    shown = {field["name"] for field in fields}
    hidden = [name for name in results["fields"]["field"] if name not in shown]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_keep_units,
    )
    return environment.get_template("page.html.j2").render(
        style="\n".join(_text(name) for name in STYLES),
        plotly=get_plotlyjs(),
        script="\n".join(_text(name) for name in SCRIPTS),
        data=as_script_data(
            _data(results, nanocrystals_csv, fields, answers, settings, note),
        ),
        note=note,
        word=labels.treatment_word(results["fields"]["temperature_c"]),
        banner=_banner(results["fields"]),
        answers=answers,
        headline=run_summary.headline(
            results["populations"], results["fields"], settings["dark_cutoff"]
        ),
        tables={
            "populations": tables.populations(results["populations"], confidence),
            "methods": tables.methods(results["methods"], confidence),
            "fields": tables.fields(results["fields"]),
            "refused": tables.refused(results["fields"]),
            "to_check": tables.to_check(results["fields"]),
            "excluded": tables.excluded(results["nanocrystals"]),
            "verdicts": verdicts.verdict_table(results["verdicts"], tables.MOST_ROWS),
            "sensitivity": tables.sensitivity(results["sensitivity"]),
            "types": blinking_tables.types(results["types"], confidence),
            "transitions": blinking_tables.transitions(results["type_transitions"]),
            "estimated_transitions": blinking_tables.estimated_transitions(
                results["type_transitions"], confidence
            ),
            "change_by_type": blinking_tables.change_by_type(results["change_by_type"], confidence),
            "alpha_by_change": blinking_tables.alpha_by_change(
                results["alpha_by_change"], confidence
            ),
            "photostability": blinking_tables.photostability(results["photostability"], confidence),
            "versions": tables.versions(provenance),
            "inputs": tables.inputs(provenance),
        },
        ensemble=ensemble,
        hidden=hidden,
        verdicts_file=settings["verdicts"] or "config/verdicts.csv",
        n_shown=len(shown),
        methods=methods_text.methods(
            settings,
            provenance,
            results["fields"],
            results["populations"],
            results["nanocrystals"],
            fields,
        ),
        methods_short=methods_short.methods_short(
            settings, provenance, results["fields"], results["nanocrystals"]
        ),
        cite=citations.citation(citation, provenance["versions"]["blinkpair"]),
        settings=yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True),
    )


def as_script_data(content: Mapping[str, Any]) -> str:
    """Write JSON that can stand inside a script element, whatever text is in it."""
    values = files.plain_values(content)
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Inside a string of JSON an escaped '<' is the same text, and no tag for the browser.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def _banner(fields: pd.DataFrame) -> str:
    """Return which fields are simulated, by their column `sample`."""
    is_simulated = tables.is_simulated(fields)
    if is_simulated.all():
        return "These data are simulated." if len(fields) else ""
    names = ", ".join(some_of(fields.loc[is_simulated, "field"]))
    return f"Some of the fields are simulated: {names}." if names else ""


def _keep_units(value: Any) -> Any:
    """Keep a unit on the line of its number, in all text that is not markup already."""
    if type(value) is not str:
        return value
    return value.replace(" %", "\N{NO-BREAK SPACE}%").replace(" °C", "\N{NO-BREAK SPACE}°C")


def _answers(
    results: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return for each treatment what stands beside its histogram."""
    confidence, dark_cutoff = settings["statistics"]["confidence"], settings["dark_cutoff"]
    populations = results["populations"]
    recipes = labels.by_temperature(results["methods"])
    rows: list[cells.Row] = list(labels.rows_by_temperature(populations).values())
    control = next((r for r in rows if temperature_label(r["temperature_c"]) == CONTROL), None)
    word = labels.treatment_word(populations["temperature_c"])
    return [
        {
            "temperature_c": str(temperature_label(row["temperature_c"])),
            "name": labels.treatment_title(row["temperature_c"]),
            "n": int(row["n"]),
            "mean": cells.signed_points(row["mean_delta"]),
            "interval": cells.ends(row, "mean_delta", cells.signed_points),
            "mean_points": [100 * row[f"mean_delta{end}"] for end in ("", "_low", "_high")],
            "beside_control": control is not None and have_same_length(row, control),
            **{
                name: {
                    "share": cells.percent(row[f"fraction_{name}"]),
                    "interval": cells.ends(row, f"fraction_{name}", cells.percent_end, " %"),
                }
                for name in ("became_emissive", "became_dark")
            },
            "sentence": result_sentences.answer(
                row, None if row is control else control, confidence, dark_cutoff, word
            ),
            "caveats": result_sentences.caveats(row),
            "recipes": result_sentences.other_recipe(
                recipes[temperature_label(row["temperature_c"])].to_dict("records"),
                settings["threshold"]["method"],
                settings["threshold"]["counts"],
            ),
        }
        for row in rows
    ]


def histogram(
    nanocrystals: pd.DataFrame, temperatures: Sequence[str]
) -> dict[str, dict[str, list[int]]]:
    """Count changes of the on-fraction, by treatment and population.

    Parameters
    ----------
    nanocrystals : DataFrame
        Of all fields.
    temperatures : sequence of str
        All there are; one without nanocrystals gets zeros.

    Returns
    -------
    dict of dict of list of int
        temperature_c, then population, to the counts of the bins of `BIN_POINTS` points. A change
        on an edge belongs to the bin above it, +100 points to the last one.
    """
    n_bins = 200 // BIN_POINTS
    counts = {name: dict.fromkeys(COUNTED, [0] * n_bins) for name in temperatures}
    for name, part in labels.by_temperature(nanocrystals).items():
        for population in COUNTED:
            delta = part.loc[part["population"] == population, "delta_on_fraction"]
            # The file has six digits; rounding takes off what binary numbers add to them.
            points = np.round(100 * delta.to_numpy(float), 6)
            bins = np.minimum(np.floor((points + 100) / BIN_POINTS), n_bins - 1).astype(int)
            counts[str(name)][population] = np.bincount(bins, minlength=n_bins).tolist()
    return counts


def _data(
    results: Mapping[str, pd.DataFrame],
    nanocrystals_csv: str,
    fields: Sequence[Mapping[str, Any]],
    answers: list[dict[str, Any]],
    settings: Mapping[str, Any],
    note: str,
) -> dict[str, Any]:
    sensitivity = results["sensitivity"]
    columns = [
        "temperature_c",
        "threshold_counts",
        "dark_cutoff",
        "n",
        "fraction_became_emissive",
        "fraction_became_dark",
        "mean_delta",
    ]
    return {
        "note": note,
        "treatment_heading": labels.treatment_heading(results["fields"]["temperature_c"]),
        "hidden": len(results["fields"]) - len(fields),
        "csv": pack(np.frombuffer(nanocrystals_csv.encode("utf-8"), np.uint8)),
        "answers": answers,
        "verdicts": results["verdicts"].astype(object).fillna("").to_dict("records"),
        "verdict_names": verdicts.VERDICT_NAMES,
        "bin_points": BIN_POINTS,
        "histogram": histogram(results["nanocrystals"], [a["temperature_c"] for a in answers]),
        "fields": list(fields),
        "sensitivity": sensitivity[columns]
        .assign(temperature_c=labels.temperature_labels(sensitivity["temperature_c"]).astype(str))
        .to_dict("list"),
        "dark_cutoff": settings["dark_cutoff"],
        "threshold": settings["threshold"],
        "aperture_px": settings["photometry"]["aperture_px"],
        "colours": style.POPULATION_COLOURS,
        "population_names": labels.POPULATION_NAMES,
        "type_names": labels.TYPE_NAMES,
        "law_names": labels.LAW_NAMES,
        "count_limits": np.stack(count_limits(np.arange(100)), axis=1).round(4),
        "class_names": labels.CLASS_NAMES,
    }
