"""How long on and off events last: pooled over a temperature, and for single nanocrystals.

Points are counts in logarithmic bins with 68 % limits; no law was fitted to them, but to the
events themselves. The line is the law that fits best, dashed where the test of fit rejects it.

Input: the tables of `populations.pooled_dwell_times`, or a few `DwellExample`. Output: figures on
log-log axes, where a power law is a straight line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blinkpair.dwell_fits.result import DwellFit
from blinkpair.epochs import EPOCHS
from blinkpair.figures import style
from blinkpair.figures.dwell_examples import DwellExample
from blinkpair.figures.panels import epoch_legend, intervals, is_first, paired_rows, state_nothing
from blinkpair.figures.style import EPOCH_COLOURS
from blinkpair.labels import (
    EPOCH_NAMES,
    LAW_NAMES,
    Temperature,
    sort_temperatures,
    temperature_labels,
)
from blinkpair.populations.pooled_dwell_times import law_of
from blinkpair.populations.pools import STATES

DENSITY_LABEL = "P(t) (s$^{-1}$)"
_EXAMPLE_MM = 42.0
_POINTS_A_LAW = 200


@style.styled
def pooled_dwell_times(densities: pd.DataFrame, fits: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw P(t) of the pooled on and off events before and after, with the laws fitted.

    Parameters
    ----------
    densities : DataFrame
        From `pooled_dwell_times.pool_densities`.
    fits : DataFrame
        From `pooled_dwell_times.pool_fits`, of the same durations.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        A column a temperature (and exposure, where one has several): on events above, off events
        below, on common axes.
    """
    points = densities.assign(temperature_c=temperature_labels(densities["temperature_c"]))
    laws = fits.assign(temperature_c=temperature_labels(fits["temperature_c"]))
    columns = _columns(laws)
    figure, pairs = paired_rows(len(columns), panel_mm=42.0, extra_mm=8, note=note, most=3)
    for pair, (label, exposure_s) in zip(pairs, columns, strict=True):
        exposures = {own for other, own in columns if other == label}
        for ax, state in zip(pair, STATES, strict=True):
            n_events = {}
            for epoch in EPOCHS:
                of_points, of_laws = (
                    _only(table, label, exposure_s, epoch, state) for table in (points, laws)
                )
                if of_laws.empty:
                    continue
                row = of_laws.iloc[0]
                fit = law_of(row)
                _draw(ax, of_points, fit, epoch, together=bool(row["epochs_together"]))
                n_events[epoch] = fit.n_events - fit.n_censored
            title = ""
            if ax is pair[0]:
                title = style.temperature_name(label)
                title += f", {1000 * exposure_s:g} ms frames" if len(exposures) > 1 else ""
            _head(ax, title, state, n_events)
            if is_first(ax):
                ax.set_ylabel(DENSITY_LABEL)
        pair[1].set_xlabel("duration t (s)")
    panels = [ax for pair in pairs for ax in pair]
    _log_axes(panels)
    style.letter_panels(panels)
    if pairs:
        epoch_legend(figure)
    return figure


@style.styled
def example_dwell_times(examples: Sequence[DwellExample], *, note: str = "") -> Figure:
    """Draw P(t) of single nanocrystals before and after, with the laws fitted (Figs. 7, S9, S10).

    Parameters
    ----------
    examples : sequence of DwellExample
        From `dwell_examples.measure_dwell_example`.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        A row a nanocrystal: on events left, off events right.
    """
    n = len(examples)
    height = max(n, 1) * _EXAMPLE_MM + 10 + (4 if note else 0)
    figure = style.new_figure(style.column_width_mm(2 if n else 1), height, note=note)
    if not n:
        state_nothing(figure, "no nanocrystal with enough events for a fit in both epochs")
        return figure
    grid = figure.subplots(n, 2, squeeze=False, sharex=True, sharey=True)
    for row, example in zip(grid, examples, strict=True):
        for ax, state in zip(row, STATES, strict=True):
            n_events = {}
            for epoch in EPOCHS:
                own = example.dwell_times.get((epoch, state))
                if own is None:
                    continue
                _draw(ax, own.density, own.fit, epoch)
                n_events[epoch] = own.fit.n_events - own.fit.n_censored
            _head(ax, example.label if ax is row[0] else "", state, n_events)
        row[0].set_ylabel(DENSITY_LABEL)
    for ax in grid[-1]:
        ax.set_xlabel("duration t (s)")
    _log_axes(grid.ravel().tolist())
    style.letter_panels(grid.ravel().tolist())
    epoch_legend(figure)
    return figure


