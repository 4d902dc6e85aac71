"""Small fields through the whole workflow: what starting, drawing and tables take.

Input: nothing. Output: the paragraphs of a section of docs/speed.md.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from benchmarks.page import text_of
from blinkpair.simulate import write_experiment
from tests.helpers.small_field import DESIGN

ROOT = Path(__file__).parents[2]
N_FIELDS = 12
TREATMENTS = ("70", "100", "120", "control")


def write_fields(folder: Path) -> None:
    """Write the movies, the sheet and the configuration of twelve fields."""
    designs = {f"f{i:02d}": (TREATMENTS[i % 4], DESIGN, 100 + i) for i in range(N_FIELDS)}
    write_experiment(folder / "movies", designs).to_csv(folder / "sheet.tsv", sep="\t", index=False)
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text("fields: sheet.tsv\n")


def run(folder: Path) -> tuple[float, float]:
    """Run the workflow on two cores; seconds, and CPU seconds of all its processes."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "--quiet", "all"], cwd=folder, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def cpu_by_rule(folder: Path) -> pd.DataFrame:
    """CPU seconds of each rule, of all its jobs, as Snakemake noted them."""
    rows = [
        {"step": path.stem, "CPU s": pd.read_csv(path, sep="\t")["cpu_time"].iloc[0]}
        for path in (folder / "logs" / "benchmarks").rglob("*.tsv")
    ]
    steps = pd.DataFrame(rows).groupby("step")["CPU s"].agg(["size", "sum"])
    steps.columns = ["jobs", "CPU s"]
    return steps.sort_values("CPU s", ascending=False).reset_index()


def paragraphs() -> Iterable[str]:
    """The section: heading, the whole run, and its steps."""
    yield "## Small fields"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_fields(folder)
        run(folder)  # compiles what is not compiled yet
        for made in ("results", "logs", ".snakemake"):
            (folder / made).rename(folder / f"first {made}")
        seconds, cpu = run(folder)
        steps = cpu_by_rule(folder)
    yield (
        f"{N_FIELDS} fields of 160 x 160 pixels and 600 frames on 2 cores, kernels compiled: "
        f"{seconds:.0f} s, {cpu:.0f} CPU seconds in {steps['jobs'].sum()} jobs. By step, as "
        "Snakemake samples it:"
    )
    yield text_of(steps)
