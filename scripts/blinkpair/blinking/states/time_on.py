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
from blinkpair.blinking.states.learning import ON_FRAMES, learn_chain
from blinkpair.blinking.states.levels import Trace
from blinkpair.blinking.states.short_events import short_events

MIN_STEP_NOISES = 2.0  # levels nearer than this cannot be distinguished
MIN_TYPICAL_STEP_NOISES = 3.0  # of the field: nearer, and what shows no on level may have one
MAX_DARK_SHARE = 0.05  # of the time: what has no clear on level gets an answer where it is less
UNKNOWN_SE = 0.5  # of an on-fraction of which nothing is known
_CLOSE_STEP = 8.0  # noises: nearer levels are confused where they are not known exactly
_STRETCHES = 8  # of the frames on: the scatter of their means is the error of the on level
# The lit share of a partly lit frame is taken as evenly distributed. Where short events prevail it
# rises or falls, by a factor of e from end to end or the inverse: one standard deviation.
_TILT = 1.0
# Of the time in short events that the chain does not see: the law may end above them, and none is
# there; exponents of 1.2 to 2 give 0.7 to 2 times what 1.5 does.
_LAW_ERROR = 1.0
_FIELD_LEVELS = np.array([-1.5, -0.5, 0.5, 1.5])  # standard deviations from the field's median
DEBUG = []


def on_share(trace: Trace, result: chain.Chain, other: chain.Chain | None) -> tuple[float, float]:
    """Return the share of the time on, 0..1, and its standard error.

    `other` is a chain with a third level that may be right, too.
    """
    x, levels, frames = trace.x, result.levels, len(trace.x)
    noise, sigma = levels[emissions.OFF_NOISE], levels[emissions.ON_SIGMA]
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    if trace.first.on_share == 0 or span < MIN_STEP_NOISES * noise:
        DEBUG.append((0,)*11)
        return share_without_on_level(trace, result)
    model = (result.transition, result.begin, result.emission, trace.skewness)
    mean, variance, _ = chain.time_on(x, levels, *model)
    parts=[variance]
    errors = _level_errors(trace, result)
    lit, lit_variance = result.partly
    if span > _CLOSE_STEP * noise:
        # Counts of partly lit frames are compared with both levels, and little else depends on them.
        unlit = result.probability[:, emissions.PARTLY].sum() - lit
        lv = (unlit * errors[0] / span) ** 2 + (lit * errors[2] / span) ** 2
    else:
        lv = 0
        for place, error in enumerate(errors):
            moved = levels.copy()
            moved[place] += error
            lv += (chain.time_on(x, moved, *model)[0] - mean) ** 2
    variance += lv
    parts.append(lv)
    variance += (_TILT * lit_variance) ** 2
    if other is not None:
        variance += (other.lit.sum() - mean) ** 2
    flashes = _unseen(trace, result, emissions.OFF, span, (noise, sigma))
    dims = _unseen(trace, result, emissions.ON, -span, (sigma, noise))
    parts += [flashes[0], dims[0], flashes[1], dims[1], span/noise, len(levels)>4, other is not None, lit, lit_variance]
    DEBUG.append(parts)
    variance += flashes[1] + dims[1]
    mean += flashes[0] - dims[0]
    return min(max(mean / frames, 0.0), 1.0), float(np.sqrt(variance)) / frames


def _level_errors(trace: Trace, result: chain.Chain) -> list[float]:
    """Return the standard errors of off level, off noise, on level and on spread, counts."""
    in_state = result.probability.sum(axis=0)
    noise, sigma = result.levels[emissions.OFF_NOISE], result.levels[emissions.ON_SIGMA]
    n_off = in_state[emissions.OFF] + (noise / trace.off.level_se) ** 2
    n_on = in_state[emissions.ON] + ON_FRAMES
    on = trace.x[result.probability[:, emissions.ON] > 0.5]
    on_error = sigma / np.sqrt(n_on)
    if len(on) > _STRETCHES**2:
        # An on level that fluctuates slowly is known less well than by single frames.
        means = [part.mean() for part in np.array_split(on, _STRETCHES)]
        on_error = max(on_error, float(np.std(means, ddof=1)) / np.sqrt(_STRETCHES))
    return [noise / np.sqrt(n_off), noise / np.sqrt(2.0 * n_off), on_error, sigma / np.sqrt(2 * n_on)]


def share_without_on_level(trace: Trace, own: chain.Chain) -> tuple[float, float]:
    """Return the share of the time on, and its error, where a trace has no clear on level.

    It may have been dark, with an on level like those of the field, or be a weak emitter, with a
    level of its own that cannot be distinguished from off. The first is averaged over the field's
    on levels, each weighed by how well it agrees with the counts. Where the second agrees better,
    by more than a free level and its distance from the field's are worth, nothing is known.
    """
    frames, noise = len(trace.x), trace.off.noise
    dark, own_share = own, float(own.lit.mean())
    if trace.field_step < MIN_TYPICAL_STEP_NOISES:
        return own_share, UNKNOWN_SE
    if trace.first.on_share > 0:
        on = trace.first.off_level + trace.field_step * noise
        first = trace.first._replace(on_level=on, on_sigma=1.3 * noise, on_share=0.0)
        dark = learn_chain(trace._replace(first=first), np.array([on, 1.3 * noise]))
    model = (dark.transition, dark.begin, dark.emission, trace.skewness)
    steps = trace.field_step * np.exp(trace.field_spread * _FIELD_LEVELS)
    found = []
    for step in steps:
        levels = dark.levels.copy()
        levels[emissions.ON_LEVEL] = levels[emissions.OFF_LEVEL] + step * noise
        found.append(chain.time_on(trace.x, levels, *model))
    mean, variance, fit = np.array(found).T
    weight = np.exp(fit - fit.max() - 0.5 * _FIELD_LEVELS**2)
    weight /= weight.sum()
    share = float(weight @ mean) / frames
    se = float(np.sqrt(weight @ (variance + (mean - share * frames) ** 2))) / frames
    # More light than an off state may emit, which the on level does not account for.
    weak = trace.x.mean() - share * trace.field_step * noise > trace.off.high
    if trace.first.on_share > 0:
        step = (own.levels[emissions.ON_LEVEL] - own.levels[emissions.OFF_LEVEL]) / noise
        distance = np.log(step / trace.field_step) / trace.field_spread
        worth = 0.5 * distance**2 + 0.5 * np.log(frames)
        weak |= own_share > MAX_DARK_SHARE and own.log_likelihood - fit.max() > worth
    if weak or share > MAX_DARK_SHARE:
        return own_share, UNKNOWN_SE
    return share, se


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
