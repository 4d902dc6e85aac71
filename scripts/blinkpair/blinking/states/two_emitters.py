"""The time on of a spot that holds two nanocrystals, closer than the PSF.

The spot is on while at least one of them is. The chain of one emitter (`chain`) has the levels off,
on and perhaps grey. Two emitters have four levels, and the chain of one may take the dimmer emitter
alone for off or for frames lit in part. Where the counts suggest it (`suggests_two`), the chain of
two emitters (`two_emitters_chain`) is therefore learnt as well. It replaces that of one where

- it is likelier by more than its parameters are worth (Schwarz's criterion), and
- its levels persist and scatter by the camera's noise alone (`_weight_of_levels`), that of the
  dimmer emitter alone among them. The averages of what switches within frames do neither, and may
  be likelier with four levels, too.

A level much dimmer than the on level may be that of dirt or of a neighbour. It is weighed as a grey
level is (`time_on.foreign_share`).

Input: a trace and its chain. Output: the chain, as `time_on` takes it, with the time on.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.expected_time import moments_of_time
from blinkpair.blinking.states.learning import (
    HOPELESS,
    MIN_STEP_NOISES,
    Learnt,
    agree_in_rows,
)
from blinkpair.blinking.states.levels import Trace
from blinkpair.blinking.states.time_on import foreign_share, weak_level
from blinkpair.blinking.states.two_emitters_chain import (
    ALONE,
    BOTH,
    ON,
    PARTLY_ALONE,
    PARTLY_BOTH,
    PARTLY_BOTH_SHARE,
    TwoEmitters,
    first_guess,
    learn,
)
from blinkpair.blinking.states.two_emitters_levels import first_steps

_STARTS = 2  # pairs of first steps, of which the likelier one after a few iterations is learnt
_FIRST_ITERATIONS, _ITERATIONS = 3, 9
# Two emitters are tried where one of these is exceeded.
_WIDE, _WIDE_OFF = 1.2, 1.1  # spread of on, and of off, in units of the camera's noise
_ABOVE, _SHARE_ABOVE = 5.0, 0.001  # noises above on; share of the frames that are brighter
_PAIRS = 0.02  # share of the frames that are lit in part, as the next one is, with counts alike
# The dimmer emitter, in noises and of the brighter one: off is not known well enough for less.
_LEAST_NOISES, _LEAST_SHARE = 1.0, 0.15
_GAIN_PER_PARAMETER, _PARAMETERS = 0.5, 6  # of log(frames), as of a grey level
_ENCLOSED_FRAMES = 20  # between two of a level: a level with fewer is not judged
# Share of these that are of the level: above the first it persists, below the second it does not.
_PERSISTS, _PASSES = 0.9, 0.7
_WIDER, _ERRORS = 1.1, 2.0  # their spread over the level's: at most so much, and errors above it
_QUARTILES_APART = 1.349  # of a normal variable, in its standard deviations
_EVEN_SHARES = 1.0 / 12.0  # variance of shares that are equally likely


def suggests_two(trace: Trace, one: chain.Chain) -> bool:
    """Return whether the counts differ from those of one emitter with one on level."""
    if trace.first.on_share == 0:
        return False
    if len(one.levels) > emissions.GREY_LEVEL:
        return True
    partly = one.probability[:, emissions.PARTLY] > 0.5
    off, noise, on, sigma = one.levels
    camera = np.sqrt(noise**2 + trace.excess * (on - off))
    if sigma > _WIDE * camera or noise > _WIDE_OFF * trace.off.noise:
        return True
    if (trace.x > on + _ABOVE * camera).mean() > _SHARE_ABOVE:
        return True
    return (partly[1:] & partly[:-1]).mean() > _PAIRS and agree_in_rows(trace.x, one)


def with_two_emitters(trace: Trace, learnt: Learnt, fit: float) -> Learnt:
    """Return the chain of two emitters, or that of one with a variance that allows for two.

    Parameters
    ----------
    trace : Trace
    learnt : Learnt
        Chain of one emitter.
    fit : float
        Log-likelihood of that chain.
    """
    one = learnt.chain
    guesses = [first_guess(trace, *steps) for steps in first_steps(trace, _STARTS)]
    tried = [learn(trace, guess, _FIRST_ITERATIONS) for guess in guesses]
    # A chain of one emitter with a grey level has as many parameters as that of two.
    parameters = 0 if len(one.levels) > emissions.GREY_LEVEL else _PARAMETERS
    as_likely = fit + _GAIN_PER_PARAMETER * parameters * np.log(len(trace.x))
    needed = as_likely - HOPELESS
    two = learn(trace, max(tried, key=lambda found: found.log_likelihood), _ITERATIONS, needed)
    if two.log_likelihood < needed:
        return learnt
    dim, bright = np.argsort(two.steps[:2])
    ratio = float(two.steps[dim] / two.steps[bright])
    if two.steps[dim] < _LEAST_NOISES * two.off[1] or ratio < _LEAST_SHARE:
        return learnt
    probability = float(expit(two.log_likelihood - as_likely))
    time, variance = _time_on(two)
    in_dim = float(two.probability[:, [ALONE[dim], PARTLY_ALONE[dim]]].sum())
    foreign = foreign_share(ratio)
    time -= foreign * in_dim
    variance += foreign * (1.0 - foreign) * in_dim**2
    foreign_grey, grey = weak_level(one)
    # Squared difference of the times on by two emitters and by one.
    apart = (time - (one.lit.sum() - foreign_grey * grey)) ** 2
    of_levels = _weight_of_levels(trace, two)
    if of_levels == 1.0 and probability > 0.5:
        return Learnt(_as_chain(one, two), (1.0 - probability) * apart, (time, variance))
    return learnt._replace(variance=learnt.variance + of_levels * probability * apart)


def _weight_of_levels(trace: Trace, two: TwoEmitters) -> float:
    """Return the weight of two emitters by their levels: 1, 1/3 or 0.

    1 where frames show levels that persist and scatter as the camera makes them; 0 where they do
    not persist, as averages over switching within frames, or where the dimmer emitter alone is
    hardly seen: frames lit in part and a level that wanders are like it. In between neither one
    emitter nor two need be right: the time on is evenly distributed between both, and its variance
    a third of the squared difference.
    """
    unclear = False
    dim_alone = ALONE[int(np.argmin(two.steps[:2]))]
    for k, state in enumerate((*ALONE, BOTH)):
        of_it = two.probability[:, state] > 0.5
        enclosed = np.flatnonzero(of_it[2:] & of_it[:-2]) + 1
        if len(enclosed) < _ENCLOSED_FRAMES:
            if state == dim_alone:
                return 0.0
            continue
        persists = of_it[enclosed].mean()
        if persists < _PASSES:
            return 0.0
        low, high = np.percentile(trace.x[enclosed], (25, 75))
        spread = (high - low) / _QUARTILES_APART / two.spreads[k]
        unclear |= persists < _PERSISTS or spread > _WIDER + _ERRORS / np.sqrt(len(enclosed))
    distinct = two.steps[:2].min() >= MIN_STEP_NOISES * two.off[1]
    return 1.0 if distinct and not unclear else 1.0 / 3.0


def _as_chain(one: chain.Chain, two: TwoEmitters) -> chain.Chain:
    """Return a chain of two levels, on being that of the emitter that is more often on alone.

    `time_on` finds events shorter than a frame with it. The transitions are those of `one`.
    """
    p = two.probability
    alone = int(np.argmax(p[:, ALONE].sum(axis=0)))
    level, spread = two.off[0] + two.steps[alone], two.spreads[alone]
    whole = p[:, ON].sum(axis=1)
    partly = p[:, (*PARTLY_ALONE, PARTLY_BOTH)]
    share = np.column_stack([two.partly, np.full(len(p), PARTLY_BOTH_SHARE)])
    in_part = (partly * share).sum(axis=1)
    noise = 0.5 * (two.off[1] ** 2 + two.spreads[:2] ** 2) / two.steps[:2] ** 2
    of_share = np.append(np.minimum(noise, _EVEN_SHARES), _EVEN_SHARES)
    variance = (partly * (share**2 + of_share)).sum(axis=1) + whole - (whole + in_part) ** 2
    states = chain.TWO_LEVEL_STATES
    transition = one.transition[:states, :states]
    return one._replace(
        levels=np.array([*two.off, level, spread]),
        transition=transition / transition.sum(axis=1, keepdims=True),
        begin=one.begin[:states] / one.begin[:states].sum(),
        emission=one.emission[:states],
        probability=np.column_stack([p[:, 0], partly.sum(axis=1), p[:, ALONE[alone]]]),
        over_half=whole + (partly * (share > 0.5)).sum(axis=1),
        lit=whole + in_part,
        partly=np.array([in_part.sum(), variance.sum()]),
        share=one.share[:states],
        log_likelihood=two.log_likelihood,
    )


def _time_on(two: TwoEmitters) -> tuple[float, float]:
    """Return mean and variance of the time in which at least one emitter is on, in frames."""
    lit = np.zeros_like(two.density)
    lit[:, ON] = 1.0
    lit[:, PARTLY_ALONE] = two.partly
    lit[:, PARTLY_BOTH] = PARTLY_BOTH_SHARE
    transition = np.kron(*two.transitions)
    return moments_of_time(two.density, lit, np.zeros_like(lit), transition, two.begin)[:2]
