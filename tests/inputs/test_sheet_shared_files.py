"""One file in two places of the sample sheet: shared where nothing is counted twice."""

import itertools

import pytest

from blinkpair.inputs.columns import PATH_COLUMNS
from tests.helpers.sheet_rows import HEADER, problems_of, read, row, text_of


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(PATH_COLUMNS, 2)])
def test_one_file_cannot_be_two_of_one_field(tmp_path, first, second):
    # ./data/../x is x: the same file under two names is the same file.
    cells = row(**{first: "x", second: "./data/../x"})
    (problem,) = problems_of(tmp_path, text_of(HEADER, cells))
    assert problem.place.endswith(f"line 2, column {second}")
    assert f"the same file as in column {first}" in problem.what


def test_two_channels_of_one_file_are_two_sources(tmp_path):
    cells = row(pre_brightfield="x.nd2::channel=BF", pre_pl="x.nd2::channel=GFP")
    assert len(read(tmp_path, text_of(HEADER, cells))) == 1


@pytest.mark.parametrize(
    ("other", "column"),
    [
        (row("B", pre_pl="A_pre_pl"), "pre_pl"),  # same movie, same temperature: counted twice
        (row("B", "100", post_pl="A_post_pl"), "post_pl"),  # after two anneals at once
        (row("B", pre_pl="A_post_brightfield"), "pre_pl"),  # an image as a movie
    ],
)
def test_a_movie_that_would_count_twice_is_refused(tmp_path, other, column):
    (problem,) = problems_of(tmp_path, text_of(HEADER, row("A"), other))
    assert problem.place == f"fields.tsv, line 3, column {column}"
    assert "field A (line 2)" in problem.what


@pytest.mark.parametrize(
    "other",
    [
        row("B", "100", pre_pl="A_pre_pl"),  # one movie before, two anneals
        row("B", "100", pre_pl="A_post_pl"),  # a series of anneals
        row("B", pre_brightfield="A_pre_brightfield"),
        row("B", pre_brightfield="A_post_brightfield"),
    ],
)
def test_files_may_be_shared_where_nothing_is_counted_twice(tmp_path, other):
    assert len(read(tmp_path, text_of(HEADER, row("A"), other))) == 2


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_a_series_that_ends_with_its_first_movie_is_refused(tmp_path, names):
    """Of two rows, one is the other with its epochs exchanged."""
    before = dict(zip(names, names[-1] + names, strict=False))  # A begins with the last one's after
    rows = [row(name, pre_pl=f"{before[name]}_post_pl") for name in names]
    (problem,) = problems_of(tmp_path, text_of(HEADER, row("Z"), *rows))
    assert problem.line == len(names) + 2
    for line, name in enumerate(names, 3):
        assert f"{name} (line {line})" in problem.what
    assert "counted twice" in problem.what
    assert "exchanged" in problem.hint
