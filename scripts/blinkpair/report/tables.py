"""The result tables as a person reads them: text in cells, one column a temperature where it fits.

In: the tables of `results/`. Out: `Table`s, which the page sets. Nothing is computed here that the
tables do not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.table_labels import CONTROL, sort_temperatures, temperature_label

Row = Mapping[Any, Any]  # a row of a table, by column

MINUS = "\N{MINUS SIGN}"
NOTHING = "–"
POPULATIONS = {
    "became_emissive": "became emissive",
    "became_dark": "became dark",
    "emissive": "emissive in both",
}
TYPES = {
    "truncated_power_law": "type A (truncated power law)",
    "power_law": "type B (power law)",
    "undecided": "undecided",
    "not_fitted": "not fitted",
}
CLASSES = {
    "stable": "stable",
    "brightening": "brightening",
    "dimming": "dimming",
    "going_dark": "going dark",
}
EPOCHS = {"pre": "before", "post": "after"}


@dataclass(frozen=True)
class Table:
    """A table to show.

    Attributes
    ----------
    caption : str
        What it holds, in a line.
    header : list of str
        Names of the columns.
    rows : list of list of str
        Cells; the first of each row names it.
    note : str
        Written under it.
    """

    caption: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""


def temperature(value: object) -> str:
    """Write a temperature: `70 °C`, or the word control."""
    label = temperature_label(value)
    return CONTROL if isinstance(label, str) else f"{label:g} °C"


def by_temperature(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Split a table into one part a temperature, ascending, the control last."""
    labels = [temperature_label(value) for value in table["temperature_c"]]
    parts = pd.Series(labels, table.index, dtype=object)
    return [table[parts == label] for label in sort_temperatures(labels)]


def number(value: Any, digits: int = 3) -> str:
    """Write a number with some significant digits; a dash for one that is not known."""
    if value is None or not np.isfinite(float(value)):
        return NOTHING
    return f"{float(value):.{digits}g}".replace("-", MINUS)


def signed_points(value: Any) -> str:
    """Write a change of the on-fraction in percentage points, with its sign."""
    if not np.isfinite(value):
        return NOTHING
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", MINUS)


def percent(value: Any) -> str:
    """Write a share in per cent."""
    return f"{100 * value:.0f} %" if np.isfinite(value) else NOTHING


def p_value(value: Any) -> str:
    """Write a p value; the very small ones as an upper limit."""
    if not np.isfinite(value):
        return NOTHING
    return "< 0.0001" if value < 1e-4 else number(value, 2)


def _interval(row: Row, name: str, write: Callable[[Any], str]) -> str:
    """Write `value (low to high)`."""
    low, high = (row.get(f"{name}_{end}", np.nan) for end in ("low", "high"))
    text = write(row[name])
    if not (np.isfinite(low) and np.isfinite(high)):
        return text
    return f"{text} ({write(low).removesuffix(' %')} to {write(high).removesuffix(' %')})"


def _share(row: Row, count: str, share: str) -> str:
    """Write `count, share (low to high)`."""
    low, high = row.get(f"{share}_low", np.nan), row.get(f"{share}_high", np.nan)
    text = f"{row[count]:.0f}"
    if not np.isfinite(row[share]):
        return text
    known = np.isfinite(low) and np.isfinite(high)
    if not row[count]:
        return f"{text} (0 to {100 * high:.0f} %)" if known else text
    text += f", {percent(row[share])}"
    return f"{text} ({100 * low:.0f} to {100 * high:.0f})" if known else text


def _turned(
    caption: str,
    rows: Iterable[Row],
    cells: Mapping[str, Callable[[Row], str]],
    name: Callable[[Row], str],
    note: str = "",
) -> Table:
    """Set a table with a column for each row of the file and a line for each quantity."""
    columns = list(rows)
    return Table(
        caption,
        ["", *(name(row) for row in columns)],
        [[label, *(write(row) for row in columns)] for label, write in cells.items()],
        note,
    )


