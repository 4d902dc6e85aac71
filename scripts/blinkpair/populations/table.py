"""Populations: the changes by annealing, for each temperature.

A nanocrystal dark in both epochs is not counted in n: it cannot be distinguished from an empty
place. Intervals are those of `statistics.resampling`: the nanocrystals of one field are not
independent, so the intervals are based on resampled fields as soon as a temperature has two of
them, and `interval_method` states it. The two tests, McNemar's exact and Wilcoxon's signed rank,
take the nanocrystals as independent; read them next to the intervals and to the control.

Input: the nanocrystal table (one row a nanocrystal, on-fractions before and after). Output: the
population of each, and the table of populations with its intervals and tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.blinking.on_fractions import COUNTED
from blinkpair.labels import (
    CONTROL,
    Temperature,
    as_bool,
    require_columns,
    sort_temperatures,
    temperature_labels,
    text_codes,
)
from blinkpair.statistics import field_draws, resampling
from blinkpair.statistics.field_draws import FieldDraws
from blinkpair.statistics.rank_tests import signed_rank
from blinkpair.statistics.resampling import Estimate, StatisticsSettings

# What a table of populations is made of.
COLUMNS = (
    "field",
    "temperature_c",
    "analysed",
    "on_fraction_pre",
    "on_fraction_post",
    "population",
)

BY_FIELDS = "fields resampled"
BY_OTHER_FIELDS = "nanocrystals, widened by the fields resampled at the other temperatures"
BY_NANOCRYSTALS = "nanocrystals taken as independent"


def summarise_populations(
    nanocrystals: pd.DataFrame,
    fields: pd.DataFrame | None = None,
    statistics: StatisticsSettings = StatisticsSettings(),
) -> pd.DataFrame:
    """Tabulate the populations, one row a temperature.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a nanocrystal: `field`, `temperature_c` (degrees C, or `control`), `analysed`,
        `on_fraction_pre`, `on_fraction_post` (0 to 1), `population` (from `classify`).
    fields : DataFrame, optional
        One row a field: `field`, `temperature_c`, `status` (`ok` or `failed`) and, if known,
        `expected_chance_pairs`. Without it the fields are those of `nanocrystals`, and the
        failed ones are unknown.
    statistics : StatisticsSettings

    Returns
    -------
    DataFrame
        Ascending in temperature, the control last. Fractions, on-fractions and changes are 0 to 1,
        undefined values NaN. `interval_method` names the basis of the intervals,
        `design_effect_delta` how many nanocrystals of a field weigh as one independent one
        in the mean change. `*_minus_control` are differences from the control's row.

    Raises
    ------
    InputError
        For a missing column or a `temperature_c` that is neither a number nor `control`.
    """
    require_columns(nanocrystals, list(COLUMNS), "nanocrystals")
    table = nanocrystals.assign(temperature_c=temperature_labels(nanocrystals["temperature_c"]))
    if fields is not None:
        require_columns(fields, ["field", "temperature_c", "status"], "fields")
        fields = fields.assign(temperature_c=temperature_labels(fields["temperature_c"]))
    tables = [table] if fields is None else [fields, table]
    present = [label for one in tables for label in one["temperature_c"].unique()]
    groups = [
        _group(table[table["temperature_c"] == label], label, statistics)
        for label in sort_temperatures(present)
    ]
    rows = [_counts(group, fields) for group in groups]

    fields_of = [group.fields for group in groups]
    for name in COUNTED:
        flags = [(group.population == name).astype(float) for group in groups]
        fractions = resampling.pooled_fractions(flags, fields_of, confidence=statistics.confidence)
        put_estimates(rows, f"fraction_{name}", fractions)

    deltas = [group.delta for group in groups]
    means = resampling.pooled_means(deltas, fields_of, confidence=statistics.confidence)
    put_estimates(rows, "mean_delta", [mean.within(-1.0, 1.0) for mean in means])
    for row, mean in zip(rows, means, strict=True):
        row["design_effect_delta"] = mean.design_effect
    medians = resampling.pooled_medians(deltas, fields_of, confidence=statistics.confidence)
    put_estimates(rows, "median_delta", medians)

    _tests(rows, deltas)
    _against_control(rows)
    put_methods(rows, fields_of)
    summary = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["temperature_c", "n"])
    if rows:
        summary["n_fields_failed"] = summary["n_fields_failed"].astype("Int64")
    return summary


@dataclass(frozen=True)
class _Group:
    """Return the nanocrystals of one temperature, ordered so that the rows' order is irrelevant."""

    label: Temperature
    rows: pd.DataFrame
    population: NDArray[np.object_]  # of the n
    delta: FloatArray
    fields: FieldDraws


