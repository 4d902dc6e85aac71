"""What the annealing did to the on-fractions: histograms, before against after, populations.

Only nanocrystals that belong to a population are drawn.

Input: the nanocrystal table and the table of populations. Output: figures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.blinking.on_fractions import COUNTED, DARK_CUTOFF, POPULATIONS
from blinkpair.epochs import EPOCHS
from blinkpair.figures import style
from blinkpair.figures.panels import columns_of
from blinkpair.figures.style import POPULATION_COLOURS
from blinkpair.labels import (
    CONTROL,
    POPULATION_NAMES,
    Temperature,
    sort_temperatures,
    temperature_labels,
)

COLUMNS = ("temperature_c", "on_fraction_pre", "on_fraction_post", "population")
MOST_DOTS = 20_000  # in a figure; more of them hide each other, and make files of many megabytes
BIN_EDGES_POINTS = np.arange(-100, 101, 5)


@style.styled
def delta_histograms(
    nanocrystals: pd.DataFrame, populations: pd.DataFrame, *, note: str = ""
) -> Figure:
    """Draw the histogram of the change in on-fraction for each temperature.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a nanocrystal; `temperature_c, on_fraction_pre, on_fraction_post, population`.
    populations : DataFrame
        From `summarise_populations`, of the same nanocrystals.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        One panel a temperature, stacked by population, in percent of n; the control is the grey
        outline in each of them, or the only panel where there is nothing else.
    """
    deltas, names = _by_temperature(nanocrystals, populations)
    summary = _rows_by_temperature(populations)
    labels = sort_temperatures(deltas)
    panels = [label for label in labels if label != CONTROL] or labels
    columns = columns_of(len(panels), 3)
    size = (style.column_width_mm(columns), 52.0)
    extra = 7 if columns > 1 else 14  # for the legend
    figure, axes = _grid(len(panels), columns, size_mm=size, extra_mm=extra, note=note)
    control = _percent(deltas[CONTROL]) if CONTROL in deltas and CONTROL not in panels else None
    drawn = [control if control is not None else np.zeros(1)]
    for ax, label in zip(axes, panels, strict=True):
        delta, population = deltas[label], names[label]
        ax.axvline(0, color=style.BLACK, lw=0.6, ls=(0, (2, 2)), zorder=3)
        bottom = np.zeros(BIN_EDGES_POINTS.size - 1)
        for name in ("emissive", "became_dark", "became_emissive"):
            share = _percent(delta[population == name], of=delta.size)
            ax.bar(
                BIN_EDGES_POINTS[:-1],
                share,
                width=5,
                bottom=bottom,
                align="edge",
                color=POPULATION_COLOURS[name],
                edgecolor="white",
                linewidth=0.3,
            )
            bottom += share
        drawn.append(bottom)
        if control is not None:
            ax.stairs(control, BIN_EDGES_POINTS, color="#444444", lw=0.8, zorder=4)
        if delta.size:
            mean = delta.mean()
            across = ax.get_xaxis_transform()
            ax.plot([mean, mean], [0, 0.96], color=style.BLACK, transform=across, zorder=5)
            ax.plot(mean, 0.96, "v", ms=4, color=style.BLACK, transform=across, zorder=5)
        else:
            style.no_data(ax)
        style.panel_title(ax, style.temperature_name(label), *_summary_lines(summary.get(label)))
        ax.set_xlim(-100, 100)
        ax.set_xticks(np.arange(-100, 101, 50))
        ax.set_xlabel("change in on-fraction (points)")
    # Room above the highest bar keeps the mean's marker clear of it; the axes are common.
    highest = max(float(values.max()) for values in drawn) or 1.0
    for ax in axes:
        ax.set_ylim(0, 1.15 * highest)
    figure.supylabel("nanocrystals (% of n a bin)", fontsize=7)
    handles: list[Any] = [
        Patch(color=POPULATION_COLOURS[name], label=POPULATION_NAMES[name])
        for name in ("became_dark", "emissive", "became_emissive")
    ]
    if control is not None:
        n_control = deltas[CONTROL].size
        handles.append(Line2D([], [], color="#444444", lw=0.8, label=f"control, n = {n_control}"))
    handles.append(
        Line2D([], [], color=style.BLACK, marker="v", ms=4, label="mean (interval above)")
    )
    ncols = 2 if columns == 1 else len(handles)  # as many as the width holds
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols)
    return figure


@style.styled
def before_after_scatter(
    nanocrystals: pd.DataFrame, dark_cutoff: float = DARK_CUTOFF, *, note: str = ""
) -> Figure:
    """Draw the on-fraction after against that before, for each temperature and the control.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a nanocrystal; `temperature_c, on_fraction_pre, on_fraction_post, population`.
    dark_cutoff : float
        The on-fraction that divides dark from emissive, drawn as two lines.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        One panel a temperature, a dot a nanocrystal in its population's colour, the counts under
        each panel. Percentages are of n, which leaves out the dark in both. More than `MOST_DOTS`
        are drawn as the logarithm of their number in squares of 1 x 1 points.
    """
    table = nanocrystals.assign(temperature_c=temperature_labels(nanocrystals["temperature_c"]))
    labels = sort_temperatures(set(table["temperature_c"]))
    columns = columns_of(len(labels), 4)
    width = style.column_width_mm(columns - 1)  # one column of the page holds two panels
    # Squares: what stands above and below them is 19 mm higher than what is beside them is wide.
    size = (width, width / columns + 19)
    extra = 7 if columns > 2 else 11
    figure, axes = _grid(len(labels), columns, size_mm=size, extra_mm=extra, note=note)
    layout: Any = figure.get_layout_engine()
    layout.set(h_pad=0.08)  # inches, between the counts and the title of the next row
    dense = int(table["population"].isin(POPULATIONS).sum()) > MOST_DOTS
    for ax, label in zip(axes, labels, strict=True):
        own = table[(table["temperature_c"] == label) & table["population"].isin(POPULATIONS)]
        n = int(own["population"].isin(COUNTED).sum())
        ax.plot([0, 100], [0, 100], color=style.BLACK, ls="--", lw=0.7, zorder=1)
        for line in (ax.axhline, ax.axvline):
            line(100 * dark_cutoff, color=style.GREY, lw=0.6, zorder=1)
        for name in ("emissive", "dark", "became_dark", "became_emissive"):
            part = own[own["population"] == name]
            if part.empty:  # an unclipped line without points has an extent, at the corner
                continue
            before, after = (100 * part[f"on_fraction_{epoch}"] for epoch in EPOCHS)
            if dense:
                _density(ax, before, after, POPULATION_COLOURS[name], most=len(own))
                continue
            ax.plot(
                before,
                after,
                "o",
                ms=2.2,
                mew=0,
                alpha=0.75,
                color=POPULATION_COLOURS[name],
                clip_on=False,
                zorder=2,
            )
        if own.empty:
            style.no_data(ax)
        for line_number, name in enumerate(POPULATIONS):
            count = int((own["population"] == name).sum())
            share = f" ({100 * count / n:.0f} %)" if n and name in COUNTED else ""
            _key_line(ax, line_number, POPULATION_COLOURS[name], f"{count}{share}")
        style.panel_title(ax, style.temperature_name(label), f"n = {n}")
        ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal", xlabel="on-fraction before (%)")
        ax.set_xticks([0, 50, 100])
        ax.set_yticks([0, 50, 100])
        if ax.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            ax.set_ylabel("on-fraction after (%)")
    handles = [
        Line2D([], [], ls="", marker="o", ms=5, mew=0, color=POPULATION_COLOURS[name], label=text)
        for name, text in POPULATION_NAMES.items()
    ]
    explained = "shade: logarithm of the nanocrystals in a square of 1 × 1 points"
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=4 if columns > 2 else 2,
        title=explained if dense else None,
    )
    return figure


@style.styled
def population_fractions(populations: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw each population's fraction and the mean change, with intervals, side by side.

    What the table does not show at a glance: which intervals overlap, with each other and
    with the control's, whose mean change is drawn as a grey band.

    Parameters
    ----------
    populations : DataFrame
        From `summarise_populations`.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        Two panels: fractions of n, and the mean change in percentage points.
    """
    summary = _rows_by_temperature(populations)
    labels = sort_temperatures(summary)
    figure = style.new_figure(style.DOUBLE_COLUMN_MM, 62, note=note)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    places = np.arange(len(labels), dtype=float)
    for i, name in enumerate(COUNTED):
        _with_intervals(
            left,
            places + (i - 1) * 0.2,
            [summary[label] for label in labels],
            f"fraction_{name}",
            color=POPULATION_COLOURS[name],
            label=POPULATION_NAMES[name],
        )
    left.set(ylim=(0, 100), ylabel="nanocrystals (% of n)")
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    right.axhline(0, color=style.BLACK, lw=0.6, ls=(0, (2, 2)))
    if CONTROL in summary:
        ends = [100 * float(summary[CONTROL][f"mean_delta_{end}"]) for end in ("low", "high")]
        if np.all(np.isfinite(ends)):
            right.axhspan(ends[0], ends[1], color=style.GREY, alpha=0.25, lw=0)
    rows = [summary[label] for label in labels]
    _with_intervals(right, places, rows, "mean_delta", color=style.BLACK)
    right.set_ylabel("mean change in on-fraction\n(percentage points)")
    names = [style.temperature_name(label) for label in labels]
    counts = [f"\nn = {summary[label]['n']}" for label in labels]
    left.set_xticks(places, [name + count for name, count in zip(names, counts, strict=True)])
    right.set_xticks(places, names, rotation=45 if len(labels) > 5 else 0)
    for ax in (left, right):
        ax.set_xlim(-0.6, len(labels) - 0.4)
    return figure


