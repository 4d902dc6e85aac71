"""The patterns that recur in a brightfield image, of whatever symmetry.

Light from one side makes one half of each sphere bright and the other dark; a neighbour cuts its
rings. What such spheres have in common is that their images are alike. Patches of about the given
size are compared with each other, those that are alike are laid onto each other, and their median
is the template. Edges, fibres and shaded bands are alike too, but only across their direction: what
can be shifted along itself without a change is left out.

Input: an image, its noise and the size of what is looked for. Output: the kinds of pattern, each
with its template and the places it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from blinkpair.arrays import FloatArray, IntArray, vertex
from blinkpair.brightfield.radial_evidence import flatten
from blinkpair.brightfield.radial_fit import PatchBasis, fit_centres
from blinkpair.brightfield.radial_match import (
    CLOSEST,
    Template,
    at_points,
    nearest_other,
    strongest_apart,
    without_noise,
)
from blinkpair.brightfield.structure import contrast_places

# Places that are compared, evenly over the strength of their contrast: 400 need 160,000
# comparisons under every shift.
MOST_PLACES = 400
# Places that make a pattern, and the patterns that are tried: spheres at two heights are two.
FEWEST, MOST_PATTERNS = 5, 3
# Radius of the patches that are compared, and the largest shift between two, in diameters.
COMPARED_RADIUS, LARGEST_SHIFT = 0.75, 0.4
# Of a patch, the share of its variance that is not noise.
LEAST_RELIABLE = 0.25
# Correlation of two patches, corrected for noise, from which they are alike.
ALIKE = 0.8
# Radius of the template, in diameters: with the first ring, and little of a neighbour in touch.
TEMPLATE_RADIUS = 0.9
RIM_PX = 1.5
# The image of a sphere may reach farther: patches of this radius, of places so far from the next,
# show it, and it is wider if more than this share of its power lies beyond the template. Then only
# places so far apart are kept.
WIDE_RADIUS, ALONE, WIDER, APART = 1.8, 2.5, 0.05, 1.5
# Share of the structure at a place that the template explains, while it is refined: at first it is
# the mean of patches that are laid onto each other by whole pixels.
AGREEMENT = (0.3, 0.5, 0.6)
LEAST_AMPLITUDE = 0.2
# A pattern shifted by this share of the diameter, in any direction, is less like itself than this.
SHIFTED, LIKE_ITSELF = 0.4, 0.75
DIRECTIONS = 8


@dataclass(frozen=True)
class Pattern:
    """A kind of pattern.

    Attributes
    ----------
    xy : (n, 2) float
        The places it was made from.
    template : Template
        What they have in common.
    diameter_px : float
        The size that was looked for.
    size_px : float
        The diameter of the disc that would have as much of its power within as large a radius.
    evidence : float
        Sum of squares that the template explains at these places, times the share it explains.
    share : float
        Number of these places over that of all places of contrast that were compared.
    """

    xy: FloatArray
    template: Template
    diameter_px: float
    size_px: float
    evidence: float
    share: float = 0.0


def recurring_patterns(pixels: FloatArray, noise: FloatArray, diameter_px: float) -> list[Pattern]:
    """Return the patterns of about a size that recur in an image, the most frequent first.

    Few are returned; each was seen at `FEWEST` places or more.

    Parameters
    ----------
    pixels, noise : ndarray (rows, columns)
        Image and the standard deviation of its noise.
    diameter_px : float
        Size of what is looked for.
    """
    flat = flatten(pixels, diameter_px)
    places, _ = contrast_places(flat, noise, diameter_px)
    border = int(np.ceil(COMPARED_RADIUS * diameter_px) + np.ceil(LARGEST_SHIFT * diameter_px))
    room = np.array(flat.shape[::-1]) - 1 - border
    places = places[((places >= border) & (places <= room)).all(axis=1)]
    step = -(-len(places) // MOST_PLACES) or 1
    places = places[::step]
    if len(places) < FEWEST:
        return []
    smooth = ndimage.spline_filter(pixels, order=3)
    likeness, offset = _compare(flat, noise, places, diameter_px)
    patterns: list[Pattern] = []
    left = np.ones(len(places), dtype=bool)
    while len(patterns) < MOST_PATTERNS:
        alike = (likeness > ALIKE) & left
        leader = int(np.argmax(np.where(left, alike.sum(axis=1), 0)))
        members = alike[leader]
        members[leader] = True
        if members.sum() < FEWEST:
            break
        left &= ~members
        # The leader first: all are laid onto it.
        order = np.concatenate([[leader], np.setdiff1d(np.flatnonzero(members), leader)])
        pattern = _learn(pixels, smooth, noise, places[order] + offset[leader, order], diameter_px)
        if pattern is not None and len(pattern.xy) >= FEWEST:
            share = len(pattern.xy) / len(places)
            patterns.append(replace(pattern, evidence=pattern.evidence * step, share=share))
    return patterns


def _compare(
    flat: FloatArray, noise: FloatArray, places: IntArray, diameter_px: float
) -> tuple[FloatArray, IntArray]:
    """Return how alike each two places are (n, n), and the shift (n, n, 2) of the second for it.

    The likeness is the largest correlation coefficient of two discs over the shifts of one of
    them, divided by that which the noise leaves of perfectly alike ones.
    """
    radius, reach = COMPARED_RADIUS * diameter_px, LARGEST_SHIFT * diameter_px
    axis = np.arange(-int(radius), int(radius) + 1)
    disc_y, disc_x = (axis[i] for i in np.nonzero(np.hypot(axis, axis[:, None]) <= radius))
    axis = np.arange(-int(reach), int(reach) + 1)
    shifts = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    shifts = shifts[np.hypot(*shifts.T) <= reach]
    variance = at_points(noise, places.astype(float)) ** 2 * (len(disc_x) - 1)

    def discs(shift: IntArray) -> NDArray[np.float32]:
        x, y = (places + shift).T
        values = flat[y[:, None] + disc_y, x[:, None] + disc_x]
        values = values - values.mean(axis=1, keepdims=True)
        power = np.maximum((values**2).sum(axis=1), 1e-300)
        reliable = 1 - variance / power
        scale = np.where(reliable > LEAST_RELIABLE, 1 / np.sqrt(power * reliable.clip(1e-9)), 0.0)
        return (values * scale[:, None]).astype(np.float32)

    here = discs(np.zeros(2, np.int64))
    likeness = np.full((len(places), len(places)), -np.inf, np.float32)
    best = np.zeros(likeness.shape, np.int16)
    for k, shift in enumerate(shifts):
        correlation = here @ discs(shift).T
        np.copyto(best, k, where=correlation > likeness)
        np.maximum(likeness, correlation, out=likeness)
    return likeness.astype(float), shifts[best]


class _Window(NamedTuple):
    """Pixels about a centre: offsets y and x, distance, and a weight that falls to zero."""

    offsets: FloatArray
    distance: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, radius_px: float) -> _Window:
        half = int(np.ceil(radius_px)) + 1
        axis = np.arange(-half, half + 1, dtype=float)
        offsets = np.stack(np.meshgrid(axis, axis, indexing="ij"))
        distance = np.hypot(*offsets)
        return cls(offsets, distance, np.clip((radius_px - distance) / RIM_PX, 0, 1))

    def patches(self, smooth: FloatArray, xy: FloatArray) -> FloatArray:
        """Return the pixels (n, rows, columns) about places of an image given as a spline."""
        at = self.offsets[:, None] + xy[:, ::-1].T[:, :, None, None]
        return np.asarray(
            ndimage.map_coordinates(smooth, at, order=3, prefilter=False, mode="nearest")
        )

    def mean(self, patches: FloatArray, amplitude: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the typical patch, zero at its rim and centred, and where its centre was (x, y).

        The centre is that of the pattern's power: in both images of a sample the same one.
        """
        rim = (self.weight > 0) & (self.distance > self.distance[self.weight > 0].max() - 2)
        level = np.median(patches[:, rim], axis=1)[:, None, None]
        mean = self.weight * np.median((patches - level) / amplitude[:, None, None], axis=0)
        # The power is laid onto itself turned by half: unlike its centroid, the place where it fits
        # best does not depend on what little is left of neighbours near the rim.
        n = len(mean)
        turned = fft.irfft2(fft.rfft2(mean**2, (2 * n, 2 * n)) ** 2)
        row, column = np.unravel_index(np.argmax(turned[1:-1, 1:-1]), (2 * n - 2, 2 * n - 2))
        around = turned[row : row + 3, column : column + 3]
        top = np.array([row + 1 + vertex(*around[:, 1]), column + 1 + vertex(*around[1])])
        centre = top / 2 - n // 2
        return ndimage.shift(mean, -centre, order=3), centre[::-1]


