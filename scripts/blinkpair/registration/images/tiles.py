"""Do the parts of two images agree with one transform, each by itself?

Around the most structured places of the first image, tiles are cut that do not overlap. Each is
searched for in the second image, near the place to which the transform takes it. In unrelated
images the place of the best match is anywhere in the window, so the number of tiles that agree
with the transform follows a binomial distribution; times the number of transforms that can be
told apart, its tail is the expected number of alignments this good by chance.

Input: the contrasts of two images and a first transform. Output: the displacements of the tiles,
a refined transform and its chance level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.stats import binom

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.registration.images.contrast import Contrast, Image
from blinkpair.registration.rigid import apply_matrix, fit_transform

# In diameters: half the side of a tile, and the largest displacements searched for at first and
# once the transform is refined.
HALF_TILE, FIRST_REACH, REACH = 0.65, 1.0, 0.75
# A tile whose content repeats along a line (an edge, a scratch) does not fix a place.
MAX_REPEAT = 0.75
# Displacements within so many diameters of the transform agree with it; the strictest wins.
TOLERANCES = (0.06, 0.12, 0.24)
# Only tiles whose best match in the window correlates at least this well; the strictest wins.
# Where the match lies does not depend on how good it is, between unrelated images.
CORRELATIONS = (0.3, 0.5, 0.7)
# Noise alone has a power of 1 / (1 + NOISE_FLOOR^2) = 0.04 in the contrast.
MIN_POWER = 0.15
MAX_TILES = 400
CHANNELS = ("signed", "energy", "inverted")


@dataclass(frozen=True)
class Votes:
    """The tiles of one alignment.

    Attributes
    ----------
    matrix
        3x3 from pre to post pixels of the images, fitted to the tiles that agree.
    pre_xy, post_xy
        (n, 2) places of all tiles in either image.
    agree
        (n,) which of them agree with the matrix.
    weights
        (n,) inverse variances of their displacements, in any unit.
    inside
        (correlations, tolerances) number of tiles that correlate so well and agree so closely.
    compared
        (correlations,) number of tiles that correlate so well, wherever.
    log_chance
        Natural logarithm of the expected number of alignments as good by chance, where the best
        match of a tile can be anywhere in its window.
    """

    matrix: FloatArray
    pre_xy: FloatArray
    post_xy: FloatArray
    agree: BoolArray
    weights: FloatArray
    inside: IntArray
    compared: IntArray
    log_chance: float

    def log_chance_beside(self, rivals: Sequence[Votes]) -> float:
        """Return the logarithm of the chance level where the tiles of rivals agree as often.

        Rows of spheres match other rows in part, edges match edges: in such an image the tiles
        of wrong alignments agree more often than at random. Two tiles fix a motion; the others
        check it.
        """
        if not rivals:
            return -np.inf
        share = np.max(
            [
                (np.maximum(one.inside - 2, 0) + 1) / (one.compared[:, None] + 4)
                for one in rivals
            ],
            axis=0,
        )
        levels = [
            _log_tail(int(self.inside[c, t]) - 2, max(int(self.compared[c]) - 2, 0), share[c, t])
            for c, t in np.ndindex(share.shape)
        ]
        return min(levels) + float(np.log(share.size))


class Tiles:
    """The tiles of the first image, and the second image in which they are looked for."""

    def __init__(self, pre: Contrast, post: Contrast, diameter_px: float, model: str) -> None:
        self.pre, self.post, self.model = pre, post, model
        self.diameter = diameter_px / pre.pixel
        self.half = round(HALF_TILE * self.diameter)
        self.places = self._structured_places()

    def _structured_places(self) -> IntArray:
        """Return (n, 2) middles (x, y) of tiles that do not overlap, the most structured first."""
        half, margin = self.half, self.half + 1
        contrast = ndimage.uniform_filter(self.pre.signed**2, 2 * half + 1)
        seen = ndimage.minimum_filter(self.pre.valid, 2 * half + 1)
        contrast[~seen] = 0
        contrast[:margin] = contrast[-margin:] = 0
        contrast[:, :margin] = contrast[:, -margin:] = 0
        # The middle of a tile is a place of structure, so that a sphere is not cut by its edge.
        power = ndimage.gaussian_filter(self.pre.signed**2, 0.35 * self.diameter)
        peaks = power == ndimage.maximum_filter(power, 2 * round(0.5 * self.diameter) + 1)
        y, x = np.nonzero(peaks & (contrast > 0) & (power > MIN_POWER))
        order = np.argsort(-power[y, x], kind="stable")
        taken = np.zeros(contrast.shape, bool)
        places = []
        for row in order:
            if taken[y[row], x[row]]:
                continue
            places.append((x[row], y[row]))
            side = 2 * half
            taken[
                max(y[row] - side, 0) : y[row] + side + 1, max(x[row] - side, 0) : x[row] + side + 1
            ] = True
            if len(places) == MAX_TILES:
                break
        return np.array(places, np.int64).reshape(-1, 2)

    def refine(self, matrix: FloatArray) -> Votes | None:
        """Return the tiles' votes on the alignment near a matrix; None where too few are seen."""
        best: Votes | None = None
        hypotheses = self._hypotheses()
        for channel in CHANNELS:
            votes = self._refine(matrix, channel)
            if votes is not None and (best is None or votes.log_chance < best.log_chance):
                best = votes
        if best is None:
            return None
        return replace(best, log_chance=best.log_chance + float(np.log(len(CHANNELS) * hypotheses)))

    def _hypotheses(self) -> float:
        """Return how many transforms can be told apart to a diameter: shifts times turns."""
        area = 4.0 * self.post.signed.size / self.diameter**2
        radius = float(np.hypot(*self.pre.signed.shape)) / 4
        return area * 2 * np.pi * radius / self.diameter

    def _refine(self, matrix: FloatArray, channel: str) -> Votes | None:
        surfaces, rows, reach = self._surfaces(matrix, channel, FIRST_REACH)
        if len(rows) < 3:
            return None
        matrix = self._summed(matrix, surfaces, rows, reach)
        votes: Votes | None = None
        for _ in range(2):
            surfaces, rows, reach = self._surfaces(matrix, channel, REACH)
            if len(rows) < 3:
                return None
            votes = self._fit(matrix, surfaces, rows, reach)
            if votes is None:
                return None
            matrix = votes.matrix
        return votes

    def _surfaces(
        self, matrix: FloatArray, channel: str, reach_diameters: float
    ) -> tuple[Image, IntArray, int]:
        """Return correlations of the tiles with the other image around their places.

        Returns
        -------
        (n, 2 reach + 1, 2 reach + 1) correlations over the displacement (y, x), the rows of the
        tiles that both images show and that fix a place, and the reach in pixels.
        """
        reach, half = round(reach_diameters * self.diameter), self.half
        name = "energy" if channel == "energy" else "signed"
        other = -getattr(self.post, name) if channel == "inverted" else getattr(self.post, name)
        back = np.linalg.inv(self.post.to_image) @ matrix @ self.pre.to_image
        warped, seen = (
            _warped(one, back, self.pre.signed.shape)
            for one in (other, self.post.valid.astype(np.float32))
        )
        inside = ndimage.minimum_filter(seen > 0.99, 2 * half + 1)
        x, y = self.places.T
        rows = np.flatnonzero(inside[y, x])
        if not len(rows):
            return np.zeros((0, 1, 1), np.float32), rows, reach
        x, y = x[rows], y[rows]
        wide = half + reach
        padded = np.pad(warped, wide)
        at = np.arange(-half, half + 1)
        far = np.arange(-wide, wide + 1)
        mine = getattr(self.pre, name)[(y[:, None] + at)[:, :, None], (x[:, None] + at)[:, None, :]]
        theirs = padded[
            (y[:, None] + far + wide)[:, :, None], (x[:, None] + far + wide)[:, None, :]
        ]
        unseen = np.pad(seen, wide)[
            (y[:, None] + far + wide)[:, :, None], (x[:, None] + far + wide)[:, None, :]
        ]
        mine = mine - mine.mean(axis=(1, 2), keepdims=True)
        surfaces = _correlations(mine, theirs, reach)
        own = _correlations(mine, np.pad(mine, ((0, 0), (reach, reach), (reach, reach))), reach)
        fixes = _repeat(own, reach) < MAX_REPEAT
        del unseen
        return surfaces[fixes], rows[fixes], reach

    def _summed(
        self, matrix: FloatArray, surfaces: Image, rows: IntArray, reach: int
    ) -> FloatArray:
        """Return the matrix at the maximum of all tiles' correlations together.

        Small turns about the tiles' middle displace each tile by whole pixels.
        """
        xy = self.places[rows].astype(float)
        arm = xy - xy.mean(axis=0)
        radius = float(np.sqrt(np.mean((arm**2).sum(axis=1)))) + 1e-9
        turns = np.arange(-reach, reach + 1) * (0.5 / radius)
        n = 2 * reach + 1
        # A good match counts more than several poor ones.
        padded = np.pad(np.maximum(surfaces, 0) ** 2, ((0, 0), (reach, reach), (reach, reach)))
        best, best_value = (0.0, 0, 0), -np.inf
        index = np.arange(n)
        for turn in turns:
            dx = np.clip(np.rint(-turn * arm[:, 1]), -reach, reach).astype(int)
            dy = np.clip(np.rint(turn * arm[:, 0]), -reach, reach).astype(int)
            total = padded[
                np.arange(len(rows))[:, None, None],
                (dy[:, None] + index + reach)[:, :, None],
                (dx[:, None] + index + reach)[:, None, :],
            ].sum(axis=0)
            iy, ix = np.unravel_index(int(np.argmax(total)), total.shape)
            if total[iy, ix] > best_value:
                best_value, best = total[iy, ix], (float(turn), int(ix) - reach, int(iy) - reach)
        turn, dx0, dy0 = best
        moved = xy + np.column_stack([-turn * arm[:, 1] + dx0, turn * arm[:, 0] + dy0])
        return self._fitted(matrix, xy, moved)

    def _fit(self, matrix: FloatArray, surfaces: Image, rows: IntArray, reach: int) -> Votes | None:
        xy = self.places[rows].astype(float)
        moved = xy + _tops(surfaces, reach)
        peak = surfaces.reshape(len(rows), -1).max(axis=1)
        # The variance of a correlation's maximum, but for the tile's own detail.
        weights = np.clip(peak, 0.1, 0.99) ** 2 / (1 - np.clip(peak, 0.1, 0.99) ** 2)
        fits = [self._fit_to(matrix, xy, moved, peak >= least, weights) for least in CORRELATIONS]
        p = np.pi * (np.array(TOLERANCES) * self.diameter) ** 2 / (2 * reach + 1.0) ** 2
        compared = np.array([(peak >= least).sum() for least in CORRELATIONS])
        inside = np.zeros((len(CORRELATIONS), len(TOLERANCES)), np.int64)
        best, level = None, np.inf
        for row, fit in enumerate(fits):
            if fit is None:
                continue
            residual = self._residual(matrix, fit[0], xy, moved)[peak >= CORRELATIONS[row]]
            for column, tolerance in enumerate(TOLERANCES):
                k = int((residual < tolerance * self.diameter).sum())
                inside[row, column] = k
                chance = _log_tail(k, len(residual), p[column]) - np.log(np.pi * tolerance**3)
                if best is None or chance < level:
                    best, level = fit, chance
        if best is None:
            return None
        fitted, agree = best
        return Votes(
            fitted,
            apply_matrix(self.pre.to_image, xy),
            apply_matrix(matrix @ self.pre.to_image, moved),
            agree,
            weights,
            inside,
            compared,
            float(level + np.log(inside.size)),
        )

    def _fit_to(
        self, matrix: FloatArray, xy: FloatArray, moved: FloatArray, good: BoolArray, weights: FloatArray
    ) -> tuple[FloatArray, BoolArray] | None:
        """Return the fit to those good tiles that agree with it, and which these are."""
        if good.sum() < 3:
            return None
        agree = good & (np.hypot(*(moved - xy).T) < 0.3 * self.diameter)
        fitted = matrix
        for _ in range(10):
            if agree.sum() < 3:
                return None
            fitted = self._fitted(matrix, xy[agree], moved[agree], weights[agree])
            residual = self._residual(matrix, fitted, xy, moved)
            middle = float(np.median(residual[agree]))
            gate = np.clip(4.0 * middle / 1.18, 0.05 * self.diameter, 0.3 * self.diameter)
            now = good & (residual < gate)
            if np.array_equal(now, agree):
                break
            agree = now
        return fitted, agree

    def _fitted(
        self,
        matrix: FloatArray,
        xy: FloatArray,
        moved: FloatArray,
        weights: FloatArray | None = None,
    ) -> FloatArray:
        """Return the fit of places in pre pixels to where they are found."""
        pre = apply_matrix(self.pre.to_image, xy)
        post = apply_matrix(matrix @ self.pre.to_image, moved)
        return fit_transform(pre, post, model=self.model, weights=weights)

    def _residual(
        self, matrix: FloatArray, fitted: FloatArray, xy: FloatArray, moved: FloatArray
    ) -> FloatArray:
        pre = apply_matrix(fitted @ self.pre.to_image, xy)
        post = apply_matrix(matrix @ self.pre.to_image, moved)
        return np.asarray(np.hypot(*(post - pre).T) / self.pre.pixel)


