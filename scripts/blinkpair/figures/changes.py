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
from blinkpair.blinking.equal_length import have_same_length
from blinkpair.blinking.on_fractions import COUNTED, DARK_CUTOFF, POPULATIONS
from blinkpair.epochs import EPOCHS
from blinkpair.figures import style
from blinkpair.figures.panels import columns_of, intervals, is_first, panel_grid, percent_of
from blinkpair.figures.style import POPULATION_COLOURS
from blinkpair.labels import (
    CONTROL,
    POPULATION_NAMES,
    Temperature,
    by_temperature,
    rows_by_temperature,
    sort_temperatures,
    temperature_labels,
)

COLUMNS = ("temperature_c", "on_fraction_pre", "on_fraction_post", "population")
MOST_DOTS = 20_000  # in a figure; more of them hide each other, and make files of many megabytes
BIN_POINTS = 5
BIN_EDGES_POINTS = np.arange(-100, 101, BIN_POINTS)
_CONTROL_COLOUR = "#444444"


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
        outline in each of them whose movies last as long as its own (on-fractions of short movies
        scatter more), or the only panel where there is nothing else.
    """
    deltas, names = _by_temperature(nanocrystals, populations)
    summary = rows_by_temperature(populations)
    labels = sort_temperatures(deltas)
    panels = [label for label in labels if label != CONTROL] or labels
    columns = columns_of(len(panels), 3)
    extra = 7 if columns > 1 else 14  # for the legend
    figure, axes = panel_grid(len(panels), columns, row_mm=52, extra_mm=extra, note=note)
    control = None
    if CONTROL in deltas and CONTROL not in panels:
        control = percent_of(deltas[CONTROL], BIN_EDGES_POINTS, deltas[CONTROL].size)
    outlined, unequal = _beside_control(panels if control is not None else [], summary)
    drawn = [control if control is not None and outlined else np.zeros(1)]
    for ax, label in zip(axes, panels, strict=True):
        drawn.append(_stacked_bars(ax, deltas[label], names[label]))
        if control is not None and label in outlined:
            ax.stairs(control, BIN_EDGES_POINTS, color=_CONTROL_COLOUR, lw=0.8, zorder=4)
        if deltas[label].size:
            _draw_mean(ax, deltas[label].mean(), summary.get(label))
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
    style.letter_panels(axes)
    figure.supylabel(f"nanocrystals (% of n per {BIN_POINTS} points)", fontsize=7)
    handles: list[Any] = [
        Patch(color=POPULATION_COLOURS[name], label=POPULATION_NAMES[name])
        for name in ("became_dark", "emissive", "became_emissive")
    ]
    if outlined:
        text = f"control, n = {deltas[CONTROL].size}"
        handles.append(Line2D([], [], color=_CONTROL_COLOUR, lw=0.8, label=text))
    handles.append(
        Line2D([], [], color=style.BLACK, marker="v", ms=4, label="mean with its interval")
    )
    why = style.fold(figure, _why_no_control(summary, unequal)) if unequal else None
    ncols = 2 if columns == 1 else len(handles)  # as many as the width holds
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols, title=why)
    return figure


def _beside_control(
    panels: list[Temperature], summary: dict[Temperature, dict[str, Any]]
) -> tuple[list[Temperature], list[Temperature]]:
    """Return the treatments whose movies last as long as the control's, and the other ones."""
    of_control = summary.get(CONTROL, {})
    equal = [label for label in panels if have_same_length(summary.get(label, {}), of_control)]
    return equal, [label for label in panels if label not in equal]


def _stacked_bars(ax: Axes, delta: FloatArray, population: NDArray[np.object_]) -> FloatArray:
    """Draw the histogram of one treatment, stacked by population; return the heights in percent."""
    ax.axvline(0, color=style.BLACK, lw=0.6, ls=(0, (2, 2)), zorder=3)
    bottom = np.zeros(BIN_EDGES_POINTS.size - 1)
    for name in ("emissive", "became_dark", "became_emissive"):
        share = percent_of(delta[population == name], BIN_EDGES_POINTS, delta.size)
        ax.bar(
            BIN_EDGES_POINTS[:-1],
            share,
            width=BIN_POINTS,
            bottom=bottom,
            align="edge",
            color=POPULATION_COLOURS[name],
            edgecolor="white",
            linewidth=0.3,
        )
        bottom += share
    return bottom


