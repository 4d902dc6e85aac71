"""Which nanocrystals blink how, and what annealing and light do to that.

Types, exponents and trends are given to the nanocrystals of a field so that the numbers of a design
come out exactly where they are counts, and on average where they are shares.

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
    """Draw types, trends and trajectories.

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
    n = len(population)
    truncated = _types(rng, behaviour, population, analysable)
    is_emissive = np.column_stack(
        [
            np.isin(population, (BECAME_DARK, EMISSIVE)),
            np.isin(population, (BECAME_EMISSIVE, EMISSIVE)),
        ]
    )
    wanted = np.where(is_emissive, rng.uniform(0.2, 0.9, (n, 2)), 0.06 * rng.random((n, 2)) ** 2)
    type_a = truncated[:, 0]
    wanted[type_a, 0] = rng.uniform(*behaviour.type_a_on_fraction, int(type_a.sum()))
    both = population == EMISSIVE
    # Type A gains more, type B less, so that the mean over both is that of the design.
    share = float(truncated[both, 0].mean()) if both.any() else 0.0
    drawn = rng.normal(*design.change_emissive, n)
    drawn += behaviour.type_a_gain * (truncated[:, 0] - share)
    shift = 0.0
    for _ in range(20):  # until the mean is that of the design in spite of the bounds
        wanted[both, 1] = np.clip(wanted[both, 0] + drawn[both] + shift, 0.15, 0.95)
        counted = both & analysable
        if counted.any():
            shift += design.change_emissive[0] - (wanted[counted] @ [-1.0, 1.0]).mean()
    frames, exposure_s = design.frames, design.camera.exposure_s
    law = design.on_law
    longest_s = min(law.t_max_s, design.longest_event * frames * exposure_s)
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
    for epoch in range(2):
        emissive = is_emissive[:, epoch]
        order = rng.permutation(np.flatnonzero(emissive))
        rising = order[: round(behaviour.brightening[epoch] * len(order))]
        trend[rising, epoch] = "brightening"
        level_end[rising, epoch] = 1 + rng.uniform(*behaviour.rise, len(rising))
        others = order[len(rising) :]
        light = counts_when_on * wanted[:, epoch]
        falls = np.array([fading_share(w, behaviour.fading_share) for w in wanted[:, epoch]])
        kept = behaviour.pl_kept[epoch]
        n_fading = round(behaviour.fading[epoch] * len(order))
        if kept is not None:
            n_fading = _how_many_fade(
                behaviour, kept, light, falls, level_end[:, epoch], rising, others
            )
        trend[others[:n_fading], epoch] = "going_dark"
        level_end[others[:n_fading], epoch] = behaviour.fading_level
        traces = np.empty((n, frames), np.float32)
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
                frames=frames,
                exposure_s=exposure_s,
                draws=DRAWS,
                tolerance=TOLERANCE,
                fading=behaviour.fading_share if trend[k, epoch] == "going_dark" else 0.0,
                off_t_min_s=behaviour.off_t_min_s,
            )
        if kept is not None:
            steady = emissive & (trend[:, epoch] == "stable")
            ends = compared_frames(behaviour.reference_s, frames, exposure_s)
            level_end[steady, epoch] = _level_that_keeps(
                kept, traces, counts_when_on, level_end[:, epoch], steady, analysable, ends
            )
        on_time.append(traces)
    return Trajectories(truncated, alpha, trend, level_end, on_time)


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
    """Who is of type A before and after, with the numbers of the design."""
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
