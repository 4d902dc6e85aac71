"""What was tried to damage a result or to stop a run, how many times, and what happened.

Run as `PYTHONPATH=scripts python -m benchmarks.robustness [--sections kills disks]
[--write docs/robustness.md]`. A section is a module beside this one, `NAME.py`, with `rows()`,
which returns rows of the columns `tried`, `number`, `outcome`, and `ABOUT`, the paragraph above
them; only the sections asked for are imported and run.
"""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

import pandas as pd

from benchmarks.page import text_of, update

SECTIONS = [
    ("Kills", "kills"),
    ("Full and read-only disks", "disks"),
    ("Random damage to files", "fuzz"),
    ("Wrong inputs", "inputs"),
]
COLUMNS = ["tried", "number", "outcome"]
HEAD = """# Robustness

**In short.** A crash never becomes a damaged result. Of 1,000 kills of a process that writes none
left a damaged file under a final name, nor did any kill of a run. Each full disk was reported, and
the run went on by the same command. Each of 70,000 damaged files was read, or refused with a
message.

What was tried, how many times, and what happened. The experiments are simulated. `make robustness`
makes the tables.

**A file under its final name is complete.** It is written under another name beside it
(`.NAME.PROCESS.part.EXT`), brought to the disk (`fsync`) and renamed. Without `fsync` a file can
be there and empty after a power cut, since the name may reach the disk before what it names; it
costs 0.3 ms for a small file, 22 ms for 30 MB on the disk it was measured on, 0.1 s of the 40 s
of a field. The next write of the same file removes what a killed process left.

**After a crash the same command goes on.** What is finished stays, what was under way is done
again. A killed Snakemake leaves its lock; the next start reports it, and `snakemake --unlock`
removes it. The jobs of a killed Snakemake end (in the middle of a step on Linux only), so that
none writes results of its settings beside those of the next run.

**A run that cannot work is refused before it starts**: the folder cannot be written, its disk is
full, or it holds results without Snakemake's record of how they were made (`.snakemake/`), which
may be of another version.

**The same input gives the same bytes**, on one core or two, in any order of jobs, in another
folder, time zone or locale: a test runs an experiment twice and compares every file
([reproduce.md](reproduce.md)).

**What comes in is only read.** Nothing of it is unpickled, evaluated or run (a test checks the
source), a field's name cannot lead out of `results/`, and the report escapes all text.
Dependencies are locked by hashes; `make audit` looks them up among the known vulnerabilities,
which needs the network. It has not been run against a current database for this page; one of 2021
listed none of the versions in use.

**Every error is reported or refused before it becomes a number.** Errors of the sheet or the
configuration stop a run before it starts; errors in the files of one field refuse that field. The
exit status of a finished run is 0, or 10 plus the number of refused fields (120 at most).
"""


def section(title: str, name: str) -> str:
    """Run a section, and return its text: heading, paragraph, table."""
    module = importlib.import_module(f"benchmarks.robustness.{name}")
    start = time.perf_counter()
    table = pd.DataFrame(module.rows())[COLUMNS]
    print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    return "\n\n".join([f"## {title}", module.ABOUT, text_of(table)])


def main() -> None:
    """Run sections one by one, print each, and bring the page up to date after each."""
    there = {name: title for title, name in SECTIONS}
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--sections", nargs="+", choices=there, default=list(there))
    parser.add_argument("--write", type=Path, help="bring this page up to date")
    args = parser.parse_args()
    for name in args.sections:
        text = section(there[name], name)
        print(text, flush=True)
        if args.write:
            update(args.write, HEAD, [text])


if __name__ == "__main__":
    main()
