"""Dependence of the populations on the count threshold and the dark cutoff.

The paper's 100 counts and 10 % are settings of one microscope. A conclusion that holds only with
these two numbers depends on the settings, not on the sample.

Input: on-fractions of the same nanocrystals at several thresholds. Output: the counts of every
population for each threshold and cutoff.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.blinking.on_fractions import COUNTED, DARK_CUTOFF, POPULATIONS, population_codes
from blinkpair.labels import (
    Temperature,
    as_bool,
    require_columns,
    sort_temperatures,
    temperature_labels,
)

REQUIRED = ("temperature_c", "threshold_counts", "on_fraction_pre", "on_fraction_post")
COLUMNS = (*REQUIRED, "analysed")  # the last only if some are left out


def sensitivity_table(
    on_fractions: Iterable[pd.DataFrame],
    *,
    dark_cutoffs: Iterable[float] = (0.05, DARK_CUTOFF, 0.20),
) -> pd.DataFrame:
    """Count the populations for every count threshold and dark cutoff.

    Parameters
    ----------
    on_fractions : iterable of DataFrame
        Parts of a table with one row a nanocrystal and threshold: `temperature_c`,
        `threshold_counts`, `on_fraction_pre`, `on_fraction_post` and, if some are left out,
        `analysed`. Of the rows only the two numbers a median needs are kept.
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
    kept = _by_setting(on_fractions)
    cutoffs = sorted(dark_cutoffs)
    rows: list[dict[str, Any]] = []
    for label in sort_temperatures(label for label, _ in list(kept)):
        for threshold in sorted(own for at, own in kept if at == label):
            pieces = kept.pop((label, threshold))
            before, after = (np.concatenate([piece[i] for piece in pieces]) for i in (0, 1))
            for cutoff in cutoffs:
                codes = population_codes(before, after, cutoff)
                sums = np.bincount(codes[codes >= 0], minlength=len(POPULATIONS)).tolist()
                counts = dict(zip(POPULATIONS, sums, strict=True))
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
                counted = (codes >= 0) & (codes != POPULATIONS.index("dark"))
                delta = after[counted] - before[counted]
                row["mean_delta"] = float(delta.mean()) if n else float("nan")
                row["median_delta"] = float(np.median(delta)) if n else float("nan")
                rows.append(row)
    columns = ["temperature_c", "threshold_counts", "dark_cutoff", "n"]
    columns += [f"n_{name}" for name in POPULATIONS] + [f"fraction_{name}" for name in COUNTED]
    return pd.DataFrame(rows, columns=[*columns, "mean_delta", "median_delta"])


def _by_setting(
    parts: Iterable[pd.DataFrame],
) -> dict[tuple[Temperature, float], list[tuple[FloatArray, FloatArray]]]:
    """Return the on-fractions of the analysed before and after, by temperature and threshold."""
    kept: dict[tuple[Temperature, float], list[tuple[FloatArray, FloatArray]]] = {}
    for part in parts:
        require_columns(part, list(REQUIRED), "on_fractions")
        labels = temperature_labels(part["temperature_c"])
        analysed = as_bool(part["analysed"]) if "analysed" in part else np.ones(len(part), bool)
        both = [part[name].to_numpy(float) for name in REQUIRED[2:]]
        thresholds = part["threshold_counts"].to_numpy()
        for label in labels.unique():
            at = np.flatnonzero((labels == label).to_numpy(bool))
            for threshold in np.unique(thresholds[at]).tolist():
                rows = at[thresholds[at] == threshold]
                rows = rows[analysed[rows]]
                kept.setdefault((label, threshold), []).append((both[0][rows], both[1][rows]))
    return kept
