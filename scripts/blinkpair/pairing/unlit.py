"""Whether a part of the camera's field shows no nanocrystals, as where no light falls.

The light may end within the field, at a field stop or at the edge of a laser spot. Nanocrystals
that turn across this edge between the epochs would be counted as became dark or became emissive.

Input: the paired nanocrystals of a field. Output: a sentence for the field's `reason`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.photometry.apertures import OUT_OF_VIEW

FEWEST = 8  # nanocrystals that one of the movies does not show
MAX_CHANCE = 1e-4  # probability that as much depends on the place by chance
RIDGE = 0.05  # weak: finite coefficients where the place decides without exception
ITERATIONS, LONGEST_STEP = 25, 2.0


def unlit_remark(table: pd.DataFrame) -> str:
    """Return that it depends on the place in the camera's field what is seen, '' if it does not.

    Parameters
    ----------
    table : pandas.DataFrame
        `Pairing.table`.

    Notes
    -----
    Logistic regression of whether a movie shows a nanocrystal on a polynomial of second order of
    its place on the camera, one for both epochs, against a constant of either epoch: likelihood
    ratio, chi-square of five degrees of freedom.
    """
    from scipy.special import chdtrc

    seen = table[~table["excluded_because"].isin(OUT_OF_VIEW)]
    shown = np.concatenate([seen["detected_pre"], seen["detected_post"]]).astype(float)
    if min(shown.sum(), (1 - shown).sum()) < FEWEST:
        return ""
    xy = np.vstack([seen[["x_pre", "y_pre"]], seen[["x_post", "y_post"]]]).astype(float)
    x, y = ((xy - xy.mean(axis=0)) / np.maximum(xy.std(axis=0), 1.0)).T
    epochs = np.repeat(np.eye(2), len(seen), axis=0)
    places = np.column_stack([epochs, x, y, x**2 - 1, x * y, y**2 - 1])
    gain = _log_likelihood(places, shown) - _log_likelihood(epochs, shown)
    if chdtrc(places.shape[1] - 2, 2 * max(gain, 0.0)) > MAX_CHANCE:
        return ""
    missing = [int((~seen[f"detected_{epoch}"]).sum()) for epoch in ("pre", "post")]
    return (
        f"of {len(seen)} nanocrystals in view {missing[0]} are not seen before and {missing[1]} "
        "not after, most of them in one part of the camera's field: where no light falls there (a "
        "field stop, a laser spot smaller than the field) they count wrongly as became emissive or "
        "became dark: crop movies and brightfield images to the lit part"
    )


def _log_likelihood(design: FloatArray, shown: FloatArray) -> float:
    """Return the largest log-likelihood of a logistic regression (Newton's method)."""
    from scipy.special import expit, log_expit

    penalty = np.r_[np.full(2, 1e-6), np.full(design.shape[1] - 2, RIDGE)]
    fit = np.zeros(design.shape[1])
    for _ in range(ITERATIONS):
        p = expit(design @ fit)
        curvature = design.T @ (design * (p * (1 - p))[:, None]) + np.diag(penalty)
        step = np.linalg.solve(curvature, design.T @ (shown - p) - penalty * fit)
        fit += np.clip(step, -LONGEST_STEP, LONGEST_STEP)
    return float(log_expit(np.where(shown > 0, 1.0, -1.0) * (design @ fit)).sum())