def _draw_mean(ax: Axes, mean: float, row: dict[str, Any] | None) -> None:
    """Draw the mean change near the top of a panel, with its interval where there is one."""
    look: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "zorder": 5}
    ax.plot([mean, mean], [0, 0.96], color=style.BLACK, **look)
    ends = _interval_points(row)
    ax.plot(ends, [0.96] * len(ends), color=style.BLACK, lw=2, **look)
    ax.plot(mean, 0.96, "v", ms=4, color=style.BLACK, **look)


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
    groups = by_temperature(nanocrystals)
    columns = columns_of(len(groups), 4)
    width = style.column_width_mm(columns - 1)  # one column of the page holds two panels
    figure, axes = panel_grid(
        len(groups),
        columns,
        width_mm=width,
        # Squares: what stands above and below them is 19 mm higher than what is beside is wide.
        row_mm=width / columns + 19,
        extra_mm=7 if columns > 2 else 11,
        note=note,
    )
    layout: Any = figure.get_layout_engine()
    layout.set(h_pad=0.08)  # inches, between the counts and the title of the next row
    dense = int(nanocrystals["population"].isin(POPULATIONS).sum()) > MOST_DOTS
    for ax, (label, of_label) in zip(axes, groups.items(), strict=True):
        own = of_label[of_label["population"].isin(POPULATIONS)]
        ax.plot([0, 100], [0, 100], color=style.BLACK, ls="--", lw=0.7, zorder=1)
        for line in (ax.axhline, ax.axvline):
            line(100 * dark_cutoff, color=style.GREY, lw=0.6, zorder=1)
        _draw_dots(ax, own, dense=dense)
        n = _write_counts(ax, own["population"])
        style.panel_title(ax, style.temperature_name(label), f"n = {n}")
        ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal", xlabel="on-fraction before (%)")
        ax.set_xticks([0, 50, 100])
        ax.set_yticks([0, 50, 100])
        if is_first(ax):
            ax.set_ylabel("on-fraction after (%)")
    style.letter_panels(axes)
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


def _draw_dots(ax: Axes, own: pd.DataFrame, *, dense: bool) -> None:
    """Draw the nanocrystals of one treatment, as dots or, where `dense`, as their density."""
    for name in ("emissive", "dark", "became_dark", "became_emissive"):
        part = own[own["population"] == name]
        if part.empty:  # an unclipped line without points has an extent, at the corner
            continue
        before, after = (100 * part[f"on_fraction_{epoch}"] for epoch in EPOCHS)
        colour = POPULATION_COLOURS[name]
        if dense:
            _density(ax, before, after, colour, most=len(own))
            continue
        look: dict[str, Any] = {"ms": 2.2, "mew": 0, "alpha": 0.75, "clip_on": False, "zorder": 2}
        ax.plot(before, after, "o", color=colour, **look)
    if own.empty:
        style.no_data(ax)


