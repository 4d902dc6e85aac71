"""Which steps of a run failed, with the last message of each, for the end of the run.

The profiles keep Snakemake quiet about single steps, of which there may be a hundred thousand; it
then names none of those that fail either.

Input: what Snakemake notes of a step that failed. Output: a line a step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from blinkpair.run.logs import FAILED

MOST_NAMED = 20
_INTERRUPTED = KeyboardInterrupt.__name__
JOB_STARTED = "job_started"  # Snakemake's LogEvent


class Failures(logging.Handler):
    """Collects what Snakemake notes of steps that failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._steps: dict[str, Sequence[Mapping[str, Any]]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a step, or the steps of a group: the last try of each."""
        noted = record.__dict__
        alone = "rule_name" in noted and not noted.get("indent")  # not once more within its group
        for steps in ([noted] if alone else [], noted.get("job_error_info", [])):
            if steps:
                self._steps[str([step["log"] for step in steps])] = steps

    def summary(self) -> str:
        """Return which steps failed and were not done at a later try; '' if none."""
        lines = [_last_message(steps) for steps in self._steps.values() if not _is_done(steps)]
        if not lines:
            return ""
        if all(line.endswith(f": {_INTERRUPTED}") for line in lines):
            return (
                "The run was interrupted. Hint: start the same command again; finished results "
                "are kept.\n"
            )
        more = len(lines) - MOST_NAMED
        lines = sorted(lines)[:MOST_NAMED] + ([f"  and {more} more"] if more > 0 else [])
        return "\n".join(
            [
                "These steps failed, the others went on:",
                *lines,
                "Hint: correct what they report and start the same command again; finished "
                "results are kept.\n",
            ]
        )


class AtFirstJob(logging.Handler):
    """Calls a function once, before the first job of a run starts, and never in a dry run.

    For what `onstart` does in a workflow of its own: Snakemake calls no hook of a module.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        super().__init__(logging.INFO)
        self._function: Callable[[], None] | None = function

    def emit(self, record: logging.LogRecord) -> None:
        """Call the function at the event with which Snakemake announces jobs."""
        if self._function is not None and getattr(record, "event", "") == JOB_STARTED:
            function, self._function = self._function, None
            function()


def _is_done(steps: Sequence[Mapping[str, Any]]) -> bool:
    return all(Path(output).exists() for step in steps for output in step["output"])


def _last_message(steps: Sequence[Mapping[str, Any]]) -> str:
    """Return the log of the step that failed, of a group's, and its last line."""
    logs = [str(log) for step in steps for log in step["log"]]
    for log in logs:
        try:
            text = Path(log).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if FAILED in text:
            last = text.strip().splitlines()[-1]
            return f"  {log}: {last.partition(f'{FAILED}: ')[2] or last}"
    where = logs[0] if logs else steps[0]["rule_name"]
    return f"  {where}: it ended without an error message (for example killed for memory)"