def _learn(
    pixels: FloatArray,
    smooth: FloatArray,
    noise: FloatArray,
    places: FloatArray,
    diameter_px: float,
) -> Pattern | None:
    """Return the pattern of places that are alike; None where nothing compact is left of them.

    `smooth` is the image as coefficients of splines.
    """
    radius = TEMPLATE_RADIUS * diameter_px
    window = _Window.of(radius)
    xy = places.astype(float)
    patches = window.patches(smooth, xy)
    level = patches.mean(axis=(1, 2), keepdims=True)
    amplitude = np.sqrt((window.weight * (patches - level) ** 2).sum(axis=(1, 2)))
    # Beside the edge of a frame of one value the flattened image has contrast, the image none.
    seen = amplitude > 0
    if not seen.any():
        return None
    xy, patches, amplitude = xy[seen], patches[seen], amplitude[seen]
    for least in AGREEMENT:
        mean, centre = window.mean(patches, amplitude)
        fit = fit_centres(pixels, xy + centre, PatchBasis.of(mean), radius_px=radius, iterations=3)
        agreement = without_noise(fit, at_points(noise, fit.xy), 6)
        alike = agreement > least
        alike &= fit.coefficients[:, 0] > LEAST_AMPLITUDE * np.median(fit.coefficients[:, 0])
        alike &= np.hypot(*(fit.xy - xy).T) < diameter_px / 2
        kept = np.flatnonzero(alike)
        kept = kept[strongest_apart(fit.xy[kept], fit.signal[kept], CLOSEST * diameter_px)]
        if len(kept) == 0:
            return None
        xy, amplitude = fit.xy[kept], fit.coefficients[kept, 0]
        patches = window.patches(smooth, xy)
    if not _is_compact(mean, diameter_px):
        return None
    size_px, reach = _size_px(mean, window.distance), radius
    signal, agreement = fit.signal[kept], agreement[kept]
    # Two parts of one sphere may be two places: the match finds those in touch again.
    apart = strongest_apart(xy, signal, APART * diameter_px)
    wide = _widened(smooth, noise, xy[apart], amplitude[apart], diameter_px)
    if wide is not None:
        mean, centre = wide
        reach, basis = WIDE_RADIUS * diameter_px, PatchBasis.of(mean)
        fit = fit_centres(pixels, xy[apart] + centre, basis, radius_px=radius, iterations=3)
        kept = strongest_apart(fit.xy, fit.signal, APART * diameter_px)
        xy, amplitude, signal = fit.xy[kept], fit.coefficients[kept, 0], fit.signal[kept]
        agreement = without_noise(fit, at_points(noise, fit.xy), 6)[kept]
    typical = float(np.median(amplitude))
    template = Template(PatchBasis.of(mean * typical), radius, amplitude / typical, reach_px=reach)
    evidence = float(signal.sum() * np.median(agreement) ** 2)
    return Pattern(xy, template, diameter_px, size_px, evidence)


