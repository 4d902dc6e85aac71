"""The result tables for the page: text in cells, one column a treatment where it fits.

Nothing is computed here that the tables do not hold. Those of blinking are in `blinking_tables`.

Input: the tables of `results/`. Output: `Table`s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import pandas as pd

from blinkpair import labels
from blinkpair.blinking.on_fractions import COUNTED
from blinkpair.epochs import EPOCHS
from blinkpair.report.cells import (
    ACCIDENTAL,
    NOTHING,
    Row,
    Table,
    interval_of,
    intervals_note,
    number,
    p_value,
    percent,
    share_cells,
    share_of,
    signed_points,
    transposed,
    upper_limit,
)
from blinkpair.report.language import fixed, grouped, known, per_cent

MOST_REMARKS = 20  # as in the last lines of a run
MOST_ROWS = 200  # of the tables of fields and of files; the files have all
RECIPE_NAMES = {"fixed": "fixed threshold", "best": "hidden Markov model"}
POPULATIONS = {name: labels.POPULATION_NAMES[name] for name in COUNTED}


def populations(table: pd.DataFrame, confidence: float) -> Table:
    """Return `populations.csv` with one column a treatment."""
    rows = list(labels.rows_by_temperature(table).values())

    def points(name: str) -> Callable[[Row], str]:
        return lambda row: interval_of(row, name, signed_points)

    def independent(name: str) -> Callable[[Row], str]:
        ends = [f"{name}_independent_{end}" for end in ("low", "high")]
        write = percent if name.startswith("fraction") else signed_points
        return lambda row: " to ".join(write(row[end]) for end in ends)

    cells: dict[str, Callable[[Row], str]] = {
        "fields (refused)": lambda r: f"{r['n_fields']} ({number(r['n_fields_failed'])})",
        "n, emissive before or after": _rows_in_n,
    }
    cells |= share_cells(POPULATIONS)
    cells |= {
        "dark in both (not in n)": lambda r: f"{r['n_dark']}",
        "excluded (not in n)": lambda r: f"{r['n_excluded']}",
    }
    if any(row["n_left_out"] for row in rows):
        cells |= {
            "of these left out by hand": lambda r: f"{r['n_left_out']}",
            "they would be": _would_be,
            "mean change with them, points": lambda r: (
                signed_points(r["mean_delta_with_left_out"]) if r["n_left_out"] else NOTHING
            ),
        }
    cells |= {
        "mean change, points": points("mean_delta"),
        "median change, points": points("median_delta"),
        "mean change minus control’s, points": points("mean_delta_minus_control"),
        "became emissive minus control’s, points": points("fraction_became_emissive_minus_control"),
        "became dark minus control’s, points": points("fraction_became_dark_minus_control"),
        "no change on average, p": lambda r: p_value(r["p_mean_delta"]),
        "as many became emissive as dark, p": lambda r: p_value(r["p_became_emissive_minus_dark"]),
        "accidental pairs, at most": lambda r: upper_limit(r["expected_chance_pairs"]),
    }
    cells |= {
        f"{words}, if nanocrystals were independent": independent(name)
        for name, words in (
            ("mean_delta", "mean change, points"),
            ("fraction_became_emissive", "became emissive"),
            ("fraction_became_dark", "became dark"),
        )
    }
    if not table["mean_delta_minus_control"].notna().any():
        cells = {label: write for label, write in cells.items() if "control’s" not in label}
    note = (
        f"Shares are of n. {intervals_note(table['interval_method'], confidence)} The last lines "
        f"have those that take nanocrystals as independent. Accidental pairs: {ACCIDENTAL}."
    )
    if len(rows) > 1:
        note += (
            " Each interval and each p is of one number alone, without a correction for the number "
            "of treatments: where nothing changed, one p in 20 is below 0.05."
        )
    name = lambda row: labels.treatment_title(row["temperature_c"])  # noqa: E731
    return transposed("Populations", rows, cells, name, note)


def _would_be(row: Row) -> str:
    """Return the populations of what is left out by hand."""
    counts = {words: row[f"n_left_out_{name}"] for name, words in labels.POPULATION_NAMES.items()}
    return ", ".join(f"{n} {words}" for words, n in counts.items() if n) or NOTHING


def _rows_in_n(row: Row) -> str:
    """Return n; where fields share a movie also how many nanocrystals its rows are."""
    n, single = int(row["n"]), int(row["n_nanocrystals"])
    return f"{n}" if n == single else f"{n} rows of {single} nanocrystals"


def methods(table: pd.DataFrame, confidence: float) -> Table:
    """Return `methods.csv`: the populations by both recipes, a line a treatment and recipe."""
    header = ["", "n", "became emissive", "became dark", "mean change, points"]
    rows = [
        [
            f"{labels.treatment_title(row['temperature_c'])}, {RECIPE_NAMES[row['recipe']]}",
            f"{row['n']}",
            share_of(row, "n_became_emissive", "fraction_became_emissive"),
            share_of(row, "n_became_dark", "fraction_became_dark"),
            interval_of(row, "mean_delta", signed_points),
            interval_of(row, "mean_delta_minus_fixed", signed_points),
        ]
        for part in labels.by_temperature(table).values()
        for row in part.to_dict("records")
    ]
    note = (
        f"{intervals_note(table['interval_method'], confidence)} Both recipes are of the "
        "same movies, so that the interval of their difference is narrower than their own."
    )
    return Table("Both recipes", [*header, "model minus fixed, points"], rows, note)


def excluded(nanocrystals: pd.DataFrame) -> Table:
    """Return the numbers of nanocrystals of all fields, by the reason for their exclusion."""
    parts = labels.by_temperature(nanocrystals)
    because = nanocrystals["excluded_because"]
    names = {"": "analysed"} if (because == "").any() else {}
    names |= {name: words.reason for name, words in labels.exclusions_in(because).items()}
    rows = [
        [words, *(f"{(part['excluded_because'] == name).sum()}" for part in parts.values())]
        for name, words in names.items()
    ]
    two = [int(_two_emitters(part).sum()) for part in parts.values()]
    note = ""
    if any(two):
        rows.insert(1, ["analysed, two emitters in one spot", *map(str, two)])
        note = (
            "Two emitters in one spot are not excluded: they are among the analysed, on while at "
            "least one emitter is on. The filter of the list shows them, and a verdict by hand "
            "(cluster) leaves them out."
        )
    header = ["", *map(labels.treatment_title, parts)]
    return Table("Nanocrystals found, by what became of them", header, rows, note)


def _two_emitters(nanocrystals: pd.DataFrame) -> pd.Series[bool]:
    """Return which analysed nanocrystals the counts of either epoch show to be two emitters."""
    either = pd.Series(False, nanocrystals.index)
    for epoch in EPOCHS:
        either |= labels.as_bool(nanocrystals[f"two_emitters_{epoch}"])
    return either & labels.as_bool(nanocrystals["analysed"])


def sensitivity(table: pd.DataFrame) -> Table:
    """Return `sensitivity.csv` with a line for each treatment, threshold and cutoff."""
    header = ["", "threshold, counts", "dark below", "n", *POPULATIONS.values(), "mean change"]
    rows = [
        [
            labels.treatment_title(row["temperature_c"]),
            number(row["threshold_counts"], 6),
            per_cent(row["dark_cutoff"]),
            f"{row['n']:.0f}",
            *(share_of(row, f"n_{key}", f"fraction_{key}") for key in POPULATIONS),
            signed_points(row["mean_delta"]),
        ]
        for part in labels.by_temperature(table).values()
        for row in part.to_dict("records")
    ]
    return Table("The populations at other thresholds and dark cutoffs", header, rows)


def is_simulated(table: pd.DataFrame) -> pd.Series[bool]:
    """Return for each field whether it is simulated, by the sheet's column `sample`."""
    if "sample" not in table:
        return pd.Series(False, table.index)
    return table["sample"].astype(str).map(labels.is_simulated)