def _group(rows: pd.DataFrame, label: Temperature, statistics: StatisticsSettings) -> _Group:
    counted = rows[as_bool(rows["analysed"]) & rows["population"].isin(COUNTED).to_numpy()]
    before = counted["on_fraction_pre"].to_numpy(float)
    delta = counted["on_fraction_post"].to_numpy(float) - before
    names = counted["population"]
    order = np.lexsort((text_codes(names)[0], before, delta, text_codes(counted["field"])[0]))
    return _Group(
        label=label,
        rows=rows,
        population=names.astype(object).to_numpy()[order],
        delta=delta[order],
        fields=field_draws.resample_fields(
            counted["field"].iloc[order],
            label,
            resamples=statistics.resamples,
            seed=statistics.seed,
        ),
    )


def _counts(group: _Group, fields: pd.DataFrame | None) -> dict[str, Any]:
    """Return the whole numbers of a row, and the accidental pairs expected."""
    analysed = as_bool(group.rows["analysed"])
    row: dict[str, Any] = {
        "temperature_c": group.label,
        "n_fields": int(group.rows["field"].nunique()),
        "n_fields_failed": None,
        "n": group.delta.size,
    }
    row |= {f"n_{name}": int(np.sum(group.population == name)) for name in COUNTED}
    row["n_dark"] = int(np.sum(analysed & (group.rows["population"] == "dark").to_numpy()))
    row["n_excluded"] = int(np.sum(~analysed))
    row["expected_chance_pairs"] = float("nan")
    if fields is not None:
        own = fields[fields["temperature_c"] == group.label]
        ok = (own["status"] == "ok").to_numpy()
        row["n_fields"], row["n_fields_failed"] = int(ok.sum()), int((~ok).sum())
        if "expected_chance_pairs" in own and ok.any():
            expected = own.loc[ok, "expected_chance_pairs"].to_numpy(float)
            row["expected_chance_pairs"] = float(expected.sum())  # NaN if one is unknown
    return row


def put_methods(rows: Sequence[dict[str, Any]], fields: Sequence[FieldDraws]) -> None:
    """Write the basis of each temperature's interval; the empty string without nanocrystals."""
    several = any(own.n_fields > 1 for own in fields)
    one_field = BY_OTHER_FIELDS if several else BY_NANOCRYSTALS
    for row, own in zip(rows, fields, strict=True):
        method = BY_FIELDS if own.n_fields > 1 else one_field
        row["interval_method"] = method if own.codes.size else ""


def put_estimates(rows: Sequence[dict[str, Any]], name: str, estimates: Sequence[Estimate]) -> None:
    """Write an estimate into each row: `name`, `name_low` and `name_high`."""
    for row, estimate in zip(rows, estimates, strict=True):
        row[name], row[f"{name}_low"], row[f"{name}_high"] = estimate[:3]


def _tests(rows: list[dict[str, Any]], deltas: list[FloatArray]) -> None:
    """Add McNemar's exact test of the two changed populations, and Wilcoxon's of the change."""
    from scipy import stats  # half a second to import, and only this step needs it

    for row, delta in zip(rows, deltas, strict=True):
        row["p_mcnemar"], row["p_wilcoxon"] = float("nan"), signed_rank(delta)
        if delta.size == 0:
            continue
        changed = row["n_became_emissive"] + row["n_became_dark"]
        row["p_mcnemar"] = 1.0  # with nothing that changed there is nothing against equality
        if changed:
            exact = stats.binomtest(row["n_became_emissive"], changed, 0.5)
            row["p_mcnemar"] = float(exact.pvalue)


def _against_control(rows: list[dict[str, Any]]) -> None:
    """Add the differences from the control's row; NaN there, and where there is none."""
    control = next((row for row in rows if row["temperature_c"] == CONTROL), None)
    for row in rows:
        for name in ("mean_delta", "fraction_became_emissive", "fraction_became_dark"):
            value, interval = float("nan"), resampling.UNDEFINED
            if control is not None and row is not control:
                value = row[name] - control[name]
                interval = resampling.difference_interval(
                    row[name],
                    (row[f"{name}_low"], row[f"{name}_high"]),
                    control[name],
                    (control[f"{name}_low"], control[f"{name}_high"]),
                )
            put_estimates(
                [row], f"{name}_minus_control", [Estimate(value, *interval, float("nan"))]
            )
