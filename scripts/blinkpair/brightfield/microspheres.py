"""Microspheres in a brightfield image: one image in, a table of sub-pixel centres out.

The spheres are the fiducials of the registration. Their image is a centre with rings whose sign
and size follow the focus, under uneven light, among dust and debris; so nothing is assumed but
that it is round, about so large, and the same for all spheres of an image:

1. at every pixel the radial share of the variance around it is measured (`radial_evidence`);
2. the round places that share one profile make the consensus, whose median is the template;
3. the template is matched with the image, found spheres are subtracted and the rest is matched
   again, which separates spheres in touch (`radial_match`); all centres are then fitted.

Where there are too few places to agree on a profile, those round beyond doubt are returned.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import ndimage
from skimage.measure import block_reduce

from blinkpair.arrays import FloatArray
from blinkpair.brightfield.limits import MIN_DIAMETER_PX, MIN_DIAMETERS
from blinkpair.brightfield.radial_evidence import (
    MAD_TO_SIGMA,
    flatten,
    noise_map,
    radial_evidence,
    remove_hot_pixels,
)
from blinkpair.brightfield.radial_fit import Basis, draw, fit_centres, spline_basis
from blinkpair.brightfield.radial_match import (
    CLOSEST,
    Template,
    at_points,
    distance_to,
    equal_area_radii,
    match_template,
    without_noise,
)
from blinkpair.errors import InputError

logger = logging.getLogger(__name__)

COLUMNS = ["x", "y", "sigma_px", "score", "snr", "contrast", "radius_px", "roundness"]
# Radii in sphere diameters: of the first search (small, so that a neighbour in touch spoils
# little), and of the profile (the rings reach beyond the sphere).
SEARCH_RADIUS = 0.8
PROFILE_RADIUS = 1.4
# Knots of the profile, in diameters and at least a pixel apart.
KNOT_SPACING = 1 / 6
# Expected false detections in an image of noise.
FALSE_ALARMS = 0.1
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
# Larger spheres are looked at in binned pixels of at least this many per diameter.
FINEST_DIAMETER_PX = 7.0
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
# Kinds that are tried, since debris can have the most evidence; and the share of the first one's
# evidence that makes another kind spheres as well, those on the other side of focus.
MAX_KINDS = 5
RIVAL_EVIDENCE = 0.5


def find_microspheres(
    image: ArrayLike, diameter_px: float, *, false_alarms: float = FALSE_ALARMS
) -> pd.DataFrame:
    """Find the microspheres of a brightfield image, whatever the focus and the light.

    Parameters
    ----------
    image : array_like (rows, columns)
        Brightfield image in any unit and with any offset.
    diameter_px : float
        Diameter of a sphere in pixels; a rough value is enough (see the benchmark for how rough).
    false_alarms : float
        Expected number of detections in an image of pure noise, at most.

    Returns
    -------
    pandas.DataFrame
        One row per sphere whose centre is inside the image, strongest evidence first:
        `x`, `y` (pixels, centre of the top-left pixel is 0, 0), `sigma_px` (standard error of a
        coordinate), `score` (evidence over the detection threshold), `snr` (peak contrast over
        the noise of a pixel), `contrast` (of the centre against the surroundings, image units;
        the sign is the focus'), `radius_px` (root-mean-square radius of the structure) and
        `roundness` (share of the structure that is radial, at most 1).

    Raises
    ------
    InputError
        If the image is not a finite 2-D array larger than a few spheres, or the diameter not
        a number of at least 3 pixels.

    Examples
    --------
    >>> from blinkpair.simulate import FieldDesign, simulate_field
    >>> field = simulate_field(FieldDesign(n_microspheres=20, frames=2), seed=1)
    >>> found = find_microspheres(field.brightfield_pre, diameter_px=6.25)
    >>> bool(found["sigma_px"].median() < 0.1)
    True
    """
    pixels = _checked(image, diameter_px)
    if pixels.max() == pixels.min():
        logger.warning("brightfield image is constant: no microspheres")
        return _table()
    # The unit and the offset of the image must not matter.
    unit = float(pixels.std())
    pixels = (pixels - pixels.mean()) / unit
    pixels = remove_hot_pixels(pixels, noise_map(pixels))
    # Spheres many pixels across lose nothing in larger pixels, and take less time.
    binning = max(1, int(diameter_px // FINEST_DIAMETER_PX))
    table: pd.DataFrame = _find(_binned(pixels, binning), diameter_px / binning, false_alarms)
    table[["x", "y"]] = (table[["x", "y"]] + 0.5) * binning - 0.5
    table[["sigma_px", "radius_px"]] *= binning
    table["contrast"] *= unit
    table["snr"] /= binning
    inside = (table.x < pixels.shape[1] - 0.5) & (table.y < pixels.shape[0] - 0.5)
    result: pd.DataFrame = table.loc[inside].reset_index(drop=True)
    return result


def _binned(pixels: FloatArray, binning: int) -> FloatArray:
    """Mean over blocks; an incomplete block at the end is filled up with its last pixels."""
    if binning == 1:
        return pixels
    rows, columns = (-n % binning for n in pixels.shape)
    padded = np.pad(pixels, ((0, rows), (0, columns)), mode="edge")
    return np.asarray(block_reduce(padded, binning, np.mean))


def _find(pixels: FloatArray, diameter_px: float, false_alarms: float) -> pd.DataFrame:
    """As `find_microspheres`, for an image prepared and of a convenient pixel size."""
    noise = noise_map(pixels)
    search, radius = SEARCH_RADIUS * diameter_px, PROFILE_RADIUS * diameter_px
    spacing = max(1.0, KNOT_SPACING * diameter_px)
    basis = spline_basis(radius, spacing)
    evidence = radial_evidence(flatten(pixels, diameter_px), search, false_alarms=false_alarms)
    significant = evidence.inflation * evidence.threshold

    # Round places, each looked at on its own.
    rough = _peaks(evidence.score, evidence.explained, diameter_px)
    if len(rough) == 0:
        return _table()
    near = fit_centres(pixels, rough, spline_basis(search, spacing), radius_px=search)
    roundness = without_noise(near, at_points(noise, rough), near.coefficients.shape[1] + 4)
    round_ = (roundness > ROUND_ALONE) & (np.hypot(*(near.xy - rough).T) < 0.5 * diameter_px)
    full = fit_centres(pixels, near.xy[round_], basis, radius_px=radius)
    places = _Places(near.xy[round_], full.coefficients, at_points(evidence.score, rough[round_]),
                     roundness[round_])  # fmt: skip

    # What they have in common finds the others of their kind.
    tables: list[pd.DataFrame] = []
    enough = 0.0
    for kind in _consensus(places, basis, diameter_px)[:MAX_KINDS]:
        if kind.evidence < enough:
            break
        known = np.vstack([np.empty((0, 2)), *(t[["x", "y"]].to_numpy() for t in tables)])
        xy, amplitude = match_template(
            pixels, noise, kind.template, kind.xy, kind.template.amplitude, diameter_px,
            false_alarms=false_alarms,
        )  # fmt: skip
        new = distance_to(xy, known) > CLOSEST * diameter_px
        table = _measure(pixels, noise, kind.template, xy[new], amplitude[new], basis)
        if _are_spheres(table, amplitude[new], kind.template.radius_px):
            tables.append(table)
            enough = max(enough, RIVAL_EVIDENCE * kind.evidence)
    if not tables:
        tables = _beyond_doubt(pixels, noise, places, basis, diameter_px)
    table = _table(*tables)
    table["score"] /= significant
    return table


@dataclass(frozen=True)
class _Places:
    """Round places: centres, profiles (coefficients), evidence and roundness."""

    xy: FloatArray
    coefficients: FloatArray
    score: FloatArray
    roundness: FloatArray


@dataclass(frozen=True)
class _Kind:
    """Places of one profile and that profile."""

    xy: FloatArray
    template: Template
    evidence: float


def _consensus(places: _Places, basis: Basis, diameter_px: float) -> list[_Kind]:
    """Kinds of places that are like spheres: several of one profile, one size and one contrast.

    The one of most evidence comes first.
    """
    radius = PROFILE_RADIUS * diameter_px
    profiles, _ = _profiles(places.coefficients, basis, radius)
    alike = profiles @ profiles.T > SAME_PROFILE
    left = np.ones(len(profiles), dtype=bool)
    kinds: list[_Kind] = []
    while left.any():
        # The profile on which most evidence agrees leads its kind.
        leader = int(np.argmax(np.where(left, (alike & left) @ places.score, -1.0)))
        members = alike[leader] & left
        members[leader] = True
        left &= ~members
        index = np.concatenate([[leader], np.setdiff1d(np.nonzero(members)[0], leader)])
        if len(index) < MIN_CONSENSUS:
            continue
        template = Template.from_profiles(basis, places.coefficients[index], radius)
        scatter = _contrast_scatter(template.amplitude)
        if scatter < MAX_CONTRAST_SCATTER and _is_wide(template, basis, diameter_px):
            kinds.append(_Kind(places.xy[index], template, float(places.score[index].sum())))
    return sorted(kinds, key=lambda kind: -kind.evidence)


def _contrast_scatter(amplitude: FloatArray) -> float:
    """Robust standard deviation of the logarithm of the contrast."""
    logs = np.log(np.maximum(amplitude, 1e-6))
    return MAD_TO_SIGMA * float(np.median(np.abs(logs - np.median(logs))))


def _are_spheres(table: pd.DataFrame, amplitude: FloatArray, radius_px: float) -> bool:
    """Return whether a kind is spheres, and not debris that happens to share a profile.

    Spheres are round, and all of one contrast; a neighbour within reach spoils the roundness.
    """
    xy = table[["x", "y"]].to_numpy()
    alone = _nearest_other(xy) > 2 * radius_px
    judged = alone if alone.sum() >= MIN_CONSENSUS else np.ones(len(xy), dtype=bool)
    if judged.sum() < MIN_CONSENSUS:
        return False
    roundness = float(np.median(table["roundness"].to_numpy()[judged]))
    scatter = _contrast_scatter(amplitude)
    return roundness > LEAST_ROUND + ROUNDER_PER_SCATTER * scatter


def _nearest_other(xy: FloatArray) -> FloatArray:
    """Distance of each place to the nearest of the others; infinite for a single one."""
    return np.array([distance_to(xy[[i]], np.delete(xy, i, axis=0))[0] for i in range(len(xy))])


def _is_wide(template: Template, basis: Basis, diameter_px: float) -> bool:
    spread = _profiles(template.coefficients[None], basis, template.radius_px)[1][0]
    return bool(spread > max(MIN_SPREAD * diameter_px, MIN_SPREAD_PX))


def _beyond_doubt(
    pixels: FloatArray, noise: FloatArray, places: _Places, basis: Basis, diameter_px: float
) -> list[pd.DataFrame]:
    """Return, of too few places for a consensus, each that is round enough by itself.

    Where there are enough of them and they still have nothing in common, they are debris.
    """
    radius, tables = PROFILE_RADIUS * diameter_px, []
    for i in np.nonzero(places.roundness > ROUND_WITHOUT_CONSENSUS)[0]:
        template = Template.from_profiles(basis, places.coefficients[[i]], radius)
        if _is_wide(template, basis, diameter_px):
            tables.append(
                _measure(pixels, noise, template, places.xy[[i]], template.amplitude, basis)
            )
    return tables if len(tables) < MIN_CONSENSUS else []


def _checked(image: ArrayLike, diameter_px: float) -> FloatArray:
    pixels = np.asarray(image)
    if pixels.ndim != 2:
        raise InputError(
            f"brightfield image: expected one 2-D image, not an array of shape {pixels.shape}",
            "choose one frame and one channel",
        )
    pixels = pixels.astype(float)
    if not np.isfinite(pixels).all():
        raise InputError(
            f"brightfield image: {int((~np.isfinite(pixels)).sum())} pixels are not numbers",
            "replace them, for example by the median of their neighbours",
        )
    if not (np.isfinite(diameter_px) and diameter_px >= MIN_DIAMETER_PX):
        raise InputError(
            f"microspheres.diameter_um: the spheres are {diameter_px:.3g} pixels across; at "
            f"least {MIN_DIAMETER_PX:g} are needed",
            "check diameter_um and pixel_size_um",
        )
    if min(pixels.shape) < MIN_DIAMETERS * diameter_px:
        raise InputError(
            f"brightfield image: {pixels.shape[1]} x {pixels.shape[0]} pixels are less than "
            f"three microspheres of {diameter_px:.3g} pixels across",
            "check diameter_um and pixel_size_um",
        )
    return pixels


def _peaks(score: FloatArray, explained: FloatArray, diameter_px: float) -> FloatArray:
    size = 2 * max(1, round(diameter_px / 4)) + 1
    peak = (explained == ndimage.maximum_filter(explained, size=size)) & (score > 1)
    rows, columns = np.nonzero(peak)
    return np.stack([columns, rows], axis=1).astype(float)


def _profiles(
    coefficients: FloatArray, basis: Basis, radius_px: float
) -> tuple[FloatArray, FloatArray]:
    """Profiles on equal areas, of mean zero and length one, and their rms radii in pixels.

    The level of the surroundings is the profile's median over the outermost part.
    """
    radii = equal_area_radii(radius_px)
    values = coefficients @ basis(radii)[0].T
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.maximum(np.sqrt((centred**2).sum(axis=1, keepdims=True)), 1e-300)
    structure = values - np.median(values[:, radii > 0.85 * radius_px], axis=1)[:, None]
    # Out to the search radius: further out the noise of many pixels would be weighted with r^2.
    structure = np.where(radii < radius_px * SEARCH_RADIUS / PROFILE_RADIUS, structure, 0)
    energy = np.maximum((structure**2).sum(axis=1), 1e-300)
    return centred / length, np.sqrt((structure**2 @ radii**2) / energy)


def _measure(
    pixels: FloatArray,
    noise: FloatArray,
    template: Template,
    xy: FloatArray,
    amplitude: FloatArray,
    basis: Basis,
) -> pd.DataFrame:
    """Last fit of each sphere with its neighbours subtracted, and what is reported of it."""
    weights = amplitude[:, None]
    rest = pixels - draw(pixels.shape, template.basis, xy, weights, template.radius_px)
    fit = fit_centres(rest, xy, basis, radius_px=template.radius_px,
                      own=(template.basis, weights))  # fmt: skip
    # A neighbour in touch leaves its remainder in a free profile: keep the common one there.
    free = _nearest_other(xy) > 2 * template.radius_px
    centres = np.where(free[:, None], fit.xy, xy)
    local = at_points(noise, centres)
    parameters = fit.coefficients.shape[1]
    radii = np.linspace(0, template.radius_px, 64)
    values = fit.coefficients @ basis(radii)[0].T
    values -= np.median(values[:, radii > 0.85 * template.radius_px], axis=1)[:, None]
    within = fit.residual / np.maximum(fit.weight - parameters - 4, 1)
    table = pd.DataFrame(
        {
            "x": centres[:, 0],
            "y": centres[:, 1],
            "sigma_px": fit.sigma_px,
            "score": fit.signal / (parameters - 1) / np.maximum(within, 1e-300),
            "snr": np.abs(values).max(axis=1) / local,
            "contrast": values[:, 0],
            "radius_px": _profiles(fit.coefficients, basis, template.radius_px)[1],
            "roundness": without_noise(fit, local, parameters + 4),
        }
    )
    inside = (np.abs(centres + 0.5 - np.array(pixels.shape[::-1]) / 2) * 2).T
    kept: pd.DataFrame = table.loc[(inside[0] < pixels.shape[1]) & (inside[1] < pixels.shape[0])]
    return kept


def no_microspheres() -> pd.DataFrame:
    """Return the table of an image without microspheres: the same columns, no rows."""
    return _table()


def _table(*parts: pd.DataFrame) -> pd.DataFrame:
    kept = [part for part in parts if len(part)]
    if not kept:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in COLUMNS})
    table = pd.concat(kept)[COLUMNS]
    return table.sort_values(["score", "x", "y"], ascending=[False, True, True], ignore_index=True)
