"""Names and labels in one form: treatments, the control, populations, types, classes, exclusions.

70, 70.0, '70' and '70 °C' are one temperature in every table and figure, and a population has the
same words in each. Where a field was treated otherwise, its label is the treatment's name (see
`treatments`), in the same column `temperature_c`.

Input: cells and columns as a sheet or a CSV file holds them. Output: the same in one form.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import BoolArray
from blinkpair.errors import InputError
from blinkpair.treatments import CONTROL as CONTROL
from blinkpair.treatments import temperature_in

SIMULATED = "simulated"
BY_HAND = "by_hand"  # in `excluded_because`: left out by a verdict of the user
# Whether the order of the epochs is known from the files.
CONFIRMED, NOT_CHECKED = "confirmed by dates", "not checked"
MINUS = "\N{MINUS SIGN}"

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
    "moved": Exclusion(
        "moved on the glass: seen before at one place, and after at another one close to it",
        "that moved on the glass",
    ),
    "registration_uncertain": Exclusion(
        "registration uncertain at this place", "where the registration is uncertain"
    ),
    "hot_pixel": Exclusion(
        "hot or dead pixel in the aperture", "with a hot or dead pixel in the aperture"
    ),
    "wide": Exclusion(
        "wider than one nanocrystal: a microsphere that emits, a clump",
        "wider than the image of one nanocrystal",
    ),
    "undetermined": Exclusion(
        "undetermined: on and off cannot be distinguished",
        "in which on and off cannot be distinguished",
    ),
    "noisy": Exclusion(
        "noise of the off level reaches the fixed threshold",
        "in fields where the noise of the off level reaches the threshold",
    ),
    "all_off": Exclusion(
        "all off together for more than 10 % of a movie: no light, no focus, or out of place",
        "in fields where all of them were off together for more than 10 % of a movie",
    ),
    BY_HAND: Exclusion("left out by hand (verdicts)", "left out by hand"),
}

Temperature = float | int | str  # degrees C, the word control, or the name of a treatment


def sort_temperatures(labels: Iterable[Temperature]) -> list[Temperature]:
    """Order treatments: by temperature where all have one, else as they come; the control last.

    Parameters
    ----------
    labels : iterable of float or str
        From `temperature_label`, in the order of the sample sheet where some have no temperature.

    Returns
    -------
    list
        The same, ordered, each once.
    """
    unique = list(dict.fromkeys(labels))
    treated = [label for label in unique if label != CONTROL]
    degrees = {label: _degrees(label) for label in treated}
    if all(value is not None for value in degrees.values()):
        treated.sort(key=lambda label: degrees[label] or 0.0)
    return [*treated, *(label for label in unique if label == CONTROL)]


def _degrees(label: Temperature) -> float | None:
    """Return the temperature of a treatment in degrees C, if it has one."""
    text = temperature_in(label) if isinstance(label, str) else label
    return None if text == "" else float(text)


def temperature_label(value: object) -> Temperature:
    """Return the treatment of a field in one form.

    Parameters
    ----------
    value : object
        A number, its text, with '°C' or not, the word `control` in any case, or the name of a
        treatment.

    Returns
    -------
    int, float or str
        Degrees C (an int where whole, so that files hold 70 and not 70.0), `control` or the name.

    Raises
    ------
    InputError
        For nothing, and for what is a number and no temperature.
    """
    text = str(value).strip()
    if text.lower() == CONTROL:
        return CONTROL
    degrees = text.removesuffix(" °C")
    try:
        number = float(degrees)
    except ValueError:
        number = None
    if not text or (number is not None and not np.isfinite(number)):
        raise InputError(
            f"temperature_c is '{text}', neither a number nor the word {CONTROL}, and no treatment "
            "is named",
            "correct it in the sample sheet",
        )
    if number is None:
        return text
    return int(number) if number.is_integer() else number


def treatment_title(label: object) -> str:
    """Return the name of a treatment: '70 °C', 'water vapour 2 h' or 'control'."""
    label = temperature_label(label)
    return label if isinstance(label, str) else f"{label:g} °C".replace("-", MINUS)


def after_treatment(label: object) -> str:
    """Return a treatment behind a verb: 'at 70 °C', 'after water vapour 2 h', 'in the control'."""
    label = temperature_label(label)
    if label == CONTROL:
        return "in the control"
    return f"{'after' if isinstance(label, str) else 'at'} {treatment_title(label)}"


def is_annealing(labels: Iterable[object]) -> bool:
    """Return whether all treatments but the control are temperatures, so that it was annealing."""
    found = (temperature_label(label) for label in labels)
    return all(label == CONTROL or not isinstance(label, str) for label in found)


def treatment_heading(labels: Iterable[object]) -> str:
    """Return the heading above treatments: 'annealed at' if all were, else 'treatment'."""
    names = [temperature_label(label) for label in labels]
    return "annealed at" if is_annealing(names) and CONTROL not in names else "treatment"


def treatment_word(labels: Iterable[object]) -> str:
    """Return what was done to the fields, in a word: 'annealing', else 'treatment'."""
    return "annealing" if is_annealing(labels) else "treatment"


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
    # A table of millions of rows has a handful of treatments.
    codes, found = pd.factorize(column, use_na_sentinel=False)
    labels = np.array([temperature_label(value) for value in found], dtype=object)
    return pd.Series(labels[codes], column.index, dtype=object)


def by_temperature(table: pd.DataFrame) -> dict[Temperature, pd.DataFrame]:
    """Split a table into one part a treatment, in the order of `sort_temperatures`."""
    labels = temperature_labels(table["temperature_c"])
    return {label: table[(labels == label).to_numpy(bool)] for label in sort_temperatures(labels)}


def rows_by_temperature(table: pd.DataFrame) -> dict[Temperature, dict[Any, Any]]:
    """Return the row of each treatment, ordered the same, of a table with one each."""
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
