"""What a field's nanocrystals say about the field."""

import re

import numpy as np
import pandas as pd

from blinkpair.populations import brightness, dead_time
from blinkpair.populations.field_remarks import (
    ALL_OFF,
    LIGHT,
    ON_FRACTIONS,
    TURNED,
    by_fixed_threshold,
    changes_by_threshold,
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


def test_a_field_whose_noise_reaches_the_threshold_is_named_beside_fields_that_are_counted():
    # One field of a treatment, of longer frames: it counts for nothing, and the others do.
    rows = pd.DataFrame(
        {"field": ["A"] * 3 + ["B"], "excluded_because": ["noisy", "noisy", "edge", "crowded"]}
    )
    rows = rows.assign(population="", population_best="emissive", **SAME)
    rows = rows.assign(**dict.fromkeys((*ALL_OFF, *LIGHT), 0.0))
    found = remarks(rows)
    assert set(found) == {"A"}
    assert "its 2 nanocrystals are excluded as noisy" in found["A"]


def test_a_field_whose_on_levels_lie_below_the_threshold_is_named():
    # A camera of low gain: on at 30 counts is dark by a threshold of 100, as clear as it is.
    best = ["emissive"] * 8 + ["became_dark", "dark"] * 2
    rows = pd.DataFrame({"field": "A", "excluded_because": "", "population_best": best})
    rows["population"] = ["dark"] * 11 + ["undetermined"]
    rows = rows.assign(**dict.fromkeys((*ALL_OFF, *LIGHT), 0.0), **SAME)
    rows["on_fraction_post"] = 0.01
    same = rows.assign(field="B", population=best, **SAME)
    # Partly lit frames, which a threshold counts whole, move those near the cutoff over it.
    near = rows.assign(field="C", **SAME | {best: 0.45 for _, best in ON_FRACTIONS})
    rows = pd.concat([rows, same, near], ignore_index=True)
    # One of the eleven with a population by both is dark by both.
    assert otherwise_by_best(rows).to_dict() == {"A": 10 / 11, "B": 0.0, "C": 0.0}
    found = remarks(rows)
    assert set(found) == {"A"}
    assert "91 % of the nanocrystals are in another population" in found["A"]
    assert "method: hmm" in found["A"]


def test_a_field_that_the_threshold_changes_is_named_though_all_populations_are_the_same():
    # As where the focus is 1.4 px wide after annealing: all are on for half of the time, and the
    # dim ones of those out of focus are below the threshold in a part of their on frames.
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"field": ["out"] * 25 + ["in"] * 25 + ["few"] * 4})
    rows = rows.assign(excluded_because="", population="emissive", population_best="emissive")
    rows = rows.assign(**dict.fromkeys((*ALL_OFF, *LIGHT), 0.0), **SAME)
    noise = rng.normal(0.03, 0.03, (len(rows), 2))  # of frames lit in part, in both epochs
    rows["on_fraction_pre"] += noise[:, 0]
    rows["on_fraction_post"] += noise[:, 1]
    lost = rows["field"] != "in"
    rows.loc[lost, "on_fraction_post"] -= rng.exponential(0.06, lost.sum())
    found = remarks(rows)
    assert set(found) == {"out"}
    points = changes_by_threshold(rows).loc["out", "points"]
    assert abs(points + 0.06) < 3 * 0.06 / np.sqrt(25)
    assert f"{100 * points:+.0f} points" in found["out"]


def test_a_field_with_nanocrystals_too_dim_for_the_threshold_is_named():
    # Brightness from 100 to 1,000 counts: a threshold of 100 misses on frames of the dim ones, in
    # both epochs alike, so that neither populations nor the mean change show it.
    rows = pd.DataFrame({"field": ["tenfold"] * 15 + ["even"] * 15})
    rows = rows.assign(excluded_because="", population="emissive", population_best="emissive")
    rows = rows.assign(**dict.fromkeys((*ALL_OFF, *LIGHT), 0.0), **SAME)
    missed = np.where(
        rows["field"] == "tenfold", np.repeat([0.3, 0.15, 0.0], [3, 2, 10]).tolist() * 2, 0
    )
    rows["on_fraction_pre"] -= missed
    rows["on_fraction_post"] -= missed
    rows.loc[rows.index[-1], "on_fraction_pre"] -= 0.2  # one may be
    found = remarks(rows)
    assert set(found) == {"tenfold"}
    assert "33 % of the nanocrystals" in found["tenfold"]


def test_only_where_a_fixed_threshold_decides_a_remark_names_its_error():
    # A run by the model, which falls back on the threshold in a field without an empty place.
    rows = pd.DataFrame({"field": ["model", "fallback", "fallback"], "threshold_from_pre": "hmm"})
    fixed = by_fixed_threshold(rows.assign(threshold_from_post=["hmm", "hmm", "fixed"]))
    ratios = {brightness.RATIO: 0.5, brightness.RATIO_SE: 0.01, "n": 20}
    exposures = {"exposure_s": 0.02, "camera_exposure_pre_s": 0.02, "camera_exposure_post_s": 0.018}
    fields = pd.DataFrame([ratios | exposures] * 2, index=["model", "fallback"])
    for found in (
        brightness.remarks(fields, fixed),
        dead_time.remarks(fields.reset_index(names="field"), fixed),
    ):
        assert "fixed threshold" not in found["model"]
        assert found["fallback"] == found["model"] + TURNED
