"""Check the folder of a run: it can be written, and the origin of its results is recorded.

A handful of checks, whatever the number of fields.

Input: the folder. Output: nothing, or an error before anything starts.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from blinkpair.errors import AGAIN, InputError

RESULTS, LOGS, RECORD = "results", "logs", ".snakemake"
# Under `.snakemake/`: of what is done and of what is under way, as files or as a database.
RECORDS = ("metadata", "incomplete", "metadata.db")
# What Snakemake itself writes before and after a job; without it, it fails without a reason.
LEAST_BYTES = 5_000_000


def check_folder(folder: str | Path = ".", results: str | Path = RESULTS) -> None:
    """Check that a run can work in a folder.

    Parameters
    ----------
    folder : path
    results : path
        The folder of results in it; logs are written beside them.

    Raises
    ------
    InputError
        If it or its results cannot be written, if its disk is full, or if it holds results without
        Snakemake's record of how they were made: with the dates of files alone, those of another
        version or of other settings would be taken for up to date.
    """
    home = Path(folder)
    results = Path(results)
    written = (results, results / "fields", results / "figures", results.with_name(LOGS), RECORD)
    for place in (home, *(home / name for name in written)):
        if place.exists() and not os.access(place, os.W_OK | os.X_OK):
            raise InputError(
                f"{_named(place)} cannot be written: it is read-only, or not yours",
                "change its rights or its disk, or start in another folder. Nothing was started",
            )
    if (free := shutil.disk_usage(home).free) < LEAST_BYTES:
        raise InputError(
            f"{_named(home)} lies on a full disk: {free / 1000000.0:.1f} MB are free",
            f"free some space and {AGAIN}",
        )
    if not _is_recorded(home / RECORD) and (found := _any_file(home / results)):
        raise InputError(
            f"{results}/ holds results ({found.relative_to(home)}), and {RECORD}/ does not record "
            "how they were made: they may be of another version or of other settings",
            f"rename {results}/, and all is made anew; or put the folder {RECORD} that lay "
            "beside it where they were made in the place of the one here. Nothing was started",
        )


def _named(place: Path) -> str:
    return "this folder" if place == Path() else str(place)


def _is_recorded(record: Path) -> bool:
    """Return whether Snakemake has a record of results that are there."""
    for place in (record / name for name in RECORDS):
        if place.is_file():
            return True
        if place.is_dir():
            with os.scandir(place) as entries:
                if any(entries):
                    return True
    return False


def _any_file(folder: Path) -> Path | None:
    """Return a file below a folder, or None."""
    for parent, _, names in os.walk(folder):
        if names:
            return Path(parent) / min(names)
    return None
