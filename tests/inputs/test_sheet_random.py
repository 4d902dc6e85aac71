"""The sample sheet and its schema accept the same rows, and any text is read or refused."""

from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from blinkpair.inputs.problems import UnsoundInputError, as_number
from blinkpair.inputs.settings import load_schema
from tests.helpers.sheet_rows import HEADER, PLAIN, problems_of, read, row, text_of

RANDOM_ROWS = trials(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

CELLS = {
    "field": ["A", "a.b-c_1", "1", "", ".", "..", "-a", "a b", "a/b", "é", "x" * 100, "x" * 101],
    "temperature_c": ["70", "-273", "1000", "control", "", "-273.1", "1000.5", "hot", "7,0", "nan"],
    "pre_pl": ["a.tif", "a b/ü.nd2", "x::z=1", "", "a{b}", "a}"],
    "post_brightfield": ["b.tif", "", "{"],
    "sample": ["", "S 1"],
    "exposure_s": ["", "0.02", "10", "0", "-1", "10.01", "x", "0,1"],
    "pixel_size_um": ["", "0.16", "5", "0", "5.1", "inf"],
    "landmarks": ["", "l.csv", "{"],
    "anything": ["", "{}", "-1"],
}  # fmt: skip


def as_json(column, text):
    number = as_number(text)
    numeric = column in ("temperature_c", "exposure_s", "pixel_size_um")
    return number if numeric and number is not None else text


@RANDOM_ROWS
@given(st.fixed_dictionaries({c: st.sampled_from(cells) for c, cells in CELLS.items()}))
def test_schema_and_reader_accept_the_same_rows(tmp_path, cells):
    header = [*HEADER, *(c for c in cells if c not in HEADER)]
    written = dict(zip(header, row(**cells), strict=True))
    optional = set(header) - set(HEADER)
    as_row = {c: as_json(c, t) for c, t in written.items() if t or c not in optional}
    valid = Draft202012Validator(load_schema("fields")).is_valid(as_row)
    text = text_of(header, [written[c] for c in header])
    if valid:
        assert len(read(tmp_path, text)) == 1
    else:
        assert problems_of(tmp_path, text)


@RANDOM_ROWS
@given(
    st.lists(st.sampled_from([*PLAIN, "\t", '"', ",", "\r", "\x00", "\ufeff", "ü", PLAIN, "::"]))
)
def test_whatever_text_is_given_is_read_or_refused_with_this_one_error(tmp_path, pieces):
    try:
        read(tmp_path, "".join(pieces))
    except UnsoundInputError as error:
        told = str(error).splitlines()
    else:
        return
    assert len(told) > 1
    assert all(line.startswith("  fields.tsv") for line in told[1:])
