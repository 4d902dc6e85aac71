"""The report's page: its histogram, and text that stays text."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from blinkpair.files import lines_of_fields, read_csv, write_csv
from blinkpair.report import page
from blinkpair.run import sheet_columns


def nanocrystals(deltas: dict[str, list[float]], population: str = "emissive") -> pd.DataFrame:
    rows = [
        {"temperature_c": name, "delta_on_fraction": delta, "population": population}
        for name, own in deltas.items()
        for delta in own
    ]
    return pd.DataFrame(rows)


def test_a_change_on_an_edge_belongs_to_the_bin_above_it():
    # 0.15 and 0.35 in binary are a little off 15 and 35 points; the file means the edge itself.
    edges = np.arange(-20, 21) / 20
    counts = page.histogram(nanocrystals({"70": list(edges)}), ["70"])["70"]["emissive"]
    assert counts == [1] * 39 + [2]  # the last bin holds 95 and 100 points


def test_only_the_populations_that_n_counts_are_in_the_histogram():
    table = pd.concat([nanocrystals({"70": [0.0]}), nanocrystals({"70": [0.0]}, "dark")])
    assert sum(map(sum, page.histogram(table, ["70"])["70"].values())) == 1


def test_json_in_a_script_element_cannot_end_it():
    evil = "</script><script>alert(1)</script><!-- & \u2028"
    text = page.as_script_data({"name": evil, "none": float("nan"), "n": np.int64(3)})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"name": evil, "none": None, "n": 3}


def test_lines_of_a_field_are_those_of_the_file(tmp_path):
    path = tmp_path / "table.csv"
    kept = 'b,"two\nlines",1\n'
    path.write_bytes(("field,note,x\na,,2\n" + kept + "ab,b,3\nb,,4\n").encode())
    assert lines_of_fields(path, ["b"]) == "field,note,x\n" + kept + "b,,4\n"


def test_fields_to_show_are_taken_in_turns_from_the_temperatures():
    sheet = pd.DataFrame({"temperature_c": ["70"] * 3 + ["100"] * 2}, index=list("abcde"))
    assert sheet_columns.fields_to_show(sheet, 3) == ["a", "b", "d"]
    assert sheet_columns.fields_to_show(sheet, 4) == ["a", "b", "d", "e"]
    assert sheet_columns.fields_to_show(sheet, 99) == list("abcde")
    assert sheet_columns.fields_to_show(sheet, 0) == []


@pytest.mark.parametrize(
    ("samples", "banner", "note"),
    [
        (["Simulated ", "simulated"], "These data are simulated.", "simulated"),
        (["slip 3", "simulated"], "Some of the fields are simulated: b.", "partly simulated"),
        (["slip 3", ""], "", ""),
    ],
)
def test_simulated_fields_are_called_so_and_no_others(samples, banner, note):
    sheet = pd.DataFrame({"field": ["a", "b"], "sample": samples})
    assert page._banner(sheet) == banner
    assert sheet_columns.figure_note(sheet) == note


def test_a_temperature_without_nanocrystals_has_an_empty_histogram():
    counts = page.histogram(nanocrystals({"70": [0.0]}), ["70", "control"])
    assert counts["control"] == dict.fromkeys(counts["70"], [0] * 40)
    assert sum(map(sum, counts["70"].values())) == 1


@pytest.mark.parametrize("name", ["NA", "null", "nan", "None", ""])
def test_a_field_may_be_called_na(tmp_path, name):
    table = pd.DataFrame({"field": [name], "sample": [name], "x": [np.nan], "reason": [name]})
    write_csv(table, tmp_path / "t.csv")
    back = read_csv(tmp_path / "t.csv")
    assert back.loc[0, ["field", "sample", "reason"]].tolist() == [name] * 3
    assert np.isnan(back.loc[0, "x"])
