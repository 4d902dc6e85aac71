"""Compare the likelihood of events with a cut-off within 1 s and without one, in one number.

A verdict on the law needs many events, and a nanocrystal that is hardly ever off has few. Its long
events exclude a short cut-off nevertheless. This ratio counts them: it needs no least number of
events, and 0 is the ratio of events that show nothing. The shares of types are made of it
(`populations.type_shares`).

With a cut-off, the likelihood is the mean over cut-offs of 1, 1/2, 1/4 ... s down to two frames,
which takes each factor of two for equally likely. Alpha (0 or more) and the shift of the shortest
events (`short_events`) are at their maximum, with and without a cut-off. The events begin after the
shortest duration, as those of the stated law do.

Input: the events of one nanocrystal. Output: the natural logarithm of the ratio.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.dwell_fits.events import Events
from blinkpair.dwell_fits.laws import UNBOUNDED, DwellLikelihood
from blinkpair.dwell_fits.verdicts import TAU_OF_INTEREST_S

CERTAIN = 30.0  # of the logarithm: larger ratios change no share
_SHORTEST_FRAMES = 2  # of cut-offs: shorter ones leave events of hardly more than a frame


def log_ratio_of_cut_off(events: Events, *, exposure_s: float, cut_rate: float = 0.0) -> float:
    """Return ln of the likelihood with a cut-off within 1 s over that without, -30 to 30.

    Parameters
    ----------
    events : Events
        Those of a trace; those that its start or its end cut are in `cut`.
    exposure_s : float
        Frame interval.
    cut_rate : float
        How often noise cuts such events, per frame of them.
    """
    complete = events.durations
    first = int(complete[0]) + 1 if complete.size else 1
    if not events.from_frames(first).frames.size:
        return 0.0
    likelihood = DwellLikelihood(events, first=first, last=UNBOUNDED)
    start: FloatArray | None = None

    def highest(rate: float) -> float:
        nonlocal start
        fit = likelihood.maximise(rate=rate, short=True, start=start)
        if not fit.alpha > 0:
            fit = likelihood.maximise(alpha=0.0, rate=rate, short=True)
        start = fit.parameters
        return fit.log_likelihood

    without = highest(cut_rate)
    gains: list[float] = []
    tau = TAU_OF_INTEREST_S / exposure_s
    while not gains or tau >= _SHORTEST_FRAMES:
        gains.append(highest(cut_rate + 1.0 / tau) - without)
        # The likelihood is concave in the rate: what 1 s excludes, shorter cut-offs do not explain.
        if gains[0] < -CERTAIN or gains[-1] > 2 * CERTAIN:
            break
        tau /= 2
    ratio = np.logaddexp.reduce(gains) - np.log(len(gains))
    return float(np.clip(ratio, -CERTAIN, CERTAIN))
