"""What is reported of each microsphere.

Input: an image, the template of what was found in it, and the centres. Output: the table of
`find_microspheres`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.brightfield.radial_evidence import MAD_TO_SIGMA
from blinkpair.brightfield.radial_fit import RoundBasis, draw, fit_centres
from blinkpair.brightfield.radial_match import (
    Template,
    at_points,
    equal_area_radii,
    nearest_other,
    without_noise,
)

COLUMNS = ["x", "y", "sigma_px", "score", "snr", "contrast", "radius_px", "roundness"]
# Radii in sphere diameters: of the first search (small, so that a neighbour in touch spoils
# little), and of the profile (the rings reach beyond the sphere).
SEARCH_RADIUS = 0.8
PROFILE_RADIUS = 1.4


def measure(
    pixels: FloatArray,
    noise: FloatArray,
    template: Template,
    xy: FloatArray,
    amplitude: FloatArray,
    basis: RoundBasis,
    diameter_px: float,
    *,
    are_round: bool = True,
) -> pd.DataFrame:
    """Return what is reported of each sphere, from a last fit with its neighbours subtracted.

    Centres of round spheres are those of their own profiles, unless a neighbour is in touch: it
    would leave its remainder in a free profile. Other centres are those of the template.
    """
    rest = pixels - draw(pixels.shape, template.basis, xy, amplitude, template.drawn_px)
    fit = fit_centres(
        rest,
        xy,
        basis,
        radius_px=template.radius_px,
        own=(template.basis, amplitude),
        iterations=6 if are_round else 0,
    )
    free = (nearest_other(xy) > 2 * template.radius_px) & are_round
    centres = np.where(free[:, None], fit.xy, xy)
    local = at_points(noise, centres)
    parameters = fit.coefficients.shape[1]
    radii = np.linspace(0, template.radius_px, 64)
    values = fit.coefficients @ basis.at_distance(radii).T
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
            "radius_px": profiles(fit.coefficients, basis, template.radius_px, diameter_px)[1],
            "roundness": without_noise(fit, local, parameters + 4),
        }
    )
    inside = (np.abs(centres + 0.5 - np.array(pixels.shape[::-1]) / 2) * 2).T
    kept: pd.DataFrame = table.loc[(inside[0] < pixels.shape[1]) & (inside[1] < pixels.shape[0])]
    return kept


def profiles(
    coefficients: FloatArray, basis: RoundBasis, radius_px: float, diameter_px: float
) -> tuple[FloatArray, FloatArray]:
    """Return profiles on equal areas, of mean zero and length one, and their rms radii in pixels.

    The level of the surroundings is the profile's median over the outermost part.
    """
    radii = equal_area_radii(radius_px)
    values = coefficients @ basis.at_distance(radii).T
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.maximum(np.sqrt((centred**2).sum(axis=1, keepdims=True)), 1e-300)
    structure = values - np.median(values[:, radii > 0.85 * radius_px], axis=1)[:, None]
    # Out to the search radius: further out the noise of many pixels would be weighted with r^2.
    structure = np.where(radii < SEARCH_RADIUS * diameter_px, structure, 0)
    energy = np.maximum((structure**2).sum(axis=1), 1e-300)
    return centred / length, np.sqrt((structure**2 @ radii**2) / energy)


def contrast_scatter(amplitude: FloatArray) -> float:
    """Return the robust standard deviation of the logarithm of the contrast."""
    logs = np.log(np.maximum(amplitude, 1e-6))
    return MAD_TO_SIGMA * float(np.median(np.abs(logs - np.median(logs))))


def as_table(*parts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all parts, the most evident sphere first."""
    kept = [part for part in parts if len(part)]
    if not kept:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in COLUMNS})
    table = pd.concat(kept)[COLUMNS]
    return table.sort_values(["score", "x", "y"], ascending=[False, True, True], ignore_index=True)
