"""Learn the chain of one trace, with a third level where the counts have one.

Where frames in a row lie between the levels, a third level (grey) is tried, and kept where the
likelihood rises by more than its parameters are worth (Schwarz's criterion). Where the levels are
so near that the chain finds no frames in between, blocks of frames are looked at whose means agree
and lie between the levels. A third level that does not last is a possibility, which adds to the
standard error as far as it is likely, unless neighbouring frames between the levels differ as those
that were lit in part do.

Input: a trace with first levels. Output: its chain.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.levels import Trace

ON_FRAMES = 5.0  # the weight of the first on level; it is kept where the trace shows none
MIN_STEP_NOISES = 2.0  # levels nearer than this cannot be distinguished
_FIXED_FRAMES = 1e9
_NOISE_RANGE = 3.0  # of its error: how far the off noise may lie from that of the empty place
_GREY_ROW = 3  # so many frames in a row between the levels are no switching
_GREY_BLOCK = 6  # frames whose mean is between the levels, by so many of its errors
_GREY_ERRORS = 3.0
_GREY_SHARE = 0.004  # of all frames in such rows: a third level is tried
_AGREE = 1 / 32  # of the squared span: three eighths of the variance of even shares
_GREY_GAIN_PER_PARAMETER = 0.5  # of log(frames): Schwarz
_GREY_PARAMETERS = 6  # level, spread, and how it is entered, kept and left
_GREY_STATE = 5
# Probability, a frame: of a level, and of what may be one; shorter-lived ones are switching.
_GREY_STAY, _GREY_MAY_STAY = 0.75, 0.6


def learn(trace: Trace) -> tuple[chain.Chain, chain.Chain | None]:
    """Return the chain with two levels, or with three where the counts have them.

    The second one is that with three where it may be right.
    """
    first, prior, x = trace.first, trace.off, trace.x
    two = learn_chain(trace, np.array([first.on_level, first.on_sigma]))
    rows = _in_rows(two.probability[:, emissions.PARTLY] > 0.5)
    least = max(_GREY_SHARE * len(x), 2 * _GREY_ROW)
    in_rows = rows.sum() > least
    grey = rows if in_rows else _in_blocks(x, two.levels)
    if grey.sum() <= least:
        return two, None
    between = x[grey]
    level = float(np.median(between))
    spread = max(1.4826 * float(np.median(np.abs(between - level))), prior.noise)
    three = learn_chain(trace, np.array([*two.levels[2:4], level, spread]))
    better = third_level_probability(two, three, len(x)) > 0.5
    stay = three.transition[_GREY_STATE, _GREY_STATE]
    if in_rows and better and stay >= _GREY_STAY:
        return three, None
    above_off = three.levels[emissions.GREY_LEVEL] - three.levels[emissions.OFF_LEVEL]
    distinct = above_off >= MIN_STEP_NOISES * three.levels[emissions.OFF_NOISE]
    may_be = distinct and stay >= _GREY_MAY_STAY and _agree_in_rows(x, two)
    return two, three if may_be else None


def third_level_probability(two: chain.Chain, three: chain.Chain, frames: int) -> float:
    """Return the probability of a third level from both likelihoods (Schwarz's criterion)."""
    gain = three.log_likelihood - two.log_likelihood
    return float(expit(gain - _GREY_GAIN_PER_PARAMETER * _GREY_PARAMETERS * np.log(frames)))


def _in_rows(chosen: BoolArray) -> BoolArray:
    """Return which frames are the middle of `_GREY_ROW` (3) chosen ones in a row."""
    middle = np.zeros_like(chosen)
    middle[1:-1] = chosen[:-2] & chosen[1:-1] & chosen[2:]
    return middle


def learn_chain(trace: Trace, upper: FloatArray) -> chain.Chain:
    """Learn a chain; `upper` holds level and spread of on, and of grey if there is one."""
    prior, first = trace.off, trace.first
    levels = np.concatenate([[first.off_level, prior.noise], upper])
    off = np.array(
        [
            prior.level,
            prior.noise,
            (prior.noise / prior.level_se) ** 2,
            0.5 / prior.noise_se**2,
            prior.low,
            prior.high,
            prior.noise * max(1.0 - _NOISE_RANGE * prior.noise_se, 0.5),
            prior.noise * (1.0 + _NOISE_RANGE * prior.noise_se),
            ON_FRAMES if first.on_share > 0 else _FIXED_FRAMES,
        ]
    )
    transition, begin, emission = chain.first_guess(first.on_share, len(upper) > 2)
    learnt = chain.learn(trace.x, levels, off, transition, begin, emission, trace.skewness)
    return chain.Chain(levels, transition, begin, emission, *learnt)


def _agree_in_rows(x: FloatArray, two: chain.Chain) -> bool:
    """Return whether frames in a row between the levels may have one level.

    The shares of partly lit frames that switching makes are independent: half the mean square of
    the difference of neighbours is the variance, 1/12 if all shares are equally likely. At a level
    of its own both are those of the noise; at one that differs from event to event neighbours are
    correlated.
    """
    partly = two.probability[:, emissions.PARTLY] > 0.5
    in_row = partly[:-1] & partly[1:]
    if in_row.sum() < _GREY_ROW:
        return True
    span = two.levels[emissions.ON_LEVEL] - two.levels[emissions.OFF_LEVEL]
    noise = 0.5 * (two.levels[emissions.OFF_NOISE] ** 2 + two.levels[emissions.ON_SIGMA] ** 2)
    differing = 0.5 * float((np.diff(x)[in_row] ** 2).mean())
    correlation = 1.0 - differing / float(x[partly].var())
    significant = correlation > _GREY_ERRORS / np.sqrt(in_row.sum())
    return bool(significant or differing - noise < _AGREE * span**2)


def _in_blocks(x: FloatArray, levels: FloatArray) -> BoolArray:
    """Return which frames lie in two blocks in a row whose means agree, between the levels."""
    between = np.zeros(len(x), bool)
    n = len(x) // _GREY_BLOCK
    blocks = x[: n * _GREY_BLOCK].reshape(n, _GREY_BLOCK)
    mean, variance = blocks.mean(axis=1), blocks.var(axis=1, ddof=1)
    error = levels[emissions.ON_SIGMA] / np.sqrt(_GREY_BLOCK)
    low = levels[emissions.OFF_LEVEL] + _GREY_ERRORS * levels[emissions.OFF_NOISE] / np.sqrt(
        _GREY_BLOCK
    )
    high = levels[emissions.ON_LEVEL] - _GREY_ERRORS * error
    # Partly lit frames scatter by more than noise: 2 of it are exceeded in 8 % of blocks.
    even = (mean > low) & (mean < high) & (variance < 2.0 * levels[emissions.ON_SIGMA] ** 2)
    pair = even[:-1] & even[1:] & (np.abs(np.diff(mean)) < 2.0 * error)
    chosen = np.zeros(n, bool)
    chosen[:-1] |= pair
    chosen[1:] |= pair
    between[: n * _GREY_BLOCK] = np.repeat(chosen, _GREY_BLOCK)
    return between
