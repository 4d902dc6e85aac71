"""The time on of one trace, and how well it is known.

The on-fraction is the expected time on, in which partly lit frames count by the part that was lit.
Its standard error is the measurement's: how well the time on in this movie is known, not how much
another movie of the same nanocrystal would differ. It adds up what the chain, its levels, the lit
share of partly lit frames and events shorter than a frame (`short_events`) leave open, and a third
level where that is possible.

Input: a trace and its chain. Output: the on-fraction and its standard error.
"""

from __future__ import annotations

import numpy as np

from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.dark import share_without_on_level
from blinkpair.blinking.states.learning import MIN_STEP_NOISES, ON_FRAMES
from blinkpair.blinking.states.levels import Trace
from blinkpair.blinking.states.short_events import short_events

_CLOSE_STEP = 8.0  # noises: nearer levels are confused where they are not known exactly
_STRETCHES = 8  # of the frames on: the scatter of their means is the error of the on level
# Lit shares of partly lit frames are taken as evenly distributed. Where events are short their
# density rises or falls from end to end: by a factor of e, for one standard deviation.
_TILT = 1.0
_HIDDEN_NOISES = 3.0  # an event that changes the counts by less is not seen
_MOST_MORE = 2.0  # a state most of whose frames stand alone is none that short events interrupt
_LEVEL_RANGE = 3.0  # standard errors of the off level: what light off frames may hold
_MOST_HIDDEN = 0.5  # of a frame: what the chain takes for partly lit is longer


def on_share(trace: Trace, result: chain.Chain, other: chain.Chain | None) -> tuple[float, float]:
    """Return the share of the time on, 0..1, and its standard error.

    Parameters
    ----------
    trace : Trace
    result : Chain
        Learnt of the trace.
    other : Chain or None
        With a third level that may be right, too.
    """
    levels, frames = result.levels, len(trace.x)
    noise, sigma = levels[emissions.OFF_NOISE], levels[emissions.ON_SIGMA]
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    if trace.first.on_share == 0 or span < MIN_STEP_NOISES * noise:
        return share_without_on_level(trace, result)
    model = (result.transition, result.begin, result.emission, trace.skewness)
    mean, variance, _ = chain.time_on(trace.x, levels, *model)
    lit, lit_variance = result.partly
    errors = _level_errors(trace, result)
    if span < _CLOSE_STEP * noise:
        for place, error in enumerate(errors):
            moved = levels.copy()
            moved[place] += error
            variance += (chain.time_on(trace.x, moved, *model)[0] - mean) ** 2
    else:
        # Little but the counts of partly lit frames depends on the levels.
        unlit = result.probability[:, emissions.PARTLY].sum() - lit
        variance += (unlit * errors[0] / span) ** 2 + (lit * errors[2] / span) ** 2
    # A density that rises by exp(k s) with the share s moves its mean by k times its variance.
    variance += (_TILT * lit_variance) ** 2
    if other is not None:
        variance += (other.lit.sum() - mean) ** 2
    flashes = _unseen(trace, result, emissions.OFF, span, (noise, sigma))
    dims = _unseen(trace, result, emissions.ON, -span, (sigma, noise))
    mean += flashes[0] - dims[0]
    variance += flashes[1] + dims[1]
    return min(max(mean / frames, 0.0), 1.0), float(np.sqrt(variance)) / frames


def _level_errors(trace: Trace, result: chain.Chain) -> tuple[float, float, float, float]:
    """Return the standard errors of off level, off noise, on level and its spread, counts."""
    in_state = result.probability.sum(axis=0)
    noise, sigma = result.levels[emissions.OFF_NOISE], result.levels[emissions.ON_SIGMA]
    n_off = in_state[emissions.OFF] + (noise / trace.off.level_se) ** 2
    n_on = in_state[emissions.ON] + ON_FRAMES
    on_error = sigma / np.sqrt(n_on)
    on = trace.x[result.probability[:, emissions.ON] > 0.5]
    if len(on) > _STRETCHES**2:
        # An on level that fluctuates slowly is known less well than from independent frames.
        means = [stretch.mean() for stretch in np.array_split(on, _STRETCHES)]
        on_error = max(on_error, float(np.std(means, ddof=1)) / np.sqrt(_STRETCHES))
    return noise / np.sqrt(n_off), noise / np.sqrt(2 * n_off), on_error, sigma / np.sqrt(2 * n_on)


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
    interrupted = result.lit[between] if column == emissions.OFF else 1.0 - result.lit[between]
    unseen = time - interrupted.sum()
    # The counts decide where an event of half a frame stands out of the noise by three of it, and
    # not where by two: there the tail of the noise looks the same.
    clear = min(max(0.5 * abs(span) / max(noise) - 2.0, 0.0), 1.0)
    decided = clear * unseen**2 / max(unseen**2 + variance, 1e-12)
    variance += clear * ((1.0 - decided) * unseen) ** 2
    # The frames of the state that lie beside another one have such events, too.
    more = state.sum() / max((state & between).sum(), 1)
    corrected = more <= _MOST_MORE
    more = min(more, _MOST_MORE)
    # Of a law t^-1.5 down to zero, events shorter than h fill sqrt(h) / (1 - sqrt(h)) of the time
    # that those of h to 1 do. Any time from none to that is equally likely.
    root = np.sqrt(min(_HIDDEN_NOISES * noise[0] / abs(span), _MOST_HIDDEN))
    hidden = more * root / (1.0 - root) * float(interrupted[~state[between]].sum())
    if column == emissions.OFF:
        # Nor is it more than the light by which the off frames may exceed the empty place.
        excess = result.levels[emissions.OFF_LEVEL] - trace.off.level
        excess += _LEVEL_RANGE * trace.off.level_se
        hidden = min(hidden, float(state.sum()) * max(excess, 0.0) / span)
    variance = more**2 * variance + hidden**2 / 3.0
    return (more * decided * unseen if corrected else 0.0), variance
