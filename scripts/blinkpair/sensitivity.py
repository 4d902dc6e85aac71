"""How the populations move with the count threshold and the dark cutoff.

In: on-fractions of the same nanocrystals at several thresholds. Out: the counts of every population
for each threshold and cutoff. The paper's 100 counts and 10 % are settings of one microscope; a
conclusion that holds at those two numbers only is a conclusion about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from blinkpair.populations import COUNTED, DARK_CUTOFF, POPULATIONS, classify
from blinkpair.table_labels import require_columns, sort_temperatures, temperature_labels


def sensitivity_table(
    on_fractions: pd.DataFrame, *, dark_cutoffs: Iterable[float] = (0.05, DARK_CUTOFF, 0.20)
) -> pd.DataFrame:
    """Count the populations for every count threshold and dark cutoff.

    Parameters
    ----------
    on_fractions : DataFrame
        One row a nanocrystal and threshold: `temperature_c`, `threshold_counts`,
        `on_fraction_pre`, `on_fraction_post` and, if some are left out, `analysed`. See
        `on_fractions_by_threshold`.
    dark_cutoffs : iterable of float
        On-fractions below which a nanocrystal is dark.

    Returns
    -------
    DataFrame
        Tidy: `temperature_c, threshold_counts, dark_cutoff, n`, `n_` and `fraction_` of each
        population, `mean_delta, median_delta`. Fractions are of n, `n_dark` is not in n.

    Raises
    ------
    InputError
        For a missing column.
    """
    names = ["temperature_c", "threshold_counts", "on_fraction_pre", "on_fraction_post"]
    require_columns(on_fractions, names, "on_fractions")
    table = on_fractions.assign(temperature_c=temperature_labels(on_fractions["temperature_c"]))
    rows: list[dict[str, Any]] = []
    for label in sort_temperatures(set(table["temperature_c"])):
        of_label = table[table["temperature_c"] == label]
        for threshold, part in of_label.groupby("threshold_counts", sort=True):
            before = part["on_fraction_pre"].to_numpy(float)
            after = part["on_fraction_post"].to_numpy(float)
            analysed = part.get("analysed")
            for cutoff in sorted(dark_cutoffs):
                population = classify(before, after, cutoff, analysed=analysed)
                counts = {name: int(np.sum(population == name)) for name in POPULATIONS}
                n = sum(counts[name] for name in COUNTED)
                row: dict[str, Any] = {
                    "temperature_c": label,
                    "threshold_counts": threshold,
                    "dark_cutoff": cutoff,
                    "n": n,
                }
                row |= {f"n_{name}": count for name, count in counts.items()}
                for name in COUNTED:
                    row[f"fraction_{name}"] = counts[name] / n if n else float("nan")
                delta = (after - before)[np.isin(population, COUNTED)]
                row["mean_delta"] = float(delta.mean()) if n else float("nan")
                row["median_delta"] = float(np.median(delta)) if n else float("nan")
                rows.append(row)
    columns = ["temperature_c", "threshold_counts", "dark_cutoff", "n"]
    columns += [f"n_{name}" for name in POPULATIONS] + [f"fraction_{name}" for name in COUNTED]
    return pd.DataFrame(rows, columns=[*columns, "mean_delta", "median_delta"])


def on_fractions_by_threshold(
    nanocrystals: pd.DataFrame, on_fractions: Mapping[float, tuple[ArrayLike, ArrayLike]]
) -> pd.DataFrame:
    """Bring on-fractions at several thresholds into the table `sensitivity_table` takes.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a nanocrystal; `field`, `temperature_c`, `nc_id` and `analysed` are kept where
        they exist.
    on_fractions : mapping of float to two arrays of shape (n,)
        Threshold in counts to on-fractions before and after, in the rows' order.

    Returns
    -------
    DataFrame
        One row a nanocrystal and threshold.
    """
    names = ["field", "temperature_c", "nc_id", "analysed"]
    kept = nanocrystals[[name for name in names if name in nanocrystals]]
    parts = [
        kept.assign(
            threshold_counts=float(threshold),
            on_fraction_pre=np.asarray(before, dtype=float),
            on_fraction_post=np.asarray(after, dtype=float),
        )
        for threshold, (before, after) in sorted(on_fractions.items())
    ]
    return pd.concat(parts, ignore_index=True)
