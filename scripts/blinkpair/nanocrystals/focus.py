"""The width of the PSF in the course of a movie: a focus that creeps.

Every stretch of the movie has the width with which its nanocrystals fit best. Blinking changes
their amplitudes, which are free in each stretch, not the width. The course is followed only as far
as it is significant: where the focus holds, the width is the same in all stretches.

Input: mean images of the stretches of a movie, its bright isolated nanocrystals, the drift. Output:
the width of the PSF in each stretch, or nothing where too few nanocrystals show it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, vertices
from blinkpair.nanocrystals.localisation import misfits, window_pixels

MIN_NANOCRYSTALS = 5
# Straight pieces by which the course can be described. More describe a knock to the stage within
# an eighth of the movie.
PIECES = (1, 2, 4, 8)
# Log-likelihood ratio, twice, of a course against a constant width: by chance in 1 of 10,000
# movies with one more parameter, 1 of 400 with eight; these courses differ by about the noise.
MIN_EVIDENCE = 15.0
# Standard error of the change of ln(width) between the ends of a movie above which the focus is not
# known: 0.1 is 7 % of the light in the usual aperture at a width of 0.9 px.
MAX_ERROR = 0.1


def measure_focus(
    images: NDArray[np.float32],
    xy: FloatArray,
    drift: FloatArray,
    *,
    psf_sigma_px: float,
) -> FloatArray | None:
    """Return the width of the PSF in each stretch, (S,) pixels; None where it is not known.

    Parameters
    ----------
    images : (S, y, x) float32
        Mean images, background subtracted.
    xy : (n, 2) float
        Bright, isolated nanocrystals at the first frame.
    drift : (S, 2) float
    psf_sigma_px : float
        The width in the movie as a whole.
    """
    if len(xy) < MIN_NANOCRYSTALS:
        return None
    grid = psf_sigma_px * np.geomspace(0.5, 2.0, 13)
    power, _ = misfits(images, xy, drift, grid, reach_px=1.3 * psf_sigma_px)
    # A window has as many squares as pixels, less its mean and the amplitude.
    squares = len(xy) * (window_pixels(1.3 * psf_sigma_px) - 2)
    power = power.sum(axis=1)  # (widths, S): the bright ones determine the width
    best = np.clip(np.argmin(power, axis=0), 1, len(grid) - 2)
    stretch = np.arange(power.shape[1])
    three = [power[best + k, stretch] for k in (-1, 0, 1)]
    step = np.log(grid[1] / grid[0])
    logarithm = np.log(grid[best]) + step * np.clip(vertices(*(-p for p in three)), -1, 1)
    # Least squares: the variance is that of a pixel over half the second derivative of the sum.
    curvature = (three[0] - 2 * three[1] + three[2]) / step**2
    noise = three[1] / squares
    known = (curvature > 0) & (noise > 0)
    precision = np.where(known, curvature / np.where(known, 2 * noise, 1.0), 0.0)
    course = _course(logarithm, precision)
    return None if course is None else np.exp(course)


def _course(values: FloatArray, precision: FloatArray) -> FloatArray | None:
    """Return values (S,) smoothed by the pieces with the least BIC; None where they are too noisy.

    `precision` is the inverse of their variance, 0 where there is no value.
    """
    time = np.linspace(0.0, 1.0, len(values))
    known = precision > 0
    if known.sum() < 3:
        return None
    misfits, courses, errors = [], [], []
    for pieces in (0, *(p for p in PIECES if 2 * p < known.sum())):
        knots = np.linspace(0, 1, pieces + 1)
        basis = np.stack([np.interp(time, knots, row) for row in np.eye(pieces + 1)], axis=1)
        if pieces == 0:
            basis = np.ones((len(time), 1))
        weighted = basis * precision[:, None]
        normal: NDArray[Any] = basis.T @ weighted + 1e-9 * precision.sum() * np.eye(len(basis.T))
        inverse = np.linalg.inv(normal)
        course = basis @ (inverse @ (weighted.T @ values))
        misfits.append(float(np.sum(precision * (values - course) ** 2)))
        courses.append(course)
        errors.append(inverse)
    # What the richest course leaves is noise, or widths that scatter more than it (model, drift).
    excess = max(1.0, misfits[-1] / max(known.sum() - errors[-1].shape[0], 1))
    if len(errors) < 2 or np.sqrt(excess * np.trace(errors[1])) > MAX_ERROR:
        return None
    parameters = np.array([error.shape[0] for error in errors])
    evidence = (misfits[0] - np.array(misfits)) / excess
    best = int(np.argmax(evidence - parameters * np.log(known.sum())))
    return np.asarray(courses[best if evidence[best] > MIN_EVIDENCE else 0])