def with_error(value: float, error: float) -> str:
    """Write a value with its standard error in the last digit: 1.52(3)."""
    if not (np.isfinite(error) and error > 0):
        return style.minus(f"{value:.2f}")
    digits = max(0, -int(np.floor(np.log10(error))))
    last = round(error * 10**digits)
    if last == 10:  # 0.096 is 1 in the digit before
        digits, last = max(0, digits - 1), 1 if digits else 10
    return style.minus(f"{value:.{digits}f}({last})")


def seconds(value_s: float) -> str:
    """Write a time in seconds with two digits, and without an exponent."""
    if not np.isfinite(value_s):
        return "∞"
    digits = 1 - int(np.floor(np.log10(value_s)))
    return f"{round(value_s, digits):.{max(0, digits)}f}"


def _head(ax: Axes, title: str, state: str, n_events: Mapping[str, int]) -> None:
    counts = [f"{n:,} {EPOCH_NAMES[epoch]}".replace(",", " ") for epoch, n in n_events.items()]
    line = f"{state} events: " + ", ".join(counts) if counts else f"{state} events"
    if title:
        style.panel_title(ax, title, line)
    else:
        ax.set_title(line, loc="left", pad=3)
    if not any(n_events.values()):
        style.no_data(ax, "no events")


def _draw(
    ax: Axes, density: pd.DataFrame, fit: DwellFit, epoch: str, *, together: bool = False
) -> None:
    """Draw the points of an epoch and the law; one of both epochs together is drawn once."""
    colour = EPOCH_COLOURS[epoch]
    seen = density[density["n_events"] > 0]  # an empty bin has no place on a logarithmic axis
    if seen.empty:
        return
    t, p = seen["duration_s"].to_numpy(float), seen["density_per_s"].to_numpy(float)
    low, high = (seen[f"density_{end}_per_s"].to_numpy(float) for end in ("low", "high"))
    intervals(
        ax, t, p, low, high, color=colour, ms=2.2, mew=0, lw=0.6, zorder=2 + EPOCHS.index(epoch)
    )
    place = EPOCHS.index(epoch)
    if together:
        if epoch != EPOCHS[-1]:
            return
        colour = style.BLACK
    if fit.model != "not_fitted":
        start_s = fit.fitted_from_frames * fit.exposure_s
        drawn_s = np.geomspace(start_s, max(float(t[-1]), 2 * start_s), _POINTS_A_LAW)
        law = fit.density(drawn_s)
        # Far below one event in the last bin there is nothing to compare the law with.
        law[law < 0.2 * low.min()] = np.nan
        dashed = (0, (4, 2)) if fit.model == "neither" else "-"
        ax.plot(drawn_s, law, color=colour, lw=0.9, ls=dashed, zorder=4)
    # In the corner under a falling law, before above after.
    for line, text in enumerate(reversed(_fit_lines(fit, together=together))):
        offset = (3, 2 + 9 * (line + 2 * (len(EPOCHS) - 1 - place)))
        style.write_beside(ax, text, (0, 0), offset, va="bottom", color=colour)


def _fit_lines(fit: DwellFit, *, together: bool) -> tuple[str, ...]:
    """Write the verdict, and the numbers of the law that is drawn."""
    verdict = f"{'both: ' if together else ''}{LAW_NAMES[fit.model]}"
    if fit.model == "not_fitted":
        return (verdict,)
    alpha = f"α = {with_error(fit.alpha, fit.alpha_se)}"
    if not np.isfinite(fit.tau_s):
        return (verdict, alpha)
    tau = f"τ = {seconds(fit.tau_s)}"
    if np.isfinite(fit.tau_low_s):
        tau += f" ({seconds(fit.tau_low_s)}–{seconds(fit.tau_high_s)})"
    return (verdict, f"{alpha}, {tau} s")


def _columns(fits: pd.DataFrame) -> list[tuple[Temperature, float]]:
    columns = []
    for label in sort_temperatures(fits["temperature_c"].unique()):
        exposures = fits.loc[fits["temperature_c"] == label, "exposure_s"].unique()
        columns += [(label, float(exposure_s)) for exposure_s in np.sort(exposures)]
    return columns


def _only(
    table: pd.DataFrame, label: Temperature, exposure_s: float, epoch: str, state: str
) -> pd.DataFrame:
    same = (table["temperature_c"] == label) & (table["epoch"] == epoch) & (table["state"] == state)
    return table[same & np.isclose(table["exposure_s"].astype(float), exposure_s)]


def _log_axes(axes: list[Axes]) -> None:
    """Set logarithmic axes with room at the ends for the outer points."""
    for ax in axes:
        ax.set(xscale="log", yscale="log")
        ax.xaxis.set_major_formatter("{x:g}")  # 0.1, 1 and 10 s need no exponents
        ax.margins(0.06)
    if axes:  # room for the numbers in the corner under the laws; the axes are common
        low, high = axes[0].get_ylim()
        axes[0].set_ylim(bottom=low * (low / high) ** 0.25)
