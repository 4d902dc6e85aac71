"""All rotations and shifts of two images, by cross-correlation over their overlap.

One of two images is turned in small steps and correlated with the other for all shifts at once by
Fourier transforms. A correlation is divided by the energies of both images where they overlap
(so that a bright place elsewhere does not count), and multiplied by the root of the overlap: its
standard deviation between unrelated images is then the same for all overlaps, and is measured at
each rotation from all shifts.

Where spheres lie in a lattice, this standard deviation is largest at the right rotation, and
hundreds of shifts are nearly as good there: at single rotations these are found by the correlation
itself.

Input: the contrasts of two images. Output: the best alignments, and the best of each rotation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from skimage.measure import block_reduce

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.cores import usable_cores
from blinkpair.registration.images.contrast import Contrast
from blinkpair.registration.images.warp import warped
from blinkpair.registration.rigid import apply_matrix

# Images that overlap less are not compared, as a share of the smaller one.
MIN_OVERLAP = 0.25
# Overlap and energies change slowly: they are computed on pixels this much wider.
COARSER = 4
# Peaks kept of one rotation: among all, and where a lattice repeats.
PEAKS, REPEATS = 4, 12
# Larger correlations count as this one, whose Fisher transform is finite.
LARGEST = 0.995


@dataclass(frozen=True)
class Peaks:
    """Alignments of two images, the best first.

    Attributes
    ----------
    matrices
        (n, 3, 3) from pre to post pixels of the images.
    angles_deg, by_angle
        (m,) rotations that were tried, and the largest score of each: the correlation in standard
        deviations between unrelated images.
    most_alike
        (3, 3) the alignment whose correlation itself is largest; in a lattice it has its rotation.
    """

    matrices: FloatArray
    angles_deg: FloatArray
    by_angle: FloatArray
    most_alike: FloatArray


def search(
    pre: Contrast, posts: Sequence[Contrast], *, step_deg: float, radius: float, keep: int
) -> Peaks:
    """Return the best alignments under all rotations, no two of them closer than `radius`.

    Parameters
    ----------
    pre, posts
        Contrast of the first image, and of the second on pixels of one or several widths.
    step_deg
        Largest step of the rotations.
    radius
        Distance in pixels of `pre` (root mean square over the overlap) below which two alignments
        are one.
    keep
        Largest number returned.
    """
    half = int(np.ceil(180 / step_deg))
    angles = np.arange(half) * (180 / half)
    by_angle = np.zeros(2 * half)
    found: list[_Peak] = []
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        for post in posts:
            correlation = _Correlation(pre, post, radius)
            for k, peaks in enumerate(pool.map(correlation.at, angles)):
                found += peaks
                for peak in peaks:
                    row = k + half * peak.half_turn
                    by_angle[row] = max(by_angle[row], peak.score)
    found.sort(key=lambda peak: -peak.score)
    grid = _grid(pre.signed.shape)
    kept: list[_Peak] = []
    places: list[FloatArray] = []
    for peak in found:
        there = apply_matrix(peak.matrix, grid)
        in_view = (there >= 0) & (there < np.array(peak.shape[::-1]))
        inside = np.asarray(in_view.all(axis=1), dtype=bool)
        if any(_apart(there, other, inside) < radius for other in places):
            continue
        kept.append(peak)
        places.append(there)
        if len(kept) == keep:
            break
    return Peaks(
        np.array([peak.matrix_of_images for peak in kept]).reshape(-1, 3, 3),
        (np.concatenate([angles, angles + 180]) + 180) % 360 - 180,
        by_angle,
        max(found, key=lambda peak: peak.correlation).matrix_of_images if found else np.eye(3),
    )


def repeats(
    pre: Contrast,
    post: Contrast,
    angles_deg: FloatArray,
    *,
    radius: float,
    least: float,
    similar: float,
) -> FloatArray:
    """Return the alignments (n, 3, 3) whose correlation is similar to the best, at rotations.

    Parameters
    ----------
    pre, post, radius
        As in `search`.
    angles_deg
        (m,) rotations; their half turns are compared as well.
    least
        Least score: correlation (Fisher's transform) times the root of the overlap, in pixels of
        `pre`.
    similar
        Least score as a share of the best.
    """
    at = partial(_Correlation(pre, post, radius).at, by_itself=True)
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        found = [peak for peaks in pool.map(at, angles_deg) for peak in peaks]
    least = max(least, similar * max((peak.score for peak in found), default=0.0))
    kept = [peak.matrix_of_images for peak in found if peak.score >= least]
    return np.array(kept).reshape(-1, 3, 3)


@dataclass(frozen=True)
class _Peak:
    """An alignment: between pixels of the contrasts, and between those of the images."""

    score: float
    correlation: float
    half_turn: bool
    matrix: FloatArray
    matrix_of_images: FloatArray
    shape: tuple[int, ...]


def _grid(shape: tuple[int, ...]) -> FloatArray:
    axes = [np.linspace(0, n - 1, 9) for n in shape[::-1]]
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)


def _apart(one: FloatArray, other: FloatArray, inside: BoolArray) -> float:
    difference = (one - other)[inside] if inside.any() else one - other
    return float(np.sqrt(np.mean((difference**2).sum(axis=1))))


class _Correlation:
    """The correlation of two images as a function of the rotation; both half turns at once."""

    def __init__(self, pre: Contrast, post: Contrast, radius: float) -> None:
        self.pre, self.post, self.radius = pre, post, radius
        side = int(np.ceil(np.hypot(*pre.signed.shape) / COARSER)) * COARSER
        self.side = side
        # Shifts that leave too little overlap may wrap around.
        wanted = [max(int(1.25 * max(side, 1.42 * n)), side) for n in post.signed.shape]
        self.shape = tuple(
            COARSER * fft.next_fast_len(int(np.ceil(n / COARSER)), real=True) for n in wanted
        )
        self.small = tuple(n // COARSER for n in self.shape)
        self.post_fft = [fft.rfft2(one, self.shape) for one in (post.signed, post.energy)]
        self.pre_small = _smalls(pre)
        self.post_small_fft = [fft.rfft2(one, self.small) for one in _smalls(post)]
        areas = [one.valid.sum() for one in (pre, post)]
        self.min_overlap = MIN_OVERLAP * float(min(areas)) / COARSER**2

    def at(self, angle: float, by_itself: bool = False) -> list[_Peak]:
        """Return the best shifts at an angle and at its half turn.

        Their scores are in standard deviations of all shifts; by itself, a correlation has that
        of `repeats`.
        """
        turned = [_rotated(one, angle, self.side) for one in (self.pre.signed, self.pre.energy)]
        turned_fft = [fft.rfft2(one, self.shape) for one in turned]
        side = self.side // COARSER
        small_fft = [fft.rfft2(_rotated(one, angle, side), self.small) for one in self.pre_small]
        peaks = []
        for half_turn in (False, True):
            root, *weights = (_enlarged(one) for one in self._weights(small_fft, half_turn))
            maps, spreads = [], []
            for one, other, weight in zip(turned_fft, self.post_fft, weights, strict=True):
                product = (one if half_turn else np.conj(one)) * other
                values = fft.irfft2(product, self.shape) * weight
                if by_itself:
                    maps.append(np.arctanh(np.minimum(np.abs(values), LARGEST)) * (COARSER * root))
                    spreads.append(1.0)
                    continue
                values *= root
                spread = float(np.sqrt(np.mean(values**2) / max(np.mean(weight > 0), 1e-9)))
                spreads.append(max(spread, 1e-9))
                maps.append(np.abs(values / np.float32(spreads[-1])))
            signed, energy = maps
            # Either contrast decides, or both together; the sign of neither matters.
            score = (signed + energy) * np.float32(np.sqrt(0.5))
            np.maximum(score, signed, out=score)
            np.maximum(score, energy, out=score)
            turn = angle + 180.0 * half_turn
            for value, dy, dx in self._maxima(score, REPEATS if by_itself else PEAKS):
                matrix = _turned(self.pre.signed.shape, turn, self.side)
                matrix[:2, 2] += self._unwrapped(dy, dx, half_turn)
                of_images = self.post.to_image @ matrix @ np.linalg.inv(self.pre.to_image)
                shape = self.post.signed.shape
                correlation = max(
                    float(one[dy, dx]) * spread for one, spread in zip(maps, spreads, strict=True)
                )
                peaks.append(_Peak(value, correlation, half_turn, matrix, of_images, shape))
        return peaks

    def _weights(self, small_fft: list[NDArray[Any]], half_turn: bool) -> list[NDArray[np.float32]]:
        """Return the root of the overlap, and for either contrast one over that of the energies.

        Those are zero at too small an overlap.
        """

        def correlated(i: int, k: int) -> NDArray[Any]:
            one = small_fft[i] if half_turn else np.conj(small_fft[i])
            return np.asarray(fft.irfft2(one * self.post_small_fft[k], self.small))

        area = correlated(0, 0)
        weights = [np.sqrt(np.maximum(area, 0)).astype(np.float32)]
        for channel in (1, 2):
            energies = np.maximum(correlated(channel, 0), 0) * np.maximum(correlated(0, channel), 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                weight = 1 / (COARSER**2 * np.sqrt(energies))
            good = (area >= self.min_overlap) & (energies > 1e-6 * area**2)
            weights.append(np.where(good, weight, 0).astype(np.float32))
        return weights

    def _maxima(self, score: NDArray[np.float32], most: int) -> Iterator[tuple[float, int, int]]:
        reach = max(round(self.radius), 1)
        for _ in range(most):
            dy, dx = np.unravel_index(int(np.argmax(score)), score.shape)
            value = float(score[dy, dx])
            if value <= 0:
                return
            yield value, int(dy), int(dx)
            rows = np.arange(dy - reach, dy + reach + 1) % score.shape[0]
            columns = np.arange(dx - reach, dx + reach + 1) % score.shape[1]
            score[np.ix_(rows, columns)] = 0

    def _unwrapped(self, dy: int, dx: int, half_turn: bool) -> tuple[float, float]:
        """Return the shift (x, y) from the turned canvas to the other image."""
        shift = []
        for value, period, n in zip(
            (dx, dy), self.shape[::-1], self.post.signed.shape[::-1], strict=True
        ):
            own = value - (self.side - 1) if half_turn else value
            # The middles of both images are less than half a period apart.
            middle = (n - self.side) / 2
            shift.append(float((own - middle + period / 2) % period - period / 2 + middle))
        return shift[0], shift[1]


def _smalls(contrast: Contrast) -> list[NDArray[np.float32]]:
    """Return the mask and the two energies on wider pixels."""
    valid = contrast.valid.astype(np.float32)
    return [_binned(one) for one in (valid, contrast.signed**2, contrast.energy**2)]


def _binned(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means over blocks; what a block lacks at the border counts as zero."""
    return np.asarray(block_reduce(image, COARSER, np.mean), np.float32)


def _enlarged(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.repeat(np.repeat(image, COARSER, axis=0), COARSER, axis=1))


def _rotated(image: NDArray[np.float32], angle_deg: float, side: int) -> NDArray[np.float32]:
    """Return an image turned about its middle, on a square canvas."""
    back = np.asarray(np.linalg.inv(_turned(image.shape, angle_deg, side)), np.float64)
    return warped(image, back, (side, side))


def _turned(shape: tuple[int, ...], angle_deg: float, side: int) -> FloatArray:
    """Return the matrix from pixels of an image to those of a canvas on which it is turned."""
    angle = np.deg2rad(angle_deg)
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:2, 2] = (side - 1) / 2 - matrix[:2, :2] @ ((np.array(shape[1::-1]) - 1) / 2)
    return matrix
