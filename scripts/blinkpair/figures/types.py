"""Types of blinking: how many, what became of them, and what became of the on-fraction of each.

Type A is green and type B orange, as in the paper.

Input: the nanocrystal table and the tables of `populations.blinking_types`. Output: figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.figures import style
from blinkpair.figures.panels import (
    columns_of,
    is_first,
    left_out_line,
    paired_rows,
    panel_grid,
    percent_of,
)
from blinkpair.labels import (
    LAW_NAMES,
    TYPE_LETTERS,
    Temperature,
    by_temperature,
    require_columns,
    rows_by_temperature,
)
from blinkpair.populations.type_states import (
    LARGE_CHANGE,
    PURE,
    REQUIRED,
    STATES,
    TRUNCATED,
    TypeGroup,
    large_changes,
)

COLUMNS = (*REQUIRED, "alpha_on_pre")  # of the nanocrystals, that these figures show
TYPE_COLOURS = {TRUNCATED: style.GREEN, PURE: style.ORANGE}
EMISSIVE_NAMES = LAW_NAMES | TYPE_LETTERS  # of the types that are emissive
TYPE_NAMES = EMISSIVE_NAMES | {"dark": "dark"}
GAINED_COLOUR, LOST_COLOUR = style.GREEN, style.VERMILLION
BIN_POINTS = 10
EDGES_POINTS = np.arange(-100, 101, BIN_POINTS)

_FEWEST_FOR_BARS = 10
_ALL_COLOUR, _ALL_EDGE = "#dfe6ee", "#7f8fa3"
_LAWS = "A: truncated power law (Eq. 2), B: power law (Eq. 1)"


@style.styled
def delta_by_type(groups: Sequence[TypeGroup], *, note: str = "") -> Figure:
    """Draw the change in on-fraction of types A and B over that of all nanocrystals (Fig. 8).

    Parameters
    ----------
    groups : sequence of TypeGroup
        From `type_states.type_groups`.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        A column a temperature that has any of them: initially type A above, type B below. Each
        histogram in percent of its own n, because type A is a tenth of all; behind it that of all
        the n, which have the undecided, the not fitted and the initially dark among them. Fewer
        than ten nanocrystals are drawn as a tick each.
    """
    shown = [g for g in groups if g.rows["type_pre"].isin((TRUNCATED, PURE)).any()]
    none = {g.label: len(g.rows) for g in groups if not _holds(shown, g.label)}
    why = left_out_line(none, "none of type A or B before")
    figure, pairs = paired_rows(
        len(shown), panel_mm=42.0, extra_mm=15, note=note, nothing=why or "no nanocrystals"
    )
    for pair, group in zip(pairs, shown, strict=True):
        every = 100 * group.rows["delta"].to_numpy(float)
        for ax, name in zip(pair, (TRUNCATED, PURE), strict=True):
            own = every[(group.rows["type_pre"] == name).to_numpy(bool)]
            ax.axvline(0, color=style.BLACK, lw=0.6, ls=(0, (2, 2)), zorder=3)
            shares = percent_of(every, EDGES_POINTS, every.size)
            ax.stairs(shares, EDGES_POINTS, fill=True, color=_ALL_COLOUR, zorder=1)
            ax.stairs(shares, EDGES_POINTS, color=_ALL_EDGE, lw=0.6, zorder=4)
            _histogram(ax, own, EDGES_POINTS, TYPE_COLOURS[name])
            lines = [f"type {TYPE_NAMES[name]}, n = {own.size}"]
            if own.size:
                _mark_median(ax, float(np.median(own)), TYPE_COLOURS[name])
                median, mean = (style.points(f(own) / 100) for f in (np.median, np.mean))
                lines.append(f"median {median}, mean {mean}")
            else:
                lines.append("")
            head = f"{style.temperature_name(group.label)}, all n = {every.size}"
            style.panel_title(ax, head if ax is pair[0] else "", *lines)
            ax.set_xlim(-100, 100)
            ax.set_xticks(np.arange(-100, 101, 50))
        pair[1].set_xlabel("change in on-fraction (points)")
    handles = [
        Patch(color=TYPE_COLOURS[n], alpha=0.75, label=f"initially type {TYPE_NAMES[n]}")
        for n in (TRUNCATED, PURE)
    ]
    handles.append(Patch(facecolor=_ALL_COLOUR, edgecolor=_ALL_EDGE, label="all"))
    _finish(figure, pairs, handles, f"% of n per {BIN_POINTS} points", why)
    return figure


@style.styled
def alpha_by_change(groups: Sequence[TypeGroup], table: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw alpha before of the type-B nanocrystals that gained and that lost much (Fig. S11).

    Parameters
    ----------
    groups : sequence of TypeGroup
        From `type_states.type_groups`, with `alpha_on_pre`.
    table : DataFrame
        From `blinking_types.alpha_by_change`, of the same nanocrystals.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        A column a temperature that has any: gained above, lost below, in percent of their own n
        on common bins, fewer than ten as a tick each; the rank test's p stands above them.
    """
    for group in groups:
        require_columns(group.rows, ["alpha_on_pre"], "nanocrystals")
    rows = rows_by_temperature(table)
    large = float(table["large_change"].iloc[0]) if len(table) else LARGE_CHANGE
    alphas = {}
    for group in groups:
        alpha = group.rows["alpha_on_pre"].to_numpy(float)
        alphas[group.label] = [alpha[mask] for mask in large_changes(group.rows, large)]
    edges = _edges(np.concatenate([a for pair in alphas.values() for a in pair] or [np.zeros(0)]))
    none = {g.label: len(g.rows) for g in groups if not sum(a.size for a in alphas[g.label])}
    why = left_out_line(none, f"none of type B changed by more than {100 * large:g} points")
    shown = {label: both for label, both in alphas.items() if label not in none}
    figure, pairs = paired_rows(
        len(shown), panel_mm=42.0, extra_mm=15, note=note, nothing=why or "no nanocrystals"
    )
    for pair, (label, both) in zip(pairs, shown.items(), strict=True):
        row = rows.get(label, {})
        for ax, alpha, name in zip(pair, both, ("gained", "lost"), strict=True):
            colour = GAINED_COLOUR if name == "gained" else LOST_COLOUR
            _histogram(ax, alpha, edges, colour)
            text = f"{name}, n = {alpha.size}"
            if alpha.size:
                text += f", median {np.median(alpha):.2f}"
                _mark_median(ax, float(np.median(alpha)), colour)
            else:
                style.no_data(ax, "none")
            lines = [text]
            if ax is pair[0]:
                lines = [*_rank_lines(row), *lines]
            style.panel_title(ax, style.temperature_name(label) if ax is pair[0] else "", *lines)
        pair[1].set_xlabel("α of on events before")
        pair[1].set_xlim(edges[0], edges[-1])
    change = f"{100 * large:g} points"
    handles = [
        Patch(color=GAINED_COLOUR, alpha=0.75, label=f"gained more than {change}"),
        Patch(color=LOST_COLOUR, alpha=0.75, label=f"lost more than {change}"),
    ]
    _finish(figure, pairs, handles, f"% of n per {edges[1] - edges[0]:.2g} of α", why)
    return figure


