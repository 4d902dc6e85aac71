"""Intervals for nanocrystals that share fields.

Of each estimate there are two intervals. One takes nanocrystals as independent: Student's of a
mean, Wilson's of a fraction, Woodruff's of a median. The other takes fields as different by as much
as they may be (`design_effects`): the distribution of the estimate is a mixture of the ordinary
ones, each widened by one possible design effect and weighted by its probability. The first is
right where fields do not differ, and holds the truth in half of the cases where the design effect
is six; docs/statistics.md has the coverage of both.

Input: a value a nanocrystal (0 or 1 for a population, the change of the on-fraction) and the field
each nanocrystal lies in. Output: estimates with both intervals, and the probability of a change of
zero that belongs to the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from blinkpair.arrays import FloatArray
from blinkpair.statistics.design_effects import (
    INDEPENDENT,
    Codes,
    DesignEffect,
    FieldSums,
    between,
    pooled_effects,
    with_more_fields,
)

Interval = tuple[float, float]

UNDEFINED: Interval = (float("nan"), float("nan"))
MOST_MORE_FIELDS = 20  # of more, 'halves the interval' is no help to a user


@dataclass(frozen=True)
class StatisticsSettings:
    """The configuration's `statistics`.

    `confidence` is the coverage of intervals; `equal_length` whether a temperature is compared with
    the control over the length of the shortest movie.
    """

    confidence: float = 0.95
    equal_length: bool = True


class Estimate(NamedTuple):
    """A fraction, mean or median with its intervals; NaN where there is nothing to estimate.

    `low` and `high` hold where fields differ, `independent` where they do not. `design_effect` is
    the median of those possible. `p_value`, of a mean, is two-sided and of no change: it is below
    one minus the confidence exactly where the first interval excludes zero.
    """

    value: float
    low: float
    high: float
    design_effect: float
    independent: Interval = UNDEFINED
    p_value: float = float("nan")

    def within(self, least: float, most: float) -> Estimate:
        """Cut the intervals where the quantity cannot be."""
        first, second = self.independent
        return self._replace(
            low=max(self.low, least),
            high=min(self.high, most),
            independent=(max(first, least), min(second, most)),
        )


def pooled_fractions(
    flags: Sequence[FloatArray],
    fields: Sequence[Codes],
    *,
    confidence: float = 0.95,
    control_last: bool = False,
) -> list[Estimate]:
    """Estimate a fraction in each of several groups.

    Parameters
    ----------
    flags : sequence of ndarray, shapes (n,)
        1 for the nanocrystals of a group (temperature) that count, 0 for the others.
    fields : sequence of ndarray of int
        Fields of the same nanocrystals, from `design_effects.field_codes`.
    confidence : float
        Coverage wanted.
    control_last : bool
        Whether the last group is the control, which shows nothing of how a treatment's fields
        differ.

    Returns
    -------
    list of Estimate
        One a group.
    """
    estimates = []
    effects = pooled_effects(flags, fields, control_last=control_last)
    for flag, (effect, _) in zip(flags, effects, strict=True):
        value = float(flag.mean()) if flag.size else float("nan")
        differing, independent = (
            fraction_interval(value, flag.size, one, confidence=confidence)
            for one in (effect, INDEPENDENT)
        )
        estimates.append(Estimate(value, *differing, _median_of(flag, effect), independent))
    return estimates


def pooled_means(
    values: Sequence[FloatArray],
    fields: Sequence[Codes],
    *,
    confidence: float = 0.95,
    control_last: bool = False,
) -> list[Estimate]:
    """Estimate a mean in each of several groups; parameters as in `pooled_fractions`."""
    estimates = []
    effects = pooled_effects(values, fields, control_last=control_last)
    for value, (effect, sums) in zip(values, effects, strict=True):
        mean = float(value.mean()) if value.size else float("nan")
        differing, independent = (
            mean_interval(value, one, sums, confidence=confidence) for one in (effect, INDEPENDENT)
        )
        estimates.append(
            Estimate(
                mean,
                *differing,
                _median_of(value, effect),
                independent,
                _no_change(value, effect, sums),
            )
        )
    return estimates


def pooled_medians(
    values: Sequence[FloatArray],
    fields: Sequence[Codes],
    *,
    confidence: float = 0.95,
    control_last: bool = False,
) -> list[Estimate]:
    """Estimate a median in each of several groups; parameters as in `pooled_fractions`."""
    medians = [float(np.median(value)) if value.size else float("nan") for value in values]
    # The median's error is that of the fraction of values at or below it.
    below = [(v <= m).astype(float) for v, m in zip(values, medians, strict=True)]
    estimates = []
    effects = pooled_effects(below, fields, control_last=control_last)
    for value, median, (effect, _) in zip(values, medians, effects, strict=True):
        differing, independent = (
            median_interval(value, one, confidence=confidence) for one in (effect, INDEPENDENT)
        )
        estimates.append(Estimate(median, *differing, _median_of(value, effect), independent))
    return estimates


def _median_of(values: FloatArray, effect: DesignEffect) -> float:
    return effect.median if values.size else float("nan")


def fraction_interval(
    fraction: float, n: float, effect: DesignEffect, *, confidence: float = 0.95
) -> Interval:
    """Return Wilson's score interval, with the quantile of the mixture of design effects.

    The components are Student's, for as many independent nanocrystals as these weigh: the variance
    of few is less well known.

    Parameters
    ----------
    fraction : float
        Observed fraction, 0 to 1.
    n : float
        Nanocrystals behind it; those in doubt count less than one.
    effect : DesignEffect
        With `INDEPENDENT` it is Wilson's interval itself.
    confidence : float
        Coverage wanted.

    Returns
    -------
    tuple of float
        Low and high, within 0 to 1; NaN for n = 0.
    """
    if n == 0:
        return UNDEFINED
    if effect is INDEPENDENT:
        z = float(ndtri(0.5 + confidence / 2))
    else:
        errors, freedom = np.sqrt(effect.ratios), np.maximum(n / effect.ratios - 1, 1)
        tails = lambda z: float(effect.weights @ (2 * stdtr(freedom, -z / errors)))  # noqa: E731
        z = _half_width(tails, confidence)
    z2_n = z**2 / n
    centre = (fraction + z2_n / 2) / (1 + z2_n)
    half = np.sqrt(z2_n * fraction * (1 - fraction) + z2_n**2 / 4) / (1 + z2_n)
    # Rounding must not put the estimate outside, where it is 0 or 1.
    low = min(max(0.0, centre - half), fraction)
    return float(low), float(max(min(1.0, centre + half), fraction))


def mean_interval(
    values: FloatArray, effect: DesignEffect, sums: FieldSums, *, confidence: float = 0.95
) -> Interval:
    """Return the interval of a mean: of the mixture of Student's distributions.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a nanocrystal.
    effect : DesignEffect
        From `pooled_effects`; with `INDEPENDENT` it is Student's interval itself.
    sums : FieldSums
        Of the same values.
    confidence : float
        Coverage wanted.

    Returns
    -------
    tuple of float
        Low and high; NaN for fewer than two values.
    """
    if values.size < 2:
        return UNDEFINED
    if effect is INDEPENDENT:
        error = float(np.std(values, ddof=1)) / np.sqrt(values.size)
        half = error * float(stdtrit(values.size - 1, 0.5 + confidence / 2))
    else:
        half = _half_width(_beyond(values, effect, sums), confidence)
    mean = float(np.mean(values))
    return float(mean - half), float(mean + half)


def _beyond(values: FloatArray, effect: DesignEffect, sums: FieldSums) -> Callable[[float], float]:
    """Return the two-sided probability that the mean is off by more than so much."""
    n = values.size
    within = (sums.within + between(sums, effect.spreads)[0]) / (n - 1)
    variances = within * (1 / n + effect.spreads * np.sum(sums.sizes**2) / n**2)
    errors = np.sqrt(np.maximum(variances, 0.0))
    safe = np.where(errors > 0, errors, 1.0)

    def beyond(half: float) -> float:
        tails = 2 * stdtr(n - 1, -half / safe)
        return float(effect.weights @ np.where(errors > 0, tails, half <= 0))

    return beyond


def _half_width(beyond: Callable[[float], float], confidence: float) -> float:
    """Return the error that is exceeded with a probability of one minus the confidence."""
    from scipy.optimize import brentq  # a tenth of a second to import

    wanted, high = 1 - confidence, 1.0
    if beyond(1e-12) < wanted:  # all values are equal
        return 0.0
    while beyond(high) > wanted:
        high *= 2
    return float(brentq(lambda half: beyond(half) - wanted, 0.0, high, xtol=1e-15, rtol=1e-12))


def _no_change(values: FloatArray, effect: DesignEffect, sums: FieldSums) -> float:
    """Return the two-sided p value of a mean of zero; NaN for fewer than two values."""
    if values.size < 2:
        return float("nan")
    return min(1.0, _beyond(values, effect, sums)(abs(float(values.mean()))))


def fields_to_halve(
    values: Sequence[FloatArray],
    fields: Sequence[Codes],
    *,
    confidence: float = 0.95,
    control_last: bool = False,
) -> list[float]:
    """Return how many more fields such as these would halve the interval of each group's mean.

    Parameters as in `pooled_means`. NaN where there is no interval, infinite where
    `MOST_MORE_FIELDS` would not.
    """
    return [
        _to_halve(value, *known, confidence)
        for value, known in zip(
            values, pooled_effects(values, fields, control_last=control_last), strict=True
        )
    ]


def _to_halve(
    values: FloatArray, effect: DesignEffect, sums: FieldSums, confidence: float
) -> float:
    low, high = mean_interval(values, effect, sums, confidence=confidence)
    if not high > low:
        return float("nan")
    n_fields = len(sums.sizes)
    # Beyond so many fields the interval shrinks with the root of their number: three times as many.
    for more in range(1, MOST_MORE_FIELDS + 1 if n_fields <= MOST_MORE_FIELDS else 1):
        known = with_more_fields(effect, more)
        half = _half_width(_beyond(values, known, sums), confidence)
        if half * np.sqrt(n_fields / (n_fields + more)) <= (high - low) / 4:
            return more
    return float("inf")


def median_interval(
    values: FloatArray, effect: DesignEffect, *, confidence: float = 0.95
) -> Interval:
    """Return the interval of a median: values at the ranks that one half may have (Woodruff's).

    Between two values it is interpolated at the rank (n + 1) p (Weibull's), by which 95 % intervals
    of 6 to 100 independent values hold the median in 95 to 96 %; at (n - 1) p + 1, NumPy's own,
    they do in 82 % of 6 and in 92 % of 20.

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
        Low and high; NaN for so few values that the median may lie outside all of them, which it
        does with a probability of 2 / 2^n: for fewer than six at 95 %.

    Notes
    -----
    R. S. Woodruff, J. Am. Stat. Assoc. 47, 635 (1952).
    """
    if 2 * 0.5**values.size > 1 - confidence:
        return UNDEFINED
    ranks = fraction_interval(0.5, values.size, effect, confidence=confidence)
    low, high = np.quantile(values, ranks, method="weibull")
    return float(low), float(high)


def difference_interval(
    first: float,
    first_interval: Interval,
    second: float,
    second_interval: Interval,
    correlation: float = 0.0,
) -> Interval:
    """Return the interval of first - second from the intervals of the two.

    Parameters
    ----------
    first, second : float
        The two estimates.
    first_interval, second_interval : tuple of float
        Their intervals, of the confidence wanted for the difference.
    correlation : float
        Of the two estimates; 0 if they are of different fields.

    Returns
    -------
    tuple of float
        Low and high; NaN where an input is.

    Notes
    -----
    The square-and-add rule: R. G. Newcombe, Statistics in Medicine 17, 873 (1998), method 10; with
    a correlation, G. Y. Zou and A. Donner, Statistics in Medicine 27, 1693 (2008).
    """
    difference = first - second
    low, high = (
        np.sqrt(a**2 + b**2 - 2 * correlation * a * b)
        for a, b in (
            (first - first_interval[0], second_interval[1] - second),
            (first_interval[1] - first, second - second_interval[0]),
        )
    )
    return float(difference - low), float(difference + high)
