"""The tables of types of blinking and of photostability, as a person reads them.

Nothing is computed here that the tables do not hold.

Input: `types.csv`, `type_transitions.csv`, `change_by_type.csv`, `alpha_by_change.csv` and
`photostability.csv`. Output: `Table`s.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from blinkpair.dwell_fits.result import MAX_FALSE_SHARE
from blinkpair.epochs import EPOCHS
from blinkpair.labels import (
    CLASS_NAMES,
    EPOCH_NAMES,
    TYPE_LETTERS,
    TYPE_NAMES,
    by_temperature,
    rows_by_temperature,
    treatment_title,
)
from blinkpair.populations.type_states import STEEP
from blinkpair.report.cells import (
    NOTHING,
    Row,
    Table,
    interval_of,
    intervals_note,
    p_value,
    percent,
    percent_end,
    share_cells,
    signed_points,
    transposed,
    two_digits,
)
from blinkpair.report.language import fixed, known, plain, spread

DARK = "dark"
_STEEP_LAWS = (
    f"Where the mean α of type B is above {STEEP:g}, short events look like a cut-off: type A is "
    "estimated too often, its share is an upper limit, and so it is in the transitions below. "
)
FEWEST_TO_TEST = 6  # with five, the smallest p that a rank test can give is 0.06


def types(table: pd.DataFrame, confidence: float) -> Table:
    """Set `types.csv`, one column a treatment and epoch."""
    cells: dict[str, Callable[[Row], str]] = {"emissive in this epoch": lambda r: f"{r['n']}"}
    cells |= {
        "type A, estimated": _type_a,
        "type B, estimated": _type_b,
        "mean α of type B, estimated": lambda r: _alpha(r["alpha_type_b"]),
    }
    cells |= share_cells({law: f"{name}, counted" for law, name in TYPE_NAMES.items()})
    cells |= {
        "median α, type B": lambda r: _alpha(r["median_alpha_on_power_law"]),
        "median α, type A": lambda r: _alpha(r["median_alpha_on_truncated_power_law"]),
        "median τ, type A, s": lambda r: _tau(r["median_tau_on_s"]),
        "on events that noise makes, median": lambda r: percent(r["median_false_event_share"]),
        "undecided for noise": lambda r: f"{r['n_undecided_for_noise']}",
    }
    steep = any(row["alpha_type_b"] > STEEP for row in table.to_dict("records"))
    note = (
        "Types A and B are of on events; shares are of the nanocrystals emissive in the epoch. "
        "Quote the estimated shares. Estimated: every nanocrystal is A or B, and the shares are "
        "those that make the events of all nanocrystals most likely. Counted: a nanocrystal is A "
        "or B if its own events show which. Type B has few, long events, which often do not show "
        "it: the counted share of B is too small, and among those counted A is too frequent. "
        f"{_STEEP_LAWS if steep else ''}"
        "A law with α near 0 and a cut-off τ is an exponential. There is no verdict where noise "
        f"makes more than {100 * MAX_FALSE_SHARE:.0f} % of the on events. "
        f"{intervals_note(table.get('interval_method', ()), confidence)}"
    )
    return transposed("Types of blinking", _epoch_rows(table), cells, _epoch_name, note)


def transitions(table: pd.DataFrame) -> Table:
    """Set `type_transitions.csv`, a line for each type before, for each treatment."""
    after = [*dict.fromkeys(table["type_post"])]
    rows = [
        [
            f"{treatment_title(label)}, {_plain(before)}",
            *(_count(own[own["type_post"] == kind]["n"]) for kind in after),
        ]
        for label, part in by_temperature(table).items()
        for before, own in part.groupby("type_pre", sort=False)
        if own["n"].sum()
    ]
    header = ["before", *(f"after: {_plain(kind)}" for kind in after)]
    return Table("What became of each type, counted", header, rows)


def estimated_transitions(table: pd.DataFrame, confidence: float) -> Table:
    """Set the estimated shares of `type_transitions.csv`, one column a treatment."""
    rows = []
    methods = []
    for label, part in by_temperature(table).items():
        row: dict[str, Any] = {"temperature_c": label}
        for own in part[part["share_of_both"].notna()].to_dict("records"):
            letters = (TYPE_LETTERS[own[f"type_{epoch}"]] for epoch in EPOCHS)
            pair = "_".join(letters)
            row |= {f"{pair}_{name}": value for name, value in own.items()}
            methods.append(own["interval_method"])
        if "A_A_share_of_both" in row:
            rows.append(row)
    cells: dict[str, Callable[[Row], str]] = {
        f"{before} → {after}, of all": partial(_estimate, name=f"{before}_{after}_share_of_both")
        for before in "AB"
        for after in "AB"
    }
    cells |= {
        f"{before} → {after}, of type {before} before": partial(
            _estimate, name=f"{before}_{after}_share_of_pre"
        )
        for before, after in ("AB", "BA")
    }
    name = lambda row: treatment_title(row["temperature_c"])  # noqa: E731
    note = (
        "Shares of the nanocrystals emissive before and after, each of which is taken as A or B in "
        "either movie: quote these. The table below counts those whose own events show the type "
        f"twice, which is seldom so for B. {intervals_note(methods, confidence)}"
    )
    return transposed("Transitions between types A and B, estimated", rows, cells, name, note)


def change_by_type(table: pd.DataFrame, confidence: float) -> Table:
    """Set `change_by_type.csv`, a line for each type of each treatment.

    Those dark before have neither interval nor p: they are in n only if they gained.
    """
    rows = []
    for part in by_temperature(table).values():
        of_type = {row["type_pre"]: row for row in part.to_dict("records")}
        for kind, row in of_type.items():
            if row["n"]:
                rows.append(
                    [
                        f"{treatment_title(row['temperature_c'])}, {_plain(kind)}",
                        f"{row['n']}",
                        _mean_change(row),
                        f"{row['n_gained']} / {row['n_lost']}",
                        _tested(row["p_mean_delta"], row),
                        _tested(row["p_against_power_law"], row, of_type.get("power_law")),
                    ]
                )
    header = ["type before", "n", "mean change, points", "gained / lost", "no change, p"]
    note = (
        f"{intervals_note(table.get('interval_method', ()), confidence)} Nanocrystals chosen by "
        "what they did before tend back to the mean, and those dark before are in n only if they "
        "gained: compare with the control. Against type B: rank test of the changes of type A "
        "against those of type B, with nanocrystals taken as independent; no p is given of "
        f"fewer than {FEWEST_TO_TEST}."
    )
    caption = "Change in on-fraction by the type before"
    return Table(caption, [*header, "against type B, p"], rows, note)


def _mean_change(row: Row) -> str:
    if row["type_pre"] == DARK:
        return signed_points(row["mean_delta"])
    return interval_of(row, "mean_delta", signed_points)


def _tested(p: Any, *groups: Row | None) -> str:
    """Write the p of a test of some groups, where they allow one."""
    for group in groups:
        if group is None or group["type_pre"] == DARK or group["n"] < FEWEST_TO_TEST:
            return NOTHING
    return p_value(p)


def alpha_by_change(table: pd.DataFrame, confidence: float) -> Table:
    """Set `alpha_by_change.csv`, one column a treatment."""
    rows = list(rows_by_temperature(table).values())
    large = f"{plain(100 * float(table['large_change'].iloc[0]), 6)} points" if len(table) else ""
    cells: dict[str, Callable[[Row], str]] = {
        f"gained more than {large}, n": lambda r: f"{r['n_gained']}",
        "median α before, of these": lambda r: interval_of(r, "median_alpha_gained", _alpha),
        f"lost more than {large}, n": lambda r: f"{r['n_lost']}",
        "median α before, of those": lambda r: interval_of(r, "median_alpha_lost", _alpha),
        "rank test p": lambda r: p_value(r["p_rank"]),
    }
    name = lambda row: treatment_title(row["temperature_c"])  # noqa: E731
    basis = intervals_note(table.get("interval_method", ()), confidence)
    note = (
        f"{basis} The on-fraction before and α are of the same movie: a nanocrystal that was on "
        "little by chance has a larger α, and tends back to the mean without any treatment. In 18 "
        "of 40 simulated controls of 400 nanocrystals p was below 0.05: compare with the control."
    )
    return transposed("α of type B in the movie before, by the change", rows, cells, name, note)


def photostability(table: pd.DataFrame, confidence: float) -> Table:
    """Set `photostability.csv`, one column a treatment and epoch."""
    cells: dict[str, Callable[[Row], str]] = {
        "PL kept at the end of the movie": _kept,
        "movies last (s)": _length,
        "nanocrystals tested": lambda r: f"{r['n']}",
    }
    cells |= share_cells(CLASS_NAMES)
    cells["not tested"] = lambda r: f"{r['n_not_tested']}"
    note = (
        "Stable means that no trend was shown; shares are of those tested. PL kept is of "
        "analysed nanocrystals, tested or not. "
        f"{intervals_note(table.get('interval_method', ()), confidence)}"
    )
    return transposed("Photostability within a movie", _epoch_rows(table), cells, _epoch_name, note)


def _estimate(row: Row, name: str) -> str:
    return interval_of(row, name, percent, percent_end)


def _type_a(row: Row) -> str:
    if row["alpha_type_b"] > STEEP and known(row["share_type_a"]):
        return f"at most {percent_end(row['share_type_a_high'])} %"
    return _estimate(row, "share_type_a")


def _type_b(row: Row) -> str:
    if row["alpha_type_b"] > STEEP and known(row["share_type_b"]):
        return f"at least {percent_end(row['share_type_b_low'])} %"
    return _estimate(row, "share_type_b")


def _alpha(value: Any) -> str:
    return fixed(value, 2) if known(value) else NOTHING


def _tau(value: Any) -> str:
    return two_digits(value) if known(value) else NOTHING


def _kept(row: Row) -> str:
    """Write the PL kept: a ratio, which may be more than all."""

    def write(value: Any) -> str:
        return f"{percent_end(value)} %" if known(value) else NOTHING

    return interval_of(row, "kept", write, percent_end)


def _length(row: Row) -> str:
    """Write how long the movies of a row last, from the shortest to the longest."""
    ends = [row["shortest_movie_s"], row["longest_movie_s"]]
    return spread(ends) if all(map(known, ends)) else NOTHING


def _epoch_name(row: Row) -> str:
    return f"{treatment_title(row['temperature_c'])} {EPOCH_NAMES[str(row['epoch'])]}"


def _epoch_rows(table: pd.DataFrame) -> list[Row]:
    return [
        row
        for part in by_temperature(table).values()
        for epoch in EPOCH_NAMES
        for row in part[part["epoch"] == epoch].to_dict("records")
    ]


def _count(values: pd.Series[Any]) -> str:
    return f"{values.sum():.0f}"


def _plain(kind: object) -> str:
    return TYPE_NAMES.get(str(kind), str(kind).replace("_", " "))
