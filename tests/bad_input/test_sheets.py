"""All problems of sheet and configuration are reported before anything starts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.inputs.sheet import examine_sheet
from blinkpair.run.launch import prepare
from tests.bad_input.field_files import simulated, write_copies
from tests.bad_input.spoilt_sheets import SHEET_CASES, SheetCase


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Path:
    """Return a folder with the files of two sound fields."""
    folder = tmp_path_factory.mktemp("sheets")
    files = simulated(frames=20)
    rows = [files.write(folder, "sound"), files.copy().write(folder, "other")]
    write_copies(folder / "movies")
    pd.DataFrame(rows).to_csv(folder / "sound.tsv", sep="\t", index=False)
    return folder


def check(lab: Path, case: SheetCase):
    """Return what the run would start with."""
    content = case.sheet((lab / "sound.tsv").read_text())
    raw = content.encode() if isinstance(content, str) else content
    (lab / "sheet.tsv").write_bytes(raw)
    return prepare({"fields": "sheet.tsv", **case.config}, (), submitted=False)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in SHEET_CASES if not c.says])
def test_however_it_was_saved_it_is_the_same_sheet(lab, monkeypatch, case):
    monkeypatch.chdir(lab)
    sound = check(lab, SheetCase("sound"))
    assert check(lab, case).fields.equals(sound.fields)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in SHEET_CASES if c.says])
def test_it_is_reported_with_its_place_and_nothing_is_started(lab, monkeypatch, case):
    monkeypatch.chdir(lab)
    with pytest.raises(UnsoundInputError) as caught:
        check(lab, case)
    told = str(caught.value)
    assert [text for text in case.says if text not in told] == [], told
    assert all(line.startswith("  ") for line in told.splitlines()[1:])  # a line each
    assert "Hint: " in told
    assert not (lab / "results").exists()


def test_of_10_000_rows_the_wrong_ones_are_reported(tmp_path):
    rows = [
        f"f{i}\t{'hot' if i % 1000 == 7 else 70}\ta{i}\tb{i}\tc{i}\td{i}" for i in range(10_000)
    ]
    header = "field\ttemperature_c\tpre_brightfield\tpre_pl\tpost_brightfield\tpost_pl"
    (tmp_path / "sheet.tsv").write_text("\n".join([header, *rows]) + "\n")
    sheet = examine_sheet("sheet.tsv", tmp_path)
    assert len(sheet.fields) == 10_000
    assert [problem.line for problem in sheet.problems] == list(range(9, 10_000, 1000))
