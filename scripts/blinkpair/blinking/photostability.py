"""Classify how nanocrystals change within one movie.

`photostability_summary` counts the classes for each temperature.

Whether an off event that lasts to the end of the movie is the last one is unknown. Blinking has no
longest off event, so such an end alone does not make a nanocrystal unstable; `dark_at_end_s` is
its length.

Input: counts and states (nanocrystal, frame). Output: for every nanocrystal whether it was stable,
grew brighter, dimmed or went dark more often and longer (Fig. 5 of the paper); for a field the
integrated photoluminescence against time (Fig. 4) and what is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.trend_tests import (
    Trend,
    merge_short,
    off_fraction_trend,
    on_level_trend,
    runs,
)
from blinkpair.errors import InputError
from blinkpair.labels import CLASS_NAMES

CLASSES = tuple(CLASS_NAMES)
NOT_TESTED = "not_tested"


@dataclass(frozen=True)
class PhotostabilitySettings:
    """The configuration's `photostability`.

    `significance` and `min_change` are those of `classify_trajectories`, `reference_s` that of
    `kept_fraction`.
    """

    significance: float = 0.05
    min_change: float = 0.10
    reference_s: float = 10


def classify_trajectories(
    intensity: NDArray[np.float32],
    states: BoolArray,
    *,
    exposure_s: float,
    significance: float = 0.05,
    min_change: float = 0.10,
) -> pd.DataFrame:
    """Return for every trace whether the nanocrystal changed within the movie.

    Parameters
    ----------
    intensity : (n, frames) float32 array
        Background-subtracted counts. Frames that are NaN are left out, as if the movie had been
        stopped for them.
    states : (n, frames) bool array
        True where on, from `states.assign_states`.
    exposure_s : float
        Frame interval.
    significance : float
        Share of stationary nanocrystals that may be called anything but stable, at most. Each of
        the two tests gets half of it (Bonferroni).
    min_change : float
        A smaller change is no change, however significant: of the on level as a share of its
        start, of the off-fraction as a difference of shares.

    Returns
    -------
    pandas.DataFrame
        One row a trace. `photostability`: 'going_dark' (a rising off-fraction), 'brightening' (a
        rising on level or a falling off-fraction), 'dimming' (a falling on level), 'stable', or
        'not_tested' where neither test is possible; where both are significant, the smaller p
        decides. `on_level_change` and `off_fraction_change` are the changes of straight lines
        through the whole movie, `p_on_level` and `p_off_fraction` their two-sided p values (NaN:
        not tested). `dark_at_end_s`: how long it had been off at the end, on events of a single
        frame being taken for noise; 0 if on in the last frame.

    Raises
    ------
    InputError
        If the arrays do not match, or a number is out of its range.

    Notes
    -----
    The tests are those of `trend_tests`. A row depends on its own trace only.
    """
    _check_traces(intensity, exposure_s)
    if states.dtype != np.bool_ or states.shape != intensity.shape:
        raise InputError(
            f"states is {states.dtype} of shape {states.shape}, intensity of {intensity.shape}",
            "pass booleans, one for each count",
        )
    if not (0 < significance < 1 and min_change >= 0):
        raise InputError(
            f"significance is {significance}, min_change {min_change}",
            "the first lies between 0 and 1, the second is a share of at least 0",
        )
    frames = intensity.shape[1]
    rows = []
    for counts, on in zip(intensity, states, strict=True):
        known = np.isfinite(counts)
        frame = np.flatnonzero(known)
        if frame.size < frames:
            counts, on = counts[known], on[known]
        off_fraction = off_fraction_trend(on, frame, frames)
        on_level = on_level_trend(counts, on, frame, frames)
        rows.append(
            {
                "photostability": _classify(on_level, off_fraction, significance / 2, min_change),
                "on_level_change": on_level.change,
                "p_on_level": on_level.p_value,
                "off_fraction_change": off_fraction.change,
                "p_off_fraction": off_fraction.p_value,
                "dark_at_end_s": _dark_at_end_frames(on) * exposure_s,
            }
        )
    names = ["photostability", "on_level_change", "p_on_level", "off_fraction_change"]
    table = pd.DataFrame(rows, columns=[*names, "p_off_fraction", "dark_at_end_s"])
    return table.astype(dict.fromkeys(table.columns[1:], np.float64))


def _classify(on_level: Trend, off_fraction: Trend, significance: float, min_change: float) -> str:
    if np.isnan(on_level.p_value) and np.isnan(off_fraction.p_value):
        return NOT_TESTED
    found = []
    if on_level.is_significant(significance, min_change):
        found.append((on_level.p_value, "brightening" if on_level.change > 0 else "dimming"))
    if off_fraction.is_significant(significance, min_change):
        name = "going_dark" if off_fraction.change > 0 else "brightening"
        found.append((off_fraction.p_value, name))
    return min(found)[1] if found else "stable"


def _dark_at_end_frames(on: BoolArray) -> float:
    if on.size == 0:
        return float("nan")
    if on[-1]:
        return 0.0
    return float(merge_short(*runs(on), state=True)[0][-1])


def integrated_pl(
    intensity: NDArray[np.float32], *, exposure_s: float, bin_s: float | None = None
) -> pd.DataFrame:
    """Return the summed counts of all nanocrystals of a field, against time (Fig. 4 of the paper).

    Parameters
    ----------
    intensity : (n, frames) float32 array
        Background-subtracted counts; NaN where a nanocrystal was not measured.
    exposure_s, bin_s : float
        Frame interval; width of a bin of time, rounded to whole frames. By default a second, or a
        hundredth of the movie where that is less.

    Returns
    -------
    pandas.DataFrame
        `time_s` (middle of the bin), `integrated_pl` (counts a frame, mean over the bin). The last
        bin is dropped if it is incomplete, unless it is the only one. A nanocrystal with no frame
        in a bin enters with its value between its neighbouring bins, so that a gap is no loss of
        light; a bin in which none was measured is NaN.

    Raises
    ------
    InputError
        If the intensity is no table, or a time is not positive.
    """
    _check_traces(intensity, exposure_s)
    n, frames = intensity.shape
    if bin_s is None:
        bin_s = max(min(1.0, frames * exposure_s / 100), exposure_s)
    _check_positive("bin_s", bin_s)
    width = min(max(round(bin_s / exposure_s), 1), max(frames, 1))
    bins = frames // width
    cut = intensity[:, : bins * width].reshape(n, bins, width)
    mean = _mean_of_known(cut)
    time = (np.arange(bins) + 0.5) * width * exposure_s
    total = np.zeros(bins)
    measured = np.zeros(bins, dtype=bool)
    for own in mean:
        known = np.isfinite(own)
        if known.any():
            total += np.interp(time, time[known], own[known])
            measured |= known
    return pd.DataFrame({"time_s": time, "integrated_pl": np.where(measured, total, np.nan)})


def kept_fraction(
    intensity: NDArray[np.float32], *, exposure_s: float, reference_s: float = 10.0
) -> pd.DataFrame:
    """Return the mean counts of each nanocrystal at the two ends of the movie.

    Parameters
    ----------
    intensity : (n, frames) float32 array
        Background-subtracted counts; NaN is left out.
    exposure_s : float
        Frame interval.
    reference_s : float
        Length of either end. In a movie shorter than three of them, a tenth of the movie.

    Returns
    -------
    pandas.DataFrame
        `start_counts`, `end_counts`: mean counts a frame, NaN where nothing was measured. The
        ratio of a single nanocrystal has no meaning, as it may be off at either end; the ratio of
        their sums has.

    Raises
    ------
    InputError
        If the intensity is no table, or a time is not positive.
    """
    _check_traces(intensity, exposure_s)
    _check_positive("reference_s", reference_s)
    frames = intensity.shape[1]
    width = round(reference_s / exposure_s)
    if frames < 3 * width:
        width = frames // 10
    width = max(width, 1)
    return pd.DataFrame(
        {
            "start_counts": _mean_of_known(intensity[:, :width]),
            "end_counts": _mean_of_known(intensity[:, max(frames - width, 0) :]),
        }
    )


def _mean_of_known(counts: NDArray[np.float32]) -> FloatArray:
    """Return the mean over the last axis without NaN; NaN where there is nothing else."""
    known = np.isfinite(counts)
    total = np.where(known, counts, np.float32(0)).sum(axis=-1, dtype=np.float64)
    n = known.sum(axis=-1)
    return np.asarray(np.where(n > 0, total / np.maximum(n, 1), np.nan))


def _check_traces(intensity: NDArray[np.float32], exposure_s: float) -> None:
    if intensity.ndim != 2:
        raise InputError(
            f"intensity has {intensity.ndim} dimensions",
            "pass counts of shape (nanocrystals, frames)",
        )
    _check_positive("exposure_s", exposure_s)


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise InputError(f"{name} is {value}", "a time in seconds, above 0")
