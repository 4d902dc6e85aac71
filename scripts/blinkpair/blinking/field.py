"""The row of each nanocrystal from its counts: on-fractions, change, population, blinking.

Input: the counts of the same nanocrystals in both epochs and the table of their places. Output:
the columns of `nanocrystals.csv`, the states behind them, how often each duration occurred, and
the on-fractions at other thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.blinking.all_off import MAX_SHARE, all_off_frames
from blinkpair.blinking.columns import (
    UNKNOWN,
    dwell_columns,
    photostability_columns,
    state_columns,
)
from blinkpair.blinking.off_levels import OffLevels, estimate_off_levels
from blinkpair.blinking.on_fractions import (
    COUNTED,
    DARK_CUTOFF,
    classify,
    on_fraction,
)
from blinkpair.blinking.photostability import (
    PhotostabilitySettings,
    integrated_pl,
)
from blinkpair.blinking.recipes import Recipes
from blinkpair.blinking.run_lengths import count_durations, run_lengths
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.epochs import EPOCHS
from blinkpair.labels import BY_HAND
from blinkpair.photometry.apertures import at_mean_focus, empty_frames

NOTED_FALSE_SHARE = 0.1  # of the on events: type and alpha may be those of noise
DROWNED_NOISES = 1.5
# An on-fraction with a larger standard error is no answer: it may be off by more than 0.1.
MAX_SE = 0.05

T = TypeVar("T")
V = TypeVar("V", bound=np.generic)


class ByEpochs(Protocol):
    """Calls a function for both epochs."""

    def __call__(
        self, function: Callable[..., T], calls: Sequence[Sequence[Any]], /
    ) -> Sequence[T]:
        """Return what the function returns with its arguments of pre, and of post."""


def in_turn(function: Callable[..., T], calls: Sequence[Sequence[Any]], /) -> list[T]:
    """Call a function with the arguments of pre, then with those of post."""
    return [function(*arguments) for arguments in calls]


@dataclass(frozen=True)
class BlinkingSettings:
    """The settings that `analyse_nanocrystals` uses.

    `dark_cutoff` is the on-fraction below which a nanocrystal is dark.
    """

    threshold: ThresholdSettings = field(default_factory=ThresholdSettings)
    dark_cutoff: float = DARK_CUTOFF
    dwell_times: DwellTimeSettings = field(default_factory=DwellTimeSettings)
    photostability: PhotostabilitySettings = field(default_factory=PhotostabilitySettings)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> BlinkingSettings:
        """Return them from a mapping of sections, which may hold other sections too."""
        return cls(
            ThresholdSettings(**settings["threshold"]),
            settings["dark_cutoff"],
            DwellTimeSettings(**settings["dwell_times"]),
            PhotostabilitySettings(**settings["photostability"]),
        )


class FieldBlinking(NamedTuple):
    """Result of one field.

    `table` has one row a nanocrystal. `states` holds, for each epoch, (n, frames) bool arrays of
    the measured ones, and `all_off` (frames,) where all were off together, which is left out.
    `durations` has one row an epoch, state and duration, counted over the nanocrystals of the
    populations that are emissive in that epoch. `integrated_pl` has one row an epoch and time,
    summed over the analysed ones.
    """

    table: pd.DataFrame
    states: dict[str, BoolArray]
    all_off: dict[str, BoolArray]
    durations: pd.DataFrame
    integrated_pl: pd.DataFrame

    def counted(
        self, intensity: Mapping[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float32]]:
        """Return counts, (n, frames) for each epoch, with NaN in the frames that were left out."""
        return {
            epoch: np.where(self.all_off[epoch], np.float32(np.nan), counts)
            if self.all_off[epoch].any()
            else counts
            for epoch, counts in intensity.items()
        }


def analyse_nanocrystals(
    places: pd.DataFrame,
    measured: IntArray,
    intensity: Mapping[str, NDArray[np.float32]],
    empty: Mapping[str, NDArray[np.float32]],
    *,
    exposure_s: float,
    settings: BlinkingSettings,
    light: Mapping[str, FloatArray] | None = None,
    by_epochs: ByEpochs = in_turn,
) -> FieldBlinking:
    """Return the table with on-fractions, population, type of blinking and photostability.

    Parameters
    ----------
    places : pandas.DataFrame
        From `pairing.pair_nanocrystals`, or from `pairing.verdicts.leave_out`: those left out by
        hand get the population they would be in as `population_left_out`.
    measured : (n,) int
        nc_id of the rows of `intensity`.
    intensity : mapping of (n, frames) float32
        Counts of the epochs 'pre' and 'post'.
    empty : mapping of (n, m) float32
        Those at the empty place beside each, from `photometry.counts.measure`.
    exposure_s : float
    settings : BlinkingSettings
    light : mapping of (frames,) float, optional
        From `photometry.apertures.light_course`: the counts are divided by it. The paper's recipe
        takes them as they are, unless `threshold.fixed_follows_focus`. Default: the focus holds.
    by_epochs : callable, optional
        Calls a function with its arguments of pre and post and returns both results, at the same
        time for example. Default: one after the other.
    """
    threshold, dark_cutoff = settings.threshold, settings.dark_cutoff
    as_read = intensity
    intensity = {epoch: at_mean_focus(as_read[epoch], (light or {}).get(epoch)) for epoch in EPOCHS}
    by_fixed = intensity if threshold.fixed_follows_focus else as_read
    table = places.set_index("nc_id", drop=False)
    off = {
        epoch: estimate_off_levels(at_mean_focus(empty[epoch], _at_empty(light, epoch)))
        for epoch in EPOCHS
    }
    because = table.get("excluded_because", pd.Series("", table.index))
    by_hand = (because == BY_HAND).to_numpy(bool)
    kept = table["analysed"].to_numpy(bool) | by_hand
    found = _each(
        by_epochs,
        partial(_assign, own=np.isin(measured, table.index[kept]), threshold=threshold),
        [(intensity[e], by_fixed[e], off[e]) for e in EPOCHS],
    )
    assigned = {epoch: recipes for epoch, (recipes, _, _) in found.items()}
    n_all_off = {epoch: n for epoch, (_, n, _) in found.items()}
    cut = {epoch: frames for epoch, (_, _, frames) in found.items()}
    unlit = any(n_all_off[epoch] > cut[epoch].sum() for epoch in EPOCHS)
    intensity = {epoch: intensity[epoch][:, ~cut[epoch]] for epoch in EPOCHS}
    noisy = any(_reaches_threshold(off[epoch], threshold.counts) for epoch in EPOCHS)
    unsure = np.any([assigned[epoch].best.on_fractions_se > MAX_SE for epoch in EPOCHS], axis=0)
    undetermined = np.isin(table.index.to_numpy(), measured[unsure])
    usable = {"fixed": kept & (not noisy), "best": kept & ~undetermined}
    usable = {recipe: own & (not unlit) for recipe, own in usable.items()}
    answer = "fixed" if threshold.method == "fixed" else "best"
    excluded = kept & ~usable[answer]
    if excluded.any():
        own_reason = "noisy" if answer == "fixed" else "undetermined"
        table.loc[excluded, "excluded_because"] = "all_off" if unlit else own_reason
    left_out = by_hand & usable[answer]
    usable = {recipe: own & ~by_hand for recipe, own in usable.items()}
    table["analysed"] = usable[answer]
    analysed = np.isin(measured, table.index[table["analysed"].to_numpy(bool)])
    states = {epoch: assigned[epoch].answer.states for epoch in EPOCHS}
    events = {epoch: run_lengths(states[epoch]) for epoch in EPOCHS}
    columns = _each(
        by_epochs,
        partial(_columns, analysed=analysed, exposure_s=exposure_s, settings=settings),
        [(intensity[e], off[e], assigned[e], events[e]) for e in EPOCHS],
    )
    for epoch in EPOCHS:
        own = columns[epoch].set_axis(pd.Index(measured)).reindex(table.index).fillna(UNKNOWN)
        own.insert(0, "n_frames_all_off_{epoch}", n_all_off[epoch])
        own.columns = [str(name).format(epoch=epoch) for name in own]
        table = pd.concat([table, own], axis=1)
    table["delta_on_fraction"] = table["on_fraction_post"] - table["on_fraction_pre"]
    included_by = {"": usable[answer], **{f"_{recipe}": own for recipe, own in usable.items()}}
    for recipe, included in included_by.items():
        table[f"population{recipe}"] = classify(
            table[f"on_fraction_pre{recipe}"],
            table[f"on_fraction_post{recipe}"],
            dark_cutoff,
            analysed=included,
        )
    table["population_left_out"] = classify(
        table["on_fraction_pre"], table["on_fraction_post"], dark_cutoff, analysed=left_out
    )
    counted = table["population"].isin(COUNTED)
    durations, curves = [], []
    for epoch in EPOCHS:
        shown = counted & (table[f"on_fraction_{epoch}"] >= dark_cutoff)
        rows = np.flatnonzero(np.isin(measured, table.index[shown]))
        durations.append(
            count_durations(events[epoch], rows).assign(
                epoch=epoch, exposure_s=exposure_s, window_frames=intensity[epoch].shape[1]
            )
        )
        at_its_time = _at_all_frames(intensity[epoch][analysed], cut[epoch], np.nan)
        curve = integrated_pl(at_its_time, exposure_s=exposure_s)
        curves.append(curve.assign(epoch=epoch))
    return FieldBlinking(
        table.reset_index(drop=True),
        {epoch: _at_all_frames(states[epoch], cut[epoch], False) for epoch in EPOCHS},
        cut,
        pd.concat(durations, ignore_index=True),
        pd.concat(curves, ignore_index=True),
    )


def _each(
    by_epochs: ByEpochs, function: Callable[..., T], calls: Sequence[Sequence[Any]]
) -> dict[str, T]:
    """Return what a function returns for each epoch."""
    return dict(zip(EPOCHS, by_epochs(function, calls), strict=True))


def _assign(
    intensity: NDArray[np.float32],
    by_fixed: NDArray[np.float32],
    off: OffLevels,
    *,
    own: BoolArray,
    threshold: ThresholdSettings,
) -> tuple[Recipes, int, BoolArray]:
    """Return the states, in how many frames all `own` are off, and which frames are left out.

    Up to `MAX_SHARE` these are left out, and the states are those of the others.
    """
    recipes = Recipes.of(intensity, by_fixed, off, threshold)
    all_off = all_off_frames(recipes.best.states[own])
    n = int(all_off.sum())
    if n > MAX_SHARE * len(all_off):
        return recipes, n, np.zeros_like(all_off)
    if n:
        recipes = Recipes.of(intensity[:, ~all_off], by_fixed[:, ~all_off], off, threshold)
    return recipes, n, all_off


def _at_all_frames(values: NDArray[V], all_off: BoolArray, missing: float) -> NDArray[V]:
    """Return states or counts with a value in the frames that were left out."""
    if not all_off.any():
        return values
    full = np.full((len(values), len(all_off)), missing, values.dtype)
    full[:, ~all_off] = values
    return full


def _columns(
    intensity: NDArray[np.float32],
    off: OffLevels,
    recipes: Recipes,
    events: pd.DataFrame,
    *,
    analysed: BoolArray,
    exposure_s: float,
    settings: BlinkingSettings,
) -> pd.DataFrame:
    """Return the columns of one epoch, one row a measured nanocrystal."""
    columns = state_columns(intensity, off, recipes)
    emissive = columns["on_fraction_{epoch}"].to_numpy() >= settings.dark_cutoff
    why_not = np.select([~analysed, ~emissive], ["not analysed", "dark"], "")
    window = (exposure_s, intensity.shape[1])
    return pd.concat(
        [
            columns,
            _with_noise(
                dwell_columns(events, why_not, True, *window, settings.dwell_times),
                columns["expected_false_on_events_{epoch}"],
            ),
            dwell_columns(events, why_not, False, *window, settings.dwell_times),
            photostability_columns(
                intensity, recipes.answer.states, analysed, exposure_s, settings.photostability
            ),
        ],
        axis=1,
    )


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


def _at_empty(light: Mapping[str, FloatArray] | None, epoch: str) -> FloatArray | None:
    """Return the light course in the frames in which empty places were measured."""
    course = (light or {}).get(epoch)
    return None if course is None else course[empty_frames(len(course))]


def _reaches_threshold(off: OffLevels, threshold_counts: float) -> bool:
    """Return whether a field's off level plus 1.5 times its noise exceeds the threshold.

    One off frame in fifteen is then called on, enough to make a dark nanocrystal emissive. The
    movie has another gain or background than the one the threshold was set for.
    """
    highest = off.level_counts + DROWNED_NOISES * off.noise_counts
    known = highest[np.isfinite(highest)]
    return bool(known.size and np.median(known) > threshold_counts)


def on_fractions_at(
    measured: IntArray,
    intensity: Mapping[str, NDArray[np.float32]],
    thresholds_counts: Iterable[float],
) -> pd.DataFrame:
    """Return on-fractions of each nanocrystal at several fixed thresholds.

    Returns
    -------
    pandas.DataFrame
        nc_id, threshold_counts, on_fraction_pre, on_fraction_post.
    """
    parts = []
    for counts in thresholds_counts:
        columns = {
            f"on_fraction_{epoch}": on_fraction(intensity[epoch] > counts, intensity[epoch])
            for epoch in EPOCHS
        }
        parts.append(pd.DataFrame({"nc_id": measured, "threshold_counts": counts, **columns}))
    return pd.concat(parts, ignore_index=True)
