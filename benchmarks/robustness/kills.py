"""Runs that are killed again and again: is a file ever visible that is not the undisturbed run's?

A tiny simulated experiment is analysed once undisturbed. Further runs of it are killed at random
moments and started again by the same command until they end; after every kill each file under a
final name is compared with that of the undisturbed run, byte by byte.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.helpers.faults import (
    differing,
    group_of,
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
from tests.helpers.tiny_experiment import ENDS_WELL, ROOT, snakemake, write_tiny_experiment

SEED = 20
KILLS = 50
LOCKED_STARTS = 5  # each takes as long as the time between two kills
KILLS_OF_A_WRITER = 1000
MOST_KILLS_A_RUN = 10
# From the first job of a start to the next kill, and the longest wait for that job.
SECONDS = (0.0, 8.0)
START_S = 300.0
RUN = ("--cores", "2")
Kill = Callable[[subprocess.Popen[bytes]], bool]
HOW: dict[str, Kill] = {
    "all processes of a run at once, as a power cut does": kill_everything,
    "Snakemake alone, its jobs running": kill_coordinator,
    "one running job": kill_a_job,
}
ABOUT = (
    "A simulated experiment of three fields (21 jobs) was analysed undisturbed, and then in runs "
    "that were killed by SIGKILL at random moments, up to 8 s after the first job of each start, "
    "and started again by the same command. After every kill each file in `results/` was compared "
    "with that of the undisturbed run. A moment of a run is seldom within a write, so that a "
    "process which does nothing but write files of each kind was killed, too."
)


def rows() -> list[dict[str, Any]]:
    """Kill runs fifty times; one row a way to kill, and one for what came of the runs."""
    seen: Counter[str] = Counter()
    draw = random.Random(SEED)
    with tempfile.TemporaryDirectory() as home:
        begun, whole = Path(home, "begun"), Path(home, "whole")
        begun.mkdir()
        write_tiny_experiment(begun)
        shutil.copytree(begun, whole)
        snakemake(whole, *RUN)
        reference = visible(whole / "results")
        while (kills := sum(seen[how] for how in HOW)) < KILLS:
            folder = Path(home, f"run_{seen['runs']}")
            shutil.copytree(begun, folder, copy_function=os.link)
            kill_until_done(folder, reference, draw, min(MOST_KILLS_A_RUN, KILLS - kills), seen)
            shutil.rmtree(folder)
            print(dict(seen), flush=True)
    table = [
        (f"kill {how}", seen[how], f"{seen[f'{how}, damaged']} damaged files under a final name")
        for how in HOW
    ]
    table += [
        (
            "files under a final name, compared after a kill",
            seen["compared"],
            f"{seen['damaged']} differed from the undisturbed run's",
        ),
        (
            "runs started again by the same command until their end",
            seen["runs"],
            f"{seen['ended the same']} ended with the bytes of the undisturbed run; of "
            f"{seen['part seen']} half-written files seen aside, {seen['left aside']} were left",
        ),
        (
            "starts in a folder that a killed Snakemake had locked",
            seen["starts locked"],
            f"{seen['unlock named']} named `--unlock`, and went on after it",
        ),
        (
            "jobs seen more than a second after their Snakemake was killed",
            seen["outlived"],
            "were loading their libraries, and end when they have done so",
        ),
    ]
    writer = killed_writer(KILLS_OF_A_WRITER)
    table.append(
        (
            "kill a process that writes files without a pause",
            writer["kills"],
            f"{len(writer['damaged'])} damaged files under a final name; {writer['left']} "
            f"half-written ones aside, {writer['still left']} after the next write",
        )
    )
    return [dict(zip(("tried", "number", "outcome"), row, strict=True)) for row in table]


def killed_writer(kills: int) -> dict[str, Any]:
    """Kill a process within its writes; see `tests/helpers/killed_writer.py`."""
    script = str(ROOT / "tests" / "helpers" / "killed_writer.py")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, script, folder, str(kills)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def has_begun(run: subprocess.Popen[bytes]) -> bool:
    """Return whether a job of a run has started, or the run has ended."""
    return has_ended(run) or bool(jobs_of(run))


def kill_until_done(
    folder: Path,
    reference: dict[str, bytes],
    draw: random.Random,
    kills: int,
    seen: Counter[str],
) -> None:
    """Start a run, kill it at random moments so many times, and let it end."""
    seen["runs"] += 1
    results = folder / "results"
    while True:
        run = start(folder, *RUN)
        wait_until(partial(has_begun, run), START_S)
        while kills and not wait_until(partial(has_ended, run), draw.uniform(*SECONDS)):
            how = draw.choice(list(HOW))
            if not HOW[how](run):
                continue  # no job at this moment
            kills -= 1
            seen[how] += 1
            if HOW[how] is not kill_a_job:
                run.wait()
                if not wait_until(partial(is_gone, run), 1.0):
                    seen["outlived"] += len(group_of(run))
            damaged = differing(results, reference)
            seen["compared"] += len(visible(results))
            seen[f"{how}, damaged"] += len(damaged)
            seen["part seen"] += len(left_aside(results))
        if run.wait() in ENDS_WELL:
            break
        printed = (folder / "printed").read_text(errors="replace")
        if "LockException" in printed:
            seen["starts locked"] += 1
            seen["unlock named"] += "--unlock" in printed and "power loss" in printed
            snakemake(folder, "--unlock")
        elif seen["starts locked"] >= LOCKED_STARTS:
            shutil.rmtree(folder / ".snakemake" / "locks", ignore_errors=True)  # as --unlock does
    seen["ended the same"] += visible(results) == reference
    seen["left aside"] += len(left_aside(results))
