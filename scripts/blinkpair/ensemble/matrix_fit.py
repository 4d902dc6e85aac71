"""The whole matrix of transient absorption, with time constants common to all probe energies.

The amplitudes at one probe energy, that of the trace, are parameters; those at all others follow
from the time constants by linear least squares (variable projection), so that a matrix has no more
parameters than its trace.

Input: a matrix, the energy of the trace. Output: a fit, and the spectra of its components.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.ensemble import bleach
from blinkpair.ensemble.fitting import Fit, fit
from blinkpair.ensemble.models import FreeTaus, TraceModel
from blinkpair.ensemble.readers.matrix import Matrix
from blinkpair.errors import InputError

_RANK = 1e-10  # of the largest singular value: two equal time constants are one


class MatrixModel(FreeTaus):
    """Values of a matrix: the trace at one probe, then those of all other probes, projected.

    Parameters are those of `TraceModel` for the trace. Values that are not finite are left out.

    Parameters
    ----------
    times : (n,) array
    change : (n, m) array
        NaN where nothing was measured.
    own : int
        The column of the trace.
    n_tau : int
    fixed_tau : sequence of float
    weights : (m,) array
        By which the values of each probe are multiplied.

    Notes
    -----
    Golub and Pereyra (1973), with Kaufman's (1975) Jacobian: the part it leaves out is orthogonal
    to the residuals, so that the gradient of the sum of squares is exact.
    """

    def __init__(
        self,
        times: FloatArray,
        change: FloatArray,
        own: int,
        n_tau: int,
        fixed_tau: Sequence[float],
        weights: FloatArray,
    ) -> None:
        self.times, self.change, self.own, self.weights = times, change, own, weights
        self.n_tau, self.fixed_tau = n_tau, tuple(fixed_tau)
        self._measured = np.isfinite(change)
        rows = self._measured[:, own]
        self._trace = TraceModel(times[rows], n_tau, fixed_tau)
        patterns, which = np.unique(self._measured, axis=1, return_inverse=True)
        others = np.arange(change.shape[1]) != own
        self._blocks = [
            (np.flatnonzero(patterns[:, k]), np.flatnonzero((which == k) & others))
            for k in range(patterns.shape[1])
        ]
        self._blocks = [block for block in self._blocks if block[1].size]
        n_others = sum(columns.size for _, columns in self._blocks)
        self.n_projected = (n_tau + len(self.fixed_tau)) * n_others

    @property
    def data(self) -> FloatArray:
        """The values in the order of `evaluate`, weighted."""
        weighted = self.change * self.weights
        rows = self._measured[:, self.own]
        parts = [weighted[rows, self.own]]
        parts += [weighted[np.ix_(rows, columns)].ravel() for rows, columns in self._blocks]
        return np.concatenate(parts)

    @property
    def delays(self) -> NDArray[np.intp]:
        """The number of the delay of each value of `data`."""
        parts = [np.flatnonzero(self._measured[:, self.own])]
        parts += [np.repeat(rows, columns.size) for rows, columns in self._blocks]
        return np.concatenate(parts)

    def evaluate(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the values and their derivatives."""
        value, slopes = self._trace.evaluate(parameters)
        w = self.weights[self.own]
        values, jacobians = [w * value], [w * slopes]
        for rows, columns, basis, slopes_of_shapes, found in self._solved(parameters):
            seen = self.weights[columns] * self.change[np.ix_(rows, columns)]
            values.append((basis @ (basis.T @ seen)).ravel())
            jacobian = np.zeros((rows.size * columns.size, parameters.size))
            for k in range(self.n_tau):
                off = slopes_of_shapes[:, k] - basis @ (basis.T @ slopes_of_shapes[:, k])
                jacobian[:, k] = np.outer(off, self.weights[columns] * found[k]).ravel()
            jacobians.append(jacobian)
        return np.concatenate(values), np.concatenate(jacobians)

    def amplitudes(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the amplitudes at the probe of the trace and the derivatives."""
        return self._trace.amplitudes(parameters)

    def spectra(self, parameters: FloatArray) -> FloatArray:
        """Return the amplitudes at all probes, (components, probes)."""
        out = np.empty((self.n_tau + len(self.fixed_tau), self.change.shape[1]))
        out[:, self.own] = self.amplitudes(parameters)[0]
        for _, columns, _, _, found in self._solved(parameters):
            out[:, columns] = found
        return out

    def _solved(
        self, parameters: FloatArray
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], FloatArray, FloatArray, FloatArray]]:
        """Yield the parts of the linear problem, for all probes that were measured alike.

        Rows, columns, an orthonormal basis of the shapes, the derivatives of the shapes by the
        logarithms of the time constants, and the amplitudes.
        """
        taus = self.taus(parameters)[0]
        for rows, columns in self._blocks:
            scaled = self.times[rows, None] / taus
            shapes = np.exp(-scaled)
            u, s, vt = np.linalg.svd(shapes, full_matrices=False)
            kept = s > _RANK * s[0]
            basis = u[:, kept]
            found = (vt[kept].T / s[kept]) @ (basis.T @ self.change[np.ix_(rows, columns)])
            yield rows, columns, basis, (shapes * scaled)[:, : self.n_tau], found


def fit_matrix(
    matrix: Matrix,
    trace: bleach.Trace,
    *,
    start_ps: float = bleach.START_PS,
    fixed_tau_ps: float | None = bleach.FIXED_TAU_PS,
    n_free: int = bleach.N_FREE,
    equal_noise: bool = False,
    place: str = "",
) -> Fit:
    """Fit exponentials to all probes from a delay on, with time constants in common; times in ps.

    Parameters
    ----------
    matrix : Matrix
    trace : Trace
        Of this matrix; its amplitudes are parameters of the fit.
    start_ps, fixed_tau_ps, n_free
        As for `bleach.fit_trace`.
    equal_noise : bool
        All values weigh alike; by default each probe by the scatter of its residuals in such a fit.
    place : str
        For the message.

    Returns
    -------
    Fit
        Its `scores` widen the intervals where the residuals of a delay rise and fall together at
        many probes, as the noise of a laser makes them.

    Raises
    ------
    InputError
        If too few delays are left.
    """
    times, n = matrix.delay_ps, n_free + (fixed_tau_ps is not None)
    used = times >= start_ps
    # A column of one value, as programs write where they measured nothing, has no scatter.
    is_measured = np.isfinite(matrix.change[used])
    varies = np.nan_to_num(matrix.change[used]).std(axis=0) > 0
    enough = (is_measured.sum(axis=0) > n) & varies
    change = trace.sign() * matrix.change[np.ix_(used, enough)]
    own = int(np.argmin(np.abs(matrix.probe_ev[enough] - trace.probe_ev)))
    alone = bleach.fit_trace(
        trace, start_ps=start_ps, fixed_tau_ps=fixed_tau_ps, n_free=n_free, place=place
    )
    if not enough.any():
        raise InputError("no probe has enough delays for a fit", "check the file", place)
    fixed = () if fixed_tau_ps is None else (fixed_tau_ps,)
    weights = np.ones(change.shape[1])
    starts = [alone.parameters, *bleach.starts(trace, start_ps, fixed_tau_ps, n_free)]
    for is_last in (True,) if equal_noise else (False, True):
        model = MatrixModel(times[used], change, own, n_free, fixed, weights)
        found = fit(model, model.data, starts, is_poisson=False)
        if not is_last:
            off = change - np.exp(-times[used, None] / found.taus()) @ model.spectra(
                found.parameters
            )
            free = np.isfinite(off).sum(axis=0) - n
            weights = 1.0 / np.sqrt(np.nansum(off**2, axis=0) / free)
            starts = [found.parameters]
    found = bleach.sort_free(found, n_free)
    return replace(found, scores=_scores_by_delay(found))


def _scores_by_delay(one: Fit) -> FloatArray:
    """Return the covariance of the scores, taken as independent between delays only.

    Notes
    -----
    Liang and Zeger (1986), with the usual n / (n - p) for few delays.
    """
    model = one.model
    assert isinstance(model, MatrixModel)
    slopes = model.evaluate(one.parameters)[1]
    n, p = model.times.size, slopes.shape[1]
    scores = np.zeros((n, p))
    np.add.at(scores, model.delays, slopes * (one.fitted - one.data)[:, None])
    return np.asarray(scores.T @ scores * n / (n - p))
