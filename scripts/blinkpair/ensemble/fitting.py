"""Fits of a model to counts or values: maximum likelihood, and intervals by profile likelihood.

The optimiser is SciPy's `least_squares` on residuals whose sum of squares is the deviance, so that
the smallest sum is the maximum of the Poisson likelihood, or on residuals in units of their own
scatter where the values are no counts.

Input: a model of `models`, the data, a start. Output: parameters, deviance, intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.models import Model

_PROFILE_STEPS = 40
_MOST_EVALUATIONS = 150

# A quantity and its derivatives by the parameters.
Quantity = Callable[[FloatArray], tuple[float, FloatArray]]


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    model : Model
    data : (n,) array
    parameters : (p,) array
    deviance : float
        Poisson deviance, or the sum of the squared residuals.
    is_poisson : bool
    information : (p, p) array
        Half the second derivative of the deviance, approximately.
    fitted : (n,) array
    converged : bool
    scores : (p, p) array or None
        Covariance of the derivatives of half the deviance, where residuals are correlated.
    """

    model: Model
    data: FloatArray
    parameters: FloatArray
    deviance: float
    is_poisson: bool
    information: FloatArray = field(repr=False)
    fitted: FloatArray = field(repr=False)
    converged: bool = True
    scores: FloatArray | None = field(default=None, repr=False)

    @property
    def n_parameters(self) -> int:
        """Number of parameters, with amplitudes that the model eliminates."""
        return int(self.parameters.size + self.model.n_projected)

    @property
    def degrees_of_freedom(self) -> int:
        """Number of values less number of parameters."""
        return int(self.data.size - self.n_parameters)

    @property
    def scale(self) -> float:
        """Variance of a residual: 1 for counts, else from the residuals."""
        return 1.0 if self.is_poisson else self.deviance / max(self.degrees_of_freedom, 1)

    @property
    def bic(self) -> float:
        """Bayesian information criterion, but for a constant of the data."""
        n = self.data.size
        fit = self.deviance if self.is_poisson else n * np.log(max(self.deviance, 1e-300) / n)
        return float(fit + self.n_parameters * np.log(n))

    @property
    def residuals(self) -> FloatArray:
        """Residuals in units of their standard deviation: deviance residuals for counts."""
        values, _ = _residuals(self.data, self.fitted, None, self.is_poisson)
        return values / np.sqrt(self.scale)

    def design_effect(self, gradient: FloatArray) -> float:
        """Return by how much correlated residuals enlarge a quantity's variance, at least 1.

        The sandwich estimate of the variance over that of independent residuals.

        Parameters
        ----------
        gradient : (p,) array
            Of the quantity, by the parameters.
        """
        if self.scores is None:
            return 1.0
        along = np.linalg.pinv(self.information) @ gradient
        alone = self.scale * float(gradient @ along)
        return max(float(along @ self.scores @ along) / alone, 1.0) if alone > 0 else 1.0

    def taus(self) -> FloatArray:
        """Return all time constants."""
        return self.model.taus(self.parameters)[0]

    def amplitudes(self) -> FloatArray:
        """Return all amplitudes."""
        return self.model.amplitudes(self.parameters)[0]

    def standard_errors(self) -> FloatArray:
        """Return the standard errors of the parameters from the information."""
        return np.sqrt(np.diag(np.linalg.pinv(self.information)) * self.scale)


def fit(
    model: Model, data: FloatArray, starts: Sequence[FloatArray], *, is_poisson: bool = True
) -> Fit:
    """Return the best of the fits from several starts.

    Parameters
    ----------
    model : Model
    data : (n,) array
        Counts, or other values.
    starts : sequence of (p,) array
    is_poisson : bool
        Whether the data are counts.

    Returns
    -------
    Fit

    Notes
    -----
    Baker and Cousins (1984) for the Poisson deviance, 2 (m - y + y log(y / m)).
    """
    from scipy.optimize import least_squares

    best: Any = None
    seen = _Once(model, data, is_poisson)
    for start in starts:
        found = least_squares(
            seen.residuals, start, seen.jacobian, method="lm", x_scale="jac", xtol=1e-9,
            ftol=1e-10 if is_poisson else 1e-15, gtol=1e-14, max_nfev=_MOST_EVALUATIONS,
        )  # fmt: skip
        if best is None or found.cost < best.cost:
            best = found
    values, slopes = seen(best.x)
    fitted = model.evaluate(best.x)[0]
    return Fit(
        model, data, best.x, float(values @ values), is_poisson, slopes.T @ slopes, fitted,
        bool(best.status > 0),
    )  # fmt: skip


