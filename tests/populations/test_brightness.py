"""The common factor of brightness between the epochs."""

import re

import numpy as np
import pandas as pd

from blinkpair.populations.brightness import RATIO, RATIO_SE, brightness_ratios, remarks


def field(rng, name, factor, n, spread=0.3):
    """On levels of nanocrystals whose own brightness changes, too, some by a factor of four."""
    before = rng.uniform(250, 900, n)
    own = rng.lognormal(0, spread, n) * np.where(rng.random(n) < 0.1, 0.25, 1.0)
    return pd.DataFrame(
        {
            "field": name,
            "analysed": True,
            "population": "emissive",
            "on_level_counts_pre": before,
            "on_level_counts_post": factor * own * before,
        }
    )


def test_a_field_that_became_dimmer_as_a_whole_is_named_with_its_ratio():
    rng = np.random.default_rng(1)
    rows = pd.concat([field(rng, "dim", 0.4, 60), field(rng, "same", 0.92, 60)])
    ratios = brightness_ratios(rows)
    error = np.abs(ratios[RATIO] - [0.4, 0.92]) / ratios[RATIO_SE]
    assert (error < 3).all()
    found = remarks(ratios, [])
    assert set(found) == {"dim"}
    assert re.findall(r"[\d.]+ times as bright", found["dim"]) == [
        f"{ratios.loc['dim', RATIO]:.2f} times as bright"
    ]


def test_the_standard_error_holds():
    rng = np.random.default_rng(2)
    rows = pd.concat([field(rng, k, 1.0, 40) for k in range(300)])
    ratios = brightness_ratios(rows.assign(field=rows["field"].astype(str)))
    # A tenth of the nanocrystals dimmed by four shifts the median by 0.13 of the spread.
    shift = np.log(ratios[RATIO]) - np.log(ratios[RATIO]).median()
    holds = (shift.abs() < 1.96 * ratios[RATIO_SE] / ratios[RATIO]).mean()
    assert 0.90 < holds < 0.99


def test_few_excluded_and_dark_nanocrystals_show_no_ratio():
    rng = np.random.default_rng(3)
    rows = pd.concat([field(rng, "few", 0.4, 4), field(rng, "dark", 0.4, 40)])
    rows.loc[rows["field"] == "dark", "population"] = "became_dark"
    assert brightness_ratios(rows).empty
    assert remarks(brightness_ratios(rows), []) == {}
    assert brightness_ratios(rows[:0]).empty
    excluded = field(rng, "excluded", 0.4, 40).assign(analysed="False")
    assert brightness_ratios(excluded).empty


def test_a_ratio_that_chance_may_make_is_not_named():
    ratios = pd.DataFrame({RATIO: [0.7, 0.7], RATIO_SE: [0.09, 0.05], "n": 8}, index=["a", "b"])
    assert set(remarks(ratios, [])) == {"b"}
    assert remarks(pd.DataFrame({RATIO: [1 / 0.7], RATIO_SE: [0.1], "n": 8}, index=["c"]), [])
    assert remarks(ratios.assign(**{RATIO: 0.85, RATIO_SE: 0.001}), []) == {}
