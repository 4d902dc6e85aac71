"""Names and labels in one form: temperatures, the control, populations, types, classes, exclusions.

70, 70.0 and '70' are one temperature in every table and figure, and a population has the same words
in each. Input: cells and columns as a sheet or a CSV file holds them. Output: the same in one form.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import BoolArray
from blinkpair.errors import InputError

CONTROL = "control"
SIMULATED = "simulated"

EPOCH_NAMES = {"pre": "before", "post": "after"}
POPULATION_NAMES = {
    "became_emissive": "became emissive",
    "became_dark": "became dark",
    "emissive": "emissive in both",
    "dark": "dark in both",
}
# The verdicts on dwell times: this is their one list. The paper's types are of on events; the laws
# of off events have no letter.
LAW_NAMES = {
    "truncated_power_law": "truncated power law",
    "power_law": "power law",
    "undecided": "undecided",
    "neither": "neither law",
    "not_fitted": "not fitted",
}
TYPE_LETTERS = {"truncated_power_law": "A", "power_law": "B"}
TYPE_NAMES = {
    law: f"type {TYPE_LETTERS[law]} ({name})" if law in TYPE_LETTERS else name
    for law, name in LAW_NAMES.items()
}
CLASS_NAMES = {
    "stable": "stable",
    "brightening": "brightening",
    "dimming": "dimming",
    "going_dark": "going dark",
}


class Exclusion(NamedTuple):
    """Why a nanocrystal is excluded: in a table, and after 'excluded were 12 nanocrystals'."""

    reason: str
    clause: str


# In the order in which the report lists them.
EXCLUSIONS = {
    "outside": Exclusion(
        "outside: the sensor does not show the place in both epochs",
        "whose place lies outside the sensor in one epoch",
    ),
    "edge": Exclusion(
        "edge: the aperture leaves the sensor at some drift", "whose aperture leaves the sensor"
    ),
    "crowded": Exclusion(
        "crowded: another nanocrystal is closer than min_separation_px",
        "closer to another one than {min_separation_px} px",
    ),
    "registration_uncertain": Exclusion(
        "registration uncertain at this place", "where the registration is uncertain"
    ),
    "hot_pixel": Exclusion(
        "hot or dead pixel in the aperture", "with a hot or dead pixel in the aperture"
    ),
    "noisy": Exclusion(
        "noise of the off level reaches the fixed threshold",
        "in fields where the noise of the off level reaches the threshold",
    ),
}

Temperature = float | int | str


def sort_temperatures(labels: Iterable[Temperature]) -> list[Temperature]:
    """Order temperatures: ascending, the control last.

    Parameters
    ----------
    labels : iterable of float or str
        Temperatures in degrees C as numbers, and the word `control`.

    Returns
    -------
    list
        The same, ordered, each once.
    """
    unique = set(labels)
    numbers = sorted(label for label in unique if not isinstance(label, str))
    return [*numbers, *sorted(label for label in unique if isinstance(label, str))]


def temperature_label(value: object) -> Temperature:
    """Return a temperature of a sheet or a CSV file in one form.

    Parameters
    ----------
    value : object
        A number, its text, or the word `control` in any case.

    Returns
    -------
    int, float or str
        Degrees C (an int where whole, so that files hold 70 and not 70.0) or `control`.

    Raises
    ------
    InputError
        For anything else.
    """
    text = str(value).strip()
    if text.lower() == CONTROL:
        return CONTROL
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(
            f"temperature_c is '{text}', neither a number nor the word {CONTROL}",
            "correct it in the sample sheet",
        )
    return int(number) if number.is_integer() else number


def require_columns(table: pd.DataFrame, columns: list[str], name: str) -> None:
    """Raise an InputError that names the columns a table lacks, if any."""
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(
            f"The {name} table lacks {', '.join(missing)}",
            "it has to be the table the workflow writes, with its header",
        )


def temperature_labels(column: pd.Series[Any]) -> pd.Series[Any]:
    """Apply `temperature_label` to a column; the index is kept."""
    # A table of millions of rows has a handful of temperatures.
    codes, found = pd.factorize(column, use_na_sentinel=False)
    labels = np.array([temperature_label(value) for value in found], dtype=object)
    return pd.Series(labels[codes], column.index, dtype=object)


def by_temperature(table: pd.DataFrame) -> dict[Temperature, pd.DataFrame]:
    """Split a table into one part a temperature, ascending, the control last."""
    labels = temperature_labels(table["temperature_c"])
    return {label: table[(labels == label).to_numpy(bool)] for label in sort_temperatures(labels)}


def rows_by_temperature(table: pd.DataFrame) -> dict[Temperature, dict[Any, Any]]:
    """Return the row of each temperature, ascending, the control last, of a table with one each."""
    parts = by_temperature(table)
    return {label: part.to_dict("records")[0] for label, part in parts.items()}


def is_simulated(sample: str) -> bool:
    """Return whether a field is simulated, by the sheet's column `sample`."""
    return sample.strip().lower() == SIMULATED


def text_codes(texts: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.str_]]:
    """Number the texts of a column, or what else is in it, in alphabetical order.

    Parameters
    ----------
    texts : array_like, shape (n,)
        A column of texts or categories, or what text can be made of.

    Returns
    -------
    codes : (n,) int array
        Place of each in `names`.
    names : (m,) str array
        Those that occur, ascending.
    """
    column = texts if isinstance(texts, pd.Series | pd.Categorical) else pd.Series(texts)
    codes, found = pd.factorize(column, use_na_sentinel=False)
    names, place = np.unique(np.asarray(found, dtype=object).astype(str), return_inverse=True)
    return place.astype(np.intp)[codes], names


def as_bool(column: pd.Series[Any]) -> BoolArray:
    """Read a column of True and False that may have come back from CSV as text."""
    if column.dtype == bool:
        return column.to_numpy()
    return column.astype(str).str.strip().str.lower().isin({"true", "1", "1.0"}).to_numpy(bool)


def exclusions_in(column: pd.Series[Any]) -> dict[str, Exclusion]:
    """Return the reasons that occur in `excluded_because`, in the order of `EXCLUSIONS`.

    A reason without an entry there comes last, under its own name.
    """
    found = set(column.astype(str)) - {""}
    unknown = sorted(found - EXCLUSIONS.keys())
    own = {name: name.replace("_", " ") for name in unknown}
    known = {name: words for name, words in EXCLUSIONS.items() if name in found}
    return known | {name: Exclusion(text, f"as {text}") for name, text in own.items()}
