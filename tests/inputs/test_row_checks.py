"""What must fit together among the files of one field, and what they say of it."""

import numpy as np
import pytest

from blinkpair.errors import InputError
from tests.helpers.input_lab import IMAGE, MOVIE

# --- what must fit together


@pytest.mark.parametrize(
    ("headers", "column", "what"),
    [
        ({"post_pl": {"shape": [20000, 256, 512]}, "post_brightfield": {"shape": [1, 256, 512]}},
         "post_pl", "512 x 256 pixels, those of pre_pl 512 x 512"),
        ({"pre_brightfield": {"shape": [1, 1024, 1024]}},
         "pre_brightfield", "1024 x 1024 pixels, those of pre_pl 512 x 512"),
        ({"post_brightfield": {"shape": [1, 512, 256]}},
         "post_brightfield", "256 x 512 pixels, those of post_pl 512 x 512"),
        ({"post_pl": {"shape": [10000, 512, 512]}},
         "post_pl", "10000 frames, pre_pl 20000"),
        ({"post_pl": {"shape": [19700, 512, 512]}}, "post_pl", "19700 frames"),  # 1.5 % less
        ({"post_pl": {"exposure_s": 0.05}}, "post_pl", "0.05 s here and 0.02 s in pre_pl"),
        ({"post_pl": {"pixel_size_um": 0.107}}, "post_pl", "0.107 um here and 0.16 um in pre_pl"),
        ({"pre_pl": {"shape": [1, 512, 512]}}, "pre_pl", "an image stands where the movie"),
        ({"pre_brightfield": {"shape": [101, 512, 512]}},
         "pre_brightfield", "has 101 frames: is this the movie?"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_together_are_refused(lab, headers, column, what):
    lab.field(**headers)
    (problem,) = lab.problems()
    assert problem.place == f"fields.tsv, line 2, column {column} (field A)"
    assert what in problem.what


@pytest.mark.parametrize(
    "headers",
    [
        {"post_pl": {"shape": [19801, 512, 512]}},  # frames missing at the end, 0.995 %
        {"post_pl": {"exposure_s": 0.0201}},  # a measured interval, 0.5 %
        {"pre_brightfield": {"shape": [100, 512, 512]}},
        {"pre_brightfield": {"exposure_s": 0.5, "pixel_size_um": 0.3}},  # not asked about it
    ],
)
def test_what_differs_by_less_than_a_percent_or_does_not_matter_passes(lab, headers):
    lab.field(**headers)
    assert lab.check()[1] == []


def test_a_shorter_movie_is_told_how_to_use_the_beginning_of_the_longer_one(lab):
    lab.field(pre_pl={"shape": [18000, 512, 512]})
    (problem,) = lab.problems()
    assert "write ::frames=18000 behind its path (post_pl)" in problem.hint


def test_frames_left_out_of_one_movie_only_are_named_with_the_cure(lab):
    lab.field(paths={"pre_pl": "A_pre_pl::skip=400"}, pre_pl={"shape": [19600, 512, 512]})
    (problem,) = lab.problems()
    assert "leaves out 400 frames of pre_pl and 0 of post_pl" in problem.what
    assert "write the same '::skip=' behind both" in problem.hint


def test_movies_that_begin_a_few_frames_apart_get_a_note(lab):
    lab.field(paths={"post_pl": "A_post_pl::skip=5"}, post_pl={"shape": [19995, 512, 512]})
    (note,) = lab.check()[1]
    assert "leaves out 0 frames of pre_pl and 5 of post_pl" in note


def test_a_movie_of_which_too_little_is_left_is_no_image(lab):
    lab.field(paths={"pre_pl": "A_pre_pl::skip=799"}, pre_pl={"shape": [1, 512, 512]})
    (problem,) = lab.problems()
    assert problem.what == "'::skip=799' leaves 1 of its 800 frames"


def test_a_movie_and_an_image_that_are_swapped_are_called_so(lab):
    lab.field(pre_pl=IMAGE, pre_brightfield=MOVIE)
    told = " ".join(p.hint for p in lab.problems())
    assert "pre_pl and pre_brightfield are probably swapped" in told


def test_an_image_in_the_place_of_a_movie_is_not_asked_for_its_exposure_too(lab):
    lab.field(pre_pl=IMAGE, post_pl=IMAGE)
    assert [p.about for p in lab.problems()] == ["pre_pl", "post_pl"]


def test_a_movie_of_a_few_frames_is_no_movie(lab):
    lab.field(pre_pl={"shape": [19, 512, 512]}, post_pl={"shape": [19, 512, 512]})
    assert ["has 19 frames: too few" in p.what for p in lab.problems()] == [True, True]


def test_a_short_movie_gets_a_note(lab):
    lab.field(pre_pl={"shape": [49, 512, 512]}, post_pl={"shape": [49, 512, 512]})
    assert ["has 49 frames only" in note for note in lab.check()[1]] == [True, True]


# --- exposure and pixel size: the sheet, then the movie, then the configuration


@pytest.mark.parametrize(
    ("pre", "post", "sheet", "config", "used", "noted"),
    [
        (0.02, 0.02, "", None, 0.02, []),
        (0.02, 0.02, "0.03", 0.04, 0.03, ["pre_pl", "post_pl"]),
        (0.02, 0.05, "0.02", None, 0.02, ["post_pl"]),
        (None, None, "0.03", 0.04, 0.03, []),
        (None, None, "", 0.04, 0.04, []),
        (0.02, 0.02, "", 0.04, 0.02, ["pre_pl"]),
        (0.02, 0.02, "", 0.0201, 0.02, []),
        (0.02, None, "", None, 0.02, ["post_pl"]),
        (None, 0.02, "", None, 0.02, ["pre_pl"]),
    ],
)
def test_the_sheet_goes_before_the_movie_and_the_movie_before_the_configuration(
    lab, pre, post, sheet, config, used, noted
):
    lab.field(pre_pl={"exposure_s": pre}, post_pl={"exposure_s": post})
    fields, notes = lab.check({"exposure_s": config}, exposure_s=sheet)
    assert fields["exposure_s"].item() == used
    assert [note.split("column ")[1].split()[0] for note in notes] == noted


@pytest.mark.parametrize(("sheet", "noted"), [("5", True), ("0.9", False)])
@pytest.mark.parametrize("confirmed", [True, False])
def test_seconds_that_may_be_milliseconds_are_noted_unless_a_file_confirms_them(
    lab, sheet, noted, confirmed
):
    of_file = {"exposure_s": float(sheet) if confirmed else None}
    lab.field(pre_pl=of_file, post_pl=of_file)
    _, notes = lab.check(exposure_s=sheet)
    assert any("if milliseconds are meant, write 0.005" in note for note in notes) == (
        noted and not confirmed
    )


def test_a_value_known_from_nowhere_is_asked_for(lab):
    lab.field(
        pre_pl={"exposure_s": None, "pixel_size_um": None},
        post_pl={"exposure_s": None, "pixel_size_um": None},
    )
    exposure, pixel = lab.problems()
    assert "known neither from the movies nor from the sheet or configuration" in exposure.what
    assert "add 'exposure_s: 0.02'" in exposure.hint
    assert "add 'pixel_size_um: 0.16'" in pixel.hint


def test_a_change_of_scale_is_allowed_where_the_model_allows_it(lab):
    lab.field(post_pl={"pixel_size_um": 0.15})
    fields, (note,) = lab.check({"registration": {"model": "similarity"}})
    assert fields["pixel_size_um"].item() == 0.16
    assert "that of pre_pl is used" in note


@pytest.mark.parametrize(
    ("diameter_um", "what"),
    [(0.4, "2.5 pixels across at 0.16 um a pixel; at least 3"), (40, "the image has only 512")],
)
def test_microspheres_that_cannot_be_found_at_this_pixel_size_are_told(lab, diameter_um, what):
    lab.field()
    (problem,) = lab.problems({"microspheres": {"diameter_um": diameter_um}})
    assert problem.about == "pre_brightfield"
    assert what in problem.what


def test_the_bounds_of_the_microspheres_are_those_of_their_finder():
    from blinkpair import brightfield
    from blinkpair.brightfield.limits import MIN_DIAMETERS

    size = MIN_DIAMETERS * 10.0
    brightfield.find_microspheres(np.zeros((int(size), int(size))), 10.0)
    with pytest.raises(InputError, match="less than three"):
        brightfield.find_microspheres(np.zeros((int(size) - 1, int(size))), 10.0)
