"""Learn the chain of one trace, with a third level where the counts have one.

Where frames in a row lie between the levels, a third level (grey) is tried, and kept where the
likelihood rises by more than its parameters are worth (Schwarz's criterion). Where the levels are
so near that the chain finds no frames in between, blocks of frames are looked at whose means agree
and lie between the levels. A third level that does not last is a possibility, which adds to the
standard error as far as it is likely, unless neighbouring frames between the levels differ as those
that were lit in part do.

Input: a trace with first levels. Output: its chain, and another one where that may be right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.fast_switching import fast_variance, probability_of_level
from blinkpair.blinking.states.levels import Trace

ON_FRAMES = 5.0  # the weight of the first on level; it is kept where the trace shows none
MIN_STEP_NOISES = 2.0  # levels nearer than this cannot be distinguished
_FIXED_FRAMES = 1e9
_GREY_ROW = 3  # so many frames in a row between the levels are no switching
_GREY_BLOCK = 6  # frames whose mean is between the levels, by so many of its errors
_GREY_ERRORS = 3.0
_GREY_SHARE = 0.004  # of all frames in such rows: a third level is tried
_EVEN_SHARES = 1 / 12  # variance of shares that are equally likely, in squared spans
_OVERLAP = 6.0  # spreads between the levels: partly lit frames do not stand out of those on
_WIDE = 1.3  # of the camera's noise: the spread of an on level that may be a narrower one
# Relative error of an on level that few frames show; others that are tried, in units of it.
_ROUGH = 0.04
_OTHER_LEVELS = (0.7, 0.85, 1.15, 1.3)
_FEW_ITERATIONS = 3
_PLATEAU_QUANTILE = 0.8  # of the counts of frames on: near the level of those on throughout
_AGREE = 1 / 32  # of the squared span: three eighths of the variance of even shares
_GREY_GAIN_PER_PARAMETER = 0.5  # of log(frames): Schwarz
_GREY_PARAMETERS = 6  # level, spread, and how it is entered, kept and left
_GREY_STATE = 5
HOPELESS = 8.0  # of the log-likelihood: another chain so far below is e^8 times less likely
_TWO_LEVELS = 4  # the length of their vector
# Probability to stay, a frame, from which on grey is a level; off events and on ones cut a level
# into short pieces. What switches within frames may stay as long, but spreads over all shares of a
# frame, so that grey becomes as wide as on, and neighbouring frames differ. Where grey is narrow,
# and where neighbours agree, too, shorter stays are a level's. A little below it may be either.
_GREY_STAY, _NARROW_STAY, _AGREEING_STAY = 0.75, 0.6, 0.5
_MAY_STAY = 0.15
_NARROW = 0.97  # of the spread of on
_CLEAR_NOISES = 3.0  # above off: a frame of such a level is seen by itself


class Learnt(NamedTuple):
    """The chain of a trace, and the uncertainty of its time on where another chain may be right.

    `variance` is the mean square of the difference of the times on, frames^2. `two_emitters` are
    mean and variance of the time on by two emitters, frames and frames^2, where the chain stands
    for these (`two_emitters`).
    """

    chain: chain.Chain
    variance: float = 0.0
    two_emitters: tuple[float, float] | None = None


def _in_doubt(likely: chain.Chain, other: chain.Chain, probability: float) -> Learnt:
    """Return a chain, and another one with its probability."""
    return Learnt(likely, probability * float(other.lit.sum() - likely.lit.sum()) ** 2)


def learn(trace: Trace, wide: chain.Chain) -> Learnt:
    """Return the chain with two levels, or with three where the counts have them.

    `wide` is from `learn_two`.
    """
    learnt = _two_or_three(trace, _wide_or_narrow(trace, wide))
    if len(learnt.chain.levels) > _TWO_LEVELS:
        return learnt
    narrow = _of_camera_noise(trace, learnt.chain)
    if narrow is learnt.chain:
        return learnt
    return _two_or_three(trace, learnt._replace(chain=narrow))


def _two_or_three(trace: Trace, learnt: Learnt) -> Learnt:
    """Return the chain with two levels, or with three."""
    first, prior, x = trace.first, trace.off, trace.x
    two = learnt.chain
    rows = in_rows(two.probability[:, emissions.PARTLY] > 0.5)
    least = max(_GREY_SHARE * len(x), 2 * _GREY_ROW)
    lasts = rows.sum() > least
    grey = rows if lasts else _in_blocks(x, two.levels)
    if first.on_share == 0 or grey.sum() <= least:
        return learnt
    between = x[grey]
    level = float(np.median(between))
    spread = max(1.4826 * float(np.median(np.abs(between - level))), prior.noise)
    agree = agree_in_rows(x, two)
    if not (lasts or agree):
        return learnt
    worth = _GREY_GAIN_PER_PARAMETER * _GREY_PARAMETERS * np.log(len(x))
    as_likely = two.log_likelihood + worth
    levels = np.array([*two.levels[2:4], level, spread])
    three = learn_chain(trace, levels, needed=as_likely - HOPELESS)
    if three.log_likelihood < as_likely - HOPELESS:
        return learnt
    if three.levels[emissions.GREY_LEVEL] > three.levels[emissions.ON_LEVEL]:
        return learnt
    probability = expit(three.log_likelihood - as_likely)
    off, noise, _, on_sigma, grey_level, grey_sigma = three.levels
    narrow = grey_sigma < _NARROW * on_sigma and grey_level - off > _CLEAR_NOISES * noise
    level_stay = _GREY_STAY
    if lasts and narrow:
        level_stay = _AGREEING_STAY if agree else _NARROW_STAY
    stay = three.transition[_GREY_STATE, _GREY_STATE]
    lasting = 1.0 + float(stay - level_stay) / _MAY_STAY
    if lasts and probability > 0.5 and lasting >= 1.0:
        level = _probability_of_level(trace, three)
        return _in_doubt(three, two, 1.0 - level) if level > 0.5 else _in_doubt(two, three, level)
    distinct = grey_level - off >= MIN_STEP_NOISES * noise
    if learnt.variance == 0.0 and distinct and lasting > 0.0 and agree:
        return _in_doubt(two, three, float(probability) * min(lasting, 1.0))
    return learnt


def learn_two(trace: Trace) -> chain.Chain:
    """Return the chain that two levels give, from the first ones."""
    return learn_chain(trace, np.array([trace.first.on_level, trace.first.on_sigma]))


def _wide_or_narrow(trace: Trace, wide: chain.Chain) -> Learnt:
    """Return the likelier chain with two levels.

    An on level that scatters by more than the camera's noise may be a narrow one with many partly
    lit frames below it, and is one where it scatters as those would if all shares of a frame were
    equally likely. None scatters by less: the few brightest frames of a trace are alike, and would
    be a narrow level, were all others lit in part.
    """
    on_counts = trace.x[wide.over_half > 0.5]
    if trace.first.on_share == 0 or len(on_counts) < 2:
        return Learnt(wide)
    camera = _camera_noise(trace, wide)
    if wide.levels[emissions.ON_SIGMA] < camera:
        wide = learn_chain(trace, np.array([float(np.median(on_counts)), camera]))
        camera = _camera_noise(trace, wide)
    off, _, on, sigma = wide.levels[:4]
    on_counts = trace.x[wide.probability[:, emissions.ON] > 0.5]
    few = sigma > _ROUGH * (on - off) * np.sqrt(len(on_counts))
    if sigma < _WIDE * camera:
        return _by_level(trace, wide) if few else Learnt(wide)
    if len(on_counts) < ON_FRAMES:
        return Learnt(wide)
    level = float(np.quantile(on_counts, _PLATEAU_QUANTILE))
    narrow = learn_chain(trace, np.array([level, camera]))
    if sigma**2 - camera**2 > _EVEN_SHARES * (on - off) ** 2:
        return Learnt(narrow)
    doubt = float(expit(narrow.log_likelihood - wide.log_likelihood))
    if doubt > 0.5:
        return _in_doubt(narrow, wide, 1.0 - doubt)
    return _in_doubt(wide, narrow, doubt)


def _of_camera_noise(trace: Trace, two: chain.Chain) -> chain.Chain:
    """Return the chain whose on level has the camera's noise, where it is as likely.

    Where frames that are partly lit do not stand out of those that are on, they are taken for some
    of them: the on level is too low then, its spread too large, and the time on too long.
    """
    off, _, on, sigma = two.levels[:4]
    camera = _camera_noise(trace, two)
    if trace.first.on_share == 0 or on - off > _OVERLAP * sigma or sigma <= camera:
        return two
    narrow = learn_chain(trace, np.array([on, camera]), two, keep_level=False)
    return narrow if narrow.log_likelihood > two.log_likelihood else two


def _camera_noise(trace: Trace, two: chain.Chain) -> float:
    """Return the camera's noise at the on level."""
    off, noise, on = two.levels[:3]
    return float(np.sqrt(noise**2 + trace.excess * max(on - off, 0.0)))


