"""The correlation of two images for all shifts, at one rotation and its half turn.

The first image is turned and correlated with the second by Fourier transforms. A correlation is
divided by the energies of both images where they overlap (so that a bright place elsewhere does
not count), and multiplied by the root of the overlap: its standard deviation between unrelated
images is then the same for all overlaps, and is measured at each rotation from all shifts.

Input: the contrasts of two images and a rotation. Output: the best shifts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from skimage.measure import block_reduce

from blinkpair.arrays import FloatArray
from blinkpair.compiled import njit
from blinkpair.registration.images.contrast import Contrast, Image
from blinkpair.registration.images.warp import warped

# Images that overlap less are not compared, as a share of the smaller one.
MIN_OVERLAP = 0.25
# Overlap and energies change slowly: they are computed on pixels this much wider.
COARSER = 4
# Peaks kept of one rotation: among all, and where a lattice repeats.
PEAKS, REPEATS = 4, 12
# Larger correlations count as this one, whose Fisher transform is finite.
LARGEST = 0.995


@dataclass(frozen=True)
class Peak:
    """One alignment of two images.

    Attributes
    ----------
    score
        Correlation in standard deviations of all shifts; by itself, its Fisher transform times the
        root of the overlap in pixels.
    correlation
        Correlation times the root of the overlap.
    half_turn
        Whether it is that of the half turn.
    matrix, matrix_of_images
        3x3 from the first to the second image, in pixels of the contrasts and of the images.
    shape
        Rows and columns of the second contrast.
    """

    score: float
    correlation: float
    half_turn: bool
    matrix: FloatArray
    matrix_of_images: FloatArray
    shape: tuple[int, ...]


class Correlation:
    """The correlation of two images as a function of the rotation; both half turns at once."""

    def __init__(self, pre: Contrast, post: Contrast, radius: float) -> None:
        self.pre, self.post, self.radius = pre, post, radius
        self.from_image = np.linalg.inv(pre.to_image)
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

    def at(self, angle: float, by_itself: bool = False) -> list[Peak]:
        """Return the best shifts at an angle and at its half turn.

        Parameters
        ----------
        angle
            Rotation in degrees.
        by_itself
            Whether scores are those of the correlation itself, not in standard deviations.
        """
        turned = [_rotated(one, angle, self.side) for one in (self.pre.signed, self.pre.energy)]
        turned_fft = [fft.rfft2(one, self.shape) for one in turned]
        side = self.side // COARSER
        small_fft = [fft.rfft2(_rotated(one, angle, side), self.small) for one in self.pre_small]
        peaks = []
        for half_turn in (False, True):
            root, *weights = self._weights(small_fft, half_turn)
            values = [
                fft.irfft2((one if half_turn else np.conj(one)) * other, self.shape)
                for one, other in zip(turned_fft, self.post_fft, strict=True)
            ]
            score = np.empty(self.shape, np.float32)
            _score(*values, root, *weights, by_itself, score)
            turn = angle + 180.0 * half_turn
            for value, dy, dx in self._maxima(score, REPEATS if by_itself else PEAKS):
                matrix = _turned(self.pre.signed.shape, turn, self.side)
                matrix[:2, 2] += self._unwrapped(dy, dx, half_turn)
                of_images = self.post.to_image @ matrix @ self.from_image
                at = dy // COARSER, dx // COARSER
                correlation = float(root[at]) * max(
                    abs(float(one[dy, dx] * weight[at]))
                    for one, weight in zip(values, weights, strict=True)
                )
                peaks.append(
                    Peak(value, correlation, half_turn, matrix, of_images, self.post.signed.shape)
                )
        return peaks

    def _weights(self, small_fft: list[NDArray[Any]], half_turn: bool) -> list[Image]:
        """Return the root of the overlap, and for either contrast one over that of the energies.

        Those are zero at too small an overlap.
        """
        # The overlap; of either contrast, the first image's energy in it and the second's.
        products = np.stack(
            [
                (small_fft[i] if half_turn else np.conj(small_fft[i])) * self.post_small_fft[k]
                for i, k in ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2))
            ]
        )
        area, *others = np.maximum(fft.irfft2(products, self.small), 0)
        weights = [np.sqrt(area)]
        for one, other in (others[:2], others[2:]):
            energies = one * other
            with np.errstate(divide="ignore", invalid="ignore"):
                weight = 1 / (COARSER**2 * np.sqrt(energies))
            good = (area >= self.min_overlap) & (energies > 1e-6 * area**2)
            weights.append(np.where(good, weight, 0).astype(np.float32))
        return weights

    def _maxima(self, score: Image, most: int) -> Iterator[tuple[float, int, int]]:
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


def _smalls(contrast: Contrast) -> list[Image]:
    """Return the mask and the two energies on wider pixels."""
    valid = contrast.valid.astype(np.float32)
    return [_binned(one) for one in (valid, contrast.signed**2, contrast.energy**2)]


def _binned(image: Image) -> Image:
    """Return the means over blocks; what a block lacks at the border counts as zero."""
    return np.asarray(block_reduce(image, COARSER, np.mean), np.float32)


def _rotated(image: Image, angle_deg: float, side: int) -> Image:
    """Return an image turned about its middle, on a square canvas."""
    there = _turned(image.shape, angle_deg, side)
    back = np.eye(3)
    back[:2, :2] = there[:2, :2].T
    back[:2, 2] = -back[:2, :2] @ there[:2, 2]
    return warped(image, back, (side, side))


def _turned(shape: tuple[int, ...], angle_deg: float, side: int) -> FloatArray:
    """Return the matrix from pixels of an image to those of a canvas on which it is turned."""
    angle = np.deg2rad(angle_deg)
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:2, 2] = (side - 1) / 2 - matrix[:2, :2] @ ((np.array(shape[1::-1]) - 1) / 2)
    return matrix


@njit(nogil=True, fastmath=True)
def _score(
    signed: Image,
    energy: Image,
    root: Image,
    weight_signed: Image,
    weight_energy: Image,
    by_itself: bool,
    score: Image,
) -> None:
    """Write the scores of all shifts.

    Either contrast decides, or both together; the sign of neither matters.

    Parameters
    ----------
    signed, energy
        (rows, columns) products of both contrasts.
    root, weight_signed, weight_energy
        (rows / COARSER, columns / COARSER) root of the overlap, and what the products are
        multiplied by.
    by_itself
        As in `Correlation.at`.
    score
        (rows, columns) result.
    """
    rows, columns = score.shape
    to_signed = to_energy = np.float32(1)
    if not by_itself:
        to_signed = _one_over_spread(signed, root, weight_signed)
        to_energy = _one_over_spread(energy, root, weight_energy)
    half, largest = np.float32(np.sqrt(0.5)), np.float32(LARGEST)
    # Whole rows are computed at once.
    first, second, scale = np.empty((3, columns), np.float32)
    for y in range(rows):
        for x in range(columns):
            scale[x] = root[y // COARSER, x // COARSER]
            first[x] = weight_signed[y // COARSER, x // COARSER] * to_signed
            second[x] = weight_energy[y // COARSER, x // COARSER] * to_energy
        for x in range(columns):
            one, other = abs(signed[y, x] * first[x]), abs(energy[y, x] * second[x])
            if by_itself:
                one = COARSER * np.arctanh(min(one, largest))
                other = COARSER * np.arctanh(min(other, largest))
            score[y, x] = scale[x] * max(half * (one + other), one, other)


@njit(nogil=True, fastmath=True)
def _one_over_spread(values: Image, root: Image, weight: Image) -> np.float32:
    """Return the inverse standard deviation of the scores of all shifts that are compared."""
    squares, compared = 0.0, 0
    for row in range(root.shape[0]):
        for column in range(root.shape[1]):
            factor = root[row, column] * weight[row, column]
            compared += factor > 0
            total = np.float32(0)
            for y in range(row * COARSER, (row + 1) * COARSER):
                for x in range(column * COARSER, (column + 1) * COARSER):
                    total += values[y, x] * values[y, x]
            squares += total * factor * factor
    return np.float32(1 / max(np.sqrt(squares / max(COARSER**2 * compared, 1)), 1e-9))
