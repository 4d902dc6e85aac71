"""Rows and texts of sample sheets, and what reading them gives, for the tests of the sheet."""

import pytest

from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.inputs.sheet import read_fields

HEADER = ["field", "temperature_c", *PATH_COLUMNS]
ROW = ["A", "70", "pre bf.nd2", "pre.nd2", "post bf.nd2", "post.nd2"]
ROW_B = ["B", "control", "b1", "b2", "b3", "b4"]


def row(name="A", temperature="70", tag=None, **cells):
    """Return one row whose files are its own unless others are given."""
    tag = tag or name
    values = {"field": name, "temperature_c": temperature}
    values |= {column: f"{tag}_{column}" for column in PATH_COLUMNS} | cells
    return [values[c] for c in [*HEADER, *(c for c in cells if c not in HEADER)]]


def text_of(*rows, separator="\t", end="\n"):
    return end.join(separator.join(cells) for cells in rows) + end


def read(tmp_path, text, name="fields.tsv"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_fields(name, tmp_path)


def problems_of(tmp_path, text):
    with pytest.raises(UnsoundInputError) as caught:
        read(tmp_path, text)
    return caught.value.problems


PLAIN = text_of(HEADER, ROW, ROW_B)