def _warped(image: NDArray[np.float32], matrix: FloatArray, shape: tuple[int, ...]) -> Image:
    """Return the image at the places to which a matrix takes the pixels of `shape`."""
    swap = matrix[:2, :2][::-1, ::-1]
    return np.asarray(
        ndimage.affine_transform(
            image,
            swap,
            matrix[:2, 2][::-1],
            output_shape=shape,
            order=3 if image.min() < 0 else 1,
            output=np.float32,
        )
    )


def _correlations(mine: Image, theirs: Image, reach: int) -> Image:
    """Return normalised correlations of (n, a, a) tiles within (n, a + 2 reach, ...) windows."""
    side = mine.shape[1]
    full = theirs.shape[1]
    shape = tuple([fft.next_fast_len(full, real=True)] * 2)
    product = fft.irfft2(np.conj(fft.rfft2(mine, shape)) * fft.rfft2(theirs, shape), shape)[
        :, : 2 * reach + 1, : 2 * reach + 1
    ]
    n = side * side
    first, second = (_box_sums(one, side) for one in (theirs, theirs * theirs))
    energy = np.maximum(second - first**2 / n, 0)
    own = (mine * mine).sum(axis=(1, 2))[:, None, None]
    # A window without structure would correlate with anything.
    floor = 0.02 * n
    return np.asarray(product / np.sqrt(own * (energy + floor) + 1e-9), np.float32)


