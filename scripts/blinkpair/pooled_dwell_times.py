"""Dwell times of all nanocrystals of a temperature together.

In: how often each duration occurred, field by field. Out: the probability densities of the pooled
on and off events of each temperature and epoch, and the laws fitted to them.

Pooling different nanocrystals mixes their laws, and a mixture of power laws is not one: steep laws
rule the short events and shallow ones the long, so that the mixture bends upwards on log-log axes,
and nanocrystals that blink often weigh more than those that blink seldom. With the hundred thousand
events of a temperature the test sees any such bend: here a verdict describes the curve, not a
mechanism. Mechanisms are judged nanocrystal by nanocrystal.

Durations are whole frames, and events of 20 ms frames are no half of those of 40 ms frames:
an event shorter than a frame is lost in one and not in the other. Fields of different exposure are
therefore pooled apart, each exposure in rows of its own, instead of being refused: a pooled
curve is no reason to stop an experiment whose other tables do not mind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.dwell_fits import fit_dwell_times
from blinkpair.dwell_histograms import log_binned_density
from blinkpair.dwell_result import DwellFit, LawFit, Method
from blinkpair.errors import InputError
from blinkpair.table_labels import (
    Temperature,
    require_columns,
    sort_temperatures,
    temperature_labels,
)

EPOCHS = ("pre", "post")
STATES = ("on", "off")
KEYS = ("temperature_c", "exposure_s", "epoch", "state")

# Measured from the times of the frames, one exposure differs in the fourth digit.
_SAME_EXPOSURE = 1e-3
_COLUMNS = (
    "field",
    "temperature_c",
    "epoch",
    "state",
    "duration_frames",
    "n_events",
    "n_cut_by_end",
    "exposure_s",
    "window_frames",
)
_FIT_COLUMNS = (
    *KEYS,
    "n_fields",
    "n_events",
    "n_cut_by_end",
    "model",
    "alpha",
    "alpha_se",
    "tau_s",
    "tau_low_s",
    "tau_high_s",
    "p_value",
    "fitted_from_frames",
    "short",
    "log_amplitude",
    "reason",
)


def pool_densities(durations: pd.DataFrame, *, bins_per_decade: int = 8) -> pd.DataFrame:
    """Probability densities P(t) of the pooled complete events.

    Parameters
    ----------
    durations : DataFrame
        One row a field, epoch (`pre`, `post`), state (`on`, `off`) and duration that occurred:
        `field, temperature_c, epoch, state, duration_frames, n_events` (complete ones),
        `n_cut_by_end, exposure_s, window_frames`. Events cut by the start of a trace are not in
        it.
    bins_per_decade : int
        Bins in a factor of ten, where whole frames allow as many.

    Returns
    -------
    DataFrame
        `temperature_c, exposure_s, epoch, state` and the columns of
        `dwell_histograms.log_binned_density`, a row a bin. Temperatures ascend, the control
        comes last; `exposure_s` is the median of the fields pooled.

    Raises
    ------
    InputError
        For a missing column or a count, duration, epoch or state that cannot be.
    """
    parts = []
    for pool in _pools(durations):
        density = log_binned_density(
            np.repeat(pool.frames, pool.complete),
            exposure_s=pool.exposure_s,
            bins_per_decade=bins_per_decade,
        )
        for place, (name, value) in enumerate(pool.keys().items()):
            density.insert(place, name, value)
        parts.append(density)
    if not parts:
        none = log_binned_density([], exposure_s=1.0)
        return pd.DataFrame(columns=[*KEYS, *none.columns])
    return pd.concat(parts, ignore_index=True)


def pool_fits(
    durations: pd.DataFrame,
    *,
    significance: float = 0.05,
    min_events: int = 30,
    method: Method = "maximum_likelihood",
) -> pd.DataFrame:
    """Fit both laws to the pooled events.

    Parameters
    ----------
    durations : DataFrame
        As in `pool_densities`.
    significance, min_events, method : float, int, str
        As in `dwell_fits.fit_dwell_times`.

    Returns
    -------
    DataFrame
        One row a temperature, exposure, epoch and state: `n_fields, n_events` (complete),
        `n_cut_by_end, model, alpha, alpha_se, tau_s, tau_low_s, tau_high_s, p_value` as in
        `DwellFit`, and `fitted_from_frames, short, log_amplitude` of the law to draw, which is
        P(t) = exp(log_amplitude + short / t - t / tau) t^-alpha per frame, t and tau in frames
        (see `law_of`); `reason` where there is no verdict.

    Raises
    ------
    InputError
        As in `pool_densities`.
    """
    rows = []
    for pool in _pools(durations):
        events = np.repeat(pool.frames, pool.complete + pool.cut)
        # Of each duration first the complete events, then the cut ones.
        kinds = np.tile(np.array([False, True]), pool.frames.size)
        censored = np.repeat(kinds, np.column_stack([pool.complete, pool.cut]).ravel())
        # With `censored` the laws do not end at the window, so windows may differ.
        fit = fit_dwell_times(
            events,
            exposure_s=pool.exposure_s,
            window_frames=pool.window_frames,
            censored=censored,
            min_events=min_events,
            significance=significance,
            method=method,
        )
        truncated = fit.model == "truncated_power_law"
        law = fit.truncated_power_law if truncated else fit.power_law
        row: dict[str, Any] = {
            **pool.keys(),
            "n_fields": pool.n_fields,
            "n_events": int(pool.complete.sum()),
            "n_cut_by_end": int(pool.cut.sum()),
            "short": law.short,
            "log_amplitude": law.log_amplitude,
        }
        row |= {name: getattr(fit, name) for name in _FIT_COLUMNS if name not in row}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(_FIT_COLUMNS))


def law_of(row: Any) -> DwellFit:
    """Bring a row of `pool_fits` back into a `DwellFit`, whose `density` draws the law.

    Parameters
    ----------
    row : mapping
        A row, also one that has been through a CSV file.
    """
    truncated = row["model"] == "truncated_power_law"
    law = LawFit(
        alpha=float(row["alpha"]),
        tau_s=float(row["tau_s"]) if truncated else float("inf"),
        short=float(row["short"]),
        log_amplitude=float(row["log_amplitude"]),
    )
    return DwellFit(
        model=row["model"],
        alpha=float(row["alpha"]),
        alpha_se=float(row["alpha_se"]),
        tau_s=float(row["tau_s"]),
        tau_low_s=float(row["tau_low_s"]),
        tau_high_s=float(row["tau_high_s"]),
        p_value=float(row["p_value"]),
        n_events=int(row["n_events"]) + int(row["n_cut_by_end"]),
        n_censored=int(row["n_cut_by_end"]),
        fitted_from_frames=int(row["fitted_from_frames"]),
        exposure_s=float(row["exposure_s"]),
        power_law=law,
        truncated_power_law=law,
    )


@dataclass(frozen=True)
class _Pool:
    """The events of all fields of one temperature and exposure, one epoch and state."""

    temperature_c: Temperature
    exposure_s: float
    epoch: str
    state: str
    n_fields: int
    window_frames: int
    frames: NDArray[np.int64]
    complete: NDArray[np.int64]
    cut: NDArray[np.int64]

    def keys(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in KEYS}


def _pools(durations: pd.DataFrame) -> Iterator[_Pool]:
    table = _checked(durations)
    for label in sort_temperatures(set(table["temperature_c"])):
        of_label = table[table["temperature_c"] == label]
        groups = _exposure_groups(of_label["exposure_s"].to_numpy(float))
        for group in np.unique(groups):
            alike = of_label[groups == group]
            per_field = alike.groupby("field")["exposure_s"].first()
            exposure_s = float(np.median(per_field.to_numpy(float)))
            for epoch in EPOCHS:
                for state in STATES:
                    own = alike[(alike["epoch"] == epoch) & (alike["state"] == state)]
                    if own.empty:
                        continue
                    counts = own.groupby("duration_frames", sort=True)[["n_events", "n_cut_by_end"]]
                    sums = counts.sum()
                    yield _Pool(
                        temperature_c=label,
                        exposure_s=exposure_s,
                        epoch=epoch,
                        state=state,
                        n_fields=int(own["field"].nunique()),
                        window_frames=int(own["window_frames"].max()),
                        frames=sums.index.to_numpy(np.int64),
                        complete=sums["n_events"].to_numpy(np.int64),
                        cut=sums["n_cut_by_end"].to_numpy(np.int64),
                    )


def _exposure_groups(exposure_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number the exposures: a new group wherever the next longer one is clearly longer."""
    values, at = np.unique(exposure_s, return_inverse=True)
    longer = np.diff(np.log(values)) > _SAME_EXPOSURE
    return np.concatenate([[0], np.cumsum(longer)]).astype(np.int64)[at]