def fields(table: pd.DataFrame) -> Table:
    """Return `fields.csv` with a line a field, refused ones first, `MOST_ROWS` of all.

    Where only some fields are simulated, their names are marked.
    """
    header = [
        "field",
        labels.treatment_heading(table["temperature_c"]),
        "registered by",
        "turned by, °",
        "microspheres matched",
        "nanocrystals matched",
        "accidental alignments expected",
        "rms residual, px",
        "error of the transform, px",
        "accidental pairs",
        "undetermined",
        "order of epochs",
    ]
    simulated = is_simulated(table)
    marked = simulated & (not simulated.all())
    names = [
        f"{n} (simulated)" if m else str(n) for n, m in zip(table["field"], marked, strict=True)
    ]
    shown = table.assign(field=names)
    refused_first = shown.sort_values("status", key=lambda s: s == "ok", kind="stable")
    refused_first = refused_first.head(MOST_ROWS)
    rows = []
    for row in refused_first.to_dict("records"):
        name = [row["field"], labels.treatment_title(row["temperature_c"])]
        if row["status"] != "ok":
            rows.append([*name, "REFUSED", *[NOTHING] * (len(header) - 3)])
            continue
        rows.append(
            [
                *name,
                str(row["evidence"]),
                fixed(row["rotation_deg"], 2),
                _microspheres(row),
                f"{row['n_nanocrystals_matched']:.0f}",
                p_value(row["chance_alignments"]),
                _pixels(row["rms_px"]),
                _pixels(row["tre_px"]),
                f"at most {upper_limit(row['expected_chance_pairs'])} of {number(row['n_pairs'])}",
                _share(row.get("undetermined_share")),
                str(row.get("epoch_order", NOTHING)),
            ]
        )
    note = (
        "Accidental alignments expected: the number of alignments as good that unrelated patterns "
        f"of this density would show. Accidental pairs: {ACCIDENTAL}. The order of the epochs is "
        "checked by the dates in the files, where both have one. Undetermined: nanocrystals that "
        "are excluded because on and off cannot be distinguished."
    )
    note = f"{_of_all(len(table), 'fields, refused ones first', 'fields.csv')}{note}"
    return Table("Registration of every field", header, rows, note)


