"""From counts to the row of each nanocrystal: on-fractions, change, population, blinking.

In: the counts of the same nanocrystals in both epochs and the table of their places.
Out: the columns of `nanocrystals.csv`, and the on-fractions at other thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.dwell_fits import DwellFit, fit_dwell_times
from blinkpair.populations import classify
from blinkpair.run_lengths import events_to_fit, run_lengths
from blinkpair.states import assign_states, on_fraction

EPOCHS = ("pre", "post")


def analyse_nanocrystals(
    places: pd.DataFrame,
    measured: NDArray[np.int64],
    intensity: Mapping[str, NDArray[np.float32]],
    *,
    exposure_s: float,
    threshold: Mapping[str, Any],
    dark_cutoff: float,
    dwell_times: Mapping[str, Any],
) -> pd.DataFrame:
    """Add on-fractions, their change, the population and the type of blinking.

    Parameters
    ----------
    places : pandas.DataFrame
        From `pairing.pair_nanocrystals`.
    measured : (n,) int
        nc_id of the rows of `intensity`.
    intensity : mapping of (n, frames) float32
        Counts of the epochs 'pre' and 'post'.
    exposure_s : float
    threshold : mapping
        method ('fixed', 'noise' or 'hmm'), counts, noise_sigmas.
    dark_cutoff : float
        On-fraction below which a nanocrystal is dark.
    dwell_times : mapping
        min_events and significance of the fits.
    """
    table = places.set_index("nc_id", drop=False)
    for epoch in EPOCHS:
        columns = _epoch_columns(
            intensity[epoch],
            exposure_s=exposure_s,
            threshold=threshold,
            dark_cutoff=dark_cutoff,
            dwell_times=dwell_times,
        )
        columns.index = pd.Index(measured)
        columns = columns.reindex(table.index)
        for name in map(str, columns):
            table[name.format(epoch=epoch)] = columns[name]
        blinking = f"blinking_{epoch}"
        table[blinking] = table[blinking].where(table["analysed"], "not_fitted")
    table["delta_on_fraction"] = table["on_fraction_post"] - table["on_fraction_pre"]
    table["population"] = classify(
        table["on_fraction_pre"],
        table["on_fraction_post"],
        dark_cutoff,
        analysed=table["analysed"],
    )
    return table.reset_index(drop=True)


def _epoch_columns(
    intensity: NDArray[np.float32],
    *,
    exposure_s: float,
    threshold: Mapping[str, Any],
    dark_cutoff: float,
    dwell_times: Mapping[str, Any],
) -> pd.DataFrame:
    """One row a trace; '{epoch}' in a column's name stands for pre or post."""
    assigned = assign_states(
        intensity,
        threshold["method"],
        threshold_counts=threshold["counts"],
        sigmas=threshold["noise_sigmas"],
    )
    fractions = on_fraction(assigned.states)
    fits = _fit_on_events(
        assigned.states, fractions >= dark_cutoff, exposure_s=exposure_s, **dwell_times
    )
    counts = intensity.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        when_on = np.where(assigned.states, counts, 0).sum(axis=1) / assigned.states.sum(axis=1)
    return pd.DataFrame(
        {
            "threshold_counts_{epoch}": assigned.thresholds_counts,
            "on_fraction_{epoch}": fractions,
            "counts_when_on_{epoch}": when_on,
            "blinking_{epoch}": [fit.model for fit in fits],
            "n_on_events_{epoch}": [fit.n_events for fit in fits],
            "alpha_on_{epoch}": [fit.alpha for fit in fits],
            "alpha_on_{epoch}_se": [fit.alpha_se for fit in fits],
            "tau_on_{epoch}_s": [fit.tau_s for fit in fits],
            "tau_on_{epoch}_se_s": [fit.tau_se_s for fit in fits],
            "p_truncated_{epoch}": [fit.p_value for fit in fits],
        }
    )


def _fit_on_events(
    states: NDArray[np.bool_],
    emissive: NDArray[np.bool_],
    *,
    exposure_s: float,
    min_events: int,
    significance: float,
) -> list[DwellFit]:
    """Fit the on-times of each trace; dark ones are not fitted, as in the paper."""
    events = run_lengths(states)
    fits = []
    for k in range(len(states)):
        durations, censored = events_to_fit(events, k)
        fits.append(
            fit_dwell_times(
                durations if emissive[k] else durations[:0],
                exposure_s=exposure_s,
                window_frames=states.shape[1],
                censored=censored if emissive[k] else censored[:0],
                min_events=min_events,
                significance=significance,
            )
        )
    return fits


def on_fractions_at(
    measured: NDArray[np.int64],
    intensity: Mapping[str, NDArray[np.float32]],
    thresholds_counts: Iterable[float],
) -> pd.DataFrame:
    """On-fractions of each nanocrystal at several fixed thresholds.

    Returns
    -------
    pandas.DataFrame
        nc_id, threshold_counts, on_fraction_pre, on_fraction_post.
    """
    parts = []
    for counts in thresholds_counts:
        columns = {
            f"on_fraction_{epoch}": np.count_nonzero(intensity[epoch] > counts, axis=1)
            / max(intensity[epoch].shape[1], 1)
            for epoch in EPOCHS
        }
        parts.append(pd.DataFrame({"nc_id": measured, "threshold_counts": counts, **columns}))
    return pd.concat(parts, ignore_index=True)
