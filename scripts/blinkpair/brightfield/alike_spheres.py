"""Objects that share one pattern of whatever symmetry: microspheres under light from one side.

Input: an image, its noise and the patterns that recur in it. Output: the table of
`find_microspheres`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.special import ndtri

from blinkpair.arrays import FloatArray
from blinkpair.brightfield.edges import straightness
from blinkpair.brightfield.measured import as_table, contrast_scatter, measure
from blinkpair.brightfield.patterns import Pattern
from blinkpair.brightfield.radial_evidence import flatten
from blinkpair.brightfield.radial_fit import spline_basis
from blinkpair.brightfield.radial_match import (
    CLOSEST,
    TemplateSearch,
    at_points,
    distance_to,
    match_template,
    nearest_other,
)

# Share of the structure that the template explains where the search for it begins.
LEAST_EXPLAINED = 0.5
# Alike objects are spheres if the contrasts scatter by less than the first, also at the upper end
# of what so many know of it, or if the roundness (median of those of more than median contrast
# that stand alone) is more than the second. Measured scatter of the logarithm and roundness: real
# spheres lit from one side 0.14 to 0.24 and 0.8, others 0.09 to 0.45 and 0.94 to 0.99, simulated
# debris 0.22 (of 30) to 0.44 and 0.85 to 0.94.
MAX_SCATTER, LEAST_ROUND = 0.26, 0.95
# Fewer can be alike by chance: of 200 fields of debris, two had 6 to 9 pieces that were.
FEWEST_SPHERES, FEWEST_ALONE = 10, 12
# Standard error of the scatter (from the median absolute deviation) times the root of the number,
# relative; and how many of them are the upper end.
SCATTER_ERROR, UPPER_END = 1.17 / np.sqrt(2), 1.65
# Measured size over the given diameter: a diameter is good to a factor of 1.6, and what a maker
# calls the diameter is not what the light shows of it. Points and specks of dust are smaller.
SIZE_RANGE = (0.5, 2.2)
# Straightness of the contrast at a place, within so many diameters, from which it is part of an
# edge: a template lit from one side fits all along it. Measured: spheres of ten real images up to
# 0.5, simulated ones in chains along the light up to 0.8 (0.3 % beyond 0.7), the rims of real
# droplets and electrodes 0.9 and more.
MAX_STRAIGHT, ALONG, DETAIL = 0.7, 0.8, 0.15
# Places beside known spheres are parts of them if so near each other, in diameters.
SAME_SIDE = 0.25
# Share of the first pattern's evidence that makes another one spheres as well, those at another
# height.
RIVAL_EVIDENCE = 0.25


def find_alike(
    pixels: FloatArray,
    noise: FloatArray,
    patterns: Sequence[Pattern],
    diameter_px: float,
    *,
    false_alarms: float,
) -> pd.DataFrame:
    """Return the spheres, of about `diameter_px`, among what looks like the patterns."""
    tables: list[pd.DataFrame] = []
    enough = 0.0
    for pattern in sorted(patterns, key=lambda pattern: -pattern.evidence):
        if pattern.evidence < enough:
            break
        if not SIZE_RANGE[0] < pattern.size_px / diameter_px < SIZE_RANGE[1]:
            continue
        found, amplitude = _match(pixels, noise, pattern, false_alarms)
        known = np.vstack([np.empty((0, 2)), *(t[["x", "y"]].to_numpy() for t in tables)])
        if _are_parts(found, known, diameter_px):
            continue
        new = distance_to(found, known) > CLOSEST * pattern.diameter_px
        found, amplitude = found[new], amplitude[new]
        template = pattern.template
        basis = spline_basis(template.radius_px, max(1.0, pattern.diameter_px / 6))
        table = measure(
            pixels,
            noise,
            template,
            found,
            amplitude,
            basis,
            pattern.diameter_px,
            are_round=False,
        )
        if _are_spheres(table, found, amplitude, template.radius_px):
            tables.append(table)
            enough = max(enough, RIVAL_EVIDENCE * pattern.evidence)
    return as_table(*tables)


def _match(
    pixels: FloatArray, noise: FloatArray, pattern: Pattern, false_alarms: float
) -> tuple[FloatArray, FloatArray]:
    """Return the centres and amplitudes of all that looks like a pattern."""
    template, diameter = pattern.template, pattern.diameter_px
    # In a sheet each sphere is judged with its neighbours subtracted: all have to be there at
    # once, not only those from which the pattern was learned.
    z_min = float(-ndtri(false_alarms / pixels.size))
    search = TemplateSearch(template, pixels.shape, diameter)
    xy, amplitude = search.places(pixels, noise, z_min, least_explained=LEAST_EXPLAINED)
    apart = distance_to(pattern.xy, xy) > CLOSEST * diameter
    xy = np.vstack([xy, pattern.xy[apart]])
    amplitude = np.append(amplitude, template.amplitude[apart])
    xy, amplitude = match_template(pixels, noise, search, xy, amplitude, false_alarms=false_alarms)
    band = flatten(ndimage.gaussian_filter(pixels, DETAIL * diameter), diameter)
    on_edge = at_points(straightness(band, ALONG * diameter), xy) > MAX_STRAIGHT
    return xy[~on_edge], amplitude[~on_edge]


def _are_parts(xy: FloatArray, known: FloatArray, diameter_px: float) -> bool:
    """Return whether most places lie beside a known sphere, all on the same side of it.

    The bright and the dark half of a sphere that is lit from one side are two patterns.
    """
    if not len(xy) or not len(known):
        return False
    apart = xy[:, None] - known[None]
    nearest = np.hypot(*apart.transpose(2, 0, 1)).argmin(axis=1)
    displacement = apart[np.arange(len(xy)), nearest]
    off = np.hypot(*(displacement - np.median(displacement, axis=0)).T)
    return bool((off < SAME_SIDE * diameter_px).mean() > 0.5)


def _are_spheres(
    table: pd.DataFrame, xy: FloatArray, amplitude: FloatArray, radius_px: float
) -> bool:
    """Return whether a kind of alike objects is spheres, and not pieces of debris."""
    if len(xy) < FEWEST_SPHERES:
        return False
    upper = 1 + UPPER_END * SCATTER_ERROR / np.sqrt(len(xy))
    if contrast_scatter(amplitude) * upper < MAX_SCATTER:
        return True
    clear = (nearest_other(xy) > 2 * radius_px) & (amplitude > np.median(amplitude))
    roundness = table["roundness"].reindex(np.flatnonzero(clear)).dropna()
    return len(roundness) >= FEWEST_ALONE and float(roundness.median()) > LEAST_ROUND
