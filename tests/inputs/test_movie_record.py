"""What is used of the movies, where it is from, and how often the same remark is printed."""

import re

import pytest

from blinkpair.inputs.movie_record import MOST_LINES, describe
from blinkpair.inputs.row_checks import grouped
from blinkpair.run.sheet_columns import carried_columns, field_columns
from tests.helpers.input_lab import Lab

STAMPS = {"exposure_from": "the events table", "pixel_size_from": "the ND2 calibration"}


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


def record(lab, config=None, **extra):
    """Return the columns of the first field, as the checks leave them."""
    lab.sheet(**extra)
    return lab.examined(config).iloc[0]


@pytest.mark.parametrize(
    ("movie", "config", "sheet", "exposure_from"),
    [
        ({}, None, "", "file: the events table"),
        ({}, None, "0.02", "sheet"),
        ({"exposure_s": None, "exposure_from": ""}, 0.02, "", "configuration"),
    ],
)
def test_each_value_is_recorded_with_where_it_is_from(lab, movie, config, sheet, exposure_from):
    headers = STAMPS | movie
    lab.field(
        pre_pl=headers | {"paths": ["A_pre_pl", "A_post_pl"], "acquired_s": 1.7e9},
        post_pl=headers | {"acquired_s": None, "camera_exposure_s": 0.0125},
    )
    row = record(lab, {"exposure_s": config}, exposure_s=sheet)
    assert (row["exposure_s"], row["exposure_from"]) == (0.02, exposure_from)
    assert (row["pixel_size_um"], row["pixel_size_from"]) == (0.16, "file: the ND2 calibration")
    assert (row["n_files_pre"], row["n_frames_pre"]) == ("2", "20000")
    assert (row["acquired_pre"], row["acquired_post"]) == ("2023-11-14 22:13:20", "")
    assert (row["camera_exposure_pre_s"], row["camera_exposure_post_s"]) == ("", "0.0125")


def test_a_value_that_is_not_believed_is_no_silence(lab):
    odd = {"exposure_s": None, "exposure_from": "the plan would be 20 s a frame"}
    lab.field(post_pl=odd)
    (problem,) = lab.problems()
    assert "not known (the plan would be 20 s a frame), and 0.02 s in pre_pl" in problem.what
    fields, notes = lab.check({"exposure_s": 0.02})
    assert fields["exposure_s"].item() == 0.02
    assert len(notes) == 1


def test_the_reason_stands_in_the_error_that_asks_for_a_value(lab):
    odd = {"exposure_s": None, "exposure_from": "the plan would be 20 s a frame"}
    lab.field(pre_pl=odd, post_pl=odd)
    (problem,) = lab.problems()
    assert problem.what.endswith("sheet or configuration (the plan would be 20 s a frame)")


def test_microspheres_of_a_wrong_size_name_where_the_pixel_size_is_from(lab):
    odd = {"pixel_size_um": 1.5, "pixel_size_from": "its TIFF resolution tag"}
    lab.field(pre_pl=odd, post_pl=odd)
    (problem,) = lab.problems()
    assert "(from the file: its TIFF resolution tag; a column pixel_size_um" in problem.hint


def test_the_columns_are_those_of_fields_and_not_of_nanocrystals(lab):
    lab.field(pre_pl=STAMPS, post_pl=STAMPS)
    lab.sheet(operator="M")
    fields = lab.examined()
    assert carried_columns(fields) == ["field", "temperature_c", "sample", "operator"]
    assert {"exposure_s", "exposure_from", "n_files_post"} <= set(field_columns(fields))


def test_a_field_that_is_refused_has_a_line_too(lab):
    damaged = {"damaged": ["frames are missing", "copy it again"]}
    lab.field("A", pre_pl=damaged, post_pl=damaged)
    lab.sheet()
    assert describe(lab.examined())[1] == (
        "  A: no exposure_s; no pixel_size_um; pre not readable; post not readable"
    )


def test_a_line_a_field_or_one_for_all_that_are_alike(lab):
    for k in range(MOST_LINES):
        lab.field(f"F{k}", pre_pl=STAMPS, post_pl=STAMPS)
    lab.sheet()
    _, *lines = describe(lab.examined())
    assert len(lines) == MOST_LINES
    assert lines[3] == (
        "  F3: 0.02 s a frame (file: the events table); 0.16 um a pixel (file: the ND2 "
        "calibration); pre 20000 frames in 1 file, no date; post 20000 frames in 1 file, no date"
    )
    lab.field("last", pre_pl=STAMPS | {"paths": ["last_pre_pl", "F0_pre_pl"]}, post_pl=STAMPS)
    lab.sheet()
    _, first, second = describe(lab.examined())
    assert re.match("  last: .*pre 20000 frames in 2 files; post", first)
    assert second.startswith(f"  {MOST_LINES} fields (F0, ...): 0.02 s a frame")


def test_a_remark_on_many_cells_is_printed_once():
    notes = [f"s.tsv, line {k}, column pre_pl (field F{k}): no stamps (20 ms)." for k in range(9)]
    assert grouped(notes[:3]) == notes[:3]
    assert grouped([*notes, "s.tsv, line 1, column post_pl (field F1): other."]) == [
        "s.tsv, line 0, column pre_pl (field F0) and 8 other cells (the last: s.tsv, line 8, "
        "column pre_pl, field F8): no stamps (20 ms).",
        "s.tsv, line 1, column post_pl (field F1): other.",
    ]
