"""Treat the shortest events, which a camera distorts, and test the fit of the law that results.

How a camera turns continuous time into frames changes P(t) at the first frames (thresholding a
partly lit frame adds about half a frame, events shorter than a frame merge or vanish), and a plain
fit of them takes the mismatch for a truncation. So three relaxations are tried, each kept only if
it raises the log-likelihood of the *truncated* law by more than 2.87 a parameter (a
likelihood-ratio test at 5 % over the three): leave the events of one frame to a probability of
their own; a factor exp(short / t), which is to first order a shift of the durations by a constant
fraction of a frame (with a prior that it is no more than about half a frame); both. Durations drawn
in whole frames keep the plain law in about 98 of 100 draws.

The limit: where many off events are shorter than a frame, the on events around them
merge, and a pure power law is then no longer one.

**The test of fit** compares the law with itself times a smooth bend
(`laws.DwellLikelihood.gain_by_bend`). Twice the gain is a chi-square of one degree of freedom for
many events. Two corrections, measured on simulated events of either law, bring the size to 4 to
6 % from 50 events on (docs/blinking.md): the ratio is divided by a factor for few events of a steep
law (in the way of M. S. Bartlett, Proc. R. Soc. A 160, 268, 1937), and p is lowered by the share of
rejections that the relaxations prevent.

Input: the events of one nanocrystal or of many. Output: the treatment that describes them best, the
law fitted under it, and the p value of the test of fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from blinkpair.arrays import FloatArray
from blinkpair.dwell_fits.events import Events
from blinkpair.dwell_fits.laws import DwellLikelihood, Maximum

MIN_DISTINCT = 3  # durations: two points make any law fit
# Half the 5/3 % point of chi-square with one degree of freedom: 5 % over three relaxations.
_GAIN_PER_RELAXATION = 2.87
_DISTINCT_TO_TEST = 3  # of alpha, tau and the bend; more durations make a test of fit
_MIN_LEFT = 10  # events that must remain when those of one frame are set aside
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

    def gain_by_bend(self) -> tuple[float, float]:
        """Return `DwellLikelihood.gain_by_bend`; nan for too few different durations."""
        if len(self.likelihood.durations) <= _DISTINCT_TO_TEST + self.short:
            return _NAN, _NAN
        return self.likelihood.gain_by_bend(self.truncated, short=self.short)


def choose_treatment(events: Events, last: int, *, relax: bool) -> tuple[Treatment, float]:
    """Return the treatment that describes the events best, and the p value of the test of fit.

    Parameters
    ----------
    events : Events
    last : int
        Longest duration of the laws, frames.
    relax : bool
        Whether relaxations are tried; without, it is the plain law from one frame on.
    """
    candidates = _candidates(events, last, relax=relax)
    plain, chosen = candidates[0], max(candidates, key=lambda c: c.score)
    gain, correlation = chosen.gain_by_bend()
    left = 1.0
    if plain is not chosen:
        # Where a bend of the plain law explains more than what was relaxed for the shortest
        # events, they are not what is wrong.
        of_plain = plain.gain_by_bend()[0]
        if of_plain - _GAIN_PER_RELAXATION > chosen.score - plain.score:
            gain = max(gain, of_plain)
    elif relax:
        left -= _LOST_TO_RELAXATIONS * correlation**2
    ratio = 2.0 * gain / _mean_ratio(chosen.truncated.alpha, events)
    return chosen, left * 2.0 * float(ndtr(-np.sqrt(ratio)))


def _mean_ratio(alpha: float, events: Events) -> float:
    """Return what twice the gain by a bend is divided by; 1 for many events.

    The constants were fitted to the share of rejections at 5 % of 80,000 draws: 50 to 500 events of
    exponents of 0.5 to 2.2, with and without a cut-off.
    """
    steep = float(np.clip(alpha - 1.1, 0.0, 1.1))
    return 1.0 + 0.12 * steep * (50.0 / events.n_complete) ** (1 / 3)


def _candidates(events: Events, last: int, *, relax: bool) -> list[Treatment]:
    """Return the plain law and the relaxed ones that make sense; the plain one first."""
    one_frame = events.n_complete - events.from_frames(2).n_complete
    candidates: list[Treatment] = []
    for first in (1, 2):
        if first == 2 and not _enough_longer(events):
            break
        likelihood = DwellLikelihood(events, first=first, last=last)
        n = likelihood.n_events + (one_frame if first == 2 else 0)
        fraction = likelihood.n_events / n
        # Set aside, the events of one frame keep a probability of their own in the likelihood,
        # so that all treatments describe the same data.
        aside = 0.0
        if first == 2:
            aside = sum(m * np.log(m / n) for m in (one_frame, n - one_frame) if m)
        start: FloatArray | None = None
        for short in (False, True):
            fit = likelihood.maximise(short=short, start=start)
            start = fit.parameters
            # With the one-frame events kept, only a lack of short events is a shift; an excess
            # is noise or unresolved blinking, and belongs aside. Nor may a relaxation turn the
            # power law into a rising one.
            relaxed = short or first == 2
            sensible = not (short and first == 1 and fit.parameters[2] > 0)
            sensible &= not relaxed or fit.alpha > 0
            if sensible and np.isfinite(fit.log_det_information):
                extra = (first == 2) + short
                score = fit.log_likelihood + aside - _GAIN_PER_RELAXATION * extra
                candidates.append(Treatment(likelihood, fit, first, short, fraction, score))
            if not relax:
                return [Treatment(likelihood, fit, first, short, fraction, 0.0)]
    return candidates or _candidates(events, last, relax=False)


def _enough_longer(events: Events) -> bool:
    longer = events.from_frames(2)
    return longer.n_complete >= _MIN_LEFT and len(longer.durations) >= MIN_DISTINCT
