"""Figures of films: decays of the PL, of the bleach, and both beside single nanocrystals.

Input: the curves of `decay_curves.nc` and the table `beside.csv`. Output: figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blinkpair.arrays import FloatArray
from blinkpair.figures import panels, style
from blinkpair.labels import sort_temperatures, temperature_label

if TYPE_CHECKING:
    import xarray as xr

DECAY, BLEACH = "tcspc", "ta"
UNANNEALED = "unannealed"
BLEACH_PS, NORMALISED_NS = 1e3, 7.0
COLOURS = (style.BLACK, style.ORANGE, style.BLUE, style.GREEN, style.VERMILLION, style.PURPLE)
MARKS = {"ensemble": ("o", style.BLUE), "single nanocrystals": ("s", style.VERMILLION)}


@dataclass(frozen=True)
class Curves:
    """A measurement as it is drawn.

    Attributes
    ----------
    name, technique : str
    label : temperature or name of a treatment
    time_ns, data, fit, residual : (n,) arrays
        `fit` and `residual` are NaN outside of the fit.
    response : (n,) array or None
    map_time_ns, probe_ev, change : arrays or None
        The matrix of a bleach.
    """

    name: str
    technique: str
    label: Any
    time_ns: FloatArray
    data: FloatArray
    fit: FloatArray
    residual: FloatArray
    response: FloatArray | None = None
    map_time_ns: FloatArray | None = None
    probe_ev: FloatArray | None = None
    change: FloatArray | None = None


def measurements(curves: xr.Dataset) -> list[Curves]:
    """Return the measurements of `decay_curves.nc`, unannealed first, then as everywhere."""

    def of(name: str) -> FloatArray | None:
        return curves[name].to_numpy() if name in curves else None

    names = [str(v).removesuffix("_data") for v in curves if str(v).endswith("_data")]
    found = [
        Curves(
            name,
            str(curves[f"{name}_data"].attrs["technique"]),
            temperature_label(curves[f"{name}_data"].attrs["temperature_c"]),
            *(
                np.asarray(curves[f"{name}_{part}"], dtype=np.float64)
                for part in ("time_ns", "data", "fit", "residual")
            ),
            *(of(f"{name}_{part}") for part in ("response", "map_time_ns", "probe_ev", "map")),
        )
        for name in names
    ]
    order = _order([one.label for one in found])
    return sorted(found, key=lambda one: order.index(one.label))


def _order(labels: Sequence[Any]) -> list[Any]:
    first = [label for label in dict.fromkeys(labels) if label == UNANNEALED]
    return [*first, *sort_temperatures(label for label in labels if label != UNANNEALED)]


def _colours(found: Sequence[Curves]) -> dict[str, str]:
    return {one.name: COLOURS[i % len(COLOURS)] for i, one in enumerate(found)}


@style.styled
def decays(found: Sequence[Curves], *, note: str = "") -> Figure:
    """Draw decays and fits, normalised at their maxima, over their residuals (Figs. 9a and S15).

    Parameters
    ----------
    found : sequence of Curves
    note : str
        Written in the corner, for example `simulated`.
    """
    own = [one for one in found if one.technique == DECAY]
    height = 62 + 14 * len(own) + (4 if note else 0)
    figure = style.new_figure(style.SINGLE_COLUMN_MM, height, note=note)
    if not own:
        _nothing(figure, "no decays")
        return figure
    heights = [4.0] + [1.0] * len(own)
    axes: Any = figure.subplots(len(own) + 1, sharex=True, height_ratios=heights)
    for one in own:
        colour = _colours(own)[one.name]
        time = one.time_ns - one.time_ns[int(np.argmax(one.data))]
        top = one.data.max()
        with np.errstate(invalid="ignore"):
            axes[0].plot(time, np.where(one.data > 0, one.data / top, np.nan), ".", ms=0.8,
                         color=colour, alpha=0.12, rasterized=True)  # fmt: skip
        # Lines are above all points and have a white edge: thousands of points would cover them.
        axes[0].plot(time, one.fit / top, color="white", lw=2.0, zorder=3)
        axes[0].plot(time, one.fit / top, color=colour, lw=0.9, zorder=4,
                     label=style.temperature_name(one.label))  # fmt: skip
    first = own[0]
    if first.response is not None:
        time = first.time_ns - first.time_ns[int(np.argmax(first.data))]
        seen = np.where(first.response > 0, first.response / first.response.max(), np.nan)
        axes[0].plot(time, seen, color=style.GREY, lw=0.7, label="response")
    lowest = min(float(np.nanmin(one.fit)) / one.data.max() for one in own)
    axes[0].set(yscale="log", ylabel="counts (of the maximum)", ylim=(max(lowest, 1e-6) / 3, 1.6))
    axes[0].legend(ncols=2)
    for ax, one in zip(axes[1:], own, strict=True):
        time = one.time_ns - one.time_ns[int(np.argmax(one.data))]
        ax.plot(time, one.residual, ".", ms=0.6, color=_colours(own)[one.name], rasterized=True)
        ax.axhline(0, color=style.GREY, lw=0.6)
        ax.set(ylim=(-5, 5), yticks=(-4, 0, 4))
    # In the middle of the panels, which of an even number lies between two.
    middle = axes[1 + len(own) // 2 if len(own) > 1 else 1]
    middle.set_ylabel("residuals (sd)", y=0.5 if len(own) % 2 else 1.1)
    axes[-1].set_xlabel("time after the maximum (ns)")
    return figure


@style.styled
def bleaches(found: Sequence[Curves], *, note: str = "") -> Figure:
    """Draw bleaches and fits, normalised at one delay, with an inset to the end (Fig. 9b).

    It is 7,000 ps, or the last delay that all of them have.

    Parameters
    ----------
    found : sequence of Curves
    note : str
        Written in the corner.
    """
    own = [one for one in found if one.technique == BLEACH]
    figure = style.new_figure(style.SINGLE_COLUMN_MM, 70 + (4 if note else 0), note=note)
    if not own:
        _nothing(figure, "no bleaches")
        return figure
    ax = figure.subplots()
    inset = ax.inset_axes((0.5, 0.5, 0.48, 0.46))
    highest = 1.0
    at_ns = min(NORMALISED_NS, *(float(one.time_ns[-1]) for one in own))
    for one in own:
        colour = _colours(own)[one.name]
        late = np.argsort(np.abs(one.time_ns - at_ns))[:3]
        level = float(np.nanmean(one.fit[late]))
        used = np.isfinite(one.fit)
        time, data, fit = (v[used] for v in (BLEACH_PS * one.time_ns, one.data, one.fit))
        for panel in (ax, inset):
            panel.plot(time, data / level, "o", ms=1.6, color=colour, alpha=0.5)
            panel.plot(time, fit / level, color=colour, lw=1.0,
                       label=style.temperature_name(one.label))  # fmt: skip
        highest = max(highest, float(np.max(fit / level)))
    ax.set(xlim=(0, 500), ylim=(0, 1.75 * highest), xlabel="delay (ps)",
           ylabel=f"bleach (1 at {round(BLEACH_PS * at_ns):,} ps)")  # fmt: skip
    inset.set(xlim=(0, None), ylim=(0, None))
    ax.legend(loc="lower left")
    return figure


@style.styled
def bleach_maps(found: Sequence[Curves], *, note: str = "") -> Figure:
    """Draw the matrices of transient absorption on one scale of colours (Fig. S17).

    Parameters
    ----------
    found : sequence of Curves
    note : str
        Written in the corner.
    """
    own = [one for one in found if one.change is not None]
    columns = max(len(own), 1)
    width = style.column_width_mm(columns)
    figure = style.new_figure(width, 62 + (4 if note else 0), note=note)
    if not own:
        _nothing(figure, "no bleaches")
        return figure
    grid: Any = figure.subplots(1, columns, squeeze=False, sharey=True)[0]
    most = max(float(np.nanpercentile(np.abs(one.change), 99.8)) for one in own)  # type: ignore[arg-type]
    mesh: Any = None
    for ax, one in zip(grid, own, strict=True):
        assert one.map_time_ns is not None
        assert one.probe_ev is not None
        assert one.change is not None
        after = one.map_time_ns > 0
        mesh = ax.pcolormesh(
            one.probe_ev, BLEACH_PS * one.map_time_ns[after], 1e3 * one.change[after],
            cmap="RdBu_r", vmin=-1e3 * most, vmax=1e3 * most, rasterized=True, shading="nearest",
        )  # fmt: skip
        ax.set(yscale="log", xlabel="probe energy (eV)")
        style.panel_title(ax, style.temperature_name(one.label))
    grid[0].set_ylabel("delay (ps)")
    figure.colorbar(mesh, ax=list(grid), label="change in absorbance (10$^{-3}$)")
    return figure


@style.styled
def beside(table: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw ensemble and single nanocrystals over the same temperatures, a panel a quantity.

    Parameters
    ----------
    table : DataFrame
        `beside.csv`.
    note : str
        Written in the corner.
    """
    quantities = list(dict.fromkeys(table["quantity"]))
    columns = panels.columns_of(len(quantities), 3)
    figure, grid = panels.panel_grid(
        len(quantities), columns, row_mm=48, extra_mm=4, width_mm=style.DOUBLE_COLUMN_MM, note=note
    )
    labels = _order([temperature_label(v) for v in table["temperature_c"]])
    for ax, quantity in zip(grid, quantities, strict=False):
        _quantity(ax, table[table["quantity"] == quantity], labels)
    return figure


