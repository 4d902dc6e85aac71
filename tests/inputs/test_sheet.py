"""The sample sheet: every way of saving the same table, and errors by line and column."""

from pathlib import Path

import numpy as np
import pytest

from blinkpair.inputs.problems import ONLY_SPELLING, UnsoundInputError
from blinkpair.inputs.settings import load_schema
from blinkpair.inputs.sheet import examine_sheet, read_fields
from tests.helpers.sheet_rows import HEADER, PLAIN, ROW, ROW_B, problems_of, read, row, text_of

# --- the same table, however it was saved

QUOTED = [[f'"{cell}"' for cell in cells] for cells in (HEADER, ROW, ROW_B)]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip("\n"),
        "\ufeff" + PLAIN,
        text_of(HEADER, ROW, ROW_B, separator=","),
        text_of(HEADER, ROW, ROW_B, separator=";"),
        text_of(HEADER, ROW, ROW_B, end="\r\n"),
        text_of(HEADER, ROW, ROW_B, end="\r"),
        text_of([*HEADER, "", ""], [*ROW, ""], [*ROW_B, "", ""]),
        text_of(HEADER, [""] * 6, ROW, ["  "], ROW_B, [], [""] * 9),
        text_of(*QUOTED, separator=","),
        "\ufeff" + text_of(*QUOTED),
        text_of([f" {c} " for c in HEADER], [f"{c}\N{NO-BREAK SPACE}" for c in ROW], ROW_B),
        text_of(HEADER, ["A", " 70.0", *ROW[2:]], ["B", "Control", *ROW_B[2:]]),
        text_of(HEADER[::-1], ROW[::-1], ROW_B[::-1]),
    ],
)
def test_separators_line_ends_quotes_and_blanks_make_no_difference(tmp_path, text):
    fields = read(tmp_path, text)
    assert fields[HEADER].to_numpy().tolist() == [ROW, ROW_B]


def test_optional_columns_are_there_whether_or_not_the_sheet_has_them(tmp_path):
    fields = read(tmp_path, PLAIN)
    optional = [c for c in load_schema("fields")["properties"] if c != "treatment"]
    assert list(fields.columns) == optional
    assert (fields[["sample", "landmarks"]] == "").all(axis=None)
    assert fields[["exposure_s", "pixel_size_um"]].isna().all(axis=None)
    assert (fields[["exposure_s", "pixel_size_um"]].dtypes == np.float64).all()


def test_the_index_is_the_line_an_editor_shows(tmp_path):
    fields = read(tmp_path, text_of([], HEADER, [], ROW, [], ROW_B))
    assert fields.index.name == "sheet_line"
    assert fields.index.tolist() == [4, 6]


def test_unknown_columns_are_carried_untouched(tmp_path):
    fields = read(
        tmp_path,
        text_of([*HEADER, "note", "batch no", "pre_pl_laser"], [*ROW, " 007 ", "1e3", "nan"]),
    )
    unknown = fields.loc[:, ["note", "batch no", "pre_pl_laser"]]
    assert unknown.to_numpy().tolist() == [[" 007 ", "1e3", "nan"]]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("70", "70"), ("70.50", "70.5"), ("-20", "-20"), ("1e2", "100"), ("-0", "0"),
     ("control", "control"), ("CONTROL", "control")],
)  # fmt: skip
def test_one_temperature_has_one_form(tmp_path, written, meant):
    assert (
        read(tmp_path, text_of(HEADER, row(temperature=written)))["temperature_c"].item() == meant
    )


@pytest.mark.parametrize(
    "path",
    ["data/my field/pre.nd2", "Müller's/\N{GREEK SMALL LETTER ALPHA}.tif", "/abs/x.tif",
     "x/*.tif", "x/[0-9]?.tif", "x.nd2::channel=GFP 1::z=3", 'a"b.tif', "a::b.tif"],
)  # fmt: skip
def test_paths_may_hold_what_file_systems_and_readers_allow(tmp_path, path):
    assert read(tmp_path, text_of(HEADER, row(pre_pl=path)))["pre_pl"].item() == path


