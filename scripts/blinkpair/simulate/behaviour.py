"""Draw how the nanocrystals of a field blink, before and after annealing, and how light changes it.

The types, exponents and trends of a field have the numbers of its design: exactly where these are
counts, on average where they are shares.

Input: a `Behaviour` and the populations of a field. Output: for every nanocrystal and epoch type,
exponent, trend and time on in each frame.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.epochs import EPOCHS
from blinkpair.simulate.blinking import (
    DwellLaw,
    alpha_with_mean,
    fading_share,
    trajectory_with_on_fraction,
)
from blinkpair.simulate.design import Behaviour, FieldDesign

BECAME_EMISSIVE, BECAME_DARK, EMISSIVE = 0, 1, 2


# A change that an analysis of single nanocrystals is to call stable.
MOST_LEVEL_CHANGE = 0.08
# Tries for a trajectory whose on-fraction is close to the wanted one.
DRAWS, TOLERANCE = 60, 0.02


class Trajectories(NamedTuple):
    """What `draw_trajectories` returns; (n, 2) is before and after annealing.

    `truncated` (n, 2) bool; `alpha` (n, 2), the exponent of the on-times; `trend` (n, 2) of
    'stable', 'going_dark' and 'brightening'; `level_end` (n, 2), the on level at the end relative
    to the start; `on_time`, the share of each frame spent on, (n, frames) of each epoch.
    """

    truncated: BoolArray
    alpha: FloatArray
    trend: NDArray[np.str_]
    level_end: FloatArray
    on_time: list[NDArray[np.float32]]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns of a field's truth."""
        columns: dict[str, NDArray[Any]] = {"truncated": self.truncated[:, 0]}
        for k, epoch in enumerate(EPOCHS):
            columns |= {
                f"truncated_{epoch}": self.truncated[:, k],
                f"alpha_on_{epoch}": self.alpha[:, k],
                f"trend_{epoch}": self.trend[:, k],
                f"level_end_{epoch}": self.level_end[:, k],
            }
        return columns


def draw_trajectories(
    rng: np.random.Generator,
    design: FieldDesign,
    behaviour: Behaviour,
    population: NDArray[np.int_],
    analysable: BoolArray,
    counts_when_on: FloatArray,
) -> Trajectories:
    """Return drawn types, trends and trajectories.

    Parameters
    ----------
    rng : numpy.random.Generator
    design : FieldDesign
        Camera, frames, law of the on-times and mean change in on-fraction.
    behaviour : Behaviour
    population : (n,) int
        0 became emissive, 1 became dark, 2 emissive in both, 3 dark in both.
    analysable : (n,) bool
        Those for which the numbers of `behaviour` hold.
    counts_when_on : (n,) float
    """
    n, exposure_s = len(population), design.camera.exposure_s
    truncated = _types(rng, behaviour, population, analysable)
    wanted = _wanted_on_fractions(rng, design, behaviour, population, analysable, truncated[:, 0])
    law = design.on_law
    longest_s = min(law.t_max_s, design.longest_event * design.frames * exposure_s)
    off_s = behaviour.off_s[0] * np.exp(rng.normal(0, behaviour.off_s[1], (n, 2)))
    own_law = DwellLaw(law.alpha, law.t_min_s, longest_s)
    mean_on_s = off_s * wanted / (1 - wanted)
    alpha = np.array(
        [[alpha_with_mean(s, own_law, behaviour.alpha_bounds) for s in row] for row in mean_on_s]
    ).reshape(n, 2)
    alpha[truncated] = law.alpha
    trend = np.full((n, 2), "stable", dtype="<U11")
    level_end = np.ones((n, 2))
    on_time = []
    for epoch, emissive in enumerate(_is_emissive(population).T):
        trend[:, epoch], level_end[:, epoch] = _trends(
            rng, behaviour, epoch, emissive, wanted[:, epoch], counts_when_on
        )
        traces = np.empty((n, design.frames), np.float32)
        for k in range(n):
            own = DwellLaw(
                float(alpha[k, epoch]),
                law.t_min_s,
                longest_s,
                design.truncation_s if truncated[k, epoch] else law.tau_s,
            )
            traces[k] = trajectory_with_on_fraction(
                rng,
                float(wanted[k, epoch]),
                own,
                frames=design.frames,
                exposure_s=exposure_s,
                draws=DRAWS,
                tolerance=TOLERANCE,
                fading=behaviour.fading_share if trend[k, epoch] == "going_dark" else 0.0,
                off_t_min_s=behaviour.off_t_min_s,
            )
        kept = behaviour.pl_kept[epoch]
        if kept is not None:
            steady = emissive & (trend[:, epoch] == "stable")
            ends = compared_frames(behaviour.reference_s, design.frames, exposure_s)
            level_end[steady, epoch] = _level_that_keeps(
                kept, traces, counts_when_on, level_end[:, epoch], steady, analysable, ends
            )
        on_time.append(traces)
    return Trajectories(truncated, alpha, trend, level_end, on_time)


