"""The time on of one trace, and how well it is known.

The on-fraction is the expected time on, in which partly lit frames count by the part that was lit.
Its standard error is the measurement's: how well the time on in this movie is known, not how much
another movie of the same nanocrystal would differ. It adds up the chain's own uncertainty, that of
the levels, and that of the events which are too short to be seen.

Input: a trace and its chain. Output: the on-fraction and its standard error.
"""

from __future__ import annotations

import numpy as np

from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.levels import Trace
from blinkpair.blinking.states.short_events import short_events

ON_FRAMES = 5.0  # the weight of the first on level; it is kept where the trace shows none
MIN_STEP_NOISES = 2.0  # levels nearer than this cannot be distinguished
MIN_TYPICAL_STEP_NOISES = 3.0  # of the field: nearer, and what shows no on level may have one
UNKNOWN_SE = 0.5  # of an on-fraction of which nothing is known
_CLOSE_STEP = 8.0  # noises: nearer levels make their uncertainty felt
# Of the time in short events that the chain does not see: the law may end above them, and none is
# there; exponents of 1.2 to 2 give 0.7 to 2 times what 1.5 does.
_LAW_ERROR = 1.0
DEBUG = []


def on_share(trace: Trace, result: chain.Chain, other: chain.Chain | None) -> tuple[float, float]:
    """Return the share of the time on, 0..1, and its standard error."""
    x, levels, frames = trace.x, result.levels, len(trace.x)
    model = (result.transition, result.begin, result.emission, trace.skewness)
    mean, variance = chain.time_on(x, levels, *model)
    noise, sigma = levels[emissions.OFF_NOISE], levels[emissions.ON_SIGMA]
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    step = span / noise
    if step < (MIN_STEP_NOISES if trace.first.on_share > 0 else MIN_TYPICAL_STEP_NOISES):
        DEBUG.append((0,)*10)
        return mean / frames, UNKNOWN_SE
    parts = [variance]
    in_state = result.probability.sum(axis=0)
    lv = 0
    if step < _CLOSE_STEP:
        n_off = in_state[emissions.OFF] + (noise / trace.off.level_se) ** 2
        n_on = in_state[emissions.ON] + ON_FRAMES
        errors = [noise / np.sqrt(n_off), noise / np.sqrt(2.0 * n_off)]
        errors += [sigma / np.sqrt(n_on), sigma / np.sqrt(2.0 * n_on)]
        for place, error in enumerate(errors):
            moved = levels.copy()
            moved[place] += error
            lv += (chain.time_on(x, moved, *model)[0] - mean) ** 2
    variance += lv
    parts.append(lv)
    if other is not None:
        variance += (other.lit.sum() - mean) ** 2
    flashes = _unseen(trace, result, emissions.OFF, span, (noise, sigma))
    dims = _unseen(trace, result, emissions.ON, -span, (sigma, noise))
    parts += [flashes[0], dims[0], flashes[1], dims[1], step, len(levels)>4, other is not None, in_state[1]]
    DEBUG.append(parts)
    variance += flashes[1] + dims[1]
    mean += flashes[0] - dims[0]
    return min(max(mean / frames, 0.0), 1.0), float(np.sqrt(variance)) / frames


def _unseen(
    trace: Trace, result: chain.Chain, column: int, span: float, noise: tuple[float, float]
) -> tuple[float, float]:
    """Return the time in short events that the chain does not see, and its variance, in frames.

    The events interrupt the state of `column`; `noise` is that of this state and of the other.
    """
    state = result.probability[:, column] > 0.5
    skewness = trace.skewness[int(column == emissions.ON)]
    between, time, variance = short_events(trace.x, state, span, *noise, skewness)
    if not between.any():
        return 0.0, 0.0
    lit = result.lit[between]
    unseen = time - (lit if column == emissions.OFF else 1.0 - lit).sum()
    # The frames of the state that lie beside another one have such events, too.
    more = state.sum() / max((state & between).sum(), 1)
    return more * unseen, more**2 * (variance + (_LAW_ERROR * unseen) ** 2)
