"""A run's results in a few lines: `python -m blinkpair.report.terminal results`.

Input: the folder of results. Output: lines for the terminal, and the exit status of the run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blinkpair import files
from blinkpair.epochs import EPOCHS
from blinkpair.labels import after_treatment, treatment_heading, treatment_title
from blinkpair.populations.field_remarks import MANY_UNDETERMINED
from blinkpair.populations.type_states import STEEP
from blinkpair.report import verdicts
from blinkpair.report.language import verb

NOTEWORTHY_FALSE_SHARE = 0.1
NOTEWORTHY_LIGHT_CHANGE = 0.1  # of the light in the aperture, by the focus
MOST_NAMED = 20  # fields of a kind; with more, the numbers scroll off the screen
# Exit status of a run that finished: 0, or above this one by the number of fields refused. Below it
# are Snakemake's own, above 125 the shell's.
REFUSED_STATUS, MAX_STATUS = 10, 120


def summarise_run(results: str | Path) -> str:
    """Return the main numbers of the tables, and the files to read next.

    Parameters
    ----------
    results : path
        The folder of results.
    """
    folder = Path(results)
    types = files.read_csv(folder / "types.csv")
    lines = ["", *_populations(files.read_csv(folder / "populations.csv"))]
    lines += ["", *_recipes(files.read_csv(folder / "methods.csv"))]
    lines += ["", *_blinking(types, files.read_csv(folder / "photostability.csv"))]
    fields = files.read_csv(folder / "fields.csv")
    lines += ["", *_fields(fields), *_focus(fields), *_undetermined(fields), *_false_events(types)]
    lines += _by_hand(folder)
    lines += [
        "",
        f"Report:     {folder / 'report.html'}",
        f"Table:      {folder / 'populations.csv'}",
        f"Histogram:  {folder / 'figures' / 'delta_histograms.png'}",
        f"Look next:  {folder / 'figures'} (all figures; registration/ shows each field's),",
        f"            {folder / 'nanocrystals.csv'} (one row each), docs/results.md (meaning)",
    ]
    return "\n".join(lines)


def exit_summary(results: str | Path) -> tuple[str, int]:
    """Return the last lines of a run that finished, and its exit status.

    Parameters
    ----------
    results : path
        The folder of results.

    Returns
    -------
    text : str
        How many fields were refused, and why; '' where only a part of the results was requested.
    status : int
        0 if none was refused, else 10 and the number of those that were, 120 at most.
    """
    table = Path(results) / "fields.csv"
    if not table.exists():
        return "", 0
    fields = files.read_csv(table)
    refused = int((fields["status"] != "ok").sum())
    lines = _fields(fields)
    if refused:
        lines[0] = f"{refused} of {len(fields)} fields {verb(refused, 'was', 'were')} refused and "
        lines[0] += f"{verb(refused, 'is', 'are')} in no number:"
    lines += [*_focus(fields), *_undetermined(fields), *_warnings(Path(results))]
    lines += [*_by_hand(Path(results)), *_not_in_sheet(Path(results), fields)]
    lines += _answer(Path(results), refused)
    return "\n".join(lines), min(REFUSED_STATUS + refused, MAX_STATUS) if refused else 0


def _names(labels: pd.Series[str]) -> tuple[str, dict[str, str]]:
    """Return the heading and the names of treatments, all as wide as the widest."""
    heading = treatment_heading(labels)
    names = {label: treatment_title(label) for label in labels}
    width = max(12, *(len(name) for name in names.values()), 0)
    return f"{heading:>{width}}", {label: f"{name:>{width}}" for label, name in names.items()}


def _populations(populations: pd.DataFrame) -> list[str]:
    width = max([5, *(len(str(n)) for n in populations["n"])])
    heading, names = _names(populations["temperature_c"])
    lines = [
        f"{heading} {'fields':>7} {'n':>{width}} {'became emissive':>18}"
        f" {'became dark':>18} {'mean change':>24}"
    ]
    for row in populations.to_dict("records"):
        shares = tuple(
            f"{row[f'n_{p}']} ({100 * row[f'fraction_{p}']:.0f} %)"
            for p in ("became_emissive", "became_dark")
        )
        change = (
            f"{100 * row['mean_delta']:+.1f} points "
            f"[{100 * row['mean_delta_low']:+.1f}, {100 * row['mean_delta_high']:+.1f}]"
        )
        if not row["n"]:
            shares, change = ("0", "0"), "not known"
        lines.append(
            f"{names[row['temperature_c']]} {row['n_fields']:>7} {row['n']:>{width}}"
            f" {shares[0]:>18} {shares[1]:>18} {change:>24}"
        )
    return lines


def _recipes(methods: pd.DataFrame) -> list[str]:
    """Return the mean change by the paper's recipe and by the best estimate, and the difference."""
    heading, names = _names(methods["temperature_c"])
    lines = [f"{heading} {'fixed threshold':>17} {'best estimate':>17} {'difference':>24}"]
    for label in methods["temperature_c"].unique():
        own = methods[methods["temperature_c"] == label].set_index("recipe")
        both = [f"{100 * own.at[recipe, 'mean_delta']:+.1f} points" for recipe in ("fixed", "best")]
        value, low, high = (
            f"{100 * own.at['best', f'mean_delta_minus_fixed{end}']:+.1f}"
            for end in ("", "_low", "_high")
        )
        difference = f"{value} points [{low}, {high}]"
        lines.append(f"{names[label]} {both[0]:>17} {both[1]:>17} {difference:>24}")
    return lines