def test_a_quoted_cell_may_hold_the_separator_and_quotes(tmp_path):
    cells = row(pre_pl='"a, ""b"".tif"')
    fields = read(tmp_path, text_of(HEADER, cells, separator=","))
    assert fields["pre_pl"].item() == 'a, "b".tif'


def test_the_home_folder_is_put_in(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    fields = read(tmp_path, text_of(HEADER, row(pre_pl="~/a.tif")))
    assert fields["pre_pl"].item() == "/home/ada/a.tif"


# --- the file


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (b"", "is empty", "field, temperature_c, pre_brightfield"),
        (b" \n\t\n", "is empty", "names the columns"),
        (text_of(HEADER).encode(), "a header and no rows", "one row a field"),
        (b"PK\x03\x04\x00", "a workbook", "CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1", "a workbook", "CSV UTF-8"),
        (PLAIN.encode("utf-16"), "UTF-16", "CSV UTF-8"),
        (b"abc\x00\x01", "not a text file", "save it as text"),
        (PLAIN.encode() + "ü".encode("latin-1"), "line 4 has a character that is not UTF-8", "UTF"),
        (text_of(HEADER, ROW, separator="  ").encode(), "neither tabs, commas nor semi", "one tab"),
        (b'"field', "cannot be read", "quotation"),
        (b"My sheet\n\n" + PLAIN.encode(), "the header is on line 3", "remove what is above it"),
        (b"sep=;\n" + PLAIN.encode(), "the header is on line 2", "remove what is above it"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_sheet_is_named_for_what_it_is(tmp_path, content, what, hint):
    (problem,) = problems_of(tmp_path, content)
    assert problem.place.startswith("fields.tsv")
    assert what in problem.what
    assert hint in problem.hint


def test_a_missing_sheet_names_one_that_looks_like_it(tmp_path):
    (tmp_path / "fields.csv").write_text(PLAIN)
    with pytest.raises(UnsoundInputError, match=r"no such sample sheet.*mean fields.csv"):
        read_fields("fields.tsv", tmp_path)
    with pytest.raises(UnsoundInputError, match=r"no such sample sheet"):
        read_fields("nowhere/fields.tsv", tmp_path)


def test_a_folder_and_a_movie_are_no_sheets(tmp_path):
    with pytest.raises(UnsoundInputError, match=r"a folder, not a sample sheet"):
        read_fields(tmp_path)
    with (tmp_path / "movie.tsv").open("wb") as file:
        file.truncate(10_500_000_000)  # a sparse file as long as a movie: it must not be read
    with pytest.raises(UnsoundInputError, match=r"10500 MB: too much"):
        read_fields("movie.tsv", tmp_path)


# --- the header


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("Field", "field"), ("temprature_c", "temperature_c"), ("temperature", "temperature_c"),
     ("pre bright field", "pre_brightfield"), ("post_PL", "post_pl"), ("pre-pl", "pre_pl")],
)  # fmt: skip
def test_a_required_column_misspelt_is_named_once_with_its_right_name(tmp_path, wrong, meant):
    header = [wrong if name == meant else name for name in HEADER]
    (problem,) = problems_of(tmp_path, text_of(header, ROW))
    assert problem.place == "fields.tsv, line 1"
    assert problem.what == f"there is no column '{wrong}' of that spelling"
    assert problem.hint == f"did you mean {meant}?"


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("Sample", "sample"), ("exposure", "exposure_s"), ("exposure_ms", "exposure_s"),
     ("Exposure time (s)", "exposure_s"), ("pixel_size", "pixel_size_um"),
     ("pixel um", "pixel_size_um"), ("landmark", "landmarks")],
)  # fmt: skip
def test_an_optional_column_misspelt_is_not_ignored_in_silence(tmp_path, wrong, meant):
    (problem,) = problems_of(tmp_path, text_of([*HEADER, wrong], [*ROW, ""]))
    assert problem.hint == f"did you mean {meant}?"


