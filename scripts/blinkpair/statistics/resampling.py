"""Intervals for nanocrystals that share fields.

The nanocrystals of one field share illumination, focus and registration, so an interval that takes
them as independent is too narrow. An experiment has two to four fields a temperature, for which the
plain bootstrap over fields is too narrow as well (with two fields it takes three values). Here the
fields are resampled for one number only, the design effect: the variance over resampled fields
divided by that of as many independent nanocrystals (Kish, Survey Sampling, 1965). It is pooled over
the temperatures, because one temperature alone has too few fields to measure it. Each interval is
then the ordinary one with the number of nanocrystals divided by the design effect, and with
Student's quantile for the number of fields (Korn & Graubard, Survey Methodology 24, 193, 1998). The
design effect is never taken as less than one, nor as less than the temperature's own.

Measured on 400 simulated experiments each, at design effects from 1 to 6: 95 % intervals hold the
truth in 91 to 100 % of the cases with two to six fields at each of four temperatures. Where the
fields of one temperature differ much more than those of the others, two or three fields each, it is
83 to 97 %. With one field each, the difference between fields is unknown; the intervals are then
those of independent nanocrystals, and at a design effect of about 5 they hold the truth in 42 to 77
% of the cases only. With two fields at one single temperature they always hold it, and are too wide
to be of use.

Input: a value a nanocrystal (0 or 1 for a population, the change of the on-fraction) and the field
each nanocrystal lies in. Output: intervals that hold when the fields differ from each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from blinkpair.arrays import FloatArray
from blinkpair.statistics.field_draws import Codes, Draws, FieldDraws, drawn_means

Interval = tuple[float, float]

UNDEFINED: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True)
class StatisticsSettings:
    """The configuration's `statistics`: coverage of intervals, draws of fields and their seed."""

    seed: int = 1
    resamples: int = 5000
    confidence: float = 0.95


@dataclass(frozen=True)
class DesignEffect:
    """Design effect: variance inflation because nanocrystals of a field are correlated.

    Attributes
    ----------
    ratio : float
        Variance of the estimate over that of independent nanocrystals; at least 1.
    degrees_of_freedom : float
        Of the estimate of `ratio`: fields minus one, summed over the pooled groups; infinite
        where no group has two fields, so that the nanocrystals have to be taken as independent.
    """

    ratio: float = 1.0
    degrees_of_freedom: float = float("inf")


class Estimate(NamedTuple):
    """A fraction, mean or median with its interval; all NaN where there is nothing to estimate."""

    value: float
    low: float
    high: float
    design_effect: float

    def within(self, least: float, most: float) -> Estimate:
        """Cut the interval where the quantity cannot be."""
        return self._replace(low=max(self.low, least), high=min(self.high, most))


def field_variance_ratio(values: FloatArray, field_codes: Codes, draws: Draws) -> float:
    """Return the variance of a mean over resampled fields, over that of independent nanocrystals.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a nanocrystal; the mean over all nanocrystals is the estimate.
    field_codes : ndarray of int, shape (n,)
        Field of each nanocrystal, 0 to n_fields - 1, none of them empty.
    draws : ndarray, shape (resamples, n_fields)
        From `field_draws.draw_fields`.

    Returns
    -------
    float
        NaN where it is not defined: fewer than two fields, or all values equal.
    """
    n_fields = draws.shape[1]
    if n_fields < 2 or values.size < 2 or np.ptp(values) == 0:
        return float("nan")
    means = drawn_means(values, field_codes, draws)
    # A bootstrap of F fields draws from F, not from infinitely many: (F - 1) / F too little.
    over_fields = np.var(means) * n_fields / (n_fields - 1)
    return float(over_fields / (np.var(values, ddof=1) / values.size))


def pool_design_effects(ratios: Sequence[float], n_fields: Sequence[int]) -> list[DesignEffect]:
    """Pool the information of all groups about the differences between fields.

    Parameters
    ----------
    ratios : sequence of float
        `field_variance_ratio` of each group (temperature); NaN where undefined.
    n_fields : sequence of int
        Fields with nanocrystals in each group.

    Returns
    -------
    list of DesignEffect
        One a group: the mean of the ratios weighted by fields minus one, or the group's own or 1
        where that is more.
    """
    freedom = np.maximum(np.asarray(n_fields, dtype=float) - 1, 0)
    if freedom.sum() == 0:
        return [DesignEffect() for _ in ratios]
    own = np.asarray(ratios, dtype=float)
    known = np.isfinite(own) & (freedom > 0)
    pooled = float(np.average(own[known], weights=freedom[known])) if known.any() else 1.0
    return [
        DesignEffect(float(max(1.0, pooled, np.nan_to_num(value, nan=1.0))), float(freedom.sum()))
        for value in own
    ]


def pooled_effects(
    values: Sequence[FloatArray], fields: Sequence[FieldDraws]
) -> list[DesignEffect]:
    """Return the design effect of each group's mean, pooled over all groups."""
    ratios = [
        field_variance_ratio(value, own.codes, own.draws)
        for value, own in zip(values, fields, strict=True)
    ]
    return pool_design_effects(ratios, [own.n_fields for own in fields])