def _checked(durations: pd.DataFrame) -> pd.DataFrame:
    require_columns(durations, list(_COLUMNS), "dwell-time")
    table = durations.assign(
        temperature_c=temperature_labels(durations["temperature_c"]),
        field=durations["field"].astype(str),
    )
    for name, known in (("epoch", EPOCHS), ("state", STATES)):
        unknown = sorted(set(table[name].astype(str)) - set(known))
        if unknown:
            raise InputError(
                f"The dwell-time table has {name} '{unknown[0]}'. "
                f"Hint: it has to be one of {', '.join(known)}."
            )
    least = {"duration_frames": 1, "n_events": 0, "n_cut_by_end": 0, "window_frames": 1}
    for name, low in least.items():
        values = table[name].to_numpy(float)
        bad = ~(values >= low) | (values != np.rint(values))
        if bad.any():
            row = table.iloc[int(np.flatnonzero(bad)[0])]
            raise InputError(
                f"The dwell-time table has {name} {row[name]} in field {row['field']}. "
                f"Hint: it counts whole frames or events, at least {low}."
            )
    exposure_s = table["exposure_s"].to_numpy(float)
    if not np.all(np.isfinite(exposure_s) & (exposure_s > 0)):
        raise InputError(
            "The dwell-time table has an exposure_s that is no time. Hint: seconds, e.g. 0.02."
        )
    return table
