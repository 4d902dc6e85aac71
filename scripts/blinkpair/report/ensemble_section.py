"""Films beside the nanocrystals, as a section of the report.

Input: `decays.csv`, `beside.csv` and their figures. Output: sentences, tables and images.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.ensemble.beside import DEPENDS, LONG_SHARE, MIN_P_COMMON, SHORT_SHARE
from blinkpair.ensemble.tables import BLEACH, DECAY, FIXED, NOT_RESOLVED, UNANNEALED
from blinkpair.labels import after_treatment, temperature_label, treatment_title
from blinkpair.report.cells import Table, interval_of, number, p_value, signed_points
from blinkpair.report.language import MINUS, fixed, known, listed

FIGURES = {
    "ensemble_beside": "Shares of decay components of films and populations of nanocrystals, "
    "over temperature",
    "ensemble_decays": "Decays of the PL of films with fits and residuals",
    "ensemble_bleach": "Decays of the bleach of films with fits",
}
QUANTITIES = {DECAY: LONG_SHARE, BLEACH: SHORT_SHARE}
TECHNIQUE_NAMES = {DECAY: "PL decays", BLEACH: "Transient absorption"}
MOVED = {"up": "rose", "down": "fell", "not shown": "showed no change"}
NO_CONCLUSION = (
    "This does not show that films and single nanocrystals change for the same reason: a film is "
    "an average over all its nanocrystals, bright and dark, and each interval holds the noise of "
    "one measurement, not the difference between films made alike. Shares depend on the window and "
    "on the number of components; a stretched decay passes for three exponentials."
)


def section(
    decays: pd.DataFrame, beside: pd.DataFrame, figures: Sequence[str | Path], confidence: float
) -> dict[str, Any]:
    """Return what the section shows.

    Parameters
    ----------
    decays, beside : DataFrame
        `decays.csv` and `beside.csv`.
    figures : sequence of path
        PNG files named as `FIGURES`.
    confidence : float
        Coverage of the intervals, 0 to 1.
    """
    images = {Path(path).stem: _data_uri(path) for path in figures}
    return {
        "sentences": [*_sentences(beside, decays), NO_CONCLUSION],
        "images": [
            {"source": images[name], "text": text}
            for name, text in FIGURES.items()
            if name in images
        ],
        "tables": [_beside(beside, confidence), _decays(decays, confidence)],
    }


def _sentences(beside: pd.DataFrame, decays: pd.DataFrame) -> list[str]:
    """Return one sentence a technique, one a group where it has several."""
    out = []
    for technique, quantity in QUANTITIES.items():
        groups = list(decays[decays["technique"] == technique].groupby("group", sort=False))
        for name, group in groups:
            own = beside["measurement"].isin(group["measurement"])
            rows: list[dict[Any, Any]] = beside[own & (beside["quantity"] == quantity)].to_dict(
                "records"
            )
            head = TECHNIQUE_NAMES[technique] + (f", {name}" if len(groups) > 1 else "")
            out.append(f"{head}: {_sentence(rows, quantity, group['p_common'])}.")
    return out


def _sentence(rows: Sequence[Mapping[Any, Any]], quantity: str, p_common: pd.Series[Any]) -> str:
    shares = [
        f"{_percent(row['value'])} ({_percent(row['low'])} to {_percent(row['high'])}) "
        f"{_where(row['temperature_c'])}"
        for row in rows
    ]
    text = f"the {quantity} is {listed(shares)}"
    moved = {
        word: [_where(row["temperature_c"]) for row in rows if row["direction"] == direction]
        for direction, word in MOVED.items()
    }
    changes = [f"{word} {listed(places)}" for word, places in moved.items() if places]
    if changes:
        text += f"; against the unannealed film it {listed(changes)}"
    unsure = [
        f"{_where(row['temperature_c'])} by {interval_of(row, 'change', signed_points)} points "
        "with time constants in common, "
        f"{interval_of(row, 'change_free', signed_points)} with its own"
        for row in rows
        if row["direction"] == DEPENDS
    ]
    if unsure:
        text += f". Whether it changed depends on whether the time constants did: {listed(unsure)}"
    p = p_common.dropna()
    if len(p):
        if p.iloc[0] < MIN_P_COMMON:
            text += (
                f". The time constants differ (p {_equals(p.iloc[0])}), and the shares are those "
                "with constants of its own for each film"
            )
        else:
            text += (
                f". No difference of the time constants is shown (p {_equals(p.iloc[0])}), and the "
                "shares are those with constants in common"
            )
    return text


def _where(label: object) -> str:
    return UNANNEALED if temperature_label(label) == UNANNEALED else after_treatment(label)


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def _percent(value: float) -> str:
    if np.isinf(value):
        return f"{MINUS}∞" if value < 0 else "∞"
    return f"{fixed(100 * value, 1)} %"


def _value(row: Mapping[Any, Any]) -> str:
    cells = {"value": row["value"], "value_low": row["low"], "value_high": row["high"]}
    if "change" in row["quantity"]:
        return interval_of(cells, "value", signed_points) + " points"
    return interval_of(cells, "value", _percent)


def _name(row: Mapping[Any, Any]) -> str:
    label = temperature_label(row["temperature_c"])
    return UNANNEALED if label == UNANNEALED else treatment_title(label)


def _beside(beside: pd.DataFrame, confidence: float) -> Table:
    rows = [
        [
            str(row["quantity"]),
            _name(row),
            str(row["source"]),
            _value(row),
            interval_of(row, "change", signed_points),
            interval_of(row, "change_free", signed_points) if known(row["change_free"]) else "",
            row["direction"] if isinstance(row["direction"], str) else "",
        ]
        for row in beside.to_dict("records")
    ]
    return Table(
        "Ensemble and single nanocrystals",
        [
            *("quantity", "film or field", "of", "value", "change, points"),
            *("with constants of its own", "direction"),
        ],
        rows,
        f"In brackets {100 * confidence:g} % intervals. The change of a film is from the "
        "unannealed one, that of single nanocrystals from their own state before. A direction of a "
        "film is shown by both changes; depends: by one of them, so that it depends on whether the "
        "time constants changed.",
    )


def _decays(decays: pd.DataFrame, confidence: float) -> Table:
    rows = []
    for row in decays.to_dict("records"):
        lost = row["resolved"] == NOT_RESOLVED
        rows.append(
            [
                f"{row['measurement']}, {row['component']}",
                _name(row),
                NOT_RESOLVED if lost else _tau(row),
                interval_of(row, "amplitude_fraction", _percent),
                interval_of(row, "intensity_fraction", _percent)
                if known(row["intensity_fraction"])
                else "",
                number(row["p_fit"], 2) if known(row["p_fit"]) else "",
                str(row["method"]),
                row["notes"] if isinstance(row["notes"], str) else "",
            ]
        )
    header = ["measurement, component", "film", "τ, ns", "A / sum of A", "share of the light"]
    return Table(
        "Decays, each by itself",
        [*header, "p of the fit", "method", "notes"],
        rows,
        f"In brackets {100 * confidence:g} % intervals by profile likelihood.",
    )


def _tau(row: Mapping[Any, Any]) -> str:
    if row["resolved"] == FIXED:
        return f"{number(row['tau_ns'])} (held)"
    ends = {"tau": row["tau_ns"], "tau_low": row["tau_low_ns"], "tau_high": row["tau_high_ns"]}
    return interval_of(ends, "tau", number)


def _data_uri(path: str | Path) -> str:
    return "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()
