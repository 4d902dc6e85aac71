"""What is found out about the movies of a sheet before anything is started."""

import os
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from blinkpair.inputs.checking import check_everything, check_inputs
from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.inputs.settings import load_settings
from blinkpair.inputs.sheet import examine_sheet, read_fields
from tests.helpers.faults import as_nobody
from tests.helpers.input_lab import SILENT, open_header

REAL_DATA = Path(__file__).parents[3] / "shared" / "realdata"
ND2 = Path(__file__).parents[1] / "data" / "tiny_movie.nd2"


# --- files


def test_a_sound_field_gives_no_notes_and_what_its_movies_say(lab):
    lab.field()
    fields, notes = lab.check()
    assert notes == []
    assert fields[["exposure_s", "pixel_size_um"]].to_numpy().tolist() == [[0.02, 0.16]]


def test_every_missing_file_of_every_field_is_told_with_line_and_column(lab):
    lab.field("A", pre_pl=None, post_brightfield=None)
    lab.field("B", post_pl=None)
    problems = lab.problems()
    assert [(p.line, p.about) for p in problems] == [
        (2, "pre_pl"),
        (2, "post_brightfield"),
        (3, "post_pl"),
    ]
    assert problems[0].place == "fields.tsv, line 2, column pre_pl (field A)"
    assert problems[0].what == "there is no file 'A_pre_pl'"


@pytest.mark.parametrize(
    ("path", "what", "hint"),
    [
        ("A_pre_plx", "there is no file", "did you mean {folder}/A_pre_pl?"),
        ("nowhere/at/all.nd2", "there is no file", "there is no folder {folder}/nowhere"),
        ("data\\A.nd2", "there is no file", "with / between folders"),
        ("A_nothing*.tif", "no file matches the pattern", "relative paths start at {folder}"),
        ("'A_pre_pl'", "there is no file", "without quotation marks"),
        ("zzz", "there is no file", "relative paths start at {folder}"),
        ("y" * 300, "cannot be reached (File name too long)", "check path"),
    ],
)
def test_a_missing_file_is_looked_for_by_its_likely_name(lab, path, what, hint):
    lab.field(paths={"pre_pl": path})
    (problem,) = lab.problems()
    assert what in problem.what
    assert hint.format(folder=lab.folder) in problem.hint


def test_a_link_to_nothing_names_its_target(lab):
    lab.field(pre_pl=None)
    (lab.folder / "A_pre_pl").symlink_to("moved.nd2")
    (problem,) = lab.problems()
    assert "is a link to moved.nd2, which is not there" in problem.what


def test_a_file_without_read_permission_is_reported(lab):
    lab.field()
    (lab.folder / "A_pre_pl").chmod(0)
    lab.folder.chmod(0o777)
    # Root may read everything.
    with as_nobody(lab.folder) if os.geteuid() == 0 else nullcontext():
        (problem,) = lab.problems()
    assert "may not be read by you" in problem.what


def test_what_the_reader_says_is_handed_on_without_the_path_twice(lab):
    lab.field(pre_pl={"choice": ["has two channels", "choose one"]})
    (problem,) = lab.problems()
    assert (problem.what, problem.hint) == ("has two channels", "choose one")


def test_a_file_that_makes_its_reader_stumble_is_told_and_hides_no_other(lab):
    lab.field()
    (lab.folder / "A_pre_pl").write_bytes(b"\x89")
    lab.field("B", post_pl=None)
    first, second = lab.problems({"on_failed_field": "stop"})
    assert "'A_pre_pl' cannot be read (UnicodeDecodeError" in first.what
    assert second.line == 3


DAMAGED = {"damaged": ["frames are missing at the end", "copy it again"]}


def test_a_damaged_file_loses_its_own_field_and_a_wrong_choice_stops_all(lab):
    lab.field("A", pre_pl=DAMAGED)
    lab.field("B")
    fields, notes = lab.check()
    assert fields["exposure_s"].tolist() == [0.02, 0.02]
    (note,) = notes
    assert note.startswith("fields.tsv, line 2, column pre_pl (field A): frames are missing")
    assert note.endswith("The field will be refused.")
    (problem,) = lab.problems({"on_failed_field": "stop"})
    assert (problem.line, problem.about) == (2, "pre_pl")
    lab.field("C", post_pl={"choice": ["has two channels", "choose one"]})
    assert [p.line for p in lab.problems()] == [4]


