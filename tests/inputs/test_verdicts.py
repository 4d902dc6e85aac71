"""The file of verdicts by eye: every slip at once, with line and column."""

from __future__ import annotations

import pytest

from blinkpair.inputs.settings import load_settings
from blinkpair.inputs.verdicts import examine_verdicts

HEADER = "field,nc_id,x_pre,y_pre,verdict,why,by,date\n"
DEFAULT = load_settings({})["verdicts"]


def examine(folder, text, name="verdicts.csv", fields=("N2_f1", "air_2")):
    (folder / name).write_text(text, encoding="utf-8")
    return examine_verdicts(name, fields, folder)


def test_what_the_report_writes_is_read(tmp_path):
    text = HEADER + 'N2_f1,12,30.5,-0.25,leave_out,"two levels, in steps",MD,2024-06-30\n'
    rows, problems, notes = examine(tmp_path, text + "air_2,3,100,7.5,cluster,,,\n")
    assert (problems, notes) == ([], [])
    assert [row.pop("line") for row in rows] == [2, 3]
    assert rows[0] == {
        "field": "N2_f1", "nc_id": 12, "x_pre": 30.5, "y_pre": -0.25, "verdict": "leave_out",
        "why": "two levels, in steps", "by": "MD", "date": "2024-06-30",
    }  # fmt: skip
    assert rows[1]["why"] == rows[1]["by"] == rows[1]["date"] == ""


def test_a_spreadsheet_may_change_separator_and_order(tmp_path):
    text = "nc_id;field;verdict;y_pre;x_pre\r\n3;air_2;Cluster;7.5;100\r\n"
    rows, problems, _ = examine(tmp_path, text)
    assert problems == []
    assert (rows[0]["verdict"], rows[0]["x_pre"], rows[0]["y_pre"]) == ("cluster", 100, 7.5)


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("N2_f2,1,1,1,cluster,,,", "field", "did you mean N2_f1"),
        ("elsewhere,1,1,1,cluster,,,", "field", "not a field of the sample sheet"),
        ("N2_f1,1.5,1,1,cluster,,,", "nc_id", "not a whole number"),
        ("N2_f1,0,1,1,cluster,,,", "nc_id", "out of range"),
        ("N2_f1,1,left,1,cluster,,,", "x_pre", "not a number"),
        ('N2_f1,1,1,"30,5",cluster,,,', "y_pre", "decimal point: 30.5"),
        ("N2_f1,1,1,,cluster,,,", "y_pre", "no value is given"),
        ("N2_f1,1,1,1,clustr,,,", "verdict", "did you mean cluster"),
        ("N2_f1,1,1,1,keep,,,", "verdict", "cluster, artefact or leave_out"),
        ("N2_f1,1,1,1,leave_out,,,", "why", "no reason is given"),
        ("N2_f1,1,1,1,cluster,,,30.6.2024", "date", "year-month-day"),
        ("N2_f1,1,1,1,cluster,,,2024-02-30", "date", "not a date"),
        ("N2_f1,1,1,1,cluster," + 201 * "x" + ",,", "why", "201 characters"),
    ],
)
def test_each_slip_is_reported_with_its_column(tmp_path, row, column, said):
    _, problems, _ = examine(tmp_path, HEADER + row + "\n")
    assert [(p.line, p.about) for p in problems] == [(2, column)]
    assert said in str(problems[0])


def test_all_slips_are_reported_together(tmp_path):
    rows = ["N2_f1,1,1,1,keep,,,", "N2_f9x9,2,1,1,cluster,,,", "N2_f1,3,a,b,cluster,,,"]
    rows += ["N2_f1,4,1,1,cluster,,,", "N2_f1,4,2,2,artefact,,,", "N2_f1,5"]
    _, problems, _ = examine(tmp_path, HEADER + "\n".join(rows) + "\n")
    assert [p.line for p in problems] == [2, 3, 4, 4, 6, 7]
    assert "also on line 5" in str(problems[4])


def test_a_header_alone_is_a_file_without_verdicts(tmp_path):
    assert examine(tmp_path, HEADER) == ([], [], [])


def test_only_the_default_file_need_not_be_there(tmp_path):
    assert examine_verdicts(None, [], tmp_path) == ([], [], [])
    assert examine_verdicts(DEFAULT, [], tmp_path) == ([], [], [])
    _, problems, _ = examine_verdicts("mine.csv", [], tmp_path)
    assert "no such file of verdicts" in str(problems[0])
    assert "'verdicts' in the configuration" in str(problems[0])


def test_a_second_download_beside_it_is_mentioned(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "verdicts (1).csv").write_text(HEADER)
    _, _, notes = examine_verdicts(DEFAULT, [], tmp_path)
    assert len(notes) == 1
    assert "verdicts (1).csv is not read" in notes[0]
