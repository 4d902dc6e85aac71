"""Runs that are killed, and results of another version: never a damaged file, never a mixture."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.helpers.faults import (
    differing,
    has_ended,
    is_gone,
    jobs_of,
    kill_a_job,
    kill_coordinator,
    kill_everything,
    left_aside,
    start,
    visible,
    wait_until,
)
from tests.helpers.tiny_experiment import ROOT, snakemake

TARGET = "results/fields/hot/registration.json"
RUN = ("--cores", "2", "--", TARGET)


@pytest.fixture
def folder(experiment, tmp_path) -> Path:
    """The experiment without its results; its movies are links."""
    for name in ("config", "movies"):
        shutil.copytree(experiment / name, tmp_path / name, copy_function=os.link)
    shutil.copy2(experiment / "sheet.tsv", tmp_path)
    return tmp_path


@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="jobs are found in /proc: not here"
)
def test_a_run_that_is_killed_leaves_whole_files_and_goes_on(experiment, folder):
    reference = visible(experiment / "results")
    draw = random.Random(4)
    for kill in (kill_everything, kill_coordinator, kill_a_job):
        run = start(folder, *RUN)
        assert wait_until(lambda run=run: bool(jobs_of(run)) or has_ended(run), 60)
        wait_until(partial(has_ended, run), draw.uniform(0.5, 1.5))
        kill(run)
        run.wait()
        # Jobs end with their run; one that is loading its libraries, when it has done so.
        assert wait_until(partial(is_gone, run), 20)
        assert differing(folder / "results", reference) == []
        if kill is kill_everything:
            locked = snakemake(folder, *RUN, check=False)
            assert "It can be removed with the --unlock argument" in locked.stderr
        if kill is not kill_a_job:
            snakemake(folder, "--unlock")
    snakemake(folder, *RUN)
    assert (folder / TARGET).exists()
    assert differing(folder / "results", reference) == []
    assert left_aside(folder / "results") == []


def test_a_writer_that_is_killed_within_a_write_leaves_whole_files(tmp_path):
    command = [
        sys.executable,
        str(ROOT / "tests" / "helpers" / "killed_writer.py"),
        str(tmp_path),
        "40",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    seen = json.loads(done.stdout)
    assert seen["damaged"] == []
    assert seen["left"] > 5  # kills that met a write
    assert seen["still left"] == 0


def test_results_without_the_record_of_how_they_were_made_are_refused(experiment, folder):
    shutil.copytree(experiment / "results", folder / "results", copy_function=os.link)
    refused = snakemake(folder, "--cores", "1", check=False)
    assert refused.returncode != 0
    assert "results/ holds results" in refused.stderr
    assert "Hint: rename results/" in refused.stderr
    (folder / "results").rename(folder / "results of another version")
    assert "find_nanocrystals" in snakemake(folder, "-n").stdout
