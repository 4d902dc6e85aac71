"""Intervals by profile likelihood of what a fit gives: time constants, shares, differences.

Input: a fit, and a quantity with its derivatives. Output: the ends of the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.fitting import MOST_EVALUATIONS, Evaluations, Fit
from blinkpair.ensemble.models import Model

_NEWTON_STEPS = 40
_DOUBLINGS = 6  # of the width expected from the curvature, until an interval counts as open

# A component is not resolved if the interval of its share begins at 0, or above 1 as beside a
# component of the opposite sign.
_NOTHING, _ALL = 1e-6, 1.0 + 1e-6
_LARGEST_LOG = 690.0  # of a time constant: an end beyond 1e299 is none

# A quantity and its derivatives by the parameters.
Quantity = Callable[[FloatArray], tuple[float, FloatArray]]


def profile_interval(one: Fit, quantity: Quantity, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a quantity by profile likelihood.

    The ends are where the deviance, minimised over all else, has risen by the quantile of
    chi-square (of F for values that are no counts). Each is the stationary point of the quantity on
    that contour, found by Newton's method on both conditions at once (Venzon and Moolgavkar 1988,
    with the expected information).

    Parameters
    ----------
    one : Fit
    quantity : callable
        Parameters -> the quantity and its gradient.
    confidence : float
        Coverage, 0 to 1.

    Returns
    -------
    low, high : float
        -inf or inf where the deviance does not rise that far.
    """
    from scipy.special import chdtri, stdtrit

    rise = (
        float(chdtri(1, 1.0 - confidence))
        if one.is_poisson
        else float(stdtrit(max(one.degrees_of_freedom, 1), (1 + confidence) / 2)) ** 2
    )
    value, gradient = quantity(one.parameters)
    if not gradient.any():  # the share of an only component is 1
        return value, value
    rise *= one.scale * one.design_effect(gradient)
    low, high = (_endpoint(one, quantity, rise, sign) for sign in (-1.0, 1.0))
    return low, high


def _endpoint(one: Fit, quantity: Quantity, rise: float, sign: float) -> float:
    """Return the largest (sign 1) or smallest (-1) quantity within a rise of the deviance."""
    parameters, target = one.parameters.copy(), one.deviance + rise
    seen = Evaluations(one.model, one.data, one.is_poisson)
    values, slopes = seen(parameters)
    here, best = float(values @ values), quantity(parameters)[0]
    for _ in range(_NEWTON_STEPS):
        q, gradient = quantity(parameters)
        information = slopes.T @ slopes
        scales = np.sqrt(np.maximum(np.diag(information), 1e-30))
        # A ridge of a millionth keeps a parameter without influence where it is.
        matrix = information / np.outer(scales, scales) + 1e-9 * np.eye(scales.size)
        try:
            solved = np.linalg.solve(
                matrix, np.column_stack([slopes.T @ values, sign * gradient]) / scales[:, None]
            )
        except np.linalg.LinAlgError:
            break
        down, along = solved[:, 0] / scales, solved[:, 1] / scales
        span = float(sign * gradient @ along)
        if span <= 0 or not np.isfinite(span):
            break
        # The deviance of the quadratic model is here - s'down at its bottom; what is left of the
        # rise is spent in the direction of the quantity.
        room = target - here + float((slopes.T @ values) @ down)
        step = -down + np.sqrt(max(room, 0.0) / span) * along
        if abs(here - target) < 1e-3 * rise and abs(gradient @ step) <= 1e-3 * abs(q - best):
            # On a contour that is not closed the other end can be found, or a turn of it.
            if sign * (q - best) > 0:
                return float(q)
            break
        largest = float(np.max(np.abs(step)[: one.model.n_tau], initial=0.0))
        factor = min(1.0, 1.0 / largest) if largest > 0 else 1.0
        for _ in range(8):
            values, slopes = seen(parameters + factor * step)
            new = float(values @ values)
            if np.isfinite(new) and new < target + 2.0 * rise:
                break
            factor /= 2
        parameters, here = parameters + factor * step, new
    return _endpoint_by_fits(one, quantity, rise, sign)


