"""How fast? A field of the paper's size, side by side with reading it and with other libraries.

Run as `make benchmark` (its files take 35 GB of disk), or as `PYTHONPATH=scripts
python -m benchmarks.speed [--frames 2000] [--folder DIR] [--parts steps field]
[--write docs/speed.md]`.
The fastest of several runs counts; the slowest is listed beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.page import text_of, update
from benchmarks.speed import files, small_fields
from blinkpair.epochs import EPOCHS

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"}

HEAD = """# Speed

**In short.** Long movies are read once and a little: 1.06 times their bytes come from the disk. On
a disk of 110 MB/s a field takes 0.63 times as long as with two passes; on one of 1.4 GB/s, where
the processor decides, as long as before: 63 to 66 s for a field of the paper's size (21 GB) on 2
slow cores. Short of what was asked: in memory, 1,000 nanocrystals take
2.5 to 2.8 times as long as 100 (1.8; from the disk 1.3), zlib files 1.23 times the time of decoding
(1.2), and `trackpy.locate` takes 139 times as long, not 1,000.

Made by `make benchmark`; the movies are simulated. The fastest of three runs each in a process of
its own, with the slowest beside it; *warm*: the file is in the page cache; *cold*: it was dropped
from it. Disks and page caches have moods: a ratio of two cold times can be off by a third.
"""


class Bench:
    """The files, and the measurements on them so far."""

    def __init__(self, folder: Path, frames: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.frames = folder, frames
        self.sheet = files.write_field(folder, frames)
        self.tiff = str(self.sheet["pre_pl"][0])
        self._seen: dict[str, dict[str, Any]] = {}

    def run(self, task: str, **arguments: Any) -> dict[str, Any]:
        """Measure a task once; the same call again returns the same."""
        key = json.dumps([task, arguments])
        if key not in self._seen:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.speed.tasks", task, json.dumps(arguments)],
                check=True,
                capture_output=True,
                text=True,
                env=ENVIRONMENT,
            )
            self._seen[key] = json.loads(done.stdout)
        return self._seen[key]

    def best(self, task: str, **arguments: Any) -> float:
        return float(min(self.run(task, **arguments)["seconds"]))


def row(what: str, result: dict[str, Any], unit: float, must: str) -> dict[str, Any]:
    seconds = result["seconds"]
    return {
        "what": what,
        "s": float(min(seconds)),
        "slowest, s": float(max(seconds)),
        "ratio": min(seconds) / unit,
        "must": must,
        "peak memory, MB": round(result["peak_mb"]),
    }


def steps_part(bench: Bench) -> Iterable[str]:
    tiff = bench.tiff
    gigabytes = Path(tiff).stat().st_size / 1e9
    yield "## The steps that read the movie"
    yield (
        f"A movie of {bench.frames} x {files.SIZE_PX} x {files.SIZE_PX} uint16, {gigabytes:.1f} "
        f"GB, {os.cpu_count()} cores ({platform.machine()}). The ratio is to the plain NumPy sum "
        "of its frames where warm, and to reading it in pieces of 16 MB where cold."
    )
    warm = bench.run("frame_sum", path=tiff)
    unit = min(warm["seconds"])
    rows = [
        row("NumPy frame sum, warm", warm, unit, ""),
        row("reading, warm", bench.run("read", path=tiff), unit, ""),
        row("find_nanocrystals, warm", bench.run("find", path=tiff), unit, "2.5"),
        row("extract_traces, 300 nanocrystals, warm", bench.run("extract", path=tiff), unit, "2.5"),
    ]
    cold = bench.run("read", path=tiff, cold=True)
    cold_unit = min(cold["seconds"])
    find_cold = bench.run("find", path=tiff, cold=True)
    extract_cold = bench.run("extract", path=tiff, cold=True)
    rows += [
        row("reading, cold", cold, cold_unit, ""),
        row("find_nanocrystals, cold", find_cold, cold_unit, "1.15"),
        row("extract_traces, cold", extract_cold, cold_unit, "1.15"),
    ]
    yield text_of(pd.DataFrame(rows))


def formats_part(bench: Bench) -> Iterable[str]:
    yield "## Other formats"
    yield (
        "ND2 against TIFF, warm, and compressed TIFF (1,000 frames) against decoding alone by all "
        "cores."
    )
    rows = []
    nd2 = str(files.write_nd2(bench.tiff, bench.folder / f"movie_{bench.frames}.nd2"))
    bench.run("read", path=nd2)  # so that it is in the page cache
    for task in ("find", "extract"):
        unit = bench.best(task, path=bench.tiff)
        rows.append(row(f"ND2: {task}", bench.run(task, path=nd2), unit, "1.3"))
    for compression in ("zlib", "lzw", "zstd"):
        path = str(files.write_compressed(bench.tiff, bench.folder, compression))
        decoding = bench.run("decode", path=path)
        unit = min(decoding["seconds"])
        rows.append(row(f"{compression}: decoding", decoding, unit, ""))
        # The detection that follows the pass of `find` takes a second whatever the movie.
        for task in ("projections", "extract"):
            rows.append(row(f"{compression}: {task}", bench.run(task, path=path), unit, "1.2"))
    yield text_of(pd.DataFrame(rows))


def growth_part(bench: Bench) -> Iterable[str]:
    yield "## Growth"
    yield "Warm; the ratio is to the first row of its kind."
    rows = []
    for task in ("find", "extract"):
        unit = 0.0
        for part in (4, 2, 1):
            frames = bench.frames // part
            result = bench.run(task, path=f"{bench.tiff}::frames={frames}")
            unit = unit or min(result["seconds"])
            rows.append(row(f"{task}, {frames} frames", result, unit, f"{4 // part} (linear)"))
    for cold in (False, True):
        unit = 0.0
        for n in (100, 300, 1000):
            result = bench.run("extract", path=bench.tiff, n=n, cold=cold)
            unit = unit or min(result["seconds"])
            state = "cold" if cold else "warm"
            must = "1.5" if n == 1000 else ""
            rows.append(row(f"extract_traces, {n} nanocrystals, {state}", result, unit, must))
    yield text_of(pd.DataFrame(rows))


def others_part(bench: Bench) -> Iterable[str]:
    yield "## Beside other ways"
    yield "Milliseconds a frame, warm; the others on 20 frames of the same movie."
    find = bench.best("find", path=bench.tiff) / bench.frames
    extract = bench.best("extract", path=bench.tiff) / bench.frames
    rows = []
    for what, task, ours, must in (
        ("trackpy.locate", "by_trackpy", find, 1000),
        ("photutils: aperture and annulus median, 300 places", "by_photutils", extract, 50),
        ("NumPy slices and medians, 300 places", "by_slicing", extract, 10),
    ):
        theirs = bench.best(task, path=bench.tiff) / 20
        rows.append(
            {
                "what": what,
                "ms a frame": 1e3 * theirs,
                "blinkpair, ms a frame": 1e3 * ours,
                "times faster": theirs / ours,
                "must": must,
            }
        )
    yield text_of(pd.DataFrame(rows))


def rest_part(bench: Bench) -> Iterable[str]:
    yield "## What comes after, and starting up"
    analysed = bench.run("analyse")
    seconds = {"states, dwell-time fits, types and photostability of 300 nanocrystals": analysed}
    rows = [
        {"what": what, "s": min(result["seconds"]), "must": "10"}
        for what, result in seconds.items()
    ]
    for script in sorted((ROOT / "scripts").glob("*.py")):
        rows.append({"what": f"imports of {script.stem}", "s": importing(script.stem), "must": "1"})
    with tempfile.TemporaryDirectory() as empty:
        arguments = json.dumps({"path": f"{bench.tiff}::frames=40"})
        for task in ("find", "extract"):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "benchmarks.speed.tasks", task, arguments],
                check=True,
                capture_output=True,
                env={**ENVIRONMENT, "NUMBA_CACHE_DIR": f"{empty}/{task}"},
            )
            what = f"first use of {task}: its kernels are compiled, 40 frames"
            rows.append({"what": what, "s": time.perf_counter() - start, "must": ""})
    yield text_of(pd.DataFrame(rows))


def importing(module: str) -> float:
    """Seconds to start Python and import a step, the fastest of three."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True, env=ENVIRONMENT)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def field_part(bench: Bench) -> Iterable[str]:
    yield "## A whole field through the workflow"
    movies = [str(bench.sheet[f"{epoch}_pl"][0]) for epoch in EPOCHS]
    reading = sum(min(bench.run("read", path=path, cold=True)["seconds"]) for path in movies)
    sheet = bench.sheet.copy()
    for column in ("pre_brightfield", "pre_pl", "post_brightfield", "post_pl"):
        sheet[column] = [str(Path(path).resolve()) for path in sheet[column]]
    from benchmarks.speed.tasks import forget

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config").mkdir()
        (Path(folder) / "config" / "config.yaml").write_text("fields: sheet.tsv\n")
        sheet.to_csv(Path(folder) / "sheet.tsv", sep="\t", index=False)
        for path in movies:
            forget(path)
        command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
        target = "results/fields/big/nanocrystals.csv"
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [*command, "--cores", "2", "--quiet", "all", "--", target], cwd=folder, check=True
        )
        seconds = time.perf_counter() - start
        blocks = resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock - before.ru_inblock
        shares = 512 * blocks / sum(Path(path).stat().st_size for path in movies)
        steps = []
        for path in sorted((Path(folder) / "logs" / "benchmarks" / "big").glob("*.tsv")):
            used = pd.read_csv(path, sep="\t").iloc[0]
            steps.append(
                {
                    "step": path.stem,
                    "s": float(used["s"]),
                    "largest sample of memory, MB": used["max_rss"],
                }
            )
    yield (
        f"Both movies to `nanocrystals.csv` on 2 cores, cold: {seconds:.1f} s. Reading both once, "
        f"cold: {reading:.1f} s; at most 2.5 times that and 20 s were asked for, "
        f"{2.5 * reading + 20:.1f} s. {shares:.2f} times the bytes of the movies came from the "
        "disk. At most 500 MB a step, not counting the page cache:"
    )
    table = pd.DataFrame(steps)
    table["largest sample of memory, MB"] = pd.to_numeric(
        table["largest sample of memory, MB"], errors="coerce"
    ).round()
    yield text_of(table)


def small_part(bench: Bench) -> Iterable[str]:
    return small_fields.paragraphs()


PARTS: dict[str, Callable[[Bench], Iterable[str]]] = {
    "steps": steps_part,
    "formats": formats_part,
    "growth": growth_part,
    "others": others_part,
    "rest": rest_part,
    "field": field_part,
    "small": small_part,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=Path("benchmark_files"))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--write", type=Path, help="bring this page up to date")
    args = parser.parse_args()
    bench = Bench(args.folder, args.frames)
    for name in args.parts:
        section = "\n\n".join(PARTS[name](bench))
        print(section, flush=True)
        if args.write:
            update(args.write, HEAD, [section])


if __name__ == "__main__":
    main()
