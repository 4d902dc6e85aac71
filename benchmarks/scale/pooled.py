"""Do the steps that pool all fields grow with their number? 100, 1,000 and 10,000 fields.

Run as `PYTHONPATH=scripts python -m benchmarks.scale.pooled [--fields 100 1000 10000]
[--folder DIR] [--write docs/scale.md]`; ten thousand fields take 4 GB of disk and a few minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.page import text_of, update
from benchmarks.scale.fields import NANOCRYSTALS, ROOT, analyse_template, write_fields

# By name only: what the steps import is measured in their own processes.
STEPS = ("summarise", "summarise_blinking", "plot_populations", "plot_blinking")
STEPS += ("plot_examples", "build_report", "summarise_run")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"}
MOST_MB = 1000
MOST_PAGE_MB = 30

HEAD = """# Scale

**In short.** From 100 to 1,000 fields every step that pools them grows at most a third as fast as
their number and stays below 450 MB; `summarise_blinking` takes 8 s of the processor (10,000 fields,
with an earlier version: a minute, and below 700 MB). Planning 10,000 fields took two minutes with
eight jobs a field; with four it is two thirds of that by what 2,000 took. The first line of a
submitted job takes two seconds.

How the workflow grows with the number of fields; all data are simulated.
"""


def measure(template: Path, folder: Path, n: int) -> dict[str, Any]:
    """Seconds and peak MB of each step on n fields, and the size of the page in MB."""
    start = time.perf_counter()
    write_fields(template, folder, n)
    print(f"{n:,} fields written in {time.perf_counter() - start:.0f} s", flush=True)
    seen: dict[str, Any] = {}
    for step in STEPS:
        start = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.scale.tasks", step, str(folder)]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        seen[step] = {"s": time.perf_counter() - start, "MB": float(done.stdout)}
        print(f"  {step}: {seen[step]['s']:.1f} s, {seen[step]['MB']:.0f} MB", flush=True)
    seen["page_mb"] = (folder / "report.html").stat().st_size / 1e6
    seen["figures_mb"] = sum(p.stat().st_size for p in (folder / "figures").iterdir()) / 1e6
    return seen


def section(numbers: Sequence[int], folder: Path) -> str:
    """Measure, and return the text of the section: heading, paragraphs, table."""
    template = analyse_template(folder / "template")
    seen = {}
    for n in sorted(numbers):
        seen[n] = measure(template, folder / f"fields_{n}", n)
        shutil.rmtree(folder / f"fields_{n}")
    return "\n\n".join(
        [
            "## The steps that pool all fields",
            f"Fields of {NANOCRYSTALS} nanocrystals, two of a hundred refused; each step in a "
            f"process of its own, its start and imports included, on {os.cpu_count()} cores. "
            "Growth is the time over that of the column before, divided by the growth of the "
            "number of fields: 1 is linear, less is what does not grow.",
            text_of(table(seen)),
            f"A step may take {MOST_MB:,} MB. {_sizes(seen)}",
        ]
    )


def table(seen: dict[int, dict[str, Any]]) -> pd.DataFrame:
    """One row a step; seconds and MB for each number of fields."""
    rows = []
    for step in STEPS:
        row: dict[str, Any] = {"step": step}
        row |= {f"{n:,} fields, s": own[step]["s"] for n, own in seen.items()}
        row |= {f"{n:,} fields, MB": round(own[step]["MB"]) for n, own in seen.items()}
        if len(seen) > 1:
            before, last = list(seen)[-2:]
            times = seen[last][step]["s"] / seen[before][step]["s"]
            row["growth"] = times * before / last
        rows.append(row)
    return pd.DataFrame(rows)


def _sizes(seen: dict[int, dict[str, Any]]) -> str:
    page = ", ".join(f"{own['page_mb']:.1f}" for own in seen.values())
    figures = ", ".join(f"{own['figures_mb']:.1f}" for own in seen.values())
    return (
        f"The report is {page} MB (at most {MOST_PAGE_MB}), all figures together are {figures} MB."
    )


def failures(text: str) -> list[str]:
    """Rows of the table that use more memory than they may, or grow faster than linearly."""
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    header, *rows = [[cell.strip() for cell in line] for line in lines]
    memory = [place for place, name in enumerate(header) if name.endswith("MB")]
    return [
        row[0]
        for row in rows
        if max(float(row[place]) for place in memory) > MOST_MB
        or ("growth" in header and float(row[header.index("growth")]) > 1.2)
    ]


def write_section(
    section: Callable[[Sequence[int], Path], str], description: str, numbers: list[int]
) -> str:
    """Measure a section of the page by the command line, print it, write it with --write."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--fields", type=int, nargs="+", default=numbers)
    parser.add_argument("--folder", type=Path, help="for the files; default: a temporary one")
    parser.add_argument("--write", type=Path, help="bring this page up to date")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        text = section(args.fields, Path(folder))
    print(text)
    if args.write:
        update(args.write, HEAD, [text])
    return text


def main() -> None:
    text = write_section(section, __doc__, [100, 1_000, 10_000])
    if wrong := failures(text):
        raise SystemExit(f"Too much memory, or more than linear: {', '.join(wrong)}.")


if __name__ == "__main__":
    main()
