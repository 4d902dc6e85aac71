"""The two laws of blinking dwell times, as exact discrete distributions in a finite window.

P(t) ~ t^-alpha exp(-rate t) has to be normalised by a sum over every whole
frame of the window (20,000 terms of it), hundreds of times per nanocrystal. Here, a sum over a
range of integers is a Gauss rule of the counting measure on blocks that double in length:
about 120 terms instead of 20,000, equal to the full sum to about twelve digits. The sum from
the duration of each cut event on is a part of the same terms, because a block ends before it.

Input: how often each duration in whole frames occurred, those cut by the end of the trace apart.
Output: log-likelihoods, maximum-likelihood parameters and their covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.dwell_fits.ascent import maximise_likelihood
from blinkpair.dwell_fits.events import Events

UNBOUNDED = 2**40  # frames; the tail beyond does not change a likelihood

_NODES_PER_BLOCK = 10
_EXACT_TERMS = 24
# A shift of the durations by s frames gives short = alpha s to first order, and no camera shifts
# by much more than half a frame: a normal prior of that width keeps few events from inventing
# more.
_SHORT_SD = 1.0


@lru_cache(maxsize=4096)
def _gauss_of_integers(count: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights for the sum of a smooth function over 0..`count` - 1.

    Golub-Welsch on the recurrence of the discrete Chebyshev (Gram) polynomials, which are
    orthogonal under the counting measure: beta_k = k^2 (N^2 - k^2) / (4 (4 k^2 - 1)).
    """
    if count <= _NODES_PER_BLOCK:
        return np.arange(count, dtype=np.float64), np.ones(count)
    k = np.arange(1, _NODES_PER_BLOCK, dtype=np.float64)
    beta = k**2 * (float(count) ** 2 - k**2) / (4.0 * (4.0 * k**2 - 1.0))
    jacobi = np.diag(np.sqrt(beta), 1)
    nodes, vectors = np.linalg.eigh(jacobi + jacobi.T)
    return (count - 1) / 2.0 + nodes, count * vectors[0] ** 2


