"""Fits of photoluminescence decays: which channels, which response, how many exponentials.

Input: a decay and, where there is one, its response. Output: fits of 1 to 4 exponentials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.fitting import Fit, fit
from blinkpair.ensemble.models import ResponseModel, TailModel
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.errors import InputError

MOST_COMPONENTS = 4
SAME_BIN = 1e-3  # relative difference up to which two channel widths are one
_FEW = 20.0  # photons that would have to be missing for channels to count as dead
_PHOTONS_OF_RISE = 100
_FEWEST_FOR_SCATTER = 64  # channels: its standard error is then 20 %
_GRID = 30
_MARGIN = 2  # channels around what is seen of a response


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
    behind the maximum by twice the time of the rise. Normalised values are taken in photons.

    Raises
    ------
    InputError
        If the channels of the two differ in width.
    """
    decay = in_photons(decay)
    first, end = _live_channels(decay.counts)
    if response is None:
        return Prepared(decay, (_tail_start(decay.counts), end))
    if abs(response.bin_ns / decay.bin_ns - 1) > SAME_BIN:
        raise InputError(
            f"a channel is {1e3 * decay.bin_ns:.6g} ps wide and {1e3 * response.bin_ns:.6g} ps in "
            "the response",
            "record both with the same range and resolution",
            place,
        )
    counts = _above_background(response.counts)
    moved = _delay_of_rise(decay.counts, counts)
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


def in_photons(decay: Decay) -> Decay:
    """Return a normalised decay in photons, as its scatter shows them; others as they are.

    Notes
    -----
    Of counts a, b, c in a row with equal expectations, (a - 2b + c)^2 has the expectation of
    a + 4b + c. Of values that are multiples of counts, the ratio of the two is the multiple. Second
    differences are free of the slope of the decay.
    """
    values = decay.counts
    if decay.is_counts or values.min() < 0:
        return decay
    tail = values[_tail_start(values) : _live_channels(values)[1]]
    if tail.size < _FEWEST_FOR_SCATTER or not tail.any():
        return decay
    level = _smoothed(tail, 33)[1:-1]  # by which all channels weigh alike
    seen = level > 0
    scatter = np.sum(np.diff(tail, 2)[seen] ** 2 / level[seen])
    expected = np.sum((tail[:-2] + 4 * tail[1:-1] + tail[2:])[seen] / level[seen])
    photon = float(scatter / expected)
    if photon <= 0:
        return decay
    return replace(decay, counts=values / photon, is_scaled=True)


def fit_components(prepared: Prepared, n_tau: int) -> Fit:
    """Return the fit of so many exponentials, components by ascending time constant."""
    model = prepared.model(n_tau)
    is_poisson = prepared.decay.is_counts
    best = fit(model, prepared.data, _starts(prepared, n_tau), is_poisson=is_poisson)
    bin_ns, span = prepared.decay.bin_ns, prepared.decay.bin_ns * prepared.data.size
    # A component that ran out of the window may have missed the minimum: 1 decay of 500 did.
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


def goodness(one: Fit) -> float:
    """Return the p value of Pearson's chi-square; NaN where the values are no counts.

    Neighbouring channels are joined until each has ten expected photons.
    """
    from scipy.special import chdtrc

    if not one.is_poisson:
        return float("nan")
    bins = np.floor((np.cumsum(one.fitted) - one.fitted) / 10.0).astype(int)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    expected = np.add.reduceat(one.fitted, starts)
    seen = np.add.reduceat(one.data, starts)
    free = expected.size - one.parameters.size
    chi = float(np.sum((seen - expected) ** 2 / expected))
    return float(chdtrc(free, chi)) if free > 0 else float("nan")


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
    mean = bin_ns * _mean_delay(data)
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
        weights = 1.0 / np.sqrt(np.maximum(_smoothed(prepared.data), 0.3))
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


