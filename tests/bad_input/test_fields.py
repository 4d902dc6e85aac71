"""A field with wrong files is refused or reported, and the other fields finish."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.run.launch import prepare
from tests.bad_input import spoilt_files, spoilt_scenes, spoilt_sets
from tests.bad_input.cases import FIELD_CASES, FieldCase
from tests.bad_input.chain import analyse
from tests.bad_input.field_files import Files, simulated
from tests.bad_input.judge import COUNTED, judge

TABLES = [spoilt_files, spoilt_scenes, spoilt_sets]  # importing them fills the table
RUN = [case for case in FIELD_CASES if case.outcome != "stops"]
STOPPED = [case for case in FIELD_CASES if case.outcome == "stops"]


def named(cases: list[FieldCase]) -> list:
    slow = pytest.mark.slow
    return [pytest.param(c, id=c.field, marks=[slow] if c.slow else []) for c in cases]


@pytest.fixture(scope="module")
def sound() -> Files:
    return simulated()


@pytest.fixture(scope="module")
def results(request, sound, tmp_path_factory):
    """Analyse the sound field and all that were chosen to be tested, in one experiment."""
    folder = tmp_path_factory.mktemp("bad_input")
    rows = [sound.write(folder, "sound")]
    chosen = {test.name.partition("[")[2].rstrip("]") for test in request.session.items}
    for case in (case for case in RUN if case.field in chosen):
        spoilt = sound.copy()
        case.spoil(spoilt)
        rows.append(spoilt.write(folder, case.field))
    pd.DataFrame(rows).fillna("").to_csv(folder / "sheet.tsv", sep="\t", index=False)
    return analyse(folder, {"fields": "sheet.tsv"})


@pytest.fixture(scope="module")
def fields(results):
    return pd.read_csv(results / "fields.csv", keep_default_na=False).set_index("field")


@pytest.fixture(scope="module")
def nanocrystals(results):
    return pd.read_csv(results / "nanocrystals.csv", keep_default_na=False, na_values=[""])


def test_the_sound_field_is_analysed_whatever_stands_beside_it(fields, nanocrystals):
    assert fields.at["sound", "status"] == "ok"
    own = nanocrystals[nanocrystals["field"] == "sound"]
    assert own["population"].isin(COUNTED).sum() >= 20


@pytest.mark.parametrize("case", named(RUN))
def test_a_field_is_refused_with_its_reason_or_has_the_sound_ones_numbers(
    fields, nanocrystals, case
):
    assert judge(case, fields, nanocrystals) == ""


@pytest.mark.parametrize("case", named(STOPPED))
def test_what_the_sheet_can_mend_is_reported_before_anything_starts(
    sound, tmp_path, monkeypatch, case
):
    spoilt = sound.copy()
    case.spoil(spoilt)
    rows = [spoilt.write(tmp_path, case.field)]
    pd.DataFrame(rows).to_csv(tmp_path / "sheet.tsv", sep="\t", index=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnsoundInputError) as caught:
        prepare({"fields": "sheet.tsv"}, (), submitted=False)
    assert re.search(case.says, str(caught.value)), caught.value
    assert "sheet.tsv, line 2, column" in str(caught.value)


def test_everything_named_is_tried():
    assert len({case.field for case in FIELD_CASES}) == len(FIELD_CASES)
    assert not [case.name for case in FIELD_CASES if case.outcome != "analysed" and not case.says]
