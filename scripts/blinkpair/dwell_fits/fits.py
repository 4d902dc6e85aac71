"""Decide whether a nanocrystal's blinking is a power law, a truncated one, or undecided.

The laws are Eq. 1, P(t) ~ t^-alpha, and Eq. 2, P(t) ~ t^-alpha exp(-t / tau), as discrete
distributions over whole frames, fitted by maximum likelihood (`laws`).

**The window.** Durations given without `censored` are complete events: no event can be longer
than the window, and the laws are normalised over 1..window_frames. With `censored`, an event
cut by the end of the trace enters through its survival function, and then the laws are *not*
bounded by the window: the likelihood of a renewal process seen until a fixed time is the
product of P(t) of the complete events and P(T >= t) of the last one, with the unbounded law.
Events cut by the *start* of the trace have an unknown age; they must be left out by the caller
(`run_lengths.events_to_fit`), which costs one event and no bias.

**The test.** A movie of finite length cuts every law off: traces with enough events to be fitted
are those without a very long one, and a law with any upper bound inside the window is no pure one.
So the verdict is `truncated_power_law` where every tau above a tenth of the window, no truncation
included, is rejected: by the likelihood ratio of the truncated law at its best against that at a
tenth of the window, one-sided. Its square root r is not normal below a thousand events, because
the sum of heavy-tailed durations is not; `p_value` therefore comes from
Barndorff-Nielsen's r* = r + log(u / r) / r with u the distance of the rates times
sqrt(|J| / |J0|), J and J0 being the information of the two fits (Biometrika 73, 307, 1986), which
is nearly exact for exponential families. `likelihood_ratio` is that against the pure law itself,
the edge tau = infinity, and `p_value_half_chi_square` the textbook's p value for it, by which 5 to
11 % of pure power laws are called truncated at the 5 % level. Events of many nanocrystals
(`pooled`) were not chosen for being many: their truncation is tested against none at all.

**Undecided.** A law that is not rejected is not proven. `power_law` is the verdict where the above
is not rejected at `significance`, and a truncation at `tau_of_interest_s` *is*, by the one-sided
likelihood ratio at the same level, so that every shorter tau is, too; `undecided` where neither is:
the data agree with no truncation and with one that would matter (or, in a short movie, with one
too close to a tenth of the window). The default, 1 s, is the upper end of the truncation times of
single nanocrystals' on events (0.22 s in the paper's Fig. 7b).

**Neither.** Two laws compared with each other do not show that one of them is right. The truncated
law at its best, of which the pure one is the edge, is compared with itself times a smooth bend
(`short_events`); where the likelihood ratio rejects it at `significance`, the verdict is `neither`,
which comes before all others. `p_value_fit` is its p value.

The shortest events, which a camera distorts, are treated first (`short_events`);
`short_events="trust"` switches this off.

Input: the durations of one nanocrystal's on (or off) events, in whole frames. Output: a
`DwellFit`: the verdict, alpha, tau and their evidence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from blinkpair.dwell_fits.events import Events, count_events
from blinkpair.dwell_fits.laws import DwellLikelihood, Maximum, tau_interval
from blinkpair.dwell_fits.lines import fit_lines
from blinkpair.dwell_fits.result import DwellFit, DwellTimeSettings, LawFit, Method, Model
from blinkpair.dwell_fits.short_events import MIN_DISTINCT, Treatment, choose_treatment
from blinkpair.errors import InputError

_UNBOUNDED = 2**40  # frames; the tail beyond does not change a likelihood
# Of the window: a longer truncation cannot be separated from the window's own.
_LONGEST_TAU = 1 / 10
_NAN = float("nan")


def fit_dwell_times(
    durations_frames: ArrayLike,
    *,
    exposure_s: float,
    window_frames: int,
    censored: ArrayLike | None = None,
    min_events: int = 30,
    significance: float = 0.05,
    tau_of_interest_s: float = 1.0,
    method: Method = "maximum_likelihood",
    short_events: Literal["auto", "trust"] = "auto",
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
    short_events : {'auto', 'trust'}
        See `dwell_fits.short_events`; 'trust' fits the plain laws from one frame on.

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
    tau_of_interest_s: float = 1.0,
    short_events: Literal["auto", "trust"] = "auto",
) -> DwellFit:
    """Return what `fit_dwell_times` does, for events that were counted by duration.

    Parameters
    ----------
    events : Events
        Durations of 1 to `window_frames` frames.
    bounded : bool
        Whether the laws end at the window, as for complete events alone.
    pooled : bool
        Whether the events are of many nanocrystals; see **The test** in the module's text.
    settings : DwellTimeSettings
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
    last = window_frames if bounded else _UNBOUNDED
    chosen, p_fit = choose_treatment(events, last, relax=short_events == "auto")
    return _verdict(
        chosen, p_fit, blank, significance, tau_of_interest_s, window_frames, pooled=pooled
    )


