"""Columns of `nanocrystals.csv` of one epoch; '{epoch}' in a name stands for pre or post.

Input: counts, states and events of one epoch. Output: columns, one row a measured nanocrystal.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray
from blinkpair.blinking.off_levels import OffLevels, expected_false_events
from blinkpair.blinking.photostability import (
    PhotostabilitySettings,
    classify_trajectories,
    kept_fraction,
)
from blinkpair.blinking.recipes import Recipes
from blinkpair.blinking.run_lengths import cut_on_events, events_to_fit
from blinkpair.dwell_fits.events import count_events
from blinkpair.dwell_fits.fits import fit_counted_events
from blinkpair.dwell_fits.result import DwellFit, DwellTimeSettings

# The text columns of nanocrystals that were not measured, or not tested.
UNKNOWN = {
    "threshold_from_{epoch}": "",
    "blinking_{epoch}": "not_fitted",
    "blinking_off_{epoch}": "not_fitted",
    "reason_on_{epoch}": "",
    "reason_off_{epoch}": "",
    "photostability_{epoch}": "not_tested",
}

NOTED_FALSE_SHARE = 0.1  # of the on events: type and alpha may be those of noise


def epoch_columns(
    intensity: NDArray[np.float32],
    off: OffLevels,
    recipes: Recipes,
    events: pd.DataFrame,
    *,
    analysed: BoolArray,
    exposure_s: float,
    dark_cutoff: float,
    dwell_times: DwellTimeSettings,
    photostability: PhotostabilitySettings,
) -> pd.DataFrame:
    """Return all columns of one epoch, one row a measured nanocrystal.

    Parameters
    ----------
    intensity : (n, frames) float32
        Counts.
    off : OffLevels
    recipes : Recipes
        States.
    events : pandas.DataFrame
        From `run_lengths`, of the answer's states.
    analysed : (n,) bool
        Only these get verdicts.
    exposure_s : float
    dark_cutoff : float
        On-fraction below which a nanocrystal is dark: its events are not fitted.
    dwell_times : DwellTimeSettings
    photostability : PhotostabilitySettings
    """
    columns = state_columns(intensity, off, recipes)
    emissive = columns["on_fraction_{epoch}"].to_numpy() >= dark_cutoff
    why_not = np.select([~analysed, ~emissive], ["not analysed", "dark"], "")
    window = (exposure_s, intensity.shape[1])
    return pd.concat(
        [
            columns,
            _with_noise(
                dwell_columns(events, why_not, True, *window, dwell_times),
                columns["expected_false_on_events_{epoch}"],
            ),
            dwell_columns(events, why_not, False, *window, dwell_times),
            photostability_columns(
                intensity, recipes.answer.states, analysed, exposure_s, photostability
            ),
        ],
        axis=1,
    )


def state_columns(intensity: NDArray[np.float32], off: OffLevels, recipes: Recipes) -> pd.DataFrame:
    """Return on-fractions, levels and thresholds."""
    assigned = recipes.answer
    fraction = assigned.on_fractions
    on = assigned.states
    with np.errstate(invalid="ignore", divide="ignore"):
        when_on = intensity.sum(axis=1, where=on, dtype=np.float64) / on.sum(axis=1)
    false_events = expected_false_events(
        off.noise_counts,
        assigned.thresholds_counts,
        intensity.shape[1],
        off_level_counts=off.level_counts,
        off_fraction=1.0 - fraction,
        skewness=off.skewness,
    )
    false_events += cut_on_events(on, recipes.best.states)
    return pd.DataFrame(
        {
            "threshold_counts_{epoch}": assigned.thresholds_counts,
            "threshold_from_{epoch}": assigned.source,
            "off_level_counts_{epoch}": off.level_counts,
            "off_noise_counts_{epoch}": off.noise_counts,
            "on_fraction_{epoch}": fraction,
            "on_fraction_{epoch}_se": recipes.se,
            "on_fraction_{epoch}_fixed": recipes.fixed.on_fractions,
            "on_fraction_{epoch}_best": recipes.best.on_fractions,
            "on_fraction_{epoch}_best_se": recipes.best.on_fractions_se,
            "counts_when_on_{epoch}": when_on,
            "expected_false_on_events_{epoch}": false_events,
            "common_light_change_{epoch}": recipes.best.light_change,
        }
    )


def dwell_columns(
    events: pd.DataFrame,
    why_not: NDArray[np.str_],
    on: bool,
    exposure_s: float,
    window_frames: int,
    settings: DwellTimeSettings,
) -> pd.DataFrame:
    """Return fits of the on (or off) events of each trace, where `why_not` is empty.

    Dark ones are not fitted, as in the paper.
    """
    fits: list[DwellFit] = []
    for k, reason in enumerate(why_not):
        durations, censored = events_to_fit(events, k, state=on)
        if reason:
            fits.append(DwellFit("not_fitted", n_events=len(durations), reason=str(reason)))
        else:
            fits.append(
                fit_counted_events(
                    count_events(durations, censored, window_frames),
                    exposure_s=exposure_s,
                    window_frames=window_frames,
                    settings=settings,
                )
            )
    which, suffix = ("on", "") if on else ("off", "_off")
    columns = {
        f"blinking{suffix}_{{epoch}}": "model",
        f"n_{which}_events_{{epoch}}": "n_events",
        f"alpha_{which}_{{epoch}}": "alpha",
        f"alpha_{which}_{{epoch}}_se": "alpha_se",
        f"tau_{which}_{{epoch}}_s": "tau_s",
        f"tau_{which}_{{epoch}}_se_s": "tau_se_s",
        f"tau_{which}_{{epoch}}_low_s": "tau_low_s",
        f"tau_{which}_{{epoch}}_high_s": "tau_high_s",
        f"p_truncated{suffix}_{{epoch}}": "p_value",
        f"p_fit{suffix}_{{epoch}}": "p_value_fit",
        f"reason_{which}_{{epoch}}": "reason",
        f"log_amplitude_{which}_{{epoch}}": "log_amplitude",
        f"short_{which}_{{epoch}}_s": "short_s",
        f"fitted_from_frames_{which}_{{epoch}}": "fitted_from_frames",
    }
    table = pd.DataFrame({name: [getattr(f, key) for f in fits] for name, key in columns.items()})
    # Where nothing was fitted there is no line to draw, and no frame from which.
    drawn = table[f"blinking{suffix}_{{epoch}}"] != "not_fitted"
    first = f"fitted_from_frames_{which}_{{epoch}}"
    return table.assign(**{first: table[first].where(drawn)})


def _with_noise(fits: pd.DataFrame, false_events: pd.Series[float]) -> pd.DataFrame:
    """Return the fits of on events with a remark where noise makes many of the events."""
    share = (false_events / fits["n_on_events_{epoch}"]).to_numpy(float)
    fitted = (fits["blinking_{epoch}"] != "not_fitted").to_numpy()
    remarks = [
        "; ".join(filter(None, (reason, f"noise makes {100 * own:.0f} % of the on events")))
        if own > NOTED_FALSE_SHARE and known
        else reason
        for reason, own, known in zip(fits["reason_on_{epoch}"], share, fitted, strict=True)
    ]
    return fits.assign(**{"reason_on_{epoch}": remarks})


def photostability_columns(
    intensity: NDArray[np.float32],
    states: BoolArray,
    analysed: BoolArray,
    exposure_s: float,
    settings: PhotostabilitySettings,
) -> pd.DataFrame:
    """Return classes of those analysed, and counts at both ends of the movie of all."""
    classes = classify_trajectories(
        intensity[analysed],
        states[analysed],
        exposure_s=exposure_s,
        significance=settings.significance,
        min_change=settings.min_change,
    ).set_axis(np.flatnonzero(analysed), axis=0)
    ends = kept_fraction(intensity, exposure_s=exposure_s, reference_s=settings.reference_s)
    columns = pd.concat([classes, ends], axis=1)
    # The unit stands last in a name that has one, as in tau_on_pre_s.
    return columns.rename(
        columns=lambda name: (
            f"{name[:-2]}_{{epoch}}_s" if name.endswith("_s") else f"{name}_{{epoch}}"
        )
    )
