"""The expected number of nanocrystals on the wrong side of the limit of dark is what is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blinkpair.blinking.on_fractions import classify
from blinkpair.populations.table import summarise_populations

N = 20_000


def measured(rng, cutoff, bias=0.0):
    """Draw a table by a threshold of some bias, and the true populations."""
    table = {"field": "f", "temperature_c": "100", "analysed": True}
    true = rng.uniform(0.0, 1.0, (2, N)) ** 2
    for name, one in zip(("pre", "post"), true, strict=True):
        se = np.exp(rng.normal(np.log(0.01), 1.0, N))
        best = np.clip(one + se * rng.normal(size=N), 0.0, 1.0)
        table |= {f"on_fraction_{name}_best": best, f"on_fraction_{name}_best_se": se}
        table[f"on_fraction_{name}"] = np.clip(best + bias, 0.0, 1.0)
    frame = pd.DataFrame(table)
    before, after = (frame[f"on_fraction_{name}"] for name in ("pre", "post"))
    return frame.assign(population=classify(before, after, cutoff)), classify(*true, cutoff)


@pytest.mark.parametrize(("cutoff", "bias"), [(0.1, 0.0), (0.05, 0.0), (0.1, 0.03)])
def test_as_many_are_expected_in_another_population_as_are_in_one(cutoff, bias):
    table, true = measured(np.random.default_rng(4), cutoff, bias)
    found = summarise_populations(table, dark_cutoff=cutoff)["expected_other_population"].iloc[0]
    wrong = int((table["population"] != true).sum())
    # 800 to 2,300 of them: three standard deviations, and 10 % by the density of on-fractions,
    # which rises towards 0.
    assert abs(found - wrong) < 3.0 * np.sqrt(wrong) + 0.1 * wrong


def test_without_the_best_estimates_it_is_not_known():
    table, _ = measured(np.random.default_rng(5), 0.1)
    short = table.drop(columns="on_fraction_pre_best_se")
    assert summarise_populations(short)["expected_other_population"].isna().all()
