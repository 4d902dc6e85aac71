"""Columns of `nanocrystals.csv` of one epoch; '{epoch}' in a name stands for pre or post.

Input: counts, states and events of one epoch. Output: columns, one row a measured nanocrystal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.off_levels import OffLevels, expected_false_events
from blinkpair.blinking.photostability import (
    PhotostabilitySettings,
    classify_trajectories,
    kept_fraction,
)
from blinkpair.blinking.recipes import Recipes
from blinkpair.blinking.run_lengths import (
    as_arrays,
    cut_on_events,
    events_to_fit,
    run_lengths,
)
from blinkpair.dwell_fits.cut_off_ratio import CutOffRatio, ratio_of_cut_off
from blinkpair.dwell_fits.events import Events, count_events
from blinkpair.dwell_fits.fits import alpha_of_events, fit_counted_events
from blinkpair.dwell_fits.result import MAX_FALSE_SHARE, DwellFit, DwellTimeSettings

# Columns that are never empty, of nanocrystals that were not measured, or not tested.
UNKNOWN = {
    "threshold_from_{epoch}": "",
    "two_emitters_{epoch}": False,
    "blinking_{epoch}": "not_fitted",
    "blinking_off_{epoch}": "not_fitted",
    "reason_on_{epoch}": "",
    "reason_off_{epoch}": "",
    "photostability_{epoch}": "not_tested",
}

FEWEST_FRAMES_ON = 5  # for a median
NOTED_FALSE_SHARE = 0.1  # of the events: type and alpha may be those of noise


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
    noise = noise_events(off, recipes, intensity.shape[1])
    by_model = run_lengths(recipes.best.states) if recipes.answer is not recipes.best else None
    columns = state_columns(intensity, off, recipes, noise)
    emissive = columns["on_fraction_{epoch}"].to_numpy() >= dark_cutoff
    why_not = np.select([~analysed, ~emissive], ["not analysed", "dark"], "")
    window = (exposure_s, intensity.shape[1])
    return pd.concat(
        [
            columns,
            dwell_columns(events, why_not, True, *window, dwell_times, noise, by_model),
            cut_off_columns(events if by_model is None else by_model, why_not, *window),
            dwell_columns(events, why_not, False, *window, dwell_times, noise, by_model),
            photostability_columns(
                intensity, recipes.answer.states, analysed, exposure_s, photostability
            ),
        ],
        axis=1,
    )


class NoiseEvents(NamedTuple):
    """Events that noise makes in the states of the answer, one value a nanocrystal.

    Attributes
    ----------
    n : (n,) float
        Expected number of on events that noise makes. It holds for off events, too, because each
        false on event divides an off event into two, and each cut of an on event adds one of both.
    on_cut_rate, off_cut_rate : (n,) float
        How often noise cuts an on event, or an off event, per frame of it.
    """

    n: FloatArray
    on_cut_rate: FloatArray
    off_cut_rate: FloatArray


def noise_events(off: OffLevels, recipes: Recipes, n_frames: int) -> NoiseEvents:
    """Return the number of events that noise makes, nan where the off level is not known."""
    assigned = recipes.answer
    false = expected_false_events(
        off.noise_counts,
        assigned.thresholds_counts,
        n_frames,
        off_level_counts=off.level_counts,
        off_fraction=1.0 - assigned.on_fractions,
        skewness=off.skewness,
    )
    cut = cut_on_events(assigned.states, recipes.best.states)
    n_on = assigned.states.sum(axis=1)
    return NoiseEvents(
        false + cut, cut / np.maximum(n_on, 1), false / np.maximum(n_frames - n_on, 1)
    )


def state_columns(
    intensity: NDArray[np.float32], off: OffLevels, recipes: Recipes, noise: NoiseEvents
) -> pd.DataFrame:
    """Return on-fractions, levels and thresholds."""
    assigned = recipes.answer
    fraction = assigned.on_fractions
    on = assigned.states
    with np.errstate(invalid="ignore", divide="ignore"):
        when_on = intensity.sum(axis=1, where=on, dtype=np.float64) / on.sum(axis=1)
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
            "two_emitters_{epoch}": pd.array(recipes.best.two_emitters, dtype="boolean"),
            "counts_when_on_{epoch}": when_on,
            "on_level_counts_{epoch}": _on_levels(intensity, recipes.best.states),
            "expected_false_on_events_{epoch}": noise.n,
            "common_light_change_{epoch}": recipes.best.light_change,
        }
    )


def _on_levels(intensity: NDArray[np.float32], on: BoolArray) -> FloatArray:
    """Return the median counts of the frames on between two that are; NaN of too few frames.

    Frames in which an event begins or ends are lit in part, and more of them where events are
    short: the mean of all frames on would change with the blinking.
    """
    within = np.zeros_like(on)
    within[:, 1:-1] = on[:, 1:-1] & on[:, :-2] & on[:, 2:]
    levels = np.full(len(on), np.nan)
    for k in np.flatnonzero(within.sum(axis=1) >= FEWEST_FRAMES_ON):
        levels[k] = np.median(intensity[k, within[k]])
    return levels


def dwell_columns(
    events: pd.DataFrame,
    why_not: NDArray[np.str_],
    on: bool,
    exposure_s: float,
    window_frames: int,
    settings: DwellTimeSettings,
    noise: NoiseEvents,
    by_model: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return fits of the on (or off) events of each trace, where `why_not` is empty.

    `why_not` holds the reason for not fitting a nanocrystal; the dark are not, as in the paper.
    `by_model` holds the events of the hidden Markov model where `events` are those of a threshold:
    the error of alpha then contains the difference between both, as that of an on-fraction does.
    """
    fits: list[DwellFit] = []
    cut_rates = np.nan_to_num(noise.on_cut_rate if on else noise.off_cut_rate)

    runs = as_arrays(events)
    runs_by_model = None if by_model is None else as_arrays(by_model)

    def counted(of: Mapping[str, NDArray[Any]], k: int) -> Events:
        return count_events(*events_to_fit(of, k, state=on), window_frames)

    for k, reason in enumerate(why_not):
        if reason:
            n_events = len(events_to_fit(runs, k, state=on)[0])
            fits.append(DwellFit("not_fitted", n_events=n_events, reason=str(reason)))
        else:
            fit = fit_counted_events(
                counted(runs, k),
                exposure_s=exposure_s,
                window_frames=window_frames,
                settings=settings,
                cut_rate=float(cut_rates[k]),
            )
            if runs_by_model is not None and fit.model != "not_fitted":
                fit = _with_error_of_states(fit, counted(runs_by_model, k), settings)
            fits.append(fit)
        fits[-1] = _with_noise(fits[-1], float(noise.n[k]), on=on)
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


