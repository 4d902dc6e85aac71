"""Light that swings within a second: its course frame by frame, from all nanocrystals that are on.

A lamp that swings moves all nanocrystals of a field together, faster than `creep` follows. In each
frame those that are surely on show the light, in units of their own means. Whether it swings is
decided by two halves of the nanocrystals: their noise is independent, the light is not. It swings
in every part of the movie; steps and slow changes are left to `creep`.

Input: counts and levels of the traces of a field. Output: the light of every frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.blinking.states.emissions import OFF_LEVEL, OFF_NOISE, ON_LEVEL

_LEAST_STEP = 5.0  # noises between the levels, as in `creep`
_SURELY_ON = 0.3  # of the step, in three frames in a row
_FEW = 5  # nanocrystals on, in a frame whose light is known
_SEEN = 0.9  # of the frames
_APART = 10  # frames: what changes between them is fast
_LEAST_SWING = 0.07  # standard deviation, of the mean light
_PARTS = 4  # of the movie
_ROUNDS = 4
_LEAST_LIGHT = 0.1  # of the mean


def frame_light(traces: Sequence[tuple[FloatArray, FloatArray]]) -> FloatArray | None:
    """Return the light of every frame, (frames,) of mean 1; None where it does not swing.

    Parameters
    ----------
    traces : sequence of ((frames,), (4,)) arrays
        Counts of the same frames, and the levels of each as in `emissions`.
    """
    rows = [row for x, levels in traces if (row := _above_off(x, levels)) is not None]
    if len(rows) < 2 * _FEW:
        return None
    above = np.stack(rows)
    halves = [_light(above[k::2], _FEW // 2) for k in range(2)]
    if any(half is None for half in halves):
        return None
    change = [np.log(half[_APART:] / half[:-_APART]) for half in halves if half is not None]
    parts = [np.array_split(one, _PARTS) for one in change]
    swing = min(float((a * b).mean()) for a, b in zip(*parts, strict=True))
    return _light(above, _FEW) if swing > 2.0 * _LEAST_SWING**2 else None


def _above_off(x: FloatArray, levels: FloatArray) -> FloatArray | None:
    """Return counts above off in units of the step where surely on, elsewhere nan."""
    step = levels[ON_LEVEL] - levels[OFF_LEVEL]
    if step < _LEAST_STEP * levels[OFF_NOISE]:
        return None
    above = (x - levels[OFF_LEVEL]) / step
    high = above > _SURELY_ON
    on = np.zeros_like(high)
    on[1:-1] = high[1:-1] & high[:-2] & high[2:]
    return np.where(on, above, np.nan) if on.any() else None


def _light(above: FloatArray, few: int) -> FloatArray | None:
    """Return the light of every frame; None where too many frames show too few nanocrystals on."""
    on = np.isfinite(above)
    seen = on.sum(axis=0) >= few
    if seen.mean() < _SEEN:
        return None
    counts = np.where(on, above, 0.0)
    light = np.ones(above.shape[1])
    for _ in range(_ROUNDS):
        own = counts.sum(axis=1) / np.maximum((on * light).sum(axis=1), _LEAST_LIGHT)
        total = (on * own[:, None]).sum(axis=0)
        light = np.interp(
            np.arange(len(light)), np.flatnonzero(seen), counts.sum(axis=0)[seen] / total[seen]
        )
        light = np.maximum(light / light.mean(), _LEAST_LIGHT)
    return light
