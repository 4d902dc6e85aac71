"""One recording named as two, whatever its files look like."""

import numpy as np
import pytest
import tifffile

from blinkpair.inputs.checking import examine_inputs
from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.inputs.settings import load_settings
from blinkpair.inputs.sheet import read_fields
from tests.helpers.set_files import stack_bytes


@pytest.fixture
def rows(tmp_path):
    """Write two fields of noise; return their rows."""
    rng = np.random.default_rng(6)
    for name in "AB":
        for column in PATH_COLUMNS:
            frames = rng.poisson(200, (60 if column.endswith("pl") else 1, 32, 32))
            path = tmp_path / f"{name}_{column}.tif"
            tifffile.imwrite(path, frames.astype(np.uint16), photometric="minisblack")
    return {
        name: [name, "70", *(f"{name}_{column}.tif" for column in PATH_COLUMNS)] for name in "AB"
    }


def problems(folder, rows):
    """Return what is wrong with the sheet of these rows."""
    lines = [["field", "temperature_c", *PATH_COLUMNS], *rows.values()]
    (folder / "fields.tsv").write_text("".join("\t".join(row) + "\n" for row in lines))
    settings = load_settings({"fields": "fields.tsv", "exposure_s": 0.02, "pixel_size_um": 0.16})
    fields = read_fields(folder / "fields.tsv", folder)
    return [problem.what for problem in examine_inputs(fields, settings, folder)[1].problems]


def copies(folder, rows):
    """Return the paths whose nanocrystals would be counted twice."""
    marked = [what for what in problems(folder, rows) if "counted twice" in what]
    return [what.split("'")[1] for what in marked]


def test_fields_of_their_own_are_no_copies(tmp_path, rows):
    assert copies(tmp_path, rows) == []


def test_the_same_frames_in_another_format_and_type_are_a_copy(tmp_path, rows):
    movie = tifffile.imread(tmp_path / "A_pre_pl.tif")
    again = tmp_path / "B_pre_pl.tif"
    tifffile.imwrite(again, movie.astype(np.float32), photometric="minisblack", compression="zlib")
    assert copies(tmp_path, rows) == ["B_pre_pl.tif"]


@pytest.mark.parametrize("part", ["::frames=50", "::skip=1", "::skip=30::frames=20"])
def test_another_part_of_the_same_file_is_a_copy(tmp_path, rows, part):
    rows["B"][3] = rows["A"][3] + part
    with pytest.raises(UnsoundInputError, match="is also the pre_pl of field A"):
        problems(tmp_path, rows)


def test_the_same_frames_in_files_of_a_set_are_a_copy(tmp_path, rows):
    movie = tifffile.imread(tmp_path / "A_pre_pl.tif")
    for k, name in enumerate(("B_pre_pl.tif", "B_pre_pl_1.tif")):
        part = stack_bytes(movie[30 * k : 30 * k + 30], planned=60, first=30 * k)
        (tmp_path / name).write_bytes(part)
    assert copies(tmp_path, rows) == ["B_pre_pl.tif"]


def test_a_frame_that_differs_makes_another_recording(tmp_path, rows):
    movie = tifffile.imread(tmp_path / "A_pre_pl.tif")
    movie[-1, 0, 0] += 1
    tifffile.imwrite(tmp_path / "B_pre_pl.tif", movie, photometric="minisblack")
    assert copies(tmp_path, rows) == []


def test_images_that_show_nothing_are_no_copies(tmp_path, rows):
    for name in "AB":
        image = np.full((32, 32), 100, np.uint16)
        tifffile.imwrite(tmp_path / f"{name}_pre_brightfield.tif", image, software=name)
    assert copies(tmp_path, rows) == []


def test_a_field_beside_copies_of_itself_with_the_epochs_exchanged_is_refused(tmp_path, rows):
    for column, other in (("pre_pl", "post_pl"), ("post_pl", "pre_pl")):
        movie = tifffile.imread(tmp_path / f"A_{other}.tif")
        tifffile.imwrite(tmp_path / f"B_{column}.tif", movie, compression="zlib")
    (what,) = problems(tmp_path, rows)
    assert "fields A (line 2) and B (line 3)" in what
    assert "no order in time" in what