def pooled_fractions(
    flags: Sequence[FloatArray], fields: Sequence[FieldDraws], *, confidence: float = 0.95
) -> list[Estimate]:
    """Estimate a fraction in each of several groups.

    Parameters
    ----------
    flags : sequence of ndarray, shapes (n,)
        1 for the nanocrystals of a group (temperature) that count, 0 for the others.
    fields : sequence of FieldDraws
        Of the same nanocrystals.
    confidence : float
        Coverage wanted.

    Returns
    -------
    list of Estimate
        One a group.
    """
    estimates = []
    for flag, effect in zip(flags, pooled_effects(flags, fields), strict=True):
        value = float(flag.mean()) if flag.size else float("nan")
        low, high = fraction_interval(value, flag.size, effect, confidence=confidence)
        estimates.append(Estimate(value, low, high, _ratio_of(flag, effect)))
    return estimates


def pooled_means(
    values: Sequence[FloatArray], fields: Sequence[FieldDraws], *, confidence: float = 0.95
) -> list[Estimate]:
    """Estimate a mean in each of several groups; parameters as in `pooled_fractions`."""
    estimates = []
    for value, effect in zip(values, pooled_effects(values, fields), strict=True):
        mean = float(value.mean()) if value.size else float("nan")
        low, high = mean_interval(value, effect, confidence=confidence)
        estimates.append(Estimate(mean, low, high, _ratio_of(value, effect)))
    return estimates


def pooled_medians(
    values: Sequence[FloatArray], fields: Sequence[FieldDraws], *, confidence: float = 0.95
) -> list[Estimate]:
    """Estimate a median in each of several groups; parameters as in `pooled_fractions`."""
    medians = [float(np.median(value)) if value.size else float("nan") for value in values]
    # The median's error is that of the fraction of values at or below it.
    below = [(v <= m).astype(float) for v, m in zip(values, medians, strict=True)]
    effects = pooled_effects(below, fields)
    estimates = []
    for value, median, effect in zip(values, medians, effects, strict=True):
        low, high = median_interval(value, effect, confidence=confidence)
        estimates.append(Estimate(median, low, high, _ratio_of(value, effect)))
    return estimates


def _ratio_of(values: FloatArray, effect: DesignEffect) -> float:
    return effect.ratio if values.size else float("nan")


def _quantile(confidence: float, degrees_of_freedom: float) -> float:
    """Return the two-sided Student quantile; the normal one for infinite degrees of freedom."""
    return float(stdtrit(degrees_of_freedom, 0.5 + confidence / 2))


def fraction_interval(
    fraction: float, n: int, effect: DesignEffect, *, confidence: float = 0.95
) -> Interval:
    """Return Wilson's score interval with the sample size divided by the design effect.

    Parameters
    ----------
    fraction : float
        Observed fraction, 0 to 1.
    n : int
        Nanocrystals behind it.
    effect : DesignEffect
        From `pool_design_effects`; the default is Wilson's interval itself.
    confidence : float
        Coverage wanted.

    Returns
    -------
    tuple of float
        Low and high, within 0 to 1; NaN for n = 0.
    """
    if n == 0:
        return UNDEFINED
    z2_n = _quantile(confidence, effect.degrees_of_freedom) ** 2 * effect.ratio / n
    centre = (fraction + z2_n / 2) / (1 + z2_n)
    half = np.sqrt(z2_n * fraction * (1 - fraction) + z2_n**2 / 4) / (1 + z2_n)
    # Rounding must not put the estimate outside, where it is 0 or 1.
    low = min(max(0.0, centre - half), fraction)
    return float(low), float(max(min(1.0, centre + half), fraction))


def mean_interval(
    values: FloatArray, effect: DesignEffect, *, confidence: float = 0.95
) -> Interval:
    """Return Student's interval of a mean with the variance multiplied by the design effect.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a nanocrystal.
    effect : DesignEffect
        From `pool_design_effects`.
    confidence : float
        Coverage wanted.

    Returns
    -------
    tuple of float
        Low and high; NaN for fewer than two values.
    """
    if values.size < 2:
        return UNDEFINED
    freedom = min(values.size - 1.0, effect.degrees_of_freedom)
    error = np.std(values, ddof=1) * np.sqrt(effect.ratio / values.size)
    half = _quantile(confidence, freedom) * error
    mean = float(np.mean(values))
    return float(mean - half), float(mean + half)


def median_interval(
    values: FloatArray, effect: DesignEffect, *, confidence: float = 0.95
) -> Interval:
    """Return the interval of a median: values at the ranks that one half may have (Woodruff's).

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a nanocrystal.
    effect : DesignEffect
        Of the fraction of values at or below the median.
    confidence : float
        Coverage wanted.

    Returns
    -------
    tuple of float
        Low and high; NaN for fewer than two values.

    Notes
    -----
    R. S. Woodruff, J. Am. Stat. Assoc. 47, 635 (1952).
    """
    if values.size < 2:
        return UNDEFINED
    ranks = fraction_interval(0.5, values.size, effect, confidence=confidence)
    low, high = np.quantile(values, ranks)
    return float(low), float(high)


def difference_interval(
    first: float, first_interval: Interval, second: float, second_interval: Interval
) -> Interval:
    """Return the interval of first - second from the intervals of the two.

    Parameters
    ----------
    first, second : float
        The two estimates, from different fields.
    first_interval, second_interval : tuple of float
        Their intervals, of the confidence wanted for the difference.

    Returns
    -------
    tuple of float
        Low and high; NaN where an input is.

    Notes
    -----
    The square-and-add rule: R. G. Newcombe, Statistics in Medicine 17, 873 (1998), method 10.
    """
    difference = first - second
    low = np.hypot(first - first_interval[0], second_interval[1] - second)
    high = np.hypot(first_interval[1] - first, second - second_interval[0])
    return float(difference - low), float(difference + high)
