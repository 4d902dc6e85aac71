"""Fits of a model to counts or values by maximum likelihood.

The optimiser is SciPy's `least_squares` on residuals whose sum of squares is the deviance, so that
the smallest sum is the maximum of the Poisson likelihood, or on residuals in units of their own
scatter where the values are no counts.

Input: a model of `models`, the data, a start. Output: parameters, deviance, tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.models import Model

MOST_EVALUATIONS = 150


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
    seen = Evaluations(model, data, is_poisson)
    for start in starts:
        found = least_squares(
            seen.residuals, start, seen.jacobian, method="lm", x_scale="jac", xtol=1e-9,
            ftol=1e-10 if is_poisson else 1e-15, gtol=1e-14, max_nfev=MOST_EVALUATIONS,
        )  # fmt: skip
        if best is None or found.cost < best.cost:
            best = found
    values, slopes = seen(best.x)
    fitted = model.evaluate(best.x)[0]
    return Fit(
        model, data, best.x, float(values @ values), is_poisson, slopes.T @ slopes, fitted,
        bool(best.status > 0),
    )  # fmt: skip


class Evaluations:
    """Residuals of a fit and their Jacobian, evaluated once for each vector of parameters."""

    def __init__(self, model: Model, data: FloatArray, is_poisson: bool) -> None:
        self.model, self.data, self.is_poisson = model, data, is_poisson
        self._at: FloatArray | None = None
        self._last: tuple[FloatArray, FloatArray] = (data, data)

    def __call__(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return both."""
        if self._at is None or not np.array_equal(self._at, parameters):
            value, slopes = self.model.evaluate(parameters)
            self._last = _residuals(self.data, value, slopes, self.is_poisson)
            self._at = parameters.copy()
        return self._last

    def residuals(self, parameters: FloatArray) -> FloatArray:
        """Return the residuals."""
        return self(parameters)[0]

    def jacobian(self, parameters: FloatArray) -> FloatArray:
        """Return their derivatives by the parameters."""
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
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = np.where(np.abs(u) > 1e-7, u / values, 1.0 / np.sqrt(value))
        return values, slopes * factor[:, None]


def likelihood_ratio(common: float, free: float, degrees_of_freedom: int) -> float:
    """Return the p value of Wilks' test between two nested fits, from their deviances."""
    from scipy.special import chdtrc

    return float(chdtrc(degrees_of_freedom, max(common - free, 0.0)))
