"""Compare the likelihood of events with a cut-off within 1 s and without one, in one number.

A verdict on the law needs many events, and a nanocrystal that is hardly ever off has few. Its long
events exclude a short cut-off nevertheless. This ratio counts them: it needs no least number of
events, and its logarithm is 0 where the events show nothing. The shares of types are made of it
(`populations.type_shares`).

Both likelihoods are means over what is not known, so that their ratio compares the laws and not
their best fits: the alpha of a law without a cut-off is determined more exactly than that of a law
with one, and at the maxima alone the pure law would be too likely. Cut-offs of 1, 1/2, 1/4 ... s
down to two frames are equally likely. Alpha is 0 or more and normal, 1.5 +- 1, for either law; the
nanocrystals of a treatment show later how it is distributed (`populations.type_ratios`). The mean
over alpha and over the shift of the shortest events (`short_events`) is that of the normal
distribution with the height and curvature of the maximum (Laplace's method; L. Tierney and J. B.
Kadane, J. Am. Stat. Assoc. 81, 82, 1986).

The events begin two frames after the shortest duration: a camera distorts the shorter ones, and
the distortion has the shape of a cut-off.

Input: the events of one nanocrystal. Output: the natural logarithm of the ratio, and alpha by
either law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.dwell_fits.events import Events
from blinkpair.dwell_fits.laws import UNBOUNDED, DwellLikelihood
from blinkpair.dwell_fits.verdicts import TAU_OF_INTEREST_S

CERTAIN = 30.0  # of the logarithm: larger ratios change no share
# Before any event: exponents of on events in the literature are 1 to 2, and some are 2.5.
PRIOR_ALPHA, PRIOR_ALPHA_SD = 1.5, 1.0
_SHORTEST_FRAMES = 2  # of cut-offs: shorter ones leave events of hardly more than a frame
_LEFT_OUT_FRAMES = 2  # from the shortest duration on


@dataclass(frozen=True)
class CutOffRatio:
    """Natural logarithm of the ratio, -30 to 30, and mean and error of alpha by either law."""

    log_ratio: float = 0.0
    alpha_without: float = PRIOR_ALPHA
    alpha_without_se: float = PRIOR_ALPHA_SD
    alpha_with: float = PRIOR_ALPHA
    alpha_with_se: float = PRIOR_ALPHA_SD


def ratio_of_cut_off(events: Events, *, exposure_s: float) -> CutOffRatio:
    """Return the likelihood with a cut-off within 1 s over that without.

    Parameters
    ----------
    events : Events
        Those of a trace; those that its start or its end cut are in `cut`.
    exposure_s : float
        Frame interval.
    """
    complete = events.durations
    first = int(complete[0]) + _LEFT_OUT_FRAMES if complete.size else 1
    if not events.from_frames(first).frames.size:
        return CutOffRatio()
    likelihood = DwellLikelihood(events, first=first, last=UNBOUNDED)
    start: FloatArray | None = None

    def averaged(rate: float) -> FloatArray:
        nonlocal start
        mean, start = _averaged(likelihood, rate, start)
        return mean

    without = averaged(0.0)
    laws: list[FloatArray] = []
    tau = TAU_OF_INTEREST_S / exposure_s
    while not laws or tau >= _SHORTEST_FRAMES:
        laws.append(averaged(1.0 / tau))
        # The likelihood is concave in the rate: what 1 s excludes, shorter cut-offs do not explain.
        if laws[0][0] - without[0] < -CERTAIN or laws[-1][0] - without[0] > 2 * CERTAIN:
            break
        tau /= 2
    heights, alphas, variances = np.array(laws).T
    weights = np.exp(heights - heights.max())
    log_ratio = heights.max() + np.log(weights.mean()) - without[0]
    weights /= weights.sum()
    alpha = float(weights @ alphas)
    return CutOffRatio(
        float(np.clip(log_ratio, -CERTAIN, CERTAIN)),
        float(without[1]),
        float(np.sqrt(without[2])),
        alpha,
        float(np.sqrt(weights @ (variances + (alphas - alpha) ** 2))),
    )


def _averaged(
    likelihood: DwellLikelihood, rate: float, start: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return ln of the mean likelihood at a rate, mean and variance of alpha; the maximum."""
    fit = likelihood.maximise(rate=rate, short=True, start=start)
    height, alpha, prior = fit.log_likelihood, fit.alpha, PRIOR_ALPHA_SD**2
    if not alpha > 0:
        alpha = 0.0
        height = likelihood.maximise(alpha=alpha, rate=rate, short=True).log_likelihood
    variance = float(fit.covariance[0, 0])
    if not variance > 0:  # events that do not determine alpha
        return np.array([height, PRIOR_ALPHA, prior]), fit.parameters
    of_shift = fit.log_det_information + np.log(variance)
    of_alpha = np.log(prior / variance + 1.0) + (alpha - PRIOR_ALPHA) ** 2 / (variance + prior)
    mean = (alpha * prior + PRIOR_ALPHA * variance) / (variance + prior)
    own = variance * prior / (variance + prior)
    return np.array([height - 0.5 * (of_shift + of_alpha), mean, own]), fit.parameters
