"""Traces of single nanocrystals before and after.

Traces have tens of thousands of frames: in SVG and PDF their lines are stored as pixels, all other
parts as lines and letters.

Input: traces, thresholds, and the text over each. Output: a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike

from blinkpair.arrays import FloatArray
from blinkpair.epochs import EPOCHS
from blinkpair.figures import style
from blinkpair.figures.panels import state_nothing
from blinkpair.figures.style import EPOCH_COLOURS
from blinkpair.labels import EPOCH_NAMES

ROW_MM = 27.0
_TREND_BLOCKS = 12
_TREND_LOOK: dict[str, Any] = {"color": style.BLACK, "lw": 1.2}
_THRESHOLD_LOOK: dict[str, Any] = {"color": style.BLACK, "lw": 0.6, "ls": (0, (3, 2))}


class ShownTrend(NamedTuple):
    """A trend within one movie.

    `quantity` is `on_level`, `off_fraction` or empty; `remark` describes the trend with its p.
    """

    epoch: str
    quantity: str
    remark: str


@style.styled
def example_traces(
    traces_pre: ArrayLike,
    traces_post: ArrayLike,
    threshold_counts: ArrayLike,
    exposure_s: ArrayLike,
    labels: Sequence[str],
    *,
    on_fractions: ArrayLike | None = None,
    trends: Sequence[ShownTrend] = (),
    left_out: str = "",
    note: str = "",
) -> Figure:
    """Draw the traces of a few nanocrystals before and after, with their histograms.

    Parameters
    ----------
    traces_pre, traces_post : array_like, shape (nanocrystals, frames)
        Counts above background; the two may differ in frames, and NaN frames are left out.
    threshold_counts : array_like
        One number, one a nanocrystal, or shape (nanocrystals, 2) for before and after.
    exposure_s : float or array_like, shape (nanocrystals,)
        Time from frame to frame, s.
    labels : sequence of str
        What to write over each nanocrystal, for example its name and population.
    on_fractions : array_like, shape (nanocrystals, 2), optional
        Before and after, to be written; by default the share of frames above the threshold.
    trends : sequence of ShownTrend, optional
        One a nanocrystal: drawn over its trace.
    left_out : str
        Text below: the classes without an example, and why.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        One row a nanocrystal: before, after, and the histogram of the counts of both on a
        logarithmic axis. Frames above the threshold are on.
    """
    traces = [np.atleast_2d(np.asarray(t, dtype=float)) for t in (traces_pre, traces_post)]
    n = len(labels)
    limits = np.asarray(threshold_counts, dtype=float)
    limits = np.broadcast_to(limits[:, None] if limits.ndim == 1 else limits, (n, 2))
    height = max(n, 1) * ROW_MM + 12 + (10 if trends else 0) + (4 if note else 0)
    figure = style.new_figure(style.DOUBLE_COLUMN_MM, height, note=note)
    if not n:
        state_nothing(figure, left_out or "no nanocrystals")
        return figure
    times = np.broadcast_to(np.asarray(exposure_s, dtype=float), (n,))
    # To the last known frame: traces of movies of different lengths are padded.
    lengths_s = [[times[row] * _n_frames(t[row]) for t in traces] for row in range(n)]
    grid = figure.subplots(
        n,
        3,
        squeeze=False,
        sharex="col" if len(np.unique(lengths_s)) == 1 else False,
        sharey="row",
        width_ratios=(4, 4, 1),
    )
    for row, label in enumerate(labels):
        own = [trace[row] for trace in traces]
        low, high = _range_of(np.concatenate([*own, limits[row]]))
        for column, (epoch, counts) in enumerate(zip(EPOCHS, own, strict=True)):
            ax, limit = grid[row, column], limits[row, column]
            _draw_trace(ax, counts, limit, times[row], EPOCH_COLOURS[epoch])
            ax.set_xlim(0, lengths_s[row][column])
            _draw_histogram(
                grid[row, 2], counts, limit, np.linspace(low, high, 61), EPOCH_COLOURS[epoch]
            )
            on = _share_above(counts, limit)
            if on_fractions is not None:
                on = np.asarray(on_fractions, dtype=float)[row, column]
            # The label has a line of its own: a name may be as wide as the panel.
            line = f"{EPOCH_NAMES[epoch]}: on " + (f"{100 * on:.1f} %" if np.isfinite(on) else "–")
            if trends and trends[row].epoch == epoch and trends[row].quantity:
                line += f"; {trends[row].remark}"
                _draw_trend(ax, counts, limit, times[row], trends[row].quantity)
            style.panel_title(ax, label if epoch == "pre" else "", line)
        grid[row, 0].set_ylim(low, high)
        grid[row, 0].set_ylabel("counts")
    for ax in grid[-1, :2]:
        ax.set_xlabel("time (s)")
    grid[-1, 2].set_xlabel("share of frames", x=1.0, ha="right")  # wider than its panel
    figure.align_ylabels(grid[:, 0])
    style.letter_panels(grid[:, 0].tolist())
    if trends:
        _explain_trends(figure, {trend.quantity for trend in trends}, left_out)
    return figure


def _draw_trace(ax: Axes, counts: FloatArray, limit: float, exposure_s: float, colour: str) -> None:
    ax.plot(np.arange(counts.size) * exposure_s, counts, lw=0.4, color=colour, rasterized=True)
    ax.axhline(limit, **_THRESHOLD_LOOK)


def _draw_histogram(
    ax: Axes, counts: FloatArray, limit: float, edges: FloatArray, colour: str
) -> None:
    """Draw the share of frames with so many counts, beside the trace."""
    measured = counts[np.isfinite(counts)]
    share = np.histogram(measured, edges)[0] / max(measured.size, 1)
    ax.stairs(share, edges, orientation="horizontal", color=colour, lw=0.7)
    ax.axhline(limit, **_THRESHOLD_LOOK)
    if measured.size:
        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())


def _draw_trend(ax: Axes, counts: FloatArray, limit: float, exposure_s: float, what: str) -> None:
    """Draw the on level, or the on-fraction, in a few blocks of time of a movie."""
    blocks = np.array_split(np.arange(counts.size), _TREND_BLOCKS)
    middle_s = [exposure_s * block.mean() for block in blocks]
    if what == "on_level":
        known = [counts[block][np.isfinite(counts[block])] for block in blocks]
        level = [float(np.mean(c[c > limit])) if (c > limit).any() else np.nan for c in known]
        ax.plot(middle_s, level, **_TREND_LOOK, zorder=5)
    else:
        share = [_share_above(counts[block], limit) for block in blocks]
        across = ax.get_xaxis_transform()
        ax.plot(middle_s, share, ls=":", transform=across, **_TREND_LOOK, zorder=5)


def _explain_trends(figure: Figure, drawn: set[str], left_out: str) -> None:
    lines = {
        "on_level": Line2D([], [], **_TREND_LOOK, label="mean counts when on"),
        "off_fraction": Line2D(
            [], [], **_TREND_LOOK, ls=":", label="on-fraction, 0 to 100 % of the panel's height"
        ),
    }
    handles = [line for name, line in lines.items() if name in drawn]
    title = style.fold(figure, left_out) or None
    figure.legend(handles=handles, loc="outside lower center", ncols=2, title=title)


def _n_frames(counts: FloatArray) -> int:
    """Return the number of frames up to the last measured one."""
    return int(np.flatnonzero(np.isfinite(counts)).max(initial=0)) + 1


def _share_above(counts: FloatArray, limit: float) -> float:
    """Return the share of the measured frames above a threshold; NaN without any."""
    measured = counts[np.isfinite(counts)]
    return float(np.mean(measured > limit)) if measured.size else np.nan


def _range_of(values: FloatArray) -> tuple[float, float]:
    """Return limits that show every finite value, with a margin."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin
