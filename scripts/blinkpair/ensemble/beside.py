"""Ensemble and single nanocrystals side by side: one row a temperature and quantity.

Input: `decays.csv` and `populations.csv`. Output: `beside.csv`, with the change of each quantity
from the unannealed film and its direction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.ensemble.tables import BLEACH, DECAY, UNANNEALED
from blinkpair.labels import Temperature, sort_temperatures, temperature_label

ENSEMBLE, SINGLE = "ensemble", "single nanocrystals"
UP, DOWN, NOT_SHOWN = "up", "down", "not shown"
MIN_P_COMMON = 0.05
COLUMNS = (
    *("temperature_c", "source", "technique", "measurement", "quantity", "value", "low", "high"),
    *("change", "change_low", "change_high", "direction", "time_constants"),
)
# Quantity, its name in the table, and the component it is of.
LONG_SHARE = "share of the slowest PL component"
SHORT_SHARE = "share of the fastest TA component"
MEAN_CHANGE = "mean change in on-fraction"
FRACTIONS = {
    "fraction_became_emissive": "fraction that became emissive",
    "fraction_became_dark": "fraction that became dark",
    "fraction_emissive": "fraction emissive in both",
}


def ensemble_order(labels: Iterable[object]) -> list[Temperature]:
    """Order temperatures: unannealed first, then as everywhere, the control last."""
    found = [temperature_label(label) for label in labels]
    first = [label for label in dict.fromkeys(found) if label == UNANNEALED]
    return [*first, *sort_temperatures(label for label in found if label != UNANNEALED)]


def beside_table(decays: pd.DataFrame, populations: pd.DataFrame) -> pd.DataFrame:
    """Put what the ensemble and the single nanocrystals show into one table.

    Shares are those with common time constants where the likelihood-ratio test does not reject
    them at 5 %, because they vary least; `time_constants` names which.

    Parameters
    ----------
    decays : DataFrame
        `decays.csv`.
    populations : DataFrame
        `populations.csv`.

    Returns
    -------
    DataFrame
        Fractions 0 to 1. `change` is the difference from the unannealed film of the same group (the
        mean of several), for single nanocrystals the mean of their own changes. Its interval is by
        profile likelihood with time constants in common, else that of Zou and Donner (2008) from
        two intervals.
        `direction` is empty where there is nothing to compare with.
    """
    rows = [
        *_shares(decays, DECAY, LONG_SHARE, slowest=True),
        *_shares(decays, BLEACH, SHORT_SHARE, slowest=False),
        *_populations(populations),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _shares(
    decays: pd.DataFrame, technique: str, quantity: str, *, slowest: bool
) -> list[dict[str, Any]]:
    own = decays[decays["technique"] == technique]
    rows: list[dict[str, Any]] = []
    for _, group in own.groupby("group", sort=False, dropna=False):
        component = int(group["n_components"].max()) if slowest else 1
        part = group[group["component"] == component]
        is_common = bool((part["p_common"] >= MIN_P_COMMON).all())
        name = "amplitude_fraction" + ("_common" if is_common else "")
        labels = [temperature_label(label) for label in part["temperature_c"]]
        values: dict[tuple[Temperature, str], list[float]] = {
            (label, row["measurement"]): [
                float(row[f"{name}{end}"]) for end in ("", "_low", "_high")
            ]
            for label, row in zip(labels, part.to_dict("records"), strict=True)
        }
        changes = {
            (label, row["measurement"]): [
                float(row[f"change_common{end}"]) for end in ("", "_low", "_high")
            ]
            for label, row in zip(labels, part.to_dict("records"), strict=True)
        }
        untreated = [v for (label, _), v in values.items() if label == UNANNEALED]
        order = ensemble_order(labels)
        for (label, measurement), value in sorted(
            values.items(), key=lambda item: order.index(item[0][0])
        ):
            change = [np.nan] * 3
            if is_common:
                change = changes[label, measurement]
            elif untreated and label != UNANNEALED:
                change = difference(value, mean(untreated))
            rows.append(
                _row(label, ENSEMBLE, technique, measurement, quantity, value, change)
                | {"time_constants": "common" if is_common else "free"}
            )
    return rows


def mean(values: list[list[float]]) -> list[float]:
    """Return the mean of independent estimates with its interval, from the same distances.

    Parameters
    ----------
    values : list of list of three float
        Estimate, low, high of each.
    """
    estimates, low, high = np.array(values).T
    below, above = (np.sqrt(np.sum((estimates - end) ** 2)) / len(values) for end in (low, high))
    middle = float(estimates.mean())
    return [middle, middle - float(below), middle + float(above)]


def difference(value: list[float], reference: list[float]) -> list[float]:
    """Return the difference of two independent estimates with its interval.

    Parameters
    ----------
    value, reference : list of three float
        Estimate, low, high.

    Notes
    -----
    Zou and Donner (2008), from the distances of each estimate to the ends of its interval.
    """
    (a, a_low, a_high), (b, b_low, b_high) = value, reference
    low = a - b - np.hypot(a - a_low, b_high - b)
    high = a - b + np.hypot(a_high - a, b - b_low)
    return [a - b, float(low), float(high)]


def _populations(populations: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    table = populations.assign(label=populations["temperature_c"].map(temperature_label))
    order = sort_temperatures(table["label"])
    table = table.iloc[np.argsort([order.index(label) for label in table["label"]], kind="stable")]
    for name, quantity in {"mean_delta": MEAN_CHANGE, **FRACTIONS}.items():
        for row in table.to_dict("records"):
            value = [float(row[f"{name}{end}"]) for end in ("", "_low", "_high")]
            # The change of each nanocrystal is from its own state before; a population is a change.
            change = value if name == "mean_delta" else [np.nan] * 3
            rows.append(_row(row["label"], SINGLE, "", "", quantity, value, change))
    return rows


def _row(
    label: Temperature,
    source: str,
    technique: str,
    measurement: str,
    quantity: str,
    value: list[float],
    change: list[float],
) -> dict[str, Any]:
    direction = ""
    if np.isfinite(change[0]):  # an interval without an end shows nothing there
        direction = UP if change[1] > 0 else DOWN if change[2] < 0 else NOT_SHOWN
    return {
        "temperature_c": label,
        "source": source,
        "technique": technique,
        "measurement": measurement,
        "quantity": quantity,
        **dict(zip(("value", "low", "high"), value, strict=True)),
        **dict(zip(("change", "change_low", "change_high"), change, strict=True)),
        "direction": direction,
        "time_constants": "",
    }
