"""Ensemble and single nanocrystals side by side: one row a temperature and quantity.

Input: `decays.csv`, `decay_sensitivity.csv` and `populations.csv`. Output: `beside.csv`, with the
change of each quantity from the unannealed film and its direction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.ensemble.sensitivity import PROBES
from blinkpair.ensemble.tables import BLEACH, DECAY, UNANNEALED, named
from blinkpair.labels import Temperature, sort_temperatures, temperature_label

ENSEMBLE, SINGLE = "ensemble", "single nanocrystals"
UP, DOWN, NOT_SHOWN, DEPENDS = "up", "down", "not shown", "depends"
MIN_P_COMMON = 0.05
COLUMNS = (
    *("temperature_c", "source", "technique", "measurement", "quantity", "value", "low", "high"),
    *("change", "change_low", "change_high", "change_free", "change_free_low", "change_free_high"),
    *("direction", "time_constants"),
)
# Names of the quantities in the table.
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


def beside_table(
    decays: pd.DataFrame, sensitivity: pd.DataFrame, populations: pd.DataFrame
) -> pd.DataFrame:
    """Return the results of the ensemble and of the single nanocrystals in one table.

    Shares are those with common time constants, which vary least, unless the likelihood-ratio test
    rejects common constants at 5 %; `time_constants` is `common` or `free`. That test finds large
    differences only. A direction is therefore given only where the shares with free time constants
    show it, too; otherwise it is `depends` (on whether the constants changed).

    Parameters
    ----------
    decays : DataFrame
        `decays.csv`.
    sensitivity : DataFrame
        `decay_sensitivity.csv`. The free shares of bleaches are those of its rows `probes`; one
        trace determines them two to three times worse.
    populations : DataFrame
        `populations.csv`.

    Returns
    -------
    DataFrame
        Fractions 0 to 1. `change` is the difference from the unannealed film of the same group (the
        mean of several), for single nanocrystals the mean of their own changes. Its interval comes
        from the profile likelihood where time constants are common, otherwise, and always for
        `change_free`, from the two intervals (Zou and Donner 2008). `direction` is empty where
        there is nothing to compare with.
    """
    rows = [
        *_shares(decays, sensitivity, DECAY, LONG_SHARE, slowest=True),
        *_shares(decays, sensitivity, BLEACH, SHORT_SHARE, slowest=False),
        *_populations(populations),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _shares(
    decays: pd.DataFrame,
    sensitivity: pd.DataFrame,
    technique: str,
    quantity: str,
    *,
    slowest: bool,
) -> list[dict[str, Any]]:
    """Return the rows of one technique: the share of its slowest or of its fastest component."""
    own = decays[decays["technique"] == technique]
    rows: list[dict[str, Any]] = []
    for _, group in own.groupby("group", sort=False, dropna=False):
        component = int(group["n_components"].max()) if slowest else 1
        part = group[group["component"] == component]
        is_common = bool((part["p_common"] >= MIN_P_COMMON).all())
        free = _triples(part, "amplitude_fraction")
        is_probes = sensitivity["varied"] == PROBES
        of_probes = sensitivity[is_probes & (sensitivity["component"] == component)]
        from_probes = _triples(of_probes, "amplitude_fraction")
        if free.keys() <= from_probes.keys():
            free = {name: from_probes[name] for name in free}
        labels = dict(
            zip(part["measurement"], map(temperature_label, part["temperature_c"]), strict=True)
        )
        untreated = [free[name] for name, label in labels.items() if label == UNANNEALED]
        change_free = {
            name: difference(free[name], mean(untreated))
            if untreated and label != UNANNEALED
            else [np.nan] * 3
            for name, label in labels.items()
        }
        values, changes = free, change_free
        if is_common:
            values = _triples(part, "amplitude_fraction_common")
            changes = _triples(part, "change_common")
        order = ensemble_order(labels.values())
        for name, label in sorted(labels.items(), key=lambda item: order.index(item[1])):
            rows.append(
                _row(label, ENSEMBLE, technique, name, quantity, values[name], changes[name])
                | _named("change_free", change_free[name])
                | {"direction": _agreed(changes[name], change_free[name])}
                | {"time_constants": "common" if is_common else "free"}
            )
    return rows


def _triples(part: pd.DataFrame, name: str) -> dict[str, list[float]]:
    """Return estimate, low, high of each measurement."""
    columns = [f"{name}{end}" for end in ("", "_low", "_high")]
    return dict(zip(part["measurement"], part[columns].astype(float).values.tolist(), strict=True))


def _agreed(change: list[float], change_free: list[float]) -> str:
    """Return the direction of a change with common and with free time constants."""
    directions = {_direction(change), _direction(change_free)}
    return directions.pop() if len(directions) == 1 else DEPENDS


def _direction(change: list[float]) -> str:
    if not np.isfinite(change[0]):
        return ""
    # An end that is NaN compares as False.
    return UP if change[1] > 0 else DOWN if change[2] < 0 else NOT_SHOWN


def _named(name: str, triple: list[float]) -> dict[str, float]:
    return named(name, triple[0], (triple[1], triple[2]))


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
            # A mean change is a change already; a fraction has no unannealed film to compare with.
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
    return {
        "temperature_c": label,
        "source": source,
        "technique": technique,
        "measurement": measurement,
        "quantity": quantity,
        **dict(zip(("value", "low", "high"), value, strict=True)),
        **_named("change", change),
        **_named("change_free", [np.nan] * 3),
        "direction": _direction(change),
        "time_constants": "",
    }
