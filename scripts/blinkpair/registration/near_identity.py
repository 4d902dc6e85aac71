"""The motion of a sample that hardly moved, by nanocrystals that are not the camera's.

What is fixed to the camera (hot pixels, a fixed pattern) is in one place in both movies and matches
at zero motion, whatever the sample did. A nanocrystal near zero motion differs from it in two ways:

- its light changes. The ratio of its counts after and before differs from that of its neighbours,
  because it blinks; a fixed pattern has one common ratio.
- its place within a pixel is any. Single pixels all lie at one phase of the pixel raster, also
  where a drift shifts them.

What fails either test is left out, and the motion is searched for in the rest.

Input: nanocrystals of both epochs, with their errors and counts. Output: the rows that are not the
camera's, and the registration near zero motion, or the reason why there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import bdtrc, gammaincc, pdtrc

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.registration.alignment.task import mutual_matches
from blinkpair.registration.from_start import MIN_REFINING_MATCHES, refine_on_points
from blinkpair.registration.result import Registration, failed, in_rows

# Motions searched. Larger ones are found without a start, since nothing of them is taken for dust.
MAX_SHIFT_PX, MAX_TURN_DEG = 12.0, 4.0
# What is fixed to the camera is found in one place within this, where nothing drifts.
SAME_PLACE_PX = 0.7
# Level of the tests for what is fixed to the camera.
SIGNIFICANCE = 1e-3
# Counts of what is fixed keep a common ratio to this (logarithm), beside their own errors.
STEADY_LOG_RATIO = 0.05
# Share of a fixed pattern that changes nevertheless: telegraph noise.
CHANGING_SHARE = 0.02
# Single pixels lie this close to their common phase, in pixels.
PHASE_PX = 0.25
# Narrowest PSF (sigma, pixels): turns an error of the place into the largest one of the counts.
NARROWEST_PSF_PX = 0.45
# Groups that are left out, one after the other.
ROUNDS = 4
STEADY = "what matches near zero motion is as steady as pixels of the camera"
# Patterns of more points take minutes to search; the most significant points are searched.
MAX_SEARCHED = 300


@dataclass(frozen=True)
class NearIdentity:
    """The registration near zero motion, and what is not fixed to the camera.

    Attributes
    ----------
    registration : Registration
        `pairs` are rows of the nanocrystals as given.
    rows : two (k,) int
        Rows before and after that are not fixed to the camera.
    """

    registration: Registration
    rows: tuple[IntArray, IntArray]


def register_near_identity(
    pre_xy: FloatArray,
    post_xy: FloatArray,
    *,
    errors_px: tuple[FloatArray, FloatArray] | None = None,
    counts: tuple[FloatArray, FloatArray] | None = None,
    camera_reach_px: float = 0.0,
    **options: Any,
) -> NearIdentity:
    """Return the registration of nanocrystals that moved little or not at all.

    Parameters
    ----------
    pre_xy, post_xy : (n, 2) float
        Positions in pixels.
    errors_px : two (n,) float, optional
        Standard errors per axis.
    counts : two (n,) float, optional
        Mean counts; without them only the phases are tested.
    camera_reach_px : float
        How far what is fixed to the camera may seem to move: the drifts of both movies, which are
        removed from its positions as well.
    options
        Of `from_start.refine_on_points`.
    """
    groups = _Groups(pre_xy, post_xy, errors_px, counts)
    rows = np.arange(len(pre_xy)), np.arange(len(post_xy))
    for _ in range(ROUNDS):
        fixed = _same_place(pre_xy, post_xy, rows)
        leave_out = groups.on_camera(fixed)
        if not leave_out.any():
            break
        rows = _without(rows, fixed[leave_out])
    near = failed("fewer nanocrystals than are needed")
    for _ in range(ROUNDS):
        if min(map(len, rows)) < MIN_REFINING_MATCHES:
            break
        searched = rows[0][:MAX_SEARCHED], rows[1][:MAX_SEARCHED]
        near = refine_on_points(
            np.eye(3),
            pre_xy[searched[0]],
            post_xy[searched[1]],
            max_shift_px=MAX_SHIFT_PX,
            max_turn_deg=MAX_TURN_DEG,
            errors_px=groups.errors_of(searched),
            **options,
        )
        near = in_rows(near, searched)
        pairs = near.pairs
        moved = np.hypot(*(post_xy[pairs[:, 1]] - pre_xy[pairs[:, 0]]).T)
        if near.status != "ok" or np.median(moved) > camera_reach_px + SAME_PLACE_PX:
            break
        leave_out = groups.on_camera(pairs)
        if not leave_out.any():
            break
        rows = _without(rows, pairs[leave_out])
        near = failed(STEADY)
    if near.status != "ok" and len(rows[0]) + MIN_REFINING_MATCHES <= len(pre_xy):
        near = failed(STEADY, near.chance_alignments)
    return NearIdentity(near, rows)


@dataclass(frozen=True)
class _Groups:
    """Nanocrystals of both epochs, and the test whether pairs of them are the camera's."""

    pre_xy: FloatArray
    post_xy: FloatArray
    errors_px: tuple[FloatArray, FloatArray] | None
    counts: tuple[FloatArray, FloatArray] | None

    def errors_of(self, rows: tuple[IntArray, IntArray]) -> tuple[FloatArray, FloatArray] | None:
        """Return the standard errors of these rows; None if they are not known."""
        if self.errors_px is None:
            return None
        return self.errors_px[0][rows[0]], self.errors_px[1][rows[1]]

    def on_camera(self, pairs: IntArray) -> BoolArray:
        """Return which of the pairs are to be left out as the camera's; none if all may stay."""
        steady = self._steady(pairs)
        if self.counts is not None and len(pairs):
            changed = int((~steady).sum())
            # The chance of as many that change in a fixed pattern.
            if changed == 0 or bdtrc(changed - 1, len(pairs), CHANGING_SHARE) > SIGNIFICANCE:
                return steady
        return steady & _in_phase(self.pre_xy[pairs[:, 0]]) & _in_phase(self.post_xy[pairs[:, 1]])

    def _steady(self, pairs: IntArray) -> BoolArray:
        """Return the largest group of pairs whose counts changed by one common ratio."""
        if self.counts is None or not len(pairs):
            return np.ones(len(pairs), bool)
        before, after = (np.maximum(c[p], 1e-9) for c, p in zip(self.counts, pairs.T, strict=True))
        log_ratio = np.log(after / before)
        width = np.full(len(pairs), STEADY_LOG_RATIO)
        if self.errors_px is not None:
            # One over the signal-to-noise is the error of the counts relative to the counts, and
            # about that of the place relative to sigma.
            errors = (e[p] for e, p in zip(self.errors_px, pairs.T, strict=True))
            width += 3 * np.hypot(*errors) / NARROWEST_PSF_PX
        # Each is compared, within its own error, with the ratio of every other one.
        groups = np.abs(log_ratio[:, None] - log_ratio) <= width[:, None]
        return np.asarray(groups[:, groups.sum(axis=0).argmax()])


