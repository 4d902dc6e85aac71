"""On/off states, and the time on, by a hidden Markov model of each nanocrystal.

The off level is not free: its place and its noise are those of a place without a nanocrystal beside
it, plus at most a few per cent of the on level, and are known to a few per cent before the trace is
looked at (`off_levels`). A trace whose quietest level lies above that is on throughout. On is each
nanocrystal's own: level and spread are learnt. Whether there is an upper level at all is decided by
the likelihood, against what the same fit makes of the empty places.

A nanocrystal that switches during a frame is on for a part of it: such a partly lit frame is a
state of its own, any part being equally likely, and it counts as on where more than half of it was.
So a short event that fills half a frame is neither smoothed away nor invented. Off and on come in
two kinds, short-lived and long-lived, alike in counts: two exponentials are a fair approximation of
a power law over the durations that matter. A single one describes the average event, and erases
most events, which are short.

Where on levels change through the movie, their course is taken out first (`creep`). A third level,
grey, is tried where the counts suggest one (`learning`), and counts as on. So are two emitters in
one spot (`two_emitters`), which is on while at least one of them is. `time_on` has the
on-fraction and its standard error, `dark` those of an epoch without an on level. What is shorter
than a frame follows from laws that are learnt from the whole field (`short_events`, `event_laws`);
where no frame need show the on level, those of the field stand in for it (`unseen_level`).
Events at levels of their own and stretches of fast switching are corrected for (`event_levels`,
`restless`).

It is own code, because it needs such emissions and kinds, and hmmlearn takes some 0.3 s for a trace
of 20,000 frames, ten times as long.

Input: counts, and what is known of the off levels. Output: states, the counts that make a single
frame on, and the time on with its standard error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.blinking.off_levels import OffLevels
from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.creep import (
    Stretches,
    common_course,
    constant_level,
    level_course,
    light_change,
    on_stretches,
)
from blinkpair.blinking.states.dark import UNKNOWN_SE
from blinkpair.blinking.states.event_laws import LAWS, law_weights
from blinkpair.blinking.states.event_runs import seen_share
from blinkpair.blinking.states.fast_switching import square_of_shifts
from blinkpair.blinking.states.flicker import frame_light
from blinkpair.blinking.states.learning import Learnt, learn, learn_two
from blinkpair.blinking.states.levels import OffPrior, Trace, first_levels
from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.blinking.states.time_on import (
    Found,
    clearness,
    fast_excess,
    find_short_events,
    on_share,
    shows_off,
    unexplained_variance,
)
from blinkpair.blinking.states.two_emitters import suggests_two, with_two_emitters
from blinkpair.blinking.states.unseen_level import shares_of_found

_MIN_FRAMES = 20
_OFF_EMISSION = 0.01  # of the on level: what a nanocrystal emits when it is off, one sigma
_MAX_OFF_EMISSION = 0.03
_LEVEL_RANGE = 3.0
_LEAST_GAIN = 8.0  # of the log-likelihood by an on level
_NULL_PLACES = 60  # empty places whose gain shows what noise makes
_CLEAR_STEP = 2.5  # noises: levels farther apart give the field's typical step
# Standard deviation of the logarithm of a field's on levels, wide: the one that is looked for was
# dark, and may be dimmer than those that were seen.
_LEAST_SPREAD, _NOTHING_KNOWN = 0.5, 1.0
_FEW = 5  # clear on levels: with fewer their spread is not known
_DEFAULT_STEP = 8.0  # noises, where no nanocrystal of the field was on
# Of the field's traces so many show the camera's noise alone; that quantile of normal errors.
_CAMERA_QUANTILE, _CAMERA_ERRORS = 0.1, 1.28
_AGREE_ERRORS = 2.0


def assign(
    counts: NDArray[np.float32],
    settings: ThresholdSettings,
    off: OffLevels,
    *,
    course: emissions.NoiseCourse | None = None,
) -> AssignedStates:
    """Return the states of the model; `settings.counts` decides where nothing is known of off.

    Counts are divided by the course of the light that the field's nanocrystals have in common,
    where they show one. Where a `course` of the noise is given, they already were.
    """
    n = len(counts)
    states = counts > settings.counts
    thresholds = np.full(n, float(settings.counts))
    source = np.full(n, "fixed")
    fraction, se = np.full(n, np.nan), np.full(n, UNKNOWN_SE)
    two_emitters = np.zeros(n, bool)
    finite = np.isfinite(counts)
    usable = (off.noise_counts > 0) & (finite.sum(axis=1) >= _MIN_FRAMES)
    traces = {
        int(i): np.ascontiguousarray(counts[i, finite[i]], np.float64)
        for i in np.flatnonzero(usable)
    }
    known = ~usable & finite.any(axis=1)
    fraction[known] = states[known].sum(axis=1) / finite[known].sum(axis=1)
    found: dict[int, Found] = {}
    noise = course or emissions.NoiseCourse.constant(counts.shape[1])
    if course is None and off.focus is not None:
        # Divided by the share of the light in the aperture, noise rises as it falls.
        noise = emissions.NoiseCourse.of(off.focus, 1.0)
    courses = {i: noise.among(finite[i]) for i in traces}
    two = {i: (t, learn_two(t)) for i, t in _with_first_levels(traces, off, courses).items()}
    stretches = {i: on_stretches(trace.x, wide.levels) for i, (trace, wide) in two.items()}
    # A course is of all frames: nanocrystals that were not measured in some have none in common.
    all_frames = [i for i in two if finite[i].all()]
    whole = [stretches[i] for i in all_frames]
    light = None
    if course is None:
        light = frame_light([(two[i][0].x, two[i][1].levels) for i in all_frames])
        light = common_course(whole, counts.shape[1]) if light is None else light
    if light is not None:
        steady = (counts / light).astype(np.float32)
        whole_course = light if off.focus is None else light * off.focus
        course = emissions.NoiseCourse.of(whole_course, off.noise_power(light))
        found_there = assign(steady, settings, off.in_light(light), course=course)
        return found_there._replace(light_change=light_change(whole, counts.shape[1]))
    excess, confirmed = _excess_noise(list(two.values()))
    for i, (first, wide) in two.items():
        trace = first._replace(excess=excess, excess_confirmed=confirmed)
        trace, learnt = _learnt(trace, wide, stretches[i])
        result = learnt.chain
        states[i] = False
        states[i, finite[i]] = result.over_half > 0.5
        source[i] = "hmm"
        two_emitters[i] = learnt.two_emitters is not None
        found[i] = find_short_events(trace, learnt)
        thresholds[i] = _threshold(found[i])
    laws = _laws_of_short_events(list(found.values()))
    added = [
        unexplained_variance(one, dims) for one, dims in zip(found.values(), laws[1], strict=True)
    ]
    shifts = square_of_shifts(*np.array(added).reshape(-1, 2).T)
    shares = shares_of_found([(one.trace, one.learnt.chain) for one in found.values()])
    for (i, one), *of_field in zip(found.items(), *laws, shifts, shares, strict=True):
        fraction[i], se[i] = on_share(one, *of_field)
    return AssignedStates(states, thresholds, source, fraction, se, two_emitters)


def _learnt(trace: Trace, wide: chain.Chain, stretches: Stretches | None) -> tuple[Trace, Learnt]:
    """Return the trace and its chain: with a constant on level, or two emitters, where likelier.

    Where the on level changes, two emitters are tried as well: their levels may look like a course.
    """
    steady, learnt, fit = _at_constant_level(trace, wide, stretches)
    if steady is trace and not suggests_two(trace, learnt.chain):
        return trace, learnt
    found = with_two_emitters(trace, learnt, fit)
    return (steady if found.two_emitters is None else trace), found


def _threshold(found: Found) -> float:
    """Return the counts above which a frame between two off ones is likelier on than off."""
    result, runs = found.learnt.chain, found.flash_runs
    seen = runs.seen if runs else seen_share(result, found.trace.skewness, emissions.OFF)
    off_level, on_level = result.levels[[emissions.OFF_LEVEL, emissions.ON_LEVEL]]
    return float(off_level + seen * (on_level - off_level))


def _at_constant_level(
    trace: Trace, wide: chain.Chain, stretches: Stretches | None
) -> tuple[Trace, Learnt, float]:
    """Return a trace, its chain and log-likelihood: with a constant on level where likelier."""
    learnt = learn(trace, wide)
    fit = learnt.chain.log_likelihood
    if (course := level_course(trace.x, wide.levels, stretches)) is None:
        return trace, learnt, fit
    x, log_slopes = constant_level(trace.x, course, wide.levels)
    constant = trace._replace(x=x)
    again = learn(constant, learn_two(constant))
    if again.chain.log_likelihood + log_slopes > fit:
        return constant, again, again.chain.log_likelihood + log_slopes
    return trace, learnt, fit


def _laws_of_short_events(found: list[Found]) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities of the laws of flashes and of dims, (n, laws) each."""
    clear = np.array([clearness(one.learnt.chain.levels) for one in found])
    weights = []
    for events, runs in (
        ([one.flashes for one in found], [one.flash_runs for one in found]),
        ([one.dims for one in found], [one.dim_runs for one in found]),
    ):
        fit = np.array([np.zeros(len(LAWS)) if e is None else e.fit for e in events])
        by_runs = np.array([np.zeros(len(LAWS)) if r is None else r.log_laws() for r in runs])
        use = np.maximum(clear, [0.0 if r is None else r.use() for r in runs])
        agreement = fit.reshape(-1, len(LAWS)) * clear[:, None] + by_runs.reshape(-1, len(LAWS))
        weights.append(law_weights(agreement, use))
    return weights[0], weights[1]


