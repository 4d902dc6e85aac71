"""The integrated PL of fields over the time of their movies.

Input: the integrated PL of fields, and what is kept of it at the end. Output: a figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from blinkpair.arrays import FloatArray
from blinkpair.blinking.equal_length import have_same_length
from blinkpair.epochs import EPOCHS
from blinkpair.figures import style
from blinkpair.figures.panels import columns_of, intervals, is_first, panel_grid
from blinkpair.figures.style import EPOCH_COLOURS
from blinkpair.labels import EPOCH_NAMES, by_temperature

COLUMNS = ("field", "temperature_c", "epoch", "time_s", "integrated_pl")
MOST_LINES = 200  # in a panel, two a field; more of them hide each other
_BAND_PERCENT = (5, 25, 50, 75, 95)
_BAND_POINTS = 200


@style.styled
def integrated_pl(
    curves: pd.DataFrame, kept: pd.DataFrame, *, reference_s: float = 10.0, note: str = ""
) -> Figure:
    """Draw the PL summed over the nanocrystals of a field against time, relative to its start.

    Parameters
    ----------
    curves : DataFrame
        One row a field, epoch and time: `field, temperature_c, epoch` (`pre` or `post`),
        `time_s, integrated_pl` (any unit above background).
    kept : DataFrame
        From `photostability_summary.summarise_photostability`: `temperature_c, epoch, kept,
        kept_low, kept_high`, fractions that are written in the panel, and `shortest_movie_s,
        longest_movie_s`, which are written where they differ.
    reference_s : float
        The mean of the first `reference_s` seconds is 100 %; in a movie shorter than three times
        that, the mean of its first tenth.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        One panel a temperature, one line per field and epoch. Where these are more than
        `MOST_LINES`, their median and bands that hold half and nine tenths of the fields.
    """
    groups, shares = by_temperature(curves), by_temperature(kept)
    columns = columns_of(len(groups), 3)
    figure, grid = panel_grid(len(groups), columns, row_mm=52, extra_mm=6, sharey=True, note=note)
    any_bands = False
    for ax, (label, own) in zip(grid, groups.items(), strict=True):
        courses = _relative(own, reference_s)
        many = len(courses) > MOST_LINES
        any_bands |= many
        highest = max([110.0, *(_bands if many else _lines)(ax, courses)])
        if not ax.lines:
            style.no_data(ax, "no PL")
        ax.axhline(100, color=style.BLACK, lw=0.6, ls=(0, (2, 2)), zorder=1)
        lines = []
        if label in shares:
            lines = _kept_lines(shares[label])
            _draw_kept(ax, shares[label], max((t[-1] for _, t, _ in courses), default=1.0))
        style.panel_title(ax, style.temperature_name(label), *lines)
        ax.set_xlabel("time (s)")
        ax.set_xlim(left=0)
        ax.set_ylim(0, max(1.04 * highest, grid[0].get_ylim()[1]))
        if is_first(ax):
            ax.set_ylabel("integrated PL (% of start)")
    style.letter_panels(grid)
    handles: list[Any] = [
        Line2D([], [], color=EPOCH_COLOURS[e], label=EPOCH_NAMES[e]) for e in EPOCHS
    ]
    handles.append(
        Line2D([], [], color=style.GREY, marker="o", ms=3, ls="", label="kept at the end, interval")
    )
    explained = "line: median of the fields; bands: half and nine tenths of them"
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=3,
        title=explained if any_bands else None,
    )
    return figure


Course = tuple[str, FloatArray, FloatArray]


def _relative(own: pd.DataFrame, reference_s: float) -> list[Course]:
    """Return epoch, time in s and PL in percent of its start, of each field that has light."""
    courses = []
    for (_, epoch), part in own.groupby(["field", "epoch"], sort=True, observed=True):
        ordered = part.sort_values("time_s")
        time_s = ordered["time_s"].to_numpy(float)
        counts = ordered["integrated_pl"].to_numpy(float)
        bin_s = time_s[1] - time_s[0] if time_s.size > 1 else 1.0
        movie_s = time_s.size * bin_s
        start_s = reference_s if movie_s >= 3 * reference_s else movie_s / 10
        first = counts[: max(round(start_s / bin_s), 1)]
        start = np.nanmean(first) if np.isfinite(first).any() else 0.0
        if start > 0:  # a field without light has no start to compare with
            courses.append((str(epoch), time_s, 100 * counts / start))
    return courses


def _lines(ax: Axes, courses: list[Course]) -> Iterator[float]:
    """Draw one line per field; yield the maximum of each."""
    for epoch, time_s, percent in courses:
        look: dict[str, Any] = {"lw": 0.7, "alpha": 0.8, "rasterized": True}
        ax.plot(time_s, percent, color=EPOCH_COLOURS[epoch], **look)
        yield float(np.nanmax(percent))


def _bands(ax: Axes, courses: list[Course]) -> Iterator[float]:
    """Draw the median of many fields and bands of their spread; yield the maximum of each epoch."""
    for epoch in EPOCHS:
        own = [course for course in courses if course[0] == epoch]
        if not own:
            continue
        grid_s = np.linspace(0, max(time_s[-1] for _, time_s, _ in own), _BAND_POINTS)
        on_grid = np.array([np.interp(grid_s, t, p, right=np.nan) for _, t, p in own])
        seen = np.isfinite(on_grid).any(axis=0)
        low, inner_low, middle, inner_high, high = np.nanpercentile(
            on_grid[:, seen], _BAND_PERCENT, axis=0
        )
        for ends, alpha in (((low, high), 0.15), ((inner_low, inner_high), 0.3)):
            ax.fill_between(grid_s[seen], *ends, color=EPOCH_COLOURS[epoch], alpha=alpha, lw=0)
        ax.plot(grid_s[seen], middle, color=EPOCH_COLOURS[epoch], lw=0.9)
        yield float(high.max())


def _draw_kept(ax: Axes, rows: pd.DataFrame, end_s: float) -> None:
    """Draw what is kept at the end, with its interval, right of the curves."""
    for place, epoch in enumerate(EPOCHS):
        for row in rows[rows["epoch"] == epoch].to_dict("records"):
            value, low, high = (
                np.array([100 * float(row[f"kept{end}"])]) for end in ("", "_low", "_high")
            )
            if np.isfinite(value[0]) and np.isfinite(low[0]):
                at = np.array([end_s * (1.06 + 0.06 * place)])
                look: dict[str, Any] = {"ms": 3, "lw": 1, "capsize": 2, "clip_on": False}
                intervals(ax, at, value, low, high, color=EPOCH_COLOURS[epoch], **look)


def _kept_lines(rows: pd.DataFrame) -> list[str]:
    lines = []
    for epoch in EPOCHS:
        for row in rows[rows["epoch"] == epoch].to_dict("records"):
            if not np.isfinite(row["kept"]):
                continue
            line = f"{EPOCH_NAMES[epoch]}: {100 * row['kept']:.0f} %"
            if np.isfinite(row["kept_low"]):
                line += f" ({100 * max(row['kept_low'], 0):.0f}–{100 * row['kept_high']:.0f})"
            lines.append(f"{line} kept")
    if lines and not have_same_length(*rows.to_dict("records")):
        shortest, longest = rows["shortest_movie_s"].min(), rows["longest_movie_s"].max()
        lines.append(f"ends of movies of {shortest:.3g} to {longest:.3g} s")
    return lines
