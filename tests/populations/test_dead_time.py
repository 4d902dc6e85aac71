"""Time within a frame in which the camera collects no light."""

import numpy as np
import pandas as pd

from blinkpair.populations.dead_time import remarks


def fields(exposure_s, pre, post):
    return pd.DataFrame(
        {
            "field": ["a"],
            "exposure_s": exposure_s,
            "camera_exposure_pre_s": pre,
            "camera_exposure_post_s": post,
        }
    )


def test_a_long_dead_time_is_stated_with_the_time_that_was_seen():
    found = remarks(fields(1 / 30, "0.02", "0.02"), [])["a"]
    assert "20 ms of each frame of 33.3 ms" in found
    assert "60 % of the time" in found
    # As where one file does not hold it; the table has text, empty where there is none.
    assert "60 % of the time" in remarks(fields(1 / 30, "", "0.02"), [])["a"]


def test_a_short_dead_time_and_an_unknown_one_are_not():
    assert remarks(fields(0.0203, "0.02", "0.02"), []) == {}
    assert remarks(fields(0.02, "", ""), []) == {}
    assert remarks(fields(np.nan, "0.02", "0.02"), []) == {}
    assert remarks(fields(0.02, "0.02", "0.02")[["field", "exposure_s"]], []) == {}


def test_exposures_that_differ_between_the_epochs_are_stated():
    found = remarks(fields(0.022, "0.02", "0.0195"), [])["a"]
    assert "20 ms before and 19.5 ms after" in found
    assert "each frame" not in found
    assert remarks(fields(0.022, "0.02", "0.0199"), []) == {}
