"""Microspheres in a brightfield image: one image in, a table of sub-pixel centres out.

The spheres are the fiducials of the registration. Their image is a centre with rings whose sign
and size follow the focus, under uneven light or light from one side, alone or in touch, among dust
and debris. They are searched as round objects of one profile (`round_spheres`), whose centres are
the most exact. Where much of the image's structure is none of these, they are searched as
whatever pattern recurs in the image (`alike_spheres`), and as round objects of other sizes; what
explains most of the image's contrast is taken.

Centres of spheres that are not round have one offset in common, which stays with the light; in a
registration it turns with the rotation as the offset between the channels does, and the
nanocrystals take both out.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from skimage.measure import block_reduce

from blinkpair.arrays import FloatArray
from blinkpair.brightfield.alike_spheres import find_alike
from blinkpair.brightfield.limits import MAX_SATURATED_SHARE, MIN_DIAMETER_PX, MIN_DIAMETERS
from blinkpair.brightfield.measured import as_table
from blinkpair.brightfield.patterns import Pattern, recurring_patterns
from blinkpair.brightfield.radial_evidence import noise_map, remove_hot_pixels
from blinkpair.brightfield.round_spheres import find_round
from blinkpair.brightfield.structure import Structure
from blinkpair.brightfield.uneven_light import without_uneven_light
from blinkpair.errors import InputError

logger = logging.getLogger(__name__)

# Returns the image in pixels so many times as wide, and its noise.
AtBinning = Callable[[int], tuple[FloatArray, FloatArray]]

# Expected false detections in an image of noise.
FALSE_ALARMS = 0.1
# Larger spheres are looked at in binned pixels of at least this many per diameter.
FINEST_DIAMETER_PX = 7.0
# A diameter is a hint: templates of these sizes are tried, times the diameter, until one pattern
# recurs at this share of the places of contrast.
SIZES = (1.0, 0.7, 1.4)
ENOUGH_EXPLAINED = 0.6
# What is found explains the strongest structure. Where it explains less than half of this share of
# the power of all places of contrast, round spheres of other sizes are tried, and taken if they
# explain more than it. Measured: spheres 0.5 and more, and 0.15 and more among debris; dust 0.1,
# pieces of the spheres' rings 0.01.
ENOUGH_POWER = 0.4
# Patterns are searched where more places of contrast than this, and than twice the round spheres,
# are none of these: dirt alone is less.
FEW_UNEXPLAINED, UNEXPLAINED_A_SPHERE = 10, 2
# Alike objects are taken where they are more than the round ones by this factor and number.
MORE, MORE_BY = 1.5, 5


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
        If the image is not a finite 2-D array larger than a few spheres, if more than 95 % of its
        pixels are at the largest value, or if the diameter is not a number of at least 3 pixels.

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
        return as_table()
    pixels = without_uneven_light(pixels)
    # The unit and the offset of the image must not matter.
    unit = float(pixels.std())
    pixels = (pixels - pixels.mean()) / unit
    noise = noise_map(pixels)
    pixels = remove_hot_pixels(pixels, noise)
    at_binning = functools.cache(functools.partial(_binned_with_noise, pixels, noise))
    table = _find_round(at_binning, diameter_px, false_alarms)
    structure = Structure.of(pixels, noise, diameter_px)
    left, share = structure.explained(table)
    if left > max(FEW_UNEXPLAINED, UNEXPLAINED_A_SPHERE * len(table)):
        alike = _find_alike(at_binning, diameter_px, false_alarms)
        _, alike_share = structure.explained(alike)
        if len(alike) > MORE * len(table) + MORE_BY and alike_share > share:
            table, share = alike, alike_share
        for size in SIZES[1:] if share < ENOUGH_POWER / 2 else ():
            other = _find_round(at_binning, max(size * diameter_px, MIN_DIAMETER_PX), false_alarms)
            _, other_share = structure.explained(other)
            if other_share > max(share, ENOUGH_POWER):
                table, share = other, other_share
    table["contrast"] *= unit
    inside = (table.x < pixels.shape[1] - 0.5) & (table.y < pixels.shape[0] - 0.5)
    result: pd.DataFrame = table.loc[inside].reset_index(drop=True)
    return result


def _find_round(at_binning: AtBinning, diameter_px: float, false_alarms: float) -> pd.DataFrame:
    """Return the round spheres, searched in convenient pixels."""
    # Spheres many pixels across lose nothing in larger pixels, and take less time.
    binning = max(1, int(diameter_px // FINEST_DIAMETER_PX))
    table = find_round(*at_binning(binning), diameter_px / binning, false_alarms=false_alarms)
    return _unbinned(table, binning)


def _find_alike(at_binning: AtBinning, diameter_px: float, false_alarms: float) -> pd.DataFrame:
    """Return the spheres that are alike, by the size of template that explains most."""
    best: tuple[float, int, list[Pattern]] = (0.0, 1, [])
    for size in SIZES:
        diameter = max(size * diameter_px, MIN_DIAMETER_PX)
        binning = max(1, int(diameter // FINEST_DIAMETER_PX))
        patterns = recurring_patterns(*at_binning(binning), diameter / binning)
        # Sums over pixels: a binned pixel stands for many.
        evidence = binning**2 * max((pattern.evidence for pattern in patterns), default=0.0)
        if evidence > best[0]:
            best = evidence, binning, patterns
        if max((pattern.share for pattern in patterns), default=0.0) > ENOUGH_EXPLAINED:
            break
    _, binning, patterns = best
    table = find_alike(
        *at_binning(binning), patterns, diameter_px / binning, false_alarms=false_alarms
    )
    return _unbinned(table, binning)


def _unbinned(table: pd.DataFrame, binning: int) -> pd.DataFrame:
    """Return the table of a binned image in pixels of the image, in place."""
    table[["x", "y"]] = (table[["x", "y"]] + 0.5) * binning - 0.5
    table[["sigma_px", "radius_px"]] *= binning
    table["snr"] /= binning
    return table


def _binned_with_noise(
    pixels: FloatArray, noise: FloatArray, binning: int
) -> tuple[FloatArray, FloatArray]:
    """Mean over blocks, and its noise; an incomplete block at the end repeats its last pixels."""
    if binning == 1:
        return pixels, noise
    rows, columns = (-n % binning for n in pixels.shape)
    padded = np.pad(pixels, ((0, rows), (0, columns)), mode="edge")
    binned = np.asarray(block_reduce(padded, binning, np.mean))
    return binned, noise_map(binned)


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
    saturated = float(np.mean(pixels == pixels.max()))
    if MAX_SATURATED_SHARE < saturated < 1:
        raise InputError(
            f"brightfield image: {100 * saturated:.1f} % of the pixels are at the largest value, "
            f"{pixels.max():g}: too bright to show the microspheres",
            "expose shorter or dim the lamp",
        )
    return pixels


def no_microspheres() -> pd.DataFrame:
    """Return the table of an image without microspheres: the same columns, no rows."""
    return as_table()
