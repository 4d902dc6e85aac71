"""The workflow on a real Slurm, undisturbed and disturbed: the results are those of a local run."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import pytest

from blinkpair.epochs import EPOCHS
from tests.cluster.slurm import Job, Slurm
from tests.helpers.tiny_experiment import ENDS_WELL, ROOT

PROFILE = ROOT / "workflow" / "profiles" / "slurm"
# Holds the command line of the run and its times, and these differ.
RECORD = "provenance.json"
FIELDS = 3
POOLED_STEPS = 8
STAGES = ("find", "register", "measure")


@pytest.fixture
def folder(experiment, tmp_path) -> Path:
    """Give the experiment's sheet, configuration and movies, without any results."""
    for name in ("sheet.tsv", "config", "movies"):
        source = experiment / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    return tmp_path


def arguments(*more: str) -> list[str]:
    return ["-s", str(ROOT / "Snakefile"), "--profile", str(PROFILE), *more]


def contents(folder: Path) -> dict[str, bytes]:
    """Every result by its path, without the record of the run."""
    results = folder / "results"
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and path.name != RECORD
    }


def assert_same_results(folder: Path, experiment: Path) -> None:
    """Compare with the local run; only command line and times may differ."""
    here, there = contents(folder), contents(experiment)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []
    assert (folder / "results" / RECORD).stat().st_size > 0
    assert not list((folder / "results").rglob(".*.part*"))


def submissions(slurm: Slurm, since: int) -> list[Job]:
    """Jobs of the fields that were submitted since there were so many jobs."""
    return [job for job in slurm.jobs()[since:] if "analyse_blinking" in job.comment]


def wait_for_fields(slurm: Slurm, since: int, states: list[str]) -> list[Job]:
    """Wait until the fields' jobs are in these states, in the order of their numbers."""
    slurm.wait_for(
        lambda: [job.state for job in submissions(slurm, since)][: len(states)] == states,
        f"fields to be {', '.join(states)}",
        timeout=180,
    )
    return submissions(slurm, since)


def test_a_run_ends_with_the_bytes_of_a_local_one(slurm, experiment, folder):
    before = len(slurm.jobs())
    run = slurm.snakemake(folder, *arguments())
    assert run.returncode in ENDS_WELL, run.stderr[-4000:]
    assert_same_results(folder, experiment)
    # One submission a field, whatever the number of its steps.
    assert len(submissions(slurm, before)) == FIELDS
    assert len(slurm.jobs()) - before == FIELDS + POOLED_STEPS


def test_cancelled_jobs_and_lost_nodes_are_made_up_for(slurm, nodes, experiment, folder):
    before = len(slurm.jobs())
    run = slurm.start_snakemake(folder, *arguments("--slurm-no-requeue"))
    try:
        first, second, third = wait_for_fields(slurm, before, ["RUNNING"] * FIELDS)
        slurm.wait_for(lambda: any(folder.glob("results/fields/*/*")), "a first result")
        slurm.cancel(first.id)
        slurm.set_node(third.node, "down")
        _, errors = run.communicate(timeout=400)
    finally:
        run.kill()
    assert run.returncode in ENDS_WELL, errors[-4000:]
    assert_same_results(folder, experiment)
    states = {job.id: job.state for job in submissions(slurm, before)}
    lost = [job.id for job in (first, second, third) if states[job.id] != "COMPLETED"]
    assert {first.id, third.id} <= set(lost)
    assert states[first.id] == "CANCELLED"
    assert states[third.id] == "NODE_FAIL"
    assert len(states) == FIELDS + len(lost)


def test_a_job_that_is_killed_for_its_memory_comes_back_with_more(slurm, experiment, folder):
    before = len(slurm.jobs())
    asked = [
        f"{rule}:mem_mb=attempt * 260"
        for rule in re.findall(
            r"^rule (\w+):",
            "".join((ROOT / "workflow" / "rules" / f"{s}.smk").read_text() for s in STAGES),
            re.MULTILINE,
        )
    ]
    target = "results/fields/hot/nanocrystals.csv"
    run = slurm.snakemake(folder, *arguments("--set-resources", *asked, "--", target))
    assert run.returncode in ENDS_WELL, run.stderr[-4000:]
    assert (folder / target).read_bytes() == (experiment / target).read_bytes()
    tries = submissions(slurm, before)
    memory_mb = [slurm.memory_mb(job.id) for job in tries]
    assert [job.state for job in tries] == ["FAILED"] * (len(tries) - 1) + ["COMPLETED"]
    assert len(tries) > 1
    assert memory_mb == [260 * (1 + attempt) for attempt in range(len(tries))]


def test_a_run_whose_coordinator_was_killed_goes_on_where_it_was(slurm, nodes, experiment, folder):
    before = len(slurm.jobs())
    run = slurm.start_snakemake(folder, *arguments("--jobs", "1"))
    first = wait_for_fields(slurm, before, ["COMPLETED", "RUNNING"])[0]
    run.send_signal(signal.SIGKILL)
    run.communicate()
    done = {path: path.stat().st_mtime_ns for path in folder.glob("results/fields/*/traces.nc")}
    assert len(done) == 1, first
    slurm.run("scancel", f"--name={first.name}")  # as the docs say
    slurm.snakemake(folder, *arguments("--unlock"))
    again = slurm.snakemake(folder, *arguments())
    assert again.returncode in ENDS_WELL, again.stderr[-4000:]
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert len(submissions(slurm, before)) == 2 + (FIELDS - 1)
    assert_same_results(folder, experiment)


@pytest.mark.skipif(
    shutil.which("rsync") is None, reason="movies are copied by rsync: not installed"
)
def test_movies_are_copied_to_the_node_once_and_read_there(slurm, experiment, folder, tmp_path):
    disk = tmp_path / "disk of the node"
    target = "results/fields/hot/nanocrystals.csv"
    options = ["--config", "read_movies=from_copy", "--slurm-keep-successful-logs"]
    options += ["--remote-job-local-storage-prefix", str(disk), "--", target]
    run = slurm.snakemake(folder, *arguments(*options))
    assert run.returncode in ENDS_WELL, run.stderr[-4000:]
    assert (folder / target).read_bytes() == (experiment / target).read_bytes()
    for step in ("find_nanocrystals", "extract_traces"):
        said = (folder / "logs" / "hot" / f"{step}.log").read_text()
        assert said.count(f"read from the copy {disk}") == len(EPOCHS)
    said = "".join(log.read_text() for log in folder.glob(".snakemake/slurm_logs/*/*.log"))
    assert said.count("Retrieving from storage") == 2  # each movie is read twice, and copied once
    assert not [path for path in disk.rglob("*") if path.is_file()]