def _quantity(ax: Axes, rows: pd.DataFrame, labels: Sequence[Any]) -> None:
    marker, colour = MARKS[str(rows["source"].iloc[0])]
    places = [labels.index(temperature_label(v)) for v in rows["temperature_c"]]
    value, low, high = (100 * rows[c].to_numpy(float) for c in ("value", "low", "high"))
    is_change = "change" in str(rows["quantity"].iloc[0])
    if not is_change:  # an interval without an end reaches over all shares
        low = np.where(np.isinf(low), np.minimum(value, 0.0), low)
        high = np.where(np.isinf(high), np.maximum(value, 100.0), high)
    bars = np.nan_to_num(np.stack([value - low, high - value]).clip(min=0))
    ax.errorbar(places, value, bars, fmt=marker, ms=4, color=colour, capsize=2, lw=1, clip_on=False)
    names = [style.temperature_name(label) for label in labels]
    ax.set_xticks(range(len(labels)), names, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_xlim(-0.5, len(labels) - 0.5)
    if is_change:
        ax.axhline(0, color=style.GREY, lw=0.6)
    else:
        ax.set_ylim(min(0.0, float(np.nanmin(value, initial=0.0))), None)
    ax.set_ylabel("points" if is_change else "%")
    style.panel_title(
        ax, "", _wrapped(str(rows["quantity"].iloc[0])), f"({rows['source'].iloc[0]})"
    )


def _wrapped(text: str) -> str:
    return text[:1].upper() + text[1:]


def _nothing(figure: Figure, text: str) -> None:
    axes = figure.subplots()
    axes.set_axis_off()
    style.no_data(axes, text)
