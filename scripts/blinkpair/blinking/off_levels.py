"""Estimate each nanocrystal's off level and its noise from its own trace.

The off level is the lowest significant peak of the distribution of counts, and its noise comes
from the spread *below* that peak, where no on frame can be. A nanocrystal that is never off has
no such peak: its lowest peak lies far above those of the others in the field, whose median is used
instead.

Electron multiplication skews the noise, so that the spread below the peak underestimates that of
the frames above it. The skewness is the camera's and the background's, not the nanocrystal's:
it is measured once a field, on the traces that are nearly all off, as the excess of frames just
above the peak over those below, and read as a gamma (Pearson III) distribution.

Input: background-subtracted counts (nanocrystal, frame). Output: location and spread of the off
state, and their source.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv, ndtr

from blinkpair.arrays import FloatArray, vertex

_BINS_PER_SIGMA = 4
_SMOOTHING_SIGMA = 0.6  # of the frame noise: merges neither off with on nor makes bumps peaks
_MAX_BINS = 4096
_MIN_FRAMES = 20  # in a peak that is accepted
_MIN_FRACTION = 0.002  # of all frames, likewise
_SIGNIFICANCE = 3.0  # of the dip that sets a peak apart, in its counting error
_NEAR_SIGMA = 3.0  # how far off levels of one field may lie from each other
_MAD_TO_SIGMA = 1.4826
_HALF_NORMAL_SIGMA = 0.6827  # share of a half normal within one sigma
_MIN_BELOW = 100  # frames below the peak, for an own spread (to 7 %)
_MOSTLY_OFF = 0.3  # share of frames below or near the peak: used for the skewness, if need be
_NEARLY_ALL_OFF = 0.9  # the same: used for the skewness first
_MIN_CLEAN = 3
_ABOVE_SIGMA = 2.0  # of the lower spread: how far above the peak frames are counted
_MAX_SKEWNESS = 1.5
# The mode of a gamma lies skewness / 2 sigma below its mean; of one smoothed with a normal of s
# sigma, by 1 / (1 + s^2) of that (the third moment stays, the variance grows).
_MODE_SHIFT = 1.0 / (1.0 + _SMOOTHING_SIGMA**2)


@dataclass(frozen=True)
class OffLevels:
    """The off state of n nanocrystals.

    `level_counts` (mean) and `noise_counts` (standard deviation) are (n,) floats; `source` is
    (n,) strings: 'own', 'field' (no off state in the trace: the median of the others) or 'none'
    (none in the field: nan). `skewness` is that of the field's off counts, 0 for normal noise.
    """

    level_counts: FloatArray
    noise_counts: FloatArray
    source: NDArray[np.str_]
    skewness: float

    def upper_quantile(self, sigmas: float) -> FloatArray:
        """Return the counts exceeded by noise as rarely as a normal variable exceeds `sigmas`."""
        z = sigmas
        if self.skewness > 0:
            shape = 4.0 / self.skewness**2
            z = float((gammainccinv(shape, float(ndtr(-sigmas))) - shape) / shape**0.5)
        return self.level_counts + z * self.noise_counts


def estimate_off_levels(traces: NDArray[np.float32]) -> OffLevels:
    """Return location and noise of every off state.

    Parameters
    ----------
    traces : (n, frames) array
        Background-subtracted counts of one field: a common background, so that off levels lie
        near zero and near each other. Frames that are not finite are left out.
    """
    n = len(traces)
    peak, lower, excess, near_share = np.full((4, n), np.nan)
    for i, trace in enumerate(traces):
        peak[i], lower[i], excess[i], near_share[i] = _lowest_peak(trace)
    # Counts are background-subtracted, so the first guess is that off means near zero.
    own = np.isfinite(peak) & (np.abs(peak) <= _NEAR_SIGMA * lower)
    if not own.any():
        none = np.full(n, np.nan)
        return OffLevels(none, none.copy(), np.full(n, "none"), 0.0)
    common = float(np.median(peak[own]))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(peak[own] - common)))
    near = np.abs(peak - common) <= _NEAR_SIGMA * max(float(np.median(lower[own])), spread)
    own = np.isfinite(peak) & near
    skewness, lower_share = _skewness(_clean_excess(excess[own], near_share[own]))
    noise = lower / lower_share
    level = peak + 0.5 * _MODE_SHIFT * skewness * noise
    return OffLevels(
        level_counts=np.where(own, level, np.median(level[own])),
        noise_counts=np.where(own, noise, np.median(noise[own])),
        source=np.where(own, "own", "field"),
        skewness=skewness,
    )


@lru_cache(maxsize=1)
def _skewness_table() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the skewness of gamma distributions with what `_lowest_peak` would measure.

    The share of frames within _ABOVE_SIGMA lower spreads above the mode over those below it,
    and the lower spread over the standard deviation.
    """
    skewness = np.linspace(0.0, _MAX_SKEWNESS, 151)
    excess, lower = np.empty_like(skewness), np.ones_like(skewness)
    excess[0] = 2.0 * ndtr(_ABOVE_SIGMA) - 1.0
    shape = 4.0 / skewness[1:] ** 2
    mode = shape - _MODE_SHIFT  # in units of the gamma's scale; standard deviation sqrt(shape)
    below = gammainc(shape, mode)
    spread = mode - gammaincinv(shape, (1.0 - _HALF_NORMAL_SIGMA) * below)
    excess[1:] = gammainc(shape, mode + _ABOVE_SIGMA * spread) / below - 1.0
    lower[1:] = spread / np.sqrt(shape)
    return skewness, excess, lower