def _box_sums(images: Image, side: int) -> NDArray[np.float64]:
    sums = np.cumsum(
        np.cumsum(np.pad(images, ((0, 0), (1, 0), (1, 0))), axis=1, dtype=np.float64), axis=2
    )
    return np.asarray(
        sums[:, side:, side:]
        - sums[:, :-side, side:]
        - sums[:, side:, :-side]
        + sums[:, :-side, :-side]
    )


def _log_tail(k: int, n: int, p: float) -> float:
    """Return the logarithm of P(X >= k) of a binomial; of its upper bound where it underflows.

    The bound is that of Hoeffding (JASA 58, 13, 1963).
    """
    if k <= 0 or n <= 0:
        return 0.0
    exact = float(binom.logsf(k - 1, n, p))
    share = k / n
    if (np.isfinite(exact) and exact > -500) or share <= p:
        return exact
    rest = (1 - share) * np.log((1 - share) / (1 - p)) if share < 1 else 0.0
    return float(-n * (share * np.log(share / p) + rest))


def _repeat(own: Image, reach: int) -> FloatArray:
    """Return the largest correlation of each tile with itself outside its own peak."""
    axis = np.arange(-reach, reach + 1)
    far = np.hypot(*np.meshgrid(axis, axis)) >= 0.75 * reach
    return np.asarray(own[:, far].max(axis=1) / own[:, reach, reach])


def _tops(surfaces: Image, reach: int) -> FloatArray:
    """Return (n, 2) displacements (x, y) of the maxima, to a fraction of a pixel."""
    n, side, _ = surfaces.shape
    flat = surfaces.reshape(n, -1).argmax(axis=1)
    iy, ix = np.divmod(flat, side)
    # A maximum on the rim is not one: the correlation rises beyond it.
    y, x = np.clip(iy, 1, side - 2), np.clip(ix, 1, side - 2)
    row = np.arange(n)

    def offset(low: Image, middle: Image, high: Image) -> FloatArray:
        curvature = low - 2.0 * middle + high
        safe = np.where(curvature < -1e-6, curvature, -1.0)
        return np.clip(np.where(curvature < -1e-6, 0.5 * (low - high) / safe, 0.0), -1, 1)

    middle = surfaces[row, y, x]
    dx = offset(surfaces[row, y, x - 1], middle, surfaces[row, y, x + 1])
    dy = offset(surfaces[row, y - 1, x], middle, surfaces[row, y + 1, x])
    return np.column_stack([x + dx - reach, y + dy - reach])
