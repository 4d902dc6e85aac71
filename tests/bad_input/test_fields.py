"""Whatever is wrong with one field's files: it is refused or told, and the others finish."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import spoilt_files
import spoilt_scenes
from cases import FIELD_CASES, FieldCase
from chain import analyse
from field_files import Files, simulated
from scipy.spatial import cKDTree

from blinkpair.launch import prepare
from blinkpair.problems import UnsoundInputError

TABLES = [spoilt_files, spoilt_scenes]  # importing them fills the table
RUN = [case for case in FIELD_CASES if case.outcome != "stops"]
STOPPED = [case for case in FIELD_CASES if case.outcome == "stops"]
COUNTED = ["became_emissive", "became_dark", "emissive"]


def named(cases: list[FieldCase]) -> list:
    return [pytest.param(case, id=case.field) for case in cases]


@pytest.fixture(scope="module")
def sound() -> Files:
    return simulated()


@pytest.fixture(scope="module")
def results(sound, tmp_path_factory):
    """Analyse the sound field and all that do not stop a run, in one experiment."""
    folder = tmp_path_factory.mktemp("bad_input")
    rows = [sound.write(folder, "sound")]
    for case in RUN:
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


@pytest.mark.parametrize("case", named([c for c in RUN if c.outcome == "refused"]))
def test_a_field_is_refused_with_its_reason_and_no_number(fields, nanocrystals, case):
    assert fields.at[case.field, "status"] == "failed", fields.loc[case.field]
    reason = fields.at[case.field, "reason"]
    assert re.search(case.says, reason), reason
    assert "Traceback" not in reason
    assert case.field not in set(nanocrystals["field"])


@pytest.mark.parametrize("case", named([c for c in RUN if c.outcome == "analysed"]))
def test_what_does_no_harm_changes_no_number(fields, nanocrystals, case):
    assert fields.at[case.field, "status"] == "ok", fields.at[case.field, "reason"]
    counted = nanocrystals[nanocrystals["population"].isin(COUNTED)]
    own, sound = (counted[counted["field"] == name] for name in (case.field, "sound"))
    assert len(own) == len(sound)
    place = ["x_post", "y_post"]
    distance, match = cKDTree(sound[place]).query(own[place])
    assert distance.max() < 0.5
    assert own["population"].tolist() == sound["population"].to_numpy()[match].tolist()
    # One odd frame of 200 moves an on-fraction by 0.005.
    difference = own["delta_on_fraction"].to_numpy() - sound["delta_on_fraction"].to_numpy()[match]
    assert np.abs(difference).max() <= 0.0051


@pytest.mark.parametrize("case", named(STOPPED))
def test_what_the_sheet_can_mend_is_told_before_anything_starts(sound, tmp_path, monkeypatch, case):
    spoilt = sound.copy()
    case.spoil(spoilt)
    rows = [spoilt.write(tmp_path, case.field)]
    pd.DataFrame(rows).to_csv(tmp_path / "sheet.tsv", sep="\t", index=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnsoundInputError) as caught:
        prepare({"fields": "sheet.tsv", **case.config}, (), submitted=False)
    assert re.search(case.says, str(caught.value)), caught.value
    assert "sheet.tsv, line 2, column" in str(caught.value)


def test_everything_named_is_tried():
    assert len({case.field for case in FIELD_CASES}) == len(FIELD_CASES)
    assert not [case.name for case in FIELD_CASES if case.outcome != "analysed" and not case.says]
