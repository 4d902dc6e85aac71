"""Stretches in which the sample was elsewhere for a while, as when somebody touches the table.

Few nanocrystals leave open whether a stretch that is far from its neighbours shows a motion: of
noise or of the camera's own pixels it may be anywhere. Many nanocrystals that are seen at the same
distance from their places, where other stretches show nothing, are proof of it.

Input: mean images of the stretches of a movie, the nanocrystals found in it, the drift. Output: the
drift with the displacement of such stretches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.nanocrystals.drift import JUMP_PX, LONGEST, excursions_of

BRIGHTEST = 60  # nanocrystals that show an excursion
REACH_PX = 20  # as far as drift is looked for
FEWEST = 10  # stretches, of which most show what is usual
FIRST = 3  # the stretches before place frame 0
LIT_SIGMAS = 5.0  # of the smoothed image
# Seen in other stretches, too, at this share of its largest counts: no second image.
ELSEWHERE = 0.3
# Expected number of excursions found by chance in a movie, over all stretches and displacements; a
# spot is counted at 3 x 3 displacements. Beside a stretch that is found, only these are looked at.
MAX_CHANCE, SPOT_PIXELS = 1e-3, 9


def follow_excursions(
    flat: NDArray[np.float32],
    xy: FloatArray,
    amplitude: FloatArray,
    drift: FloatArray,
    *,
    psf_sigma_px: float,
) -> tuple[FloatArray, BoolArray]:
    """Return the drift that follows the sample where it was elsewhere.

    Parameters
    ----------
    flat : (S, y, x) float32
        Mean images of the stretches, background subtracted.
    xy : (n, 2) float
        Nanocrystals at the first frame, the most significant first.
    amplitude : (n, S) float
        Counts of each in each stretch.
    drift : (S, 2) float
    psf_sigma_px : float

    Returns
    -------
    drift : (S, 2) float
    followed : (S,) bool
        The stretches in which it was elsewhere. Part of such a stretch may show the sample where
        it is before and after. What the given drift alone has of it is no motion: the correlation
        of a dark stretch is noise.

    Notes
    -----
    The number of nanocrystals with a spot at one displacement is compared with a Poisson
    distribution. Its mean is what other stretches show at this displacement (neighbours, pixels of
    the camera), and one more as an upper limit, plus what this stretch shows more than they do at
    all displacements (another level of light or noise).
    """
    if len(flat) < FEWEST:
        return drift, np.zeros(len(flat), bool)
    home = drift.copy()
    for first, last in excursions_of(drift):
        share = np.arange(1, last - first + 2)[:, None] / (last - first + 2)
        home[first : last + 1] = (1 - share) * drift[first - 1] + share * drift[last + 1]
    in_many = xy[_seen_in_many(amplitude)][:BRIGHTEST]
    n = _lit(flat, in_many, home, psf_sigma_px).sum(axis=1)  # (S, d, d)
    p = _chance(n)
    moved = home.copy()

    def follow(s: int, row: int, column: int) -> None:
        near = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        if p[s][near].min(initial=1.0) < MAX_CHANCE / SPOT_PIXELS:
            moved[s] = home[s] + _centre(n[s], row, column) - REACH_PX

    # What the correlation has found is a motion if nanocrystals are there, too.
    for s in np.flatnonzero((home != drift).any(axis=1)).tolist():
        column, row = (int(v) for v in np.rint(drift[s] - home[s]) + REACH_PX)
        follow(s, row, column)
    p[[*range(FIRST), -1]] = 1.0
    shown = p.min(axis=(1, 2)) < MAX_CHANCE * SPOT_PIXELS / p.size
    for s in np.flatnonzero(shown).tolist():
        row, column = (int(v) for v in np.unravel_index(np.argmin(p[s]), p[s].shape))
        for t in (s - 1, s, s + 1):  # it may have begun before, and ended after
            follow(t, row, column)
    # Elsewhere, a stretch is the one that holds a jump: it shows both places.
    followed = np.zeros(len(flat), bool)
    for first, last in excursions_of(moved):
        followed[first : last + 1] = True
    return np.where(followed[:, None], moved, home), followed


def _chance(n: IntArray) -> FloatArray:
    """Return the probability that at least so many spots, (S, d, d), are there by chance."""
    from scipy.special import gammainc

    p = np.ones(n.shape)  # and where the displacement is none
    total = n.sum(axis=0)
    d = np.arange(-REACH_PX, REACH_PX + 1)
    away = np.hypot(d[:, None], d) > JUMP_PX
    for s, own in enumerate(n):
        beside = np.s_[max(s - 2, 0) : s + 3]
        others, seen = len(n) - len(n[beside]), total - n[beside].sum(axis=0)
        more = max(float((own - seen / max(others, 1))[away].mean()), 0.0)
        expected = (seen + 1) / (others + 1) + more
        p[s] = np.where(away & (own > 0), gammainc(np.maximum(own, 1), expected), 1.0)
    return p


def are_second_images(amplitude: FloatArray, drift: FloatArray) -> BoolArray:
    """Return which candidates, (n,), are seen beside jumps only: in an excursion or at its ends.

    Parameters
    ----------
    amplitude : (n, S) float
        Counts in each stretch.
    drift : (S, 2) float
    """
    second = np.zeros(len(amplitude), bool)
    for first, last in excursions_of(drift):
        inside = amplitude[:, first - 1 : last + 2].max(axis=1)
        outside = np.delete(amplitude, np.s_[first - 1 : last + 2], axis=1)
        second |= outside.max(axis=1, initial=0.0) < ELSEWHERE * inside
    return second


def _seen_in_many(amplitude: FloatArray) -> BoolArray:
    """Return which candidates are lit in stretches farther apart than an excursion is long."""
    brightest = np.argmax(amplitude, axis=1)
    stretch = np.arange(amplitude.shape[1])
    apart = np.abs(stretch - brightest[:, None]) > LONGEST
    elsewhere = np.where(apart, amplitude, 0.0).max(axis=1, initial=0.0)
    return np.asarray(elsewhere > ELSEWHERE * amplitude.max(axis=1, initial=0.0))


def _lit(
    flat: NDArray[np.float32], xy: FloatArray, drift: FloatArray, psf_sigma_px: float
) -> BoolArray:
    """Return whether there is a spot at each displacement from each nanocrystal, (S, n, d, d)."""
    from scipy.ndimage import gaussian_filter

    span = np.arange(-REACH_PX, REACH_PX + 1)
    down, across = np.mgrid[-1:2, -1:2]
    lit = np.zeros((len(flat), len(xy), len(span), len(span)), bool)
    for s, image in enumerate(flat):
        smooth = gaussian_filter(image, psf_sigma_px)
        some = smooth[::3, ::3]
        noise = 1.4826 * np.median(np.abs(some - np.median(some)))
        y, x = (1 + at[:, None, None] for at in np.nonzero(smooth[1:-1, 1:-1] > LIT_SIGMAS * noise))
        peak = smooth[y, x].ravel() == smooth[y + down, x + across].max(axis=(1, 2))
        # Or a pixel beside, as a place is good to a pixel.
        padded = np.zeros(np.add(image.shape, 2 * REACH_PX), bool)
        padded[y[peak] + down + REACH_PX, x[peak] + across + REACH_PX] = True
        columns, rows = np.rint(xy + drift[s]).astype(np.int64).T + REACH_PX
        inside = (columns >= REACH_PX) & (columns < padded.shape[1] - REACH_PX)
        inside &= (rows >= REACH_PX) & (rows < padded.shape[0] - REACH_PX)
        lit[s, inside] = padded[
            (rows[inside, None] + span)[:, :, None], (columns[inside, None] + span)[:, None, :]
        ]
    return lit


def _centre(n: FloatArray, row: int, column: int) -> FloatArray:
    """Return column and row of the middle of the peak of coincidences, (2,)."""
    rows = np.arange(max(row - 2, 0), min(row + 3, len(n)))
    columns = np.arange(max(column - 2, 0), min(column + 3, len(n)))
    around = n[np.ix_(rows, columns)]
    weight = np.maximum(around - 0.5 * around.max(), 0.0)
    return np.array([weight.sum(axis=0) @ columns, weight.sum(axis=1) @ rows]) / weight.sum()