def _with_first_levels(
    traces: dict[int, FloatArray], off: OffLevels, courses: dict[int, emissions.NoiseCourse]
) -> dict[int, Trace]:
    """Return the traces with first levels; without an on level of its own, one has the field's."""
    first: dict[int, Trace] = {}
    for i, x in traces.items():
        on = max(float(np.quantile(x, 0.99)) - off.level_counts[i], 0.0)
        prior = _prior(off, i, on)
        first[i] = Trace(x, prior, first_levels(x, prior), courses[i])
    frames = max((len(x) for x in traces.values()), default=0)
    least = _noise_gain(off, frames)
    steps = [
        (t.first.on_level - t.first.off_level) / t.off.noise
        for t in first.values()
        if t.first.gain > least
    ]
    clear = [step for step in steps if step > _CLEAR_STEP]
    typical = float(np.median(clear)) if clear else _DEFAULT_STEP
    spread = _NOTHING_KNOWN if len(clear) < _FEW else max(float(np.log(clear).std()), _LEAST_SPREAD)
    for i, trace in first.items():
        # The off emission of one that is hardly on is judged by the on level of the others.
        step = (trace.first.on_level - trace.first.off_level) / trace.off.noise
        if step > _CLEAR_STEP and trace.first.gain > least:
            continue
        prior = _prior(off, i, typical * trace.off.noise)
        found = first_levels(trace.x, prior)
        if found.gain <= least:
            on = found.off_level + typical * prior.noise
            found = found._replace(on_level=on, on_sigma=1.3 * prior.noise, on_share=0.0)
        first[i] = Trace(trace.x, prior, found, trace.course)
    excess = _first_excess([t for t in first.values() if t.first.on_share > 0])
    return {
        i: t._replace(skewness=_skewnesses(t, excess), field_step=typical, field_spread=spread)
        for i, t in first.items()
    }