def test_two_spellings_of_one_column_are_refused(tmp_path):
    (problem,) = problems_of(tmp_path, text_of([*HEADER, "sample", "Sample"], [*ROW, "a", "b"]))
    assert problem.hint == "did you mean sample?"


@pytest.mark.parametrize("name", ["operator", "sample_id", "date", "remark", "wavelength_nm"])
def test_a_column_of_the_users_own_is_let_through(tmp_path, name):
    assert name in read(tmp_path, text_of([*HEADER, name], [*ROW, "x"]))


def test_missing_doubled_nameless_and_reserved_columns_are_told_together(tmp_path):
    header = ["field", "pre_pl", "pre_pl", "", "nc_id", "post_pl"]
    problems = problems_of(tmp_path, text_of(header, ["A", "a", "b", "c", "d", "e"]))
    assert [p.place for p in problems] == ["fields.tsv, line 1"] * 4
    told = " ".join(p.what for p in problems)
    assert "the column pre_pl is there twice" in told
    assert "'nc_id' is, or looks like, a column that the results have" in told
    assert "columns temperature_c, pre_brightfield and post_brightfield are missing" in told
    assert "column 4 has no name, but line 2 has a value in it" in told


# --- rows and cells


@pytest.mark.parametrize(
    ("column", "cell", "what", "hint"),
    [
        ("field", "", "no value is given", "unique name"),
        ("field", "N2 70°C", "cannot be a field's name", "write N2_70_C, for example"),
        ("field", "a/b", "cannot be a field's name", "write a_b"),
        ("field", "é", "cannot be a field's name", "another name"),
        ("field", ".", "cannot be a field's name", "another name"),
        ("field", "..", "cannot be a field's name", "another name"),
        ("field", ".hidden", "cannot be a field's name", "write hidden"),
        ("field", "-rf", "cannot be a field's name", "write rf"),
        ("field", "#A", "cannot be a field's name", "delete its row"),
        ("field", "x" * 101, "101 characters, more than 100", "shorter"),
        ("temperature_c", "", "no value is given", "control"),
        ("temperature_c", "70,5", "neither a number nor the word control", "decimal point: 70.5"),
        ("temperature_c", "70 °C", "neither a number", "number alone in degrees C: 70"),
        ("temperature_c", "\N{MINUS SIGN}20", "neither a number", "as a hyphen: -20"),
        ("temperature_c", "nan", "neither a number", "write a number"),
        ("temperature_c", "1_0", "neither a number", "write a number"),
        ("temperature_c", "kontrol", "neither a number", "did you mean control?"),
        ("temperature_c", "-274", "out of range: it must be from -273 to 1000", "degrees C"),
        ("temperature_c", "1001", "out of range", "degrees C"),
        ("pre_pl", "", "no value is given", "relative path"),
        ("pre_pl", "a{b}.tif", "curly bracket", "rename"),
        ("post_pl", "s3://bucket/x.tif", "an address, not a file", "copy"),
        ("post_pl", "x.nd2::chanel=1", "'::chanel=1' is not a choice", "::channel="),
        ("landmarks", "a{b}.csv", "curly bracket", "rename"),
        ("exposure_s", "0,02", "not a number", "decimal point: 0.02"),
        ("exposure_s", "20", "above 0 and at most 10", "in seconds"),
        ("exposure_s", "0", "above 0", "in seconds"),
        ("exposure_s", "20ms", "not a number", "in seconds: 0.02"),
        ("pixel_size_um", "160 nm", "not a number", "in micrometres: 0.16"),
        ("pixel_size_um", "16", "above 0 and at most 5", "in micrometres"),
    ],
)
def test_a_bad_cell_is_told_with_line_column_and_remedy(tmp_path, column, cell, what, hint):
    extra = {column: cell}
    header = HEADER if column in HEADER else [*HEADER, column]
    (problem,) = problems_of(tmp_path, text_of(header, row("B"), row("A", **extra)))
    assert problem.place == f"fields.tsv, line 3, column {column}"
    assert problem.line == 3
    assert what in problem.what
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ([*ROW, "x"], "has 7 cells, the header names 6 columns"),
        (ROW[:4], "ends after 4 cells, before post_pl"),
        (["A"], "ends after 1 cell, before post_pl"),
        (['"A', *ROW[1:]], "quotation mark is not closed"),
        (['"A"b', *ROW[1:]], "text follows a closed one"),
        (["A", "70", "a\x07b", "b", "c", "d"], r"control character (\x07)"),
        (["A", "70", "a\x85b", "b", "c", "d"], r"control character (\x85)"),
        (["A", "70", '"a\tb"', "b", "c", "d"], r"control character (\t)"),
    ],
)
def test_a_row_of_the_wrong_shape_is_told_once(tmp_path, cells, what):
    (problem,) = problems_of(tmp_path, text_of(HEADER, ROW_B, cells))
    assert problem.place.startswith("fields.tsv, line 3")
    assert what in problem.what


