"""What a dry run would run. It imports nothing of the library: the plan may be of a copy of it."""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import tempfile
from pathlib import Path

# To load Snakemake takes longer than to plan three fields: it is done once, in a process that
# makes a fresh one for each plan.
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["snakemake.cli"])


def dry_run(folder: Path, snakefile: Path, *arguments: str, refused: bool = False) -> str:
    """Return what `snakemake -n` writes in a folder; whether it is refused is checked."""
    command = ["snakemake", "-s", str(snakefile), "-n", *arguments]
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as written:
        process = FRESH.Process(target=_run, args=(command, folder, written.name))
        process.start()
        process.join()
        text = written.read()
    assert process.exitcode == refused, text
    return text


def _run(command: list[str], folder: Path, output: str) -> None:
    with Path(output).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(folder)
    sys.argv = command
    from snakemake.cli import main

    main(command[1:])


def planned_rules(text: str) -> dict[str, set[str]]:
    """Rules that a dry run would run, each with its fields ('' for all fields together)."""
    plan: dict[str, set[str]] = {}
    for block in re.split(r"\n\s*(?:local)?rule ", text)[1:]:
        field = re.search(r"wildcards: field=([^,\n]+)", block)
        plan.setdefault(block.partition(":")[0], set()).add(field.group(1) if field else "")
    plan.pop("all", None)
    return plan