def _is_emissive(population: NDArray[np.int_]) -> BoolArray:
    """Return whether each nanocrystal is emissive before and after, (n, 2)."""
    return np.column_stack(
        [np.isin(population, (kind, EMISSIVE)) for kind in (BECAME_DARK, BECAME_EMISSIVE)]
    )


def _wanted_on_fractions(
    rng: np.random.Generator,
    design: FieldDesign,
    behaviour: Behaviour,
    population: NDArray[np.int_],
    analysable: BoolArray,
    type_a: BoolArray,
) -> FloatArray:
    """Draw on-fractions before and after, (n, 2), with the mean change of the design.

    `type_a` (n,) is the type before: type A gains more, type B less.
    """
    n = len(population)
    bright, dark = rng.uniform(0.2, 0.9, (n, 2)), 0.06 * rng.random((n, 2)) ** 2
    wanted = np.where(_is_emissive(population), bright, dark)
    wanted[type_a, 0] = rng.uniform(*behaviour.type_a_on_fraction, int(type_a.sum()))
    both = population == EMISSIVE
    share = float(type_a[both].mean()) if both.any() else 0.0
    drawn = rng.normal(*design.change_emissive, n)
    drawn += behaviour.type_a_gain * (type_a - share)
    counted = both & analysable
    shift = 0.0
    for _ in range(20):  # until the mean is that of the design in spite of the bounds
        wanted[both, 1] = np.clip(wanted[both, 0] + drawn[both] + shift, 0.15, 0.95)
        if counted.any():
            shift += design.change_emissive[0] - (wanted[counted] @ [-1.0, 1.0]).mean()
    return wanted


def _trends(
    rng: np.random.Generator,
    behaviour: Behaviour,
    epoch: int,
    emissive: BoolArray,
    wanted: FloatArray,
    counts_when_on: FloatArray,
) -> tuple[NDArray[np.str_], FloatArray]:
    """Draw the trends of one epoch, and the on levels at its end relative to the start, (n,).

    `wanted` are the on-fractions. Where the design states the share of the light that is kept, as
    many nanocrystals fade as give this share.
    """
    trend = np.full(len(emissive), "stable", dtype="<U11")
    level_end = np.ones(len(emissive))
    order = rng.permutation(np.flatnonzero(emissive))
    rising = order[: round(behaviour.brightening[epoch] * len(order))]
    trend[rising] = "brightening"
    level_end[rising] = 1 + rng.uniform(*behaviour.rise, len(rising))
    others = order[len(rising) :]
    kept = behaviour.pl_kept[epoch]
    if kept is None:
        n_fading = round(behaviour.fading[epoch] * len(order))
    else:
        light = counts_when_on * wanted
        falls = np.array([fading_share(w, behaviour.fading_share) for w in wanted])
        n_fading = _how_many_fade(behaviour, kept, light, falls, level_end, rising, others)
    trend[others[:n_fading]] = "going_dark"
    level_end[others[:n_fading]] = behaviour.fading_level
    return trend, level_end


