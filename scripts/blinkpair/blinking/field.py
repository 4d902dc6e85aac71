"""The row of each nanocrystal from its counts: on-fractions, change, population, blinking.

Input: the counts of the same nanocrystals in both epochs and the table of their places. Output:
the columns of `nanocrystals.csv`, the states behind them, and how often each duration occurred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.blinking.all_off import MAX_SHARE, all_off_frames
from blinkpair.blinking.columns import UNKNOWN, epoch_columns
from blinkpair.blinking.off_levels import OffLevels, estimate_off_levels
from blinkpair.blinking.on_fractions import COUNTED, DARK_CUTOFF, classify
from blinkpair.blinking.photostability import PhotostabilitySettings, integrated_pl
from blinkpair.blinking.recipes import Recipes
from blinkpair.blinking.run_lengths import count_durations, run_lengths
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.dwell_fits.result import MAX_FALSE_SHARE, DwellTimeSettings
from blinkpair.epochs import EPOCHS
from blinkpair.labels import BY_HAND
from blinkpair.photometry.apertures import at_mean_focus, empty_frames

DROWNED_NOISES = 1.5
# With a larger standard error an on-fraction may be off by more than 0.1: it is not used.
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
    the measured ones, and `left_out` (frames,) which frames do not show the sample: without counts,
    or with all off together.
    `durations` has one row an epoch, state and duration, counted over the nanocrystals of the
    populations that are emissive in that epoch. `integrated_pl` has one row an epoch and time,
    summed over the analysed ones.
    """

    table: pd.DataFrame
    states: dict[str, BoolArray]
    left_out: dict[str, BoolArray]
    durations: pd.DataFrame
    integrated_pl: pd.DataFrame

    def counted(
        self, intensity: Mapping[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.float32]]:
        """Return counts, (n, frames) for each epoch, with NaN in the frames that were left out."""
        return {
            epoch: np.where(self.left_out[epoch], np.float32(np.nan), counts)
            if self.left_out[epoch].any()
            else counts
            for epoch, counts in intensity.items()
        }


