"""Drift of the sample during a movie.

Blinking changes which nanocrystals are seen from stretch to stretch. Each stretch is therefore
compared with the mean of all others, aligned, not with its neighbour: the errors do not add up.

Input: the mean images of successive stretches of the movie. Output: for every frame the
displacement of the sample since the first frame.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray, vertex
from blinkpair.cores import usable_cores

log = logging.getLogger(__name__)

NOTED_SHARE = 0.5  # of the stretches: where fewer are measured, the drift is reported as unknown
# A peak of a correlation of noise with noise, the highest of ~2,000 lags, is at 3.5 sigma;
# at 6 sigma fewer than one stretch in a hundred thousand passes by chance.
MIN_PEAK_SIGMAS = 6.0
MAX_DRIFT_PX = 20.0  # the largest displacement between two stretches that is looked for
# Wider than this many PSFs is a haze that may stay with the camera: it pulled the drift to zero.
WIDE_PSFS = 4.0
LINEAR_NOISES = 4.0  # of a stretch; larger counts are compressed
EDGE_PX = 8  # faded out: a step from one edge to the opposite one stays with the camera
ITERATIONS = 3  # how often the reference is rebuilt from the aligned stretches
# Neighbouring third differences of noise correlate by -15/20, 6/20 and -1/20: 1 + 2 (sum of
# squares) of them count as one.
THIRD_DIFFERENCES_CORRELATED = 2.31
# How far a bend is followed depends on its significance, and so on noise: in simulated drifts,
# straight and bent, this makes the variance 1.09 to 1.22 times that of fixed weights.
BEND_FOLLOWED = 1.15
# A displacement that is as large as an aperture and so many times those beside it is a jump.
JUMP_PX, JUMP_TIMES = 3.0, 4.0
TIMED_FRAMES = 1.0  # between the displacements beside a jump whose frame is known
# Squared third differences beyond so many variances are jumps; the first ones place frame 0.
NOISE_VARIANCES, FIRST_DIFFERENCES = 16.0, 3
MEDIAN_OF_SQUARES = 0.455  # of a normal variable of variance 1


@dataclass(frozen=True)
class Drift:
    """Displacement of the sample in each stretch.

    Attributes
    ----------
    centre_frame : (S,) float
        Middle of each stretch.
    xy : (S, 2) float
        Displacement since the first frame of the movie, pixels; zero if no stretch could be
        measured.
    measured : (S,) bool
        False where the stretch could not be measured and its neighbours were used instead.
    """

    centre_frame: FloatArray
    xy: FloatArray
    measured: BoolArray

    def refined(self, xy: FloatArray, refined: BoolArray) -> Drift:
        """Return the drift with the (S, 2) displacements `xy`, of which some were refined.

        Those that were not, and had not been measured before, follow their neighbours.
        """
        measured = self.measured | refined
        if measured.any():
            xy = _fill(self.centre_frame, xy, measured)
        # Positions and drift share one free shift: it is fixed by zero drift at frame 0.
        return Drift(self.centre_frame, from_first_frame(self.centre_frame, xy), measured)

    def remarks(self) -> list[str]:
        """Return what a user has to know: where drift was not measured, that the stage jumped."""
        n, known = len(self.measured), int(self.measured.sum())
        if known < NOTED_SHARE * n:
            then = "interpolated between them" if known else "taken as zero"
            return [
                f"its drift could be measured in {known} of {n} stretches and is {then} (few or "
                "weak nanocrystals, or another background); where the sample moved by a pixel, "
                "counts are too small"
            ]
        gap, jumps = np.diff(self.centre_frame), jumps_of(self.xy)
        if not (jumps := jumps[gap[jumps] > TIMED_FRAMES]).size:
            return []
        at = ", ".join(f"{self.centre_frame[k] + 0.5 * gap[k]:.0f}" for k in jumps)
        return [
            f"the stage jumped near frame {at}, which is known to {0.5 * gap[jumps].max():.0f} "
            "frames: as many may read as off"
        ]

    def per_frame(self, frames: int) -> FloatArray:
        """Return the (frames, 2) displacement since frame 0: lines between stretches, or jumps."""
        return _interpolate(self.centre_frame, self.xy, np.arange(frames, dtype=float))

    @property
    def start_error_px(self) -> float:
        """Standard error per axis of the position at frame 0, before the centre of any stretch.

        That of the first three stretches, each as uncertain as all are, carried half a stretch
        back as `per_frame` does. Few stretches measure their uncertainty poorly: a spread estimated
        with k degrees of freedom counts for (k + 2) / k of its variance. Where the first stretches
        could not be measured, what the sample moves in as much time on average is added.
        """
        unknown = int(np.argmax(self.measured))
        if unknown:
            later = Drift(self.centre_frame[:-unknown], self.xy[unknown:], self.measured[unknown:])
            moved = self.xy[2 * unknown :] - self.xy[unknown:-unknown]
            rms = np.sqrt(np.mean(moved**2)) if moved.size else np.ptp(self.xy, axis=0).max()
            return float(np.hypot(later.start_error_px, rms))
        if len(self.xy) < 4:
            return 0.0
        steps = self.centre_frame[0] / (self.centre_frame[1] - self.centre_frame[0])
        bend = 0.5 * _sure_bend(self.xy) * steps * (steps + 1)
        shares = np.array([1 + steps + bend, -steps - 2 * bend, bend])
        dof = 2 * (len(self.xy) - 3) / THIRD_DIFFERENCES_CORRELATED
        widened = BEND_FOLLOWED * (dof + 2) / dof
        return float(np.sqrt(widened * _variance(self.xy) * np.sum(shares**2)))


def _interpolate(knots: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """Return linear interpolation, continued by half a stretch at both ends."""
    if len(knots) == 1:
        return np.repeat(values, len(at), axis=0)
    last = max(float(at[-1]), float(knots[-1]) + 1e-9)
    before = _beyond(knots, values, 0.0)
    after = _beyond(knots[::-1], values[::-1], last)
    full_knots = np.concatenate([[0.0], knots, [last]])
    full_values = np.vstack([before, values, after])
    jumps = 1 + jumps_of(values)  # each in the middle between these full knots and the next ones
    middle = 0.5 * (full_knots[jumps] + full_knots[jumps + 1])
    at_jump = np.repeat(jumps + 1, 2)
    beside = np.column_stack([np.nextafter(middle, 0.0), middle]).ravel()
    full_knots = np.insert(full_knots, at_jump, beside)
    full_values = np.insert(
        full_values, at_jump, full_values[np.column_stack([jumps, jumps + 1]).ravel()], axis=0
    )
    return np.column_stack([np.interp(at, full_knots, full_values[:, k]) for k in range(2)])


def jumps_of(values: FloatArray) -> IntArray:
    """Return the stretches after which the stage jumped, of displacements (S, 2)."""
    if len(values) < 4:
        return np.empty(0, np.int64)  # too few to know what is usual
    steps = np.hypot(*np.diff(values, axis=0).T)
    padded = np.pad(steps, 1)
    beside = np.maximum(padded[:-2], padded[2:])
    return np.flatnonzero((steps > JUMP_PX) & (steps > JUMP_TIMES * beside))


def _beyond(knots: FloatArray, values: FloatArray, at: float) -> FloatArray:
    """Return the value beyond the first knot: on a straight line, bent if that is significant.

    Newton's form through the first three knots; the bend is multiplied by the share of it that is
    not noise of the knots, from third differences.
    """
    steps = (knots[0] - at) / (knots[1] - knots[0])
    slope = values[1] - values[0]
    straight = values[0] - steps * slope
    if len(values) < 4:
        return np.asarray(straight)
    bend = values[2] - 2 * values[1] + values[0]
    return np.asarray(straight + _sure_bend(values) * 0.5 * steps * (steps + 1) * bend)


def _variance(values: FloatArray) -> float:
    """Return the variance per axis of one stretch: third differences have 20 times as much."""
    squares = np.diff(values, 3, axis=0) ** 2
    noise = squares <= NOISE_VARIANCES * np.median(squares) / MEDIAN_OF_SQUARES
    noise[:FIRST_DIFFERENCES] = True
    return float(np.mean(squares[noise])) / 20


def _sure_bend(values: FloatArray) -> float:
    """Return the share of the bend at the start that is not noise, of 6 variances per axis."""
    bend2 = float(np.sum((values[2] - 2 * values[1] + values[0]) ** 2))
    return bend2 / (bend2 + 12 * _variance(values) + 1e-12)


def from_first_frame(centre_frame: FloatArray, xy: FloatArray) -> FloatArray:
    """Return displacements counted from frame 0 instead of from an arbitrary reference."""
    return np.asarray(xy - _interpolate(centre_frame, xy, np.zeros(1)))


def measure_drift(
    flat_stretches: NDArray[np.float32],
    noise: NDArray[np.float32],
    centre_frame: FloatArray,
    *,
    psf_sigma_px: float,
) -> Drift:
    """Return the drift, from the correlation of each stretch with the aligned mean of all.

    Parameters
    ----------
    flat_stretches : (S, y, x) float32
        Mean images of the stretches, background subtracted.
    noise : (S,) float32
        Noise of a pixel of each.
    centre_frame : (S,) float
    psf_sigma_px : float
        Nanocrystals are smoothed by this much, the matched filter.

    Returns
    -------
    Drift
        To about 0.1 px; `localisation.refine_drift` is more precise, with known nanocrystals.
    """
    from concurrent.futures import ThreadPoolExecutor

    from scipy import fft
    from scipy.ndimage import fourier_gaussian, uniform_filter

    n, height, width = flat_stretches.shape
    if n == 1:
        return Drift(centre_frame, np.zeros((1, 2)), np.ones(1, bool))
    ky = fft.fftfreq(height)[:, None].astype(np.float32)
    kx = fft.rfftfreq(width)[None, :].astype(np.float32)
    spectra = np.empty((n, height, kx.size), np.complex64)
    band = fourier_gaussian(np.ones(spectra.shape[1:], np.float32), psf_sigma_px, n=width)
    band -= fourier_gaussian(band, WIDE_PSFS * psf_sigma_px, n=width)
    xy = np.zeros((n, 2))
    significant = np.zeros(n, bool)
    reach = int(min(MAX_DRIFT_PX, height / 2 - 2, width / 2 - 2))
    box_px = round(np.sqrt(12) * WIDE_PSFS * psf_sigma_px)  # as wide as a Gaussian of that sigma
    rows, columns = (_faded(length) for length in (height, width))
    reference = np.zeros_like(spectra[0])
    follows = False  # whether a stretch is a part of the reference already

    def transform(s: int) -> None:
        narrow = flat_stretches[s]
        for _ in range(2):
            narrow = narrow - uniform_filter(narrow, box_px)
        # A weak nanocrystal is not taken for one 30 times as bright that is off (one log: it is).
        level = np.log1p(np.log1p(np.maximum(narrow, 0.0) / max(LINEAR_NOISES * noise[s], 1e-9)))
        spectra[s] = fft.rfft2(level * rows[:, None] * columns) * band

    def place(s: int) -> None:
        own = spectra[s] * _shift(ky, kx, -xy[s]) / n if follows else 0.0
        correlation = fft.irfft2(spectra[s] * np.conj(reference - own), s=(height, width))
        xy[s], significant[s] = _peak(correlation, reach)

    with ThreadPoolExecutor(usable_cores(2)) as pool:
        list(pool.map(transform, range(n)))
        quarter = max(1, n // 4)
        reference = spectra[(n - quarter) // 2 : (n + quarter) // 2 + 1].mean(axis=0)
        for _ in range(ITERATIONS):
            list(pool.map(place, range(n)))
            if not significant.any():
                break
            xy = _fill(centre_frame, xy, significant)
            reference = np.zeros_like(reference)
            for s in range(n):
                reference += spectra[s] * _shift(ky, kx, -xy[s]) / n
            follows = True
    if significant.mean() < NOTED_SHARE:
        log.warning("only %d of %d stretches have a peak: no drift", significant.sum(), n)
        return Drift(centre_frame, np.zeros((n, 2)), np.zeros(n, bool))
    return Drift(centre_frame, from_first_frame(centre_frame, xy), significant)


def _faded(length: int) -> NDArray[np.float32]:
    """Return weights of 1 that go to 0 over `EDGE_PX` at both ends."""
    from_edge = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1
    return np.sin(np.pi / 2 * np.minimum(from_edge / EDGE_PX, 1)).astype(np.float32) ** 2


def _shift(
    ky: NDArray[np.float32], kx: NDArray[np.float32], by: FloatArray
) -> NDArray[np.complex64]:
    """Return the phase ramp that displaces an image by (x, y) pixels."""
    ramp_y = np.exp(-2j * np.pi * ky * by[1]).astype(np.complex64)
    ramp_x = np.exp(-2j * np.pi * kx * by[0]).astype(np.complex64)
    return np.asarray(ramp_y * ramp_x)


def _peak(correlation: NDArray[np.float32], reach: int) -> tuple[FloatArray, bool]:
    """Return the sub-pixel place of the highest correlation, and whether it is significant."""
    window = np.roll(correlation, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    row, column = (int(v) for v in np.unravel_index(np.argmax(window), window.shape))
    centre = np.median(window)
    sigma = 1.4826 * np.median(np.abs(window - centre))
    stands_out = bool(window[row, column] - centre > MIN_PEAK_SIGMAS * sigma)
    row = int(np.clip(row, 1, 2 * reach - 1))
    column = int(np.clip(column, 1, 2 * reach - 1))
    dx, dy = (
        np.clip(vertex(*map(float, three)), -1, 1)
        for three in (window[row, column - 1 : column + 2], window[row - 1 : row + 2, column])
    )
    return np.array([column - reach + dx, row - reach + dy]), stands_out


def _fill(centre_frame: FloatArray, xy: FloatArray, good: BoolArray) -> FloatArray:
    """Return the drift with stretches without a significant peak taken from their neighbours."""
    return np.column_stack(
        [np.interp(centre_frame, centre_frame[good], xy[good, k]) for k in range(2)]
    )
