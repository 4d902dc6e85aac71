"""On-fractions, and the population of a nanocrystal by its on-fractions before and after.

Input: states of every frame, or on-fractions of both epochs. Output: on-fractions, populations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.labels import POPULATION_NAMES, as_bool

POPULATIONS = tuple(POPULATION_NAMES)
COUNTED = POPULATIONS[:-1]  # these sum to n; those dark in both do not count
DARK_CUTOFF = 0.10  # the paper's: darker than 10 % of the frames is dark
_NORMAL_95 = 1.959964  # 95 % of a normal distribution lie within so many standard deviations


def on_fraction(states: BoolArray, counts: ArrayLike | None = None) -> FloatArray:
    """Return the share of on frames of every trace, 0..1; nan without frames.

    Parameters
    ----------
    states : (n, frames) bool array
        True where on.
    counts : (n, frames) array, optional
        A frame whose counts are not finite was not measured: it counts neither as on nor as off.
    """
    if states.shape[-1] == 0:
        return np.full(states.shape[:-1], np.nan)
    if counts is None:
        return np.asarray(states.mean(axis=-1), dtype=np.float64)
    measured = np.isfinite(counts).sum(axis=-1)
    share = states.sum(axis=-1) / np.maximum(measured, 1)
    return np.where(measured > 0, share, np.nan)


def on_fractions_at(
    measured: IntArray,
    intensity: Mapping[str, NDArray[np.float32]],
    thresholds_counts: Iterable[float],
) -> pd.DataFrame:
    """Return on-fractions of each nanocrystal at several fixed thresholds.

    Parameters
    ----------
    measured : (n,) int
        nc_id of the rows of `intensity`.
    intensity : mapping of (n, frames) float32
        Counts of the epochs 'pre' and 'post'.
    thresholds_counts : iterable of float

    Returns
    -------
    pandas.DataFrame
        nc_id, threshold_counts, on_fraction_pre, on_fraction_post.
    """
    parts = []
    for counts in thresholds_counts:
        columns = {
            f"on_fraction_{epoch}": on_fraction(intensity[epoch] > counts, intensity[epoch])
            for epoch in EPOCHS
        }
        parts.append(pd.DataFrame({"nc_id": measured, "threshold_counts": counts, **columns}))
    return pd.concat(parts, ignore_index=True)


def threshold_error(fraction: ArrayLike, best: ArrayLike, best_se: ArrayLike) -> FloatArray:
    """Return the standard errors of on-fractions by a threshold, (n,) floats.

    A threshold is biased: noise exceeds it, and frames that are on in part or dimly do not. The
    difference to the best estimate shows the bias as well as that estimate is known. The standard
    error is such that 1.96 of it hold the true time on in 95 % of cases, where `best_se` does: the
    half-width within which a normal variable of mean |fraction - best| and standard deviation
    `best_se` lies that often (a quantile of the folded normal distribution), over 1.96.

    Parameters
    ----------
    fraction : (n,) array
        On-fractions by the threshold.
    best, best_se : (n,) arrays
        Those of the hidden Markov model and their standard errors.
    """
    bias = np.abs(np.asarray(fraction, dtype=np.float64) - np.asarray(best))
    se = np.broadcast_to(np.asarray(best_se, dtype=np.float64), bias.shape)
    scale = np.maximum(se, 1e-12)
    # The coverage rises with the half-width: it lies between these two, and is halved down to.
    low, high = bias, bias + _NORMAL_95 * scale
    for _ in range(40):
        middle = 0.5 * (low + high)
        holds = ndtr((middle - bias) / scale) - ndtr((-middle - bias) / scale) >= 0.95
        low, high = np.where(holds, low, middle), np.where(holds, middle, high)
    return np.asarray(high / _NORMAL_95)


def classify(
    on_fraction_pre: ArrayLike,
    on_fraction_post: ArrayLike,
    dark_cutoff: float = DARK_CUTOFF,
    *,
    analysed: ArrayLike | None = None,
) -> NDArray[np.str_]:
    """Return the name of the population of each nanocrystal.

    Parameters
    ----------
    on_fraction_pre, on_fraction_post : array_like, shape (n,)
        On-fractions before and after, 0 to 1.
    dark_cutoff : float
        On-fractions below it are dark; one equal to it is emissive.
    analysed : array_like of bool, shape (n,), optional
        False for excluded nanocrystals; none is excluded without it.

    Returns
    -------
    ndarray of str, shape (n,)
        `became_emissive` (dark before, emissive after), `became_dark`, `emissive` (in both) or
        `dark` (in both). The empty string where a nanocrystal is not analysed or an on-fraction
        is NaN: it belongs to no population. (An empty string reads back from CSV as NaN, which the
        functions of this module take as the same.)

    Raises
    ------
    InputError
        For an on-fraction outside 0 to 1 (percent, for example).
    """
    codes = population_codes(on_fraction_pre, on_fraction_post, dark_cutoff, analysed=analysed)
    names: NDArray[np.str_] = np.array([*POPULATIONS, ""])[codes]
    return names


def population_codes(
    on_fraction_pre: ArrayLike,
    on_fraction_post: ArrayLike,
    dark_cutoff: float = DARK_CUTOFF,
    *,
    analysed: ArrayLike | None = None,
) -> NDArray[np.int8]:
    """Return the number of the population of each nanocrystal; parameters as in `classify`.

    Returns
    -------
    ndarray of int8, shape (n,)
        Place in `POPULATIONS`, the dark last; -1 for one that belongs to none.
    """
    before = np.asarray(on_fraction_pre, dtype=float)
    after = np.asarray(on_fraction_post, dtype=float)
    for name, values in (("on_fraction_pre", before), ("on_fraction_post", after)):
        if np.any((values < 0) | (values > 1)):
            raise InputError(
                f"{name} has values outside 0 to 1", "on-fractions are fractions, not percent"
            )
    bright_before, bright_after = before >= dark_cutoff, after >= dark_cutoff
    codes = np.full(before.shape, POPULATIONS.index("dark"), np.int8)
    codes[~bright_before & bright_after] = POPULATIONS.index("became_emissive")
    codes[bright_before & ~bright_after] = POPULATIONS.index("became_dark")
    codes[bright_before & bright_after] = POPULATIONS.index("emissive")
    codes[~(np.isfinite(before) & np.isfinite(after))] = -1
    if analysed is not None:
        codes[~as_bool(pd.Series(analysed))] = -1
    return codes
