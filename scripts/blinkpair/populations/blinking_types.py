"""Types of blinking: how many nanocrystals have which, and what the annealing did to each.

Type A (`truncated_power_law`, Eq. 2) and type B (`power_law`, Eq. 1) are of the on events;
`undecided`, `neither` (the test of fit rejects both laws) and `not_fitted` are types of their own
here: without them the fractions would describe only the nanocrystals that blink often. The shares
of A and B among all, which the counts give too small, are estimated beside them (`type_shares`),
and so are the transitions between A and B (`transition_shares`). A nanocrystal that is dark in an
epoch has no on events to fit: it is `dark` there. Only the n of the table of populations count, so
that the transitions add up to it.

Every table has one block of rows a temperature, ascending, the control last. Intervals are those
of `statistics.intervals`, the design effects pooled over the temperatures; `interval_method` names
their basis. The rank tests take the nanocrystals as independent; read them next to the intervals.
Compare every difference between types with the control's: nanocrystals that were chosen by their
blinking before return towards the average without any annealing.

Input: the nanocrystal table. Output: tables of the types before and after, of the transitions
between them, of the change in on-fraction by initial type, and of alpha by what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.dwell_fits.result import MAX_FALSE_SHARE
from blinkpair.epochs import EPOCHS
from blinkpair.labels import require_columns
from blinkpair.populations.counted import SAMPLE, independent_fields
from blinkpair.populations.table import (
    interval_settings,
    put_estimates,
    put_methods,
)
from blinkpair.populations.transition_shares import UNKNOWN, pooled_transition_shares
from blinkpair.populations.type_ratios import GroupRatios, ratios_within_group
from blinkpair.populations.type_shares import pooled_type_shares
from blinkpair.populations.type_states import (
    DARK,
    EVENTS,
    FALSE_EVENTS,
    LARGE_CHANGE,
    PURE,
    RATIO,
    STATES,
    TRUNCATED,
    TYPES,
    TypeGroup,
    large_changes,
)
from blinkpair.statistics import intervals
from blinkpair.statistics.design_effects import Codes, field_codes
from blinkpair.statistics.intervals import StatisticsSettings
from blinkpair.statistics.rank_tests import rank_sum, signed_rank

_NAN = float("nan")
_FITTED = ("alpha_on_{}", "tau_on_{}_s")


def summarise_types(
    groups: Sequence[TypeGroup], statistics: StatisticsSettings = StatisticsSettings()
) -> pd.DataFrame:
    """Count the types of blinking before and after.

    Parameters
    ----------
    groups : sequence of TypeGroup
        From `type_groups`, with `alpha_on_{epoch}` and `tau_on_{epoch}_s`, and, if known,
        `expected_false_on_events_{epoch}`, `n_on_events_{epoch}` and `type_states.RATIO`.
    statistics : StatisticsSettings

    Returns
    -------
    DataFrame
        One row a temperature and epoch: `n` (emissive in that epoch), `n_` and `fraction_` (of
        n, with `_low` and `_high`) of each type; `share_type_a` and `share_type_b` with `_low` and
        `_high`, estimated from all n (`type_shares`), with the mean `alpha_type_b` of that
        estimate (`type_ratios`); `median_alpha_on_power_law`,
        `median_alpha_on_truncated_power_law`, `median_tau_on_s` (s, of the truncated ones),
        `median_false_event_share` (false on events expected from noise over on events), NaN
        where nothing is known; `n_undecided_for_noise`, of the undecided those of which noise makes
        more than `MAX_FALSE_SHARE` of the on events; `n_fields`, `interval_method`.

    Raises
    ------
    InputError
        For a missing column or an unknown type.
    """
    for group in groups:
        fitted = [name.format(epoch) for epoch in EPOCHS for name in _FITTED]
        require_columns(group.rows, fitted, "nanocrystals")
    settings = interval_settings([group.label for group in groups], statistics)
    blocks: list[list[dict[str, Any]]] = []
    for epoch in EPOCHS:
        parts = [_part(g, g.rows[f"type_{epoch}"] != DARK) for g in groups]
        rows = []
        for part in parts:
            state = part.rows[f"type_{epoch}"].to_numpy()
            row = {
                "temperature_c": part.label,
                "epoch": epoch,
                "n_fields": part.rows["field"].nunique(),
            }
            row |= {"n": len(state)} | {f"n_{name}": int(np.sum(state == name)) for name in TYPES}
            rows.append(row)
        for name in TYPES:
            flags = [_flags(p.rows[f"type_{epoch}"], name) for p in parts]
            fractions = intervals.pooled_fractions(flags, [p.fields for p in parts], **settings)
            put_estimates(rows, f"fraction_{name}", fractions)
        ratios = [_ratios(p.rows, epoch) for p in parts]
        shares = pooled_type_shares([r.logs for r in ratios], [p.fields for p in parts], **settings)
        for name, estimates in zip(("a", "b"), shares, strict=True):
            put_estimates(rows, f"share_type_{name}", estimates)
        for row, part, ratio in zip(rows, parts, ratios, strict=True):
            row |= {"alpha_type_b": ratio.alpha_b} | _measured(part.rows, epoch)
        put_methods(rows, [p.fields for p in parts], of_samples=_of_samples(groups))
        blocks.append(rows)
    return _table(blocks, ["temperature_c", "epoch"])


def type_transitions(
    groups: Sequence[TypeGroup], statistics: StatisticsSettings = StatisticsSettings()
) -> pd.DataFrame:
    """Count the nanocrystals of each type before that have each type after.

    Parameters
    ----------
    groups : sequence of TypeGroup
        From `type_groups`.
    statistics : StatisticsSettings

    Returns
    -------
    DataFrame
        One row a temperature and pair `type_pre`, `type_post` of `STATES`, without dark in both
        (no part of n): `n`, `n_pre` (all with that type before), `fraction_of_pre` with `_low`
        and `_high`, NaN where no nanocrystal had that type. The `n` of a temperature add up to
        the n of its populations. The row `dark` is of those that became emissive: a fraction of
        it does not contain how many dark ones there were. `share_of_both` and `share_of_pre` with
        `_low` and `_high` are estimated with and without verdicts (`transition_shares`), of the
        nanocrystals that are emissive in both movies and of those of them with `type_pre`; NaN
        where a type is neither A nor B.
    """
    settings = interval_settings([group.label for group in groups], statistics)
    emissive = [(g.rows[["type_pre", "type_post"]] != DARK).all(axis=1) for g in groups]
    both = [_part(group, chosen) for group, chosen in zip(groups, emissive, strict=True)]
    before_logs, after_logs = ([_ratios(p.rows, epoch).logs for p in both] for epoch in EPOCHS)
    shares = pooled_transition_shares(
        before_logs, after_logs, [part.fields for part in both], **settings
    )
    blocks: list[list[dict[str, Any]]] = []
    for before in STATES:
        parts = [_part(g, g.rows["type_pre"] == before) for g in groups]
        fields = [part.fields for part in parts]
        for after in STATES:
            if before == after == DARK:
                continue
            flags = [_flags(part.rows["type_post"], after) for part in parts]
            fractions = intervals.pooled_fractions(flags, fields, **settings)
            rows: list[dict[str, Any]] = [
                {
                    "temperature_c": part.label,
                    "type_pre": before,
                    "type_post": after,
                    "n": int(flag.sum()),
                    "n_pre": flag.size,
                }
                for part, flag in zip(parts, flags, strict=True)
            ]
            put_estimates(rows, "fraction_of_pre", fractions)
            of_pair = [own.get((before, after), (UNKNOWN, UNKNOWN)) for own in shares]
            put_estimates(rows, "share_of_both", [estimate for estimate, _ in of_pair])
            put_estimates(rows, "share_of_pre", [estimate for _, estimate in of_pair])
            put_methods(rows, fields, of_samples=_of_samples(groups))
            blocks.append(rows)
    return _table(blocks, ["temperature_c", "type_pre", "type_post", "n", "n_pre"])


def change_by_type(
    groups: Sequence[TypeGroup], statistics: StatisticsSettings = StatisticsSettings()
) -> pd.DataFrame:
    """Tabulate the change in on-fraction by the type before (Fig. 8).

    Parameters
    ----------
    groups : sequence of TypeGroup
        From `type_groups`.
    statistics : StatisticsSettings

    Returns
    -------
    DataFrame
        One row a temperature and `type_pre`, which is `all` (the n) or one of `STATES`: `n`,
        `mean_delta` and `median_delta` (0 to 1) with `_low` and `_high`, `p_mean_delta` (no
        change, by the distribution of the interval), `n_gained`, `n_lost` (any change; the rest
        did not change), `p_wilcoxon` (signed rank of the change). On the
        row `truncated_power_law` only, NaN on the others: `p_against_power_law`, two-sided rank
        test of the changes of type A against those of type B, and
        `probability_above_power_law`, that one of type A changed by more than one of type B.
    """
    settings = interval_settings([group.label for group in groups], statistics)
    blocks: list[list[dict[str, Any]]] = []
    for name in ("all", *STATES):
        parts = [_part(g, (g.rows["type_pre"] == name) | (name == "all")) for g in groups]
        fields = [part.fields for part in parts]
        deltas = [part.rows["delta"].to_numpy(float) for part in parts]
        means = intervals.pooled_means(deltas, fields, **settings)
        medians = intervals.pooled_medians(deltas, fields, **settings)
        rows: list[dict[str, Any]] = [
            {"temperature_c": part.label, "type_pre": name, "n": delta.size}
            for part, delta in zip(parts, deltas, strict=True)
        ]
        put_estimates(rows, "mean_delta", [mean.within(-1.0, 1.0) for mean in means])
        put_estimates(rows, "median_delta", medians)
        for row, group, delta, mean in zip(rows, groups, deltas, means, strict=True):
            row["p_mean_delta"] = mean.p_value
            row["n_gained"], row["n_lost"] = int(np.sum(delta > 0)), int(np.sum(delta < 0))
            row["p_wilcoxon"] = signed_rank(delta)
            pure = group.rows.loc[group.rows["type_pre"] == PURE, "delta"].to_numpy(float)
            compared = rank_sum(delta, pure) if name == TRUNCATED else (_NAN, _NAN)
            row["p_against_power_law"], row["probability_above_power_law"] = compared
        put_methods(rows, fields, of_samples=_of_samples(groups))
        blocks.append(rows)
    return _table(blocks, ["temperature_c", "type_pre", "n"])


def alpha_by_change(
    groups: Sequence[TypeGroup],
    statistics: StatisticsSettings = StatisticsSettings(),
    *,
    large_change: float = LARGE_CHANGE,
) -> pd.DataFrame:
    """Compare alpha before of the type-B nanocrystals that gained much and lost much (Fig. S11).

    Parameters
    ----------
    groups : sequence of TypeGroup
        From `type_groups`, with `alpha_on_pre`.
    large_change : float
        Gained: the on-fraction rose by more than this (0 to 1). Lost: it fell by more.
    statistics : StatisticsSettings

    Returns
    -------
    DataFrame
        One row a temperature: `large_change`, `n_gained`, `n_lost`, `median_alpha_` and
        `mean_alpha_` of `gained` and `lost` with `_low` and `_high`, `p_rank` (Mann and
        Whitney's test, two-sided, exact where scipy does so) and `probability_gained_larger`:
        that one that gained has the larger alpha than one that lost, U / (n_gained n_lost), half
        for equal ones. NaN where a group is empty.
    """
    for group in groups:
        require_columns(group.rows, ["alpha_on_pre"], "nanocrystals")
    rows: list[dict[str, Any]] = [
        {"temperature_c": group.label, "large_change": large_change} for group in groups
    ]
    settings = interval_settings([group.label for group in groups], statistics)
    alphas: list[list[FloatArray]] = []
    chosen = [large_changes(group.rows, large_change) for group in groups]
    for which, name in enumerate(("gained", "lost")):
        parts = [_part(group, masks[which]) for group, masks in zip(groups, chosen, strict=True)]
        fields = [part.fields for part in parts]
        values = [part.rows["alpha_on_pre"].to_numpy(float) for part in parts]
        medians = intervals.pooled_medians(values, fields, **settings)
        means = intervals.pooled_means(values, fields, **settings)
        for row, value in zip(rows, values, strict=True):
            row[f"n_{name}"] = value.size
        put_estimates(rows, f"median_alpha_{name}", medians)
        put_estimates(rows, f"mean_alpha_{name}", means)
        alphas.append(values)
    for row, gained, lost in zip(rows, *alphas, strict=True):
        row["p_rank"], row["probability_gained_larger"] = rank_sum(gained, lost)
    both = [_part(g, m[0] | m[1]) for g, m in zip(groups, chosen, strict=True)]
    put_methods(rows, [part.fields for part in both], of_samples=_of_samples(groups))
    return _table([rows], ["temperature_c", "large_change"])


@dataclass(frozen=True)
class _Part(TypeGroup):
    """Some of the n of a temperature, with the numbers of their fields."""

    fields: Codes


def _part(group: TypeGroup, chosen: Any) -> _Part:
    rows = group.rows[np.asarray(chosen, dtype=bool)]
    return _Part(group.label, rows, field_codes(independent_fields(rows)))


def _of_samples(groups: Sequence[TypeGroup]) -> bool:
    return any(SAMPLE in group.rows for group in groups)


def _flags(types: pd.Series[Any], name: str) -> FloatArray:
    return np.asarray(types == name, dtype=np.float64)


def _ratios(rows: pd.DataFrame, epoch: str) -> GroupRatios:
    """Return the log ratios of a cut-off by the laws of the group; 0 where there are none."""
    columns = [rows.get(name.format(epoch), _NAN) for name in RATIO]
    return ratios_within_group(
        np.stack([np.broadcast_to(np.asarray(c, np.float64), len(rows)) for c in columns], axis=1)
    )


def _measured(rows: pd.DataFrame, epoch: str) -> dict[str, float]:
    """Return the medians of the fits of one epoch, and how much of the events is noise."""
    state = rows[f"type_{epoch}"]
    alpha, tau_s = f"alpha_on_{epoch}", f"tau_on_{epoch}_s"
    medians = {
        f"median_alpha_on_{name}": _median(rows.loc[state == name, alpha])
        for name in (PURE, TRUNCATED)
    }
    medians["median_tau_on_s"] = _median(rows.loc[state == TRUNCATED, tau_s])
    false, events = FALSE_EVENTS.format(epoch), EVENTS.format(epoch)
    summary: dict[str, float] = medians | {
        "median_false_event_share": _NAN,
        "n_undecided_for_noise": 0,
    }
    if false in rows and events in rows:
        some = rows[rows[events].astype(float) > 0]
        share = some[false].astype(float) / some[events]
        summary["median_false_event_share"] = _median(share)
        noisy = (share > MAX_FALSE_SHARE) & (some[f"type_{epoch}"] == "undecided")
        summary["n_undecided_for_noise"] = int(noisy.sum())
    return summary


def _median(values: pd.Series[Any]) -> float:
    finite = values.to_numpy(float)
    finite = finite[np.isfinite(finite)]
    return float(np.median(finite)) if finite.size else _NAN


def _table(blocks: list[list[dict[str, Any]]], columns: list[str]) -> pd.DataFrame:
    """Return the rows in order of temperature, of which each block has one a temperature.

    The given columns alone where there are none.
    """
    rows = [row for of_temperature in zip(*blocks, strict=True) for row in of_temperature]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)
