"""Treat the shortest events, which a camera distorts, and test the fit of the law that results.

A camera turns continuous time into frames, which changes P(t) at the first frames: thresholding a
partly lit frame adds about half a frame, and events shorter than a frame merge or vanish. A plain
fit takes this mismatch for a truncation. The plain law begins at the shortest duration that occurs.
These relaxations of it are tried:

- The events of the shortest duration, or of the two shortest, get probabilities of their own.
- A factor exp(short / t), which is to first order a shift of the durations by a constant fraction
  of a frame (a prior keeps it below about half a frame).
- Both.

A relaxation is kept only if it raises the log-likelihood of the *truncated* law by more than 2.87 a
parameter (a likelihood-ratio test at 5 % over three of them). Durations drawn in whole frames keep
the plain law in about 98 of 100 draws.

**The stated law.** The chosen treatment decides the tests. Few events may not reject the plain law
although its alpha is off by several of its errors: of a power law from one frame on, a camera
leaves a third of the one-frame events of the law in whole frames. For durations of a trace
(`camera`) the law that is stated therefore begins after the shortest duration and has `short` free
within its prior (`Treatments.stated`). Its errors contain what the camera may have changed; they
are 1.3 to 3 times those of durations in whole frames (`auto`).

**The limit.** Where many off events are shorter than a frame, the on events around them merge, and
durations of a pure power law no longer follow one.

**The test of fit** compares the law with itself times a smooth bend
(`laws.DwellLikelihood.gain_by_bend`). Twice the gain is a chi-square of one degree of freedom for
many events. Two corrections, measured on simulated events of either law, bring the size to 4 to
6 % from 50 events on (docs/blinking.md): the ratio is divided by a factor for few events of a steep
law (in the way of M. S. Bartlett, Proc. R. Soc. A 160, 268, 1937), and p is lowered by the share of
rejections that the relaxations prevent.

Input: the events of one nanocrystal or of many. Output: the treatment that describes them best, the
law fitted under it, the p value of the test of fit, and the law to state.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import ndtr

from blinkpair.arrays import FloatArray
from blinkpair.dwell_fits.events import Events
from blinkpair.dwell_fits.laws import DwellLikelihood, Maximum

ShortEvents = Literal["auto", "camera", "trust"]

MIN_DISTINCT = 3  # durations: two points make any law fit
# Half the 5/3 % point of chi-square with one degree of freedom: 5 % over three relaxations.
_GAIN_PER_RELAXATION = 2.87
_DISTINCT_TO_TEST = 3  # of alpha, tau and the bend; more durations make a test of fit
_MIN_LEFT = 10  # events that must remain when the shortest are set aside
_SET_ASIDE = 2  # durations, the shortest ones that occur, at most
# Of the plain law's rejections, the share that is lost to relaxations, over the squared correlation
# of the bend with `short`: measured, 0.02 to 0.20 where that is 0.1 to 0.94.
_LOST_TO_RELAXATIONS = 0.2
_NAN = float("nan")


@dataclass(frozen=True)
class Treatment:
    """A treatment of the shortest events, with the truncated law fitted under it.

    `first` is the shortest duration in the law, `short` whether the factor exp(short / t) is free,
    `fraction` the share of events from `first` on, `score` the log-likelihood less the price of the
    relaxations.
    """

    likelihood: DwellLikelihood
    truncated: Maximum
    first: int
    short: bool
    fraction: float
    score: float

    @cached_property
    def pure(self) -> Maximum:
        """Maximum of the law without a cut-off, under this treatment."""
        return self.likelihood.maximise(rate=0.0, short=self.short, start=self.truncated.parameters)

    def gain_by_bend(self) -> tuple[float, float]:
        """Return `DwellLikelihood.gain_by_bend`; nan for too few different durations."""
        if len(self.likelihood.durations) <= _DISTINCT_TO_TEST + self.short:
            return _NAN, _NAN
        return self.likelihood.gain_by_bend(self.truncated, short=self.short)


@dataclass(frozen=True)
class Treatments:
    """The treatments of a set of events that make sense; the plain law first.

    `last` is the longest duration of the laws, frames; `relax` whether relaxations were tried.
    """

    events: Events
    last: int
    relax: bool
    tried: list[Treatment]

    @classmethod
    def of(cls, events: Events, last: int, *, relax: bool) -> Treatments:
        """Return the plain law, from one frame on, or with `relax` also the relaxed ones."""
        tried = _relaxed(events, last) if relax else []
        return cls(events, last, relax, tried or _treated(events, last, 1, (False,)))

    @cached_property
    def chosen(self) -> Treatment:
        """The treatment that describes the events best."""
        return max(self.tried, key=lambda one: one.score)

    def p_value_fit(self) -> float:
        """Return the p value of the test of fit."""
        plain, chosen = self.tried[0], self.chosen
        gain, correlation = chosen.gain_by_bend()
        left = 1.0
        if plain is not chosen:
            # If a bend explains more than the relaxations do, the shortest events are not the cause
            # of the misfit, and the bend of the plain law is tested.
            of_plain = plain.gain_by_bend()[0]
            if of_plain - _GAIN_PER_RELAXATION > chosen.score - plain.score:
                gain = max(gain, of_plain)
        elif self.relax:
            left -= _LOST_TO_RELAXATIONS * correlation**2
        ratio = 2.0 * gain / _mean_ratio(chosen.truncated.alpha, self.events)
        return left * 2.0 * float(ndtr(-np.sqrt(ratio)))

    def stated(self, first: int | None = None) -> Treatment:
        """Return the treatment of the stated law, whose errors allow for the camera.

        That is `chosen` where the longer events are too few. `first` is the shortest duration of
        the law, frames; by default that of `chosen`, but at least one frame more than the shortest
        event.
        """
        first = max(self.chosen.first, _shortest(self.events) + 1) if first is None else first
        for one in self.tried:
            if one.first == first and one.short:
                return one
        if not _enough(self.events, first):
            return self.chosen
        start = self.chosen.truncated.parameters
        stated = _treated(self.events, self.last, first, (True,), start)[0]
        return stated if _is_sensible(stated) else self.chosen


def _mean_ratio(alpha: float, events: Events) -> float:
    """Return the divisor of twice the gain by a bend; 1 for many events.

    The constants were fitted to the share of rejections at 5 % of 80,000 draws: 50 to 500 events of
    exponents of 0.5 to 2.2, with and without a cut-off.
    """
    steep = float(np.clip(alpha - 1.1, 0.0, 1.1))
    return 1.0 + 0.12 * steep * (50.0 / events.n_complete) ** (1 / 3)


def _relaxed(events: Events, last: int) -> list[Treatment]:
    """Return the plain law and the relaxed ones that make sense; the plain one first."""
    shortest = _shortest(events)
    sensible: list[Treatment] = []
    for first in range(shortest, shortest + _SET_ASIDE + 1):
        if first > shortest and not _enough(events, first):
            break
        for one in _treated(events, last, first, (False, True)):
            plain = first == shortest and not one.short
            # With the shortest events kept, only a lack of them is a shift; an excess is noise
            # or unresolved blinking, and belongs aside. Nor may a relaxation turn the power law
            # into a rising one.
            excess = one.short and first == shortest and one.truncated.parameters[2] > 0
            if not excess and _is_sensible(one, any_alpha=plain):
                sensible.append(one)
    return sensible


def _is_sensible(one: Treatment, *, any_alpha: bool = False) -> bool:
    """Return whether a law is determined and, unless it is the plain one, falls."""
    falls = any_alpha or one.truncated.alpha > 0
    return falls and bool(np.isfinite(one.truncated.log_det_information))


def _treated(
    events: Events,
    last: int,
    first: int,
    with_short: tuple[bool, ...],
    start: FloatArray | None = None,
) -> list[Treatment]:
    """Return the truncated laws of the events of `first` frames and more, without and with short.

    Each fit begins where the one before it ended.
    """
    likelihood = DwellLikelihood(events, first=first, last=last)
    shorter = events.complete[events.frames < first]
    n = likelihood.n_events + int(shorter.sum())
    # Set aside, the events of each shorter duration keep a probability of their own in the
    # likelihood, so that all treatments describe the same data.
    counts = np.append(shorter[shorter > 0], likelihood.n_events)
    aside = float(counts @ np.log(counts / n))
    treated: list[Treatment] = []
    for short in with_short:
        fit = likelihood.maximise(short=short, start=start)
        start = fit.parameters
        price = _GAIN_PER_RELAXATION * (np.count_nonzero(shorter) + short)
        score = fit.log_likelihood + aside - price
        treated.append(Treatment(likelihood, fit, first, short, likelihood.n_events / n, score))
    return treated


def _shortest(events: Events) -> int:
    return int(events.durations[0])


def _enough(events: Events, first: int) -> bool:
    longer = events.from_frames(first)
    return longer.n_complete >= _MIN_LEFT and len(longer.durations) >= MIN_DISTINCT
