"""What goes wrong around a run, made on purpose: full and read-only disks, killed processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.helpers.tiny_experiment import ROOT

NOBODY = 65534
PAGE = os.sysconf("SC_PAGE_SIZE")


class CannotMountError(RuntimeError):
    """Nobody but root may mount a disk, and not in every container."""


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Mount an empty disk of a size, in memory; a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True).returncode:
        raise CannotMountError("disks in memory are mounted by root only: not here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Be another user than root for a while, who may reach a folder of the tests."""
    for place in (folder, *folder.parents[:3]):
        place.chmod(place.stat().st_mode | 0o055)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def remount(folder: Path, options: str) -> None:
    """Change a mounted disk: `ro`, `rw`, `size=...`."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def fill(disk: Path, free_pages: int) -> Path:
    """Fill a disk but for some pages; return what fills it."""
    filling = disk / "filling"
    free = os.statvfs(disk).f_bavail * PAGE
    filling.write_bytes(b"\0" * (free - free_pages * PAGE))
    return filling


def visible(results: Path) -> dict[str, bytes]:
    """Return every result under its final name, without the times of day in it."""
    found = {}
    for path in sorted(results.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            content = path.read_bytes()
            if path.name == "provenance.json":
                made = json.loads(content)
                content = json.dumps({k: v for k, v in made.items() if k != "times"}).encode()
            elif path.name == "report.html":
                content = re.sub(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", b"", content)
            found[str(path.relative_to(results))] = content
    return found


def differing(results: Path, reference: dict[str, bytes]) -> list[str]:
    """Results that are there and not those of the reference."""
    return [name for name, content in visible(results).items() if content != reference.get(name)]


def left_aside(results: Path) -> list[str]:
    """Names of files that were written aside and never took their final name."""
    return sorted(path.name for path in results.rglob(".*.part*"))


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the workflow in a folder, in a group of processes of its own; it writes `printed`."""
    with (folder / "printed").open("wb") as printed:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=printed,
            start_new_session=True,
        )


def jobs_of(run: subprocess.Popen[bytes]) -> list[int]:
    """Processes of the jobs a run has started."""
    found = []
    for process in group_of(run):
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:  # one that has just ended
            continue
        if b"/.snakemake/scripts/" in command:
            found.append(process)
    return found


def group_of(run: subprocess.Popen[bytes]) -> list[int]:
    """Processes of a run's group that are still there, whoever is their parent now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == run.pid and state != "Z":
            found.append(int(path.parent.name))
    return found


def has_ended(run: subprocess.Popen[bytes]) -> bool:
    """Return whether Snakemake itself has ended."""
    return run.poll() is not None


def is_gone(run: subprocess.Popen[bytes]) -> bool:
    """Return whether nothing of a run is left, jobs included."""
    return not group_of(run)


def kill_everything(run: subprocess.Popen[bytes]) -> bool:
    """Kill the processes as a power cut does; return whether anything was killed."""
    os.killpg(run.pid, signal.SIGKILL)
    return True


def kill_coordinator(run: subprocess.Popen[bytes]) -> bool:
    """End Snakemake itself without a signal to its jobs."""
    run.kill()
    return True


def kill_a_job(run: subprocess.Popen[bytes]) -> bool:
    """End one running job, if there is one; its run goes on."""
    for job in jobs_of(run)[:1]:
        with suppress(ProcessLookupError):
            os.kill(job, signal.SIGKILL)
            return True
    return False


def wait_until(ready: Callable[[], bool], timeout_s: float) -> bool:
    """Wait until a condition holds, for so long at most; return whether it does."""
    end = time.monotonic() + timeout_s
    while not (so := ready()) and time.monotonic() < end:
        time.sleep(0.02)
    return so
