"""Files that other rules make: nothing is opened at the start, all is checked when they exist."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

from blinkpair.errors import InputError
from blinkpair.inputs.checking import check_everything
from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.made_by_rules import check_equal_lengths, check_made_inputs

CONFIG = {
    "fields": "fields.tsv",
    "exposure_s": 0.02,
    "pixel_size_um": 0.16,
    "made_by_rules": True,
}


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """A sheet whose files do not exist, checked."""
    monkeypatch.chdir(tmp_path)
    row = {"field": "f1", "temperature_c": "70"} | {c: f"{c}.tif" for c in PATH_COLUMNS}
    pd.DataFrame([row]).to_csv("fields.tsv", sep="\t", index=False)
    return check_everything(CONFIG)


def make(frames=60, finterval=0.02, height=40):
    """What the rules would make."""
    noise = np.random.default_rng(1)
    for column in PATH_COLUMNS:
        movie = column.endswith("pl")
        shape = (frames, height if column == "post_pl" else 40, 48) if movie else (40, 48)
        tifffile.imwrite(
            f"{column}.tif",
            noise.integers(0, 9, shape, np.uint16),
            imagej=True,
            metadata={"axes": "TYX", "finterval": finterval} if movie else {},
        )


def test_a_run_is_planned_without_the_files(planned):
    assert planned.fields["exposure_s"].tolist() == [0.02]
    assert planned.fields["exposure_from"].tolist() == ["configuration"]
    assert planned.shapes.loc["f1", "frames"] == 20_000
    # A digest of what is not there would change when it is, and run all steps again.
    assert planned.inputs["pre_pl.tif"] == ()
    make()
    assert check_everything(CONFIG).inputs["pre_pl.tif"] == ()


def test_files_that_fit_give_the_columns_of_their_record(planned):
    make()
    record = check_made_inputs("f1", planned.settings)
    assert record["n_frames_pre"] == record["n_frames_post"] == "60"
    assert record["exposure_s"] == 0.02


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ({"height": 44}, "its frames have 48 x 44 pixels"),
        ({"frames": 10}, "too few to find a nanocrystal"),
        ({"finterval": 0.05}, "0.05 s in the movies and 0.02 s in the settings"),
    ],
)
def test_files_that_do_not_fit_are_an_error_as_before_an_ordinary_run(planned, made, text):
    make(**made)
    with pytest.raises(InputError, match=text):
        check_made_inputs("f1", planned.settings)


def test_a_file_that_its_rule_did_not_make_is_an_error(planned):
    with pytest.raises(InputError, match=r"there is no file 'pre_pl\.tif'"):
        check_made_inputs("f1", planned.settings)


def test_movies_of_different_lengths_are_an_error_where_a_run_compares_equal_lengths():
    fields = pd.DataFrame(
        {"n_frames_pre": ["60", "90"], "n_frames_post": ["60", "90"], "exposure_s": [0.02, 0.02]}
    )
    with pytest.raises(InputError, match=r"1\.2 to 1\.8 s long"):
        check_equal_lengths(fields)
    check_equal_lengths(fields.head(1))
