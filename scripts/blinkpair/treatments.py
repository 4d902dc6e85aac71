"""The treatment of a field, in the two forms in which tables hold it.

In files, `temperature_c` is a number, `control` or empty, and `treatment`, which is there only
where the sample sheet has treatments that are more than a temperature, names the group: 'water
vapour 2 h', 'air, 100 °C', '100 °C' or 'control'. Inside the library that one name stands in
`temperature_c`, so that whatever groups by temperature groups by treatment.

Input: tables in one form. Output: the same in the other.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

CONTROL = "control"
TEMPERATURE, TREATMENT = "temperature_c", "treatment"
_DEGREES = re.compile(r"(?:.*, )?(-?\d+(?:\.\d+)?) °C")


def temperature_in(name: str) -> str:
    """Return the degrees C at the end of '100 °C' or 'air, 100 °C'; '' where there are none."""
    match = _DEGREES.fullmatch(name)
    return match[1] if match else ""


def treatment_name(treatment: str, temperature_c: str) -> str:
    """Return the one name of a treatment and a temperature, of which one may be ''.

    Examples
    --------
    >>> treatment_name("air", "100"), treatment_name("", "100"), treatment_name("air", "")
    ('air, 100 °C', '100 °C', 'air')
    """
    if CONTROL in (treatment, temperature_c):
        return CONTROL
    if not temperature_c or temperature_in(treatment) == temperature_c:
        return treatment
    degrees = f"{temperature_c} °C"
    return f"{treatment}, {degrees}" if treatment else degrees


def treatment_in(row: Mapping[Any, Any]) -> Any:
    """Return the treatment of a row that has the form of a file: its name, else its temperature."""
    return row.get(TREATMENT) or row[TEMPERATURE]


def as_in_library(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table read from a file with the treatment's name in `temperature_c`."""
    if not {TEMPERATURE, TREATMENT} <= set(table.columns):
        return table
    return table.assign(**{TEMPERATURE: table[TREATMENT]}).drop(columns=TREATMENT)


def as_in_files(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the column `treatment`, where a treatment is more than a temperature."""
    if TREATMENT in table or TEMPERATURE not in table:
        return table
    found: dict[Hashable, str] = {label: str(label) for label in table[TEMPERATURE].unique()}
    if all(name == CONTROL or _is_number(name) for name in found.values()):
        return table
    degrees = {
        label: name if name == CONTROL or _is_number(name) else temperature_in(name)
        for label, name in found.items()
    }
    names = {
        label: treatment_name("", name) if _is_number(name) else name
        for label, name in found.items()
    }
    labels = table[TEMPERATURE].astype(object)
    table = table.assign(**{TEMPERATURE: labels.map(degrees)})
    table.insert(list(table.columns).index(TEMPERATURE) + 1, TREATMENT, labels.map(names))
    return table


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
