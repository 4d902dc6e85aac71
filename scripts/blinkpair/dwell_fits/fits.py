"""Fit the two laws of blinking to the durations of one nanocrystal's events, or of many.

The laws are Eq. 1, P(t) ~ t^-alpha, and Eq. 2, P(t) ~ t^-alpha exp(-t / tau), as discrete
distributions over whole frames, fitted by maximum likelihood (`laws`).

**The window.** Durations given without `censored` are complete events: no event can be longer
than the window, and the laws are normalised over 1..window_frames. With `censored`, an event
cut by the end of the trace enters through its survival function, and then the laws are *not*
bounded by the window: the likelihood of a renewal process seen until a fixed time is the
product of P(t) of the complete events and P(T >= t) of the last one, with the unbounded law.
Events cut by the *start* of the trace have an unknown age; they must be left out by the caller
(`run_lengths.events_to_fit`), which costs one event and no bias.

The shortest events, which a camera distorts, are treated first (`short_events`). For durations of
a trace (`short_events="camera"`) the errors of the laws allow for what the camera may have changed.
`verdicts` decides between the laws.

Input: the durations of one nanocrystal's on (or off) events, in whole frames. Output: a
`DwellFit`: the verdict, alpha, tau and their evidence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from blinkpair.dwell_fits.events import Events, count_events
from blinkpair.dwell_fits.laws import UNBOUNDED
from blinkpair.dwell_fits.lines import fit_lines
from blinkpair.dwell_fits.result import DwellFit, DwellTimeSettings, Method
from blinkpair.dwell_fits.short_events import MIN_DISTINCT, ShortEvents, Treatments
from blinkpair.dwell_fits.verdicts import LONGEST_TAU, TAU_OF_INTEREST_S, verdict
from blinkpair.errors import InputError


def fit_dwell_times(
    durations_frames: ArrayLike,
    *,
    exposure_s: float,
    window_frames: int,
    censored: ArrayLike | None = None,
    min_events: int = 30,
    significance: float = 0.05,
    tau_of_interest_s: float = TAU_OF_INTEREST_S,
    method: Method = "maximum_likelihood",
    short_events: ShortEvents = "auto",
) -> DwellFit:
    """Return the fits of Eq. 1 and Eq. 2 to one nanocrystal's durations, and the verdict.

    Parameters
    ----------
    durations_frames : (n,) array
        Durations of complete events in whole frames, 1..window_frames. Events cut by the start
        of the trace are left out; the one cut by its end is given only with `censored`.
    exposure_s : float
        Frame interval.
    window_frames : int
        Frames of the trace.
    censored : (n,) bool array, optional
        True where the end of the trace cut the event. Give it (all False if the trace ended in
        the other state) whenever the events come from a trace.
    min_events : int
        Fewer complete events than this are not fitted.
    significance : float
        One-sided level of the test for truncation, and of the exclusion of it.
    tau_of_interest_s : float
        A truncation at this time or earlier has to be excluded for `power_law`, s.
    method : {'maximum_likelihood', 'least_squares'}
        'least_squares' fits straight lines to the log-log histogram, to compare with published
        numbers: alpha is biased, an F-test replaces the likelihood ratio, and there is no
        'undecided'.
    short_events : {'auto', 'camera', 'trust'}
        'trust' fits the plain laws from one frame on. 'auto' treats the shortest events where they
        contradict whole frames. 'camera', for durations of a trace, does so for the verdict, and
        states alpha and tau without the shortest events, with larger errors. See
        `dwell_fits.short_events`.

    Raises
    ------
    InputError
        If the durations are not whole frames within the window, or a setting makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> durations = np.minimum(np.floor(rng.pareto(0.6, 2000) + 1), 20_000).astype(int)
    >>> fit = fit_dwell_times(durations, exposure_s=0.02, window_frames=20_000)
    >>> fit.model, round(fit.alpha, 1)
    ('power_law', 1.6)
    """
    events = count_events(durations_frames, censored, window_frames)
    return fit_counted_events(
        events,
        exposure_s=exposure_s,
        window_frames=window_frames,
        bounded=censored is None,
        settings=DwellTimeSettings(min_events, significance, method),
        tau_of_interest_s=tau_of_interest_s,
        short_events=short_events,
    )


def fit_counted_events(
    events: Events,
    *,
    exposure_s: float,
    window_frames: int,
    settings: DwellTimeSettings,
    bounded: bool = False,
    pooled: bool = False,
    cut_rate: float = 0.0,
    first: int | None = None,
    tau_of_interest_s: float = TAU_OF_INTEREST_S,
    short_events: ShortEvents = "camera",
) -> DwellFit:
    """Return the same as `fit_dwell_times`, for events that were counted by duration.

    Parameters
    ----------
    events : Events
        Durations of 1 to `window_frames` frames.
    bounded : bool
        Whether the laws end at the window, as for complete events alone.
    pooled : bool
        Whether the events are of many nanocrystals; see **The test** in `verdicts`.
    settings : DwellTimeSettings
    cut_rate : float
        How often noise cuts such events, per frame of them; see **Noise that cuts events** there.
    first : int, optional
        Shortest duration of the stated law, frames, with `short_events="camera"`; by default the
        events decide.
    exposure_s, window_frames, tau_of_interest_s, short_events
        As in `fit_dwell_times`.
    """
    significance, method = settings.significance, settings.method
    _check_settings(exposure_s, significance, tau_of_interest_s, method, short_events)
    blank = DwellFit(
        "not_fitted",
        n_events=events.n_complete + events.n_cut,
        n_censored=events.n_cut,
        method=method,
        exposure_s=exposure_s,
    )
    reason = _reason_not_to_fit(events, settings.min_events)
    if reason:
        return replace(blank, reason=reason)
    if method == "least_squares":
        return fit_lines(events, blank, significance=significance)
    last = window_frames if bounded else UNBOUNDED
    treatments = Treatments.of(events, last, relax=short_events != "trust")
    chosen = treatments.chosen
    stated = treatments.stated(first) if short_events == "camera" else chosen
    null_rate = 0.0 if pooled else max(1.0 / (LONGEST_TAU * window_frames), cut_rate)
    return verdict(
        chosen,
        stated,
        replace(blank, p_value_fit=treatments.p_value_fit()),
        significance=significance,
        tau_of_interest_s=tau_of_interest_s,
        null_rate=null_rate,
    )


def alpha_of_events(events: Events, *, truncated: bool, settings: DwellTimeSettings) -> float:
    """Return alpha of one of both laws, as `fit_counted_events` states it for events of a trace.

    Parameters
    ----------
    events : Events
    truncated : bool
        Whether of Eq. 2, not of Eq. 1.
    settings : DwellTimeSettings

    Returns
    -------
    float
        nan where there are too few events. Neither a verdict nor a test of fit is made.
    """
    if _reason_not_to_fit(events, settings.min_events):
        return float("nan")
    if settings.method == "least_squares":
        lines = fit_lines(events, DwellFit("not_fitted"), significance=settings.significance)
        return (lines.truncated_power_law if truncated else lines.power_law).alpha
    stated = Treatments.of(events, UNBOUNDED, relax=True).stated()
    return (stated.truncated if truncated else stated.pure).alpha


def _reason_not_to_fit(events: Events, min_events: int) -> str:
    if events.n_complete < min_events:
        return f"{events.n_complete} complete events, fewer than min_events = {min_events}"
    distinct = len(events.durations)
    if distinct < MIN_DISTINCT:
        return f"all events have one of {distinct} durations: no distribution to fit"
    return ""


def _check_settings(
    exposure_s: float,
    significance: float,
    tau_of_interest_s: float,
    method: str,
    short_events: str,
) -> None:
    if not (np.isfinite(exposure_s) and exposure_s > 0):
        raise InputError(f"exposure_s is {exposure_s}", "the time a frame in seconds, e.g. 0.02")
    if not 0 < significance < 1:
        raise InputError(f"significance is {significance}", "a probability, e.g. 0.05")
    if not tau_of_interest_s > 0:
        raise InputError(f"tau_of_interest_s is {tau_of_interest_s}", "seconds, e.g. 1.0")
    for name, value, known in (
        ("method", method, get_args(Method)),
        ("short_events", short_events, get_args(ShortEvents)),
    ):
        if value not in known:
            raise InputError(f"{name} is {value!r}", f"one of {', '.join(known)}")