def compared_frames(reference_s: float, frames: int, exposure_s: float) -> int:
    """Return how many frames at either end are compared: of short movies a tenth."""
    short = frames * exposure_s < 3 * reference_s
    return max(1, round(0.1 * frames if short else reference_s / exposure_s))


def level(end: FloatArray, frames: int) -> FloatArray:
    """Return the on level in every frame relative to the first, (n, frames): a straight line."""
    return np.asarray(1 + (end[:, None] - 1) * np.linspace(0, 1, frames))


def _types(
    rng: np.random.Generator,
    behaviour: Behaviour,
    population: NDArray[np.int_],
    analysable: BoolArray,
) -> BoolArray:
    """Return which are of type A before and after, (n, 2), with the numbers of the design."""
    before, after, became_b, went_dark = behaviour.type_a
    truncated = np.zeros((len(population), 2), bool)
    both, dark, emissive = (
        rng.permutation(np.flatnonzero(analysable & (population == kind)))
        for kind in (EMISSIVE, BECAME_DARK, BECAME_EMISSIVE)
    )
    a_in_both = before - went_dark
    truncated[both[:a_in_both], 0] = True
    truncated[dark[:went_dark], 0] = True
    stays_a = a_in_both - became_b
    truncated[both[:stays_a], 1] = True
    # The other ones of type A after annealing were type B or dark before, as many as there are.
    new = after - stays_a
    from_dark = round(new * len(emissive) / max(len(emissive) + len(both) - a_in_both, 1))
    truncated[emissive[:from_dark], 1] = True
    truncated[both[a_in_both : a_in_both + new - from_dark], 1] = True
    return truncated


def _how_many_fade(
    behaviour: Behaviour,
    kept: float,
    light: FloatArray,
    falls: FloatArray,
    level_end: FloatArray,
    rising: NDArray[np.int_],
    others: NDArray[np.int_],
) -> int:
    """Return how many of `others`, in their order, must fade for the expected share to be kept."""
    # A mean of m that falls by f starts at m / (1 - f / 2) and ends at (1 - f) times that.
    start = light[others] / (1 - falls[others] / 2)
    end = start * (1 - falls[others]) * behaviour.fading_level
    steady = light[others]
    rise = light[rising].sum() * np.array([1.0, level_end[rising].mean() if len(rising) else 1.0])
    first = (
        rise[0] + np.append(0, np.cumsum(start)) + steady.sum() - np.append(0, np.cumsum(steady))
    )
    last = rise[1] + np.append(0, np.cumsum(end)) + steady.sum() - np.append(0, np.cumsum(steady))
    return int(np.argmin(np.abs(last / np.maximum(first, 1e-9) - kept)))


def _level_that_keeps(
    kept: float,
    traces: NDArray[np.float32],
    counts: FloatArray,
    level_end: FloatArray,
    steady: BoolArray,
    analysable: BoolArray,
    ends: int,
) -> float:
    """Return the end level of the steady ones at which the field keeps its share of the light."""

    def light(chosen: BoolArray, part: slice) -> float:
        own = counts[chosen, None] * traces[chosen, part]
        return float((own * level(level_end[chosen], traces.shape[1])[:, part]).sum())

    first, last = slice(0, ends), slice(traces.shape[1] - ends, None)
    steady, others = steady & analysable, ~steady & analysable
    at_end = light(steady, last)
    wanted = kept * (light(steady, first) + light(others, first)) - light(others, last)
    if at_end <= 0:
        return 1.0
    return float(np.clip(wanted / at_end, 1 - MOST_LEVEL_CHANGE, 1 + MOST_LEVEL_CHANGE))