class _Once:
    """Residuals and their Jacobian, evaluated once for each vector of parameters."""

    def __init__(self, model: Model, data: FloatArray, is_poisson: bool) -> None:
        self.model, self.data, self.is_poisson = model, data, is_poisson
        self._at: FloatArray | None = None
        self._last: tuple[FloatArray, FloatArray] = (data, data)

    def __call__(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self._at is None or not np.array_equal(self._at, parameters):
            value, slopes = self.model.evaluate(parameters)
            self._last = _residuals(self.data, value, slopes, self.is_poisson)
            self._at = parameters.copy()
        return self._last

    def residuals(self, parameters: FloatArray) -> FloatArray:
        return self(parameters)[0]

    def jacobian(self, parameters: FloatArray) -> FloatArray:
        return self(parameters)[1]


def _residuals(
    data: FloatArray, value: FloatArray, slopes: FloatArray | None, is_poisson: bool
) -> tuple[FloatArray, FloatArray]:
    """Return residuals whose squares sum to the deviance, and their derivatives."""
    if not is_poisson:
        # The difference of data in extended precision is exact in double precision.
        off = np.asarray(value - data, dtype=np.float64)
        return off, np.empty(0) if slopes is None else np.asarray(slopes, dtype=np.float64)
    off = value - data
    ratio = np.log(np.where(data > 0, data, 1.0) / value)
    half = off + data * ratio
    # Near the data the difference of two large numbers is replaced by its series.
    near = np.abs(off) < 1e-3 * value
    u = off / value
    half = np.where(near, value * u * u * (0.5 + u / 6.0 + u * u / 12.0), half)
    values = np.sign(off) * np.sqrt(2.0 * np.maximum(half, 0.0))
    if slopes is None:
        return values, np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(np.abs(u) > 1e-7, u / values, 1.0 / np.sqrt(value))
    return values, slopes * factor[:, None]


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
    rise *= one.scale * one.design_effect(quantity(one.parameters)[1])
    low, high = (_endpoint(one, quantity, rise, sign) for sign in (-1.0, 1.0))
    return low, high


def _endpoint(one: Fit, quantity: Quantity, rise: float, sign: float) -> float:
    """Return the largest (sign 1) or smallest (-1) quantity within a rise of the deviance."""
    parameters, target = one.parameters.copy(), one.deviance + rise
    seen = _Once(one.model, one.data, one.is_poisson)
    values, slopes = seen(parameters)
    here, last = float(values @ values), np.inf
    for _ in range(_PROFILE_STEPS):
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
            return sign * np.inf
        down, along = solved[:, 0] / scales, solved[:, 1] / scales
        span = float(sign * gradient @ along)
        if span <= 0 or not np.isfinite(span):
            return sign * np.inf
        # The deviance of the quadratic model is here - s'down at its bottom; what is left of the
        # rise is spent in the direction of the quantity.
        room = target - here + float((slopes.T @ values) @ down)
        step = -down + np.sqrt(max(room, 0.0) / span) * along
        if abs(here - target) < 1e-4 * rise and abs(q - last) <= 1e-5 * abs(q):
            return float(q)
        last = q
        largest = float(np.max(np.abs(step)[: one.model.n_tau], initial=0.0))
        factor = min(1.0, 1.0 / largest) if largest > 0 else 1.0
        for _ in range(8):
            values, slopes = seen(parameters + factor * step)
            new = float(values @ values)
            if np.isfinite(new) and new < target + 2.0 * rise:
                break
            factor /= 2
        parameters, here = parameters + factor * step, new
    return sign * np.inf if here < target - 0.02 * rise else float(quantity(parameters)[0])


def difference_of(one: Quantity, other: Quantity) -> Quantity:
    """Return the difference of two quantities as a quantity."""

    def quantity(parameters: FloatArray) -> tuple[float, FloatArray]:
        (a, by_a), (b, by_b) = one(parameters), other(parameters)
        return a - b, by_a - by_b

    return quantity


def likelihood_ratio(common: float, free: float, degrees_of_freedom: int) -> float:
    """Return the p value of Wilks' test between two nested fits, from their deviances."""
    from scipy.special import chdtrc

    return float(chdtrc(degrees_of_freedom, max(common - free, 0.0)))


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
