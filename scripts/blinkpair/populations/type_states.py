"""The type of blinking of each nanocrystal before and after, temperature by temperature.

Types are those of `populations.blinking_types`.

Input: the nanocrystal table. Output: the rows that are counted, with their two types, in one order
whatever the table's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray
from blinkpair.blinking.on_fractions import COUNTED
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.labels import (
    LAW_NAMES,
    Temperature,
    as_bool,
    by_temperature,
    require_columns,
    temperature_labels,
    text_codes,
)

TRUNCATED, PURE, DARK = "truncated_power_law", "power_law", "dark"  # type A, type B
TYPES = tuple(LAW_NAMES)
STATES = (*TYPES, DARK)
# Mean alpha of type B from which on the estimated share of type A is an upper limit: events, or off
# events between them, that are shorter than a frame look like a cut-off then. Up to 19 % too many
# were taken for type A, in no case too few (`benchmarks.blinking.type_experiments`).
STEEP = 2.0
LARGE_CHANGE = 0.20  # of the on-fraction, the paper's for Fig. S11

REQUIRED = (
    "field",
    "temperature_c",
    "analysed",
    "population",
    "on_fraction_pre",
    "on_fraction_post",
    "blinking_pre",
    "blinking_post",
)
# Of one epoch, where they are known.
FALSE_EVENTS, EVENTS = "expected_false_on_events_{}", "n_on_events_{}"
RATIO = (
    "log_ratio_cut_off_{}",
    "alpha_without_cut_off_{}",
    "alpha_without_cut_off_{}_se",
    "alpha_with_cut_off_{}",
    "alpha_with_cut_off_{}_se",
)
_MEASURED = ("alpha_on_{}", "tau_on_{}_s", FALSE_EVENTS, EVENTS, *RATIO)
# All that the tables of types are made of.
COLUMNS = (*REQUIRED, *(name.format(epoch) for name in _MEASURED for epoch in EPOCHS))
_DARK_IN = {"pre": ("became_emissive", "dark"), "post": ("became_dark", "dark")}


def blinking_states(nanocrystals: pd.DataFrame) -> pd.DataFrame:
    """Name the type of each counted nanocrystal in both epochs.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a nanocrystal: `field`, `temperature_c`, `analysed`, `population`,
        `on_fraction_pre`, `on_fraction_post` (0 to 1), `blinking_pre`, `blinking_post`.

    Returns
    -------
    DataFrame
        The rows of the n, with `type_pre`, `type_post` (one of `STATES`) and `delta` (0 to 1)
        added and `temperature_c` in its one form, in an order that does not depend on the
        table's.

    Raises
    ------
    InputError
        For a missing column, or a type of an emissive nanocrystal that is none of `TYPES`.
    """
    require_columns(nanocrystals, list(REQUIRED), "nanocrystals")
    counted = nanocrystals["population"].isin(COUNTED).to_numpy()
    # A copy joins columns of one kind: pandas warns when one is added to a hundred loose ones.
    rows = nanocrystals[as_bool(nanocrystals["analysed"]) & counted].copy()
    rows = rows.assign(
        temperature_c=temperature_labels(rows["temperature_c"]),
        delta=rows["on_fraction_post"].astype(float) - rows["on_fraction_pre"].astype(float),
    )
    for epoch in EPOCHS:
        dark = rows["population"].isin(_DARK_IN[epoch]).to_numpy()
        codes, names = text_codes(rows[f"blinking_{epoch}"])
        unknown = sorted(set(names[np.unique(codes[~dark])].tolist()) - set(STATES))
        if unknown:
            raise InputError(
                f"blinking_{epoch} of the nanocrystals table is '{unknown[0]}' where the "
                "nanocrystal is emissive",
                f"it has to be one of {', '.join(TYPES)}",
            )
        state = np.array([STATES.index(n) if n in STATES else -1 for n in names], np.int8)[codes]
        state[dark] = STATES.index(DARK)
        rows[f"type_{epoch}"] = pd.Categorical.from_codes(state, pd.Index(STATES))
    # Sums of floats depend on their order in the last digit; tables must not.
    measured = (name.format(epoch) for name in _MEASURED for epoch in EPOCHS)
    keys: list[NDArray[Any]] = [rows[name].to_numpy(float) for name in measured if name in rows]
    keys += [text_codes(rows[f"type_{epoch}"])[0] for epoch in EPOCHS]
    keys += [rows["on_fraction_pre"].to_numpy(float), rows["delta"].to_numpy(float)]
    return rows.iloc[np.lexsort([*keys, text_codes(rows["field"])[0]])]


@dataclass(frozen=True)
class TypeGroup:
    """The n of one temperature: rows of `blinking_states`."""

    label: Temperature
    rows: pd.DataFrame


def type_groups(nanocrystals: pd.DataFrame) -> list[TypeGroup]:
    """Apply `blinking_states` to each temperature, also to one that has no n.

    Several tables of millions of nanocrystals can be made of them without sorting these again.
    """
    groups = by_temperature(nanocrystals)
    return [TypeGroup(label, blinking_states(rows)) for label, rows in groups.items()]


def large_changes(
    states: pd.DataFrame, large_change: float = LARGE_CHANGE
) -> tuple[BoolArray, BoolArray]:
    """Return which rows of `blinking_states` were type B and gained, or lost, more than so much.

    Rows without a finite `alpha_on_pre` are in neither.
    """
    delta = states["delta"].to_numpy(float)
    known = np.isfinite(states["alpha_on_pre"].to_numpy(float))
    known &= (states["type_pre"] == PURE).to_numpy(bool)
    return known & (delta > large_change), known & (delta < -large_change)
