"""On levels that change through the movie: bleaching, a lamp that dims, warms up or falls at once.

Frames in a row that are surely on are taken in short stretches. Of each the upper quartile, less
what noise makes of it, is the on level: frames that were lit in part lower a mean, not this. The
levels are taken as those of a walk at random (the local level model: Harvey 1989, Forecasting,
Structural Time Series Models and the Kalman Filter, section 2.1); how far it walks is what makes
them likeliest. What the nanocrystals of a field have in common (`common_course`) is the light's,
and is known where one of them is off. Counts are brought to a constant level; those near the off
level stay as they are.

Input: counts and the levels of the chain. Output: the counts with a constant on level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.blinking.states.emissions import OFF_LEVEL, OFF_NOISE, ON_LEVEL
from blinkpair.compiled import njit

_STRETCH_FRAMES = 12  # on, in a stretch
_MIN_STRETCHES = 3
_MAX_STRETCHES = 400
_UPPER, _UPPER_SIGMAS, _UPPER_VARIANCE = 0.75, 0.674, 1.86  # quartile of a normal distribution
_SURELY_ON = 0.3  # of the step: three frames in a row above are on, also where the level is low
_OF_COURSE = 0.5  # the same, of the course that was found
_SURELY_NOISES = 2.5  # three frames in a row of noise alone: 1 in 4 million
_LEAST_STEP = 5.0  # noises between the levels: with less, off and on overlap where on is dim
_GAIN = 8.0  # of the log-likelihood by a level that walks
_LEAST_CREEP = 0.02  # of the on level: standard deviation
# Noises above off: counts below stay as they are, those above twice that are divided by the course.
_NEAR_OFF = 1.5
_FACTORS = 0.25, 1.9  # of the course; with 2 the order of counts would change
# Variance of a stretch against that of independent frames; variance of the walk from one frame to
# the next, in squares of the on level.
_SCATTER = np.geomspace(1.0, 16.0, 5)
_WALK = np.append(0.0, np.geomspace(1e-8, 1e-2, 13))
_FEW = 5  # nanocrystals that have their course in common
_BINS, _LEAST_BIN_FRAMES = 200, 20
_ROUNDS = 6
_TENTHS = 10
_LIGHT_BY_CHANCE = 1e-3
_MAD_TO_SIGMA = 1.4826
_LEAST_SCATTER = 0.02


class Stretches(NamedTuple):
    """On levels in units of the step between the levels, at their frames, and their variances."""

    place: FloatArray
    level: FloatArray
    variance: FloatArray


class Constant(NamedTuple):
    """Counts with a constant on level, and the logarithm of how far they were stretched."""

    x: FloatArray
    log_slopes: float


def on_stretches(
    x: FloatArray, levels: FloatArray, course: FloatArray | None = None
) -> Stretches | None:
    """Return the on level in stretches; None where it does not stand out, or on is rare.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    levels : (4 or 6,) array
        As in `emissions`.
    course : (frames,) array, optional
        The on level in units of the step, as far as it is known.
    """
    step = levels[ON_LEVEL] - levels[OFF_LEVEL]
    if step < _LEAST_STEP * levels[OFF_NOISE]:
        return None
    above = (x - levels[OFF_LEVEL]) / step
    surely = _SURELY_NOISES * levels[OFF_NOISE] / step
    chosen = above > np.maximum(surely, _SURELY_ON if course is None else _OF_COURSE * course)
    on = np.flatnonzero(chosen[1:-1] & chosen[:-2] & chosen[2:]) + 1
    n = min(len(on) // _STRETCH_FRAMES, _MAX_STRETCHES)
    if n < _MIN_STRETCHES:
        return None
    counts = above[on]
    pairs = np.diff(counts)[np.diff(on) == 1]
    if len(pairs) < _STRETCH_FRAMES:
        return None
    low, high = np.quantile(pairs, (0.16, 0.84))
    noise = 0.5 * (high - low) / np.sqrt(2.0)
    size = len(on) // n
    part = [array[: n * size].reshape(n, size) for array in (on, counts)]
    own = np.maximum(part[1].std(axis=1), noise)
    return Stretches(
        part[0].mean(axis=1),
        np.quantile(part[1], _UPPER, axis=1) - _UPPER_SIGMAS * noise,
        _UPPER_VARIANCE * own**2 / size,
    )


def level_course(
    x: FloatArray, levels: FloatArray, stretches: Stretches | None
) -> FloatArray | None:
    """Return the on level in every frame in units of the step, (frames,); None where constant."""
    found = None
    for _ in range(2):
        if found is not None:
            stretches = on_stretches(x, levels, found)
        course = None if stretches is None else _smooth(stretches, len(x))
        if course is None:
            break
        found = course
    return found


def _smooth(stretches: Stretches, frames: int) -> FloatArray | None:
    """Return the course of a walk through the stretches, (frames,); None where constant."""
    best, level = _walk(*stretches, _SCATTER, _WALK)
    constant, _ = _walk(*stretches, _SCATTER, _WALK[:1])
    if best - constant < _GAIN or level.std() < _LEAST_CREEP * level.mean():
        return None
    return np.interp(np.arange(frames), stretches.place, level)


def common_course(field: Sequence[Stretches | None], frames: int) -> FloatArray | None:
    """Return the course that the on levels of a field have in common; None where it is constant.

    The logarithm of each level is that of its nanocrystal and that of the light in its part of the
    movie; both are medians of what the other leaves, in turn.
    """
    known = [one for one in field if one is not None]
    if len(known) < _FEW:
        return None
    bins = int(np.clip(frames // _LEAST_BIN_FRAMES, 1, _BINS))
    who = np.repeat(np.arange(len(known)), [len(one.place) for one in known])
    place, level, variance = (np.concatenate(parts) for parts in zip(*known, strict=True))
    at = np.minimum((place / frames * bins).astype(int), bins - 1)
    level = np.maximum(level, 0.1)
    y, variance = np.log(level), variance / level**2
    own, light = np.zeros(len(known)), np.zeros(bins)
    scatter = _LEAST_SCATTER
    for _ in range(_ROUNDS):
        weight = 1.0 / (variance + scatter**2)
        own = _medians(y - light[at], weight, who, len(known))
        light = _medians(y - own[who], weight, at, bins)
        left = y - own[who] - light[at]
        scatter = max(_MAD_TO_SIGMA * float(np.median(np.abs(left))), _LEAST_SCATTER)
    each = np.bincount(at * len(known) + who, minlength=bins * len(known)).reshape(bins, -1) > 0
    n = each.sum(axis=1)
    seen = n >= _FEW
    if seen.sum() < _MIN_STRETCHES:
        return None
    centre = (np.flatnonzero(seen) + 0.5) * frames / bins
    found = Stretches(centre, light[seen] + 1.0, 1.5 * scatter**2 / n[seen])
    course = _smooth(found, frames)
    if course is None:
        return None
    light = np.exp(course - 1.0)
    return np.asarray(light / light.mean())


def light_change(field: Sequence[Stretches | None], frames: int) -> float:
    """Return by how much the darkest tenth of a movie is darker than the brightest, 0..1.

    0 where the nanocrystals do not show it together. Which tenths these are is determined without
    the nanocrystal whose change is taken between them: where each changes by itself, the changes
    are 0 on average, by however much the mean of a few varies.
    """
    known = [one for one in field if one is not None]
    if len(known) < _FEW:
        return 0.0
    levels = np.full((len(known), _TENTHS), np.nan)
    for row, one in zip(levels, known, strict=True):
        tenth = (one.place / frames * _TENTHS).astype(int)
        n = np.bincount(tenth, minlength=_TENTHS)
        total = np.bincount(tenth, np.log(np.maximum(one.level, 0.1)), minlength=_TENTHS)
        row[n > 0] = total[n > 0] / n[n > 0]
    own = np.nan_to_num(levels - np.nanmean(levels, axis=1, keepdims=True))
    seen = np.isfinite(levels)
    n_others = seen.sum(axis=0) - seen
    others = np.where(n_others > 0, (own.sum(axis=0) - own) / np.maximum(n_others, 1), np.nan)
    each = np.arange(len(known))
    brightest, darkest = np.nanargmax(others, axis=1), np.nanargmin(others, axis=1)
    changes = levels[each, brightest] - levels[each, darkest]
    changes = changes[np.isfinite(changes)]
    if len(changes) < _FEW:
        return 0.0
    mean, error = changes.mean(), changes.std(ddof=1) / np.sqrt(len(changes))
    if mean <= 0 or stdtr(len(changes) - 1, -mean / max(error, 1e-9)) > _LIGHT_BY_CHANCE:
        return 0.0
    return float(1.0 - np.exp(-mean))


def _medians(values: FloatArray, weight: FloatArray, group: IntArray, n: int) -> FloatArray:
    """Return the weighted median of each of n groups; zero where one is empty."""
    order = np.lexsort((values, group))
    values, weight, group = values[order], weight[order], group[order]
    first = np.searchsorted(group, np.arange(n + 1))
    total = np.concatenate([[0.0], np.cumsum(weight)])
    half = 0.5 * (total[first[:-1]] + total[first[1:]])
    middle = np.clip(np.searchsorted(total, half, side="right") - 1, 0, len(values) - 1)
    return np.where(first[1:] > first[:-1], values[middle], 0.0)


@njit()
def _walk(
    place: FloatArray, mean: FloatArray, error: FloatArray, scatter: FloatArray, walk: FloatArray
) -> tuple[float, FloatArray]:
    """Return the log-likelihood of the likeliest walk, and its level at each place."""
    n = len(mean)
    best = -1e300
    level = mean.copy()
    m, p = np.empty(n), np.empty(n)
    for s in scatter:
        for q in walk:
            found = 0.0
            m[0], p[0] = mean[0], s * error[0]
            for k in range(1, n):
                before = p[k - 1] + q * (place[k] - place[k - 1])
                total = before + s * error[k]
                off = mean[k] - m[k - 1]
                found -= 0.5 * (off * off / total + np.log(total))
                m[k] = m[k - 1] + before / total * off
                p[k] = before * s * error[k] / total
            if found > best:
                best = found
                level[n - 1] = m[n - 1]
                for k in range(n - 2, -1, -1):
                    more = q * (place[k + 1] - place[k])
                    level[k] = m[k] + p[k] / (p[k] + more) * (level[k + 1] - m[k])
    return best, level


def constant_level(x: FloatArray, course: FloatArray, levels: FloatArray) -> Constant:
    """Return counts whose on level is the same throughout; the off level and its noise stay.

    Parameters
    ----------
    x : (frames,) array
        Counts.
    course : (frames,) array
        On level in units of the step.
    levels : (4 or 6,) array
        As in `emissions`.
    """
    above = (x - levels[OFF_LEVEL]) / levels[OFF_NOISE]
    scaled = above > 2.0 * _NEAR_OFF
    between = (above > _NEAR_OFF) & ~scaled
    moved = np.where(scaled, above, np.where(between, 2.0 * (above - _NEAR_OFF), 0.0))
    more = 1.0 / np.clip(course, *_FACTORS) - 1.0
    slope = 1.0 + more * (1.0 * scaled + 2.0 * between)
    return Constant(x + levels[OFF_NOISE] * more * moved, float(np.log(slope).sum()))
