"""The populations by both recipes: the paper's fixed threshold, and the best estimate.

Input: the nanocrystal table with the on-fractions and populations of both. Output: `methods.csv`,
the table of populations once a recipe, and the difference of the two.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.blinking.on_fractions import COUNTED, DARK_CUTOFF, POPULATIONS
from blinkpair.labels import Temperature, by_temperature, temperature_label
from blinkpair.populations.counted import independent_fields
from blinkpair.populations.table import (
    interval_settings,
    put_estimates,
    summarise_populations,
)
from blinkpair.statistics import intervals
from blinkpair.statistics.design_effects import field_codes
from blinkpair.statistics.intervals import StatisticsSettings

FIXED, BEST = "fixed", "best"
RECIPES = (FIXED, BEST)
COLUMNS = tuple(
    f"{name}_{recipe}"
    for recipe in RECIPES
    for name in ("on_fraction_pre", "on_fraction_post", "population")
)
DIFFERENCES = ("mean_delta", *(f"fraction_{name}" for name in COUNTED))


def summarise_recipes(
    nanocrystals: pd.DataFrame,
    fields: pd.DataFrame | None = None,
    statistics: StatisticsSettings = StatisticsSettings(),
    *,
    dark_cutoff: float = DARK_CUTOFF,
) -> pd.DataFrame:
    """Tabulate the populations by both recipes, one row a temperature and recipe.

    Parameters
    ----------
    nanocrystals, fields, statistics, dark_cutoff
        As in `table.summarise_populations`, with `on_fraction_pre_fixed` and the other `COLUMNS`.

    Returns
    -------
    DataFrame
        `temperature_c`, `recipe` (`fixed`, then `best`) and the columns of the table of
        populations. On the rows of `best`, `*_minus_fixed` with `_low` and `_high` are the
        differences from the row above: of the same nanocrystals, so that their scatter is smaller
        than that of either.
    """
    parts = []
    for recipe in RECIPES:
        # What one recipe excludes (noisy, undetermined) may have a population by the other.
        included = nanocrystals[f"population_{recipe}"].astype(str).isin(POPULATIONS)
        of_recipe = nanocrystals.assign(analysed=included)
        ending = f"_{recipe}"
        own = summarise_populations(of_recipe, fields, statistics, ending, dark_cutoff=dark_cutoff)
        own.insert(1, "recipe", recipe)
        parts.append(own)
    both = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    # Sums of floats depend on their order in the last digit; tables must not.
    keys = ["field", *COLUMNS]
    groups = by_temperature(nanocrystals.sort_values(keys, kind="stable"))
    labels = [temperature_label(value) for value in parts[0]["temperature_c"]]
    rows = [groups.get(label, nanocrystals.iloc[:0]) for label in labels]
    found: dict[Temperature, dict[str, float]] = {label: {} for label in labels}
    for name in DIFFERENCES:
        values = [_shifts(own, name) for own in rows]
        codes = [
            field_codes(independent_fields(own.iloc[: len(value)]))
            for own, value in zip(rows, values, strict=True)
        ]
        estimates = intervals.pooled_means(values, codes, **interval_settings(labels, statistics))
        put_estimates([found[label] for label in labels], f"{name}_minus_fixed", estimates)
    columns = pd.DataFrame([found[label] for label in labels])
    best = (both["recipe"] == BEST).to_numpy()
    for column in columns:
        both.loc[best, column] = columns[column].to_numpy()
    return both


def _shifts(rows: pd.DataFrame, name: str) -> FloatArray:
    """Return a value a nanocrystal whose mean is the difference of the recipes' estimates.

    Both estimates are means over the nanocrystals that count in them, which are not quite the same.
    A nanocrystal moves the difference by its part of either (delta method). Empty where a recipe
    counts none.
    """
    total, parts = len(rows), []
    for recipe in (BEST, FIXED):
        population = rows[f"population_{recipe}"].astype(str).to_numpy()
        counted = np.isin(population, COUNTED)
        if name == "mean_delta":
            before, after = (
                rows[f"on_fraction_{epoch}_{recipe}"].to_numpy(float) for epoch in ("pre", "post")
            )
            value = after - before
        else:
            value = (population == name.removeprefix("fraction_")).astype(float)
        if not counted.any():
            return np.zeros(0)
        mean = float(value[counted].mean())
        parts.append(mean + np.where(counted, (value - mean) * total / counted.sum(), 0.0))
    shift: FloatArray = parts[0] - parts[1]
    return shift
