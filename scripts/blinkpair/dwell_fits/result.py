"""Result of a fit of dwell times.

Input: the two fitted laws. Output: the verdict, the laws and their densities to plot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from blinkpair.arrays import FloatArray

Model = Literal["power_law", "truncated_power_law", "undecided", "neither", "not_fitted"]
Method = Literal["maximum_likelihood", "least_squares"]

MAX_FALSE_SHARE = 0.3  # of the events: where noise makes more, there is no verdict

_NAN = float("nan")


@dataclass(frozen=True)
class DwellTimeSettings:
    """The configuration's `dwell_times`; the meaning of each is in `fits.fit_dwell_times`."""

    min_events: int = 50
    significance: float = 0.05
    method: Method = "maximum_likelihood"


@dataclass(frozen=True)
class LawFit:
    """One of the two laws at its maximum likelihood; `tau_s` is infinite for the pure one."""

    alpha: float = _NAN
    alpha_se: float = _NAN
    tau_s: float = _NAN
    tau_se_s: float = _NAN
    log_likelihood: float = _NAN
    short: float = 0.0
    log_amplitude: float = _NAN
    """P(t) = exp(log_amplitude + short / t - t / tau) t^-alpha per frame, t in frames."""


@dataclass(frozen=True)
class DwellFit:
    """The verdict on one nanocrystal's dwell times, and both laws behind it.

    `alpha` and `tau_s` with their errors are those of `law`, the law to draw: that of the verdict,
    or the truncated one for `undecided` and `neither`. The error of alpha contains that of a
    cut-off: for a pure law the difference from alpha of the truncated one. `tau_s` and its errors
    are nan for a pure law.
    `p_value` is that of the test for a truncation, `p_value_fit` of the test of fit.
    `tau_low_s`, `tau_high_s` is the 95 % profile-likelihood interval (high may be infinite):
    prefer it to `tau_se_s`, because the errors of tau are not symmetric.
    """

    model: Model
    alpha: float = _NAN
    tau_s: float = _NAN
    p_value: float = _NAN
    p_value_fit: float = _NAN
    alpha_se: float = _NAN
    tau_se_s: float = _NAN
    tau_low_s: float = _NAN
    tau_high_s: float = _NAN
    likelihood_ratio: float = _NAN
    p_value_half_chi_square: float = _NAN
    p_value_tau_of_interest: float = _NAN
    n_events: int = 0
    n_censored: int = 0
    fitted_from_frames: int = 1
    reason: str = ""
    method: Method = "maximum_likelihood"
    exposure_s: float = _NAN
    power_law: LawFit = field(default_factory=LawFit)
    truncated_power_law: LawFit = field(default_factory=LawFit)

    @property
    def law(self) -> LawFit:
        """The law to draw: the truncated one where it has a `tau_s`, else the pure one."""
        return self.truncated_power_law if np.isfinite(self.tau_s) else self.power_law

    @property
    def log_amplitude(self) -> float:
        """Ln A of `law` as P(t) = A t^-alpha exp(short_s / t - t / tau) per second, t in s.

        A is normalised over all events that can be, from one frame on, so that the line goes
        through a histogram of all complete events; nan where nothing was fitted.
        """
        law = self.law
        return law.log_amplitude + (law.alpha - 1.0) * float(np.log(self.exposure_s))

    @property
    def short_s(self) -> float:
        """Correction of the shortest durations in `log_amplitude`'s law, s; 0 without one."""
        fitted = self.model != "not_fitted"
        return self.law.short * self.exposure_s if fitted else _NAN

    def density(self, duration_s: ArrayLike) -> FloatArray:
        """Return the density P(t) of `law`, per second, to draw over the histogram.

        Parameters
        ----------
        duration_s : array
            Times, s; nan below the first fitted frame.

        Examples
        --------
        >>> from blinkpair.dwell_fits import fit_dwell_times
        >>> durations = np.repeat([1, 2, 4, 8], [80, 40, 20, 10])
        >>> fit = fit_dwell_times(durations, exposure_s=0.02, window_frames=1000)
        >>> bool(np.all(np.diff(fit.density([0.04, 0.08, 0.16])) < 0))
        True
        """
        frames = np.asarray(duration_s, dtype=np.float64) / self.exposure_s
        fit = self.law
        out = np.full(frames.shape, np.nan)
        inside = frames > self.fitted_from_frames - 1e-9
        t = frames[inside]
        cut_off = t * (self.exposure_s / fit.tau_s)  # 0 where tau is infinite
        exponent = fit.log_amplitude - fit.alpha * np.log(t) - cut_off + fit.short / t
        out[inside] = np.exp(exponent) / self.exposure_s
        return out