def test_nothing_starts_where_no_field_would_be_left(lab):
    lab.field("A", pre_pl=DAMAGED)
    lab.field("B", post_brightfield=DAMAGED, post_pl=DAMAGED)
    assert [(p.line, p.about) for p in lab.problems()] == [
        (2, "pre_pl"),
        (3, "post_brightfield"),
        (3, "post_pl"),
    ]


def test_a_field_without_a_readable_movie_lacks_exposure_and_asks_for_little_memory(lab):
    lab.field("A", pre_pl=DAMAGED, post_pl=DAMAGED)
    lab.field("B")
    lab.sheet()
    _, fields, shapes, *_ = check_everything(
        {"fields": "fields.tsv"}, lab.folder, open_movie=open_header
    )
    assert np.isnan(fields["exposure_s"].iloc[0])
    assert shapes.loc["A"].tolist() == [1, 512, 512]
    assert shapes.loc["B"].tolist() == [20000, 512, 512]


def test_epochs_that_the_files_themselves_date_the_other_way_round_are_told(lab):
    lab.field(pre_pl={"acquired_s": 1.7e9}, post_pl={"acquired_s": 1.7e9 - 3600})
    (problem,) = lab.problems()
    assert problem.about == "post_pl"
    assert "date is 2023-11-14 21:13:20, before that of pre_pl" in problem.what
    assert "(pre_pl, 2023-11-14 22:13:20)" in problem.what


@pytest.mark.parametrize(
    "post",
    [
        {"acquired_s": 1.7e9 + 3600},
        {"acquired_s": None},
        {"acquired_s": 1.7e9 - 3600, "format": "OME-TIFF"},  # another program's clock and zone
    ],
)
def test_dates_in_order_or_not_comparable_pass(lab, post):
    lab.field(pre_pl={"acquired_s": 1.7e9}, post_pl=post)
    assert lab.check()[1] == []


def test_eight_bits_are_refused_under_a_threshold_in_counts_only(lab):
    lab.field(pre_pl={"dtype": "uint8"})
    (problem,) = lab.problems()
    assert problem.about == "pre_pl"
    assert "8 bits" in problem.what
    assert lab.check({"threshold": {"method": "hmm"}})[1] == []


def test_choices_behind_a_path_reach_the_reader_and_the_file_is_found(lab):
    lab.field(paths={"pre_pl": "A_pre_pl::channel=GFP::frames=100"})
    lab.check()


def test_missing_landmarks_are_told(lab):
    lab.field()
    (problem,) = lab.problems(landmarks="A_landmarks.csv")
    assert problem.place == "fields.tsv, line 2, column landmarks (field A)"


def test_what_a_movies_reader_found_remarkable_becomes_a_note(lab):
    lab.field(pre_pl={"notes": ["the file says period 0; the events say 20 ms."]})
    _, (note,) = lab.check()
    assert note == (
        "fields.tsv, line 2, column pre_pl (field A): the file says period 0; the events say 20 ms."
    )


# --- one file in two places


def test_a_link_does_not_hide_that_both_epochs_are_one_file(lab):
    lab.field(post_pl=None)
    (lab.folder / "A_post_pl").symlink_to("A_pre_pl")
    (problem,) = lab.problems()
    assert "the same file as in column pre_pl" in problem.what


def test_shared_files_are_told_in_their_place_among_the_lines(lab):
    lab.field("A", paths={"post_pl": "A_pre_pl"})
    lab.field("B", pre_pl=None)
    lab.sheet()
    fields = examine_sheet("fields.tsv", lab.folder).fields
    with pytest.raises(UnsoundInputError) as caught:
        check_inputs(fields, load_settings({"fields": "fields.tsv"}), lab.folder, open_header)
    assert [p.line for p in caught.value.problems] == [2, 3]


