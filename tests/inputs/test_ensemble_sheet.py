"""All slips of the ensemble sheet are reported at once, with line and column."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.inputs.ensemble_sheet import examine_ensemble
from blinkpair.simulate.ensemble import expected_decay, write_ensemble


@pytest.fixture
def films(tmp_path):
    return write_ensemble(tmp_path / "films")


def examine(tmp_path, sheet):
    path = tmp_path / "ensemble.tsv"
    sheet.to_csv(path, sep="\t", index=False)
    return examine_ensemble(path)


def test_a_right_sheet_is_complete(tmp_path, films):
    rows, problems = examine(tmp_path, films)
    assert problems == []
    assert [row["temperature_c"] for row in rows[:4]] == ["unannealed", "70", "100", "120"]
    assert {row["group"] for row in rows} == {"tcspc", "ta"}
    assert rows[4]["probe_ev"] == 2.441


@pytest.mark.parametrize("unit", ["us", "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s"])
def test_microseconds_are_read_in_any_spelling(tmp_path, films, unit):
    rows, _ = examine(tmp_path, films.assign(time_unit=unit))
    assert {row["time_unit"] for row in rows} == {"us"}


def test_all_slips_are_reported_at_once(tmp_path, films):
    films = films.astype(object)
    films.loc[0, "temperature_c"] = "unaneled"
    films.loc[1, "technique"] = "trpl"
    films.loc[1, "irf"] = films.loc[1, "irf"].replace("response.sdt", "responses.sdt")
    films.loc[2, "file"] = str(tmp_path / "missing.sdt")
    films.loc[3, "irf"] = films.loc[4, "file"]
    films.loc[4, "probe_ev"] = "2,44"
    films.loc[5, "measurement"] = films.loc[4, "measurement"]
    _, problems = examine(tmp_path, films)
    places = {(problem.line, problem.about) for problem in problems}
    assert places == {
        (2, "temperature_c"), (3, "technique"), (3, "irf"), (4, "file"), (5, "irf"),
        (6, "probe_ev"), (7, "measurement"),
    }  # fmt: skip
    text = "\n".join(str(problem) for problem in problems)
    assert "did you mean unannealed?" in text
    assert "decimal point: 2.44" in text
    assert "films/response.sdt?" in text


def test_a_treatment_stands_for_a_temperature(tmp_path, films):
    films["treatment"] = ["unannealed", "air", "water vapour", "air", "unannealed", "air"]
    films["temperature_c"] = ["", "", "", "100", "", ""]
    rows, problems = examine(tmp_path, films)
    assert problems == []
    names = [row["temperature_c"] for row in rows]
    assert names[:4] == ["unannealed", "air", "water vapour", "air, 100 °C"]


def test_a_group_has_one_number_of_components_and_responses_or_none(tmp_path, films):
    films["components"] = ["3", "2", "3", "3", "", ""]
    films.loc[2, "irf"] = ""
    _, problems = examine(tmp_path, films)
    assert {(p.line, p.about) for p in problems} == {(3, "components"), (4, "irf")}


def test_one_file_is_not_that_of_two_treatments_nor_its_own_response(tmp_path, films):
    films.loc[1, "file"] = films.loc[0, "file"]
    films.loc[3, "irf"] = films.loc[3, "file"]
    _, problems = examine(tmp_path, films)
    assert {(p.line, p.about) for p in problems} == {(3, "file"), (5, "irf")}
    # One film at two probes, or two curves of a file, are no slip.
    films.loc[5, ["file", "temperature_c"]] = films.loc[4, ["file", "temperature_c"]]
    assert len(examine(tmp_path, films)[1]) == 2


def test_a_decay_that_cannot_be_fitted_is_a_slip_before_the_start(tmp_path, films):
    """Values below 0 that were set to 0: half of the channels behind the maximum are empty."""
    expected = expected_decay(1e5, [0.6, 0.3, 0.1], [1.0, 5.0, 30.0], background=20.0)
    cut = np.maximum(np.random.default_rng(1).poisson(expected) - 20, 0)
    text = "\n".join(f"{0.05 * i:.2f}\t{n}" for i, n in enumerate(cut))
    films.loc[1, "file"] = str(tmp_path / "cut.txt")
    (tmp_path / "cut.txt").write_text(f"Time (ns)\tCounts\n{text}\n")
    _, problems = examine(tmp_path, films)
    assert [(p.line, p.about) for p in problems] == [(3, "file")]
    assert "without subtracting a background" in str(problems[0])
