"""How much the populations depend on the count threshold and the dark cutoff.

Flat lines around the marked settings mean that the populations depend on the sample; steep ones,
that they depend on the settings.

Input: the table of `populations.sensitivity`. Output: a figure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from blinkpair.blinking.on_fractions import COUNTED, DARK_CUTOFF
from blinkpair.figures import style
from blinkpair.labels import POPULATION_NAMES, by_temperature, rows_by_temperature


@style.styled
def sensitivity_figure(
    sensitivity: pd.DataFrame,
    *,
    populations: pd.DataFrame | None = None,
    method: str = "fixed",
    threshold_counts: float = 100.0,
    dark_cutoff: float = DARK_CUTOFF,
    note: str = "",
) -> Figure:
    """Draw the populations against the threshold, and against the dark cutoff.

    Parameters
    ----------
    sensitivity : DataFrame
        From `sensitivity_table`.
    populations : DataFrame, optional
        From `summarise_populations`: the fractions of the analysis, drawn as dashed lines.
    method : str
        How the analysis assigned the states. Of 'fixed' the threshold is marked; other methods
        have a threshold for each nanocrystal, or none.
    threshold_counts, dark_cutoff : float
        The settings of the analysis; the other axis is drawn at the nearest value the table has.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        A column a temperature; above against the threshold, below against the cutoff.
    """
    groups = by_temperature(sensitivity)
    columns = max(len(groups), 1)
    height = 104 + (4 if note else 0)
    figure = style.new_figure(style.column_width_mm(columns), height, note=note)
    grid = figure.subplots(2, columns, squeeze=False, sharey=True, sharex="row")
    rows = (
        ("threshold_counts", 1.0, "threshold (counts)", threshold_counts, "dark_cutoff"),
        ("dark_cutoff", 100.0, "dark cutoff (%)", dark_cutoff, "threshold_counts"),
    )
    settings = {"threshold_counts": threshold_counts, "dark_cutoff": dark_cutoff}
    analysed = {} if populations is None else rows_by_temperature(populations)
    dashed: Any = (0, (3, 2))
    for axes, (x, scale, text, setting, fixed) in zip(grid, rows, strict=True):
        for ax, (label, of_label) in zip(axes, groups.items(), strict=False):
            own = _nearest(of_label, fixed, settings[fixed]).sort_values(x)
            if x == "dark_cutoff" or method == "fixed":
                ax.axvline(scale * setting, color=style.GREY, lw=0.8, ls=dashed, zorder=1)
            for name in COUNTED:
                share = 100 * own[f"fraction_{name}"].to_numpy(float)
                colour = style.POPULATION_COLOURS[name]
                ax.plot(
                    scale * own[x].to_numpy(float), share, "o-", ms=2.5, color=colour, clip_on=False
                )
                if label in analysed:
                    known = 100 * float(analysed[label][f"fraction_{name}"])
                    ax.axhline(known, color=colour, lw=0.8, ls=dashed, zorder=1)
            if not own["n"].sum():
                style.no_data(ax)
            ax.set(ylim=(0, 100), xlabel=text)
            if ax in axes[:1]:
                ax.set_ylabel("nanocrystals (% of n)")
            if x == "threshold_counts":
                counts = own["n"].to_numpy()
                ends = sorted({int(counts.min()), int(counts.max())}) if counts.size else [0]
                span = "n = " + " to ".join(str(end) for end in ends)
                style.panel_title(ax, style.temperature_name(label), span)
            elif len(own):
                at = float(own["threshold_counts"].iloc[0])
                style.panel_title(ax, "", f"threshold {at:g} counts")
    if not groups:
        style.no_data(grid[0, 0])
    handles: list[Any] = [
        Line2D([], [], color=colour, marker="o", ms=2.5, label=POPULATION_NAMES[name])
        for name, colour in style.POPULATION_COLOURS.items()
        if name in COUNTED
    ]
    how = "as analysed" if method == "fixed" else f"as analysed, with method {method}"
    handles.append(Line2D([], [], color=style.GREY, lw=0.8, ls=dashed, label=how))
    if groups:
        style.letter_panels(grid.ravel().tolist())
    figure.legend(handles=handles, loc="outside lower center", ncols=4 if columns > 1 else 2)
    return figure


def _nearest(table: pd.DataFrame, column: str, value: float) -> pd.DataFrame:
    """Return the rows at the one value of a column that is nearest to the given value."""
    if table.empty:
        return table
    have = np.sort(table[column].unique().astype(float))
    nearest = float(have[np.argmin(np.abs(have - value))])
    return table.loc[table[column] == nearest]
