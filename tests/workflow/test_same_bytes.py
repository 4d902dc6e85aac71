"""A run made again from its record, under other circumstances, gives the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys

from blinkpair.files import read_json
from tests.helpers.tiny_experiment import ROOT, snakemake

RECORD = "results/provenance.json"
# Another time zone and order of sets; texts are ASCII unless a step sets another encoding.
ELSEWHERE = {
    "TZ": "Pacific/Auckland",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONHASHSEED": "2024",
}
# Without it this field would come last.
FIRST = "results/fields/re-mounted/nanocrystals.csv"


def contents(folder):
    """Every result by its path, but for the record."""
    files = (path for path in (folder / "results").rglob("*") if path.is_file())
    paths = {str(path.relative_to(folder)): path for path in files}
    return {name: path.read_bytes() for name, path in paths.items() if name != RECORD}


def order_of_jobs(folder):
    logs = (folder / "logs").rglob("*.log")
    ended = sorted(logs, key=lambda path: path.stat().st_mtime_ns)
    return [str(path.relative_to(folder)) for path in ended]


def test_a_run_made_again_from_its_record_has_the_same_bytes(experiment, tmp_path, monkeypatch):
    folder = tmp_path / "noch einmal, für später"
    command = [
        sys.executable,
        "-m",
        "blinkpair.run.reproduce",
        str(experiment / RECORD),
        str(folder),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value)
    rights = os.umask(0o077)
    arguments = ["--cores", "1", "--scheduler", "greedy", "--prioritize", FIRST, "--quiet", "all"]
    try:
        ended = snakemake(folder, *arguments)
    finally:
        os.umask(rights)

    # One field was refused: the exit status and the last lines state it, under any locale.
    assert ended.returncode == 11
    last = ended.stderr.strip().splitlines()
    reason = last[last.index("1 of 3 fields was refused and is in no number:") + 1]
    assert reason.startswith("  refused: blank: microspheres: ")
    here, there = contents(folder), contents(experiment)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []
    record, before = read_json(folder / RECORD), read_json(experiment / RECORD)
    assert list(record) == list(before)
    assert [key for key in record if record[key] != before[key]] == ["command", "times"]
    assert order_of_jobs(folder) != order_of_jobs(experiment)
