"""Whether the sample turned or stretched within a movie, which the drift does not follow.

The drift is one displacement of the whole field. Where the sample also turns, nanocrystals near the
border of the field leave their apertures, and their positions at the first frame are wrong.

Input: mean images of the stretches of a movie, its bright isolated nanocrystals, the drift. Output:
the sentence for the field's `reason`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.nanocrystals.localisation import localise

FEWEST = 8  # nanocrystals seen at the start and at the end
MAX_CORNER_PX = 0.5  # motion of a corner within the movie that is reported
# Chi-square of rotation and stretch, two degrees of freedom: by chance in 1 of 3,000,000.
MIN_EVIDENCE = 30.0
MAX_RESIDUAL = 4.0  # standard errors; farther is a neighbour
MOST_ERROR_PX = 0.2  # of a position that is used


def turning_remark(
    images: NDArray[np.float32],
    weights: FloatArray,
    xy: FloatArray,
    drift: FloatArray,
    *,
    psf_sigma_px: float,
) -> str:
    """Return how far the corners of the field moved against its centre, '' where they did not.

    Parameters
    ----------
    images : (S, y, x) float32
        Mean images of the stretches, background subtracted.
    weights : (S,) float
        Frames of each.
    xy : (n, 2) float
        Bright, isolated nanocrystals at the first frame.
    drift : (S, 2) float
    psf_sigma_px : float

    Notes
    -----
    The positions in the first and in the last third of the movie are compared: a shift, a rotation
    and a stretch are fitted by least squares. Larger residuals raise the errors.
    """
    third = len(drift) // 3
    if third < 1 or len(xy) < FEWEST:
        return ""
    start, end = (
        localise(images[part], weights[part], xy, drift[part], psf_sigma_px=psf_sigma_px)
        for part in (slice(third), slice(-third, None))
    )
    error = np.hypot(start.error_px, end.error_px)
    use = error < MOST_ERROR_PX
    height, width = images.shape[1:]
    away = xy - 0.5 * (np.array([width, height]) - 1)
    moved = end.xy - start.xy
    for _ in range(2):
        if use.sum() < FEWEST:
            return ""
        fit, covariance, residual = _similarity(away[use], moved[use], error[use])
        use[use] = residual < MAX_RESIDUAL
    evidence = fit[2:] @ np.linalg.solve(covariance[2:, 2:], fit[2:])
    # The middles of the thirds are two thirds of the movie apart.
    rotation, stretch = 1.5 * fit[2:]
    corner_px = float(np.hypot(rotation, stretch) * 0.5 * np.hypot(height, width))
    if evidence < MIN_EVIDENCE or corner_px < MAX_CORNER_PX:
        return ""
    return (
        f"within the movie the sample turned by {np.degrees(rotation):.2f} degrees and stretched "
        f"by {100 * stretch:.2f} %, which moves the corners of the field by {corner_px:.1f} px: "
        "only the shift of the whole field is followed, and counts near the corners are too small"
    )


def _similarity(
    away: FloatArray, moved: FloatArray, error: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return shift x, y, rotation and stretch, their covariance, and each residual over its error.

    `away` (n, 2) is from the centre of the field, `error` (n,) that of `moved` (n, 2) per axis.
    """
    one, none = np.ones(len(away)), np.zeros(len(away))
    by_x = np.stack([one, none, -away[:, 1], away[:, 0]], axis=1)
    by_y = np.stack([none, one, away[:, 0], away[:, 1]], axis=1)
    design = np.vstack([by_x, by_y]) / np.tile(error, 2)[:, None]
    values = moved.T.ravel() / np.tile(error, 2)
    covariance = np.linalg.inv(design.T @ design)
    fit = np.asarray(covariance @ design.T @ values)
    residual = (values - design @ fit).reshape(2, -1)
    scatter = max(1.0, float((residual**2).sum()) / (values.size - 4))
    return fit, np.asarray(covariance * scatter), np.hypot(*residual) / np.sqrt(scatter)
