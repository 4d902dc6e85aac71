"""Runs that share one start, and what a dry run would run.

It imports nothing of the library: the run may be of a copy of it.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# To load Snakemake takes longer than to plan three fields: it is done once, in a process that
# makes a fresh one for each run.
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["snakemake.cli", "tests.helpers.loaded_snakemake"])

ROOT = Path(__file__).parents[2]
# How a run of the tiny experiment ends: one of its fields is refused; 0 where a part is asked for.
ENDS_WELL = (0, 11)


def run_fresh(
    folder: Path, *arguments: str, snakefile: Path = ROOT / "Snakefile", check: bool = True
) -> subprocess.CompletedProcess:
    """Run the workflow in a folder, in a fresh process that has Snakemake loaded.

    Variables of the environment are those of this process when it started its first run.
    """
    command = ["snakemake", "-s", str(snakefile), *arguments]
    with tempfile.TemporaryDirectory() as written:
        files = [Path(written, name) for name in ("stdout", "stderr")]
        process = FRESH.Process(target=_run, args=(command, folder, files))
        process.start()
        process.join()
        texts = [file.read_text(encoding="utf-8") for file in files]
    assert not check or process.exitcode in ENDS_WELL, texts[1][-4000:]
    return subprocess.CompletedProcess(command, process.exitcode, *texts)


def _run(command: list[str], folder: Path, files: list[Path]) -> None:
    for stream, path in enumerate(files, 1):
        with path.open("w") as file:
            os.dup2(file.fileno(), stream)
    os.chdir(folder)
    sys.argv = command
    from snakemake.cli import main

    main(command[1:])


def dry_run(folder: Path, snakefile: Path, *arguments: str, refused: bool = False) -> str:
    """Return what `snakemake -n` writes in a folder; whether it is refused is checked."""
    result = run_fresh(folder, "-n", *arguments, snakefile=snakefile, check=False)
    text = result.stdout + result.stderr
    assert result.returncode == refused, text
    return text


def planned_rules(text: str) -> dict[str, set[str]]:
    """Rules that a dry run would run, each with its fields ('' for all fields together)."""
    plan: dict[str, set[str]] = {}
    for block in re.split(r"\n\s*(?:local)?rule ", text)[1:]:
        field = re.search(r"wildcards: field=([^,\n]+)", block)
        plan.setdefault(block.partition(":")[0], set()).add(field.group(1) if field else "")
    plan.pop("all", None)
    return plan
