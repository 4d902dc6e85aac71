"""The time on of one trace, and how well it is known.

The on-fraction is the expected time on, in which partly lit frames count by the part that was lit.
Its standard error is the measurement's: how well the time on in this movie is known, not how much
another movie of the same nanocrystal would differ. It adds up what the chain, its levels, the lit
share of partly lit frames and events shorter than a frame (`short_events`) leave open, and another
chain where that may be right.

Input: a trace and its chain. Output: the on-fraction and its standard error.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.dark import UNKNOWN_SE, share_without_on_level
from blinkpair.blinking.states.event_levels import event_levels
from blinkpair.blinking.states.event_runs import Runs, find_runs
from blinkpair.blinking.states.expected_time import expected_time
from blinkpair.blinking.states.fast_switching import fast_variance
from blinkpair.blinking.states.learning import MIN_STEP_NOISES, ON_FRAMES, Learnt, in_rows
from blinkpair.blinking.states.levels import Trace
from blinkpair.blinking.states.restless import time_less_by_light
from blinkpair.blinking.states.short_events import ShortEvents, State, short_events

_CLOSE_STEP = 8.0  # noises: nearer levels are confused where they are not known exactly
_STRETCHES = 8  # of the frames on: the scatter of their means is the error of the on level
# Lit shares of partly lit frames are taken as evenly distributed. Where events are short their
# density rises or falls from end to end: by a factor of e, for one standard deviation.
_TILT = 1.0
_PLATEAU_FRAMES = 3  # with both neighbours on (off): they show the on (off) level
_OFTEN_OFF = 0.02  # of the frames: such a trace has an off level, so its on level is no average
# Share of the on level: a level below the first is as likely dirt, a neighbour or another emitter
# as this nanocrystal; one above the second is this nanocrystal.
_WEAK, _GREY = 0.30, 0.37
_HIDDEN_NOISES = 2.5  # of the share of a frame that is not seen, as in `short_events`
_MOST_MORE = 2.0  # frames of a state, for each between two others: more show too little


class Found(NamedTuple):
    """A trace, what was learnt of it, and its short events.

    `flashes` and `dims` are those between off and between on frames, `flash_runs` and `dim_runs`
    the runs of on and of off frames; None without a clear on level.
    `added` is the variance that switching adds to the on counts, and its standard error, in squares
    of the distance of the levels.
    """

    trace: Trace
    learnt: Learnt
    flashes: ShortEvents | None
    dims: ShortEvents | None
    flash_runs: Runs | None = None
    dim_runs: Runs | None = None
    added: tuple[float, float] = (np.nan, np.inf)


def find_short_events(trace: Trace, learnt: Learnt) -> Found:
    """Return a trace with its short events."""
    result = learnt.chain
    levels = result.levels
    noise, sigma = levels[emissions.OFF_NOISE], levels[emissions.ON_SIGMA]
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    if trace.first.on_share == 0 or span < MIN_STEP_NOISES * noise:
        return Found(trace, learnt, None, None)
    off, on = (result.probability[:, column] > 0.5 for column in (emissions.OFF, emissions.ON))
    added, error = _switching_variance(trace, result)
    camera = np.sqrt(noise**2 + trace.excess * span)
    se = trace.off.noise_se
    off_scale, on_scale = (
        trace.course.scale(levels, place) for place in (emissions.OFF_NOISE, emissions.ON_SIGMA)
    )
    least = min(trace.off.noise, noise), min(camera, sigma)
    flashes = State(off, span, noise, sigma, trace.skewness[0], least[0], se, off_scale)
    dims = State(on, -span, sigma, noise, trace.skewness[1], least[1], se, on_scale)
    empty = trace.off.level, trace.off.level_se
    is_on = result.over_half > 0.5
    flash_runs = find_runs(result, trace.skewness, emissions.OFF, ~is_on)
    dim_runs = find_runs(result, trace.skewness, emissions.ON, is_on)
    clear = clearness(levels)
    return Found(
        trace,
        learnt,
        short_events(trace.x, flashes, empty, (flash_runs, clear)),
        short_events(trace.x, dims, runs=(dim_runs, clear)),
        flash_runs,
        dim_runs,
        (added, error),
    )


def _switching_variance(trace: Trace, result: chain.Chain) -> tuple[float, float]:
    """Return the variance that switching adds to on counts, and its standard error.

    From frame to frame, in squares of the distance of the levels. A trace that is often off for
    whole frames has two levels. Of one that is not, on may be an average over switching, and so
    may, where the field does not confirm it, be any part of what is taken for the camera's excess
    noise.
    """
    span = float(result.levels[emissions.ON_LEVEL] - result.levels[emissions.OFF_LEVEL])
    added, error, signal = fast_excess(trace, result)
    added, error = (added - trace.excess * signal) / span**2, error / span**2
    off = in_rows(result.probability[:, emissions.OFF] > 0.5)
    if off.mean() <= _OFTEN_OFF and not trace.excess_confirmed:
        # Evenly distributed from none to all.
        part = trace.excess / span
        added, error = added + 0.5 * part, float(np.hypot(error, part / np.sqrt(12.0)))
    return added, error


def unexplained_variance(found: Found, dim_laws: FloatArray) -> tuple[float, float]:
    """Return the variance of on counts that short events do not explain, and its standard error.

    In squares of the distance of the levels; `dim_laws` as in `on_share`. Dims t^-1.5 up to h
    frames, which is the longest that is not seen, add h / 3 of the time in them.
    """
    added, error = found.added
    if found.dims is None or not np.isfinite(error):
        return added, error
    result = found.learnt.chain
    levels = result.levels
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    longest = min(_HIDDEN_NOISES * levels[emissions.ON_SIGMA] / span, 0.5)
    time = max(_unseen(result, emissions.ON, found.dims, dim_laws)[0], 0.0)
    explained = longest / 3.0 * time / max(float(result.probability[:, emissions.ON].sum()), 1.0)
    return added - explained, error


def shows_off(result: chain.Chain) -> bool:
    """Return whether a trace switches slowly enough to be off for whole frames."""
    off = result.probability[:, emissions.OFF] > 0.5
    return bool(in_rows(off).sum() >= _PLATEAU_FRAMES)


def fast_excess(trace: Trace, result: chain.Chain) -> tuple[float, float, float]:
    """Return what on adds to the variance of the off counts, its standard error, and the signal.

    From frame to frame; counts^2, counts^2 and counts. nan and infinity with few frames on. In
    counts that were divided by the light, photons make more noise where it was low.
    """
    on = result.probability[:, emissions.ON] > 0.5
    noise, span = result.levels[emissions.OFF_NOISE] ** 2, float(np.diff(result.levels[[0, 2]])[0])
    variance, error = fast_variance(trace.x, on)
    known = result.probability[:, emissions.OFF].sum() + 0.5 / trace.off.noise_se**2
    if on.any():
        off_noise, signal = trace.course.factors[trace.course.part[on]].T
        noise *= float((off_noise**2).mean())
        span *= float(signal.mean())
    return variance - noise, float(np.hypot(error, noise * np.sqrt(2.0 / known))), span


def clearness(levels: FloatArray) -> float:
    """Return how far the counts of a trace decide on short events, 0..1.

    They do where an event of half a frame stands out of the noise by three of it, and do not where
    by two: there the tail of the noise looks the same.
    """
    return _half_frame_stands_out(levels, 2.0)


def _half_frame_stands_out(levels: FloatArray, noises: float) -> float:
    """Return the noises by which half a frame on differs from off, less `noises`, cut to 0..1."""
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    noise = max(levels[emissions.OFF_NOISE], levels[emissions.ON_SIGMA])
    return float(min(max(0.5 * span / noise - noises, 0.0), 1.0))


def on_share(
    found: Found,
    flash_laws: FloatArray,
    dim_laws: FloatArray,
    shift: float,
    share_of_found: FloatArray,
) -> tuple[float, float]:
    """Return the share of the time on, 0..1, and its standard error.

    Parameters
    ----------
    found : Found
    flash_laws, dim_laws : (laws,) arrays
        Probabilities of the laws of short events.
    shift : float
        Mean square of how far the on level is too low, in squares of itself.
    share_of_found : (2,) array
        From `unseen_level.shares_of_found`.
    """
    trace, result = found.trace, found.learnt.chain
    levels, frames = result.levels, len(trace.x)
    if found.flashes is None or found.dims is None:
        return share_without_on_level(trace, result)
    noise = levels[emissions.OFF_NOISE]
    span = levels[emissions.ON_LEVEL] - levels[emissions.OFF_LEVEL]
    model = (result.transition, result.begin, result.emission, trace.skewness, *trace.course)
    two = found.learnt.two_emitters
    mean, variance = two or expected_time(trace.x, levels, *model)[:2]
    lit, lit_variance = result.partly
    errors = _level_errors(trace, result)
    if span < _CLOSE_STEP * noise and two is None:
        for place, error in enumerate(errors):
            moved = levels.copy()
            moved[place] += error
            variance += (expected_time(trace.x, moved, *model)[0] - mean) ** 2
    else:
        # Little but the counts of partly lit frames depends on the levels.
        unlit = result.probability[:, emissions.PARTLY].sum() - lit
        variance += (unlit * errors[0] / span) ** 2 + (lit * errors[2] / span) ** 2
    # A density that rises by exp(k s) with the share s moves its mean by k times its variance.
    variance += (_TILT * lit_variance) ** 2
    variance += found.learnt.variance
    foreign, weak = weak_level(result)
    mean -= foreign * weak
    variance += foreign * (1.0 - foreign) * weak**2
    # The light is what it is: a higher on level makes the time on shorter.
    variance += shift * mean**2
    flashes = _unseen(result, emissions.OFF, found.flashes, flash_laws)
    dims = _unseen(result, emissions.ON, found.dims, dim_laws)
    if two is None:
        own = event_levels(trace.x, result)
        clear = clearness(levels)
        mean += clear * own.time
        variance += own.variance + ((1.0 - clear) * own.time) ** 2
        dims = _with_stretches(found, dims, own.share)
    mean += flashes[0] - dims[0]
    variance += flashes[1] + dims[1]
    on = result.probability[:, emissions.ON] > 0.5
    if in_rows(on).sum() < _PLATEAU_FRAMES:
        # No frame need be on throughout: the on level may be one of the field's.
        share, se = share_without_on_level(trace, result)
        if se < UNKNOWN_SE:
            half = 0.5 * (share * frames - mean)
            mean += half
            variance = 0.5 * (variance + (se * frames) ** 2) + half**2
            share_of_found = np.ones(2)
    share, square = share_of_found
    variance = square * variance + (square - share**2) * mean**2
    mean *= share
    return min(max(mean / frames, 0.0), 1.0), float(np.sqrt(variance)) / frames


def _with_stretches(
    found: Found, dims: tuple[float, float], own_levels: float
) -> tuple[float, float]:
    """Return time in dims and its variance, with stretches of switching within frames.

    `own_levels` is the share of rows between off and on that are levels (`event_levels`).
    """
    trace, result = found.trace, found.learnt.chain
    # By the laws of the whole trace or by the light in stretches: as likely one as the other.
    more = 0.5 * max(time_less_by_light(trace, result) - dims[0], 0.0)
    if len(result.levels) > emissions.GREY_LEVEL or own_levels > 0.5:
        # What dims part of a frame is as likely grey as off, and so is light that is missing.
        return 0.5 * dims[0], dims[1] + (0.5 * dims[0]) ** 2 + more**2
    return dims[0] + more, dims[1] + more**2


def weak_level(result: chain.Chain) -> tuple[float, float]:
    """Return the probability that a third level is not this nanocrystal's, and its time, frames."""
    levels = result.levels
    if len(levels) <= emissions.GREY_LEVEL:
        return 0.0, 0.0
    off, grey, on = levels[[emissions.OFF_LEVEL, emissions.GREY_LEVEL, emissions.ON_LEVEL]]
    in_it = float(result.probability[:, emissions.GREY].sum())
    return foreign_share(float((grey - off) / (on - off))), in_it