def _write_counts(ax: Axes, populations: pd.Series[Any]) -> int:
    """Write the number of each population under a panel; return n, without the dark in both."""
    n = int(populations.isin(COUNTED).sum())
    for line_number, name in enumerate(POPULATIONS):
        count = int((populations == name).sum())
        share = f" ({100 * count / n:.0f} %)" if n and name in COUNTED else ""
        under = -32 - 9.5 * line_number
        colour = POPULATION_COLOURS[name]
        style.write_beside(ax, "●", (0, 0), (-8, under), color=colour, va="center")
        style.write_beside(ax, f"{count}{share}", (0, 0), (2, under), va="center")
    return n


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
    summary = rows_by_temperature(populations)
    labels = list(summary)
    figure = style.new_figure(style.DOUBLE_COLUMN_MM, 62, note=note)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    places = np.arange(len(labels), dtype=float)
    rows = [summary[label] for label in labels]

    def ends(name: str) -> list[FloatArray]:
        return [
            np.array([100 * float(row[name + end]) for row in rows])
            for end in ("", "_low", "_high")
        ]

    look: dict[str, Any] = {"ms": 4, "lw": 1, "capsize": 2, "clip_on": False}
    for i, name in enumerate(COUNTED):
        look |= {"color": POPULATION_COLOURS[name], "label": POPULATION_NAMES[name]}
        intervals(left, places + (i - 1) * 0.2, *ends(f"fraction_{name}"), **look)
    left.set(ylim=(0, 100), ylabel="nanocrystals (% of n)")
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    right.axhline(0, color=style.BLACK, lw=0.6, ls=(0, (2, 2)))
    if CONTROL in summary:
        band = [100 * float(summary[CONTROL][f"mean_delta_{end}"]) for end in ("low", "high")]
        if np.all(np.isfinite(band)):
            right.axhspan(*band, color=style.GREY, alpha=0.25, lw=0)
    intervals(right, places, *ends("mean_delta"), **look | {"color": style.BLACK, "label": None})
    right.set_ylabel("mean change in on-fraction\n(percentage points)")
    wide, narrow = (
        [style.temperature_name(label, max(7, room // max(len(labels), 1))) for label in labels]
        for room in (56, 36)  # letters below each panel
    )
    counts = [f"\nn = {summary[label]['n']}" for label in labels]
    left.set_xticks(places, [name + count for name, count in zip(wide, counts, strict=True)])
    right.set_xticks(places, narrow, rotation=45 if len(labels) > 5 else 0)
    style.letter_panels((left, right))
    for ax in (left, right):
        ax.set_xlim(-0.6, len(labels) - 0.4)
    return figure


def _why_no_control(summary: dict[Temperature, dict[str, Any]], unequal: list[Temperature]) -> str:
    names = ", ".join(style.temperature_name(label) for label in unequal).replace("\n", " ")
    own, control = (summary[label]["shortest_movie_s"] for label in (unequal[0], CONTROL))
    return (
        f"not beside the control: {names}; its movies last {control:.3g} s, "
        f"not {own:.3g} s, and on-fractions of short movies scatter more"
    )


def _interval_points(row: dict[str, Any] | None) -> list[float]:
    """Return the ends of the mean's interval in points; none where there is none."""
    ends = [100 * float((row or {}).get(f"mean_delta_{end}", np.nan)) for end in ("low", "high")]
    return ends if np.isfinite(ends).all() else []


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


def _by_temperature(
    nanocrystals: pd.DataFrame, populations: pd.DataFrame
) -> tuple[dict[Temperature, FloatArray], dict[Temperature, NDArray[np.object_]]]:
    """Return changes in points and names of populations, of the n of each temperature."""
    deltas, names = {}, {}
    none = nanocrystals.iloc[:0]
    groups = dict.fromkeys(temperature_labels(populations["temperature_c"]), none)
    for label, own in (groups | by_temperature(nanocrystals)).items():
        counted = own[own["population"].isin(COUNTED)]
        change = counted["on_fraction_post"] - counted["on_fraction_pre"]
        deltas[label] = 100 * change.to_numpy(float)
        names[label] = counted["population"].astype(object).to_numpy()
    return deltas, names


def _summary_lines(row: dict[str, Any] | None) -> tuple[str, ...]:
    if row is None or not row["n"]:
        return ("n = 0",)
    fields = f" in {row['n_fields']} field" + ("s" if row["n_fields"] != 1 else "")
    mean = f"mean {style.points(row['mean_delta'])}"
    if np.isfinite(row["mean_delta_low"]):
        low, high = style.points(row["mean_delta_low"]), style.points(row["mean_delta_high"])
        mean += f" ({low} to {high})"
    return (f"n = {row['n']}{fields}", mean)
