"""What a person sees of a run while it goes on."""

import json
import logging

import pandas as pd
import pytest

from blinkpair import files
from blinkpair.inputs.movie_record import summarise_fields, too_short
from blinkpair.run.progress import Progress, outcome

SETTINGS = {"dwell_times": {"min_events": 50}, "photostability": {"reference_s": 10}}


def record(event, **noted):
    one = logging.LogRecord("snakemake", logging.INFO, "", 0, "", (), None)
    one.__dict__.update(event=event, **noted)
    return one


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "fields" / "N2_f1"
    folder.mkdir(parents=True)
    registered = {"status": "ok", "n_microspheres_matched": 14, "n_nanocrystals_matched": 1}
    (folder / "registration.json").write_text(json.dumps(registered))
    populations = ["became_dark", "became_dark", "emissive", "", "dark"]
    files.write_csv(pd.DataFrame({"population": populations}), folder / "nanocrystals.csv")
    return tmp_path


def show(progress, rule):
    wildcards = {"field": "N2_f1"}
    assert progress.filter(record("job_info", jobid=1, rule_name=rule, wildcards=wildcards))
    shown = [
        progress.filter(record("job_finished", job_id=1)),
        progress.filter(record("progress", done=3, total=8)),
    ]
    assert progress.filter(record(None))
    return shown


def test_a_field_that_is_decided_is_a_line_above_the_bar(results, capsys):
    progress = Progress(results, terminal=True)
    assert show(progress, "register") == [False, False]
    show(progress, "analyse_blinking")
    progress.close()
    text = capsys.readouterr().err
    assert "N2_f1: registered, 14 microspheres and 1 nanocrystal matched\n" in text
    assert "N2_f1: 4 nanocrystals analysed: 0 became emissive, 2 became dark; 1 excluded\n" in text
    assert "3/8" in text
    assert "N2_f1: analysing blinking" in text


def test_without_a_terminal_nothing_is_shown_or_kept_back(results, capsys):
    assert show(Progress(results, terminal=False), "register") == [True, True]
    assert capsys.readouterr().err == ""


def test_a_refused_field_is_named_with_its_reason_and_a_missing_file_ends_nothing(results):
    path = results / "fields" / "N2_f1" / "registration.json"
    path.write_text(json.dumps({"status": "failed", "reason": "too few microspheres"}))
    assert (
        outcome(results, "register", {"field": "N2_f1"}) == "N2_f1: refused: too few microspheres"
    )
    assert outcome(results, "register", {"field": "other"}) == ""


def a_sheet(**columns):
    return pd.DataFrame({"field": ["a", "b", "c"], "exposure_s": 0.02} | columns)


def test_the_start_counts_the_fields_of_each_treatment():
    plain = a_sheet(temperature_c=["100", "control", "100"])
    assert summarise_fields(plain) == "3 fields: 2 at 100 °C, 1 control."
    other = a_sheet(temperature_c=["", "control", ""], treatment=["light", "control", "light"])
    assert summarise_fields(other) == "3 fields: 2 after light, 1 control."


def test_movies_too_short_for_an_analysis_are_named_before_it_runs():
    frames = {f"n_frames_{epoch}": ["99", "1499", "1500"] for epoch in ("pre", "post")}
    dwell, kept = too_short(a_sheet(**frames), SETTINGS)
    # An event lasts a frame at least, and so does the gap behind it.
    assert "dwell times: a: fewer than 100 frames" in dwell
    assert "Movies below 30 s: a, b. The share of the PL kept" in kept
    long = {f"n_frames_{epoch}": ["1500"] * 3 for epoch in ("pre", "post")}
    assert too_short(a_sheet(**long), SETTINGS) == []
