"""Treatments other than annealing: in files, in order, in tables and in sentences."""

import pandas as pd
import pytest

from blinkpair import files
from blinkpair.figures import style
from blinkpair.labels import (
    after_treatment,
    by_temperature,
    sort_temperatures,
    temperature_labels,
    treatment_heading,
    treatment_word,
)
from blinkpair.report import methods_text, result_sentences, run_summary, tables
from blinkpair.report.page import histogram
from tests.helpers.report_run import a_run

LABELS = ["water vapour 2 h", "air, 100 °C", "120 °C", "control"]


def test_files_have_a_column_for_treatments_and_the_library_one_for_both(tmp_path):
    table = pd.DataFrame({"n": [1, 2, 3, 4], "temperature_c": [*LABELS[:2], 120, "control"]})
    files.write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines() == [
        "n,temperature_c,treatment",
        "1,,water vapour 2 h",
        '2,100,"air, 100 °C"',
        "3,120,120 °C",
        "4,control,control",
    ]
    for columns in (None, ["temperature_c", "n"]):
        back = files.read_csv(tmp_path / "t.csv", columns)
        assert list(back.columns) == ["n", "temperature_c"]
        assert temperature_labels(back["temperature_c"]).tolist() == [*LABELS[:2], 120, "control"]


def test_a_table_of_temperatures_alone_is_that_of_before(tmp_path):
    table = pd.DataFrame({"temperature_c": [70, 72.5, "control"], "n": [1, 2, 3]})
    files.write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "temperature_c,n\n70,1\n72.5,2\ncontrol,3\n"


@pytest.mark.parametrize(
    ("written", "ordered"),
    [
        (["control", 120, 70, 100.5], [70, 100.5, 120, "control"]),
        (
            ["N2, 120 °C", "control", 70, "air, 100 °C"],
            [70, "air, 100 °C", "N2, 120 °C", "control"],
        ),
        (["light", 120, "control", "dark", 70], ["light", 120, "dark", 70, "control"]),
    ],
)
def test_the_order_is_by_temperature_where_all_have_one_else_as_written(written, ordered):
    assert sort_temperatures(written) == ordered


def test_sentences_speak_of_annealing_only_where_it_is_a_temperature():
    assert [after_treatment(label) for label in LABELS] == [
        "after water vapour 2 h", "after air, 100 °C", "at 120 °C", "in the control",
    ]  # fmt: skip
    assert treatment_word([70, "control"]) == "annealing"
    assert treatment_heading(["70", "100"]) == "annealed at"
    assert treatment_heading(["70", "control"]) == "treatment"  # a control is not annealed
    assert treatment_word([70, "light", "control"]) == "treatment"
    fields, populations, nanocrystals = a_run(("light 1 h", "air, 100 °C", "control"))
    headline = run_summary.headline(populations, fields, 0.1)
    assert "treated nanocrystals in 2 fields" in headline
    assert "after light 1 h" in headline
    assert "after air, 100 °C" in headline
    assert "Re-mounting without treatment, the control," in headline
    rows = populations.to_dict("records")
    answers = [result_sentences.answer(row, rows[2], 0.95, 0.1, "treatment") for row in rows[:2]]
    assert answers[0].startswith("After light 1 h, of ")
    of_control = result_sentences.answer(rows[2], None, 0.95, 0.1, "treatment")
    assert of_control.startswith("In the control, which was re-mounted without treatment, of ")
    assert "nneal" not in " ".join([headline, *answers, of_control])
    assert tables.populations(populations, 0.95).header == [
        "",
        "light 1 h",
        "air, 100 °C",
        "control",
    ]
    assert list(by_temperature(nanocrystals)) == ["light 1 h", "air, 100 °C", "control"]
    recorded = " ".join(methods_text._recordings(fields, [], "treatment"))
    assert "1 after light 1 h, 1 after air, 100 °C and 1 re-mounted without treatment" in recorded


def test_bars_are_counted_under_the_name_that_the_page_looks_up():
    _, _, nanocrystals = a_run(("light 1 h", 100, "control"))
    written = nanocrystals.assign(delta_on_fraction=0.2)
    assert set(histogram(written, ["light 1 h", "100", "control"])) == {
        "light 1 h",
        "100",
        "control",
    }


def test_a_long_treatment_is_a_title_of_several_lines():
    name = style.temperature_name("water vapour 2 h at $60$ % relative humidity, 25 °C")
    assert max(map(len, name.split("\n"))) <= style.TITLE_LETTERS + name.count("\\")
    assert style.temperature_name("water vapour 2 h", 14) == "water vapour\n2 h"
    assert r"\$60\$" in name  # matplotlib would set it as a formula
