"""Straight lines through the log-log histogram of dwell times, as in the literature.

For comparison with published numbers only. The fit ignores that the points have unequal noise and
are selected (a duration that did not occur has no logarithm).

Input: durations in whole frames. Output: a `DwellFit` by least squares.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import fdtrc

from blinkpair.arrays import FloatArray
from blinkpair.dwell_fits.events import Events
from blinkpair.dwell_fits.result import DwellFit, LawFit

_MIN_POINTS = 4  # one more than the parameters of the truncated law


def fit_lines(events: Events, blank: DwellFit, *, significance: float) -> DwellFit:
    """Return fits of log P = log A - alpha log t, and the same - t / tau, to durations that occur.

    P(t) of a duration is its share of the events over the mean distance to the neighbouring
    durations that occur, the weighting usual for blinking statistics (Kuno et al., J. Chem.
    Phys. 115, 1028, 2001). The second law is preferred by a one-sided F-test.

    Parameters
    ----------
    events : Events
        Of which the complete ones are taken.
    blank : DwellFit
        A result without a fit; its exposure and counts are kept.
    significance : float
        Level of the F-test.
    """
    frames, counts = events.durations, events.complete[events.complete > 0]
    if len(frames) < _MIN_POINTS:
        reason = f"fewer than {_MIN_POINTS} different durations: no line through the histogram"
        return replace(blank, model="not_fitted", reason=reason)
    gaps = np.diff(frames).astype(np.float64)
    spacing = 0.5 * (np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]]))
    t = frames.astype(np.float64)
    log_p = np.log(counts / (counts.sum() * spacing))
    columns = np.stack([np.ones_like(t), -np.log(t), -t], axis=1)
    line, line_variance, line_rss = _least_squares(columns[:, :2], log_p)
    curve, curve_variance, curve_rss = _least_squares(columns, log_p)
    free = len(t) - 3
    f = max(line_rss - curve_rss, 0.0) / max(curve_rss / free, 1e-300)
    half = 0.5 * float(fdtrc(1, free, f))
    rate = float(curve[2])
    p_value = half if rate > 0 else 1.0 - half

    exposure_s = blank.exposure_s
    pure = LawFit(
        alpha=float(line[1]),
        alpha_se=float(np.sqrt(line_variance[1])),
        tau_s=float("inf"),
        log_amplitude=float(line[0]),
    )
    truncated = LawFit(
        alpha=float(curve[1]),
        alpha_se=float(np.sqrt(curve_variance[1])),
        tau_s=exposure_s / rate if rate > 0 else float("inf"),
        tau_se_s=exposure_s * float(np.sqrt(curve_variance[2])) / rate**2
        if rate > 0
        else float("nan"),
        log_amplitude=float(curve[0]),
    )
    filled = replace(blank, p_value=p_value, power_law=pure, truncated_power_law=truncated)
    if p_value < significance:
        return replace(
            filled,
            model="truncated_power_law",
            alpha=truncated.alpha,
            alpha_se=truncated.alpha_se,
            tau_s=truncated.tau_s,
            tau_se_s=truncated.tau_se_s,
        )
    return replace(filled, model="power_law", alpha=pure.alpha, alpha_se=pure.alpha_se)


def _least_squares(design: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return coefficients, their variances and the residual sum of squares."""
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    rss = float(((y - design @ solution) ** 2).sum())
    covariance = np.linalg.pinv(design.T @ design) * (rss / (len(y) - design.shape[1]))
    return np.asarray(solution, dtype=np.float64), np.diag(covariance).astype(np.float64), rss
