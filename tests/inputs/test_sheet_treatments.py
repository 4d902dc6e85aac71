"""What was done to each field, by the sheet's columns `temperature_c` and `treatment`."""

import pytest

from blinkpair.inputs.columns import KNOWN_COLUMNS
from blinkpair.inputs.problems import ONLY_SPELLING
from blinkpair.inputs.sheet_treatments import overlooked_treatments
from tests.helpers.sheet_rows import HEADER, problems_of, read, row, text_of

BOTH = [*HEADER, "treatment"]
ALONE = ["field", "treatment", *HEADER[2:]]


def sheet_of(*cells):
    """Return a sheet of fields with these pairs of temperature and treatment."""
    rows = [
        row(f"f{i}", temperature, treatment=text) for i, (temperature, text) in enumerate(cells)
    ]
    return text_of(BOTH, *rows)


@pytest.mark.parametrize(
    ("temperature", "text", "named", "degrees"),
    [
        ("", "water vapour 2 h", "water vapour 2 h", ""),
        ("", "  water  vapour 2 h ", "water vapour 2 h", ""),
        ("100", "air", "air, 100 °C", "100"),
        ("100.0", "air, 100 °C", "air, 100 °C", "100"),
        ("70.5", "", "70.5 °C", "70.5"),
        ("", "Control", "control", "control"),
        ("control", "", "control", "control"),
    ],
)
def test_a_treatment_and_its_temperature_have_one_name(tmp_path, temperature, text, named, degrees):
    fields = read(tmp_path, sheet_of((temperature, text), ("", "light")))
    assert fields["treatment"].tolist() == [named, "light"]
    assert fields["temperature_c"].tolist() == [degrees, ""]


def test_a_sheet_needs_no_temperatures(tmp_path):
    cells = row("A")
    fields = read(tmp_path, text_of(ALONE, ["A", "light 1 h", *cells[2:]]))
    assert fields["treatment"].item() == "light 1 h"
    assert fields["temperature_c"].item() == ""


def test_treatments_that_are_temperatures_alone_are_those_of_today(tmp_path):
    fields = read(tmp_path, sheet_of(("70", ""), ("", "100 °C"), ("", "control")))
    assert fields["temperature_c"].tolist() == ["70", "100", "control"]
    assert "treatment" not in fields


@pytest.mark.parametrize(
    ("cells", "what", "hint"),
    [
        ([("", "")], "no treatment is given", "give one, temperature_c, or control"),
        (
            [("100", "control")],
            "temperature_c is '100' and treatment 'control': one is control",
            "leave one",
        ),
        ([("control", "light")], "one is control", "leave one"),
        ([("", "10")], "'10' is a number alone", "write the unit too (10 min)"),
        ([("", "x" * 61)], "61 characters, more than 60", "shorter"),
        ([("", "{light}")], "curly bracket", "without"),
        *(
            ([one, other], f"(line 2) {ONLY_SPELLING}", "both alike")
            for one, other in [
                (("", "light"), ("", "Light")),
                (("70", "light"), ("100", "Light")),
                (("", "100 °C"), ("", "100C")),
                (("100", ""), ("", "100°C")),
                (("", "vapour 2 h"), ("", "vapour 2h")),
                (("100", "air"), ("", "air,100 °C")),
                (("", "5 \N{MICRO SIGN}M"), ("", "5 \N{GREEK SMALL LETTER MU}M")),
            ]
        ),
        ([("vapour", "")], "neither a number nor the word control", "into a column treatment"),
    ],
)
def test_what_is_no_treatment_is_refused(tmp_path, cells, what, hint):
    (problem,) = problems_of(tmp_path, sheet_of(*cells))
    assert what in problem.what
    assert hint in problem.hint


def test_a_treatment_in_another_column_gets_a_hint(tmp_path):
    cells = row("A")
    named = text_of(["field", "condition", *HEADER[2:]], ["A", "light", *cells[2:]])
    (problem,) = problems_of(tmp_path, named)
    assert "did you mean treatment?" in problem.hint
    beside = text_of([*HEADER, "atmosphere"], row("A", atmosphere="N2"), row("B", atmosphere="air"))
    (note,) = overlooked_treatments(read(tmp_path, beside), KNOWN_COLUMNS, "fields.tsv")
    assert "temperature_c 70 have 'N2' and 'air'" in note
    assert "name the column treatment" in note
    alike = text_of([*HEADER, "atmosphere"], row("A", atmosphere="N2"), row("B", atmosphere="N2"))
    assert not overlooked_treatments(read(tmp_path, alike), KNOWN_COLUMNS, "fields.tsv")


def test_one_movie_before_may_serve_two_treatments(tmp_path):
    rows = [
        row(name, "", treatment=text, pre_pl="one", pre_brightfield="two")
        for name, text in (("A", "light"), ("B", "dark"))
    ]
    assert len(read(tmp_path, text_of(BOTH, *rows))) == 2
    same = [
        row(name, "", treatment="light", pre_pl="one", pre_brightfield="two") for name in ("A", "B")
    ]
    (problem,) = problems_of(tmp_path, text_of(BOTH, *same))
    assert "counted twice" in problem.what
