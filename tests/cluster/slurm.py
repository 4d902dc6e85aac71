"""A real Slurm on one machine: a controller and several nodes, for as long as a test needs them.

Each daemon is run by `keep.py`, which kills it with its jobs when told to, or when this process
ends. Nothing is read from or written to outside of one temporary folder.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KEEP = Path(__file__).with_name("keep.py")
IMPATIENT = Path(__file__).with_name("impatient.py")
COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scontrol")
# What a user may have set for a cluster of their own.
FOREIGN = ("SLURM", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SINFO_", "SCANCEL_", "SACCT_")
# MinJobAge: a job that has ended can be seen for as long as any test runs.
CONFIG = """\
ClusterName=blinkpair
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# Nodes have the CPUs and the memory written here, not those of the machine.
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
# Without cgroups: each step's memory is looked at every second, and too much of it is the end.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=sched_interval=2,bf_interval=1
MinJobAge=1200
KillWait=2
OverTimeLimit=0
SlurmctldTimeout=30
SlurmdTimeout=5
MessageTimeout=5
# A node that did not answer comes back by itself; one that was set down does not.
ReturnToService=1
PartitionName=main Nodes=ALL Default=YES MaxTime=1-0 DefaultTime=10 DefMemPerCPU=500
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} {size}\n"


class SlurmError(RuntimeError):
    """Slurm failed; the message holds the logs of its daemons."""


@dataclass(frozen=True)
class Job:
    """A job as squeue shows it; `comment` is where Snakemake writes the rule."""

    id: str
    state: str
    node: str
    reason: str
    name: str
    comment: str


def why_not() -> str | None:
    """Return why no Slurm can be run here; None where it can."""
    missing = [name for name in COMMANDS if shutil.which(name, path=_path()) is None]
    if missing:
        return f"Slurm is not installed (Debian: slurm-wlm, munge); missing: {', '.join(missing)}"
    if os.geteuid() != 0:
        return "Slurm's daemons need root to run jobs"
    return None