def _endpoint_by_fits(one: Fit, quantity: Quantity, rise: float, sign: float) -> float:
    """Return the same from fits with the quantity held at values ever farther away.

    It is held by one more residual, so heavy that its misfit shifts the end by a thousandth.
    """
    from scipy.optimize import brentq, least_squares

    best, gradient = quantity(one.parameters)
    variance = float(gradient @ np.linalg.pinv(one.information) @ gradient)
    width = float(np.sqrt(rise * max(variance, 0.0)))  # below 0 by rounding only
    if not (np.isfinite(width) and width > 0):
        return sign * np.inf
    seen = Evaluations(one.model, one.data, one.is_poisson)
    weight = 30.0 * np.sqrt(rise) / width
    known = {0.0: (-rise, one.parameters)}  # by distance from the best value

    def risen(distance: float) -> float:
        if distance in known:
            return known[distance][0]

        def residuals(p: FloatArray) -> FloatArray:
            off = weight * (quantity(p)[0] - best - sign * distance)
            return np.append(seen.residuals(p), off)

        def jacobian(p: FloatArray) -> FloatArray:
            return np.nan_to_num(np.vstack([seen.jacobian(p), weight * quantity(p)[1]]))

        start = known[min(known, key=lambda other: abs(other - distance))][1]
        found = least_squares(residuals, start, jacobian, method="lm", x_scale="jac",
                              xtol=1e-7, ftol=1e-8, max_nfev=MOST_EVALUATIONS)  # fmt: skip
        known[distance] = float(2 * found.cost) - one.deviance - rise, found.x
        return known[distance][0]

    inner, outer = 0.0, width
    for _ in range(_DOUBLINGS):
        if risen(outer) > 0:
            distance = brentq(risen, inner, outer, xtol=1e-3 * outer, rtol=1e-3)
            return best + sign * float(distance)
        inner, outer = outer, 2 * outer
    return sign * np.inf


def difference_of(one: Quantity, other: Quantity) -> Quantity:
    """Return the difference of two quantities as a quantity."""

    def quantity(parameters: FloatArray) -> tuple[float, FloatArray]:
        (a, by_a), (b, by_b) = one(parameters), other(parameters)
        return a - b, by_a - by_b

    return quantity


def mean_of(quantities: Sequence[Quantity]) -> Quantity:
    """Return the mean of quantities as a quantity."""

    def quantity(parameters: FloatArray) -> tuple[float, FloatArray]:
        values, slopes = zip(*(one(parameters) for one in quantities), strict=True)
        return float(np.mean(values)), np.asarray(np.mean(slopes, axis=0))

    return quantity


def tau_of(model: Model, k: int) -> Quantity:
    """Return the logarithm of time constant k as a quantity."""

    def quantity(parameters: FloatArray) -> tuple[float, FloatArray]:
        taus, slopes = model.taus(parameters)
        return float(np.log(taus[k])), slopes[k] / taus[k]

    return quantity


def fraction_of(model: Model, k: int, *, of_intensity: bool = False) -> Quantity:
    """Return the share of component k in the sum of the amplitudes, or of the intensities.

    A_k / sum A, or A_k tau_k / sum A tau: the share of the light.
    """

    def quantity(parameters: FloatArray) -> tuple[float, FloatArray]:
        values, slopes = model.amplitudes(parameters)
        if of_intensity:
            taus, by_tau = model.taus(parameters)
            slopes = slopes * taus[:, None] + values[:, None] * by_tau
            values = values * taus
        total = values.sum()
        share = values[k] / total
        return float(share), (slopes[k] - share * slopes.sum(axis=0)) / total

    return quantity


def is_resolved(
    one: Fit,
    tau: tuple[float, float, float],
    share: tuple[float, float],
    shortest: float,
) -> bool:
    """Return whether the data determine a component.

    Parameters
    ----------
    one : Fit
    tau : three float
        The time constant and the ends of its interval.
    share : two float
        Ends of the interval of its share of the amplitude.
    shortest : float
        The shortest time constant that is seen, in the unit of `tau`.
    """
    is_closed = bool(np.isfinite([tau[2], *share]).all())
    return one.converged and is_closed and tau[0] >= shortest and _NOTHING < share[0] < _ALL


def tau_interval(one: Fit, k: int, confidence: float) -> tuple[float, float]:
    """Return the interval of time constant k, the constant twice where it is held."""
    if k >= one.model.n_tau:
        return (float(one.taus()[k]),) * 2
    low, high = profile_interval(one, tau_of(one.model, k), confidence)
    return bounded_exp(low), bounded_exp(high)


def share_interval(
    one: Fit, view: Any, k: int, confidence: float, *, of_intensity: bool = False
) -> tuple[float, float]:
    """Return the interval of the share of component k; of counts it lies within 0 to 1.

    Parameters
    ----------
    one : Fit
    view : Model
        Of the measurement, where the fit is of several.
    k : int
    confidence : float
        0 to 1.
    of_intensity : bool
        Of the light, not of the amplitudes.
    """
    low, high = profile_interval(one, fraction_of(view, k, of_intensity=of_intensity), confidence)
    if one.is_poisson:  # photons are not negative
        return max(low, 0.0), min(high, 1.0)
    return low, high


def bounded_exp(value: float) -> float:
    """Return e to a power, infinity where a logarithm has no upper end."""
    return float(np.exp(value)) if value < _LARGEST_LOG else np.inf