def populations(table: pd.DataFrame, confidence: float) -> Table:
    """Set `populations.csv`, one column a temperature."""
    rows = [part.iloc[0].to_dict() for part in by_temperature(table)]
    cells: dict[str, Callable[[Row], str]] = {
        "fields (refused)": lambda r: f"{r['n_fields']} ({r['n_fields_failed']})",
        "n, emissive before or after": lambda r: f"{r['n']}",
    }
    for key, label in POPULATIONS.items():
        cells[label] = lambda r, key=key: _share(r, f"n_{key}", f"fraction_{key}")  # type: ignore[misc]
    cells |= {
        "dark in both (not in n)": lambda r: f"{r['n_dark']}",
        "excluded (not in n)": lambda r: f"{r['n_excluded']}",
        "mean change, points": lambda r: _interval(r, "mean_delta", signed_points),
        "median change, points": lambda r: _interval(r, "median_delta", signed_points),
        "mean change minus control’s, points": lambda r: _interval(
            r, "mean_delta_minus_control", signed_points
        ),
        "became emissive against became dark, McNemar p": lambda r: p_value(r["p_mcnemar"]),
        "change, Wilcoxon p": lambda r: p_value(r["p_wilcoxon"]),
        "pairs expected by chance": lambda r: number(r["expected_chance_pairs"], 2),
    }
    methods = sorted({str(row["interval_method"]) for row in rows})
    note = (
        f"Shares are of n. In brackets {100 * confidence:g} % intervals "
        f"({'; '.join(methods)}). The two tests take nanocrystals as independent."
    )
    name = lambda row: temperature(row["temperature_c"])  # noqa: E731
    return _turned("Populations", rows, cells, name, note)


def excluded(nanocrystals: pd.DataFrame) -> Table:
    """Count the nanocrystals of all fields by why they were left out."""
    meaning = {
        "": "analysed",
        "outside": "outside: the sensor does not see the place in both epochs",
        "edge": "edge: the aperture leaves the sensor at some drift",
        "crowded": "crowded: another nanocrystal is too close",
        "registration_uncertain": "registration uncertain at this place",
    }
    parts = by_temperature(nanocrystals)
    reasons = sorted(set(nanocrystals["excluded_because"]), key=[*meaning].index)
    rows = [
        [meaning[reason], *(f"{(part['excluded_because'] == reason).sum()}" for part in parts)]
        for reason in reasons
    ]
    header = ["", *(temperature(part["temperature_c"].iloc[0]) for part in parts)]
    return Table("Nanocrystals found, by what became of them", header, rows)


def sensitivity(table: pd.DataFrame) -> Table:
    """Set `sensitivity.csv`, a line for each temperature, threshold and cutoff."""
    header = ["", "threshold, counts", "dark below", "n", *POPULATIONS.values(), "mean change"]
    rows = [
        [
            temperature(row["temperature_c"]),
            number(row["threshold_counts"]),
            percent(row["dark_cutoff"]),
            f"{row['n']:.0f}",
            *(_share(row, f"n_{key}", f"fraction_{key}") for key in POPULATIONS),
            signed_points(row["mean_delta"]),
        ]
        for part in by_temperature(table)
        for row in part.to_dict("records")
    ]
    return Table("The populations at other thresholds and dark cutoffs", header, rows)


def _epoch_name(row: Row) -> str:
    return f"{temperature(row['temperature_c'])} {EPOCHS[str(row['epoch'])]}"


def _epoch_rows(table: pd.DataFrame) -> list[Row]:
    return [
        row
        for part in by_temperature(table)
        for epoch in EPOCHS
        for row in part[part["epoch"] == epoch].to_dict("records")
    ]


def types(table: pd.DataFrame) -> Table:
    """Set `types.csv`, one column a temperature and epoch."""
    cells: dict[str, Callable[[Row], str]] = {"emissive in this epoch": lambda r: f"{r['n']}"}
    for key, label in TYPES.items():
        cells[label] = lambda r, key=key: _share(r, f"n_{key}", f"fraction_{key}")  # type: ignore[misc]
    cells |= {
        "median α, type B": lambda r: number(r["median_alpha_on_power_law"]),
        "median α, type A": lambda r: number(r["median_alpha_on_truncated_power_law"]),
        "median τ, type A, s": lambda r: number(r["median_tau_on_s"]),
        "on events that noise makes, median": lambda r: percent(r["median_false_event_share"]),
    }
    return _turned("Types of blinking", _epoch_rows(table), cells, _epoch_name)


def transitions(table: pd.DataFrame) -> Table:
    """Set `type_transitions.csv`, a line for each type before, at each temperature."""
    after = [*dict.fromkeys(table["type_post"])]
    rows = [
        [
            f"{temperature(part['temperature_c'].iloc[0])}, {_plain(before)}",
            *(_count(own[own["type_post"] == kind]["n"]) for kind in after),
        ]
        for part in by_temperature(table)
        for before, own in part.groupby("type_pre", sort=False)
        if own["n"].sum()
    ]
    header = ["before", *(f"after: {_plain(kind)}" for kind in after)]
    return Table("What became of each type", header, rows)


