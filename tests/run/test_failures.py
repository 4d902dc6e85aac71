"""Steps that failed are reported at the end, with their logs and the last message of each."""

from __future__ import annotations

import logging

import pytest

from blinkpair.run.failures import MOST_NAMED, Failures
from blinkpair.run.logs import FAILED


@pytest.fixture
def failures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Failures()


def note(failures, **what):
    record = logging.makeLogRecord({"levelno": logging.ERROR, "msg": "Error in rule"} | what)
    failures.handle(record)


def step(tmp_path, name, text):
    (tmp_path / f"{name}.log").write_text(text)
    return {"rule_name": name, "log": [f"{name}.log"], "output": [f"{name}.csv"]}


def test_a_step_is_reported_with_the_last_line_of_its_log(failures, tmp_path):
    note(failures, **step(tmp_path, "register", f"INFO: x\n{FAILED}: the disk is full. Hint: y\n"))
    crash = f"{FAILED}\nTraceback (most recent call last):\nOSError: [Errno 5] Input/output error\n"
    note(failures, **step(tmp_path, "extract", crash))
    note(failures, **step(tmp_path, "killed", "INFO: a line\n"))
    assert failures.summary().splitlines()[1:-1] == [
        "  extract.log: OSError: [Errno 5] Input/output error",
        "  killed.log: it ended without an error message (for example killed for memory)",
        "  register.log: the disk is full. Hint: y",
    ]


def test_of_a_group_the_step_that_failed_is_reported_and_only_once(failures, tmp_path):
    steps = [step(tmp_path, "find", "INFO: fine"), step(tmp_path, "register", f"{FAILED}: why")]
    for _ in range(2):  # two tries
        note(failures, groupid="field", job_error_info=steps)
        for one in steps:
            note(failures, indent=True, **one)
    assert failures.summary().splitlines()[1:-1] == ["  register.log: why"]


def test_a_step_that_a_later_try_finished_is_not_reported(failures, tmp_path):
    note(failures, **step(tmp_path, "find", f"{FAILED}: memory"))
    (tmp_path / "find.csv").touch()
    note(failures)  # an error that is no step's
    assert failures.summary() == ""


def test_thousands_do_not_push_everything_off_the_screen(failures, tmp_path):
    for i in range(MOST_NAMED + 30):
        note(failures, **step(tmp_path, f"s{i}", f"{FAILED}: why"))
    assert len(failures.summary().splitlines()) == MOST_NAMED + 3
    assert "and 30 more" in failures.summary()


def test_an_interrupted_run_is_no_failed_one(failures, tmp_path):
    for name in ("find", "register"):
        traceback = f"{FAILED}\nTraceback (most recent call last):\nKeyboardInterrupt\n"
        note(failures, **step(tmp_path, name, traceback))
    assert failures.summary().startswith("The run was interrupted.")
    note(failures, **step(tmp_path, "extract", f"{FAILED}: the disk is full"))
    assert failures.summary().startswith("These steps failed")