def _without(rows: tuple[IntArray, IntArray], pairs: IntArray) -> tuple[IntArray, IntArray]:
    first, second = (np.setdiff1d(r, p) for r, p in zip(rows, pairs.T, strict=True))
    return first, second


def _same_place(
    pre_xy: FloatArray, post_xy: FloatArray, rows: tuple[IntArray, IntArray]
) -> IntArray:
    """Return pairs in one place in both epochs, where they are more than chance explains."""
    pre, post = pre_xy[rows[0]], post_xy[rows[1]]
    if not min(len(pre), len(post)):
        return np.zeros((0, 2), np.int64)
    area = float(np.prod(np.ptp(np.vstack([pre, post]), axis=0))) or 1.0
    pairs = mutual_matches(pre, post, SAME_PLACE_PX)
    expected = len(pre) * len(post) * np.pi * SAME_PLACE_PX**2 / area
    if len(pairs) < 3 or pdtrc(len(pairs) - 1, expected) > SIGNIFICANCE:
        return np.zeros((0, 2), np.int64)
    return np.column_stack([r[p] for r, p in zip(rows, pairs.T, strict=True)])


def _in_phase(xy: FloatArray) -> BoolArray:
    """Return which positions share one phase of the pixel raster; none where phases are even.

    For even phases n R^2 of either axis follows an exponential law (Rayleigh's test), R being the
    length of the mean of exp(2 pi i x); the sum of two is compared.
    """
    if not len(xy):
        return np.zeros(0, bool)
    mean = np.exp(2j * np.pi * xy).mean(axis=0)
    if gammaincc(2.0, len(xy) * float((np.abs(mean) ** 2).sum())) > SIGNIFICANCE:
        return np.zeros(len(xy), bool)
    offset = xy - np.angle(mean) / (2 * np.pi)
    return np.asarray((np.abs(offset - np.rint(offset)) < PHASE_PX).all(axis=1))
