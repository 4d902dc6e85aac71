"""The places of parts of one image in another, each searched for separately.

Around the most structured places of the first image, tiles are cut that do not overlap. Each is
searched for in the second image, near the place to which a transform takes it.

Input: the contrasts of two images and a transform. Output: for each tile its correlation over the
displacements, and the displacement where it is largest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from blinkpair.arrays import BoolArray, FloatArray, IntArray, vertices
from blinkpair.registration.images.contrast import Contrast, Image
from blinkpair.registration.images.warp import warped
from blinkpair.registration.rigid import rotation_deg

# In diameters, half the side of a tile.
HALF = 0.5
# In diameters, the largest displacements searched for: at first, and near a refined transform.
FIRST_REACH, REACH = 1.0, 0.75
# A tile whose content repeats along a line (an edge, a scratch) does not fix a place.
MAX_REPEAT = 0.75
# Noise alone has a power of 1 / (1 + NOISE_FLOOR^2) = 0.04 in the contrast.
MIN_POWER = 0.15
MAX_TILES = 400
# Share of the odd part of the mean tile's power above which light comes from one side.
MAX_ODD = 0.1
# Spheres below which that cannot be excluded.
FEWEST_SPHERES = 6
# Cosine of the smallest turn after which bright halves of the sample and of the light differ.
LEAST_TURN = 0.8
CHANNELS = ("signed", "energy")


@dataclass(frozen=True)
class Matches:
    """Correlations of n tiles with another image around the places of a transform.

    Attributes
    ----------
    xy
        (n, 2) middles of the tiles, in pixels of the contrast.
    surfaces
        (n, 2 reach + 1, 2 reach + 1) correlations over the displacement (y, x).
    reach
        Largest displacement, in pixels of the contrast.
    """

    xy: FloatArray
    surfaces: Image
    reach: int

    def inverted(self) -> Matches:
        """Return the matches with the other image's contrast inverted."""
        return Matches(self.xy, -self.surfaces, self.reach)

    def heights(self) -> FloatArray:
        """Return (n,) largest correlations."""
        return np.asarray(self.surfaces.reshape(len(self.xy), -1).max(axis=1), np.float64)

    def places(self) -> FloatArray:
        """Return (n, 2) places of the largest correlations, to a fraction of a pixel."""
        n, side, _ = self.surfaces.shape
        iy, ix = np.divmod(self.surfaces.reshape(n, -1).argmax(axis=1), side)
        y, x = np.clip(iy, 1, side - 2), np.clip(ix, 1, side - 2)
        row = np.arange(n)
        middle = self.surfaces[row, y, x]
        dx = vertices(self.surfaces[row, y, x - 1], middle, self.surfaces[row, y, x + 1])
        dy = vertices(self.surfaces[row, y - 1, x], middle, self.surfaces[row, y + 1, x])
        return self.xy + np.column_stack([x, y]) + np.clip([dx, dy], -1, 1).T - self.reach


