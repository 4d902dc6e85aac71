"""Several measurements with the same time constants, against time constants of their own.

Input: fits of single measurements. Output: a fit of all with time constants in common, the share of
each component in each measurement, and the likelihood-ratio test between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.fitting import Fit, fit, likelihood_ratio
from blinkpair.ensemble.models import Model


@dataclass(frozen=True)
class Member:
    """One measurement of several, as a view of the common parameters.

    Its time constants are the first parameters of all, the others lie behind them in turn.
    """

    model: Model
    places: FloatArray  # of its own parameters among those of all
    n_all: int

    @property
    def n_tau(self) -> int:
        """Number of free time constants."""
        return self.model.n_tau

    @property
    def fixed_tau(self) -> Sequence[float]:
        """Time constants that are not fitted."""
        return self.model.fixed_tau

    @property
    def n_projected(self) -> int:
        """Number of amplitudes that are eliminated."""
        return self.model.n_projected

    def _spread(self, values: tuple[FloatArray, FloatArray]) -> tuple[FloatArray, FloatArray]:
        slopes = np.zeros((values[1].shape[0], self.n_all))
        slopes[:, self.places] = values[1]
        return values[0], slopes

    def evaluate(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the expected values of this measurement and their derivatives by all."""
        return self._spread(self.model.evaluate(parameters[self.places]))

    def amplitudes(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the amplitudes of this measurement and their derivatives by all."""
        return self._spread(self.model.amplitudes(parameters[self.places]))

    def taus(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return all time constants and their derivatives by all parameters."""
        return self._spread(self.model.taus(parameters[self.places]))


class CommonTaus:
    """All measurements, one behind the other, with the same time constants.

    Parameters
    ----------
    models : sequence of Model
    weights : sequence of float
        By which the values of each are multiplied: 1 for counts, else 1 / their scatter.
    """

    def __init__(self, models: Sequence[Model], sizes: Sequence[int], weights: Sequence[float]):
        self.n_tau, self.fixed_tau = models[0].n_tau, models[0].fixed_tau
        self._weights = weights
        self.n_projected = sum(model.n_projected for model in models)
        n_own = [size - self.n_tau for size in sizes]
        ends = self.n_tau + np.cumsum(n_own)
        self.members = [
            Member(
                model,
                np.concatenate([np.arange(self.n_tau), np.arange(end - n, end)]).astype(int),
                int(ends[-1]),
            )
            for model, n, end in zip(models, n_own, ends, strict=True)
        ]

    def evaluate(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the expected values of all and their derivatives."""
        parts = [m.evaluate(parameters) for m in self.members]
        weighted = [(w * v, w * j) for w, (v, j) in zip(self._weights, parts, strict=True)]
        return np.concatenate([v for v, _ in weighted]), np.concatenate([j for _, j in weighted])

    def amplitudes(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return those of the first measurement; the others are those of `members`."""
        return self.members[0].amplitudes(parameters)

    def taus(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return all time constants and their derivatives."""
        return self.members[0].taus(parameters)


@dataclass(frozen=True)
class Common:
    """Several measurements with the same time constants.

    Attributes
    ----------
    fit : Fit
        Of all; its model is a `CommonTaus`, whose members are in the order of the fits given.
    members : list of Member
    p_value : float
        Of the likelihood-ratio test against time constants of their own.
    """

    fit: Fit
    members: list[Member]
    p_value: float


def fit_common(fits: Sequence[Fit]) -> Common:
    """Fit several measurements with the same time constants.

    Parameters
    ----------
    fits : sequence of Fit
        Of each by itself, with the same number of components, sorted alike.

    Notes
    -----
    The test is Wilks': twice the loss of log-likelihood is chi-square of (measurements - 1) x (free
    time constants) degrees of freedom; with scatter from the residuals, the F test.
    """
    is_poisson = all(one.is_poisson for one in fits)
    weights = [1.0 if is_poisson else 1.0 / np.sqrt(max(one.scale, 1e-300)) for one in fits]
    model = CommonTaus([f.model for f in fits], [f.parameters.size for f in fits], weights)
    m = model.n_tau
    own = np.concatenate([one.parameters[m:] for one in fits])
    taus = np.mean([one.parameters[:m] for one in fits], axis=0)
    starts = [np.concatenate([t, own]) for t in (taus, fits[0].parameters[:m])]
    data = np.concatenate([w * one.data for w, one in zip(weights, fits, strict=True)])
    found = fit(model, data, starts, is_poisson=is_poisson)
    free = (len(fits) - 1) * m
    if is_poisson:
        p = likelihood_ratio(found.deviance, sum(one.deviance for one in fits), free)
    else:
        from scipy.special import fdtrc

        rest = sum(one.degrees_of_freedom for one in fits)
        # Each was scaled by its own scatter: together they have as many squares as freedoms.
        p = float(fdtrc(free, rest, max(found.deviance - rest, 0.0) / free))
    return Common(found, model.members, p)
