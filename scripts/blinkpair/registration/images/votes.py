"""Do the tiles of two images agree with one transform?

A tile agrees where it is found near the place of the transform that all tiles are fitted to. Wrong
alignments are the yardstick: rows of spheres match other rows in part, an edge matches another
edge, and in an image of such things the tiles of every alignment agree more often than at random.

Input: tiles, and a first transform. Output: the fitted transform, and how many tiles agree with it
how closely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.registration.images.tiles import CHANNELS, FIRST_REACH, REACH, Matches, Tiles
from blinkpair.registration.rigid import apply_matrix, fit_transform

# Displacements within so many diameters of the transform agree with it, and only tiles whose best
# match in the window correlates at least this well are counted; the strictest wins. Between
# unrelated images, where a tile matches best does not depend on how well it does.
TOLERANCES = (0.06, 0.12, 0.24)
CORRELATIONS = (0.3, 0.5, 0.7)
# The last fit keeps tiles within so many diameters, and within 4 standard deviations.
LEAST_GATE, LARGEST_GATE = 0.05, 0.3
# Large tiles locate a transform where at least this many agree.
ENOUGH_LOCATED = 6
# Signed contrast and energy differ by more diameters than this under light from one side.
ONE_SIDED = 0.1
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

    def residuals_of(self, matrix: FloatArray) -> FloatArray:
        """Return (n,) distances of the tiles from the places of a matrix, in post pixels."""
        return np.asarray(np.hypot(*(apply_matrix(matrix, self.pre_xy) - self.post_xy).T))

    def rms_px(self) -> float:
        """Return the root mean square distance of the tiles that agree, in post pixels."""
        return float(np.sqrt(np.mean(self.residuals_of(self.matrix)[self.agree] ** 2)))

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
    for name, first in _with_inverted(tiles.matches(matrix, FIRST_REACH, order=1)):
        if len(first.xy) < 3:
            continue
        near = _summed(tiles, matrix, first, model)
        matches = tiles.matches(near, REACH, order=1)[name.removeprefix("-")]
        best = _better(best, _votes(tiles, near, _signed(matches, name), model))
    return best


@dataclass(frozen=True)
class Location:
    """The votes that locate a transform, and whether both kinds of contrast agree on it.

    Under light from one side the bright halves stay with the camera while the sample turns: the
    signed contrast then fits at a place about half a diameter off, for all tiles alike, and the
    local energy less so. The images cannot show by how much: to first order, a slope added to a
    sphere is the sphere displaced.
    """

    votes: Votes
    one_sided: bool


def locate(small: Tiles, large: Tiles, votes: Votes, model: str) -> Location:
    """Return the transform near an alignment as exactly as possible.

    By large tiles, or by small ones where too few large ones agree; by the better of signed
    contrast and local energy, or by the energy where these differ significantly.
    """
    for tiles, least in ((large, ENOUGH_LOCATED), (small, 3)):
        found = {}
        for channel in CHANNELS:
            one = _refined(tiles, channel, votes.matrix, model)
            if one is not None and one.agree.sum() >= least:
                found[channel] = one
        if not found:
            continue
        if "energy" not in found:
            return Location(found["signed"], one_sided=True)
        energy = found["energy"]
        if large.one_sided():
            return Location(energy, one_sided=True)
        signed = found.get("signed", energy)
        here = energy.pre_xy[energy.agree].mean(axis=0)
        apart = np.hypot(
            *(apply_matrix(signed.matrix, here) - apply_matrix(energy.matrix, here))[0]
        )
        scatter = np.hypot(*(one.rms_px() / np.sqrt(one.agree.sum()) for one in (signed, energy)))
        if apart > max(ONE_SIDED * tiles.diameter_px, 4 * scatter):
            return Location(energy, one_sided=True)
        return Location(signed if signed.log_chance <= energy.log_chance else energy, False)
    return Location(votes, one_sided=True)


def _refined(tiles: Tiles, channel: str, matrix: FloatArray, model: str) -> Votes | None:
    """Return the votes of one channel around their own matrix, with an exact interpolation."""
    best: Votes | None = None
    for reach in (FIRST_REACH, REACH, REACH):
        matches = dict(_with_inverted(tiles.matches(matrix, reach, order=3)))
        one = matches[channel] if channel in matches else matches[f"-{channel}"]
        if len(one.xy) < 3:
            return None
        if reach == FIRST_REACH:
            matrix = _summed(tiles, matrix, one, model)
            continue
        best = _votes(tiles, matrix, one, model)
        if best is None:
            return None
        matrix = best.matrix
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


def log_tail(k: int, n: int, p: float) -> float:
    """Return the logarithm of P(X >= k) of a binomial; of its upper bound where it underflows.

    The bound is that of Hoeffding (JASA 58, 13, 1963).
    """
    if k <= 0 or n <= 0:
        return 0.0
    share = k / n
    exact = float(binom.logsf(k - 1, n, p))
    if share <= p or (np.isfinite(exact) and exact > -500):
        return exact
    rest = (1 - share) * np.log((1 - share) / (1 - p)) if share < 1 else 0.0
    return float(-n * (share * np.log(share / p) + rest))