def _by_level(trace: Trace, two: chain.Chain) -> Learnt:
    """Return the likeliest of chains with several on levels, and what the others leave open.

    Few frames that are on leave the level open: with a higher one more of them were lit in part.
    Each level is weighed by its likelihood, and by those of the field.
    """
    off, noise, on = two.levels[:3]
    found = [two]
    for factor in _OTHER_LEVELS:
        level = off + max(factor * (on - off), MIN_STEP_NOISES * noise)
        camera = float(np.sqrt(noise**2 + trace.excess * (level - off)))
        found.append(learn_chain(trace, np.array([level, camera]), two))
    steps = np.array([(one.levels[2] - one.levels[0]) / noise for one in found])
    away = np.log(steps / trace.field_step) / trace.field_spread
    fit = np.array([one.log_likelihood for one in found]) - 0.5 * away**2
    weight = np.exp(fit - fit.max())
    lit = np.array([one.lit.sum() for one in found])
    best = int(np.argmax(fit))
    return Learnt(found[best], float(weight @ (lit - lit[best]) ** 2 / weight.sum()))


def _probability_of_level(trace: Trace, three: chain.Chain) -> float:
    """Return how likely grey is a level, not an average over fast switching."""
    span = three.levels[emissions.ON_LEVEL] - three.levels[emissions.OFF_LEVEL]
    above = three.levels[emissions.GREY_LEVEL] - three.levels[emissions.OFF_LEVEL]
    variance, error = fast_variance(trace.x, three.probability[:, emissions.GREY])
    added = variance - three.levels[emissions.OFF_NOISE] ** 2 - trace.excess * above
    if not np.isfinite(error):
        return 1.0
    return probability_of_level(above / span, added / span**2, error / span**2)


