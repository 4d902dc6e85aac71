"""Panels that several figures share: their arrangement, and fractions with intervals.

Input: how many panels, or a table of fractions before and after. Output: a figure and its axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.epochs import EPOCHS
from blinkpair.figures import style
from blinkpair.figures.style import EPOCH_COLOURS
from blinkpair.labels import EPOCH_NAMES, Temperature, by_temperature


def columns_of(n: int, most: int) -> int:
    """Return the panels a row, at most `most`, so that the last row is not nearly empty."""
    rows = -(-n // most)
    return max(1, -(-n // max(rows, 1)))


def panel_grid(
    n: int,
    columns: int,
    *,
    row_mm: float,
    extra_mm: float,
    width_mm: float = 0.0,
    sharey: bool = False,
    note: str,
    nothing: str = "no nanocrystals",
) -> tuple[Figure, list[Axes]]:
    """Open a figure of n panels in rows of some columns.

    Parameters
    ----------
    n, columns : int
        Panels wanted, and panels a row.
    row_mm, extra_mm : float
        Height of a row and of what stands around all, a legend for example.
    width_mm : float
        Of the figure; by default `style.column_width_mm`.
    sharey : bool
        Whether the panels have one vertical axis.
    note : str
        Written in the corner.
    nothing : str
        Why there are no panels, where there are none.

    Returns
    -------
    Figure, list of Axes
        Axes in reading order; none for n = 0, which the figure then states.
    """
    rows = max(1, -(-n // columns))
    height = rows * row_mm + extra_mm + (4 if note else 0)
    figure = style.new_figure(width_mm or style.column_width_mm(columns), height, note=note)
    if n == 0:
        state_nothing(figure, nothing)
        return figure, []
    grid = figure.subplots(rows, columns, squeeze=False, sharey=sharey).ravel().tolist()
    for spare in grid[n:]:
        spare.remove()
    return figure, grid[:n]


def state_nothing(figure: Figure, text: str = "no nanocrystals") -> None:
    """Draw nothing but the statement why there is nothing."""
    axes = figure.subplots()
    axes.set_axis_off()
    style.no_data(axes, style.fold(figure, text))


def paired_rows(
    n: int,
    *,
    panel_mm: float,
    extra_mm: float,
    note: str,
    most: int = 4,
    nothing: str = "no nanocrystals",
) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Open a figure of n columns of two panels, one above the other, wrapped to the page.

    Parameters
    ----------
    n : int
        Columns wanted; at most `most` stand side by side, the next follow below.
    panel_mm : float
        Height of a panel.
    extra_mm : float
        Height of what stands around them, a legend for example.
    note : str
        Written in the corner.
    most : int
        Panels a row.
    nothing : str
        Why there are no panels, where there are none.

    Returns
    -------
    Figure, list of (upper, lower)
        Axes in reading order, all on common scales; none for n = 0, which the figure then states.
    """
    columns = columns_of(n, most)
    blocks = max(1, -(-n // columns))
    height = 2 * blocks * panel_mm + extra_mm + (4 if note else 0)
    figure = style.new_figure(style.column_width_mm(columns), height, note=note)
    if n == 0:
        state_nothing(figure, nothing)
        return figure, []
    grid = figure.subplots(2 * blocks, columns, squeeze=False, sharex=True, sharey=True)
    pairs = [
        (grid[2 * (i // columns), i % columns], grid[2 * (i // columns) + 1, i % columns])
        for i in range(blocks * columns)
    ]
    for spare in pairs[n:]:
        for ax in spare:
            ax.remove()
    for _, lower in pairs[:n]:
        lower.tick_params(labelbottom=True)
    return figure, pairs[:n]


def is_first(ax: Axes) -> bool:
    """Return whether a panel stands at the left of its row."""
    place = ax.get_subplotspec()
    return place is None or place.is_first_col()


@style.styled
def fractions_by_epoch(
    table: pd.DataFrame,
    names: Mapping[str, str],
    *,
    of_what: str,
    none: str = "",
    empty: str = "no nanocrystals",
    note: str = "",
) -> Figure:
    """Draw the fractions of types of blinking, or of classes of photostability (Figs. 4 and 5).

    Parameters
    ----------
    table : DataFrame
        One row a temperature and epoch: `temperature_c, epoch` (`pre`, `post`), `n`, and for each
        class `n_NAME`, `fraction_NAME` (0 to 1), `fraction_NAME_low`, `fraction_NAME_high`.
    names : mapping of str to str
        Types or classes, and what to write for each.
    of_what : str
        What the table's n are: `n`, or a word for them.
    none : str
        A class that is no finding, `not_fitted` for example. A temperature that has nothing else
        has no panel; a line below the others gives its n.
    empty : str
        What is written where n is 0.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        A panel a temperature, a place a class with intervals before and after, the counts below.
    """
    groups = by_temperature(table)
    left_out = {label: own for label, own in groups.items() if _only_class(own, none)}
    groups = {label: own for label, own in groups.items() if label not in left_out}
    n_of = {label: int(own["n"].max()) for label, own in left_out.items()}
    why = left_out_line(n_of, f"all {names[none]}" if none else "")
    columns = columns_of(len(groups), 3)
    figure, grid = panel_grid(
        len(groups), columns, row_mm=56, extra_mm=12, sharey=True, note=note, nothing=why or empty
    )
    if not groups:
        return figure
    for ax, (label, own) in zip(grid, groups.items(), strict=True):
        counted = {str(row["epoch"]): row for row in own.to_dict("records")}
        _fractions(ax, counted, names, empty)
        numbers = [f"{int(counted[e]['n'])} {EPOCH_NAMES[e]}" for e in EPOCHS if e in counted]
        style.panel_title(ax, style.temperature_name(label), f"{of_what}: " + ", ".join(numbers))
        if is_first(ax):
            ax.set_ylabel(f"nanocrystals (% of {of_what})")
    style.letter_panels(grid)
    epoch_legend(figure, why)
    return figure


def _only_class(own: pd.DataFrame, none: str) -> bool:
    """Return whether all n of a temperature, of which there are some, have one class."""
    n = int(own["n"].sum())
    return bool(none) and 0 < n == int(own[f"n_{none}"].sum())


def left_out_line(n_of: Mapping[Temperature, int], why: str) -> str:
    """Write which temperatures have no panel, with all their n, and why."""
    if not n_of:
        return ""
    each = ", ".join(f"{style.temperature_name(label)} (n = {n})" for label, n in n_of.items())
    each = each.replace("\n", " ").replace(" = ", "\u00a0=\u00a0").replace(" °C", "\u00a0°C")
    return f"no panel: {each}; {why}"


def _fractions(ax: Axes, counted: Mapping[str, Any], names: Mapping[str, str], empty: str) -> None:
    places = np.arange(len(names), dtype=float)
    for line, (epoch, shift) in enumerate(zip(EPOCHS, (-0.13, 0.13), strict=True)):
        if epoch not in counted:
            continue
        row, colour = counted[epoch], EPOCH_COLOURS[epoch]
        ends = [
            np.array([100 * float(row[f"fraction_{name}{end}"]) for name in names])
            for end in ("", "_low", "_high")
        ]
        intervals(ax, places + shift, *ends, ms=3.5, lw=1, capsize=2, color=colour, clip_on=False)
        for place, name in zip(places, names, strict=True):
            ax.annotate(
                f"{int(row[f'n_{name}'])}",
                (place, 0),
                xycoords=ax.get_xaxis_transform(),
                xytext=(0, -15 - 8.5 * line),
                textcoords="offset points",
                ha="center",
                va="top",
                color=colour,
            )
    if not any(int(row["n"]) for row in counted.values()):
        style.no_data(ax, empty)
    ax.set(xlim=(-0.5, len(names) - 0.5), ylim=(0, 100))
    ax.set_xticks(places, list(names.values()))


def intervals(
    ax: Axes, places: FloatArray, value: FloatArray, low: FloatArray, high: FloatArray, **look: Any
) -> None:
    """Draw dots with bars from low to high, all of shape (n,)."""
    reach = np.abs(np.vstack([value - low, high - value]))
    ax.errorbar(places, value, yerr=reach, fmt="o", **look)


def percent_of(values: ArrayLike, edges: NDArray[Any], n: int) -> FloatArray:
    """Return the histogram of some values in percent of n; zeros for n = 0.

    A value on an edge belongs to the bin above it: six digits are kept, those of the tables, as the
    difference of two on-fractions is off in the sixteenth.
    """
    return np.histogram(np.round(np.asarray(values, float), 6), edges)[0] * (100.0 / max(n, 1))


def epoch_legend(figure: Figure, title: str = "") -> None:
    """Draw a legend below the panels: which colour is before and which after, under a title."""
    handles = [
        Line2D([], [], color=EPOCH_COLOURS[e], marker="o", ms=3.5, label=EPOCH_NAMES[e])
        for e in EPOCHS
    ]
    title = style.fold(figure, title)
    figure.legend(handles=handles, loc="outside lower center", ncols=2, title=title or None)
