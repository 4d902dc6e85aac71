"""Examples of nanocrystals for each transition between types of blinking, and their dwell times.

They are chosen because they are clear, so they are not typical: the table of transitions has the
number of each.

Input: the nanocrystal table; then the states of the chosen ones. Output: for each transition
between type A (`truncated_power_law`) and type B (`power_law`) the nanocrystals with the
clearest fits, and what a figure needs to draw their P(t) before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.arrays import BoolArray
from blinkpair.blinking.run_lengths import events_to_fit, run_lengths
from blinkpair.dwell_fits.events import count_events
from blinkpair.dwell_fits.fits import fit_counted_events
from blinkpair.dwell_fits.histograms import log_binned_density
from blinkpair.dwell_fits.result import DwellFit, DwellTimeSettings
from blinkpair.epochs import EPOCHS
from blinkpair.figures.style import temperature_name
from blinkpair.labels import CONTROL, TYPE_LETTERS, require_columns, text_codes
from blinkpair.populations.pools import STATES
from blinkpair.populations.type_states import PURE, REQUIRED, TRUNCATED, blinking_states

# What they are chosen by.
COLUMNS = (
    *REQUIRED,
    "nc_id",
    *(
        f"{name}_{epoch}"
        for epoch in EPOCHS
        for name in ("n_on_events", "p_truncated", "expected_false_on_events")
    ),
)
TRANSITIONS = ((PURE, PURE), (TRUNCATED, TRUNCATED), (TRUNCATED, PURE), (PURE, TRUNCATED))

# Ten times clearer than the usual 5 % for A, and nothing that hints at a truncation for B.
_CLEARLY_TRUNCATED, _CLEARLY_PURE = 0.005, 0.2


@dataclass(frozen=True)
class DwellTimes:
    """The events of one nanocrystal, epoch and state: their histogram and the law through it.

    Attributes
    ----------
    density : DataFrame
        From `dwell_fits.histograms.log_binned_density`, of the complete events.
    fit : DwellFit
        Of the same events and the one cut by the end of the trace.
    """

    density: pd.DataFrame
    fit: DwellFit


@dataclass(frozen=True)
class DwellExample:
    """One nanocrystal to draw.

    Attributes
    ----------
    label : str
        To write above its panels.
    dwell_times : mapping
        (epoch, state) to its events; 'pre' or 'post', 'on' or 'off'. What is missing is not
        drawn.
    """

    label: str
    dwell_times: Mapping[tuple[str, str], DwellTimes]


def choose_dwell_examples(nanocrystals: pd.DataFrame, *, each: int = 1) -> pd.DataFrame:
    """Choose nanocrystals for B to B, A to A, A to B and B to A, the same for the same table.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a nanocrystal of all fields: what `type_states.blinking_states` takes, `nc_id`,
        `n_on_events_{epoch}`, `p_truncated_{epoch}` and, if known,
        `expected_false_on_events_{epoch}`.
    each : int
        How many of each transition, as far as there are so many.

    Returns
    -------
    DataFrame
        Their rows, with `transition` ('A to B') and `label` added, in the order of
        `TRANSITIONS`. Annealed ones unless there are none. Clear ones come first: p below 0.005
        where type A and above 0.2 where type B, in both epochs; among these the one with the most
        on events in the epoch with fewer, those expected from noise taken off.

    Raises
    ------
    InputError
        For a missing column.
    """
    needed = [name for e in EPOCHS for name in (f"n_on_events_{e}", f"p_truncated_{e}")]
    require_columns(nanocrystals, [*REQUIRED, "nc_id", *needed], "nanocrystals")
    fitted = [nanocrystals[f"blinking_{epoch}"].isin(TYPE_LETTERS).to_numpy() for epoch in EPOCHS]
    states = blinking_states(nanocrystals[fitted[0] & fitted[1]])
    annealed = states[(states["temperature_c"] != CONTROL).to_numpy(bool)]
    parts = []
    for before, after in TRANSITIONS:
        has = (annealed["type_pre"] == before) & (annealed["type_post"] == after)
        own = annealed[has]
        if own.empty:
            own = states[(states["type_pre"] == before) & (states["type_post"] == after)]
        name = f"{TYPE_LETTERS[before]} to {TYPE_LETTERS[after]}"
        parts.append(_clearest(own, (before, after)).head(each).assign(transition=name))
    chosen = pd.concat(parts)
    return chosen.assign(label=[_label(row) for row in chosen.to_dict("records")])


def measure_dwell_example(
    label: str,
    states: Mapping[str, BoolArray],
    *,
    exposure_s: float,
    settings: DwellTimeSettings = DwellTimeSettings(),
) -> DwellExample:
    """Take the histograms and fits of one nanocrystal's on and off events.

    Parameters
    ----------
    label : str
        To write above its panels.
    states : mapping of str to (frames,) bool array
        Epoch, 'pre' and 'post', to on (True) and off in each frame.
    exposure_s : float
        Time from frame to frame, s.
    settings : DwellTimeSettings
    """
    measured = {}
    for epoch, on in states.items():
        events = run_lengths(on)
        for state in STATES:
            durations, cut = events_to_fit(events, 0, state=state == "on")
            fit = fit_counted_events(
                count_events(durations, cut, on.size),
                exposure_s=exposure_s,
                window_frames=on.size,
                settings=settings,
            )
            density = log_binned_density(durations[~cut], exposure_s=exposure_s)
            measured[epoch, state] = DwellTimes(density, fit)
    return DwellExample(label, measured)


def _clearest(rows: pd.DataFrame, types: tuple[str, str]) -> pd.DataFrame:
    """Order: clear ones first, then by true events, then by name."""
    clear = np.ones(len(rows), dtype=bool)
    fewest = np.full(len(rows), np.inf)
    for epoch, kind in zip(EPOCHS, types, strict=True):
        p = rows[f"p_truncated_{epoch}"].to_numpy(float)
        clear &= p < _CLEARLY_TRUNCATED if kind == TRUNCATED else p > _CLEARLY_PURE
        events = rows[f"n_on_events_{epoch}"].to_numpy(float)
        false = f"expected_false_on_events_{epoch}"
        if false in rows:
            events = events - np.nan_to_num(rows[false].to_numpy(float))
        fewest = np.minimum(fewest, events)
    names = rows["nc_id"].to_numpy(), text_codes(rows["field"])[0]
    return rows.iloc[np.lexsort((*names, -fewest, ~clear))]


def _label(row: dict[Any, Any]) -> str:
    at = temperature_name(row["temperature_c"])
    return f"type {row['transition']}: {row['field']}, {row['nc_id']} ({at})"
