"""Fits of photoluminescence decays: which channels, which response, how many exponentials.

Input: a decay and, where there is one, its response. Output: fits of 1 to 4 exponentials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.channels import (
    above_background,
    delay_of_rise,
    in_photons,
    live_channels,
    mean_delay,
    smoothed,
    tail_start,
)
from blinkpair.ensemble.fitting import Fit, fit
from blinkpair.ensemble.models import ResponseModel, TailModel
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.errors import InputError

MOST_COMPONENTS = 4
SAME_BIN = 1e-3  # relative difference up to which two channel widths are one
_GRID = 30


@dataclass(frozen=True)
class Prepared:
    """A decay ready to be fitted.

    Attributes
    ----------
    decay : Decay
    window : (first, end) of int
        The channels that are fitted.
    response : (m,) array or None
        Counts above background, at the place of the decay to some channels; None for a tail fit.
    moved : int
        Channels by which the response was moved to that place.
    """

    decay: Decay
    window: tuple[int, int]
    response: FloatArray | None = field(default=None, repr=False)
    moved: int = 0

    @property
    def data(self) -> FloatArray:
        """The values that are fitted."""
        return self.decay.counts[slice(*self.window)]

    def model(self, n_tau: int) -> ResponseModel | TailModel:
        """Return the model with so many exponentials."""
        if self.response is None:
            return TailModel(self.decay.bin_ns, n_tau, self.window, self.decay.period_ns)
        return ResponseModel(
            self.decay.counts.size, self.decay.bin_ns, self.response, n_tau, self.window,
            self.decay.period_ns,
        )  # fmt: skip

    def shift_ps(self, parameters: FloatArray) -> float:
        """Return by how much the response is shifted, NaN without one."""
        if self.response is None:
            return float("nan")
        return 1e3 * self.decay.bin_ns * (self.moved + float(parameters[-1]))


def prepare(decay: Decay, response: Decay | None = None, place: str = "") -> Prepared:
    """Choose the channels to fit and bring the response to them.

    Channels at either end in which nothing was counted although photons were to be expected lie
    outside of the range of the electronics and are left out. Without a response the fit starts
    behind the maximum by twice the time of the rise. Values that are no counts, normalised or less
    a background, are taken in photons.

    Raises
    ------
    InputError
        If the channels of the two differ in width, or what was below 0 was set to 0.
    """
    decay = in_photons(decay, place)
    first, end = live_channels(decay.counts)
    if response is None:
        return Prepared(decay, (tail_start(decay.counts), end))
    if abs(response.bin_ns / decay.bin_ns - 1) > SAME_BIN:
        raise InputError(
            f"a channel is {1e3 * decay.bin_ns:.6g} ps wide and {1e3 * response.bin_ns:.6g} ps in "
            "the response",
            "record both with the same range and resolution",
            place,
        )
    counts = above_background(response.counts)
    moved = delay_of_rise(decay.counts, counts)
    used = np.flatnonzero(counts)
    counts = counts[used[0] : used[-1] + 1]
    # A response that would begin before the first channel keeps what lies within.
    begin = int(used[0]) + moved
    placed = np.zeros(max(begin, 0) + counts.size)
    placed[max(begin, 0) :] = counts
    if begin < 0:
        placed = placed[-begin:]
        if not placed.any():
            raise InputError("decay and response do not overlap", "check the two files", place)
    return Prepared(decay, (first, end), placed, moved)


def fit_components(prepared: Prepared, n_tau: int) -> Fit:
    """Return the fit of so many exponentials, components by ascending time constant."""
    model = prepared.model(n_tau)
    is_poisson = prepared.decay.is_counts
    best = fit(model, prepared.data, _starts(prepared, n_tau), is_poisson=is_poisson)
    bin_ns, span = prepared.decay.bin_ns, prepared.decay.bin_ns * prepared.data.size
    # A fit with a component beyond the window may have missed the minimum, as 1 of 500 did.
    if n_tau > 1 and not (0.1 * bin_ns < best.taus().min() <= best.taus().max() < 10 * span):
        more = [_start(prepared, taus, 0.0) for taus in _ladders(prepared, n_tau)]
        other = fit(model, prepared.data, more, is_poisson=is_poisson)
        best = min(best, other, key=lambda one: one.deviance)
    return sort_components(best)


def choose_components(prepared: Prepared) -> list[Fit]:
    """Return the fits of 1 to 4 exponentials; the smallest `bic` decides."""
    return [fit_components(prepared, n) for n in range(1, MOST_COMPONENTS + 1)]


def smallest_bic(fits: Sequence[Fit]) -> int:
    """Return the number of exponentials with the smallest information criterion."""
    return int(np.argmin([one.bic for one in fits])) + 1


def sort_components(one: Fit) -> Fit:
    """Return a fit with its components by ascending time constant."""
    m = one.model.n_tau
    order = np.argsort(one.parameters[:m], kind="stable")
    places = np.concatenate([order, m + order, np.arange(2 * m, one.parameters.size)])
    return replace(
        one,
        parameters=one.parameters[places],
        information=one.information[np.ix_(places, places)],
    )


def _starts(prepared: Prepared, n_tau: int) -> list[FloatArray]:
    """Return three starts: from the spectrum of time constants twice, and spread evenly."""
    bin_ns = prepared.decay.bin_ns
    span = bin_ns * prepared.data.size
    grid = np.geomspace(bin_ns, 2 * span, _GRID)
    photons, background = _spectrum(prepared, grid)
    groups = _groups(grid, photons, n_tau)
    wider = groups * np.geomspace(0.5, 1.6, n_tau) if n_tau > 1 else groups * 1.3
    even = np.geomspace(4 * bin_ns, span / 5, n_tau + 2)[1:-1]
    return [_start(prepared, np.asarray(taus), background) for taus in (groups, wider, even)]


def _ladders(prepared: Prepared, n_tau: int) -> list[FloatArray]:
    """Return time constants spread around the mean delay of the light, and over the window."""
    data, bin_ns = prepared.data, prepared.decay.bin_ns
    mean = bin_ns * mean_delay(data)
    return [
        np.geomspace(0.05 * mean, 1.6 * mean, n_tau),
        np.geomspace(2 * bin_ns, bin_ns * data.size / 3, n_tau),
    ]


def _start(prepared: Prepared, taus: FloatArray, background: float) -> FloatArray:
    photons, background = _spectrum(prepared, taus)
    total = max(float(prepared.data.sum()), 1.0) if prepared.decay.is_counts else photons.sum()
    photons = np.maximum(photons, 1e-3 * max(total, 1e-30))
    floor = 1e-3 if prepared.decay.is_counts else 1e-9 * float(np.max(prepared.data))
    shift = [] if prepared.response is None else [0.0]
    return np.concatenate([np.log(taus), np.log(photons), [np.log(max(background, floor))], shift])


def _spectrum(prepared: Prepared, taus: FloatArray) -> tuple[FloatArray, float]:
    """Return the photons of given time constants and the background, none negative."""
    from scipy.optimize import nnls

    n = taus.size
    extra = 1 if prepared.response is None else 2
    parameters = np.concatenate([np.log(taus), np.zeros(n + extra)])
    _, slopes = prepared.model(n).evaluate(parameters)
    design = slopes[:, n : 2 * n + 1]
    if prepared.decay.is_counts:
        weights = 1.0 / np.sqrt(np.maximum(smoothed(prepared.data), 0.3))
    else:
        weights = np.ones(prepared.data.size)
    weighted = design * weights[:, None]
    scales = np.sqrt((weighted**2).sum(axis=0)) + 1e-300
    weighted /= scales
    # The normal equations are exact enough for a start; the ridge keeps them positive definite.
    root = np.linalg.cholesky(weighted.T @ weighted + 1e-10 * np.eye(n + 1))
    found, _ = nnls(root.T, np.linalg.solve(root, weighted.T @ (prepared.data * weights)))
    found = found / scales
    return np.asarray(found[:n]), float(found[n])


def _groups(grid: FloatArray, photons: FloatArray, n: int) -> FloatArray:
    """Merge a spectrum's lines until n are left, or split the strongest until n are there."""
    keep = photons > 1e-6 * photons.sum()
    logs, weights = list(np.log(grid[keep])), list(photons[keep])
    if not logs:
        return np.geomspace(grid[2], grid[-4], n)
    while len(logs) > n:
        k = int(np.argmin(np.diff(logs)))
        w = weights[k] + weights[k + 1]
        logs[k] = (logs[k] * weights[k] + logs[k + 1] * weights[k + 1]) / w
        weights[k] = w
        del logs[k + 1], weights[k + 1]
    while len(logs) < n:
        k = int(np.argmax(weights))
        logs[k : k + 1] = [logs[k] - 0.7, logs[k] + 0.7]
        weights[k : k + 1] = [weights[k] / 2] * 2
        order = np.argsort(logs)
        logs, weights = [logs[i] for i in order], [weights[i] for i in order]
    return np.exp(np.array(logs))
