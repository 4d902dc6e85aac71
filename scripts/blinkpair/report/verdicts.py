"""What was left out by hand, in sentences and in a table: every result states it.

Input: rows of `populations.csv` and `verdicts.csv`. Output: plain text, and a `Table`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from blinkpair.labels import (
    POPULATION_NAMES,
    after_treatment,
    rows_by_temperature,
)
from blinkpair.report.cells import NOTHING, Row, Table, signed_points
from blinkpair.report.language import capitalised, counted, known, listed, plain, verb

VERDICT_NAMES = {
    "cluster": "cluster",
    "artefact": "artefact",
    "leave_out": "other reason",
}
OUTCOMES = {"left_out": "left out", "already_excluded": "no difference", "refused": "REFUSED"}


def left_out(row: Row) -> str:
    """Return how many nanocrystals of a treatment are left out by hand; '' if none are.

    With the populations they would be in, and the mean change with them.
    """
    n = int(row.get("n_left_out", 0))
    if not n:
        return ""
    populations = listed(
        f"{row[f'n_left_out_{name}']} {words}"
        for name, words in POPULATION_NAMES.items()
        if row[f"n_left_out_{name}"]
    )
    text = f"{counted(n, 'nanocrystal')} {verb(n, 'is', 'are')} left out by hand ({populations})"
    if known(row["mean_delta_with_left_out"]):
        text += f"; with {verb(n, 'it', 'them')} the mean change would be "
        text += signed_points(row["mean_delta_with_left_out"])
        if known(row["mean_delta"]):
            text += f" instead of {signed_points(row['mean_delta'])}"
        text += " points"
    return f"{text}."


def by_treatment(populations: pd.DataFrame) -> list[str]:
    """Return the same for every treatment with some."""
    rows: list[Mapping[Any, Any]] = list(rows_by_temperature(populations).values())
    return [
        f"{capitalised(after_treatment(row['temperature_c']))}, {text}"
        for row in rows
        if (text := left_out(row))
    ]


def refused(verdicts: pd.DataFrame) -> list[str]:
    """Return a line for each verdict that was refused."""
    rows = verdicts[verdicts["outcome"] == "refused"].to_dict("records")
    return [
        f"{row['field']}, nanocrystal {row['nc_id']} at ({plain(row['x_pre'], 4)}, "
        f"{plain(row['y_pre'], 4)}): {row['reason']}"
        for row in rows
    ]


def verdict_table(verdicts: pd.DataFrame, most_rows: int) -> Table:
    """Return `verdicts.csv`, refused ones first, `most_rows` of all."""
    refused_first = verdicts.sort_values(
        "outcome", key=lambda outcomes: outcomes != "refused", kind="stable"
    )
    rows = [
        [
            f"{row['field']} {row['nc_id'] if pd.isna(row['nc_id_found']) else row['nc_id_found']}",
            VERDICT_NAMES[row["verdict"]],
            row["why"] or NOTHING,
            ", ".join(part for part in (row["by"], row["date"]) if part) or NOTHING,
            ": ".join(part for part in (OUTCOMES[row["outcome"]], row["reason"]) if part),
            POPULATION_NAMES.get(row["population_left_out"], NOTHING),
        ]
        for row in refused_first.head(most_rows).to_dict("records")
    ]
    header = ["nanocrystal", "verdict", "why", "by", "outcome", "would be"]
    note = (
        "Those left out are in no number; the table of populations has the mean change with them. "
        "A verdict is refused where no nanocrystal is at its place any more."
    )
    if len(verdicts) > most_rows:
        note = f"Shown are the first {most_rows}; all are in verdicts.csv. {note}"
    return Table("Verdicts by eye", header, rows, note)