class _Assigned(NamedTuple):
    """States of one epoch, and the frames in which all nanocrystals are off together.

    Up to `MAX_SHARE` of the movie these `n_all_off` frames are left out, (frames,) bool, and the
    states are those of the other frames; beyond it none is left out.
    """

    recipes: Recipes
    n_all_off: int
    left_out: BoolArray


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
        Counts of the epochs 'pre' and 'post'. Frames in which all are NaN are left out.
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
    threshold, light = settings.threshold, light or {}
    shown = {epoch: _shown(intensity[epoch]) for epoch in EPOCHS}
    as_read = {epoch: _at_frames(intensity[epoch], shown[epoch]) for epoch in EPOCHS}
    off = {epoch: _off_levels(empty[epoch], light.get(epoch), shown[epoch]) for epoch in EPOCHS}
    light = {epoch: course[shown[epoch]] for epoch, course in light.items()}
    intensity = {epoch: at_mean_focus(as_read[epoch], light.get(epoch)) for epoch in EPOCHS}
    by_fixed = intensity if threshold.fixed_follows_focus else as_read
    table = places.set_index("nc_id", drop=False)
    because = table.get("excluded_because", pd.Series("", table.index))
    by_hand = (because == BY_HAND).to_numpy(bool)
    candidates = table["analysed"].to_numpy(bool) | by_hand
    found = _each(
        by_epochs,
        partial(_assign, own=np.isin(measured, table.index[candidates]), threshold=threshold),
        [(intensity[e], by_fixed[e], off[e]) for e in EPOCHS],
    )
    intensity = {epoch: _at_frames(intensity[epoch], ~found[epoch].left_out) for epoch in EPOCHS}
    usable = _usable(candidates, table.index, measured, found, off, threshold.counts)
    answer = "fixed" if threshold.method == "fixed" else "best"
    excluded = candidates & ~usable[answer]
    if excluded.any():
        table.loc[excluded, "excluded_because"] = _why_unusable(found, answer)
    table["analysed"] = usable[answer] & ~by_hand
    analysed = np.isin(measured, table.index[table["analysed"].to_numpy(bool)])
    states = {epoch: found[epoch].recipes.answer.states for epoch in EPOCHS}
    events = {epoch: run_lengths(states[epoch]) for epoch in EPOCHS}
    columns = _each(
        by_epochs,
        partial(
            epoch_columns,
            analysed=analysed,
            exposure_s=exposure_s,
            dark_cutoff=settings.dark_cutoff,
            dwell_times=settings.dwell_times,
            photostability=settings.photostability,
        ),
        [(intensity[e], off[e], found[e].recipes, events[e]) for e in EPOCHS],
    )
    for epoch in EPOCHS:
        own = _in_all_rows(columns[epoch], measured, table.index, epoch, found[epoch].n_all_off)
        table = pd.concat([table, own], axis=1)
    table = _with_populations(table, usable, answer, by_hand, settings.dark_cutoff)
    cut = {epoch: ~shown[epoch] for epoch in EPOCHS}
    for epoch in EPOCHS:
        cut[epoch][shown[epoch]] = found[epoch].left_out
    curves = []
    for epoch in EPOCHS:
        counts = _at_all_frames(intensity[epoch][analysed], cut[epoch], np.nan)
        curves.append(integrated_pl(counts, exposure_s=exposure_s).assign(epoch=epoch))
    return FieldBlinking(
        table.reset_index(drop=True),
        {epoch: _at_all_frames(states[epoch], cut[epoch], False) for epoch in EPOCHS},
        cut,
        _durations(table, measured, events, intensity, exposure_s, settings.dark_cutoff),
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
) -> _Assigned:
    """Return the states of one epoch; `own` (n,) are the nanocrystals that show the light."""
    recipes = Recipes.of(intensity, by_fixed, off, threshold)
    all_off = all_off_frames(recipes.best.states[own])
    n = int(all_off.sum())
    if n > MAX_SHARE * len(all_off):
        return _Assigned(recipes, n, np.zeros_like(all_off))
    if n:
        if off.focus is not None:
            off = replace(off, focus=off.focus[~all_off])
        recipes = Recipes.of(intensity[:, ~all_off], by_fixed[:, ~all_off], off, threshold)
    return _Assigned(recipes, n, all_off)


def _without_light(found: Mapping[str, _Assigned]) -> bool:
    """Return whether in an epoch all are off together in too many frames to leave these out."""
    return any(one.n_all_off > one.left_out.sum() for one in found.values())


def _why_unusable(found: Mapping[str, _Assigned], answer: str) -> str:
    """Return why a recipe cannot analyse a candidate, as in `excluded_because`."""
    if _without_light(found):
        return "all_off"
    return "noisy" if answer == "fixed" else "undetermined"


def _usable(
    candidates: BoolArray,
    nc_id: pd.Index[Any],
    measured: IntArray,
    found: Mapping[str, _Assigned],
    off: Mapping[str, OffLevels],
    threshold_counts: float,
) -> dict[str, BoolArray]:
    """Return which candidates, of the rows `nc_id`, each recipe can analyse."""
    if _without_light(found):
        return dict.fromkeys(("fixed", "best"), np.zeros_like(candidates))
    noisy = any(_reaches_threshold(off[epoch], threshold_counts) for epoch in EPOCHS)
    unsure = np.any(
        [found[epoch].recipes.best.on_fractions_se > MAX_SE for epoch in EPOCHS], axis=0
    )
    undetermined = np.isin(nc_id.to_numpy(), measured[unsure])
    return {"fixed": candidates & (not noisy), "best": candidates & ~undetermined}


