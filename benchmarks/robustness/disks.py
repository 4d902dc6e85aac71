"""Disks that fill up while a run writes, and disks and folders that cannot be written at all.

The disks are real ones in memory (root, Linux). A run in a folder of too little room fails, is
given room, and is started again by the same command.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any

from tests.helpers.faults import differing, left_aside, remount, small_disk, visible
from tests.helpers.result_kinds import WRITERS, write_on_a_full_disk
from tests.helpers.tiny_experiment import ENDS_WELL, snakemake, write_tiny_experiment

RUN = ("--cores", "2")
TRIES = 40
# The folder of the experiment takes 14 MB when all is done, 5 are asked for before it starts.
SIZES_MB = (7.5, 12.0)
ABOUT = (
    "Disks of a few MB, in memory, of which all but some pages of 4 kB were filled: from no page "
    "to one page less than a file needs, so that each kind of write was cut at its beginning, in "
    "its midst and at its end. Whole runs of a simulated experiment were started on disks too "
    "small for them, given room, and started again. Where the disk filled up in the midst of their "
    "files, HDF5 ended the process by a segmentation fault and matplotlib spoke of streams: "
    "NetCDF files and figures are now put together in memory."
)
DISK_IS_FULL = ("the disk is full. Hint: free some space", "No space left on device")


def rows() -> list[dict[str, Any]]:
    """One row a kind of write, and one for each thing that was done to whole runs."""
    table = []
    with tempfile.TemporaryDirectory() as home:
        for kind in WRITERS:
            with small_disk(Path(home, "disk"), 4 << 20) as disk, chdir(disk):
                tried, wrong = write_on_a_full_disk(disk, kind, TRIES)
            outcome = (
                "reported with what to do, nothing damaged or left, same bytes with room again"
            )
            outcome = f"{tried - len(wrong)} {outcome}" + f"; {wrong}" * bool(wrong)
            table.append((f"fill the disk within a write: {kind}", tried, outcome))
        begun, whole = Path(home, "begun"), Path(home, "whole")
        begun.mkdir()
        write_tiny_experiment(begun)
        whole.mkdir()
        lay_out(begun, whole)
        snakemake(whole, *RUN)
        table.append(runs_on_small_disks(begun, whole, Path(home, "small")))
        table += starts_that_are_refused(begun, whole, Path(home, "other"))
    return [dict(zip(("tried", "number", "outcome"), row, strict=True)) for row in table]


def lay_out(begun: Path, folder: Path) -> None:
    """Give a folder the experiment's sheet and configuration, and a link to its movies."""
    shutil.copy(begun / "sheet.tsv", folder)
    shutil.copytree(begun / "config", folder / "config")
    (folder / "movies").symlink_to(begun / "movies")


def runs_on_small_disks(begun: Path, whole: Path, folder: Path) -> tuple[str, int, str]:
    """Run on disks of too little room until it fails, give them room, and run again."""
    reference = visible(whole / "results")
    reported = damaged = left = same = 0
    for size_mb in SIZES_MB:
        with small_disk(folder, round(size_mb * 1e6)) as disk:
            lay_out(begun, disk)
            failed = snakemake(disk, *RUN, check=False)
            reported += failed.returncode != 0 and any(
                words in failed.stderr for words in DISK_IS_FULL
            )
            damaged += len(differing(disk / "results", reference))
            left += len(left_aside(disk / "results"))
            remount(disk, "size=100m")
            again = snakemake(disk, *RUN, check=False)
            same += again.returncode in ENDS_WELL and visible(disk / "results") == reference
            print(f"{size_mb} MB: {failed.stderr.splitlines()[-2:]}", flush=True)
    outcome = (
        f"{reported} failed and reported the full disk, {damaged} damaged files, {left} left "
        f"aside; with room, {same} went on by the same command and ended with the bytes of an "
        "undisturbed run"
    )
    sizes = ", ".join(f"{size:g}" for size in SIZES_MB)
    return f"a whole run on disks of {sizes} MB", len(SIZES_MB), outcome


def starts_that_are_refused(begun: Path, whole: Path, folder: Path) -> list[tuple[str, int, str]]:
    """Start where nothing can be written, or where the results have no record of their making."""
    found = []
    with small_disk(folder, 30_000_000) as disk:
        lay_out(begun, disk)

        def start(tried: str) -> None:
            refused: subprocess.CompletedProcess[str] = snakemake(disk, *RUN, check=False)
            explained = "Hint:" in refused.stderr and "Traceback" not in refused.stderr
            outcome = "refused before anything started, with what to do"
            found.append(
                (tried, 1, outcome if refused.returncode and explained else "NOT explained")
            )

        remount(disk, "ro")
        start("start in a folder that is read-only")
        remount(disk, "rw,size=3m")
        start("start on a disk with less than 5 MB of room")
        remount(disk, "size=30m")
        shutil.copytree(whole / "results", disk / "results")
        start("start beside results without Snakemake's record of them")
    return found