def _blinking(types: pd.DataFrame, photostability: pd.DataFrame) -> list[str]:
    """Return, before and after: the share of type A, PL kept, going dark."""
    heading, names = _names(types["temperature_c"])
    lines = [f"{heading} {'type A, estimated':>32} {'PL kept':>15} {'going dark':>22}"]
    for label in types["temperature_c"].unique():
        columns = []
        for table, cell in (
            (types, estimated_type_a),
            (photostability, _kept),
            (photostability, _dark),
        ):
            own = table[table["temperature_c"] == label].set_index("epoch")
            columns.append(" -> ".join(cell(own.loc[epoch]) for epoch in EPOCHS))
        lines.append(f"{names[label]} {columns[0]:>32} {columns[1]:>15} {columns[2]:>22}")
    return lines


def estimated_type_a(row: pd.Series[Any]) -> str:
    """Return the share of type A in words, of a row of `types.csv`.

    With its interval, or its upper limit alone where laws are steep. Verdicts alone would be too
    few, and too many of them type A.
    """
    share, low, high = (100 * row[f"share_type_a{end}"] for end in ("", "_low", "_high"))
    if not np.isfinite(share):
        return "-"
    if row["alpha_type_b"] > STEEP:
        return f"at most {high:.0f} %"
    return f"{share:.0f} % [{low:.0f}, {high:.0f}]"


def _kept(row: pd.Series[Any]) -> str:
    return f"{100 * row['kept']:.0f} %" if np.isfinite(row["kept"]) else "-"


def _dark(row: pd.Series[Any]) -> str:
    return f"{row['n_going_dark']} of {row['n']}"


def _answer(results: Path, refused: int) -> list[str]:
    """Return the answer and where the report is, as far as there are any."""
    lines = []
    if (table := results / "populations.csv").exists():
        populations = files.read_csv(table)
        lines += _populations(populations) if len(populations) <= MOST_NAMED else []
    if (report := results / "report.html").exists():
        first = "the registration of each field" + (
            ", and why some were refused" if refused else ""
        )
        lines += [f"Report: {report}. Look first at {first} (section Fields)."]
    return lines


def _fields(fields: pd.DataFrame) -> list[str]:
    ok, reason = fields["status"] == "ok", fields["reason"].fillna("").astype(str)
    refused, odd = fields[~ok], fields[ok & (reason != "")]
    lines = [f"{len(fields) - len(refused)} of {len(fields)} fields registered."]
    lines += _some([f"  refused: {row.field}: {row.reason}" for row in refused.itertuples()])
    lines += _some([f"  to check: {row.field}: {row.reason}" for row in odd.itertuples()])
    by_hand = fields.loc[fields["evidence"].str.startswith("landmarks"), "field"]
    return lines + _some([f"  registered by hand: {field}" for field in by_hand])


