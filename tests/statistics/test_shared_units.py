"""Means over nanocrystals that both samples count: fields of a series share a movie."""

import numpy as np
import pytest

from blinkpair.statistics.intervals import difference_interval, pooled_means
from blinkpair.statistics.shared_units import correlation_of_means

FIELDS, EACH = 4, 60
UNITS = np.arange(FIELDS * EACH)


def series(rng, common):
    """Changes of a treatment and of its control; what of the movies between is one movie."""
    field = np.repeat(np.arange(FIELDS), EACH)

    def epoch():
        return rng.normal(0, 0.2, FIELDS * EACH) + 0.06 * rng.normal(size=FIELDS)[field]

    first, second, third = epoch(), epoch(), epoch()
    if common == "after and before":
        return third - second, second - first, field
    if common == "before":
        return third - first, second - first, field
    return third - epoch(), second - first, field


@pytest.mark.parametrize(("common", "r"), [("after and before", -0.5), ("before", 0.5)])
def test_a_common_movie_correlates_the_means_by_a_half(common, r):
    # The variance of one of two movies is common; 240 pairs give r to (1 - r^2) / sqrt(240) = 0.05.
    treatment, control, _ = series(np.random.default_rng(0), common)
    assert correlation_of_means(treatment, UNITS, control, UNITS) == pytest.approx(r, abs=0.2)
    # Half of the control's nanocrystals are others.
    others = np.where(UNITS % 2, UNITS, UNITS + 1000)
    found = correlation_of_means(treatment, UNITS, control, others)
    assert found == pytest.approx(r / 2, abs=0.15)
    assert correlation_of_means(treatment, UNITS, control, UNITS + 1000) == 0.0


@pytest.mark.parametrize("common", ["after and before", "before", "none"])
def test_intervals_of_differences_hold_where_movies_are_shared(common):
    held = 0
    for seed in range(400):
        treatment, control, field = series(np.random.default_rng(seed), common)
        t, c = pooled_means([treatment, control], [field, field], control_last=True)
        units = UNITS + (1000 if common == "none" else 0)
        r = correlation_of_means(treatment, UNITS, control, units)
        low, high = difference_interval(t.value, (t.low, t.high), c.value, (c.low, c.high), r)
        held += low <= 0 <= high
    # 95 % to three standard errors of 400; without the correlation 89 % after and before.
    assert 0.917 <= held / 400 <= 0.985
