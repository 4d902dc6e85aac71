"""Round objects that share one profile: the microspheres of an image under even light.

1. At every pixel the radial share of the variance around it is measured (`radial_evidence`);
2. the round places that share one profile make the consensus, whose median is the template;
3. the template is matched with the image, found spheres are subtracted and the rest is matched
   again, which separates spheres in touch (`radial_match`); all centres are then fitted.

Where there are too few places to agree on a profile, those round beyond doubt are returned.

Input: an image, its noise and the diameter. Output: the table of `find_microspheres`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

from blinkpair.arrays import FloatArray
from blinkpair.brightfield.measured import (
    PROFILE_RADIUS,
    SEARCH_RADIUS,
    as_table,
    contrast_scatter,
    measure,
    profiles,
)
from blinkpair.brightfield.radial_evidence import flatten, radial_evidence
from blinkpair.brightfield.radial_fit import RoundBasis, fit_centres, spline_basis
from blinkpair.brightfield.radial_match import (
    CLOSEST,
    WIDEST_CONTRAST,
    Template,
    TemplateSearch,
    at_points,
    distance_to,
    match_template,
    nearest_other,
    without_noise,
)

# Knots of the profile, in diameters and at least a pixel apart.
KNOT_SPACING = 1 / 6
# Share of the structure that is radial once the noise is accounted for, required of a place that
# is judged alone. Measured: spheres 0.94 and more, simulated debris below 0.95 for four in five.
ROUND_ALONE = 0.85
# The same, of a place that nothing else in the image resembles.
ROUND_WITHOUT_CONSENSUS = 0.95
# Correlation of two profiles from which they are of one kind; measured for spheres of 5 %
# polydispersity at a signal-to-noise ratio of 10: 0.93 and more.
SAME_PROFILE = 0.9
# A sphere's structure spreads over the sphere; the image of a point (a nanocrystal, a hot pixel)
# does not. Root-mean-square radius, in diameters and in pixels.
MIN_SPREAD = 0.2
MIN_SPREAD_PX = 1.1
# Members that make a consensus, and the scatter of the logarithm of their contrast: uneven light
# and 5 % of polydispersity make 0.2, simulated debris 0.3 to 0.7.
MIN_CONSENSUS = 3
MAX_CONTRAST_SCATTER = 0.4
# All that match a profile are spheres if they are round, and the rounder the more their contrasts
# scatter. Measured as roundness (median of the isolated ones) and scatter: real spheres 0.96 and
# 0.01 to 0.14, simulated ones from a signal-to-noise of 10 on 0.96 and more and up to 0.29,
# simulated debris mostly 0.8 to 0.95 and 0.2 to 0.5.
LEAST_ROUND = 0.885
ROUNDER_PER_SCATTER = 0.3
# Kinds that are tried, since debris can have the most power; and the share of the first one's
# power that makes another kind spheres as well, those on the other side of focus. A weaker kind has
# to have so many members, as round as a place without consensus: measured for spheres at another
# height, a twentieth to a half of the power, 16 and more of 0.98; dirt, 3 to 8 of one kind.
MAX_KINDS = 5
RIVAL_POWER = 0.5
FEWEST_OF_WEAK = 10


def find_round(
    pixels: FloatArray, noise: FloatArray, diameter_px: float, *, false_alarms: float
) -> pd.DataFrame:
    """Return the round spheres of an image that is prepared and of a convenient pixel size."""
    search, radius = SEARCH_RADIUS * diameter_px, PROFILE_RADIUS * diameter_px
    spacing = max(1.0, KNOT_SPACING * diameter_px)
    basis = spline_basis(radius, spacing)
    evidence = radial_evidence(flatten(pixels, diameter_px), search, false_alarms=false_alarms)
    significant = evidence.inflation * evidence.threshold

    # Round places, each looked at on its own.
    rough = _peaks(evidence.score, evidence.explained, diameter_px)
    if len(rough) == 0:
        return as_table()
    near = fit_centres(pixels, rough, spline_basis(search, spacing), radius_px=search)
    roundness = without_noise(near, at_points(noise, rough), near.coefficients.shape[1] + 4)
    round_ = (roundness > ROUND_ALONE) & (np.hypot(*(near.xy - rough).T) < 0.5 * diameter_px)
    full = fit_centres(pixels, near.xy[round_], basis, radius_px=radius)
    places = _Places(near.xy[round_], full.coefficients, near.signal[round_], roundness[round_])

    # What they have in common finds the others of their kind.
    tables: list[pd.DataFrame] = []
    enough = 0.0
    for kind in _consensus(places, basis, diameter_px)[:MAX_KINDS]:
        least_round = LEAST_ROUND
        if kind.power < enough:
            if len(kind.xy) < FEWEST_OF_WEAK:
                continue
            least_round = ROUND_WITHOUT_CONSENSUS
        known = np.vstack([np.empty((0, 2)), *(t[["x", "y"]].to_numpy() for t in tables)])
        xy, amplitude = match_template(
            pixels, noise, TemplateSearch(kind.template, pixels.shape, diameter_px), kind.xy,
            kind.template.amplitude, false_alarms=false_alarms,
        )  # fmt: skip
        new = distance_to(xy, known) > CLOSEST * diameter_px
        table = measure(pixels, noise, kind.template, xy[new], amplitude[new], basis, diameter_px)
        if _are_spheres(table, amplitude[new], kind.template.radius_px, least_round):
            tables.append(table)
            enough = max(enough, RIVAL_POWER * kind.power)
    if not tables:
        tables = _beyond_doubt(pixels, noise, places, basis, diameter_px)
    table = as_table(*tables)
    table["score"] /= significant
    return table


@dataclass(frozen=True)
class _Places:
    """Round places: centres, profiles (coefficients), sums of squares of these and roundness.

    Strong spheres are kept apart from weak dust, which is as round, by the sum of squares.
    """

    xy: FloatArray
    coefficients: FloatArray
    power: FloatArray
    roundness: FloatArray


@dataclass(frozen=True)
class _Kind:
    """Places of one profile and that profile."""

    xy: FloatArray
    template: Template
    power: float


def _consensus(places: _Places, basis: RoundBasis, diameter_px: float) -> list[_Kind]:
    """Kinds of places that are like spheres: several of one profile, one size and one contrast.

    The one with the most power comes first.
    """
    radius = PROFILE_RADIUS * diameter_px
    shapes, _ = profiles(places.coefficients, basis, radius, diameter_px)
    alike = shapes @ shapes.T > SAME_PROFILE
    logs = np.log(np.maximum(places.power, 1e-300)) / 2
    alike &= np.abs(logs[:, None] - logs) < WIDEST_CONTRAST
    left = np.ones(len(shapes), dtype=bool)
    kinds: list[_Kind] = []
    while left.any():
        # The profile on which most power agrees leads its kind.
        leader = int(np.argmax(np.where(left, (alike & left) @ places.power, -1.0)))
        members = alike[leader] & left
        members[leader] = True
        left &= ~members
        index = np.concatenate([[leader], np.setdiff1d(np.nonzero(members)[0], leader)])
        if len(index) < MIN_CONSENSUS:
            continue
        template = Template.from_profiles(basis, places.coefficients[index], radius)
        scatter = contrast_scatter(template.amplitude)
        if scatter < MAX_CONTRAST_SCATTER and _is_wide(template, basis, diameter_px):
            kinds.append(_Kind(places.xy[index], template, float(places.power[index].sum())))
    return sorted(kinds, key=lambda kind: -kind.power)


def _are_spheres(
    table: pd.DataFrame, amplitude: FloatArray, radius_px: float, least_round: float
) -> bool:
    """Return whether a kind is spheres, and not debris that happens to share a profile.

    Spheres are round, and all of one contrast; a neighbour within reach spoils the roundness.
    """
    xy = table[["x", "y"]].to_numpy()
    alone = nearest_other(xy) > 2 * radius_px
    judged = alone if alone.sum() >= MIN_CONSENSUS else np.ones(len(xy), dtype=bool)
    if judged.sum() < MIN_CONSENSUS:
        return False
    roundness = float(np.median(table["roundness"].to_numpy()[judged]))
    scatter = contrast_scatter(amplitude)
    return roundness > least_round + ROUNDER_PER_SCATTER * scatter


def _is_wide(template: Template, basis: RoundBasis, diameter_px: float) -> bool:
    spread = profiles(template.coefficients[None], basis, template.radius_px, diameter_px)[1][0]
    return bool(spread > max(MIN_SPREAD * diameter_px, MIN_SPREAD_PX))


def _beyond_doubt(
    pixels: FloatArray, noise: FloatArray, places: _Places, basis: RoundBasis, diameter_px: float
) -> list[pd.DataFrame]:
    """Return, of too few places for a consensus, each that is round enough by itself.

    Where there are enough of them and they still have nothing in common, they are debris.
    """
    found = []
    for i in np.nonzero(places.roundness > ROUND_WITHOUT_CONSENSUS)[0]:
        template = Template.from_profiles(
            basis, places.coefficients[[i]], PROFILE_RADIUS * diameter_px
        )
        if _is_wide(template, basis, diameter_px):
            found.append((template, places.xy[[i]]))
    if len(found) >= MIN_CONSENSUS:
        return []
    return [
        measure(pixels, noise, template, xy, template.amplitude, basis, diameter_px)
        for template, xy in found
    ]


def _peaks(score: FloatArray, explained: FloatArray, diameter_px: float) -> FloatArray:
    size = 2 * max(1, round(diameter_px / 4)) + 1
    peak = (explained == ndimage.maximum_filter(explained, size=size)) & (score > 1)
    rows, columns = np.nonzero(peak)
    return np.stack([columns, rows], axis=1).astype(float)