def refused(table: pd.DataFrame) -> Table:
    """Return why fields are in no number, from `fields.csv`; no rows where none was refused."""
    title = "Refused fields, which are in no number"
    return _remarks(title, table[table["status"] != "ok"], "reason")


def to_check(table: pd.DataFrame) -> Table:
    """Return the remarks on fields that are in the numbers, from `fields.csv`; no rows without."""
    title = "Fields to check, which are in the numbers"
    return _remarks(title, table[table["status"] == "ok"], "remark")


def _remarks(title: str, table: pd.DataFrame, heading: str) -> Table:
    reason = table["reason"].fillna("").astype(str)
    # One line each: the cells keep line breaks.
    lines = reason.str.replace("; ", "\n")
    rows = [[str(f), text] for f, text in zip(table["field"], lines, strict=True) if text]
    note = _of_all(len(rows), "fields", "fields.csv (reason)", MOST_REMARKS)
    return Table(title, ["field", heading], rows[:MOST_REMARKS], note)


def _pixels(value: Any) -> str:
    return fixed(value, 3) if known(value) else NOTHING


def _share(value: Any) -> str:
    return f"{100 * float(value):.0f} %" if known(value) else NOTHING


def _microspheres(row: Row) -> str:
    """Return the number matched; a dash where they were not used or landmarks replace them."""
    by_hand = str(row["evidence"]).startswith("landmarks") and not known(row["chance_alignments"])
    if by_hand or not str(row["evidence"]).startswith(("microspheres", "landmarks")):
        return NOTHING
    return f"{row['n_microspheres_matched']:.0f}"


def _of_all(n: int, what: str, file: str, shown: int = MOST_ROWS) -> str:
    """Return a note that a table shows only the first rows, where it does."""
    if n <= shown:
        return ""
    return f"Shown are the first {shown} of {grouped(n)} {what}; all are in {file}. "


def inputs(provenance: Mapping[str, Any]) -> Table:
    """Return the files that were read, with size and checksum."""
    rows = [
        [path, f"{entry['bytes']:,}".replace(",", " "), str(entry["checksum"] or NOTHING)]
        for path, entry in islice(provenance["inputs"].items(), MOST_ROWS)
    ]
    note = _of_all(len(provenance["inputs"]), "files", "provenance.json")
    note += f"Checksum: {provenance['checksum']}."
    return Table("Inputs", ["file", "bytes", "checksum"], rows, note)


def versions(provenance: Mapping[str, Any]) -> Table:
    """Return the versions the run was made with.

    Neither the command nor the time is in it, so that the page depends on the inputs alone.
    """
    rows = [[name, str(version)] for name, version in provenance["versions"].items()]
    rows.append(["commit of blinkpair", str(provenance["commit"] or "not known")])
    return Table("Versions", ["package", "version"], rows)