def _first_excess(traces: list[Trace]) -> float:
    """Return the variance of the signal over its mean by first levels: a low quantile."""
    steps = np.array([t.first.on_level - t.first.off_level for t in traces])
    added = np.array([t.first.on_sigma**2 - t.off.noise**2 for t in traces])
    return float(np.quantile(np.maximum(added, 0.0) / steps, 0.25)) if len(traces) else 0.0


def _excess_noise(learnt: list[tuple[Trace, chain.Chain]]) -> tuple[float, bool]:
    """Return the variance of the signal over its mean: the camera's, and whether traces confirm it.

    Neighbouring frames on differ by the camera's noise, and not by what lasts. What switches within
    frames only adds to it: the lowest tenth of the field's upper limits is the camera's, or that of
    the traces that are off for whole frames, where it is lower, and from there the mean of those
    that agree with it. It is the camera's with certainty where half of the field agree with it;
    where all switch within frames they scatter above it.
    """
    limits = []
    for trace, result in learnt:
        if trace.first.on_share > 0 and np.isfinite((found := fast_excess(trace, result))[1]):
            limits.append((found[0] / found[2], found[1] / found[2], shows_off(result)))
    if not limits:
        return 0.0, False
    value, error, slow = np.array(limits).T
    limit = value + _CAMERA_ERRORS * error
    lowest = float(np.quantile(limit, _CAMERA_QUANTILE))
    if slow.sum() >= _FEW:
        lowest = min(lowest, float(np.quantile(limit[slow > 0], _CAMERA_QUANTILE)))
    agrees = np.abs(value - lowest) < _AGREE_ERRORS * error
    if agrees.any():
        lowest = float(np.average(value[agrees], weights=error[agrees] ** -2))
    lowest = max(lowest, 0.0)
    return lowest, bool(np.median(np.abs(value - lowest) / error) < _AGREE_ERRORS)