class Tiles:
    """The tiles of the first image, and the second image in which they are searched for."""

    def __init__(self, pre: Contrast, post: Contrast, diameter_px: float) -> None:
        self.pre, self.post = pre, post
        self.diameter_px, self.diameter = diameter_px, diameter_px / pre.pixel
        self.half = round(HALF * self.diameter)
        self.xy = self._structured_places()
        self.cut = {name: self._cut(getattr(pre, name)) for name in CHANNELS}
        self.fixed = {
            reach: {name: _repeat(self.cut[name], reach) < MAX_REPEAT for name in CHANNELS}
            for reach in {self.reach(FIRST_REACH), self.reach(REACH)}
        }

    def reach(self, diameters: float) -> int:
        """Return a number of diameters in whole pixels of the contrast."""
        return max(round(diameters * self.diameter), 2)

    def _structured_places(self) -> IntArray:
        """Return (n, 2) middles (x, y) of tiles that do not overlap, the most structured first.

        The middle of a tile is a place of structure, so that its edge does not cut a sphere.
        """
        half, side = self.half, 2 * self.half
        power = ndimage.gaussian_filter(self.pre.signed**2, 0.35 * self.diameter)
        peaks = power == ndimage.maximum_filter(power, 2 * round(0.5 * self.diameter) + 1)
        peaks &= (power > MIN_POWER) & _all_around(self.pre.valid, half)
        y, x = np.nonzero(peaks)
        taken = np.zeros(power.shape, dtype=bool)
        places = []
        for row in np.argsort(-power[y, x], kind="stable"):
            if taken[y[row], x[row]]:
                continue
            places.append((x[row], y[row]))
            around = tuple(slice(max(at[row] - side, 0), at[row] + side + 1) for at in (y, x))
            taken[around] = True
            if len(places) == MAX_TILES:
                break
        return np.array(places, np.int64).reshape(-1, 2)

    def _cut(self, image: Image) -> Image:
        tiles = _windows(image, self.xy, self.half)
        return np.asarray(tiles - tiles.mean(axis=(1, 2), keepdims=True))

    def one_sided(self, matrix: FloatArray) -> bool | None:
        """Return whether spheres have a bright half that stays with the camera; None if unknown.

        Where the bright halves turned with the sample by a matrix, they are the sample's own.
        """
        half = 2 * self.half
        warped, seen = self._from_post("signed", matrix), self._from_post("valid", matrix) > 0.99
        x, y = self.xy.T
        rows = np.flatnonzero(_all_around(seen & self.pre.valid, self.half)[y, x])
        if len(rows) < FEWEST_SPHERES:
            return None
        means, odd = [], []
        for image in (self.pre.signed, warped):
            tiles = _windows(np.pad(image, half), self.xy[rows] + half, half)
            tiles = tiles - tiles.mean(axis=(1, 2), keepdims=True)
            means.append(tiles.mean(axis=0))
            odd.append((means[-1] - means[-1][::-1, ::-1]) / 2)
            if image is self.pre.signed:
                # In a mean of n unlike tiles, half of the n-th part of their power is odd.
                least = 0.5 * float(np.mean(tiles**2)) / len(rows)
        if np.mean(odd[0] ** 2) <= MAX_ODD * np.mean(means[0] ** 2) + least:
            return False
        turn = np.cos(np.deg2rad(rotation_deg(matrix)))
        even = [mean - part for mean, part in zip(means, odd, strict=True)]
        along = np.sum(odd[0] * odd[1]) / np.linalg.norm(odd[0]) / np.linalg.norm(odd[1])
        along *= np.sign(np.sum(even[0] * even[1]))
        return bool(turn > LEAST_TURN or along < (1 + turn) / 2)

    def matches(self, matrix: FloatArray, reach_diameters: float) -> dict[str, Matches]:
        """Return the matches near a transform, of each channel.

        Parameters
        ----------
        matrix
            3x3 from pre to post pixels of the images.
        reach_diameters
            Largest displacement.
        """
        reach = self.reach(reach_diameters)
        seen = self._from_post("valid", matrix) > 0.99
        x, y = self.xy.T
        rows = np.flatnonzero(_all_around(seen, self.half)[y, x])
        found = {}
        for name in CHANNELS:
            own = rows[self.fixed[reach][name][rows]]
            warped = np.pad(self._from_post(name, matrix), self.half + reach)
            theirs = _windows(warped, self.xy[own] + self.half + reach, self.half + reach)
            surfaces = _correlations(self.cut[name][own], theirs, reach)
            found[name] = Matches(self.xy[own].astype(float), surfaces, reach)
        return found

    def _from_post(self, name: str, matrix: FloatArray) -> Image:
        """Return an array of the second contrast at the places to which a matrix takes the first's.

        Parameters
        ----------
        name
            Of the array.
        matrix
            3x3 from pre to post pixels of the images.
        """
        there = np.linalg.inv(self.post.to_image) @ matrix @ self.pre.to_image
        image = getattr(self.post, name).astype(np.float32)
        return warped(image, there, self.pre.signed.shape)


def _all_around(valid: BoolArray, half: int) -> BoolArray:
    """Return where all pixels within `half` are valid and none lies outside."""
    return np.asarray(
        ndimage.minimum_filter(valid, 2 * half + 1, mode="constant", cval=0), dtype=bool
    )


def _windows(image: Image, xy: IntArray, half: int) -> Image:
    """Return (n, 2 half + 1, 2 half + 1) cutouts around whole pixels."""
    at = np.arange(-half, half + 1)
    x, y = xy.T
    return image[(y[:, None] + at)[:, :, None], (x[:, None] + at)[:, None, :]]


def _correlations(mine: Image, theirs: Image, reach: int) -> Image:
    """Return normalised correlations of (n, a, a) tiles within (n, a + 2 reach, ...) windows."""
    n, side, _ = mine.shape
    if not n:
        return np.zeros((0, 2 * reach + 1, 2 * reach + 1), np.float32)
    size = fft.next_fast_len(theirs.shape[1], real=True)
    spectrum = np.conj(fft.rfft2(mine, (size, size))) * fft.rfft2(theirs, (size, size))
    product = fft.irfft2(spectrum, (size, size))[:, : 2 * reach + 1, : 2 * reach + 1]
    first, second = (_box_sums(one, side) for one in (theirs, theirs * theirs))
    energy = np.maximum(second - first**2 / side**2, 0)
    own = (mine * mine).sum(axis=(1, 2))[:, None, None]
    # A window without structure would correlate with anything.
    floor = 0.02 * side**2
    return np.asarray(product / np.sqrt(own * (energy + floor) + 1e-9), np.float32)


def _box_sums(images: Image, side: int) -> NDArray[np.float32]:
    """Return the sums over all squares of `side` pixels."""
    sums = np.cumsum(images, axis=1)
    sums[:, side:] -= sums[:, :-side].copy()
    sums = np.cumsum(sums[:, side - 1 :], axis=2)
    sums[:, :, side:] -= sums[:, :, :-side].copy()
    return np.asarray(sums[:, :, side - 1 :])


def _repeat(tiles: Image, reach: int) -> FloatArray:
    """Return the largest correlation of each tile with itself outside its own peak."""
    padded = np.pad(tiles, ((0, 0), (reach, reach), (reach, reach)))
    own = _correlations(tiles, padded, reach)
    axis = np.arange(-reach, reach + 1)
    far = np.hypot(*np.meshgrid(axis, axis)) >= 0.75 * reach
    return np.asarray(own[:, far].max(axis=1) / np.maximum(own[:, reach, reach], 1e-9))
