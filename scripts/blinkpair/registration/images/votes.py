"""The tiles of two images that agree with one transform.

A tile agrees where it is found near the place of the transform that all tiles are fitted to. Wrong
alignments are the reference: rows of spheres match other rows in part, an edge matches another
edge, and in an image of such things the tiles of every alignment agree more often than at random.

Input: tiles, and a first transform. Output: the fitted transform, and how many tiles agree with it
how closely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.registration.images.tails import log_tail
from blinkpair.registration.images.tiles import FIRST_REACH, REACH, Matches, Tiles
from blinkpair.registration.rigid import apply_matrix, fit_transform

# Displacements within so many diameters of the transform agree with it, and only tiles whose best
# match in the window correlates at least this well are counted; the strictest wins. Between
# unrelated images, where a tile matches best does not depend on how well it does.
TOLERANCES = (0.06, 0.12, 0.24)
CORRELATIONS = (0.3, 0.5, 0.7)
# The last fit keeps tiles within so many diameters, and within 4 standard deviations.
LEAST_GATE, LARGEST_GATE = 0.05, 0.3
# Variance of the place of a perfect correlation, where one of 0.7 has a variance of 1.
LEAST_VARIANCE = 0.3


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
        Natural logarithm of the expected number of alignments as good by chance, if the best
        match of a tile could be anywhere in its window.
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
        """Return the logarithm of the chance level if tiles agree as often as in any rival.

        Two tiles fix a motion; the others check it.
        """
        shares = [
            (np.maximum(one.inside - 2, 0) + 1) / (one.compared[:, None] + 4) for one in rivals
        ]
        # Without any tile to compare, a rival would have this share.
        share = np.max(shares, axis=0) if shares else np.full(self.inside.shape, 0.25)
        levels = [
            log_tail(int(self.inside[c, t]) - 2, int(self.compared[c]) - 2, float(share[c, t]))
            for c, t in np.ndindex(share.shape)
        ]
        return min(levels) + float(np.log(share.size))


def vote(tiles: Tiles, matrix: FloatArray, model: str) -> Votes | None:
    """Return the tiles' votes on the alignment near a matrix; None where too few are seen."""
    best: Votes | None = None
    for name, first in _with_inverted(tiles.matches(matrix, FIRST_REACH)):
        if len(first.xy) < 3:
            continue
        near = _summed(tiles, matrix, first, model)
        matches = tiles.matches(near, REACH)[name.removeprefix("-")]
        best = _better(best, _votes(tiles, near, _signed(matches, name), model))
    return best


def _with_inverted(matches: dict[str, Matches]) -> list[tuple[str, Matches]]:
    """Return energy and signed contrast; the latter inverted where that correlates better."""
    signed = matches["signed"]
    flipped = signed.inverted()
    if len(signed.xy) and np.sum(flipped.heights() ** 4) > np.sum(signed.heights() ** 4):
        return [("-signed", flipped), ("energy", matches["energy"])]
    return [("signed", signed), ("energy", matches["energy"])]


def _signed(matches: Matches, name: str) -> Matches:
    return matches.inverted() if name.startswith("-") else matches


def _better(one: Votes | None, other: Votes | None) -> Votes | None:
    if one is None or other is None:
        return one or other
    return other if other.log_chance < one.log_chance else one


def _summed(tiles: Tiles, matrix: FloatArray, matches: Matches, model: str) -> FloatArray:
    """Return the matrix at the maximum of all tiles' correlations together.

    Small turns about the tiles' middle displace each tile by whole pixels. A good match counts
    more than several poor ones.
    """
    reach = matches.reach
    arm = matches.xy - matches.xy.mean(axis=0)
    radius = float(np.sqrt(np.mean((arm**2).sum(axis=1)))) + 1e-9
    padded = np.pad(np.maximum(matches.surfaces, 0) ** 2, ((0, 0), (reach, reach), (reach, reach)))
    row, index = np.arange(len(arm))[:, None, None], np.arange(2 * reach + 1)
    best, top = (0.0, 0, 0), -np.inf
    for turn in np.arange(-reach, reach + 1) * (0.5 / radius):
        dx = np.clip(np.rint(-turn * arm[:, 1]), -reach, reach).astype(int) + reach
        dy = np.clip(np.rint(turn * arm[:, 0]), -reach, reach).astype(int) + reach
        y, x = (dy[:, None] + index)[:, :, None], (dx[:, None] + index)[:, None, :]
        total = padded[row, y, x].sum(axis=0)
        iy, ix = np.unravel_index(int(np.argmax(total)), total.shape)
        if total[iy, ix] > top:
            top, best = total[iy, ix], (float(turn), int(ix) - reach, int(iy) - reach)
    turn, dx0, dy0 = best
    moved = matches.xy + np.column_stack([dx0 - turn * arm[:, 1], dy0 + turn * arm[:, 0]])
    return _Places(tiles, matrix, matches.xy, moved).fitted(model)