def _skewnesses(trace: Trace, excess: float) -> tuple[float, float]:
    """Return the skewness of off and on counts.

    Third cumulants add up. That of a signal is its mean times the square of the excess noise, for
    photons alone, and 1.5 times that behind a multiplying register (a Poisson sum of exponentials).
    """
    prior, first = trace.off, trace.first
    third = prior.skewness * prior.noise**3
    third += 1.25 * excess**2 * max(first.on_level - first.off_level, 0.0)
    return prior.skewness, min(third / first.on_sigma**3, 1.5)


def _prior(off: OffLevels, i: int, on: float) -> OffPrior:
    """Return what is known of an off level, given that on lies `on` counts above it."""
    # The camera's offsets differ from pixel to pixel, so the own empty place knows no more.
    level, se = float(np.median(off.level_counts)), float(off.level_se_counts[i])
    return OffPrior(
        level=level,
        level_se=float(np.hypot(se, _OFF_EMISSION * on)),
        noise=float(off.noise_counts[i]),
        noise_se=off.noise_se,
        low=level - _LEVEL_RANGE * se,
        high=level + _LEVEL_RANGE * se + _MAX_OFF_EMISSION * on,
        skewness=off.skewness,
    )


def _noise_gain(off: OffLevels, frames: int) -> float:
    """Return the gain of the likelihood that an on level needs: more than noise makes.

    What the fit gains at empty places is partly chance, partly that noise is not exactly gamma
    distributed, which grows with the number of frames.
    """
    rows = off.empty[:: max(len(off.empty) // _NULL_PLACES, 1)]
    if not len(rows) or rows.shape[1] < _MIN_FRAMES:
        return _LEAST_GAIN
    gains = []
    for row in rows:
        x = np.asarray(row, np.float64)
        level, noise = float(np.mean(x)), float(np.std(x))
        se = 0.1 * noise
        low, high = level - _LEVEL_RANGE * se, level + _LEVEL_RANGE * se
        prior = OffPrior(level, se, noise, off.noise_se, low, high, off.skewness)
        gains.append(first_levels(x, prior).gain if noise > 0 else 0.0)
    longer = max(frames / rows.shape[1], 1.0)
    return max(_LEAST_GAIN, 2.0 * longer * float(np.quantile(gains, 0.9)))
