"""Errors of pooled dwell times where nanocrystals, fields or samples differ."""

import numpy as np
import pandas as pd
import pytest

from blinkpair.populations.pooled_dwell_times import pool_fits
from blinkpair.populations.pools import pool_durations
from tests.helpers.dwell_times import draw
from tests.helpers.pooled_events import table_of


@pytest.mark.parametrize("by", ["nanocrystals", "fields"])
def test_the_error_of_alpha_holds_where_nanocrystals_or_fields_differ(by):
    """Simulated: exponents scatter by 0.3 between nanocrystals, or by 0.1 between twelve fields.

    Two errors are to hold in 95 %: in 16 experiments fewer than 12 have a chance of 1e-3. Of the
    errors of independent events two hold in about half of the experiments.
    """
    alphas, errors = [], []
    for experiment in range(16):
        rng = np.random.default_rng([31, experiment])
        if by == "nanocrystals":
            own = [draw(rng, rng.normal(1.7, 0.3), rng.poisson(150)) for _ in range(60)]
            parts = [table_of(np.concatenate(own[k::10]), subset=k) for k in range(10)]
        else:
            parts = [
                table_of(draw(rng, rng.normal(1.7, 0.1), 800), field=f"f{k}") for k in range(12)
            ]
        row = pool_fits(pool_durations(parts)).iloc[0]
        alphas.append(row["alpha"])
        errors.append(row["alpha_se"])
    held = np.abs(np.array(alphas) - np.mean(alphas)) < 2 * np.array(errors)
    assert held.sum() >= 12
    assert np.median(errors) < 2 * np.std(alphas)


def test_the_error_of_alpha_holds_where_few_samples_differ():
    """Simulated: exponents scatter by 0.1 between the samples of two fields, three a treatment.

    Of 40 treatments 1.96 errors hold in 95 %: fewer than 34 have a chance of 3e-3. The errors of
    three samples alone, whose scatter is itself uncertain, hold in 31.
    """
    rng = np.random.default_rng(34)
    parts, units = [], {}
    for treatment in range(40):
        for sample in range(3):
            alpha = rng.normal(1.7, 0.1)
            for name in (f"{treatment}-{sample}{which}" for which in "ab"):
                units[name] = f"{treatment}-{sample}"
                durations = draw(rng, alpha, 1_000).reshape(4, 250)
                parts += [
                    table_of(own, field=name, temperature_c=treatment, subset=k)
                    for k, own in enumerate(durations)
                ]
    fits = pool_fits(pool_durations([pd.concat(parts, ignore_index=True)], units))
    held = np.abs(fits["alpha"] - 1.7) < 1.96 * fits["alpha_se"]
    assert held.sum() >= 34
    assert np.median(fits["alpha_se"]) < 1.5 * fits["alpha"].std()


def test_a_subset_without_events_and_a_single_nanocrystal_are_fitted():
    rng = np.random.default_rng(32)
    events = draw(rng, 1.6, 900)
    together = pool_fits(pool_durations([table_of(events)])).iloc[0]
    apart = [table_of(events[:600], subset=2), table_of(events[600:], subset=7)]
    row = pool_fits(pool_durations(apart)).iloc[0]
    assert row["alpha"] == together["alpha"]
    assert row["alpha_se"] >= together["alpha_se"] > 0


def test_the_interval_of_tau_is_wider_where_nanocrystals_differ_in_it():
    """The same events, dealt out to subsets at random, are those of equal nanocrystals."""
    rng = np.random.default_rng(33)
    own = [draw(rng, 1.2, 400, tau) for tau in np.geomspace(5, 80, 10)]
    dealt = np.array_split(rng.permutation(np.concatenate(own)), 10)
    differ, equal = (
        pool_fits(pool_durations([table_of(part, subset=k) for k, part in enumerate(parts)])).iloc[
            0
        ]
        for parts in (own, dealt)
    )
    assert differ["tau_s"] == equal["tau_s"]
    assert np.log(differ["tau_high_s"] / differ["tau_low_s"]) > 1.3 * np.log(
        equal["tau_high_s"] / equal["tau_low_s"]
    )