def _density(ax: Axes, before: ArrayLike, after: ArrayLike, colour: str, *, most: int) -> None:
    """Shade squares by the logarithm of how many of `most` nanocrystals they hold."""
    edges = np.arange(101)
    counts = np.histogram2d(np.asarray(after), np.asarray(before), bins=(edges, edges))[0]
    image = np.empty((*counts.shape, 4))
    image[..., :3] = to_rgb(colour)
    # A single nanocrystal can still be seen; a hundredth of all is as dark as it gets.
    shade = 0.2 + 0.8 * np.log1p(counts) / np.log1p(max(most / 100, 2.0))
    image[..., 3] = np.where(counts > 0, np.minimum(shade, 1.0), 0.0)
    ax.imshow(image, extent=(0, 100, 0, 100), origin="lower", interpolation="nearest", zorder=2)


def _key_line(ax: Axes, line_number: int, colour: str, text: str) -> None:
    """Write a line of a panel's key under its axis, at a distance in points.

    A legend would depend on the panel's size, which the layout has yet to find.
    """
    for x, what, look in ((-8, "●", colour), (2, text, style.BLACK)):
        ax.annotate(
            what,
            (0, 0),
            xycoords="axes fraction",
            xytext=(x, -32 - 9.5 * line_number),
            textcoords="offset points",
            color=look,
            va="center",
        )