def summation_rule(first: int, last: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes x and weights w with sum(w f(x)) = sum of f over the integers first..last.

    Holds for functions as smooth as t^-alpha exp(-rate t): no faster than a power of t from
    one block, which spans at most a factor of two in t, to the next.
    """
    start = min(last, first + _EXACT_TERMS - 1) + 1
    nodes = [np.arange(first, start, dtype=np.float64)]
    weights = [np.ones(start - first)]
    stop = _EXACT_TERMS
    while start <= last:
        stop = 2 * stop + 1  # wherever a range begins, its later blocks are those of all others
        if start <= stop:
            x, w = _gauss_of_integers(min(stop, last) - start + 1)
            nodes.append(start + x)
            weights.append(w)
            start = stop + 1
    return np.concatenate(nodes), np.concatenate(weights)


@lru_cache(maxsize=512)  # a nanocrystal's laws share the frames from its cut event on
def _nodes(first: int, last: int) -> FloatArray:
    """Return log weights and statistics (log t, t, 1 / t) of `summation_rule`, (4, nodes)."""
    frames, weights = summation_rule(first, last)
    return np.stack([np.log(weights), *_statistics(frames)])


@dataclass(frozen=True)
class Maximum:
    """A maximum of the likelihood: where, how high, and how well determined.

    `parameters` are (alpha, rate, short): the exponent, the rate of the exponential cut-off
    per frame, and the correction of the shortest events. `information` (3 x 3) is the observed
    one; `free` (3,) are the parameters that were not held, nor a rate at its boundary of 0.
    """

    parameters: FloatArray
    log_likelihood: float
    information: FloatArray
    free: BoolArray

    @property
    def alpha(self) -> float:
        """Exponent of the power law."""
        return float(self.parameters[0])

    @property
    def rate(self) -> float:
        """Rate of the exponential cut-off, per frame."""
        return float(self.parameters[1])

    @cached_property
    def log_det_information(self) -> float:
        """Log determinant of the information of the free parameters; nan if not determined."""
        sign, log_det = np.linalg.slogdet(self.information[self.free][:, self.free])
        return float(log_det) if sign > 0 and np.isfinite(log_det) else float("nan")

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance (3, 3); zero for those that are not free, nan if not determined."""
        covariance = np.zeros((3, 3))
        inner = np.ix_(self.free, self.free)
        if np.isfinite(self.log_det_information):
            covariance[inner] = np.linalg.inv(self.information[inner])
        else:
            covariance[inner] = np.nan
        return covariance


class DwellLikelihood:
    """Log-likelihood of P(t) ~ t^-alpha exp(-rate t + short / t) for one set of events.

    Parameters
    ----------
    events : Events
        A cut one is an event of T >= duration and enters through the survival function.
    first, last : int
        The law lives on first..last frames; shorter events are left out.
    """

    def __init__(self, events: Events, *, first: int, last: int) -> None:
        own = events.from_frames(first)
        whole = own.frames.astype(np.float64)
        n_each = (own.complete + own.cut).astype(np.float64)
        self.n_events = own.n_complete + own.n_cut
        self._scale = max(float(n_each @ whole) / self.n_events, 1.0) if self.n_events else 1.0
        self._unit = np.array([-1.0, -self._scale, 1.0])  # natural parameters / parameters
        # The law's own normalising sum, then one survival function a cut duration.
        cut = own.cut > 0
        from_frames = [first, *own.frames[cut].tolist()]
        self._omega = np.concatenate([[-float(self.n_events)], own.cut[cut].astype(np.float64)])
        edges = [*sorted(set(from_frames)), last + 1]
        nodes = np.concatenate([_nodes(start, end - 1) for start, end in pairwise(edges)], axis=1)
        self._starts = np.searchsorted(nodes[2], np.array(from_frames) - 0.5)
        self._log_weight, self._statistics = nodes[0], nodes[1:]
        self._statistics[1] /= self._scale
        self._complete = whole, own.complete.astype(np.float64)
        self._sums = _statistics(whole) @ self._complete[1]
        self._sums[1] /= self._scale

    @property
    def durations(self) -> FloatArray:
        """Durations of the complete events, frames, each once."""
        whole, complete = self._complete
        return whole[complete > 0]

    def maximise(
        self,
        *,
        alpha: float | None = None,
        rate: float | None = None,
        short: bool = False,
        start: FloatArray | None = None,
    ) -> Maximum:
        """Return the maximum in `alpha` and `rate`, unless they are held, and in `short` if free.

        Without cut events the log-likelihood is concave (an exponential family), so a Newton
        step that is halved until the likelihood rises reaches the one maximum; rate >= 0 by
        stopping at the boundary.
        """
        theta = np.array([1.5, 0.0, 0.0]) if start is None else start.copy()
        if alpha is not None:
            theta[0] = alpha
        if rate is not None:
            theta[1] = rate
        free = np.array([alpha is None, rate is None, short])
        theta, value, hessian = maximise_likelihood(
            theta * self._unit,
            free,
            self._statistics,
            self._log_weight,
            self._starts,
            self._omega,
            self._sums,
            _SHORT_SD,
        )
        # At its boundary the rate is held: of an unbounded law its information is infinite there,
        # or minus infinity where an event is cut.
        free[1] &= theta[1] < 0.0
        information = -hessian * self._unit * self._unit[:, None]
        return Maximum(theta / self._unit, value, information, free)

    def gain_by_bend(self, fit: Maximum, *, short: bool) -> tuple[float, float]:
        """Return by how much the log-likelihood rises with a factor exp(bend exp(-t / g)).

        The factor is a smooth bend of the law at g, the geometric mean of the durations, where
        a mixture of exponentials or of power laws, a lognormal law or a preferred duration bends
        it. Twice the gain is a chi-square of one degree of freedom if the law is right, fitted
        parameters or not (docs/blinking.md: size and power). g depends on the sufficient
        statistic of alpha alone, so that it costs no degree of freedom.

        Parameters
        ----------
        fit : Maximum
            The maximum in alpha and rate (and short) without the factor.
        short : bool
            Whether `short` was free in it.

        Returns
        -------
        gain, correlation : float
            The second is that of the estimates of the bend and of `short`, were both free.
        """
        whole, complete = self._complete
        mean = float(np.exp(complete @ np.log(whole) / complete.sum()))
        frames = self._statistics[1] * self._scale
        start = np.append(fit.parameters * self._unit, 0.0)
        # A rate at its boundary stays there: freed with the bend, it would add to the gain.
        free = np.array([True, start[1] < 0.0, short, True])
        _, value, hessian = maximise_likelihood(
            start,
            free,
            np.vstack([self._statistics, np.exp(-frames / mean)]),
            self._log_weight,
            self._starts,
            self._omega,
            np.append(self._sums, np.exp(-whole / mean) @ complete),
            _SHORT_SD,
        )
        free[2] = True
        covariance = np.linalg.pinv(-hessian[np.ix_(free, free)])
        correlation = covariance[-1, -2] / np.sqrt(covariance[-1, -1] * covariance[-2, -2])
        return max(value - fit.log_likelihood, 0.0), float(correlation)

    def log_normalisation(self, parameters: FloatArray) -> float:
        """Return the log of the sum of t^-alpha exp(-rate t + short / t) over the law's frames."""
        theta = parameters * self._unit
        exponent = self._log_weight + theta @ self._statistics
        top = exponent.max()
        return float(top + np.log(np.exp(exponent - top).sum()))


def tau_interval(
    likelihood: DwellLikelihood, best: Maximum, *, short: bool, ratio: float, level: float = 0.95
) -> tuple[float, float]:
    """Return the profile-likelihood interval of tau, frames: at its ends the ratio's root is z."""
    from scipy.optimize import brentq  # loaded only where there is a tau
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    unbounded = np.sqrt(ratio) <= z  # the interval has no upper end
    ends = []
    nearby = [best]
    for side in (1.0, -1.0):  # a higher rate first: the lower end of tau

        @cache  # brentq begins with both ends again
        def excess(log_rate: float) -> float:
            start = likelihood.maximise(
                rate=float(np.exp(log_rate)), short=short, start=nearby[-1].parameters
            )
            nearby.append(start)
            return float(np.sqrt(max(2 * (best.log_likelihood - start.log_likelihood), 0.0))) - z

        if side < 0 and unbounded:
            ends.append(float("inf"))
            continue
        x0 = float(np.log(best.rate))
        step = side * min(z * float(np.sqrt(best.covariance[1, 1])) / best.rate, 2.0)
        x1 = x0 + step
        f1 = excess(x1)
        while f1 < 0 and abs(x1 - x0) < 40:
            x0, x1 = x1, x1 + step
            f1 = excess(x1)
        x = x1 if f1 <= 0 else brentq(excess, x0, x1, xtol=1e-4)
        ends.append(float(np.exp(-x)))
    return ends[0], ends[1]


def _statistics(frames: FloatArray) -> FloatArray:
    """Return what the laws depend on, (3, n): log t, t and 1 / t."""
    return np.stack([np.log(frames), frames, 1.0 / frames])
