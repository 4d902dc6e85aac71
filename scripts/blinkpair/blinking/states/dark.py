"""The time on of an epoch that shows no clear on level.

It may have been dark, with an on level like those of its field, or be a weak emitter, whose own on
level cannot be distinguished from off. In the first case the share of the time on is small, and
known: no frame stands out as even the dimmer nanocrystals of the field would. In the second nothing
is known. To exclude both would take from the results those that were dark in one epoch, which are
what is looked for.

Input: a trace and its chain. Output: the on-fraction and its standard error.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.expected_time import expected_time
from blinkpair.blinking.states.learning import MIN_STEP_NOISES, learn_chain
from blinkpair.blinking.states.levels import Trace

MIN_TYPICAL_STEP_NOISES = 3.0  # of the field: nearer, and what shows no on level may have one
UNKNOWN_SE = 0.5  # of an on-fraction of which nothing is known
MOST_DARK_SHARE = 0.05  # of the time: what was on for longer would show its on level
_FIELD_LEVELS = np.array([-1.5, -0.5, 0.5, 1.5])  # standard deviations from the field's median
# Probabilities, a frame, that it switches on. Few events show it, or none; all sizes are as likely.
_RATES = np.geomspace(3e-4, 0.1, 4)
_LONG_OFF = 1  # the state
_ON_SPREAD = 1.3  # noises
_WEAK_STEP = 1.5  # noises, of a weak emitter: the level from which its own is learnt
_FARTHEST = 2.5  # standard deviations: light of 0.6 % of the field's and less is a neighbour's
_SIGNIFICANT = 3.0  # errors of a covariance, 1 / sqrt(frames)
_MOST_MEMORY = MIN_STEP_NOISES**2 * MOST_DARK_SHARE * (1.0 - MOST_DARK_SHARE)
_CLIPPED = 3.0  # noises: brighter frames, in which it is clearly on, have no weight of their own


def share_without_on_level(trace: Trace, own: chain.Chain) -> tuple[float, float]:
    """Return the share of the time on, 0..1, and its standard error.

    The share is averaged over the field's on levels and over how often it switches on, each weighed
    by how well it agrees with the counts. The trace is a weak emitter if it is brighter than that
    and an off state account for, if its counts have a memory, or if the level of its own agrees
    better by more than a free level (Schwarz's criterion) and its distance from those of the field
    are worth.

    Parameters
    ----------
    trace : Trace
    own : Chain
        Learnt of the trace.
    """
    frames, noise = len(trace.x), trace.off.noise
    own_share = float(own.lit.mean())
    if trace.field_step < MIN_TYPICAL_STEP_NOISES:
        return own_share, UNKNOWN_SE
    with_level = trace.first.on_share > 0
    dark = own
    if with_level:
        on = trace.first.off_level + trace.field_step * noise
        first = trace.first._replace(on_level=on, on_sigma=_ON_SPREAD * noise, on_share=0.0)
        dark = learn_chain(trace._replace(first=first), np.array([on, _ON_SPREAD * noise]))
    found = []
    steps = trace.field_step * np.exp(trace.field_spread * _FIELD_LEVELS)
    transitions = [_leaves_off(dark.transition, rate) for rate in _RATES]
    for step in steps:
        levels = dark.levels.copy()
        levels[emissions.ON_LEVEL] = levels[emissions.OFF_LEVEL] + step * noise
        for transition in transitions:
            model = (transition, dark.begin, dark.emission, trace.skewness, *trace.course)
            time, variance, fit = expected_time(trace.x, levels, *model)
            found.append((time, variance, fit - np.log(len(_RATES))))
    distance = np.repeat(_FIELD_LEVELS, len(_RATES))
    memory = _memory(trace)
    if memory > _SIGNIFICANT / np.sqrt(frames):
        weak = _weak_emitter(trace)
        step = (weak.levels[emissions.ON_LEVEL] - weak.levels[emissions.OFF_LEVEL]) / noise
        below = np.log(step / trace.field_step) / trace.field_spread
        if -_FARTHEST < below < _FIELD_LEVELS[0]:
            found.append((weak.lit.sum(), 0.0, weak.log_likelihood))
            distance = np.append(distance, below)
    time, variance, fit = np.array(found).T
    weight = np.exp(fit - fit.max() - 0.5 * distance**2)
    weight /= weight.sum()
    mean = float(weight @ time)
    se = float(np.sqrt(weight @ (variance + (time - mean) ** 2)))
    is_weak = trace.x.mean() - mean / frames * trace.field_step * noise > trace.off.high
    if with_level and own_share > MOST_DARK_SHARE:
        step = (own.levels[emissions.ON_LEVEL] - own.levels[emissions.OFF_LEVEL]) / noise
        away = np.log(step / trace.field_step) / trace.field_spread
        is_weak |= own.log_likelihood - fit.max() > 0.5 * (away**2 + np.log(frames))
    if is_weak or mean > MOST_DARK_SHARE * frames or memory > _MOST_MEMORY:
        return own_share, UNKNOWN_SE
    return mean / frames, se / frames


def _leaves_off(transition: FloatArray, rate: float) -> FloatArray:
    """Return transitions whose long-lived off state is left with the probability `rate`."""
    changed = transition.copy()
    changed[_LONG_OFF] *= rate / (1.0 - changed[_LONG_OFF, _LONG_OFF])
    changed[_LONG_OFF, _LONG_OFF] = 1.0 - rate
    return changed


def _weak_emitter(trace: Trace) -> chain.Chain:
    """Return the chain of a level of its own, learnt from below those of the field."""
    on = trace.first.off_level + _WEAK_STEP * trace.off.noise
    first = trace.first._replace(on_level=on, on_sigma=_ON_SPREAD * trace.off.noise, on_share=0.2)
    return learn_chain(trace._replace(first=first), np.array([on, first.on_sigma]))


def _memory(trace: Trace) -> float:
    """Return the covariance of neighbouring frames, noises^2: zero where all are off.

    A level of s noises for a share f of the time adds s^2 f (1 - f).
    """
    noise = trace.off.noise * trace.course.factors[trace.course.part, 0]
    z = np.clip((trace.x - trace.off.level) / noise, -_CLIPPED, _CLIPPED)
    z -= z.mean()
    return float((z[1:] * z[:-1]).mean())
