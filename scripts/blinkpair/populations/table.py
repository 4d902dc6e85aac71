"""Populations: the changes by annealing, for each treatment.

A nanocrystal dark in both epochs is not counted in n: it cannot be distinguished from an empty
place. Every estimate has two intervals, from `statistics.intervals`: `_low` and `_high` hold where
fields differ, `_independent_low` and `_independent_high` take nanocrystals as independent.
`interval_method` names what is known of how fields differ. `p_mean_delta` (no change on average)
and `p_became_emissive_minus_dark` (as many became emissive as dark) belong to the first kind. Two
more tests, McNemar's exact and Wilcoxon's signed rank, take the nanocrystals as independent.

Rows of fields that share a movie are the same nanocrystals: they are one field for the intervals,
and `n_nanocrystals` counts each once. Fields of one sample, where `samples` marks them, are one as
well.

Input: the nanocrystal table (one row a nanocrystal, on-fractions before and after). Output: the
table of populations with its intervals and tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.blinking.equal_length import ENDING as EQUAL_LENGTH
from blinkpair.blinking.on_fractions import COUNTED, DARK_CUTOFF
from blinkpair.labels import (
    CONTROL,
    Temperature,
    as_bool,
    require_columns,
    sort_temperatures,
    temperature_labels,
)
from blinkpair.populations.counted import NUMBER, SAMPLE, Group, group_of, is_counted
from blinkpair.populations.left_out import left_out_columns
from blinkpair.populations.near_limit import expected_elsewhere
from blinkpair.statistics import intervals
from blinkpair.statistics.design_effects import Codes
from blinkpair.statistics.intervals import Estimate, StatisticsSettings
from blinkpair.statistics.rank_tests import signed_rank
from blinkpair.statistics.shared_units import correlation_of_means

# What a table of populations is made of.
COLUMNS = (
    "field",
    "temperature_c",
    "analysed",
    "on_fraction_pre",
    "on_fraction_post",
    "population",
)

_OF_RECIPE = COLUMNS[3:]
# Of the beginning of each movie, as long as the shortest one, where others are longer.
OPTIONAL = tuple(f"{name}{EQUAL_LENGTH}" for name in _OF_RECIPE)

_LENGTH = ("exposure_s", "n_frames_pre", "n_frames_post")

BY_FIELDS = "fields differ, by what is seen between fields of one treatment"
BY_OTHER_FIELDS = "fields differ, by what is seen at the other treatments"
BY_ASSUMPTION = "fields differ, by an assumption: no treatment has two"
BY_SAMPLES = "samples differ, by what is seen between samples of one treatment"
BY_OTHER_SAMPLES = "samples differ, by what is seen at the other treatments"

AGAINST_CONTROL = ("mean_delta", "fraction_became_emissive", "fraction_became_dark")


def summarise_populations(
    nanocrystals: pd.DataFrame,
    fields: pd.DataFrame | None = None,
    statistics: StatisticsSettings = StatisticsSettings(),
    recipe: str = "",
    *,
    dark_cutoff: float = DARK_CUTOFF,
) -> pd.DataFrame:
    """Tabulate the populations, one row a treatment.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a nanocrystal: `field`, `temperature_c` (degrees C, or `control`), `analysed`,
        `on_fraction_pre`, `on_fraction_post` (0 to 1), `population` (from `classify`), and, if
        known, `population_left_out`, the `OPTIONAL` columns, those of `near_limit`, and those of
        `shared_movies.mark_shared` and `samples.mark_samples`.
    fields : DataFrame, optional
        One row a field: `field`, `temperature_c`, `status` (`ok` or `failed`) and, if known,
        `expected_chance_pairs`. Without it the fields are those of `nanocrystals`, and the
        failed ones are unknown.
    statistics : StatisticsSettings
    recipe : str
        Ending of the columns of on-fractions and population: '' for the answer, `_fixed` or
        `_best`.
    dark_cutoff : float
        On-fractions below it are dark, 0 to 1.

    Returns
    -------
    DataFrame
        Ascending in temperature, the control last. Fractions, on-fractions and changes are 0 to 1,
        undefined values NaN. `interval_method` names the basis of the intervals,
        `design_effect_delta` how many nanocrystals of a field weigh as one independent one
        in the mean change, `n_more_fields_to_halve` how many more fields such as these would
        halve its interval. `*_minus_control` are differences from the control's row, over the
        first `compared_s` of each movie where the table has on-fractions of equal length.

    Raises
    ------
    InputError
        For a missing column or a `temperature_c` that is neither a number nor `control`.
    """
    chosen = {name: f"{name}{recipe}" for name in _OF_RECIPE}
    require_columns(nanocrystals, [chosen.get(name, name) for name in COLUMNS], "nanocrystals")
    table = nanocrystals.assign(temperature_c=temperature_labels(nanocrystals["temperature_c"]))
    if recipe:
        table = table.assign(**{name: table[own] for name, own in chosen.items()})
    if fields is not None:
        require_columns(fields, ["field", "temperature_c", "status"], "fields")
        fields = fields.assign(temperature_c=temperature_labels(fields["temperature_c"]))
    tables = [table] if fields is None else [fields, table]
    labels = sort_temperatures(label for one in tables for label in one["temperature_c"].unique())
    parts = [table[table["temperature_c"] == label] for label in labels]
    groups = [group_of(part, label) for part, label in zip(parts, labels, strict=True)]
    rows = [_counts(group, fields) for group in groups]
    for row, group in zip(rows, groups, strict=True):
        row["expected_other_population"] = expected_elsewhere(group.rows, dark_cutoff)
    if not recipe:
        for row, group in zip(rows, groups, strict=True):
            row |= left_out_columns(group.rows, group.delta)
    _count_once(rows, groups)
    unequal = OPTIONAL[0] in table and bool(table[OPTIONAL[0]].notna().any())
    cut = unequal and not recipe
    lengths_s = movie_lengths(fields)
    put_lengths(rows, lengths_s)
    for row in rows:
        row["compared_s"] = float(lengths_s.min()) if cut else float("nan")
    _estimate(rows, groups, statistics)
    _tests(rows, groups, statistics)
    compared, shorter = rows, groups
    if cut:
        compared = [dict(row) for row in rows]
        shorter = [
            group_of(part, label, EQUAL_LENGTH) for part, label in zip(parts, labels, strict=True)
        ]
        _estimate(compared, shorter, statistics)
    # Of the single recipes, on-fractions of equal length are not there.
    _against_control(rows, compared, shorter, known=cut or not unequal)
    put_methods(rows, [group.fields for group in groups], of_samples=SAMPLE in table)
    summary = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["temperature_c", "n"])
    if rows:
        summary["n_fields_failed"] = summary["n_fields_failed"].astype("Int64")
    return summary


def _estimate(
    rows: Sequence[dict[str, Any]], groups: Sequence[Group], statistics: StatisticsSettings
) -> None:
    """Write the shares of the populations, the mean and the median change into the rows."""
    fields = [group.fields for group in groups]
    settings = interval_settings([group.label for group in groups], statistics)
    for name in COUNTED:
        flags = [group.values(f"fraction_{name}") for group in groups]
        fractions = intervals.pooled_fractions(flags, fields, **settings)
        put_estimates(rows, f"fraction_{name}", fractions, independent=True)
    deltas = [group.delta for group in groups]
    means = intervals.pooled_means(deltas, fields, **settings)
    bounded = [mean.within(-1.0, 1.0) for mean in means]
    put_estimates(rows, "mean_delta", bounded, independent=True)
    for row, mean in zip(rows, means, strict=True):
        row["p_mean_delta"], row["design_effect_delta"] = mean.p_value, mean.design_effect
    medians = intervals.pooled_medians(deltas, fields, **settings)
    put_estimates(rows, "median_delta", medians, independent=True)


def interval_settings(
    labels: Sequence[Temperature], statistics: StatisticsSettings
) -> dict[str, Any]:
    """Return the keywords of the intervals of groups with these labels, the control last."""
    return {"confidence": statistics.confidence, "control_last": CONTROL in labels}


def _counts(group: Group, fields: pd.DataFrame | None) -> dict[str, Any]:
    """Return the whole numbers of a row, and the accidental pairs expected."""
    analysed = as_bool(group.rows["analysed"])
    row: dict[str, Any] = {
        "temperature_c": group.label,
        "n_fields": int(group.rows["field"].nunique()),
        "n_fields_failed": None,
        "n": group.delta.size,
    }
    row["n_nanocrystals"] = row["n_also_in_rows_above"] = 0  # written by `_count_once`
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


def _count_once(rows: Sequence[dict[str, Any]], groups: Sequence[Group]) -> None:
    """Write how many nanocrystals the n rows of a treatment are, and how many of them are above.

    They are fewer where fields share a movie.
    """
    above: set[int] = set()
    for row, group in zip(rows, groups, strict=True):
        row["n_nanocrystals"], row["n_also_in_rows_above"] = row["n"], 0
        if NUMBER in group.rows:
            own = set(group.rows.loc[is_counted(group.rows), NUMBER].tolist())
            row["n_nanocrystals"], row["n_also_in_rows_above"] = len(own), len(own & above)
            above |= own


def put_lengths(rows: Sequence[dict[str, Any]], lengths_s: pd.Series[float]) -> None:
    """Write the lengths of the shortest and longest movie of each treatment; NaN if not known.

    `lengths_s` is from `movie_lengths`.
    """
    of_labels = lengths_s.groupby(level=0).agg(["min", "max"]).to_dict("index")
    for row in rows:
        own = of_labels.get(row["temperature_c"], {})
        row["shortest_movie_s"] = own.get("min", float("nan"))
        row["longest_movie_s"] = own.get("max", float("nan"))


def movie_lengths(fields: pd.DataFrame | None) -> pd.Series[float]:
    """Return how long the shorter movie of each registered field is, in s, by `temperature_c`.

    Parameters
    ----------
    fields : DataFrame, optional
        `fields.csv`; where it or its columns are missing, the result is empty.
    """
    if fields is None or not set(_LENGTH) <= set(fields):
        return pd.Series(dtype=float)
    own = fields[fields["status"] == "ok"]
    frames = own[list(_LENGTH[1:])].apply(pd.to_numeric).min(axis=1)
    lengths_s = frames * own[_LENGTH[0]].astype(float)
    return pd.Series(lengths_s.to_numpy(float), index=temperature_labels(own["temperature_c"]))


def put_methods(
    rows: Sequence[dict[str, Any]], fields: Sequence[Codes], *, of_samples: bool
) -> None:
    """Write the basis of each treatment's interval; the empty string without nanocrystals.

    `of_samples`: whether `fields` numbers samples.
    """
    by_own, by_others = (
        (BY_SAMPLES, BY_OTHER_SAMPLES) if of_samples else (BY_FIELDS, BY_OTHER_FIELDS)
    )
    several = [bool(own.size and own.max() > 0) for own in fields]
    treated = [row["temperature_c"] != CONTROL for row in rows]
    others = any(two for two, one in zip(several, treated, strict=True) if one)
    for row, own, two in zip(rows, fields, several, strict=True):
        method = by_own if two else by_others if others else BY_ASSUMPTION
        row["interval_method"] = method if own.size else ""


def put_estimates(
    rows: Sequence[dict[str, Any]],
    name: str,
    estimates: Sequence[Estimate],
    *,
    independent: bool = False,
) -> None:
    """Write an estimate into each row: `name`, `name_low` and `name_high`.

    And, if wanted, the interval that takes nanocrystals as independent.
    """
    for row, estimate in zip(rows, estimates, strict=True):
        row[name], row[f"{name}_low"], row[f"{name}_high"] = estimate[:3]
        if independent:
            low, high = estimate.independent
            row[f"{name}_independent_low"], row[f"{name}_independent_high"] = low, high


def _tests(
    rows: list[dict[str, Any]], groups: Sequence[Group], statistics: StatisticsSettings
) -> None:
    """Add the tests, and how many more fields would halve the interval of the mean change."""
    from scipy import stats  # half a second to import, and only this step needs it

    fields = [group.fields for group in groups]
    signs = [
        (group.population == COUNTED[0]) * 1.0 - (group.population == COUNTED[1])
        for group in groups
    ]
    settings = interval_settings([group.label for group in groups], statistics)
    gained = intervals.pooled_means(signs, fields, **settings)
    deltas = [group.delta for group in groups]
    more = intervals.fields_to_halve(deltas, fields, **settings)
    for row, delta, test, fields_more in zip(rows, deltas, gained, more, strict=True):
        row["n_more_fields_to_halve"] = fields_more
        row["p_became_emissive_minus_dark"] = test.p_value
        row["p_mcnemar"], row["p_wilcoxon"] = float("nan"), signed_rank(delta)
        if delta.size == 0:
            continue
        changed = row["n_became_emissive"] + row["n_became_dark"]
        row["p_mcnemar"] = 1.0  # with nothing that changed there is nothing against equality
        if changed:
            exact = stats.binomtest(row["n_became_emissive"], changed, 0.5)
            row["p_mcnemar"] = float(exact.pvalue)


def _correlation(group: Group, control: Group, name: str) -> float:
    if group.numbers is None or control.numbers is None:
        return 0.0
    return correlation_of_means(
        group.values(name), group.numbers, control.values(name), control.numbers
    )


def _against_control(
    rows: list[dict[str, Any]],
    compared: list[dict[str, Any]],
    groups: list[Group],
    *,
    known: bool,
) -> None:
    """Add the differences from the control's row; NaN there, and where there is none.

    `compared` are the rows over movies of equal length, `groups` their nanocrystals; `known` is
    whether these were analysed. Where a treatment shares movies with the control (a series), the
    two are correlated.
    """
    places = [k for k, row in enumerate(compared) if row["temperature_c"] == CONTROL]
    for row, own, group in zip(rows, compared, groups, strict=True):
        for name in AGAINST_CONTROL:
            value, interval = float("nan"), intervals.UNDEFINED
            for k in places if known and group.label != CONTROL else ():
                control = compared[k]
                value = own[name] - control[name]
                interval = intervals.difference_interval(
                    own[name],
                    (own[f"{name}_low"], own[f"{name}_high"]),
                    control[name],
                    (control[f"{name}_low"], control[f"{name}_high"]),
                    _correlation(group, groups[k], name),
                )
            put_estimates(
                [row], f"{name}_minus_control", [Estimate(value, *interval, float("nan"))]
            )