def _widened(
    smooth: FloatArray, noise: FloatArray, xy: FloatArray, amplitude: FloatArray, diameter_px: float
) -> tuple[FloatArray, FloatArray] | None:
    """Return the wide patch of a pattern and its centre, as `_Window.mean`; None where not wider.

    Far out of focus under light from one side, the image of a sphere lies beside what the round
    light shows of it, and reaches two diameters: it would be left in the neighbours' places.
    """
    alone = nearest_other(xy) > ALONE * diameter_px
    if alone.sum() < FEWEST:
        return None
    window = _Window.of(WIDE_RADIUS * diameter_px)
    mean, centre = window.mean(window.patches(smooth, xy[alone]), amplitude[alone])
    beyond = window.distance > TEMPLATE_RADIUS * diameter_px + RIM_PX
    # The variance of a median is pi / 2 times that of a mean.
    relative = at_points(noise, xy[alone]) / amplitude[alone]
    expected = np.pi / 2 * float(np.mean(relative**2)) / alone.sum() * window.weight[beyond].sum()
    power = float((mean[beyond] ** 2).sum()) - expected
    return (mean, centre) if power > WIDER * float((mean**2).sum()) else None


def _size_px(patch: FloatArray, distance: FloatArray) -> float:
    """Return the diameter of a disc with 90 % of its power within the same radius as a patch."""
    order = np.argsort(distance, axis=None)
    power = np.cumsum(patch.flat[order] ** 2)
    radius = distance.flat[order][np.searchsorted(power, 0.9 * power[-1])]
    return float(2 * radius / np.sqrt(0.9))


def _is_compact(patch: FloatArray, diameter_px: float) -> bool:
    """Return whether a pattern, shifted along any direction, is less like itself."""
    angles = np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    for shift in SHIFTED * diameter_px * np.stack([np.sin(angles), np.cos(angles)], axis=1):
        moved = ndimage.shift(patch, shift, order=1)
        if (patch * moved).sum() > LIKE_ITSELF * np.sqrt((patch**2).sum() * (moved**2).sum()):
            return False
    return True