def _with_error_of_states(fit: DwellFit, by_model: Events, settings: DwellTimeSettings) -> DwellFit:
    """Return a fit, its error of alpha with the difference from alpha of the model's events."""
    truncated = bool(np.isfinite(fit.tau_s))
    alpha = alpha_of_events(by_model, truncated=truncated, settings=settings)
    if not np.isfinite(alpha):
        return fit
    return replace(fit, alpha_se=float(np.hypot(fit.alpha_se, fit.alpha - alpha)))


def cut_off_columns(
    events: pd.DataFrame,
    why_not: NDArray[np.str_],
    exposure_s: float,
    window_frames: int,
) -> pd.DataFrame:
    """Return the ratio for a cut-off of the on events, nan where `why_not` has a reason.

    `events` are those of the hidden Markov model: a fixed threshold joins on events across short
    off events and cuts others, and both look like a cut-off.
    """
    ratios: dict[int, CutOffRatio] = {}
    runs = as_arrays(events)
    for k in np.flatnonzero(why_not == ""):
        on = count_events(*events_to_fit(runs, int(k), with_first=True), window_frames)
        ratios[int(k)] = ratio_of_cut_off(on, exposure_s=exposure_s)
    columns = {
        "log_ratio_cut_off_{epoch}": "log_ratio",
        "alpha_without_cut_off_{epoch}": "alpha_without",
        "alpha_without_cut_off_{epoch}_se": "alpha_without_se",
        "alpha_with_cut_off_{epoch}": "alpha_with",
        "alpha_with_cut_off_{epoch}_se": "alpha_with_se",
    }
    rows = range(len(why_not))
    return pd.DataFrame(
        {
            name: [getattr(ratios[k], of) if k in ratios else np.nan for k in rows]
            for name, of in columns.items()
        }
    )


def _with_noise(fit: DwellFit, n_false: float, *, on: bool) -> DwellFit:
    """Return a fit with a remark where noise makes more than `NOTED_FALSE_SHARE` of the events.

    Above `MAX_FALSE_SHARE` there is no verdict. `n_false` is nan where it is not known.
    """
    share = n_false / max(fit.n_events, 1)
    if fit.model == "not_fitted" or not share > NOTED_FALSE_SHARE:
        return fit
    remark = f"noise makes {100 * share:.0f} % of the {'on' if on else 'off'} events"
    if share > MAX_FALSE_SHARE:
        return replace(fit, model="undecided", reason=f"{remark}: no verdict")
    return replace(fit, reason="; ".join(filter(None, (fit.reason, remark))))


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
