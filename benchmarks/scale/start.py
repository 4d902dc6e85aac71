"""How long until something starts? Sheets of 1,000 and 10,000 fields, planned and submitted.

Run as `PYTHONPATH=scripts python -m benchmarks.scale.start [--fields 1000 10000] [--folder DIR]
[--write docs/scale.md]`. The movies are of the paper's size and sparse: 20,000 empty frames that
take two pages of disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd
import tifffile

from benchmarks.page import text_of
from benchmarks.scale.pooled import ROOT, write_section
from blinkpair.epochs import EPOCHS

SHAPES = {"bf": (512, 512), "pl": (20_000, 512, 512)}
HEADER_BYTES = 4096
TEMPERATURES = ("70", "100", "120", "control")
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
PROFILE = ["--profile", str(ROOT / "workflow" / "profiles" / "default"), "--cores", "2"]
MUST = {1_000: 20, 10_000: 120}
START_MUST_S = 10
SETTLED_S = 61  # headers of files that are younger are not kept


def write_sheet(folder: Path, n: int) -> None:
    """Write a sheet of n fields, each with its own four sparse files, and a configuration."""
    folder.mkdir(parents=True)
    heads = {}
    for kind, shape in SHAPES.items():
        path = folder / f"{kind}.tif"
        tifffile.memmap(path, shape=shape, dtype="uint16", bigtiff=True)
        with path.open("rb") as file:
            heads[kind] = file.read(HEADER_BYTES), path.stat().st_size
        path.unlink()
    columns = [(epoch, kind) for kind in SHAPES for epoch in EPOCHS]
    rows = []
    for i in range(n):
        home = folder / "movies" / f"{i // 100:03d}"
        home.mkdir(parents=True, exist_ok=True)
        row = {"field": f"f{i:05d}", "temperature_c": TEMPERATURES[i % 4], "sample": "simulated"}
        for epoch, kind in columns:
            path = home / f"{row['field']}_{epoch}_{kind}.tif"
            head, size = heads[kind]
            with path.open("wb") as file:
                file.write(head)
                file.truncate(size)
                file.seek(size // 2)
                file.write(path.name.encode())  # empty files would be copies of each other
            name = f"{epoch}_{'brightfield' if kind == 'bf' else 'pl'}"
            row[name] = str(path.relative_to(folder))
        rows.append(row)
    pd.DataFrame(rows).to_csv(folder / "fields.tsv", sep="\t", index=False)
    config = "fields: fields.tsv\nexposure_s: 0.02\npixel_size_um: 0.16\n"
    (folder / "config.yaml").write_text(config)


def run(folder: Path, *arguments: str) -> tuple[float, float]:
    """Run Snakemake; seconds, and the peak memory of the process in MB."""
    start = time.perf_counter()
    command = [*SNAKEMAKE, "--configfile", str(folder / "config.yaml"), *arguments]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def start_of_a_job(folder: Path) -> tuple[float, float]:
    """Seconds from the start of a submitted job to its step's first line; peak memory in MB."""
    step = ("find_nanocrystals", "field=f00001", "logs/f00001/find_nanocrystals.log")
    # A run of one job keeps the checked sheet, which submitted jobs then read.
    run(folder, *PROFILE, "--until", step[0], "--", "results/fields/f00000/nanocrystals_pre.csv")
    begun = time.time()
    _, peak_mb = run(
        folder,
        *("--mode", "remote", "--executor", "local", "--cores", "2", "--force"),
        *("--target-jobs", f"{step[0]}:{step[1]}", "--allowed-rules", step[0]),
        *("--target-files-omit-workdir-adjustment", "--max-inventory-time", "0"),
        *("--nocolor", "--no-hooks", "--nolock", "--ignore-incomplete"),
    )
    said = (folder / step[2]).read_text().partition(" WARNING")[0].partition(" INFO")[0]
    return datetime.strptime(said, "%Y-%m-%d %H:%M:%S,%f").timestamp() - begun, peak_mb


def section(numbers: Sequence[int], folder: Path) -> str:
    """Measure, and return the text of the section: heading, paragraphs, table."""
    rows = []
    for n in sorted(numbers):
        own = folder / f"sheet_{n}"
        write_sheet(own, n)
        time.sleep(SETTLED_S)
        for what in ("first", "later"):
            seconds, peak_mb = run(own, *PROFILE, "-n")
            must = str(MUST.get(n, ""))
            row = {"what": f"snakemake -n, {n:,} fields, {what}", "s": seconds, "must": must}
            rows.append(row | {"peak memory, MB": round(peak_mb)})
        seconds, peak_mb = start_of_a_job(own)
        row = {"what": f"a submitted job's first line, {n:,} fields", "s": seconds}
        rows.append(row | {"must": str(START_MUST_S), "peak memory, MB": round(peak_mb)})
        print(pd.DataFrame(rows).tail(3).to_string(), flush=True)
    return "\n\n".join(
        [
            "## Planning, and the start of a job",
            "Movies of 20,000 x 512 x 512 frames, sparse files; no results yet, so that every step "
            f"of every field is planned: four jobs a field. On {os.cpu_count()} cores. "
            "`snakemake -n` includes the check of the sheet. The first one opens every file; later "
            "ones open those that are new or changed. A submitted job reads what the check of its "
            "run found. The memory is that of the process that plans.",
            "Size and date of every file are read each time, and when it is opened 4 KiB from its "
            "middle, by which copies of one recording are found: 16 MB for 1,000 fields and 160 MB "
            "for 10,000, which take 0.1 and 0.6 s of the processor. The first and last MiB are "
            "read only of files whose size or date has changed since the last run: 5.2 MB a field, "
            "which is 5.2 and 52 GB if the dates of all have.",
            text_of(pd.DataFrame(rows)),
        ]
    )


if __name__ == "__main__":
    write_section(section, __doc__, [1_000, 10_000])