def _smoothed(counts: FloatArray, width: int = 9) -> FloatArray:
    """Return a running mean, the ends repeated."""
    padded = np.pad(counts, width // 2, mode="edge")
    sums = np.cumsum(np.concatenate([[0.0], padded]))
    return np.asarray((sums[width:] - sums[:-width]) / width)


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


def _live_channels(counts: FloatArray) -> tuple[int, int]:
    """Return the first and the end of the channels that the electronics can fill."""
    filled = np.flatnonzero(counts)
    first, end = int(filled[0]), int(filled[-1]) + 1
    before, behind = first, counts.size - end
    # Empty channels are data unless the level beside them promises photons in them.
    if before and np.mean(counts[first : first + before]) * before < _FEW:
        first = 0
    elif before and first + before > int(np.argmax(counts)):
        first = 0  # the pulse itself is what begins there
    if behind and np.mean(counts[max(end - behind, 0) : end]) * behind < _FEW:
        end = counts.size
    return first, end


def _above_background(counts: FloatArray) -> FloatArray:
    """Return a response above its background, zero where it does not rise above the noise.

    Reflections and late pulses behind the main one are parts of it. The background is that before
    the pulse; where it comes too early for that, the level that a quarter of the record is below.
    """
    peak = int(np.argmax(counts))
    onset = _first_at(counts, 0.01 * float(counts[peak]))
    dark = counts[: max(onset - 10, 0)]
    if dark.size < 10:
        first, end = _live_channels(counts)
        levels = _smoothed(counts[first:end], 101)
        dark = counts[first:end][levels <= np.quantile(levels, 0.25)]
    background = float(np.mean(dark))
    above = counts - background
    if Decay(counts, 1.0).is_counts:
        noise = float(np.sqrt(background + 1.0))
    else:  # normalised, or a background was subtracted before: the scatter before the pulse is the noise
        noise = float(np.std(dark))
    # The running mean finds a weak end that single channels hide in their noise.
    seen = _smoothed(above, 5) > 5.0 * noise / np.sqrt(5.0)
    seen[peak] = True
    kept = np.convolve(seen, np.ones(2 * _MARGIN + 1), mode="same") > 0
    return np.where(kept, np.maximum(above, 0.0), 0.0)


def _delay_of_rise(counts: FloatArray, response: FloatArray) -> int:
    """Return by how many channels a decay rises later than its response makes one rise.

    That is an exponential with the mean delay of the light behind the response, which rises later
    than the response itself. Both are averaged over the width of the response, or over more
    channels until 100 photons lie in them: a single channel may hold few.
    """
    from scipy.signal import lfilter

    delay = _mean_delay(counts)
    made = lfilter([1.0], [1.0, -np.exp(-1.0 / delay)], response)
    width = 2 * int(np.sum(response > 0.5 * response.max()) // 2) + 1
    if Decay(counts, 1.0).is_counts:
        while width < delay and width * _smoothed(counts, width).max() < _PHOTONS_OF_RISE:
            width = 2 * width + 1
    return _half_height(counts, width) - _half_height(made, width)


def _mean_delay(counts: FloatArray) -> float:
    """Return the mean delay of the light behind the maximum, at least one channel."""
    behind = np.maximum(counts[int(np.argmax(counts)) :] - np.min(_smoothed(counts, 101)), 0.0)
    return max(float(behind @ np.arange(behind.size)) / max(float(behind.sum()), 1e-300), 1.0)


def _half_height(counts: FloatArray, width: int) -> int:
    """Return the first channel whose mean over so many channels reaches half of the largest."""
    smooth = _smoothed(counts, max(width, 3))
    return _first_at(smooth, 0.5 * float(smooth.max()))


def _first_at(counts: FloatArray, level: float) -> int:
    """Return where the rise to the maximum last crosses a level."""
    peak = int(np.argmax(counts))
    below = np.flatnonzero(counts[: peak + 1] < level)
    return int(below[-1]) + 1 if below.size else 0


def _tail_start(counts: FloatArray) -> int:
    """Return the channel from which on no light is due to the response itself."""
    smooth = _smoothed(counts, 3)
    peak = int(np.argmax(smooth))
    rise = peak - _first_at(smooth, 0.1 * float(smooth[peak]))
    return peak + 2 * max(rise, 1)