def _skewness(excess: float) -> tuple[float, float]:
    """Return the skewness of the gamma with this excess above its mode, and its lower spread."""
    skewness, table, lower = _skewness_table()
    # An excess beyond the table contains on frames and is not used.
    gamma = float(np.interp(excess, table, skewness)) if excess < table[-1] else 0.0
    return gamma, float(np.interp(gamma, skewness, lower))


def _clean_excess(excess: FloatArray, near_share: FloatArray) -> float:
    """Return the excess above the peak without on frames; 0 where no trace is mostly off.

    On frames that lie near the off peak only add to it. So the traces that are nearly all off
    decide; where there are fewer than three of them, the lower quartile of those mostly off.
    """
    known = np.isfinite(excess)
    clean = excess[known & (near_share >= _NEARLY_ALL_OFF)]
    if len(clean) >= _MIN_CLEAN:
        return float(np.median(clean))
    mostly = excess[known & (near_share >= _MOSTLY_OFF)]
    return float(np.quantile(mostly, 0.25)) if len(mostly) else 0.0


def _lowest_peak(trace: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Return the lowest significant peak.

    Returns
    -------
    level, lower, excess, near_share
        The peak; the spread below it; the frames just above it over those below; the share of
        all frames that are either.
    """
    x = np.asarray(trace[np.isfinite(trace)], dtype=np.float64)
    if len(x) < _MIN_FRAMES:
        return np.nan, np.nan, np.nan, np.nan
    # Neighbouring frames are mostly in one state: their differences show the noise alone.
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(np.diff(x)))) / np.sqrt(2.0)
    low, high = np.quantile(x, [0.001, 0.999])
    if sigma <= 0.0 or high <= low:
        return float(low), 0.0, np.nan, np.nan
    low, high = low - 3.0 * sigma, high + 3.0 * sigma
    n_bins = int(min(np.ceil((high - low) / sigma * _BINS_PER_SIGMA), _MAX_BINS))
    counts, edges = np.histogram(x, bins=n_bins, range=(low, high))
    width = edges[1] - edges[0]
    kernel_bins = _SMOOTHING_SIGMA * sigma / width
    reach = int(np.ceil(4 * kernel_bins))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / kernel_bins) ** 2)
    # Scaled so that a value is a number of frames: those within the kernel's width.
    smooth = np.convolve(np.pad(counts, reach).astype(float), kernel, mode="valid")
    peak = _first_significant_peak(smooth, max(_MIN_FRAMES, _MIN_FRACTION * len(x)))
    inside = 0 < peak < len(smooth) - 1
    shift = vertex(*map(float, smooth[peak - 1 : peak + 2])) if inside else 0.0
    level = float(edges[0] + (peak + 0.5 + shift) * width)
    below = level - x[x < level]
    if len(below) < min(_MIN_BELOW, 0.3 * len(x)):
        return np.nan, np.nan, np.nan, np.nan
    lower = float(np.quantile(below, _HALF_NORMAL_SIGMA))
    above = int(((x >= level) & (x < level + _ABOVE_SIGMA * lower)).sum())
    return level, lower, above / len(below), (len(below) + above) / len(x)


def _first_significant_peak(smooth: FloatArray, min_frames: float) -> int:
    """Return the index of the lowest local maximum with a significant dip above it."""
    top = int(np.argmax(smooth))
    inner = smooth[1:-1]
    maxima = np.flatnonzero((inner > smooth[:-2]) & (inner >= smooth[2:])) + 1
    for peak in maxima[maxima < top]:
        height = smooth[peak]
        if height < min_frames:
            continue
        higher = np.flatnonzero(smooth[peak:] > height)
        dip = height - smooth[peak : peak + int(higher[0])].min()
        if dip > _SIGNIFICANCE * np.sqrt(height):
            return int(peak)
    return top


def expected_false_events(
    off_noise_counts: ArrayLike,
    threshold_counts: ArrayLike,
    n_frames: int,
    *,
    off_level_counts: ArrayLike = 0.0,
    off_fraction: ArrayLike = 1.0,
    skewness: float = 0.0,
) -> FloatArray:
    """Return how many one-frame on events noise alone makes of the off frames of a trace.

    A false event is a single frame above the threshold between two below: with p the
    probability of that in an off frame, and independent frames, n p (1 - p)^2 are expected.

    Parameters
    ----------
    off_noise_counts, threshold_counts : (n,) arrays or floats
        Standard deviation of the off counts; what a frame must exceed.
    n_frames : int
        Frames of the trace.
    off_level_counts, off_fraction : (n,) arrays or floats
        Mean of the off counts; share of the frames that are off.
    skewness : float
        Of the off counts. 0 is normal noise; electron multiplication skews the sum over an
        aperture to the right, and it is then taken for a gamma distribution (0.2-0.5).

    Returns
    -------
    (n,) array or a scalar array
        Expected number of false events.
    """
    noise = np.asarray(off_noise_counts, dtype=np.float64)
    above = np.asarray(threshold_counts, dtype=np.float64) - np.asarray(off_level_counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(noise > 0, above / noise, np.where(above >= 0, np.inf, -np.inf))
    z = np.where(np.isnan(noise), np.nan, z)
    if skewness > 0:
        # Standardised gamma: shape 4 / skewness^2, starting 2 / skewness below its mean.
        shape = 4.0 / skewness**2
        p = gammaincc(shape, np.maximum(shape + z * np.sqrt(shape), 0.0))
    else:
        p = ndtr(-z)
    return np.asarray(n_frames * np.asarray(off_fraction) * p * (1.0 - p) ** 2)
