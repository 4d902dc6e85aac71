"""Decide between a power law, a truncated one, neither, and no verdict.

**The test.** A movie of finite length truncates every law: a trace with a very long event has too
few events to be fitted, so that the fitted traces lack long events. The verdict is therefore
`truncated_power_law` where every tau above a tenth of the window, no truncation included, is
rejected: by the likelihood ratio of the truncated law at its best against that at a tenth of the
window, one-sided. The square root r of the ratio is not normal below a thousand events, because
sums of heavy-tailed durations are not; `p_value` therefore comes from Barndorff-Nielsen's r* = r +
log(u / r) / r with u the distance of the rates times sqrt(|J| / |J0|), J and J0 being the
information of the two fits (Biometrika 73, 307, 1986), which is nearly exact for exponential
families. `likelihood_ratio` is that against the pure law (tau = infinity), and
`p_value_half_chi_square` the textbook's p value of it, which at the 5 % level calls 5 to 11 % of
pure power laws truncated. Pooled events (`pooled`) are of all nanocrystals, not only of those with
many events: their truncation is tested against none at all.

**Undecided.** A law that is not rejected is not proven. Where the test above shows no truncation,
the verdict is `power_law` if a truncation at `tau_of_interest_s`, and with it every shorter one, is
rejected by the one-sided likelihood ratio at the same level. Otherwise it is `undecided`: the data
agree with no truncation and with one that would matter (or, in a short movie, with one too close
to a tenth of the window). The default, 1 s, is the upper end of the truncation times of
single nanocrystals' on events (0.22 s in the paper's Fig. 7b). A verdict for the power law excludes
no cut-off beyond that time: the error of its alpha contains the difference from alpha of the
truncated law at its best.

**Neither.** A comparison of two laws does not show that one of them is right. The best truncated
law (the pure one is its limit) is compared with itself times a smooth bend (`short_events`). Where
the likelihood ratio rejects it at `significance`, the verdict is `neither`, whatever the tests
above show. `p_value_fit` is its p value.

**Noise that cuts events.** False frames end the events in which they fall at a constant rate, which
truncates any law. Where this rate is known (`fits`: `cut_rate`) and above that of a tenth of the
window, a truncation is tested against it instead. The pieces make alpha smaller, too.

Input: the treatments of the shortest events, one to decide by and one to state. Output: a
`DwellFit`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from blinkpair.dwell_fits.laws import DwellLikelihood, Maximum, tau_interval
from blinkpair.dwell_fits.result import DwellFit, LawFit, Model
from blinkpair.dwell_fits.short_events import Treatment

# Of the window: a longer truncation cannot be separated from the window's own.
LONGEST_TAU = 1 / 10
TAU_OF_INTEREST_S = 1.0
_NAN = float("nan")


def verdict(
    chosen: Treatment,
    stated: Treatment,
    blank: DwellFit,
    *,
    significance: float,
    tau_of_interest_s: float,
    null_rate: float,
) -> DwellFit:
    """Return the verdict by the chosen treatment, with the laws of the stated one.

    Parameters
    ----------
    chosen, stated : Treatment
    blank : DwellFit
        A result without laws; its exposure, counts and p value of the test of fit are kept.
    significance, tau_of_interest_s : float
        As in `fits.fit_dwell_times`.
    null_rate : float
        Rate of the cut-off against which a truncation is tested, per frame.
    """
    likelihood, truncated, exposure_s = chosen.likelihood, chosen.truncated, blank.exposure_s

    def held_at(rate: float) -> Maximum:
        return likelihood.maximise(rate=rate, short=chosen.short, start=truncated.parameters)

    pure = chosen.pure
    ratio = max(2.0 * (truncated.log_likelihood - pure.log_likelihood), 0.0)
    p_value = 1.0
    if truncated.rate > null_rate:
        p_value = _one_sided_p(truncated, held_at(null_rate))
    rate_of_interest = exposure_s / tau_of_interest_s
    p_interest = 1.0
    if truncated.rate < rate_of_interest:
        gap = 2.0 * (truncated.log_likelihood - held_at(rate_of_interest).log_likelihood)
        p_interest = float(ndtr(-np.sqrt(max(gap, 0.0))))
    fit = replace(
        blank,
        p_value=p_value,
        likelihood_ratio=ratio,
        p_value_half_chi_square=float(ndtr(-np.sqrt(ratio))) if ratio > 0 else 1.0,
        p_value_tau_of_interest=p_interest,
    )
    cut_off = fit.p_value_half_chi_square < significance
    fit = _with_laws(fit, stated)
    model, reason = _model_and_reason(fit, cut_off, significance, tau_of_interest_s)
    to_state = stated.truncated.rate > 0
    if model == "truncated_power_law" and not to_state:
        model, reason = "undecided", "only the shortest events show a cut-off"
    if model != "truncated_power_law" and pure.alpha <= 0:
        model, reason = "neither", "alpha is not positive: no power law"
    if fit.p_value_fit < significance:
        model, reason = "neither", f"the test of fit rejects both laws (p = {fit.p_value_fit:.2g})"
    fit = replace(fit, model=model, reason=reason)
    if not to_state:
        return fit
    # The error of alpha contains that of a cut-off, with a verdict for the pure law as without.
    return _with_shift(fit) if model == "power_law" else _with_tau(fit, stated)


def _with_laws(fit: DwellFit, stated: Treatment) -> DwellFit:
    """Return a fit with both laws under a treatment, of which the pure one is stated."""
    pure, truncated = (
        _law(stated.likelihood, one, stated.fraction, fit.exposure_s)
        for one in (stated.pure, stated.truncated)
    )
    return replace(
        fit,
        alpha=pure.alpha,
        alpha_se=pure.alpha_se,
        power_law=pure,
        truncated_power_law=truncated,
        fitted_from_frames=stated.first,
    )


def _with_shift(fit: DwellFit) -> DwellFit:
    """Return a fit of the pure law, its error of alpha with what a longer cut-off would change."""
    shift = fit.power_law.alpha - fit.truncated_power_law.alpha
    return replace(fit, alpha_se=float(np.hypot(fit.alpha_se, shift)))


def _with_tau(fit: DwellFit, stated: Treatment) -> DwellFit:
    """Return a fit of which the truncated law is stated, with the interval of tau."""
    law = fit.truncated_power_law
    ratio = max(2.0 * (law.log_likelihood - fit.power_law.log_likelihood), 0.0)
    low, high = tau_interval(stated.likelihood, stated.truncated, short=stated.short, ratio=ratio)
    return replace(
        fit,
        alpha=law.alpha,
        alpha_se=law.alpha_se,
        tau_s=law.tau_s,
        tau_se_s=law.tau_se_s,
        tau_low_s=low * fit.exposure_s,
        tau_high_s=high * fit.exposure_s,
    )


def _model_and_reason(
    fit: DwellFit, cut_off: bool, significance: float, tau_of_interest_s: float
) -> tuple[Model, str]:
    """Return the law that the tests of a truncation show, and a remark on it.

    `cut_off` is whether any truncation is significant, also one too long for the verdict.
    """
    truncated = fit.truncated_power_law
    other = "that of the window or of noise"
    too_long = (
        f"a cut-off near {truncated.tau_s:.2g} s is too long to separate from {other}"
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