def in_rows(chosen: BoolArray) -> BoolArray:
    """Return which frames are the middle of `_GREY_ROW` (3) chosen ones in a row."""
    middle = np.zeros_like(chosen)
    middle[1:-1] = chosen[:-2] & chosen[1:-1] & chosen[2:]
    return middle


def learn_chain(
    trace: Trace,
    upper: FloatArray,
    near: chain.Chain | None = None,
    *,
    keep_level: bool = True,
    needed: float = -np.inf,
) -> chain.Chain:
    """Return a chain; `upper` holds level and spread of on, and of grey if there is one.

    With a chain `near` learning begins at its transitions. `upper` is then kept, and few iterations
    are enough. Without `keep_level` off begins at that of `near`, too, all levels are learnt, and
    the spread of on is drawn to the camera's noise, which is known as well as that of off. Learning
    ends where the log-likelihood `chain_passes.cannot_reach` what is `needed`.
    """
    prior, first = trace.off, trace.first
    few = near is not None and keep_level
    off_levels = [first.off_level, prior.noise]
    if near is not None and not keep_level:
        off_levels = list(near.levels[:2])
    levels = np.concatenate([off_levels, upper])
    kept = ON_FRAMES if first.on_share > 0 and near is None else _FIXED_FRAMES
    known = trace.known(on_frames=kept if keep_level else ON_FRAMES, camera_spread=not keep_level)
    if near is None:
        transition, begin, emission = chain.first_guess(first.on_share, len(upper) > 2)
    else:
        transition, begin, emission = near.transition.copy(), near.begin.copy(), near.emission
    iterations = _FEW_ITERATIONS if few else chain.ITERATIONS
    model = (transition, begin, emission, trace.skewness)
    learnt = chain.learn(trace.x, levels, known, *model, *trace.course, iterations, needed)
    return chain.Chain(levels, transition, begin, emission, *learnt)


def agree_in_rows(x: FloatArray, two: chain.Chain) -> bool:
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
