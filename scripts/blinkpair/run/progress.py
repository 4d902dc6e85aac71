"""What a run has done, for a person who watches it: a bar, and a line where a field is decided.

Only in a terminal, in the place of Snakemake's own lines on single steps. Elsewhere, on a cluster
or with the output in a file, those stay.

Input: the events of Snakemake's log, and the results of the steps that finished. Output: lines on
the standard error.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Snakemake's LogEvents.
JOB, STARTED, FINISHED, PROGRESS = "job_info", "job_started", "job_finished", "progress"
SELECTING = "Select jobs to execute"
STEPS = {
    "find_nanocrystals": "looking for nanocrystals",
    "register": "registering",
    "extract_traces": "measuring traces",
    "analyse_blinking": "analysing blinking",
    "summarise": "tables of all fields",
    "summarise_blinking": "tables of blinking",
    "build_report": "report",
}


class Progress(logging.Filter):
    """Shows what the jobs of a run did, and keeps back the records that it stands for.

    Parameters
    ----------
    results : path
        Where they write.
    terminal : bool, optional
        Whether a person watches; default: whether the standard error is a terminal.
    """

    def __init__(self, results: str | Path, terminal: bool | None = None) -> None:
        super().__init__()
        self._results = Path(results)
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._jobs: dict[int, tuple[str, dict[str, str]]] = {}
        self._bar: Any = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Show a job that finished, and return whether Snakemake shows the record too."""
        noted = record.__dict__
        event = str(getattr(noted.get("event"), "value", noted.get("event")))
        if event == JOB:
            self._jobs[noted["jobid"]] = (noted["rule_name"], dict(noted["wildcards"]))
            if self._bar is not None:
                self._bar.set_description_str(_step(*self._jobs[noted["jobid"]]))
        elif not self._terminal:
            return True
        elif event == STARTED:
            self._show_bar()
        elif event == FINISHED:
            rule, wildcards = self._jobs.get(noted["job_id"], ("", {}))
            if line := outcome(self._results, rule, wildcards):
                self._write(line)
        elif event == PROGRESS:
            self._count(noted["done"], noted["total"])
        if event in (STARTED, FINISHED, PROGRESS) or record.getMessage().startswith(SELECTING):
            return False
        if self._bar is not None:
            self._bar.clear()
        return True

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _count(self, done: int, total: int) -> None:
        self._show_bar()
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()

    def _show_bar(self) -> None:
        if self._bar is None:
            from tqdm import tqdm

            # The steps have it turned off, for their logs.
            self._bar = tqdm(unit=" steps", leave=False, disable=False, dynamic_ncols=True)

    def _write(self, line: str) -> None:
        if self._bar is None:
            print(line, file=sys.stderr, flush=True)
        else:
            self._bar.write(line, file=sys.stderr)


def _step(rule: str, wildcards: Mapping[str, str]) -> str:
    name = STEPS.get(rule, rule.replace("_", " "))
    field = wildcards.get("field")
    return f"{field}: {name}" if field else name


def outcome(results: Path, rule: str, wildcards: Mapping[str, str]) -> str:
    """Return what a step that finished found out on its field; '' for most of them."""
    found: dict[str, Callable[[Path], str]] = {
        "register": _registered,
        "analyse_blinking": _counted,
    }
    field = wildcards.get("field")
    if rule not in found or not field:
        return ""
    try:
        return f"{field}: {found[rule](results / 'fields' / field)}"
    except (OSError, KeyError, ValueError):  # a line of comfort ends no run
        return ""


def _registered(folder: Path) -> str:
    result = json.loads((folder / "registration.json").read_text(encoding="utf-8"))
    if result["status"] != "ok":
        return f"refused: {result['reason']}"
    return (
        f"registered, {_some(result['n_microspheres_matched'], 'microsphere')} and "
        f"{_some(result['n_nanocrystals_matched'], 'nanocrystal')} matched"
    )


def _counted(folder: Path) -> str:
    with (folder / "nanocrystals.csv").open(encoding="utf-8", newline="") as table:
        populations = Counter(row["population"] for row in csv.DictReader(table))
    excluded = populations.pop("", 0)
    if not populations and not excluded:
        return "no nanocrystals, the field was refused"
    changed = ", ".join(
        f"{populations[name]} {name.replace('_', ' ')}"
        for name in ("became_emissive", "became_dark")
    )
    left_out = f"; {excluded} excluded" if excluded else ""
    return f"{_some(populations.total(), 'nanocrystal')} analysed: {changed}{left_out}"


def _some(number: int, name: str) -> str:
    return f"{number} {name}{'s' if number != 1 else ''}"
