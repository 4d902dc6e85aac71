"""How many nanocrystals were stable, and how much light the fields kept, for each temperature.

Input: the table of all nanocrystals with their classes and their counts at both ends of the
movies. Output: one row a temperature and epoch, with intervals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.blinking.photostability import CLASSES
from blinkpair.epochs import EPOCHS
from blinkpair.labels import (
    Temperature,
    as_bool,
    by_temperature,
    require_columns,
    text_codes,
)
from blinkpair.populations.counted import SAMPLE, independent_fields
from blinkpair.populations.table import (
    interval_settings,
    movie_lengths,
    put_estimates,
    put_lengths,
    put_methods,
)
from blinkpair.statistics import intervals
from blinkpair.statistics.design_effects import field_codes
from blinkpair.statistics.intervals import Estimate, StatisticsSettings

COLUMNS = (
    "field",
    "temperature_c",
    "analysed",
    *(f"{name}_{e}" for e in EPOCHS for name in ("photostability", "start_counts", "end_counts")),
)
_CLEARLY = 2.0  # standard errors by which a field's light at the start has to exceed zero


def summarise_photostability(
    nanocrystals: pd.DataFrame,
    statistics: StatisticsSettings = StatisticsSettings(),
    fields: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tabulate the photostability, one row a temperature and epoch.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        One row a nanocrystal: `field`, `temperature_c` (degrees C, or `control`), `analysed`, and
        for both epochs `photostability_*`, `start_counts_*`, `end_counts_*`.
    statistics : StatisticsSettings
        `interval_method` names the basis of the intervals.
    fields : pandas.DataFrame, optional
        `fields.csv`, for the lengths of the movies: `kept` and the classes are of whole movies, and
        more is lost in a long one.

    Returns
    -------
    pandas.DataFrame
        Temperatures ascending, the control last, 'pre' before 'post'. `n` nanocrystals were
        analysed and tested; `n_*` and `fraction_*` (of n, with `_low` and `_high`) are the
        classes. `kept` is the integrated photoluminescence at the end of the movie over that at
        its start, all analysed nanocrystals together, tested or not, in units of their own
        field's mean at the start, so that a bright field has no more weight than the others.
        `n_kept` of them are used: those measured at both ends, in fields that have at least two
        and whose mean at the start is two standard errors above zero. NaN where there is no such
        field.

    Raises
    ------
    InputError
        For a missing column or a `temperature_c` that is neither a number nor `control`.
    """
    require_columns(nanocrystals, list(COLUMNS), "nanocrystals")
    by_label = by_temperature(nanocrystals)
    labels, groups = list(by_label), list(by_label.values())
    settings = interval_settings(labels, statistics)
    rows: dict[tuple[Temperature, str], dict[str, Any]] = {}
    for epoch in EPOCHS:
        own = [_counts(group, label, epoch) for label, group in zip(labels, groups, strict=True)]
        tested = [_tested(group, epoch) for group in groups]
        codes = [field_codes(fields) for _, fields in tested]
        for name in CLASSES:
            flags = [(kind == name).to_numpy().astype(float) for kind, _ in tested]
            fractions = intervals.pooled_fractions(flags, codes, **settings)
            put_estimates(own, f"fraction_{name}", fractions)
        kept = [_kept(group, epoch) for group in groups]
        moves = [residuals for _, residuals, _ in kept]
        spreads = intervals.pooled_means(
            moves, [field_codes(fields) for *_, fields in kept], **settings
        )
        for row, (ratio, residuals, _), spread in zip(own, kept, spreads, strict=True):
            # There is no less light than none.
            (low, high), independent = (
                (max(ratio + first, min(ratio, 0.0)), ratio + last)
                for first, last in ((spread.low, spread.high), spread.independent)
            )
            estimate = Estimate(ratio, low, high, spread.design_effect, independent)
            put_estimates([row], "kept", [estimate], independent=True)
            row["n_kept"] = residuals.size
        put_lengths(own, movie_lengths(fields))
        put_methods(own, codes, of_samples=SAMPLE in nanocrystals)
        rows |= {(label, epoch): row for label, row in zip(labels, own, strict=True)}
    ordered = [rows[label, epoch] for label in labels for epoch in EPOCHS]
    return pd.DataFrame(ordered, columns=list(ordered[0]) if ordered else ["temperature_c", "n"])


def _tested(group: pd.DataFrame, epoch: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return class and field of the nanocrystals that were analysed and tested."""
    kind = group[f"photostability_{epoch}"]
    rows = as_bool(group["analysed"]) & kind.isin(CLASSES).to_numpy()
    return kind[rows], independent_fields(group)[rows]


def _counts(group: pd.DataFrame, label: Temperature, epoch: str) -> dict[str, Any]:
    kind, _ = _tested(group, epoch)
    return {
        "temperature_c": label,
        "epoch": epoch,
        "n_fields": int(group["field"].nunique()),
        "n": kind.size,
        **{f"n_{name}": int(np.sum(kind == name)) for name in CLASSES},
        "n_not_tested": int(as_bool(group["analysed"]).sum()) - kind.size,
    }


def _kept(group: pd.DataFrame, epoch: str) -> tuple[float, FloatArray, NDArray[np.object_]]:
    """Return the ratio of the ends' sums, and each nanocrystal's part in it (delta method, mean 0).

    With m and R_f the mean start and the ratio of its field, R that of all, a nanocrystal moves R
    by (end - R_f start) / m + R_f - R: its own part, and its field's.
    """
    start = group[f"start_counts_{epoch}"].to_numpy(float)
    end = group[f"end_counts_{epoch}"].to_numpy(float)
    usable = as_bool(group["analysed"]) & np.isfinite(start) & np.isfinite(end)
    code, names = text_codes(group["field"][usable])
    start, end = start[usable], end[usable]
    # The rows of each field, in the order in which they stand.
    fields = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
    parts, ratios, kept_codes = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, np.intp)]
    for place, rows in enumerate(fields):
        first, last = start[rows], end[rows]
        if first.size < 2:
            continue
        mean = first.mean()
        if mean <= _CLEARLY * first.std(ddof=1) / np.sqrt(first.size):
            continue
        ratio = last.mean() / mean
        parts.append((last - ratio * first) / mean)
        ratios.append(np.full(first.size, ratio))
        kept_codes.append(np.full(first.size, place))
    ratio = np.concatenate(ratios)
    kept = float(ratio.mean()) if ratio.size else float("nan")
    # Each field has its own ratio; for the intervals those that share a movie or a sample are one.
    one = dict(zip(group["field"].astype(str), independent_fields(group).astype(str), strict=True))
    alike = np.array([one[name] for name in names.tolist()], dtype=object)
    of_field = alike[np.concatenate(kept_codes)]
    return kept, np.concatenate(parts) + ratio - kept, of_field