@style.styled
def type_transitions(table: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw how many nanocrystals of each type before had each type after.

    Parameters
    ----------
    table : DataFrame
        From `blinking_types.type_transitions`.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        A matrix a temperature: before in rows, after in columns, shaded by the fraction of the
        row, with the count and that fraction in percent. Dark in both cannot be counted. Above it
        the estimated transitions between A and B, of those emissive in both movies.
    """
    groups = by_temperature(table)
    left_out = {}
    for label, own in groups.items():
        fitted = ~own[["type_pre", "type_post"]].isin(("not_fitted", "dark"))
        n = int(own["n"].sum())
        if n and not own.loc[fitted.any(axis=1), "n"].sum():
            left_out[label] = n
    groups = {label: own for label, own in groups.items() if label not in left_out}
    why = left_out_line(left_out, "all not fitted or dark")
    columns = columns_of(len(groups), 3)
    figure, grid = panel_grid(
        len(groups),
        columns,
        row_mm=66,
        extra_mm=10,
        note=note,
        nothing=why or "no nanocrystals",
    )
    if not groups:
        return figure
    names = [TYPE_NAMES[name] for name in STATES]
    # White to a blue on which black letters can still be read.
    shades = LinearSegmentedColormap.from_list("shades", ["#ffffff", style.SKY_BLUE])
    for ax, (label, own) in zip(grid, groups.items(), strict=True):
        counts, shares = _matrix(own)
        ax.imshow(np.ma.masked_invalid(shares), cmap=shades, vmin=0, vmax=100, aspect="auto")
        for (i, j), count in np.ndenumerate(counts):
            if STATES[i] == STATES[j] == "dark":
                text, colour = "–", style.GREY
            else:
                text = f"{count:.0f}" + (f"\n{shares[i, j]:.0f} %" if count else "")
                colour = style.BLACK if count else style.GREY
            ax.text(j, i, text, ha="center", va="center", color=colour, linespacing=1.1)
        ax.set_xticks(range(len(STATES)), names, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(STATES)), names)
        ax.set_xticks(np.arange(len(STATES) + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(len(STATES) + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="#c8c8c8", lw=0.5)
        ax.tick_params(which="both", length=0)
        ax.spines[:].set_visible(False)
        above = (f"n = {int(np.nansum(counts))}", _estimated(own))
        style.panel_title(ax, style.temperature_name(label), *above)
        ax.set_xlabel("after")
        if is_first(ax):
            ax.set_ylabel("before")
    style.letter_panels(grid)
    of_all = "estimated: % of all emissive in both movies, with a verdict or without"
    lines = ["cells: count and % of the row", of_all, _LAWS, *([why] if why else [])]
    figure.supxlabel(style.fold(figure, "\n".join(lines)), fontsize=7)
    return figure


def _matrix(own: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return counts, and percent of the row; NaN where there is nothing."""
    counts = np.full((len(STATES), len(STATES)), np.nan)
    shares = counts.copy()
    for row in own.to_dict("records"):
        at = STATES.index(row["type_pre"]), STATES.index(row["type_post"])
        counts[at], shares[at] = row["n"], 100 * float(row["fraction_of_pre"])
    return counts, shares


def _estimated(own: pd.DataFrame) -> str:
    """Write the estimated shares of the pairs of A and B, in percent."""
    rows = own[own["share_of_both"].notna()].to_dict("records")
    shares = [
        f"{TYPE_LETTERS[row['type_pre']]}→{TYPE_LETTERS[row['type_post']]} "
        f"{100 * row['share_of_both']:.0f}"
        for row in rows
    ]
    return f"estimated %: {', '.join(shares)}" if shares else ""


def _rank_lines(row: dict[Any, Any]) -> tuple[str, str]:
    p = float(row.get("p_rank", np.nan))
    if not np.isfinite(p):
        return ("nothing to compare", "")
    shown = "p < 0.001" if p < 0.001 else f"p = {p:#.2g}"
    probability = 100 * float(row["probability_gained_larger"])
    return (f"rank test {shown}", f"P(α gained > α lost) = {probability:.0f} %")


def _edges(values: FloatArray) -> FloatArray:
    """Round bins that hold every value, about a dozen of them."""
    if not values.size:
        return np.linspace(1, 3, 21)
    reach = max(float(np.ptp(values)), 0.5)
    width = next((w for w in (0.05, 0.1, 0.2, 0.5, 1.0) if reach / w <= 15), reach / 12)
    first = np.floor(values.min() / width + 1e-9)
    last = max(np.floor(values.max() / width + 1e-9) + 1, first + 4)
    return np.arange(first, last + 1) * width


def _histogram(ax: Axes, values: FloatArray, edges: NDArray[Any], colour: str) -> None:
    """Bars in percent of n; a tick each where a bar would be of one or two nanocrystals."""
    if values.size >= _FEWEST_FOR_BARS:
        look: dict[str, Any] = {"color": colour, "alpha": 0.75, "zorder": 2}
        ax.stairs(percent_of(values, edges, values.size), edges, fill=True, **look)
    elif values.size:
        low = np.full(values.size, 0.09)
        across = ax.get_xaxis_transform()
        ax.plot(values, low, "|", ms=12, mew=1.2, color=colour, transform=across, zorder=5)


def _mark_median(ax: Axes, median: float, colour: str) -> None:
    ax.plot(
        median,
        0.97,
        "v",
        ms=4.5,
        mfc=colour,
        mec=style.BLACK,
        mew=0.6,
        clip_on=False,
        transform=ax.get_xaxis_transform(),
        zorder=5,
    )


def _holds(groups: Sequence[TypeGroup], label: Temperature) -> bool:
    return any(group.label == label for group in groups)


def _finish(
    figure: Figure,
    pairs: list[tuple[Axes, Axes]],
    handles: list[Patch],
    unit: str,
    left_out: str,
) -> None:
    """Set the common scale and its label, letters, and what stands below the panels."""
    axes = [ax for pair in pairs for ax in pair]
    # The medians' marks stay clear of the highest bar.
    highest = max((ax.dataLim.y1 for ax in axes), default=1.0)
    for ax in axes:
        ax.set_ylim(0, 1.15 * max(highest, 10.0))
    if pairs:
        style.letter_panels(axes)
        figure.supylabel(f"nanocrystals ({unit})", fontsize=7)
        look: dict[str, Any] = {"ls": "", "marker": "v", "ms": 4.5, "mfc": "white", "mew": 0.6}
        median = Line2D([], [], mec=style.BLACK, label="median", **look)
        figure.legend(
            handles=[*handles, median],
            loc="outside lower center",
            ncols=2 if len(pairs) < 3 else 4,
            title=style.fold(figure, left_out) or None,
        )