def _verdict(
    chosen: Treatment,
    p_fit: float,
    blank: DwellFit,
    significance: float,
    tau_of_interest_s: float,
    window_frames: int,
    *,
    pooled: bool,
) -> DwellFit:
    likelihood, truncated, exposure_s = chosen.likelihood, chosen.truncated, blank.exposure_s
    pure = likelihood.maximise(rate=0.0, short=chosen.short, start=truncated.parameters)
    ratio = max(2.0 * (truncated.log_likelihood - pure.log_likelihood), 0.0)
    rate_of_window = 0.0 if pooled else 1.0 / (_LONGEST_TAU * window_frames)
    p_value = 1.0
    if truncated.rate > rate_of_window:
        held = likelihood.maximise(
            rate=rate_of_window, short=chosen.short, start=truncated.parameters
        )
        p_value = _one_sided_p(truncated, held)
    rate_of_interest = exposure_s / tau_of_interest_s
    p_interest = 1.0
    if truncated.rate < rate_of_interest:
        held = likelihood.maximise(
            rate=rate_of_interest, short=chosen.short, start=truncated.parameters
        )
        gap = max(2.0 * (truncated.log_likelihood - held.log_likelihood), 0.0)
        p_interest = float(ndtr(-np.sqrt(gap)))
    pure_law = _law(likelihood, pure, chosen.fraction, exposure_s)
    truncated_law = _law(likelihood, truncated, chosen.fraction, exposure_s)
    fit = replace(
        blank,
        alpha=pure_law.alpha,
        alpha_se=pure_law.alpha_se,
        p_value=p_value,
        likelihood_ratio=ratio,
        p_value_half_chi_square=float(ndtr(-np.sqrt(ratio))) if ratio > 0 else 1.0,
        p_value_tau_of_interest=p_interest,
        p_value_fit=p_fit,
        power_law=pure_law,
        truncated_power_law=truncated_law,
        fitted_from_frames=chosen.first,
    )
    cut_off = fit.p_value_half_chi_square < significance
    model, reason = _model_and_reason(fit, cut_off, significance, tau_of_interest_s)
    if model != "truncated_power_law" and pure.alpha <= 0:
        model, reason = "neither", "alpha is not positive: no power law"
    if p_fit < significance:
        model, reason = "neither", f"the test of fit rejects both laws (p = {p_fit:.2g})"
    fit = replace(fit, model=model, reason=reason)
    if fit.model == "truncated_power_law" or (cut_off and fit.model != "power_law"):
        low, high = tau_interval(likelihood, truncated, short=chosen.short, ratio=ratio)
        return replace(
            fit,
            alpha=truncated_law.alpha,
            alpha_se=truncated_law.alpha_se,
            tau_s=truncated_law.tau_s,
            tau_se_s=truncated_law.tau_se_s,
            tau_low_s=low * exposure_s,
            tau_high_s=high * exposure_s,
        )
    return fit


def _model_and_reason(
    fit: DwellFit, cut_off: bool, significance: float, tau_of_interest_s: float
) -> tuple[Model, str]:
    """Return which of the two laws the tests of a truncation show, and what is unusual in it.

    `cut_off` is whether any truncation is significant, also one too long for the verdict.
    """
    truncated = fit.truncated_power_law
    too_long = (
        f"a cut-off near {truncated.tau_s:.2g} s is too long to separate from the window's"
        if cut_off
        else ""
    )
    if fit.p_value < significance:
        odd = "" if truncated.alpha > 0 else "alpha is not positive: no power law at short times"
        return "truncated_power_law", odd
    if fit.p_value_tau_of_interest < significance:
        return "power_law", too_long
    neither_excluded = f"neither no truncation nor one at {tau_of_interest_s:g} s is excluded"
    return "undecided", too_long or neither_excluded


def _one_sided_p(truncated: Maximum, held: Maximum) -> float:
    """Return the p value of the held rate against a higher one from Barndorff-Nielsen's r*."""
    r = np.sqrt(max(2.0 * (truncated.log_likelihood - held.log_likelihood), 0.0))
    excess = truncated.rate - held.rate
    if excess <= 0.0 or r < 1e-3:
        return 1.0 if excess <= 0.0 else 0.5
    log_u = np.log(excess) + 0.5 * (truncated.log_det_information - held.log_det_information)
    correction = (log_u - np.log(r)) / r
    return float(ndtr(-(r + correction))) if np.isfinite(correction) else float(ndtr(-r))


def _law(likelihood: DwellLikelihood, fit: Maximum, fraction: float, exposure_s: float) -> LawFit:
    rate = fit.rate
    return LawFit(
        alpha=fit.alpha,
        alpha_se=float(np.sqrt(fit.covariance[0, 0])),
        tau_s=exposure_s / rate if rate > 0 else float("inf"),
        tau_se_s=float(np.sqrt(fit.covariance[1, 1])) / rate**2 * exposure_s if rate > 0 else _NAN,
        log_likelihood=fit.log_likelihood,
        short=float(fit.parameters[2]),
        log_amplitude=float(np.log(fraction)) - likelihood.log_normalisation(fit.parameters),
    )


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
        ("short_events", short_events, ("auto", "trust")),
    ):
        if value not in known:
            raise InputError(f"{name} is {value!r}", f"one of {', '.join(known)}")