def test_a_series_of_anneals_is_noted(lab):
    lab.field("A")
    lab.field("B", "100", paths={"pre_pl": "A_post_pl"})
    _, (note,) = lab.check()
    assert "line 3, column pre_pl (field B)" in note
    assert "also the post_pl of field A (line 2)" in note


# --- all together


def test_errors_of_configuration_sheet_and_files_come_in_one_message(lab):
    lab.field("A", "70,5", pre_pl=None)
    lab.sheet()
    with pytest.raises(UnsoundInputError) as caught:
        check_everything(
            {"fields": "fields.tsv", "dark_cutof": 0.1}, lab.folder, open_movie=open_header
        )
    head, *lines = str(caught.value).splitlines()
    assert head.startswith("3 problems")
    assert [line.split(":")[0].strip() for line in lines] == [
        "configuration, dark_cutof",
        "fields.tsv, line 2, column temperature_c",
        "fields.tsv, line 2, column pre_pl (field A)",
    ]


def test_everything_sound_gives_settings_fields_and_notes(lab):
    lab.field("A")
    lab.sheet(exposure_s="0.03")
    settings, fields, _, notes, *_ = check_everything(
        {"fields": "fields.tsv"}, lab.folder, open_movie=open_header
    )
    assert settings == load_settings({"fields": "fields.tsv"})
    assert fields["exposure_s"].item() == 0.03
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("config", "extra"),
    [({"exposure_s": "20 ms"}, {}), ({}, {"exposure_s": "20 ms"})],
)
def test_what_follows_from_a_slip_is_not_told_as_another(lab, config, extra):
    lab.field(pre_pl=SILENT, post_pl=SILENT)
    lab.sheet(**extra)
    with pytest.raises(UnsoundInputError) as caught:
        check_everything({"fields": "fields.tsv", **config}, lab.folder, open_movie=open_header)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("config", [{"fields": 3}, {"field": "fields.tsv"}])
def test_no_other_sheet_is_looked_at_when_the_setting_that_names_it_is_wrong(lab, config):
    with pytest.raises(UnsoundInputError) as caught:
        check_everything(config, lab.folder, open_movie=open_header)
    assert len(caught.value.problems) == 1


def test_many_fields_are_told_in_the_order_of_the_sheet(lab):
    for i in range(40):
        lab.field(f"F{i}", **{PATH_COLUMNS[i % 4]: None})
    assert [p.line for p in lab.problems()] == list(range(2, 42))


def test_a_copy_is_refused_where_the_same_path_is(lab):
    lab.field("A")
    lab.field("B")
    shutil.copy(lab.folder / "A_pre_pl", lab.folder / "B_pre_pl")
    (problem,) = lab.problems()
    assert (problem.line, problem.about) == (3, "pre_pl")
    assert problem.what == (
        "'B_pre_pl' is a copy (of the same bytes or frames) of the pre_pl of field A "
        "(line 2): its nanocrystals would be counted twice"
    )


def test_a_copy_gets_a_note_where_the_same_path_does(lab):
    lab.field("A", temperature="70")
    lab.field("B", temperature="100")
    for column in ("pre_pl", "pre_brightfield"):
        shutil.copy(lab.folder / f"A_{column}", lab.folder / f"B_{column}")
    _, notes = lab.check()
    assert ["is a copy" in note for note in notes] == [True, True]


def test_both_epochs_of_a_field_are_no_copies_of_each_other(lab):
    lab.field("A")
    shutil.copy(lab.folder / "A_pre_brightfield", lab.folder / "A_post_brightfield")
    (problem,) = lab.problems()
    assert "is a copy" in problem.what
    assert "of that in column pre_brightfield" in problem.what


def test_two_choices_of_a_copied_file_are_two_movies(lab):
    lab.field("A", paths={"pre_pl": "A_pre_pl::position=0"})
    lab.field("B", paths={"pre_pl": "B_pre_pl::position=1"})
    shutil.copy(lab.folder / "A_pre_pl", lab.folder / "B_pre_pl")
    lab.sheet()
    fields = read_fields("fields.tsv", lab.folder)
    check_inputs(
        fields,
        load_settings({"fields": "fields.tsv"}),
        lab.folder,
        lambda path: open_header(path.partition("::")[0]),
    )
