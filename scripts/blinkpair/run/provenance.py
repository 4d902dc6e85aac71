"""How a result was made: versions, settings, sample sheet, inputs, command and times.

Input: settings, the sample sheet, what the run was started with. Output: the content of
`provenance.json`, from which `run.reproduce` makes the results again.
"""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import blinkpair
from blinkpair.inputs.contents import fast_checksum

PACKAGES = (
    "snakemake",
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "xarray",
    "h5netcdf",
    "tifffile",
    "imagecodecs",
    "nd2",
    "sif_parser",
    "matplotlib",
    "plotly",
    "jinja2",
)
SOURCE_PATHS = ("Snakefile", "scripts", "workflow", "envs")  # of the checkout
CHECKSUM = "SHA-256 of the size and the first and last MiB"
NO_CHECKSUM = "none was taken (provenance: checksums: false)"


def sheet_rows(path: str | Path) -> list[dict[str, str]]:
    """Read the rows of a sample sheet, with the columns and texts of its writer."""
    from blinkpair.inputs.sheet_text import read_cells

    columns = read_cells(path).columns
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def sheet_paths(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """List the paths in rows of a sample sheet, spelt as on the disk."""
    from blinkpair.inputs.columns import PATH_COLUMNS
    from blinkpair.inputs.spelling import path_on_disk

    columns = (*PATH_COLUMNS, "landmarks")
    written = [path for row in rows for column in columns if (path := row.get(column))]
    return [path_on_disk(path) for path in written]


def film_paths(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """List the files in rows of an ensemble sheet, spelt as on the disk, without '::curve='."""
    from blinkpair.inputs.ensemble_sheet import FILE_COLUMNS
    from blinkpair.inputs.spelling import path_on_disk

    written = [path for row in rows for column in FILE_COLUMNS if (path := row.get(column))]
    return list(dict.fromkeys(path_on_disk(path.partition("::")[0]) for path in written))


def input_files(paths: Iterable[str]) -> list[str]:
    """List the files behind paths of the sample sheet, each once, sorted."""
    return sorted({str(file) for path in paths for file in _files(path) if file.is_file()})


def _files(path: str) -> list[Path]:
    from blinkpair.movie.paths import movie_files

    return list(movie_files(path))


def describe(path: str | Path, *, checksum: bool) -> dict[str, Any]:
    """Return size and checksum of a file; the latter is None where it is turned off."""
    size = Path(path).stat().st_size
    return {"bytes": size, "checksum": fast_checksum(path) if checksum else None}


def commit(folder: str | Path) -> str | None:
    """Return the commit of the checkout a folder lies in, '+changes' if its source was edited.

    Settings and sheets are in the record themselves: a changed one is no change of the source.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + (
            "+changes" if git("status", "--porcelain", "-uno", "--", *SOURCE_PATHS) else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return None


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def made_with(source: str) -> dict[str, Any]:
    """Return what results depend on besides settings and inputs: programs and machine.

    Parameters
    ----------
    source : str
        Digest of blinkpair's source.
    """
    from llvmlite import binding

    versions = {"blinkpair": blinkpair.__version__, "python": platform.python_version()}
    return {
        "versions": versions | {name: metadata.version(name) for name in PACKAGES},
        "commit": commit(Path(__file__).parents[3]),
        "source": source,
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "processor": binding.get_host_cpu_name(),
        },
    }


def provenance(
    settings: Mapping[str, Any],
    sheet: str | Path,
    run: Mapping[str, str],
    source: str,
    verdicts: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return everything needed to make a result again.

    Parameters
    ----------
    settings : mapping
        With every default filled in.
    sheet : path
        The sample sheet.
    run : mapping
        `command`, the command line of the run, and `started`, the time.
    source : str
        Digest of blinkpair's source.
    verdicts : sequence of mapping
        The rows of the file of verdicts.
    """
    rows = sheet_rows(sheet)
    checksum = bool(settings["provenance"]["checksums"])
    films = sheet_rows(settings["ensemble"]) if settings.get("ensemble") else []
    inputs = {p: describe(p, checksum=checksum) for p in input_files(sheet_paths(rows))}
    inputs |= {path: describe(path, checksum=checksum) for path in film_paths(films)}
    return {
        **made_with(source),
        "command": run["command"],
        "times": {"started": run["started"], "recorded": utc_now()},
        "settings": settings,
        "sheet": rows,
        **({"ensemble": films} if films else {}),
        **({"verdicts": list(verdicts)} if verdicts else {}),
        "checksum": CHECKSUM if checksum else NO_CHECKSUM,
        "inputs": inputs,
    }