class Slurm:
    """A controller and its nodes; a context manager.

    Parameters
    ----------
    nodes
        Names of the nodes.
    cpus, memory_mb
        What each of them says to have; it may be more than the machine has.
    """

    def __init__(
        self, nodes: tuple[str, ...] = ("n1", "n2"), cpus: int = 4, memory_mb: int = 16000
    ) -> None:
        # Not in pytest's folder: the path of a socket has 108 characters at most.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.nodes = nodes
        self._keepers: dict[str, subprocess.Popen] = {}
        # Jobs inherit this from sbatch, so that their own srun finds the same cluster.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        kept.pop("SNAKEMAKE_SLURM_PARTITIONS", None)
        kept.pop("SNAKEMAKE_PROFILE", None)
        self.environment = {**kept, "SLURM_CONF": f"{self.folder}/slurm.conf"}
        self.environment["PATH"] = f"{self.folder}/bin:{_path()}"
        self._write_config(f"CPUs={cpus} RealMemory={memory_mb}")

    def __enter__(self) -> Slurm:
        """Start everything; return when all nodes are idle."""
        try:
            self._start_munge()
            self._keep("slurmctld", "slurmctld", "-D")
            for node in self.nodes:
                self.start_node(node)
            self.wait_for(lambda: set(self.node_states().values()) == {"idle"}, "idle nodes")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Kill jobs and daemons and remove their folder."""
        for name in reversed(list(self._keepers)):
            self._drop(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command: str, check: bool = True, timeout: float = 60) -> str:
        """Run a command of Slurm, or any other, in `environment`; return what it printed."""
        result = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout
        )
        if check and result.returncode != 0:
            raise SlurmError(f"{' '.join(command)}: {result.stderr}\n{self.logs()}")
        return result.stdout.strip()

    def snakemake(
        self, folder: Path, *arguments: str, timeout: float = 300
    ) -> subprocess.CompletedProcess:
        """Run Snakemake with its executor for Slurm, which looks at its jobs every second."""
        process = self.start_snakemake(folder, *arguments)
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start_snakemake(self, folder: Path, *arguments: str) -> subprocess.Popen:
        """Start Snakemake as `snakemake` does, and return while it runs."""
        options = ["--executor", "slurm", "--jobs", "100", "--slurm-status-command", "squeue"]
        options += ["--slurm-init-seconds-before-status-checks", "1"]
        return subprocess.Popen(
            [sys.executable, str(IMPATIENT), *options, *arguments],
            cwd=folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def jobs(self) -> list[Job]:
        """Every job since the start, also those that have ended, oldest first."""
        # The comment is last: it may hold anything.
        listing = self.run(
            "squeue", "--states=all", "--array", "--noheader", "--format=%i|%T|%N|%r|%j|%k"
        )
        jobs = [Job(*line.split("|", 5)) for line in listing.splitlines() if line.count("|") >= 5]
        return sorted(jobs, key=lambda job: [int(part) for part in job.id.split("_")])

    def job(self, job_id: str) -> Job:
        """One job."""
        return next(job for job in self.jobs() if job.id == job_id)

    def memory_mb(self, job_id: str) -> int:
        """Return the memory that a job requested, in MB."""
        return int(
            self.run("squeue", "--states=all", "-h", f"-j{job_id}", "-o%m").removesuffix("M")
        )

    def cancel(self, job_id: str) -> None:
        """Cancel a job, as its user does."""
        self.run("scancel", job_id)

    def node_states(self) -> dict[str, str]:
        """State of each node: idle, mixed, allocated, down, with a star if it does not answer."""
        lines = self.run("sinfo", "--Node", "--noheader", "--format=%N %T", check=False)
        return dict(line.split() for line in lines.splitlines())

    def set_node(self, name: str, state: str) -> None:
        """Set a node `down` (its jobs end at once, or are requeued) or `resume` it."""
        reason = ("reason=test",) if state != "resume" else ()
        self.run("scontrol", "update", f"nodename={name}", f"state={state}", *reason)
        if state == "resume":
            self.wait_for(lambda: self.node_states()[name] in ("idle", "mixed"), f"node {name}")

    def start_node(self, name: str) -> None:
        """Start a node, which is idle some seconds later."""
        self._keep(name, "slurmd", "-D", "-N", name)

    def logs(self, characters: int = 3000) -> str:
        """Return the last lines of every daemon."""
        parts = [
            f"--- {path.stem}\n{path.read_text(errors='replace')[-characters:]}"
            for path in sorted(self.folder.glob("*.log"))
        ]
        return "\n".join(parts)

    def wait_for(self, condition: Callable[[], bool], what: str, timeout: float = 120) -> None:
        """Wait until a condition holds; after `timeout` seconds an error with the logs."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                states, jobs = self.node_states(), self.run("squeue", "--states=all", check=False)
                raise SlurmError(f"waited {timeout} s for {what}; {states}\n{jobs}\n{self.logs()}")
            time.sleep(0.1)

    def _write_config(self, size: str) -> None:
        (self.folder / "state").mkdir()
        host = socket.gethostname().split(".")[0]
        controller_port, *ports = _free_ports(1 + len(self.nodes))
        config = CONFIG.format(folder=self.folder, host=host, controller_port=controller_port)
        for name, port in zip(self.nodes, ports, strict=True):
            config += NODE.format(name=name, host=host, port=port, size=size)
            (self.folder / f"spool-{name}").mkdir()
        (self.folder / "slurm.conf").write_text(config)
        # The executor of Snakemake runs srun within a job, and takes SLURM_CONF away from it.
        srun = self.folder / "bin" / "srun"
        srun.parent.mkdir()
        real = shutil.which("srun", path=_path())
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {real} "$@"\n')
        srun.chmod(0o755)

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(64))
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
        options = [f"--{name}={self.folder}/munge.{end}" for name, end in files.items()]
        # By force: it requires a socket open to all, and here only root may use it.
        self._keep("munged", "munged", "--foreground", "--force", *options)
        self.wait_for((self.folder / "munge.socket").exists, "munged", timeout=10)

    def _keep(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("a") as log:
            self._keepers[name] = subprocess.Popen(
                [sys.executable, str(KEEP), str(self.folder), *command],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is not for the daemons
            )

    def _drop(self, name: str) -> None:
        keeper = self._keepers.pop(name)
        with contextlib.suppress(BrokenPipeError), keeper.stdin:
            keeper.stdin.write(b"stop")  # without a word it takes this process for dead
        keeper.wait(timeout=30)


def _path() -> str:
    """PATH with the folders of the daemons, which a user's often lacks."""
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
