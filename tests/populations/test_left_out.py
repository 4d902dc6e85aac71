"""What is left out by hand is counted, with the populations it would be in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blinkpair.blinking.on_fractions import classify
from blinkpair.populations.table import summarise_populations


def experiment(n=60, seed=5):
    rng = np.random.default_rng(seed)
    before, after = rng.uniform(0, 1, (2, n)) ** 3
    return pd.DataFrame(
        {"field": "f", "temperature_c": "100", "analysed": True, "on_fraction_pre": before,
         "on_fraction_post": after, "population": classify(before, after),
         "population_left_out": ""}
    )  # fmt: skip


def left_out(table, rows):
    out = table.copy()
    out.loc[rows, "population_left_out"] = out.loc[rows, "population"]
    out.loc[rows, ["population", "analysed"]] = ["", False]
    return out


def test_leaving_out_what_became_dark_changes_the_answer_and_is_stated():
    table = experiment()
    whole = summarise_populations(table).iloc[0]
    rows = table.index[table["population"] == "became_dark"]
    assert len(rows) > 5
    own = summarise_populations(left_out(table, rows)).iloc[0]
    assert own["n_became_dark"] == 0
    assert own["mean_delta"] > whole["mean_delta"] + 0.05
    assert own["n_left_out"] == own["n_left_out_became_dark"] == len(rows)
    # With them it is what it was: the result cannot be made in silence.
    assert own["mean_delta_with_left_out"] == pytest.approx(whole["mean_delta"], abs=1e-12)


def test_the_numbers_add_up_over_all_populations():
    table = experiment()
    whole = summarise_populations(table).iloc[0]
    own = summarise_populations(left_out(table, range(0, 60, 3))).iloc[0]
    for name in ("became_emissive", "became_dark", "emissive", "dark"):
        assert own[f"n_{name}"] + own[f"n_left_out_{name}"] == whole[f"n_{name}"]
    assert own["n_left_out"] == own["n_excluded"] == 20


def test_with_nothing_left_out_there_is_no_other_mean():
    for table in (experiment(), experiment().drop(columns="population_left_out")):
        own = summarise_populations(table).iloc[0]
        assert own["n_left_out"] == 0
        assert np.isnan(own["mean_delta_with_left_out"])


def test_all_that_is_left_out_still_has_its_mean():
    table = experiment()
    own = summarise_populations(left_out(table, table.index)).iloc[0]
    assert own["n"] == 0
    assert own["mean_delta_with_left_out"] == pytest.approx(
        summarise_populations(table).iloc[0]["mean_delta"]
    )
