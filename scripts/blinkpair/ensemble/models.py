"""Sums of exponentials as they are measured: behind a response, from a start on, or at given times.

A model turns a vector of parameters into the expected values and their derivatives. Time constants
enter as logarithms, so that they stay positive; photon numbers as well, where counts need it.

Input: bin width, response or times. Output: expected values and the Jacobian.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from blinkpair.arrays import FloatArray

# Channels by which a response may move beyond its own ends, and at least its width.
SHIFT_MARGIN = 16
PARTS = 4  # of a channel, within which the response is taken as a spike
LEFT_OF_CHANNEL = 1.0 - (np.arange(PARTS) + 0.5) / PARTS
_SWING = 1e-4  # below zero, of the maximum; the noise of a response of 1e6 photons makes 4e-5
_FORGOTTEN = 60.0  # time constants after which a pulse is no longer seen: e^-60
_SMALLEST = 1e-12  # an expected count below this is taken as this
_LARGEST_EXPONENT = 700.0
# Channels in units of the time constant: beyond these ends a decay is a spike, or constant.
_RATES = (1e-9, 700.0)


def _exp(values: Any) -> Any:
    return np.exp(np.clip(values, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))


def _per_channel(bin_ns: float, log_tau: FloatArray) -> FloatArray:
    """Return the width of a channel in units of each time constant."""
    return np.asarray(np.clip(bin_ns * _exp(-log_tau), *_RATES))


class Model(Protocol):
    """What `fitting` needs of a model."""

    @property
    def n_tau(self) -> int:
        """Number of free time constants; their logarithms are the first parameters."""

    @property
    def fixed_tau(self) -> Sequence[float]:
        """Time constants that are not fitted; they come behind the free ones."""

    @property
    def n_projected(self) -> int:
        """Number of amplitudes that follow from the other parameters and the data."""

    def evaluate(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the expected values (n,) and their derivatives (n, parameters)."""

    def amplitudes(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the amplitudes (components,) and their derivatives (components, parameters)."""

    def taus(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return all time constants (components,) and their derivatives."""


class FreeTaus:
    """Time constants of which the first are parameters and the rest are given."""

    n_tau: int
    fixed_tau: Sequence[float]
    n_projected: int = 0

    def taus(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return all time constants (components,) and their derivatives."""
        free = _exp(parameters[: self.n_tau])
        taus = np.concatenate([free, np.asarray(self.fixed_tau, dtype=np.float64)])
        slopes = np.zeros((taus.size, parameters.size))
        slopes[np.arange(self.n_tau), np.arange(self.n_tau)] = free
        return taus, slopes


class ResponseModel(FreeTaus):
    """Counts a channel of a sum of exponentials behind a measured response, plus a background.

    The response is a histogram of the same bin width. The decay is integrated over each channel;
    the course of the response within a channel is that of a spline through its sums. Light of
    earlier pulses is included where the period is known.

    Parameters are log tau_k (ns), log N_k (photons of component k, were the window endless), log of
    the background (counts a channel), and the shift of the response (channels).

    Parameters
    ----------
    n_channels : int
    bin_ns : float
    response : (m,) array
        Counts of the response above its background, at the decay's bin width; m may differ from
        n_channels.
    n_tau : int
    window : (first, end) of int
        The channels that are fitted.
    period_ns : float
        Time between two pulses; infinity where it is not known.
    """

    def __init__(
        self,
        n_channels: int,
        bin_ns: float,
        response: FloatArray,
        n_tau: int,
        window: tuple[int, int] | None = None,
        period_ns: float = np.inf,
    ) -> None:
        self.n_tau, self.fixed_tau, self.bin_ns = n_tau, (), bin_ns
        self.n_channels, self.period = n_channels, period_ns / bin_ns
        self.window = window or (0, n_channels)
        used = np.flatnonzero(response > 0)
        margin = max(SHIFT_MARGIN, int(np.sum(response > 0.5 * response.max())))
        self._first = int(used[0]) - margin
        seen = np.asarray(response[used[0] : used[-1] + 1], dtype=np.float64)
        self._response = _Shifted(seen, margin)

    def _place(self, values: FloatArray) -> FloatArray:
        """Return values around the response in the channels of the decay; others are cut off."""
        out = np.zeros(self.n_channels)
        low, high = max(self._first, 0), min(self._first + values.size, self.n_channels)
        out[low:high] = values[low - self._first : high - self._first]
        return out

    def evaluate(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the expected counts of the window and their derivatives."""
        from scipy.signal import lfilter

        m = self.n_tau
        rates = _per_channel(self.bin_ns, parameters[:m])
        photons = _exp(parameters[m : 2 * m])
        background = float(_exp(parameters[2 * m]))
        moved, slope = self._response.at(float(parameters[2 * m + 1]))
        excited, by_shift_all = (self._place(v.sum(axis=1)) for v in (moved, slope))
        first, end = self.window
        jacobian = np.empty((end - first, parameters.size))
        total = np.full(end - first, background)
        by_shift = np.zeros(end - first)
        for k, w in enumerate(rates):
            r = float(np.exp(-w))
            e1 = -float(np.expm1(-w))
            # What is excited at a place in a channel and has not decayed at the channel's end.
            left = np.exp(-w * LEFT_OF_CHANNEL)
            kept = self._place(moved @ left)
            by_w_kept = -self._place(moved @ (LEFT_OF_CHANNEL * left))
            slope_kept = self._place(slope @ left)
            later = lfilter([0.0, 1.0], [1.0, -r], kept)
            value = excited - kept + e1 * later
            inner = r * kept + e1 * by_w_kept - e1 * r * later
            by_w = lfilter([0.0, 1.0], [1.0, -r], inner) - by_w_kept
            by_s = by_shift_all - slope_kept + e1 * lfilter([0.0, 1.0], [1.0, -r], slope_kept)
            if w * self.period < _FORGOTTEN:
                early, early_by_w = self._earlier_pulses(w, moved)
                value, by_w = value + early, by_w + early_by_w
                by_s = by_s + self._earlier_pulses(w, slope)[0]
            total += photons[k] * value[first:end]
            by_shift += photons[k] * by_s[first:end]
            jacobian[:, k] = -photons[k] * w * by_w[first:end]
            jacobian[:, m + k] = photons[k] * value[first:end]
        jacobian[:, 2 * m] = background
        jacobian[:, 2 * m + 1] = by_shift
        return np.maximum(total, _SMALLEST), jacobian

    def _earlier_pulses(self, w: float, moved: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return what is left of all earlier pulses, and its derivative by w (numerical)."""
        j = np.arange(self.n_channels)
        wait = np.maximum(self.period - 1.0 - j, 0.0)

        def left(x: float) -> FloatArray:
            kept = self._place(moved @ np.exp(-x * LEFT_OF_CHANNEL))
            start = float(np.sum(kept * np.exp(-wait * x)))
            share = float(np.expm1(-x)) / float(np.expm1(-self.period * x))
            return np.asarray(start * share * np.exp(-j * x))

        step = 1e-5 * w
        return left(w), (left(w + step) - left(w - step)) / (2 * step)

    def amplitudes(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return N_k / tau_k, photons a ns at time zero, and the derivatives."""
        m = self.n_tau
        values = _exp(parameters[m : 2 * m] - parameters[:m])
        slopes = np.zeros((m, parameters.size))
        slopes[np.arange(m), np.arange(m)] = -values
        slopes[np.arange(m), m + np.arange(m)] = values
        return values, slopes


class TailModel(FreeTaus):
    """Counts a channel of a sum of exponentials from a channel on, plus a background.

    For decays without a measured response. Amplitudes are those at the first channel of the window,
    behind which components of about the response's width are already gone: another quantity than
    that of `ResponseModel`. Parameters as there, without the shift. Light of earlier pulses is
    included where the period is known.
    """

    def __init__(
        self, bin_ns: float, n_tau: int, window: tuple[int, int], period_ns: float = np.inf
    ) -> None:
        self.n_tau, self.fixed_tau, self.bin_ns, self.window = n_tau, (), bin_ns, window
        self.period = min(period_ns / bin_ns, 1e12)

    def evaluate(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the expected counts of the window and their derivatives."""
        m, (first, end) = self.n_tau, self.window
        w = _per_channel(self.bin_ns, parameters[:m])
        photons = _exp(parameters[m : 2 * m])
        background = float(_exp(parameters[2 * m]))
        i = np.arange(end - first)[:, None]
        left = np.exp(-i * w)
        value = photons * left * -np.expm1(-w)
        by_w = photons * (left * np.exp(-w) - i * left * -np.expm1(-w))
        # All pulses before add the same decay, weaker by exp(-period / tau) each.
        pulses = -1.0 / np.expm1(-self.period * w)
        by_w = pulses * (by_w - value * self.period * np.exp(-self.period * w) * pulses)
        value = value * pulses
        jacobian = np.column_stack([-by_w * w, value, np.full(end - first, background)])
        return np.maximum(value.sum(axis=1) + background, _SMALLEST), jacobian

    amplitudes = ResponseModel.amplitudes


class TraceModel(FreeTaus):
    """Values at given times of a sum of exponentials whose amplitudes may have either sign.

    Parameters are log tau_k of the free time constants, then the amplitudes of all components (the
    fixed ones last), then, where wanted, a constant.

    Parameters
    ----------
    times : (n,) array
    n_tau : int
    fixed_tau : sequence of float
    constant : bool
    """

    def __init__(
        self,
        times: FloatArray,
        n_tau: int,
        fixed_tau: Sequence[float] = (),
        constant: bool = False,
    ) -> None:
        self.times, self.n_tau, self.fixed_tau = times, n_tau, tuple(fixed_tau)
        self.constant = constant

    def evaluate(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the values at the times and their derivatives."""
        taus, _ = self.taus(parameters)
        m = taus.size
        scaled = self.times[:, None] / taus
        shapes = np.exp(np.maximum(-scaled, -_LARGEST_EXPONENT))
        amplitudes = parameters[self.n_tau : self.n_tau + m]
        free = slice(0, self.n_tau)
        # Far from the data a search for the end of an interval may leave the range of numbers.
        with np.errstate(over="ignore", invalid="ignore"):
            parts = [amplitudes[free] * shapes[:, free] * scaled[:, free], shapes]
            value = shapes @ amplitudes
        if self.constant:
            parts.append(np.ones((self.times.size, 1)))
            value = value + parameters[-1]
        return value, np.column_stack(parts)

    def amplitudes(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the amplitudes and the derivatives."""
        m = self.n_tau + len(self.fixed_tau)
        slopes = np.zeros((m, parameters.size))
        slopes[np.arange(m), self.n_tau + np.arange(m)] = 1.0
        return parameters[self.n_tau : self.n_tau + m], slopes


class _Shifted:
    """A histogram moved by fractions of a channel, with its sum kept.

    The sum up to each edge is interpolated by a cubic spline and read at the moved edges of parts
    of channels, so that the course of the response within a channel is kept, too. Where a response
    of two channels or less makes a spline swing below zero, the interpolation is monotone.
    """

    def __init__(self, counts: FloatArray, margin: int) -> None:
        from scipy.interpolate import CubicSpline, PchipInterpolator

        self._margin = margin
        padded = np.pad(counts, 2 * margin) / counts.sum()
        edges = np.arange(padded.size + 1) - 2.0 * margin
        up_to = np.concatenate([[0.0], np.cumsum(padded)])
        self._up_to = CubicSpline(edges, up_to)
        self._slope = self._up_to.derivative()
        course = self._slope(edges[:-1, None] + (np.arange(PARTS) + 0.5) / PARTS)
        if course.min() < -_SWING * course.max():
            self._up_to = PchipInterpolator(edges, up_to)
            self._slope = self._up_to.derivative()
        n = padded.size - 2 * margin
        self._edges = np.arange(n * PARTS + 1) / PARTS - margin

    def at(self, shift: float) -> tuple[FloatArray, FloatArray]:
        """Return the shares after a shift and their derivatives, (channels, parts of a channel).

        The first channel is `margin` before that of the histogram.
        """
        edges = self._edges - min(max(shift, -self._margin), self._margin)
        shares, slopes = np.diff(self._up_to(edges)), -np.diff(self._slope(edges))
        return shares.reshape(-1, PARTS), slopes.reshape(-1, PARTS)
