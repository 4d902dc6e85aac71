"""The off state of each nanocrystal, from counts at a place without one.

Beside each nanocrystal an empty place is measured in the same way (`photometry`): the same
aperture on the same part of a pixel, the same drift, nearly the same background. Its counts have
the distribution that the nanocrystal's have when it is off, whatever the camera: level, noise and
skewness (electron multiplication skews the noise) are read from them. An undetected emitter or a
cosmic ray in a few frames does not move them.

Input: counts at the empty places (nanocrystal, frame). Output: location, spread and skewness of the
off state, and how well they are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc, ndtr

from blinkpair.arrays import FloatArray, IntArray

_QUANTILES = (0.1587, 0.5, 0.8413)  # of a normal distribution: its mean and one sigma to each side
_MAD_TO_SIGMA = 1.4826
_CLIPPED_NOISES = 6.0  # of the median: counts beyond are taken as there
_MAX_SKEWNESS = 1.5
_LEAST_LEVEL_SE = 0.05  # of the noise: unevenness of the background within a few pixels
_LEAST_NOISE_SE = 0.05  # relative, likewise
_ODD = 5.0  # errors from the field's


@dataclass(frozen=True)
class OffLevels:
    """The off state of n nanocrystals.

    `level_counts` (mean) and `noise_counts` (standard deviation) are (n,) floats; nan where the
    field has no empty place. `level_se_counts` and `noise_se` (relative) are how well each is
    known: the level from the field's median, as the nanocrystal's own pixels may have other offsets
    than those of the empty place. `skewness` is that of the field's off counts, 0 for normal noise.
    `empty` (m, frames) are the counts behind them. `focus` (frames,) is what these counts and those
    of the nanocrystals were divided by (`photometry.apertures.light_course`); None where it holds.
    """

    level_counts: FloatArray
    noise_counts: FloatArray
    level_se_counts: FloatArray
    noise_se: float
    skewness: float
    empty: NDArray[np.float32]
    focus: FloatArray | None = None

    def in_light(self, light: FloatArray) -> OffLevels:
        """Return the off state of counts that are divided by the course of the light, (frames,)."""
        power = self.noise_power(light)
        noise = float(np.sqrt((light ** (-2 * power)).mean() / (light ** (2 - 2 * power)).mean()))
        at = self._frames(len(light))
        return replace(
            self,
            noise_counts=self.noise_counts * noise,
            level_se_counts=self.level_se_counts * noise,
            empty=(self.empty / light[at]).astype(np.float32),
        )

    def noise_power(self, light: FloatArray) -> float:
        """Return the power of 1 / light by which the noise of divided counts rises, 0..1.

        It is 1 for the camera's noise and 0.5 for photons that the light makes; the places without
        a nanocrystal show it.
        """
        z = (self.empty - np.median(self.empty, axis=1, keepdims=True)).astype(np.float64)
        depth = np.log(light[self._frames(len(light))])
        if z.shape[1] < 2 or not len(z) or np.ptp(depth) == 0:
            return 1.0
        spread = 0.5 * np.log(z**2 + 1e-6 * z.var()).mean(axis=0)
        return float(np.clip(1.0 - np.polyfit(depth, spread, 1)[0], 0.0, 1.0))

    def _frames(self, frames: int) -> IntArray:
        """Return the frames in which the empty places were measured."""
        return np.linspace(0, frames - 1, self.empty.shape[1]).astype(int)


def estimate_off_levels(empty: NDArray[np.float32]) -> OffLevels:
    """Return location and noise of every off state.

    Parameters
    ----------
    empty : (n, m) array
        Background-subtracted counts at an empty place beside each nanocrystal of one field, in m
        frames. A row that is not finite had no empty place: it gets the field's median.
    """
    measured = np.isfinite(empty).all(axis=1) & (empty.shape[1] > 1)
    n = len(empty)
    if not measured.any():
        none = np.full(n, np.nan)
        return OffLevels(none, none.copy(), none.copy(), np.nan, 0.0, empty[:0])
    counts = np.asarray(empty[measured], dtype=np.float64)
    low, middle, high = np.quantile(counts, _QUANTILES, axis=1)
    # The quantiles set the bounds; the standard deviation within them is known twice as well.
    reach = _CLIPPED_NOISES * 0.5 * (high - low)
    counts = np.clip(counts, (middle - reach)[:, None], (middle + reach)[:, None])
    noise = counts.std(axis=1)
    common = float(np.median(noise))
    skewness = _skewness(counts, noise)
    level = middle + skewness / 6.0 * noise  # of a gamma distribution, to first order
    scatter = _MAD_TO_SIGMA * float(np.median(np.abs(level - np.median(level))))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(noise / common)
    noise_se = max(_MAD_TO_SIGMA * float(np.nanmedian(np.abs(ratio))), _LEAST_NOISE_SE)
    level_se = max(scatter, _LEAST_LEVEL_SE * common)
    # An emitter that was not found stands out of the field's places.
    odd = ~(np.abs(ratio) <= _ODD * noise_se) | (np.abs(level - np.median(level)) > _ODD * level_se)
    noise_counts, level_counts = np.full(n, common), np.full(n, float(np.median(level)))
    noise_counts[measured] = np.where(odd, common, noise)
    level_counts[measured] = np.where(odd, np.median(level), level)
    return OffLevels(
        level_counts=level_counts,
        noise_counts=noise_counts,
        level_se_counts=np.maximum(scatter, _LEAST_LEVEL_SE * noise_counts),
        noise_se=noise_se,
        skewness=skewness,
        empty=empty[measured][~odd],
    )


def _skewness(counts: FloatArray, noise: FloatArray) -> float:
    """Return the median of the skewnesses of all places."""
    z = counts - counts.mean(axis=1, keepdims=True)
    moment = (z**3).mean(axis=1) / np.maximum(noise, 1e-12) ** 3
    return float(np.clip(np.median(moment), 0.0, _MAX_SKEWNESS))


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