def foreign_share(share: float) -> float:
    """Return the probability, 0 to 1/2, that light is not this nanocrystal's.

    The light is that of a level with a `share` of the step from off to on.
    """
    return 0.5 * float(min(max((_GREY - share) / (_GREY - _WEAK), 0.0), 1.0))


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
    result: chain.Chain, column: int, events: ShortEvents, laws: FloatArray
) -> tuple[float, float]:
    """Return the time in short events that the chain does not see, and its variance, in frames.

    The events interrupt the state of `column`.
    """
    levels, clear = result.levels, clearness(result.levels)
    between = events.between
    if not between.any():
        return 0.0, 0.0
    state = result.probability[:, column] > 0.5
    alone = state & between
    seen = result.lit[alone].sum() if column == emissions.OFF else (1.0 - result.lit[alone]).sum()
    unseen = events.time - seen
    mean = laws @ unseen
    variance = float(laws @ (events.variance + (unseen - mean) ** 2))
    # Where the counts decide, and durations follow no power law, anything from none to twice the
    # mean is as likely: its square over 3. Where they do not decide, nothing is corrected, and the
    # whole may be missing: from its square where half a frame is within one noise, to a third of it
    # (anything from none to all is as likely) where it is beyond two.
    decided = max(variance, mean**2 / 3.0)
    undecided = (variance + mean**2) * (1.0 - 2.0 / 3.0 * _half_frame_stands_out(levels, 1.0))
    variance = clear * decided + (1.0 - clear) * undecided
    # The frames of the state beside another one have such events, too.
    more = min(state.sum() / max(alone.sum(), 1), _MOST_MORE)
    return more * clear * mean, more**2 * variance
