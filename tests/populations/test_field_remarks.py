"""What a field's nanocrystals say about the field."""

import re

import numpy as np
import pandas as pd

from blinkpair.populations.field_remarks import (
    ALL_OFF,
    LIGHT,
    ON_FRACTIONS,
    otherwise_by_best,
    remarks,
)

SAME = {name: 0.5 for names in ON_FRACTIONS for name in names}


def test_a_field_whose_nanocrystals_were_all_off_together_is_named():
    rows = pd.DataFrame(
        {
            "field": ["A", "A", "B", "C"],
            "excluded_because": ["", "edge", "", "all_off"],
            "population": "",
            "population_best": "",
            "n_frames_all_off_pre": [30.0, np.nan, 0.0, 0.0],
            "n_frames_all_off_post": [12.0, np.nan, 0.0, 900.0],
            "common_light_change_pre": 0.1,
            "common_light_change_post": 0.0,
            **SAME,
        }
    )
    found = remarks(rows)
    assert set(found) == {"A", "C"}
    assert "left out" in found["A"]
    assert "none is analysed" in found["C"]
    assert re.findall(r"(pre|post) movie: .* in (\d+) frames", found["A"].replace("; ", "\n")) == [
        ("pre", "30"),
        ("post", "12"),
    ]
    assert remarks(rows[:0]) == {}


def test_a_field_whose_light_changed_within_a_movie_is_named_with_what_cannot_follow_it():
    rows = pd.DataFrame(
        {
            "field": ["A", "A", "B"],
            "excluded_because": "",
            "population": "emissive",
            "population_best": "emissive",
            "n_frames_all_off_pre": 0.0,
            "n_frames_all_off_post": 0.0,
            "common_light_change_pre": [np.nan, 0.0, 0.08],
            "common_light_change_post": [0.5, np.nan, 0.0],
            **SAME,
        }
    )
    found = remarks(rows)
    assert set(found) == {"A"}
    assert "post movie" in found["A"]
    assert "50 %" in found["A"]
    assert "fixed threshold does not" in found["A"]


def test_a_field_whose_on_levels_lie_below_the_threshold_is_named():
    # A camera of low gain: on at 30 counts is dark by a threshold of 100, as clear as it is.
    best = ["emissive"] * 8 + ["became_dark", "dark"] * 2
    rows = pd.DataFrame({"field": "A", "excluded_because": "", "population_best": best})
    rows["population"] = ["dark"] * 11 + ["undetermined"]
    rows = rows.assign(**dict.fromkeys((*ALL_OFF, *LIGHT), 0.0), **SAME)
    rows["on_fraction_post"] = 0.01
    same = rows.assign(field="B", population=best, **SAME)
    # Partly lit frames, which a threshold counts whole, move those near the cutoff over it.
    near = rows.assign(field="C", **SAME | {"on_fraction_pre_best": 0.45})
    rows = pd.concat([rows, same, near], ignore_index=True)
    # One of the eleven with a population by both is dark by both.
    assert otherwise_by_best(rows).to_dict() == {"A": 10 / 11, "B": 0.0, "C": 0.0}
    found = remarks(rows)
    assert set(found) == {"A"}
    assert "91 % of the nanocrystals are in another population" in found["A"]
    assert "method: hmm" in found["A"]
