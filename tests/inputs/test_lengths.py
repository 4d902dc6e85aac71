"""Movies of unequal length, too short ones, shared ones, and the order of the epochs."""

import pytest

from blinkpair.inputs.movie_record import equal_length_s
from blinkpair.run.sheet_columns import shared_movies
from tests.helpers.input_lab import Lab


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


def of_frames(frames):
    return {epoch: {"shape": [frames, 512, 512]} for epoch in ("pre_pl", "post_pl")}


def test_unequal_lengths_are_noted_where_there_is_a_control(lab):
    lab.field("A", **of_frames(3000))
    lab.field("B", **of_frames(20_000))
    _, notes = lab.check()
    assert not [note for note in notes if " s long" in note]
    assert equal_length_s(lab.examined()) == pytest.approx(60.0)
    lab.field("C", "control", **of_frames(20_000))
    _, notes = lab.check()
    assert (
        "The movies are 60 to 400 s long: treatments are compared with the control over the first "
        "60 s."
    ) in notes
    _, notes = lab.check({"statistics": {"equal_length": False}})
    assert any("short movies scatter more (statistics.equal_length: false)" in n for n in notes)


def test_movies_a_few_frames_apart_are_equal(lab):
    lab.field("A", **of_frames(2000))
    lab.field("B", "control", **of_frames(1990))
    assert equal_length_s((lab.sheet(), lab.examined())[1]) is None


def test_times_per_frame_that_differ_between_fields_are_noted_with_the_rarer_ones(lab):
    for name, exposure_s in {"A": 0.02, "B": 0.02001, "C": 0.1, "D": 0.02}.items():
        both = {"exposure_s": exposure_s, "exposure_from": "stamps"}
        lab.field(name, pre_pl=both, post_pl=both)
    _, notes = lab.check()
    (note,) = [note for note in notes if note.startswith("Frames of")]
    assert note.startswith("Frames of 0.02 s in A, D, B and of 0.1 s: C. A fixed threshold")


def test_times_per_frame_that_scatter_are_alike(lab):
    for name, exposure_s in {"A": 0.02, "B": 0.020015, "C": 0.02003}.items():
        both = {"exposure_s": exposure_s, "exposure_from": "stamps"}
        lab.field(name, pre_pl=both, post_pl=both)
    assert not [note for note in lab.check()[1] if note.startswith("Frames of")]


def test_movies_too_short_for_types_are_noted_before_the_start(lab):
    lab.field("A", **of_frames(300))
    _, notes = lab.check()
    short = [note for note in notes if "the movie has 300 frames" in note]
    assert len(short) == 2
    assert "the 50 events that a type needs (dwell_times.min_events)" in short[0]
    assert not [n for n in lab.check({"dwell_times": {"min_events": 20}})[1] if "300 frames" in n]


def test_fields_that_share_a_movie_are_known_by_their_files(lab):
    lab.field("A")
    lab.field("B", "100", paths={"pre_pl": "A_post_pl"})
    lab.field("C", "control")
    lab.sheet()
    fields = lab.examined().set_index("field", drop=False)
    movies = shared_movies(fields)
    assert list(movies) == ["A", "B"]
    assert movies["A"][1] == movies["B"][0]


@pytest.mark.parametrize(
    ("before", "after", "order"),
    [(1.7e9, 1.7e9 + 9000, "confirmed by dates"), (1.7e9, None, "not checked")],
)
def test_the_order_of_the_epochs_is_confirmed_by_two_dates(lab, before, after, order):
    lab.field(pre_pl={"acquired_s": before}, post_pl={"acquired_s": after})
    lab.sheet()
    assert lab.examined()["epoch_order"].tolist() == [order]