def _with_populations(
    table: pd.DataFrame,
    usable: Mapping[str, BoolArray],
    answer: str,
    by_hand: BoolArray,
    dark_cutoff: float,
) -> pd.DataFrame:
    """Return the table with the change, and the populations by the answer and by both recipes.

    Those left out by hand have `population_left_out` alone, by the answer.
    """

    def by(recipe: str, included: BoolArray) -> NDArray[np.str_]:
        before, after = (table[f"on_fraction_{epoch}{recipe}"] for epoch in EPOCHS)
        return classify(before, after, dark_cutoff, analysed=included)

    table["delta_on_fraction"] = table["on_fraction_post"] - table["on_fraction_pre"]
    table["population"] = by("", usable[answer] & ~by_hand)
    for recipe, own in usable.items():
        table[f"population_{recipe}"] = by(f"_{recipe}", own & ~by_hand)
    table["population_left_out"] = by("", usable[answer] & by_hand)
    return table


def _durations(
    table: pd.DataFrame,
    measured: IntArray,
    events: Mapping[str, pd.DataFrame],
    intensity: Mapping[str, NDArray[np.float32]],
    exposure_s: float,
    dark_cutoff: float,
) -> pd.DataFrame:
    """Return how often each duration occurred in the nanocrystals that are counted and emissive.

    Those with a larger share of events that noise makes than a verdict allows are not among them.
    """
    counted = table["population"].isin(COUNTED)
    parts = []
    for epoch in EPOCHS:
        shown = counted & (table[f"on_fraction_{epoch}"] >= dark_cutoff)
        false, of_all = table[f"expected_false_on_events_{epoch}"], table[f"n_on_events_{epoch}"]
        shown &= ~(false > MAX_FALSE_SHARE * of_all)
        rows = np.flatnonzero(np.isin(measured, table.index[shown]))
        parts.append(
            count_durations(events[epoch], rows).assign(
                epoch=epoch, exposure_s=exposure_s, window_frames=intensity[epoch].shape[1]
            )
        )
    return pd.concat(parts, ignore_index=True)


def _shown(counts: NDArray[np.float32]) -> BoolArray:
    """Return the frames in which something was measured, (frames,); all if nothing was in any."""
    shown = np.isfinite(counts).any(axis=0)
    return np.asarray(shown | ~shown.any())


def _at_frames(values: NDArray[V], kept: BoolArray) -> NDArray[V]:
    """Return states or counts at some of the frames."""
    return values if kept.all() else values[:, kept]


def _at_all_frames(values: NDArray[V], left_out: BoolArray, missing: float) -> NDArray[V]:
    """Return states or counts with a value in the frames that were left out."""
    if not left_out.any():
        return values
    full = np.full((len(values), len(left_out)), missing, values.dtype)
    full[:, ~left_out] = values
    return full


def _in_all_rows(
    columns: pd.DataFrame, measured: IntArray, nc_id: pd.Index[Any], epoch: str, n_all_off: int
) -> pd.DataFrame:
    """Return the columns of one epoch under their final names, also for what was not measured."""
    own = columns.set_axis(pd.Index(measured)).reindex(nc_id).fillna(UNKNOWN)
    own.insert(0, "n_frames_all_off_{epoch}", n_all_off)
    return own.set_axis([str(name).format(epoch=epoch) for name in own], axis=1)


def _off_levels(
    empty: NDArray[np.float32], course: FloatArray | None, shown: BoolArray
) -> OffLevels:
    """Return the off levels of one epoch from the counts at its empty places.

    `course` is the light in the aperture in each frame, None where it is constant; levels are those
    in the frames that are `shown`.
    """
    at = empty_frames(len(shown))
    if not shown.all():
        empty, at = empty[:, shown[at]], at[shown[at]]
    if course is None:
        return estimate_off_levels(empty)
    off = estimate_off_levels(at_mean_focus(empty, course[at]))
    return off if (course == 1).all() else replace(off, focus=course[shown])


def _reaches_threshold(off: OffLevels, threshold_counts: float) -> bool:
    """Return whether a field's off level plus 1.5 times its noise exceeds the threshold.

    One off frame in fifteen is then called on, enough to make a dark nanocrystal emissive. The
    movie has another gain or background than the one the threshold was set for.
    """
    highest = off.level_counts + DROWNED_NOISES * off.noise_counts
    known = highest[np.isfinite(highest)]
    return bool(known.size and np.median(known) > threshold_counts)
