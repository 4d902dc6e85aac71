"""Disks that are full, files that may not be written: nothing damaged, and a word on what to do."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from blinkpair import files
from blinkpair.errors import WriteError
from blinkpair.inputs.headers import access_problem
from tests.helpers.faults import (
    NOBODY,
    PAGE,
    CannotMountError,
    as_nobody,
    fill,
    remount,
    small_disk,
)
from tests.helpers.result_kinds import ROWS, WRITERS, contents, write_on_a_full_disk
from tests.helpers.tiny_experiment import ROOT


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A disk of 4 MB, which is also the working directory."""
    try:
        with small_disk(tmp_path / "disk", 4 << 20) as disk:
            monkeypatch.chdir(disk)
            yield disk
            os.chdir(tmp_path)
    except CannotMountError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_disk_that_fills_up_anywhere_in_a_file_leaves_nothing_of_it(disk, kind):
    # Three figures take a second.
    tried, wrong = write_on_a_full_disk(disk, kind, 4 if kind == "figures" else 12)
    assert tried >= 4
    assert wrong == []


def test_a_full_disk_leaves_the_file_that_was_there_as_it_is(disk):
    files.write_csv(ROWS, disk / "t.csv")
    before = (disk / "t.csv").read_bytes()
    fill(disk, 2)
    with pytest.raises(WriteError, match=r"t\.csv cannot be written: the disk is full"):
        files.write_csv(-ROWS, disk / "t.csv")
    assert contents(disk) == {"t.csv": before}


def test_a_read_only_disk_is_reported(disk):
    remount(disk, "ro")
    with pytest.raises(WriteError, match=r"t\.csv cannot be written: the disk is read-only"):
        files.write_csv(ROWS, disk / "results" / "t.csv")


@pytest.mark.parametrize("kind", ["table", "joined table", "JSON", "NetCDF", "text", "figures"])
def test_a_limit_on_the_size_of_files_is_reported(tmp_path, kind):
    name, write = WRITERS[kind]
    folder = tmp_path / "results"
    folder.mkdir()
    write(folder / name)
    before = contents(folder)
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, allowed[1]))
    try:
        with pytest.raises(WriteError, match="may not grow so large"):
            write(folder / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert contents(folder) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user for a while")
def test_a_folder_of_somebody_else_is_reported_and_so_is_not_a_source_that_may_not_be_read(
    tmp_path,
):
    source = tmp_path / "sources" / "part.csv"
    files.write_csv(ROWS, source)
    source.chmod(0o600)
    own = tmp_path / "own"
    own.mkdir()
    os.chown(own, NOBODY, NOBODY)
    with as_nobody(tmp_path):
        with pytest.raises(WriteError, match=r"t\.csv cannot be written: you may not write there"):
            files.write_json({}, tmp_path / "t.csv")
        # What may not be read is not what cannot be written.
        with pytest.raises(PermissionError, match=r"part\.csv") as failed:
            files.join_csv([source], own / "t.csv")
    assert not isinstance(failed.value, WriteError)
    assert list(own.iterdir()) == []


def test_leftovers_of_a_killed_process_go_with_the_next_write_and_others_stay(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    running = os.getppid()
    for name in (
        f".t.{gone.pid}.part.csv",
        f".t.{running}.part.csv",
        f".t.a.{gone.pid}.part.csv",  # of t.a.csv
        f".t.{gone.pid}.part.nc",
    ):
        (tmp_path / name).write_text("half")
    files.write_csv(ROWS, tmp_path / "t.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [
            "t.csv",
            f".t.{running}.part.csv",
            f".t.a.{gone.pid}.part.csv",
            f".t.{gone.pid}.part.nc",
        ]
    )


STEP = """
import logging, sys
from pathlib import Path
from blinkpair import files
from blinkpair.run.logs import log_to
log_to("logs/step.log")
for _ in range(400):
    logging.getLogger("blinkpair").info("a line that no longer fits on the disk")
files.write_text("result", sys.argv[1])
"""


def run_step(disk: Path, output: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-c", STEP, str(output)]
    return subprocess.run(command, cwd=disk, env=environment, capture_output=True, text=True)


def test_a_log_on_a_full_disk_is_reported_once_and_the_step_goes_on(disk, tmp_path):
    fill(disk, 2)
    step = run_step(disk, tmp_path / "result.txt")
    assert step.returncode == 0, step.stderr
    assert (tmp_path / "result.txt").read_text() == "result"
    assert step.stderr.count("No space left on device") == 1
    assert "step.log cannot be written" in step.stderr
    assert "Traceback" not in step.stderr


def test_a_step_that_cannot_write_states_it_without_a_traceback(disk):
    fill(disk, 4)
    step = run_step(disk, disk / "result.txt")
    assert step.returncode != 0
    assert f"{disk / 'result.txt'} cannot be written: the disk is full. Hint: free" in step.stderr
    assert "Traceback" not in step.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user for a while")
def test_what_may_not_be_read_is_reported_with_who_can_change_that(tmp_path):
    locked, own = tmp_path / "locked", tmp_path / "own.tif"
    locked.mkdir(mode=0o711)
    for file in (locked / "a.tif", own):
        file.touch(mode=0o200)
    os.chown(own, NOBODY, NOBODY)
    ask = "ask its owner for the right to read it"
    with as_nobody(tmp_path):
        told = access_problem("own.tif", str(tmp_path))
        assert (told.what, told.hint) == (
            "'own.tif' may not be read by you",
            "run: chmod u+r 'own.tif'",
        )
        for path in ("locked", "locked/a.tif"):
            told = access_problem(path, str(tmp_path))
            assert (told.what, told.hint) == (f"'{path}' may not be read by you", ask)
        pattern = access_problem("locked/*.tif", str(tmp_path))
    assert pattern is not None
    assert pattern.what.endswith("may not be read by you")
