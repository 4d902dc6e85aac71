"""Both recipes side by side, and the difference of the two."""

import numpy as np
import pandas as pd
import pytest

from blinkpair.blinking.on_fractions import classify
from blinkpair.epochs import EPOCHS
from blinkpair.populations.recipes import summarise_recipes


def table_of(rng, bias=0.05, n=80):
    """On-fractions of which the fixed threshold takes some time on, and misses dim ones."""
    parts = []
    for label, k in (("100", 0), ("100", 1), ("control", 0)):
        best = rng.uniform(0.0, 1, (2, n))
        fixed = np.clip(best * (1 - bias), 0, 1)
        columns = {"field": f"{label}_{k}", "temperature_c": label, "analysed": True}
        for recipe, own in (("", fixed), ("_fixed", fixed), ("_best", best)):
            columns |= {f"on_fraction_{e}{recipe}": v for e, v in zip(EPOCHS, own, strict=True)}
            columns[f"population{recipe}"] = classify(*own)
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def test_each_recipe_has_its_row_and_the_difference_that_of_the_two():
    table = table_of(np.random.default_rng(1))
    found = summarise_recipes(table)
    assert found["temperature_c"].tolist() == [100, 100, "control", "control"]
    assert found["recipe"].tolist() == ["fixed", "best"] * 2
    for name in ("mean_delta", "fraction_became_dark", "fraction_became_emissive"):
        fixed, best = found[name].to_numpy()[:2]
        assert found[f"{name}_minus_fixed"].to_numpy()[1] == pytest.approx(best - fixed)
        assert np.isnan(found[f"{name}_minus_fixed"].to_numpy()[0])


def test_the_difference_is_known_better_than_either():
    found = summarise_recipes(table_of(np.random.default_rng(2))).set_index("recipe").iloc[:2]
    widths = [
        found.at["best", f"{name}_high"] - found.at["best", f"{name}_low"]
        for name in ("mean_delta_minus_fixed", "mean_delta")
    ]
    assert widths[0] < 0.3 * widths[1]


def test_the_order_of_rows_changes_nothing_and_nothing_counted_is_no_error():
    table = table_of(np.random.default_rng(3))
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        summarise_recipes(table), summarise_recipes(shuffled), check_exact=True
    )
    hot = table["temperature_c"] == "100"
    nothing = table.assign(population_best=table["population_best"].mask(hot, ""))
    rows = summarise_recipes(nothing)
    assert rows["n"].to_numpy()[1] == 0
    assert np.isnan(rows["mean_delta_minus_fixed"].to_numpy()[1])
    assert np.isfinite(rows["mean_delta_minus_fixed_low"].to_numpy()[3])  # of the control