@dataclass(frozen=True)
class _Places:
    """Places of tiles, and where they are found in the second image, warped by a matrix."""

    tiles: Tiles
    matrix: FloatArray
    xy: FloatArray
    moved: FloatArray

    @property
    def pre_xy(self) -> FloatArray:
        return apply_matrix(self.tiles.pre.to_image, self.xy)

    @property
    def post_xy(self) -> FloatArray:
        return apply_matrix(self.matrix @ self.tiles.pre.to_image, self.moved)

    def fitted(
        self, model: str, use: BoolArray | None = None, weights: FloatArray | None = None
    ) -> FloatArray:
        rows = np.ones(len(self.xy), dtype=bool) if use is None else use
        return fit_transform(
            self.pre_xy[rows],
            self.post_xy[rows],
            model=model,
            weights=None if weights is None else weights[rows],
        )

    def residuals(self, matrix: FloatArray) -> FloatArray:
        """Return (n,) distances from the places of a matrix, in diameters."""
        apart = apply_matrix(matrix, self.pre_xy) - self.post_xy
        return np.asarray(np.hypot(*apart.T) / (self.tiles.pre.pixel * self.tiles.diameter))


def _votes(tiles: Tiles, matrix: FloatArray, matches: Matches, model: str) -> Votes | None:
    if len(matches.xy) < 3:
        return None
    places = _Places(tiles, matrix, matches.xy, matches.places())
    heights = matches.heights()
    # The variance of a correlation's maximum, up to the tile's own detail, and what even a perfect
    # one is off by.
    squared = np.clip(heights, 0.1, 1) ** 2
    weights = 1 / ((1 - squared) / squared + LEAST_VARIANCE)
    # Probability that a match anywhere in the window agrees, and how many transforms a tolerance
    # tells apart: shifts, times turns by which the tiles move.
    p = np.pi * (np.array(TOLERANCES) * tiles.diameter) ** 2 / (2 * matches.reach + 1.0) ** 2
    area = 4.0 * tiles.post.signed.size / tiles.diameter**2
    radius = float(np.hypot(*tiles.pre.signed.shape)) / 4 / tiles.diameter
    hypotheses = area / (np.pi * np.array(TOLERANCES) ** 2) * 2 * np.pi * radius / TOLERANCES
    compared = np.array([np.sum(heights >= least) for least in CORRELATIONS])
    inside = np.zeros((len(CORRELATIONS), len(TOLERANCES)), np.int64)
    best, level = None, np.inf
    for row, least in enumerate(CORRELATIONS):
        good = heights >= least
        if (fit := _fit(places, good, weights, model)) is None:
            continue
        residuals = places.residuals(fit[0])[good]
        for column, tolerance in enumerate(TOLERANCES):
            inside[row, column] = np.sum(residuals < tolerance)
            chance = log_tail(inside[row, column], len(residuals), p[column])
            chance += np.log(hypotheses[column] * inside.size)
            if best is None or chance < level:
                best, level = fit, chance
    if best is None:
        return None
    return Votes(
        best[0], places.pre_xy, places.post_xy, best[1], weights, inside, compared, float(level)
    )


def _fit(
    places: _Places, good: BoolArray, weights: FloatArray, model: str
) -> tuple[FloatArray, BoolArray] | None:
    """Return the fit to those good tiles that agree with it, and which these are."""
    agree = good & (places.residuals(places.matrix) < LARGEST_GATE)
    fitted = places.matrix
    for _ in range(10):
        if agree.sum() < 3:
            return None
        fitted = places.fitted(model, agree, weights)
        residuals = places.residuals(fitted)
        # Half of two-dimensional normal residuals lie within 1.18 standard deviations.
        gate = 4.0 * float(np.median(residuals[agree])) / 1.18
        now = good & (residuals < np.clip(gate, LEAST_GATE, LARGEST_GATE))
        if np.array_equal(now, agree):
            break
        agree = now
    return fitted, agree
