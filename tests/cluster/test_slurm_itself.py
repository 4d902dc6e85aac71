"""The Slurm of these tests does what a cluster does, and Snakemake's executor can use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cluster.keep import descendants
from tests.cluster.slurm import FOREIGN, Slurm, why_not

HUNGRY = f"{sys.executable} -c 'import time; held = bytes(1) * (800 << 20); time.sleep(20)'"
WORKFLOW = """
rule all:
    input: "hungry.txt"

rule hungry:
    output: "hungry.txt"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 if attempt > 1 else 200,
        attempt=lambda wildcards, attempt: attempt,
    shell:
        "{sys.executable} -c 'import time; held = b\\"x\\" * (600 << 20); time.sleep(1.5)'"
        " && echo {{resources.attempt}} $SLURMD_NODENAME > {{output}}"
"""


def test_a_job_runs_on_each_node(slurm, tmp_path):
    for node in slurm.nodes:
        output = tmp_path / f"{node}.txt"
        job = slurm.submit(
            "srun sh -c 'echo $SLURMD_NODENAME'", f"--nodelist={node}", f"--output={output}"
        )
        assert slurm.wait_for_state(job).state == "COMPLETED"
        assert output.read_text().split() == [node]


def test_a_job_over_its_memory_is_killed(slurm, tmp_path):
    scripts = {
        "in the script": HUNGRY,
        # As under Snakemake: the memory is that of a grandchild within a step.
        "below a step": f"srun sh -c '{{ {HUNGRY.replace(chr(39), chr(34))}; }} & wait'",
    }
    jobs = {
        where: slurm.submit(script, "--mem=200", f"--output={tmp_path / where}.txt")
        for where, script in scripts.items()
    }
    for where, job in jobs.items():
        assert slurm.wait_for_state(job, timeout=40).state == "FAILED"
        assert "exceeded memory limit" in (tmp_path / f"{where}.txt").read_text()


def test_a_job_within_its_memory_is_not(slurm):
    job = slurm.submit(HUNGRY.replace("20)", "3)"), "--mem=1000")
    assert slurm.wait_for_state(job).state == "COMPLETED"


def test_a_node_that_goes_down_ends_its_job_or_has_it_wait_again(slurm, nodes):
    lost = slurm.submit("sleep 60", "--nodelist=n1", "--no-requeue")
    again = slurm.submit("sleep 60", "--nodelist=n1")
    for job in (lost, again):
        slurm.wait_for_state(job, "RUNNING")
    slurm.set_node("n1", "down")
    # Within seconds, and by way of COMPLETING.
    assert slurm.wait_for_state(lost).state == "NODE_FAIL"
    assert slurm.wait_for_state(again, "PENDING").node == ""


def test_a_node_that_crashed_is_missed_and_comes_back(slurm, nodes):
    job = slurm.submit("sleep 60", "--nodelist=n2", "--no-requeue")
    slurm.wait_for_state(job, "RUNNING")
    slurm.kill_node("n2")
    assert slurm.wait_for_state(job).state == "NODE_FAIL"
    slurm.start_node("n2")
    slurm.wait_for(lambda: slurm.node_states()["n2"] == "idle", "n2")


def test_a_cluster_of_the_users_own_is_out_of_reach(slurm):
    own = {name for name in slurm.environment if name.startswith(FOREIGN)}
    assert own == {"SLURM_CONF"}
    assert slurm.run("scontrol", "show", "config").count(str(slurm.folder)) > 3


def test_nothing_is_left_when_the_tests_are_killed(slurm):
    """A second Slurm, in a process that gets no chance to clean up."""
    code = "import slurm, time; s = slurm.Slurm().__enter__(); s.submit('sleep 77');"
    code += "s.wait_for_state('1', 'RUNNING'); print(s.folder, flush=True); time.sleep(60)"
    tests = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=slurm.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    with tests:
        folder = Path(tests.stdout.readline().strip())
        family = descendants(tests.pid)
        assert len(family) > 8  # four keepers, four daemons and the job
        assert (folder / "slurm.conf").exists()
        os.kill(tests.pid, signal.SIGKILL)
    processes = [Path(f"/proc/{pid}") for pid in family]
    slurm.wait_for(lambda: not any(p.exists() for p in [folder, *processes]), "the end", 10)


@pytest.mark.skipif(why_not() is not None, reason=why_not() or "Slurm runs here")
def test_start_and_stop_take_seconds():
    start = time.monotonic()
    with Slurm(nodes=("one", "two", "three")) as cluster:
        assert list(cluster.node_states()) == ["one", "three", "two"]
        folder = cluster.folder
    assert not folder.exists()
    assert time.monotonic() - start < 15


def test_snakemake_runs_a_killed_job_again_with_more_memory(slurm, tmp_path):
    (tmp_path / "Snakefile").write_text(WORKFLOW.format(sys=sys))
    defaults = ["mem_mb=300", "runtime=5", "slurm_partition=main"]
    result = slurm.snakemake(tmp_path, "--retries", "1", "--default-resources", *defaults)
    assert result.returncode == 0, result.stderr[-4000:] + slurm.logs()
    assert (tmp_path / "hungry.txt").read_text().split()[0] == "2"
    states = [job.state for job in slurm.jobs() if job.comment == "rule_hungry"]
    assert states == ["FAILED", "COMPLETED"]
