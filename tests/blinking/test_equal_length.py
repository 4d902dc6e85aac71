"""On-fractions of the beginning of a movie."""

import numpy as np
import pandas as pd

from blinkpair.blinking.equal_length import equal_length_columns

TABLE = pd.DataFrame({"nc_id": [1, 2, 3, 4], "analysed": [True, True, True, False]})
STATES = {
    "pre": np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]], bool),
    "post": np.array([[1, 1, 1, 1], [0, 0, 0, 1], [1, 1, 0, 0]], bool),
}
COUNTS = {epoch: states.astype(np.float32) for epoch, states in STATES.items()}


def columns(frames, counts=COUNTS):
    found = equal_length_columns(
        TABLE, np.array([3, 1, 2]), STATES, counts, frames=frames, dark_cutoff=0.1
    )
    return found.set_axis(["pre", "post", "population"], axis=1).set_axis(TABLE["nc_id"], axis=0)


def test_only_the_first_frames_count():
    found = columns(2)
    assert found["pre"].tolist()[:3] == [0.0, 0.5, 1.0]
    assert found["post"].tolist()[:3] == [0.0, 1.0, 1.0]
    assert found["population"].tolist() == ["dark", "emissive", "emissive", ""]
    assert columns(4)["pre"].tolist()[:3] == columns(400)["pre"].tolist()[:3] == [0.5, 0.5, 0.5]


def test_a_nanocrystal_that_was_not_measured_has_none():
    assert np.isnan(columns(2).loc[4, "pre"])


def test_frames_that_were_not_measured_do_not_count():
    counts = {"pre": COUNTS["pre"].copy(), "post": COUNTS["post"]}
    counts["pre"][1, 0] = np.nan  # nc_id 1, which is off in the first frame
    assert columns(3, counts)["pre"].tolist()[0] == 0.5


def test_where_no_movie_is_longer_the_columns_are_empty():
    found = columns(0)
    assert found[["pre", "post"]].isna().all(axis=None)
    assert (found["population"] == "").all()
