"""Decide frame by frame whether a nanocrystal is on.

In: background-subtracted counts (nanocrystal, frame). Out: boolean states of the same shape
and the thresholds behind them.

Three methods. 'fixed' is the paper's: on where counts exceed one number for all. 'noise' draws
each nanocrystal's threshold from its own off level, `sigmas` times its noise above it, so that
gain, exposure and background no longer matter. 'hmm' weighs every frame together with its
neighbours in a hidden Markov model that knows frames lit in part. It is the one for dwell times:
where on lies only a few noises above off no threshold will do, and far above it a low threshold
still calls on what was off for most of the frame, which bends the law of the short events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.errors import InputError

if TYPE_CHECKING:
    from blinkpair.blinking.off_levels import OffLevels

Method = Literal["fixed", "noise", "hmm"]

PAPER_THRESHOLD_COUNTS = 100.0


@dataclass(frozen=True)
class AssignedStates:
    """States with what they rest on; unpacks as `states, thresholds = assign_states(...)`.

    `states` is (n, frames) bool, the rest (n,). `thresholds_counts` is where off turns on (for
    'hmm' the counts above which a single frame between two off ones is on).
    `off_level_counts`, `off_noise_counts` (mean and standard deviation of off frames) are nan
    where no off state was looked for or seen; `off_skewness` is one number for the field.
    `source` says where a threshold comes from: 'fixed', 'own', 'field' (no off state of its
    own: the median of the field), and for the model 'hmm', or 'own'/'field' where the trace
    shows no second state and the threshold had to do.
    """

    states: BoolArray
    thresholds_counts: FloatArray
    off_level_counts: FloatArray
    off_noise_counts: FloatArray
    source: NDArray[np.str_]
    off_skewness: float = 0.0

    def __iter__(self) -> Iterator[NDArray[np.generic]]:
        """Yield states and thresholds."""
        yield self.states
        yield self.thresholds_counts


def assign_states(
    traces: ArrayLike,
    method: Method = "fixed",
    *,
    threshold_counts: float = PAPER_THRESHOLD_COUNTS,
    sigmas: float = 4.0,
    off_levels: OffLevels | None = None,
) -> AssignedStates:
    """Say for every frame whether the nanocrystal is on.

    Parameters
    ----------
    traces : (n, frames) array
        Background-subtracted counts of the nanocrystals of one field and epoch. A frame that
        is not finite counts as off.
    method : {'fixed', 'noise', 'hmm'}
        See the module's text.
    threshold_counts : float
        Of 'fixed': on where counts are above (not at) it. Of the other two: what is left where
        no nanocrystal of the field shows an off state.
    sigmas : float
        Of 'noise' and for the start of 'hmm': threshold above the off level, in its noise; for
        skewed noise, where a frame is as rarely above. At 4, that is one frame in 30,000.
    off_levels : OffLevels, optional
        From `off_levels.estimate_off_levels`, where the caller has it already.

    Raises
    ------
    InputError
        If the method is unknown or the traces are not a table.
    """
    counts = np.asarray(traces)
    if counts.ndim != 2:
        raise InputError(
            f"traces has {counts.ndim} dimensions", "pass counts of shape (nanocrystals, frames)"
        )
    n = len(counts)
    if method == "fixed":
        return AssignedStates(
            states=counts > threshold_counts,
            thresholds_counts=np.full(n, float(threshold_counts)),
            off_level_counts=np.full(n, np.nan),
            off_noise_counts=np.full(n, np.nan),
            source=np.full(n, "fixed"),
        )
    if method not in ("noise", "hmm"):
        raise InputError(f"unknown method {method!r}", "'fixed', 'noise' or 'hmm'")
    from blinkpair.blinking.off_levels import estimate_off_levels

    off = estimate_off_levels(counts) if off_levels is None else off_levels
    lost = off.source == "none"
    thresholds = off.upper_quantile(sigmas)
    thresholds[lost] = threshold_counts
    assigned = AssignedStates(
        states=counts > thresholds[:, None],
        thresholds_counts=thresholds,
        off_level_counts=off.level_counts,
        off_noise_counts=off.noise_counts,
        source=np.where(lost, "fixed", off.source),
        off_skewness=off.skewness,
    )
    if method == "noise":
        return assigned
    from blinkpair.blinking.states.hmm import (
        refine_states,  # compiled: only those who ask wait for it
    )

    states, levels, modelled = refine_states(counts, assigned.states, off)
    return replace(
        assigned,
        states=states,
        thresholds_counts=np.where(modelled, levels, thresholds),
        source=np.where(modelled, "hmm", assigned.source),
    )


def expected_false_events(
    off_noise_counts: ArrayLike,
    threshold_counts: ArrayLike,
    n_frames: int,
    *,
    off_level_counts: ArrayLike = 0.0,
    off_fraction: ArrayLike = 1.0,
    skewness: float = 0.0,
) -> FloatArray:
    """Count the one-frame on events that noise alone makes of the off frames of a trace.

    A false event is a single frame above the threshold between two below: with p the
    probability of that in an off frame, and independent frames, n p (1 - p)^2 are expected.

    Parameters
    ----------
    off_noise_counts, threshold_counts : (n,) arrays or floats
        Standard deviation of the off counts; what a frame must exceed.
    n_frames : int
        Frames of the trace.
    off_level_counts, off_fraction : (n,) arrays or floats
        Mean of the off counts; share of the frames that are off.
    skewness : float
        Of the off counts. 0 is normal noise; electron multiplication skews the sum over an
        aperture to the right, and it's then taken for a gamma distribution (0.2-0.5).

    Returns
    -------
    (n,) array or a scalar array
        Expected number of false events.
    """
    from scipy.special import gammaincc, ndtr

    noise = np.asarray(off_noise_counts, dtype=np.float64)
    above = np.asarray(threshold_counts, dtype=np.float64) - np.asarray(off_level_counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(noise > 0, above / noise, np.where(above >= 0, np.inf, -np.inf))
    z = np.where(np.isnan(noise), np.nan, z)
    if skewness > 0:
        # Standardised gamma: shape 4 / skewness^2, starting 2 / skewness below its mean.
        shape = 4.0 / skewness**2
        p = gammaincc(shape, np.maximum(shape + z * np.sqrt(shape), 0.0))
    else:
        p = ndtr(-z)
    return np.asarray(n_frames * np.asarray(off_fraction) * p * (1.0 - p) ** 2)