def _with_intervals(
    ax: Axes, places: FloatArray, rows: list[dict[str, Any]], name: str, **look: Any
) -> None:
    values, low, high = (
        np.array([100 * float(row[name + end]) for row in rows]) for end in ("", "_low", "_high")
    )
    reach = np.abs(np.vstack([values - low, high - values]))
    ax.errorbar(places, values, yerr=reach, fmt="o", ms=4, lw=1, capsize=2, **look)


def _grid(
    n: int, columns: int, *, size_mm: tuple[float, float], extra_mm: float, note: str
) -> tuple[Figure, list[Axes]]:
    """Open a figure of n panels, its width and a row's height given; axes in reading order."""
    rows = max(1, -(-n // columns))
    height = rows * size_mm[1] + extra_mm + (4 if note else 0)
    figure = style.new_figure(size_mm[0], height, note=note)
    grid = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    if n == 0:
        style.no_data(grid[0])
        grid[0].set_axis_off()
        return figure, []
    for spare in grid[n:]:
        spare.remove()
    return figure, grid[:n]


def _by_temperature(
    nanocrystals: pd.DataFrame, populations: pd.DataFrame
) -> tuple[dict[Temperature, FloatArray], dict[Temperature, NDArray[np.object_]]]:
    """Give changes in points and population names, of the n of each temperature."""
    table = nanocrystals.assign(temperature_c=temperature_labels(nanocrystals["temperature_c"]))
    counted = table[table["population"].isin(COUNTED)]
    change = 100 * (counted["on_fraction_post"] - counted["on_fraction_pre"]).to_numpy(float)
    name = counted["population"].astype(object).to_numpy()
    labels = sort_temperatures(
        {*table["temperature_c"], *temperature_labels(populations["temperature_c"])}
    )
    at = {label: (counted["temperature_c"] == label).to_numpy() for label in labels}
    return {k: change[mask] for k, mask in at.items()}, {k: name[mask] for k, mask in at.items()}


def _rows_by_temperature(populations: pd.DataFrame) -> dict[Temperature, dict[str, Any]]:
    labels = temperature_labels(populations["temperature_c"])
    records: list[Any] = populations.to_dict("records")
    return dict(zip(labels, records, strict=True))


def _percent(delta: FloatArray, of: int | None = None) -> FloatArray:
    """Share of each bin in percent; no nanocrystals give an empty histogram."""
    total = delta.size if of is None else of
    return np.histogram(delta, BIN_EDGES_POINTS)[0] * (100.0 / max(total, 1))


def _summary_lines(row: dict[str, Any] | None) -> tuple[str, ...]:
    if row is None or not row["n"]:
        return ("n = 0",)
    fields = f" in {row['n_fields']} field" + ("s" if row["n_fields"] != 1 else "")
    mean = f"mean {style.points(row['mean_delta'])}"
    if np.isfinite(row["mean_delta_low"]):
        low, high = style.points(row["mean_delta_low"]), style.points(row["mean_delta_high"])
        mean += f" ({low} to {high})"
    return (f"n = {row['n']}{fields}", mean)