def _undetermined(fields: pd.DataFrame) -> list[str]:
    """Return the fields in which the states of many nanocrystals cannot be determined."""
    if "undetermined_share" not in fields:
        return []
    many = fields[fields["undetermined_share"] > MANY_UNDETERMINED]
    lines = [
        f"  undetermined: {field}: {100 * float(share):.0f} % of its nanocrystals are excluded "
        "because on and off cannot be distinguished"
        for field, share in zip(many["field"], many["undetermined_share"], strict=True)
    ]
    return _some(lines)


def _focus(fields: pd.DataFrame) -> list[str]:
    """Return in which fields the focus crept, and in which it is not known whether it did."""
    registered = fields[fields["status"] == "ok"]
    columns = [f"light_change_{epoch}" for epoch in EPOCHS]  # none if all fields were refused
    changes = registered.reindex(columns=columns).to_numpy(float)
    names = registered["field"].to_numpy()
    largest = np.where(np.isfinite(changes), changes, 0.0).max(axis=1, initial=0.0)
    crept = largest > NOTEWORTHY_LIGHT_CHANGE
    lines = []
    if crept.any():
        lines.append(
            "The focus crept within a movie. hmm uses counts corrected for the light in "
            "the aperture (fixed: threshold.fixed_follows_focus), which changed by up to:"
        )
        lines += _some(
            [f"  {n}: {100 * c:.0f} %" for n, c in zip(names[crept], largest[crept], strict=True)]
        )
    unknown = names[~np.isfinite(changes).all(axis=1)]
    if len(unknown):
        lines.append("Too few bright nanocrystals to know whether the focus held:")
        lines += _some([f"  {name}" for name in unknown])
    return lines


def _by_hand(results: Path) -> list[str]:
    """Return what is left out by hand, and the verdicts that were refused."""
    lines = []
    if (table := results / "populations.csv").exists():
        lines += verdicts.by_treatment(files.read_csv(table))
    if (table := results / "verdicts.csv").exists():
        found = verdicts.refused(files.read_csv(table))
        if found:
            lines.append(f"{len(found)} verdicts of the file of verdicts were refused:")
        lines += _some([f"  {line}" for line in found])
    return lines


def _not_in_sheet(results: Path, fields: pd.DataFrame) -> list[str]:
    """Return the fields whose results are left from a former sheet."""
    folders = sorted(path.name for path in (results / "fields").glob("*/"))
    names = sorted(set(folders) - set(fields["field"].astype(str)))
    if not names:
        return []
    left = f"Left in {results / 'fields'} and in no number, as no row of the sheet is theirs:"
    return [left, *_some([f"  {name}" for name in names])]


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_NAMED
    return lines if more <= 0 else [*lines[:MOST_NAMED], f"  and {more} more: see fields.csv"]


def _warnings(results: Path) -> list[str]:
    """Return the warnings that concern all numbers, as far as the tables exist."""
    lines = []
    if (results / "populations.csv").exists():
        populations = files.read_csv(results / "populations.csv")
        empty = populations[(populations["n"] == 0) & (populations["n_fields"] > 0)]
        lines += [
            f"No nanocrystal is counted {after_treatment(label)}: nanocrystals.csv gives the "
            "reason in excluded_because, or all were dark."
            for label in empty["temperature_c"]
        ]
    if (results / "types.csv").exists():
        lines += _false_events(files.read_csv(results / "types.csv"))
    return lines


def _false_events(types: pd.DataFrame) -> list[str]:
    if types.empty:  # without a field that was registered, and then without these columns
        return []
    share = types["median_false_event_share"].max()
    if not share > NOTEWORTHY_FALSE_SHARE:
        return []
    withheld, n = types["n_undecided_for_noise"].sum(), types["n"].sum()
    return [
        f"Noise alone makes up to {100 * share:.0f} % of the on-events (median nanocrystal of a "
        "treatment):",
        f"  {withheld} of {n} blinking types are undecided for noise, and alpha is affected.",
        "  Hint: compare with threshold: method: hmm.",
    ]


if __name__ == "__main__":
    print(summarise_run(sys.argv[1] if len(sys.argv) > 1 else "results"))