def _count(values: pd.Series[Any]) -> str:
    return f"{values.sum():.0f}"


def _plain(kind: object) -> str:
    return TYPES.get(str(kind), str(kind).replace("_", " "))


def change_by_type(table: pd.DataFrame) -> Table:
    """Set `change_by_type.csv`, a line for each type at each temperature."""
    rows = [
        [
            f"{temperature(row['temperature_c'])}, {_plain(row['type_pre'])}",
            f"{row['n']}",
            _interval(row, "mean_delta", signed_points),
            f"{row['n_gained']} / {row['n_lost']}",
            p_value(row["p_wilcoxon"]),
        ]
        for part in by_temperature(table)
        for row in part.to_dict("records")
        if row["n"]
    ]
    header = ["type before", "n", "mean change, points", "gained / lost", "Wilcoxon p"]
    return Table("Change in on-fraction by the type before", header, rows)


def alpha_by_change(table: pd.DataFrame) -> Table:
    """Set `alpha_by_change.csv`, one column a temperature."""
    rows = [part.iloc[0].to_dict() for part in by_temperature(table)]
    large = f"{100 * float(table['large_change'].iloc[0]):g} points" if len(table) else ""
    cells: dict[str, Callable[[Row], str]] = {
        f"gained more than {large}, n": lambda r: f"{r['n_gained']}",
        "median α before, of these": lambda r: _interval(r, "median_alpha_gained", number),
        f"lost more than {large}, n": lambda r: f"{r['n_lost']}",
        "median α before, of those": lambda r: _interval(r, "median_alpha_lost", number),
        "rank test p": lambda r: p_value(r["p_rank"]),
    }
    name = lambda row: temperature(row["temperature_c"])  # noqa: E731
    return _turned("α of type B before annealing, by the change", rows, cells, name)


def photostability(table: pd.DataFrame) -> Table:
    """Set `photostability.csv`, one column a temperature and epoch."""
    cells: dict[str, Callable[[Row], str]] = {
        "PL kept at the end of the movie": lambda r: _interval(r, "kept", percent),
        "nanocrystals tested": lambda r: f"{r['n']}",
    }
    for key, label in CLASSES.items():
        cells[label] = lambda r, key=key: _share(r, f"n_{key}", f"fraction_{key}")  # type: ignore[misc]
    cells["not tested"] = lambda r: f"{r['n_not_tested']}"
    return _turned("Photostability within a movie", _epoch_rows(table), cells, _epoch_name)


def fields(table: pd.DataFrame) -> Table:
    """Set `fields.csv`, a line a field; refused ones first."""
    header = [
        "field",
        "annealed at",
        "registered by",
        "turned by, °",
        "microspheres matched",
        "nanocrystals matched",
        "rms residual, px",
        "error of the transform, px",
        "pairs (by chance)",
    ]
    refused_first = table.sort_values("status", key=lambda s: s == "ok", kind="stable")
    rows = []
    for row in refused_first.to_dict("records"):
        name = [str(row["field"]), temperature(row["temperature_c"])]
        if row["status"] != "ok":
            rows.append([*name, f"REFUSED: {row['reason']}", *[NOTHING] * (len(header) - 3)])
            continue
        pairs = f"{number(row['n_pairs'])} ({number(row['expected_chance_pairs'], 2)})"
        rows.append(
            [
                *name,
                str(row["evidence"]),
                number(round(row["rotation_deg"], 2), 5),
                f"{row['n_microspheres_matched']:.0f}",
                f"{row['n_nanocrystals_matched']:.0f}",
                number(row["rms_px"], 2),
                number(row["tre_px"], 2),
                pairs,
            ]
        )
    return Table("Registration of every field", header, rows)


def inputs(provenance: Mapping[str, Any]) -> Table:
    """List the files that were read, with size and checksum."""
    rows = [
        [path, f"{entry['bytes']:,}".replace(",", " "), str(entry["checksum"])]
        for path, entry in provenance["inputs"].items()
    ]
    note = f"Checksum: {provenance['checksum']}."
    return Table("Inputs", ["file", "bytes", "checksum"], rows, note)


def versions(provenance: Mapping[str, Any]) -> Table:
    """List what the run was made with."""
    rows = [[name, str(version)] for name, version in provenance["versions"].items()]
    rows.append(["commit of blinkpair", str(provenance["commit"] or "not known")])
    rows.append(["command", str(provenance["command"])])
    return Table("Versions", ["package", "version"], rows)
