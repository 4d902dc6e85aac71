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

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.nanocrystals.drift_correlation import (
    SHARPER,
    fill,
    has_few_bright_pixels,
    place,
    spectra_of,
)

log = logging.getLogger(__name__)

NOTED_SHARE = 0.5  # of the stretches: where fewer are measured, the drift is reported as unknown
# Neighbouring third differences of noise correlate by -15/20, 6/20 and -1/20: 1 + 2 (sum of
# squares) of them count as one.
THIRD_DIFFERENCES_CORRELATED = 2.31
# How far a bend is followed depends on its significance, and so on noise: in simulated drifts,
# straight and bent, this makes the variance 1.09 to 1.22 times that of fixed weights.
BEND_FOLLOWED = 1.15
# A displacement that is as large as an aperture and so many times those beside it is a jump.
JUMP_PX, JUMP_TIMES = 3.0, 4.0
LONGEST = 3  # stretches of an excursion; of longer ones both ends are jumps
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
            xy = fill(self.centre_frame, xy, measured)
        # Positions and drift share one free shift: it is fixed by zero drift at frame 0.
        return Drift(self.centre_frame, from_first_frame(self.centre_frame, xy), measured)

    def remarks(self) -> list[str]:
        """Return what a user has to know: where drift was not measured, that the stage jumped."""
        n, known = len(self.measured), int(self.measured.sum())
        if known < NOTED_SHARE * n:
            then = "interpolated between them" if known else "taken as zero"
            return [
                f"its drift could be measured in {known} of {n} stretches and is {then} (few or "
                "weak nanocrystals, or another background): where the sample moved by a pixel, "
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
    jumps = (steps > JUMP_PX) & (steps > JUMP_TIMES * beside)
    for first, last in excursions_of(values):
        jumps[[first - 1, last]] = True
    return np.flatnonzero(jumps)


def excursions_of(values: FloatArray) -> list[tuple[int, int]]:
    """Return first and last stretch of each time for which the sample was elsewhere.

    It is away by a jump for at most `LONGEST` stretches, and comes back to where it was.

    Parameters
    ----------
    values : (S, 2) float
        Displacements, pixels.
    """
    found: list[tuple[int, int]] = []
    first = 1
    while first < len(values) - 1:
        for last in range(first, min(first + LONGEST, len(values) - 1)):
            before, away, after = values[first - 1], values[first : last + 1], values[last + 1]
            far = np.hypot(*(away - 0.5 * (before + after)).T).min()
            if far > JUMP_PX and far > JUMP_TIMES * np.hypot(*(after - before)):
                found.append((first, last))
                first = last + 1
                break
        first += 1
    return found


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
    n = len(flat_stretches)
    if n == 1:
        return Drift(centre_frame, np.zeros((1, 2)), np.ones(1, bool))
    spectra = spectra_of(flat_stretches, noise, psf_sigma_px)
    xy, significant = place(spectra, centre_frame)
    if has_few_bright_pixels(flat_stretches, noise):
        spectra = spectra_of(flat_stretches, noise, psf_sigma_px, without_noise=True)
        other, known = place(spectra, centre_frame, without_leaps=True)
        if spectra.sharpness(other) > SHARPER * spectra.sharpness(xy):
            xy, significant = other, known
    if significant.mean() < NOTED_SHARE:
        log.warning("only %d of %d stretches have a peak: no drift", significant.sum(), n)
        return Drift(centre_frame, np.zeros((n, 2)), np.zeros(n, bool))
    return Drift(centre_frame, from_first_frame(centre_frame, xy), significant)
