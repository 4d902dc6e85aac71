"""One field from the command line: files that open, a sheet that passes the checks, the truth."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from blinkpair.errors import InputError
from blinkpair.inputs.checking import check_everything
from blinkpair.movie.reader import open_movie
from blinkpair.simulate import FieldDesign, simulate_field
from blinkpair.simulate.__main__ import main
from blinkpair.simulate.experiment import FORMATS, write_movie

ARGUMENTS = [
    "--frames",
    "60",
    "--size",
    "128",
    "--density",
    "12",
    "--exposure",
    "0.05",
    "--rotation",
    "90",
    "--seed",
    "3",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("field")
    with pytest.MonkeyPatch.context() as patch:
        for name in FORMATS:
            arguments = ["field", str(folder), "--name", name, "--format", name, *ARGUMENTS]
            patch.setattr(sys, "argv", ["simulate", *arguments])
            main()
        main()  # the same again replaces its row
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_the_same_frames_and_says_what_it_can(folder, name):
    with (
        open_movie(folder / f"{name}_post_pl.tif") as movie,
        open_movie(folder / "ome_post_pl.tif") as other,
    ):
        assert movie.shape == (60, 128, 128)
        assert (next(movie.blocks(60)) == next(other.blocks(60))).all()
        known = None if name == "tiff" else 0.05
        assert movie.exposure_s == (known and pytest.approx(known))
        assert movie.pixel_size_um == (known and pytest.approx(0.16))


def test_the_sheet_has_one_row_a_field_and_passes_the_checks(folder):
    sheet = pd.read_csv(folder / "fields.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert sheet["field"].tolist() == list(FORMATS)
    # One by one: the same frames in three formats are one recording, which is checked, too.
    for _, row in sheet.groupby("field"):
        alone = folder / "alone.tsv"
        row.to_csv(alone, sep="\t", index=False)
        [found] = check_everything({"fields": str(alone)}).fields.to_dict("records")
        assert found["exposure_s"] == 0.05
        assert found["sample"] == "simulated"


def test_the_truth_is_that_of_the_arguments(folder):
    truth = pd.read_csv(folder / "ome_truth.csv")
    turned = truth[["x_post", "y_post"]].to_numpy() - truth[["x_post", "y_post"]].to_numpy()[0]
    before = truth[["x_pre", "y_pre"]].to_numpy() - truth[["x_pre", "y_pre"]].to_numpy()[0]
    # A quarter turn from x towards y.
    assert turned[:, 0] == pytest.approx(-before[:, 1], abs=1e-3)
    assert turned[:, 1] == pytest.approx(before[:, 0], abs=1e-3)
    assert truth["on_fraction_pre"].between(0, 1).all()


def test_an_imagej_file_of_more_than_its_places_is_refused(tmp_path):
    design = FieldDesign(frames=20_000, n_nanocrystals=0, n_microspheres=0)
    with pytest.raises(InputError, match=r"3\.9 GB"):
        write_movie(tmp_path / "m.tif", [], design, "imagej")
    small = simulate_field(FieldDesign(frames=10, n_nanocrystals=0, n_microspheres=0), seed=1)
    assert small.expected_counts("pre").shape == (0, 10)