def test_a_decimal_comma_in_a_comma_separated_sheet_is_guessed(tmp_path):
    (problem,) = problems_of(tmp_path, text_of(HEADER, ["A", "70,5", *ROW[2:]], separator=","))
    assert "decimal point" in problem.hint


def test_names_are_unique_also_where_case_does_not_count(tmp_path):
    problems = problems_of(
        tmp_path, text_of(HEADER, row("A"), row("A", tag="x"), row("a", tag="y"))
    )
    assert [p.place for p in problems] == [f"fields.tsv, line {n}, column field" for n in (3, 4)]
    assert "the name A is also on line 2" in problems[0].what
    assert "a differs from A (line 2) only in upper and lower case" in problems[1].what


def test_samples_that_differ_in_spelling_only_are_refused(tmp_path):
    # as two samples of a treatment they would be two independent units of its intervals
    header = [*HEADER, "sample"]
    rows = [
        row(name, sample=slip)
        for name, slip in zip("ABC", ("slip 1", "Slip1", "slip2"), strict=True)
    ]
    (problem,) = problems_of(tmp_path, text_of(header, *rows))
    assert problem.place == "fields.tsv, line 3, column sample"
    assert ONLY_SPELLING in problem.what


def test_all_errors_are_told_in_the_order_of_the_lines(tmp_path):
    rows = [row("A", "70,5"), row("B"), row("b", tag="x"), row("D", pre_pl="{"), row("E", "hot")]
    problems = problems_of(tmp_path, text_of(HEADER, *rows))
    assert [p.line for p in problems] == [2, 4, 5, 6]


@pytest.mark.parametrize(
    ("column", "cell"),
    [("temperature_c", "-273"), ("temperature_c", "1000"), ("exposure_s", "10"),
     ("pixel_size_um", "5"), ("field", "x" * 100)],
)  # fmt: skip
def test_the_ends_of_a_range_belong_to_it(tmp_path, column, cell):
    header = HEADER if column in HEADER else [*HEADER, column]
    fields = read(tmp_path, text_of(header, row(**{column: cell})))
    assert str(fields[column].item()).removesuffix(".0") == cell


# --- what the sheet may have beside it


def test_the_readme_names_every_column():
    text = (Path(__file__).parents[2] / "config" / "README.md").read_text(encoding="utf-8")
    for column in load_schema("fields")["properties"]:
        assert f"`{column}`" in text, column


def test_a_sheet_of_another_schema_is_read_by_its_own_columns(tmp_path):
    schema = {
        "required": ["slip", "dose"],
        "properties": {
            "slip": {
                "x-kind": "name", "pattern": "^[a-z]+$", "maxLength": 9, "description": "Slip",
            },
            "dose": {
                "type": "number", "exclusiveMinimum": 0, "maximum": 5,
                "x-unit": "seconds", "description": "Dose",
            },
        },
    }  # fmt: skip
    path = tmp_path / "slips.csv"
    path.write_text("slip,dose,note\na,1.5,x\na,9,y\n")
    sheet = examine_sheet(path, schema=schema)
    assert list(sheet.fields) == ["slip", "dose", "note"]
    assert sheet.fields["dose"].tolist()[0] == 1.5
    assert [(p.line, p.about) for p in sheet.problems] == [(3, "dose"), (3, "slip")]
